//! Task lists: tasks, blocks, handlers, and the tasks that imports bring.

use std::cell::{OnceCell, RefCell};
use std::path::Path;
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Place, arguments::to_bool};

use super::action::{self, Parsed, short_name};
use super::fields::{
    self, BLOCK, HANDLER, HANDLER_INCLUDE, INCLUDE, INCLUDE_KEYWORDS, INCLUDE_ROLE, Shape, TASK_SHAPE,
    conditions, parser_error, type_name,
};
use super::files::Sought;
use super::loader::Brought;
use super::{Block, Frame, FrameKind, Handler, Item, Loader, Loop, LoopControl, RoleSpec, Task, TaskId};
use crate::document::{Kind, Node};
use crate::inventory::Vars;

/// More imports inside each other are taken for one that never ends.
const DEEPEST: usize = 60;

/// Reads what belongs to one play, or to one include.
pub(super) struct Reader<'a> {
    pub loader: &'a Loader<'a>,
    /// Roles that tasks import, and their handlers.
    pub brought: RefCell<Brought>,
    /// The play's vars_files, and what they say once the name of an import needs it.
    pub vars_files: Vec<Node>,
    known: OnceCell<Vars>,
}

impl<'a> Reader<'a> {
    pub fn new(loader: &'a Loader<'a>) -> Self {
        Reader { loader, brought: RefCell::default(), vars_files: Vec::new(), known: OnceCell::new() }
    }

    pub fn finish(self, items: Vec<Item>) -> Brought {
        Brought { items, ..self.brought.into_inner() }
    }

    /// A list of tasks and blocks. `malformed` says what was read, should it be no such list; `owner` is where
    /// the list was written.
    pub fn list(
        &self,
        node: &Node,
        frame: &Arc<Frame>,
        handlers: bool,
        malformed: &str,
        owner: &Place,
    ) -> Result<Vec<Item>, Error> {
        if node.is_null() {
            return Ok(Vec::new());
        }
        let wrong = |found: &Node, wanted: &str| {
            let shown = found.raw();
            let message = format!("{malformed} {shown} should be {wanted} but is a {}", type_name(found));
            parser_error(message, if found.place() == node.place() { owner } else { found.place() })
        };
        let Some(entries) = node.as_list() else { return Err(wrong(node, "a list or None")) };
        let mut items = Vec::new();
        for entry in entries {
            if entry.as_map().is_none() {
                return Err(wrong(entry, "a dict"));
            }
            self.entry(entry, frame, handlers, &mut items)?;
        }
        Ok(items)
    }

    fn entry(
        &self,
        entry: &Node,
        frame: &Arc<Frame>,
        handlers: bool,
        items: &mut Vec<Item>,
    ) -> Result<(), Error> {
        let is_block = ["block", "rescue", "always"].iter().any(|key| entry.get(key).is_some());
        if is_block {
            if handlers {
                return self.handler_block(entry, frame, items);
            }
            items.push(Item::Block(Arc::new(self.block(entry, frame)?)));
            return Ok(());
        }
        let parsed = action::parse(entry, self.loader)?;
        let action = parsed.action.name.clone();
        match short_name(&action) {
            "import_tasks" => {
                let task =
                    self.task(entry, parsed, frame, if handlers { &HANDLER_INCLUDE } else { &INCLUDE })?;
                self.import_tasks(entry, task, handlers, items)
            }
            "include_tasks" => {
                let shape = if handlers { &HANDLER_INCLUDE } else { &INCLUDE };
                include_keywords(entry, &parsed, shape)?;
                let task = self.task(entry, parsed, frame, shape)?;
                items.push(Item::Task(Arc::new(with_file(task)?)));
                Ok(())
            }
            name @ ("import_role" | "include_role") => {
                if handlers {
                    let message = format!("Using '{name}' as a handler is not supported.");
                    return Err(parser_error(message, entry.place()));
                }
                if name == "include_role" {
                    include_keywords(entry, &parsed, &INCLUDE_ROLE)?;
                }
                let task = self.task(entry, parsed, frame, &INCLUDE_ROLE)?;
                check_role_options(&task)?;
                if name == "include_role" {
                    items.push(Item::Task(Arc::new(task)));
                    return Ok(());
                }
                self.import_role(&task, items)
            }
            name => {
                let is_meta = name == "meta";
                let task = self.task(entry, parsed, frame, if handlers { &HANDLER } else { &TASK_SHAPE })?;
                let end_role = task.action.args.get("_raw_params").and_then(Node::as_str) == Some("end_role");
                let flushes =
                    task.action.args.get("_raw_params").and_then(Node::as_str) == Some("flush_handlers");
                if is_meta && flushes && handlers {
                    return Err(parser_error("flush_handlers cannot be used as a handler", entry.place()));
                }
                if is_meta && end_role && (handlers || frame.role().is_none()) {
                    let whence = if handlers { "from a handler" } else { "from outside of a role" };
                    return Err(parser_error(format!("Cannot execute 'end_role' {whence}"), entry.place()));
                }
                items.push(Item::Task(Arc::new(task)));
                Ok(())
            }
        }
    }

    fn block(&self, entry: &Node, frame: &Arc<Frame>) -> Result<Block, Error> {
        let keywords = BLOCK.keywords(entry, |_| false)?;
        let frame = Frame::new(FrameKind::Block, keywords, Some(frame));
        let section = |name: &str| match entry.get(name) {
            Some(node) => {
                let malformed = format!(
                    "A malformed block was encountered while loading {}:",
                    if name == "block" { "a block" } else { name }
                );
                self.list(node, &frame, false, &malformed, entry.place())
            }
            None => Ok(Vec::new()),
        };
        let (block, rescue, always) = (section("block")?, section("rescue")?, section("always")?);
        for (name, items) in [("rescue", &rescue), ("always", &always)] {
            if !items.is_empty() && block.is_empty() {
                let message = format!("'{name}' keyword cannot be used without 'block'");
                return Err(parser_error(message, entry.place()));
            }
        }
        Ok(Block { id: TaskId::next(), place: entry.place().clone(), frame, block, rescue, always })
    }

    /// Handlers may stand in a block for its keywords' sake; it is not one for the run.
    fn handler_block(&self, entry: &Node, frame: &Arc<Frame>, items: &mut Vec<Item>) -> Result<(), Error> {
        if matches!(frame.kind, FrameKind::Block) {
            return Err(parser_error("Using a block as a handler is not supported.", entry.place()));
        }
        let keywords = BLOCK.keywords(entry, |_| false)?;
        let frame = Frame::new(FrameKind::Block, keywords, Some(frame));
        if let Some(node) = entry.get("block") {
            let malformed = "A malformed block was encountered while loading a block:";
            items.extend(self.list(node, &frame, true, malformed, entry.place())?);
        }
        Ok(())
    }

    fn task(&self, entry: &Node, parsed: Parsed, frame: &Arc<Frame>, shape: &Shape) -> Result<Task, Error> {
        let lookup =
            |key: &str| key.strip_prefix("with_").filter(|name| (self.loader.is_lookup)(name)).is_some();
        let skip = |key: &str| parsed.key.as_deref() == Some(key) || lookup(key);
        let mut keywords = shape.keywords(entry, skip)?;
        if parsed.local {
            keywords.values.insert("delegate_to", Node::value(entry.place().clone(), "localhost"));
        }
        let get = |name: &str| entry.get(name).filter(|node| !node.is_null()).cloned();
        let list = |name: &str| get(name).map(|node| conditions(&node));
        let loop_over = self.loop_over(entry)?;
        Ok(Task {
            id: TaskId::next(),
            place: entry.place().clone(),
            action: parsed.action,
            keywords,
            frame: frame.clone(),
            loop_over,
            loop_control: loop_control(entry)?,
            register: register(entry)?,
            until: list("until").unwrap_or_default(),
            retries: get("retries"),
            delay: get("delay"),
            changed_when: list("changed_when"),
            failed_when: list("failed_when"),
            async_seconds: get("async").or_else(|| get("async_val")),
            poll: get("poll"),
            listen: match get("listen") {
                Some(node) => {
                    node.as_list().unwrap_or(&[node.clone()]).iter().map(|n| self.topic(n)).collect()
                }
                None => Vec::new(),
            },
            implicit: false,
        })
    }

    /// What a handler listens to is never a template.
    fn topic(&self, node: &Node) -> Node {
        let Kind::Template(template) = node.kind() else { return node.clone() };
        (self.loader.warn)(Error::new(format!(
            "\"listen\" is not templatable, but we found: {}, it will not be templated and will be used \"as is\".",
            template.source()
        )));
        Node::value(node.place().clone(), template.source().clone())
    }

    fn loop_over(&self, entry: &Node) -> Result<Option<Loop>, Error> {
        let mut found = match entry.get("loop") {
            Some(node) if !node.is_null() => Some(Loop::Loop(node.clone())),
            _ => None,
        };
        for (key, value) in entry.as_map().into_iter().flatten() {
            let Some(lookup) = key.as_str().and_then(|key| key.strip_prefix("with_")) else { continue };
            if !(self.loader.is_lookup)(lookup) {
                continue;
            }
            if found.is_some() {
                return Err(Error::new(format!("duplicate loop in task: {lookup}")).at(entry.place()));
            }
            if value.node.is_null() {
                let message = format!("you must specify a value when using with_{lookup}");
                return Err(Error::new(message).at(entry.place()));
            }
            found = Some(Loop::With { lookup: lookup.into(), terms: value.node.clone() });
        }
        Ok(found)
    }

    fn import_tasks(
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
        let include = |folder: &Path| {
            let kind = FrameKind::Include { dynamic: false, folder: folder.to_owned() };
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
                .help("When using static imports, ensure that any variables used in their names are defined in vars/vars_files or extra-vars passed in from the command line. Static imports cannot use variables from facts or inventory sources like group or host vars.")
        })?;
        let playbook = &self.loader.folder;
        let sought = Sought { name: &target, frame: &task.frame, playbook, handlers, dynamic: false };
        let path = sought.path();
        let frame = include(path.parent().unwrap_or(Path::new("/")));
        self.too_deep(&frame, &path, name.place())?;
        let brought = self.task_file(&path, &frame, handlers).map_err(|e| e.at(name.place()))?;
        items.extend(brought);
        Ok(())
    }

    /// A frame in which the name of an import is rendered: it also knows what the run would know without a host.
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
        let kind = FrameKind::Include { dynamic: false, folder: self.loader.folder.clone() };
        Frame::new(kind, keywords, frame.parent.as_ref())
    }

    fn too_deep(&self, frame: &Arc<Frame>, path: &Path, place: &Place) -> Result<(), Error> {
        let depth =
            frame.chain().take_while(|f| !matches!(f.kind, FrameKind::Include { dynamic: true, .. })).count();
        if depth <= DEEPEST {
            return Ok(());
        }
        let message = format!("Imports never end: '{}' is imported inside itself", path.display());
        Err(parser_error(message, place)
            .help("Use include_tasks or include_role with a condition that ends it."))
    }

    /// The tasks of a file.
    pub fn task_file(&self, path: &Path, frame: &Arc<Frame>, handlers: bool) -> Result<Vec<Item>, Error> {
        let node = self.loader.document(path).map_err(|e| {
            if e.get_kind() != ErrorKind::NotFound {
                return e;
            }
            let message = format!("Could not find or access '{}' on the Ansible Controller.", path.display());
            Error::new(message).kind(ErrorKind::NotFound)
        })?;
        let empty = node.is_null() || node.as_list().is_some_and(<[_]>::is_empty);
        if empty {
            let message = format!("file {} is empty and had no tasks to include", path.display());
            (self.loader.warn)(Error::new(message));
            return Ok(Vec::new());
        }
        if node.as_list().is_none() {
            return Err(parser_error("included task files must contain a list of tasks", node.place()));
        }
        let malformed = format!("A malformed block was encountered while loading '{}':", path.display());
        self.list(&node, frame, handlers, &malformed, node.place())
    }

    fn import_role(&self, task: &Task, items: &mut Vec<Item>) -> Result<(), Error> {
        if task.loop_over.is_some() {
            let message =
                "You cannot use loops on 'import_role' statements. You should use 'include_role' instead.";
            return Err(parser_error(message, &task.place));
        }
        let kind = FrameKind::Include { dynamic: false, folder: self.loader.folder.clone() };
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
                    || parser_error(format!("The value {value} of '{key}' is no boolean."), node.place());
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
        let (role, brought) = self.included_role(&spec, &frame)?;
        items.extend(brought);
        self.brought.borrow_mut().roles.push(role);
        Ok(())
    }

    /// A list of handlers: tasks that blocks never enclose.
    pub fn handlers(
        &self,
        node: &Node,
        frame: &Arc<Frame>,
        malformed: &str,
        owner: &Place,
    ) -> Result<Vec<Arc<Handler>>, Error> {
        let items = self.list(node, frame, true, malformed, owner)?;
        Ok(items
            .into_iter()
            .filter_map(|item| match item {
                Item::Task(task) => Some(task),
                Item::Block(_) => None,
            })
            .collect())
    }
}

fn loop_control(entry: &Node) -> Result<LoopControl, Error> {
    const KEYS: [&str; 7] =
        ["loop_var", "index_var", "label", "pause", "extended", "extended_allitems", "break_when"];
    let Some(node) = entry.get("loop_control") else { return Ok(LoopControl::default()) };
    let Some(map) = node.as_map() else {
        let message = "the `loop_control` value must be specified as a dictionary and cannot be a variable itself (though it can contain variables)";
        return Err(parser_error(message, node.place()));
    };
    for (key, entry) in map {
        if !key.as_str().is_some_and(|key| KEYS.contains(&key)) {
            let message = format!("'{key}' is not a valid attribute for a LoopControl");
            let near = super::nearest(&key.to_text(), KEYS).map(|near| format!("Did you mean '{near}'?"));
            let error = parser_error(message, &entry.key);
            return Err(near.into_iter().fold(error, Error::help));
        }
    }
    let get = |name: &str| node.get(name).filter(|node| !node.is_null()).cloned();
    Ok(LoopControl {
        loop_var: get("loop_var"),
        index_var: get("index_var"),
        label: get("label"),
        pause: get("pause"),
        extended: get("extended"),
        extended_allitems: get("extended_allitems"),
        break_when: get("break_when").map(|node| conditions(&node)).unwrap_or_default(),
    })
}

fn register(entry: &Node) -> Result<Option<Arc<str>>, Error> {
    let Some(node) = entry.get("register").filter(|node| !node.is_null()) else { return Ok(None) };
    fields::must_be_text("register", node, entry.place())?;
    let name = match node.kind() {
        Kind::Value(value) => value.clone(),
        _ => node.raw(),
    };
    fields::check_variable_name(&name, node.place())
        .map_err(|e| parser_error("Invalid 'register' specified.", node.place()).caused_by(e))?;
    Ok(Some(name.to_text().into()))
}

/// Refuses keywords that would be lost on a dynamic include.
fn include_keywords(entry: &Node, parsed: &Parsed, shape: &Shape) -> Result<(), Error> {
    for key in entry.as_map().into_iter().flatten().map(|(key, _)| key.to_text()) {
        let fine = INCLUDE_KEYWORDS.contains(&&*key) || key.starts_with("with_");
        if !fine && shape.has(&key) && parsed.key.as_deref() != Some(&*key) {
            let message = format!("'{key}' is not a valid attribute for a {}", shape.name);
            return Err(parser_error(message, entry.place()).help(
                "Give it to the included tasks with `apply`, or put the include into a block that has it.",
            ));
        }
    }
    Ok(())
}

/// The file of `include_tasks` and `import_tasks`, which may be written as `file`, under `_raw_params`.
fn with_file(mut task: Task) -> Result<Task, Error> {
    let name = task.action.name.clone();
    let bad: Vec<&str> = task
        .action
        .args
        .keys()
        .map(|k| &**k)
        .filter(|k| !matches!(*k, "file" | "_raw_params" | "apply"))
        .collect();
    if !bad.is_empty() {
        let message = format!("Invalid options for {name}: {}", bad.join(","));
        return Err(parser_error(message, &task.place));
    }
    let args = &mut task.action.args;
    let file = args.remove("file");
    let raw = args.remove("_raw_params").or_else(|| task.action.variable_args.take());
    let given = |node: &Node| !node.is_null() && node.source() != Some("");
    match raw.filter(given).or(file.filter(given)) {
        Some(file) => args.insert("_raw_params".into(), file),
        None => return Err(parser_error(format!("No file specified for {name}"), &task.place)),
    };
    check_apply(&task, "include_tasks")?;
    Ok(task)
}

fn check_apply(task: &Task, allowed: &str) -> Result<(), Error> {
    let Some(apply) = task.action.args.get("apply") else { return Ok(()) };
    let name = &task.action.name;
    match apply.as_map() {
        Some(map) if !map.is_empty() && task.action_name() != allowed => {
            Err(parser_error(format!("Invalid options for {name}: apply"), &task.place))
        }
        Some(_) => BLOCK.keywords(apply, |_| false).map(|_| ()),
        None if apply.is_null() => Ok(()),
        None => {
            let found = type_name(apply);
            let message = format!("Expected a dict for apply but got <class '{found}'> instead");
            Err(parser_error(message, &task.place))
        }
    }
}

fn check_role_options(task: &Task) -> Result<(), Error> {
    const FROM: [&str; 4] = ["tasks_from", "vars_from", "defaults_from", "handlers_from"];
    const OTHER: [&str; 6] = ["name", "role", "apply", "public", "allow_duplicates", "rolespec_validate"];
    let (name, args) = (&task.action.name, &task.action.args);
    if !args.contains_key("name") && !args.contains_key("role") && task.action.variable_args.is_none() {
        return Err(parser_error(format!("'name' is a required field for {name}."), &task.place));
    }
    let known = |key: &str| FROM.contains(&key) || OTHER.contains(&key);
    let bad: Vec<&str> = args.keys().map(|k| &**k).filter(|k| !known(k)).collect();
    if !bad.is_empty() {
        let message = format!("Invalid options for {name}: {}", bad.join(","));
        let near = super::nearest(bad[0], FROM.into_iter().chain(OTHER));
        let error = parser_error(message, &task.place);
        return Err(near.map(|n| format!("Did you mean '{n}'?")).into_iter().fold(error, Error::help));
    }
    for key in FROM {
        if let Some(node) = args.get(key).filter(|node| node.source().is_none()) {
            let message =
                format!("Expected a string for {key} but got <class '{}'> instead", type_name(node));
            return Err(parser_error(message, node.place()));
        }
    }
    check_apply(task, "include_role")
}
