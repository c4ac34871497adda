//! The variables that a task defines and uses.

use super::variables::Variables;
use super::walk::Walk;
use crate::document::Node;
use crate::jinja::Template;
use crate::playbook::{Condition, Loop, Task};
use crate::vars::search_path;

impl Variables {
    /// Notes what a task defines and uses.
    pub fn task(&self, walk: &Walk, task: &Task, handler: bool) {
        self.define_all(&task.keywords.vars);
        for register in &task.register {
            self.define(&register.name, None);
        }
        self.defined_by_action(walk, task);
        let around = task.frame.chain().any(|frame| !frame.keywords.when.is_empty());
        let guarded = handler || around || walk.conditional.get();
        self.read_conditions(&task.keywords.when, guarded);
        let conditional = guarded || !task.keywords.when.is_empty();
        match &task.loop_over {
            Some(Loop::Loop(value) | Loop::With { terms: value, .. }) => self.read_node(value, conditional),
            None => {}
        }
        let control = &task.loop_control;
        for variable in [&control.loop_var, &control.index_var].into_iter().flatten() {
            match variable.as_str() {
                Some(name) => self.define(name, None),
                None => self.open(),
            }
        }
        let optional = [
            &task.action.variable_args,
            &task.retries,
            &task.delay,
            &task.async_seconds,
            &task.poll,
            &control.label,
            &control.pause,
        ];
        let own = optional.into_iter().flatten().chain(task.keywords.values.values());
        own.chain(task.action.args.values()).for_each(|value| self.read_node(value, conditional));
        if task.action_name() == "assert"
            && let Some(that) = task.action.args.get("that")
        {
            self.read_conditions(&Condition::list(that), conditional);
        }
        for list in [&task.changed_when, &task.failed_when].into_iter().flatten() {
            self.read_conditions(list, conditional);
        }
        self.read_conditions(&task.until, conditional);
        self.read_conditions(&control.break_when, conditional);
    }

    fn defined_by_action(&self, walk: &Walk, task: &Task) {
        let args = &task.action.args;
        match task.action_name() {
            "set_fact" | "add_host" => {
                if task.action.variable_args.is_some() || args.keys().any(|name| Template::is_template(name))
                {
                    self.open();
                }
                args.keys().for_each(|name| self.define(name, None));
            }
            "include_vars" => self.included(walk, task),
            // A module of a collection may return any fact.
            name if name.ends_with("_facts")
                && walk.registry.module(&task.action.name).is_none()
                && crate::run::actions::TABLE.find(&task.action.name).is_none() =>
            {
                self.open();
            }
            _ => {}
        }
    }

    /// Defines the variables that `include_vars` may read. The file that its name says is read where it is checked.
    fn included(&self, walk: &Walk, task: &Task) {
        let args = &task.action.args;
        if let Some(name) = args.get("name").and_then(Node::as_str) {
            return self.define(name, None);
        }
        let written = args.get("_raw_params").or_else(|| args.get("file"));
        if written.is_some_and(|node| node.as_str().is_some()) {
            return;
        }
        if written.is_none_or(|node| node.source().is_some_and(|source| source.contains('/'))) {
            return self.open();
        }
        for directory in search_path(Some(task), walk.dir) {
            self.define_directory(&directory.join("vars"), walk.loader.keyring);
        }
    }
}
