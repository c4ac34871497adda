//! Static imports: the tasks of a file or role take the place of the task that names them.

use std::path::Path;
use std::sync::Arc;

use playbook_api::arguments::to_bool;
use playbook_api::{Error, Place};

use super::fields::parser_error;
use super::files::TaskFileRef;
use super::include::with_file;
use super::tasks::Reader;
use crate::document::Node;
use crate::inventory::Vars;
use crate::playbook::{Frame, FrameKind, Item, RoleSpec, Task};

/// The number of nested imports above which they are regarded as endless.
const DEEPEST: usize = 60;

impl Reader<'_> {
    pub(crate) fn import_tasks(
        &self,
        entry: &Node,
        task: Task,
        handlers: bool,
        items: &mut Vec<Item>,
    ) -> Result<(), Error> {
        let task = with_file(task)?;
        if task.loop_over.is_some() {
            let message =
                "You cannot use loops on 'import_tasks' statements. You should use 'include_tasks' instead.";
            return Err(parser_error(message, entry.place()));
        }
        let Some(name) = task.action.args.get("_raw_params") else { return Ok(()) };
        let include = |directory: &Path| {
            let kind = FrameKind::Include { dynamic: false, directory: directory.to_owned() };
            Frame::new(kind, task.keywords.clone(), Some(&task.frame))
        };
        let mut scope = include(Path::new(""));
        if !name.is_plain() {
            scope = self.naming_scope(&scope);
        }
        let target = self.loader.text(name, &scope).map_err(|e| {
            if !e.is_undefined() {
                return e;
            }
            let shown = name.source().unwrap_or_default();
            parser_error(format!("Error when evaluating variable in import path '{shown}'."), entry.place())
                .caused_by(e)
                .with_help(
                    "When using static imports, ensure that any variables used in their names are \
                    defined in vars/vars_files or extra-vars passed in from the command line. Static \
                    imports cannot use variables from facts or inventory sources like group or host vars.",
                )
        })?;
        let playbook = &self.loader.directory;
        let file = TaskFileRef { name: &target, frame: &task.frame, playbook, handlers };
        let path = file.path();
        let frame = include(path.parent().unwrap_or(Path::new("/")));
        self.too_deep(&frame, &path, name.place())?;
        let tasks = self.task_file(&path, &frame, handlers).map_err(|e| e.at(name.place()))?;
        items.extend(tasks);
        Ok(())
    }

    /// Returns a frame to render the name of an import in, which also has what the run knows without a host.
    fn naming_scope(&self, frame: &Arc<Frame>) -> Arc<Frame> {
        let mut keywords = frame.keywords.clone();
        let mut vars = Vars::default();
        if let Some(role) = frame.role() {
            let text = |text: &str| Node::value(Place::file_only(role.path.to_string_lossy()), text);
            vars.insert("role_path".into(), text(&role.path.to_string_lossy()));
            vars.insert("role_name".into(), text(&role.name));
            vars.insert("ansible_role_name".into(), text(&role.full_name));
            vars.extend(role.vars.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        let inner = |name: &Arc<str>| {
            let plays = |f: &&Arc<Frame>| !matches!(f.kind, FrameKind::Play);
            frame.chain().filter(plays).any(|f| f.keywords.vars.contains_key(name))
        };
        let known = self.known.get_or_init(|| self.known_vars(frame));
        let files = known.iter().filter(|(name, _)| !inner(name) && !vars.contains_key(*name));
        let files: Vars = files.map(|(k, v)| (k.clone(), v.clone())).collect();
        vars.extend(files);
        vars.retain(|name, _| !inner(name));
        vars.extend(keywords.vars.iter().map(|(k, v)| (k.clone(), v.clone())));
        keywords.vars = Arc::new(vars);
        let kind = FrameKind::Include { dynamic: false, directory: self.loader.directory.clone() };
        Frame::new(kind, keywords, frame.parent.as_ref())
    }

    fn too_deep(&self, frame: &Arc<Frame>, path: &Path, place: &Place) -> Result<(), Error> {
        let depth =
            frame.chain().take_while(|f| !matches!(f.kind, FrameKind::Include { dynamic: true, .. })).count();
        if depth <= DEEPEST {
            return Ok(());
        }
        let message = format!("Endless import: '{}' is imported inside itself", path.display());
        Err(parser_error(message, place)
            .with_help("Use include_tasks or include_role with a condition that ends it."))
    }

    pub(crate) fn import_role(&self, task: &Task, items: &mut Vec<Item>) -> Result<(), Error> {
        if task.loop_over.is_some() {
            let message =
                "You cannot use loops on 'import_role' statements. You should use 'include_role' instead.";
            return Err(parser_error(message, &task.place));
        }
        let kind = FrameKind::Include { dynamic: false, directory: self.loader.directory.clone() };
        let frame = Frame::new(kind, task.keywords.clone(), Some(&task.frame));
        let args = &task.action.args;
        let plain = args.values().all(Node::is_plain);
        let scope = if plain { frame.clone() } else { self.naming_scope(&frame) };
        let name = args.get("name").or_else(|| args.get("role"));
        self.too_deep(&frame, Path::new(name.and_then(Node::source).unwrap_or_default()), &task.place)?;
        let text = |key: &str| args.get(key).map(|node| self.loader.text(node, &scope)).transpose();
        let boolean = |key: &str| match args.get(key) {
            Some(node) if !node.is_null() => {
                let value = if node.is_plain() { node.raw() } else { (self.loader.render)(node, &scope)? };
                let wrong =
                    || parser_error(format!("The value {value} of '{key}' is not a boolean."), node.place());
                to_bool(&value).map(Some).ok_or_else(wrong)
            }
            _ => Ok(None),
        };
        let spec = RoleSpec {
            name: name.map(|node| self.loader.text(node, &scope)).transpose()?.unwrap_or_default(),
            place: name.map(|node| node.place().clone()),
            tasks_from: text("tasks_from")?,
            vars_from: text("vars_from")?,
            defaults_from: text("defaults_from")?,
            handlers_from: text("handlers_from")?,
            allow_duplicates: boolean("allow_duplicates")?.unwrap_or(true),
            public: boolean("public")?,
            rolespec_validate: boolean("rolespec_validate")?.unwrap_or(true),
            dynamic: false,
        };
        let (role, tasks) = self.included_role(&spec, &frame)?;
        items.extend(tasks);
        self.loaded.borrow_mut().roles.push(role);
        Ok(())
    }
}
