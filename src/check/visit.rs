//! Visits each play, block, task and handler of a playbook, and what it includes if the name is known.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use playbook_api::{Error, Map, Registry, Value};

use super::finding::Findings;
use super::variables::Variables;
use super::walk::{Walk, known};
use super::{arguments, files, handlers, keywords, templates};
use crate::document::Node;
use crate::inventory::Vars;
use crate::playbook::{
    self, Frame, FrameKind, Item, Keyword, Keywords, LoadedTasks, Loader, Playbook, Role, Task,
};
use crate::run::actions::include::find_in;
use crate::run::play::include::role_spec;

/// Runs all checks on a playbook.
pub(super) fn playbook(
    playbook: &Playbook,
    loader: &Loader,
    registry: &Registry,
    findings: &Findings,
    variables: &Variables,
) {
    let dir = playbook.path.parent().unwrap_or(Path::new("/"));
    for play in &playbook.plays {
        let walk = Walk {
            loader,
            registry,
            findings,
            dir,
            play,
            handlers: RefCell::new(play.handlers.clone()),
            variables,
            open: Cell::default(),
            notifiers: RefCell::default(),
            conditional: Cell::default(),
            task: RefCell::default(),
        };
        Visit { walk, frames: RefCell::default(), included: RefCell::default() }.play();
    }
}

/// A visit to everything in a play. Each problem is reported once.
struct Visit<'a> {
    walk: Walk<'a>,
    frames: RefCell<HashSet<usize>>,
    included: RefCell<HashSet<String>>,
}

impl Visit<'_> {
    fn play(&self) {
        let play = self.walk.play;
        self.frame(&play.frame);
        templates::play(&self.walk, play);
        if !self.walk.findings.is_before_run() {
            keywords::play(&self.walk, play);
        }
        keywords::hosts(&self.walk, play);
        play.vars_prompt.iter().for_each(|prompt| self.walk.variables.define(&prompt.name, None));
        files::vars_files(&self.walk, play);
        for role in play.roles.iter().map(|(role, _)| role) {
            self.role(role);
        }
        let roles = play.roles.iter().map(|(_, items)| items);
        for items in std::iter::once(&play.pre_tasks).chain(roles).chain([&play.tasks, &play.post_tasks]) {
            self.items(items, false);
        }
        let own = self.walk.handlers.borrow().clone();
        own.iter().for_each(|handler| self.task(handler, true));
        handlers::check(&self.walk);
    }

    fn items(&self, items: &[Item], handlers: bool) {
        for item in items {
            match item {
                Item::Task(task) => self.task(task, handlers),
                Item::Block(block) => {
                    self.frame(&block.frame);
                    for section in [&block.block, &block.rescue, &block.always] {
                        self.items(section, handlers);
                    }
                }
            }
        }
    }

    /// The keywords around tasks, each once.
    fn frame(&self, frame: &Arc<Frame>) {
        for frame in frame.chain() {
            if !self.frames.borrow_mut().insert(Arc::as_ptr(frame) as usize) {
                break;
            }
            self.keywords(&frame.keywords);
            self.walk.variables.keywords(&frame.keywords);
            if let FrameKind::Role(role) = &frame.kind {
                self.role(role);
            }
        }
    }

    fn role(&self, role: &Arc<Role>) {
        for vars in [&role.defaults, &role.vars, &role.params] {
            templates::vars(&self.walk, vars);
            self.walk.variables.define_all(vars);
        }
        // The caller of the role must define its options, which is checked when the role starts.
        let entry_points = role.argument_specs.iter().filter_map(Node::as_map).flatten();
        for options in entry_points.filter_map(|(_, entry)| entry.node.get("options")?.as_map()) {
            options.keys().for_each(|name| self.walk.variables.define(&name.to_text(), None));
        }
        role.dependencies().iter().for_each(|role| self.role(role));
    }

    fn keywords(&self, keywords: &Keywords) {
        templates::keywords(&self.walk, keywords);
        keywords::keywords(&self.walk, keywords);
        self.walk.notifiers.borrow_mut().extend(keywords.values.get(&Keyword::Notify).cloned());
    }

    fn task(&self, task: &Arc<Task>, handler: bool) {
        if task.implicit {
            return;
        }
        self.frame(&task.frame);
        self.walk.task.replace(Some(task.clone()));
        self.keywords(&task.keywords);
        templates::task(&self.walk, task);
        self.walk.task.take();
        keywords::task(&self.walk, task);
        if matches!(task.action_name(), "add_host" | "group_by" | "include_tasks" | "include_role") {
            self.walk.variables.add_hosts();
        }
        arguments::check(&self.walk, task);
        self.walk.variables.task(&self.walk, task, handler);
        files::check(&self.walk, task);
        match task.action_name() {
            "include_tasks" => self.include_tasks(task, handler),
            "include_role" => self.include_role(task),
            _ => {}
        }
    }

    fn include_tasks(&self, task: &Arc<Task>, handler: bool) {
        let Some(node) = task.action.args.get("_raw_params") else { return };
        let Some(name) = node.as_str() else { return self.unknown() };
        match find_in(task, handler, [&self.walk.play.directory, self.walk.dir], name) {
            Ok(path) => self.task_file(task, &path, handler),
            Err(_) => files::missing(&self.walk, node, name),
        }
    }

    fn task_file(&self, task: &Arc<Task>, path: &Path, handler: bool) {
        if !self.first(format!("tasks {} {handler}", path.display())) {
            return;
        }
        let dir = path.parent().unwrap_or(Path::new("/"));
        let loader = self.walk.loader.in_directory(&self.walk.play.directory);
        let frame = playbook::include_frame(task, dir, Vars::default());
        self.included(task, || {
            let loaded = frame.and_then(|frame| playbook::load_task_file(&loader, path, &frame, handler));
            self.take(loaded, handler);
        });
    }

    fn include_role(&self, task: &Arc<Task>) {
        let args = &task.action.args;
        let arguments: Map = args.iter().map(|(name, node)| (name.clone().into(), known(node))).collect();
        let texts = ["name", "role", "tasks_from", "vars_from", "defaults_from", "handlers_from"];
        let unknown = |name: &&str| matches!(arguments.get(*name), Some(Value::Unknown(_)));
        if task.action.variable_args.is_some() || texts.iter().any(unknown) {
            return self.unknown();
        }
        let Ok(mut spec) = role_spec(&arguments, task) else { return };
        spec.place = args.get("name").or_else(|| args.get("role")).map(|node| node.place().clone());
        let from = [&spec.tasks_from, &spec.vars_from, &spec.defaults_from, &spec.handlers_from];
        if !self.first(format!("role {} {from:?}", spec.name)) {
            return;
        }
        let loader = self.walk.loader.in_directory(&self.walk.play.directory);
        let frame = playbook::include_frame(task, &self.walk.play.directory, Vars::default());
        self.included(task, || {
            let loaded = frame.and_then(|frame| playbook::load_role(&loader, &spec, &frame));
            let loaded = loaded.map(|loaded| loaded.tasks);
            self.take(loaded.map_err(|error| error.at(spec.place.as_ref().unwrap_or(&task.place))), false);
        });
    }

    /// Visits what a task includes; what is found there may depend on the task's condition.
    fn included(&self, task: &Task, visit: impl FnOnce()) {
        let conditional = self.walk.is_conditional(task);
        let outer = self.walk.conditional.replace(conditional);
        self.walk.findings.conditional.set(conditional);
        visit();
        self.walk.conditional.set(outer);
        self.walk.findings.conditional.set(outer);
    }

    /// Notes that something is included that only a run can name.
    fn unknown(&self) {
        self.walk.open.set(true);
        self.walk.variables.open();
    }

    fn first(&self, what: String) -> bool {
        self.included.borrow_mut().insert(what)
    }

    fn take(&self, loaded: Result<LoadedTasks, Error>, handlers: bool) {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => return self.walk.findings.load(error, true),
        };
        loaded.roles.iter().for_each(|role| self.role(role));
        self.walk.handlers.borrow_mut().extend(loaded.handlers.iter().cloned());
        if handlers {
            let tasks = loaded.items.iter().filter_map(|item| match item {
                Item::Task(task) => Some(task.clone()),
                Item::Block(_) => None,
            });
            self.walk.handlers.borrow_mut().extend(tasks);
        }
        self.items(&loaded.items, handlers);
        loaded.handlers.iter().for_each(|handler| self.task(handler, true));
    }
}
