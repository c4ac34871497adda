//! Task lists: tasks, blocks, handlers, and the tasks that imports bring.

use std::cell::{OnceCell, RefCell};
use std::path::Path;
use std::sync::Arc;

use playbook_api::name::builtin;
use playbook_api::{Error, ErrorKind, Place, Value};

use super::action::{self, Parsed};
use super::fields::{self, parser_error, type_name};
use super::include::{check_role_options, include_keywords, with_file};
use super::loader::{LoadedTasks, Loader};
use crate::document::{Entry, Kind, Node};
use crate::inventory::Vars;
use crate::jinja::Expression;
use crate::playbook::shape::{BLOCK, HANDLER, HANDLER_INCLUDE, INCLUDE, INCLUDE_ROLE, Shape, TASK};
use crate::playbook::{
    Block, Condition, Frame, FrameKind, Handler, Item, Keyword, Loop, LoopControl, Meta, Register, Task,
    TaskId,
};

/// Reads what belongs to one play, or to one include.
pub(super) struct Reader<'a> {
    pub loader: &'a Loader<'a>,
    /// The roles that tasks import, and their handlers.
    pub loaded: RefCell<LoadedTasks>,
    /// The play's vars_files, and their variables once the name of an import needs them.
    pub vars_files: Vec<Node>,
    pub known: OnceCell<Vars>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(loader: &'a Loader<'a>) -> Self {
        Reader { loader, loaded: RefCell::default(), vars_files: Vec::new(), known: OnceCell::new() }
    }

    pub(crate) fn finish(self, items: Vec<Item>) -> LoadedTasks {
        LoadedTasks { items, ..self.loaded.into_inner() }
    }

    /// Reads a list of tasks and blocks. `malformed` begins the error if it is not such a list; `owner` is where
    /// the list was written.
    pub(crate) fn list(
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
            let message = match found.is_null() {
                true => format!("{malformed} an entry is empty, and should be {wanted}"),
                false => {
                    format!("{malformed} {} should be {wanted} but is a {}", found.raw(), type_name(found))
                }
            };
            parser_error(message, if found.place() == node.place() { owner } else { found.place() })
        };
        let Some(entries) = node.as_list() else { return Err(wrong(node, "a list or None")) };
        let mut items = Vec::new();
        for entry in entries {
            let read = match entry.as_map() {
                Some(_) => self.entry(entry, frame, handlers, &mut items),
                None => Err(wrong(entry, "a dict")),
            };
            self.loader.spare(read)?;
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
        let parsed = action::parse(entry, frame, self.loader)?;
        let action = parsed.action.name.clone();
        match builtin(&action) {
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
                check_role_options(&task, self.loader.settings.core)?;
                if name == "include_role" {
                    items.push(Item::Task(Arc::new(task)));
                    return Ok(());
                }
                self.import_role(&task, items)
            }
            name => {
                let task = self.task(entry, parsed, frame, if handlers { &HANDLER } else { &TASK })?;
                let meta = if name == "meta" { Meta::of(&task).ok() } else { None };
                if meta == Some(Meta::FlushHandlers) && handlers {
                    return Err(parser_error("flush_handlers cannot be used as a handler", entry.place()));
                }
                if meta == Some(Meta::EndRole) && (handlers || frame.role().is_none()) {
                    let whence = if handlers { "from a handler" } else { "from outside of a role" };
                    return Err(parser_error(format!("Cannot execute 'end_role' {whence}"), entry.place()));
                }
                items.push(Item::Task(Arc::new(task)));
                Ok(())
            }
        }
    }

    fn block(&self, entry: &Node, frame: &Arc<Frame>) -> Result<Block, Error> {
        let keywords = self.loader.keywords(&BLOCK, entry, |_| false)?;
        let frame = Frame::new(FrameKind::Block, keywords, Some(frame));
        let section = |name: &str| match entry.get(name) {
            Some(node) => {
                let malformed = format!(
                    "A malformed block was encountered while loading {}:",
                    if name == "block" { "a block" } else { name }
                );
                let items = self.list(node, &frame, false, &malformed, entry.place());
                self.loader.spare(items).map(Option::unwrap_or_default)
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

    /// Reads handlers in a block: they inherit its keywords, but the run does not see the block.
    fn handler_block(&self, entry: &Node, frame: &Arc<Frame>, items: &mut Vec<Item>) -> Result<(), Error> {
        if matches!(frame.kind, FrameKind::Block) {
            return Err(parser_error("Using a block as a handler is not supported.", entry.place()));
        }
        let keywords = self.loader.keywords(&BLOCK, entry, |_| false)?;
        let frame = Frame::new(FrameKind::Block, keywords, Some(frame));
        if let Some(node) = entry.get("block") {
            let malformed = "A malformed block was encountered while loading a block:";
            items.extend(self.list(node, &frame, true, malformed, entry.place())?);
        }
        Ok(())
    }

    fn task(&self, entry: &Node, parsed: Parsed, frame: &Arc<Frame>, shape: &Shape) -> Result<Task, Error> {
        let lookup =
            |key: &str| key.strip_prefix("with_").filter(|name| self.loader.names.is_lookup(name)).is_some();
        let known = |key: &str| parsed.key.iter().chain(&parsed.wrong).any(|known| **known == *key);
        let ignored = |key: &str| {
            let ignored = !self.loader.settings.invalid_task_attribute_failed && !shape.has(key);
            if ignored {
                (self.loader.warn)(
                    Error::new(format!("Ignoring invalid attribute: {key}")).at(entry.place()),
                );
            }
            ignored
        };
        let skip = |key: &str| known(key) || lookup(key) || ignored(key);
        let mut keywords = self.loader.keywords(shape, entry, skip)?;
        if parsed.local {
            keywords.values.insert(Keyword::DelegateTo, Node::value(entry.place().clone(), "localhost"));
        }
        let get = |name: &str| entry.get(name).filter(|node| !node.is_null()).cloned();
        let list = |name: &str| get(name).map(|node| Condition::list(&node));
        let loader = self.loader;
        let loop_over = loader.spare(self.loop_over(entry))?.flatten();
        Ok(Task {
            id: TaskId::next(),
            place: entry.place().clone(),
            action: parsed.action,
            keywords,
            frame: frame.clone(),
            loop_over,
            loop_control: loader.spare(loop_control(entry))?.unwrap_or_default(),
            register: loader.spare(register(entry))?.unwrap_or_default(),
            until: list("until").unwrap_or_default(),
            retries: get("retries"),
            delay: get("delay"),
            changed_when: verdict(entry, "changed_when"),
            failed_when: verdict(entry, "failed_when"),
            async_seconds: get("async").or_else(|| get("async_val")),
            poll: get("poll"),
            listen: match get("listen") {
                Some(node) if loader.spare(fields::must_be_texts("listen", &node))?.is_none() => Vec::new(),
                Some(node) => node
                    .as_list()
                    .unwrap_or(std::slice::from_ref(&node))
                    .iter()
                    .map(|n| self.topic(n))
                    .collect(),
                None => Vec::new(),
            },
            implicit: false,
        })
    }

    /// Returns a topic that a handler listens to, which is never a template.
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
            if !self.loader.names.is_lookup(lookup) {
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

    /// Reads the tasks of a file.
    pub(crate) fn task_file(
        &self,
        path: &Path,
        frame: &Arc<Frame>,
        handlers: bool,
    ) -> Result<Vec<Item>, Error> {
        let node = self.loader.document(path).map_err(|e| {
            if e.kind() != ErrorKind::NotFound {
                return e;
            }
            super::files::missing(path)
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

    /// Reads a list of handlers, which blocks never enclose.
    pub(crate) fn handlers(
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

/// Reads conditions on a result, of which there must be one.
fn verdict(entry: &Node, name: &str) -> Option<Vec<Condition>> {
    let node = entry.get(name)?;
    Some(match node.is_null() {
        true => vec![Condition::Node(Node::value(node.place().clone(), ""))],
        false => Condition::list(node),
    })
}

fn loop_control(entry: &Node) -> Result<LoopControl, Error> {
    const KEYS: [&str; 7] =
        ["loop_var", "index_var", "label", "pause", "extended", "extended_allitems", "break_when"];
    let Some(node) = entry.get("loop_control") else { return Ok(LoopControl::default()) };
    let Some(map) = node.as_map() else {
        let message = "the `loop_control` value must be specified as a dictionary and cannot be a \
            variable itself (though it can contain variables)";
        return Err(parser_error(message, node.place()));
    };
    for (key, entry) in map {
        if !key.as_str().is_some_and(|key| KEYS.contains(&key)) {
            let message = format!("'{key}' is not a valid attribute for a LoopControl");
            let near =
                playbook_api::nearest(&key.to_text(), KEYS).map(|near| format!("Did you mean '{near}'?"));
            let error = parser_error(message, &entry.key);
            return Err(near.into_iter().fold(error, Error::with_help));
        }
    }
    for name in ["loop_var", "index_var", "label"] {
        if let Some(value) = node.get(name) {
            fields::must_be_text(name, value, node.place())?;
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
        break_when: get("break_when").map(|node| Condition::list(&node)).unwrap_or_default(),
    })
}

/// `register`: a variable for the result, or a dictionary of variables and the expressions that they keep.
fn register(entry: &Node) -> Result<Vec<Register>, Error> {
    let Some(node) = entry.get("register").filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
    let named = |name: &Value, place: &Place| {
        fields::check_variable_name(name, place)
            .map_err(|e| parser_error("Invalid 'register' specified.", place).caused_by(e))?;
        Ok::<Arc<str>, Error>(name.to_text().into())
    };
    let Some(entries) = node.as_map() else {
        fields::must_be_text("register", node, entry.place())?;
        let name = match node.kind() {
            Kind::Value(value) => value.clone(),
            _ => node.raw(),
        };
        let place = node.place().clone();
        return Ok(vec![Register { name: named(&name, &place)?, place, expression: None }]);
    };
    let one = |(name, entry): (&Value, &Entry)| {
        let expression = entry.node.as_str().filter(|text| !text.trim().is_empty()).ok_or_else(|| {
            parser_error("Invalid 'register' specified.", entry.node.place()).with_help(
                "A register expression is text without template delimiters, such as '_task.result.stdout'.",
            )
        })?;
        let expression = Expression::new(expression, entry.node.place().clone());
        let place = entry.key.clone();
        Ok(Register { name: named(name, &place)?, place, expression: Some(Arc::new(expression)) })
    };
    entries.iter().map(one).collect()
}
