//! The action of a task: the module or action that it names, in all the forms that can be written.

use std::collections::HashMap;
use std::sync::Arc;

use playbook_api::name::{builtin, within};
use playbook_api::{Error, Place, Value, nearest};

use super::collections;
use super::fields::{is_task_keyword, parser_error, type_name};
use super::loader::{Loader, Names};
use crate::document::{Kind, Node, Trust, parse_kv, split_args};
use crate::foreign::{self, Foreign};
use crate::playbook::shape::TASK;
use crate::playbook::{Action, Frame};

/// Actions whose text is a command, not parameters.
const COMMANDS: &[&str] = &["command", "raw", "script", "shell", "win_command", "win_shell"];

fn takes_command(name: &str) -> bool {
    COMMANDS.contains(&within(&["ansible.windows"], name))
}

/// The action of a task, and the keys that named it.
pub(super) struct Parsed {
    pub action: Action,
    /// The key that was the action's name; none for `action:`.
    pub key: Option<Arc<str>>,
    pub local: bool,
    /// The keys that are neither keywords nor the action.
    pub wrong: Vec<Arc<str>>,
}

pub(super) fn parse(task: &Node, frame: &Arc<Frame>, loader: &Loader) -> Result<Parsed, Error> {
    let keyword = ArgsKeyword::of(task, loader)?;
    let mut parsed: Option<Parsed> = None;
    if let Some(node) = task.get("action") {
        parsed = Some(Parsed {
            action: old_style(node, &keyword, task, loader)?,
            key: None,
            local: false,
            wrong: Vec::new(),
        });
    }
    if let Some(node) = task.get("local_action") {
        if parsed.is_some() {
            return Err(parser_error("action and local_action are mutually exclusive", task.place()));
        }
        parsed = Some(Parsed {
            action: old_style(node, &keyword, task, loader)?,
            key: None,
            local: true,
            wrong: Vec::new(),
        });
    }
    let entries = task.as_map().into_iter().flatten();
    for (key, entry) in entries.filter(|(key, _)| !is_task_keyword(&key.to_text())) {
        let name = key.shared_text();
        let mut wrong = Vec::new();
        if let Some(parsed) = &mut parsed {
            let known = [&parsed.action.name, &name].map(|name| loader.names.is_action(name));
            if !loader.settings.invalid_task_attribute_failed && known[0] != known[1] {
                let invalid = if known[0] { &name } else { &parsed.action.name };
                (loader.warn)(Error::new(format!("Ignoring invalid attribute: {invalid}")));
            } else {
                (loader.fault)(conflict(&parsed.action.name, &name, task, loader))?;
            }
            if loader.names.is_action(&parsed.action.name) {
                parsed.wrong.push(name);
                continue;
            }
            wrong.extend(parsed.key.take());
        }
        let action = new_style(&name, &entry.key, &entry.node, &keyword, task, loader)?;
        parsed = Some(Parsed { action, key: Some(name), local: false, wrong });
    }
    let Some(parsed) = parsed else {
        return Err(parser_error("no module/action detected in task.", task.place())
            .with_help("A task names one module, such as 'command: date'."));
    };
    let name = &*parsed.action.name;
    if builtin(name) == "include" {
        return Err(Error::new(
            "The 'ansible.builtin.include' action plugin has been removed. Use include_tasks or \
            import_tasks instead. This feature was removed from ansible-core in a release after 2023-05-16.",
        )
        .at(task.place()));
    }
    if parsed.key.is_some()
        && !is_builtin_task(name)
        && !loader.names.is_action(name)
        && !is_foreign(name, task, frame, loader).map_err(|e| e.at(&parsed.action.place))?
    {
        (loader.fault)(unknown(name, &parsed.action.place, loader.names, loader.foreign))?;
    }
    if !takes_command(name)
        && let Some(bad) = parsed.action.args.keys().find(|k| k.starts_with("_ansible_"))
    {
        return Err(Error::new(format!(
            "Invalid parameter specified beginning with keyword '_ansible_' for action '{name}': \
                '{bad}'. The prefix '_ansible_' is reserved for internal use only."
        ))
        .at(task.place()));
    }
    Ok(parsed)
}

/// Whether there is a module or action of the name next to the playbook, in a collection or in ansible-core.
fn is_foreign(name: &str, task: &Node, frame: &Arc<Frame>, loader: &Loader) -> Result<bool, Error> {
    let search = match task.get("collections") {
        Some(node) => collections::names(node),
        None => collections::search_in(frame, &task.place().file),
    };
    let with_collection = |collection: &Arc<str>| loader.names.is_action(&format!("{collection}.{name}"));
    Ok(search.iter().any(with_collection)
        || loader.foreign.find(foreign::Kind::Module, name, &search)?.is_some()
        || loader.foreign.find(foreign::Kind::Action, name, &search)?.is_some()
        || loader.foreign.core_module(name).is_some())
}

/// Returns the error for a task that names two modules, or a misspelled keyword and a module.
fn conflict(first: &str, second: &str, task: &Node, loader: &Loader) -> Error {
    let message = format!("conflicting action statements: {first}, {second}");
    let unknown = [first, second].into_iter().filter(|name| !loader.names.is_action(name));
    match unknown.filter_map(|name| Some((name, nearest(name, TASK.all())?))).next() {
        Some((name, near)) => {
            let key = task.as_map().and_then(|map| map.get(name)).map_or(task.place(), |entry| &entry.key);
            parser_error(message, key).with_help(format!("Did you mean '{near}'?"))
        }
        None => parser_error(message, task.place()),
    }
}

/// Returns the error for a module that does not exist.
pub fn unknown(name: &str, place: &Place, known: &dyn Names, foreign: &Foreign) -> Error {
    let error = parser_error(
        format!(
            "couldn't resolve module/action '{name}'. This often indicates a misspelling, missing \
            collection, or incorrect module path."
        ),
        place,
    );
    let actions = known.actions();
    let near = || nearest(name, actions.iter().map(String::as_str).filter(|near| is_alike(name, near)));
    let near = || near().map(|near| format!("Did you mean '{near}'?"));
    match foreign.advice(name).or_else(near) {
        Some(help) => error.with_help(help),
        None => error,
    }
}

/// Whether each word of two names has something in common: `ec2_instance` is not a misspelled `rds_instance`.
fn is_alike(one: &str, other: &str) -> bool {
    let (one, other) = (builtin(one).split('_'), builtin(other).split('_'));
    one.clone().count() != other.clone().count()
        || one.zip(other).all(|(a, b)| a.chars().any(|c| b.contains(c)))
}

/// Whether the engine itself handles the action.
fn is_builtin_task(name: &str) -> bool {
    let tasks = ["meta", "include_tasks", "include_role", "import_tasks", "import_role"];
    tasks.contains(&builtin(name))
}

type Args = HashMap<Arc<str>, Node>;

/// The `args` keyword.
#[derive(Default)]
struct ArgsKeyword {
    args: Args,
    template: Option<Node>,
    is_given: bool,
}

impl ArgsKeyword {
    fn of(task: &Node, loader: &Loader) -> Result<ArgsKeyword, Error> {
        let Some(node) = task.get("args") else { return Ok(ArgsKeyword::default()) };
        let given = ArgsKeyword { is_given: true, ..ArgsKeyword::default() };
        match node.kind() {
            Kind::Template(_) if is_all_template(node) => {
                Ok(ArgsKeyword { template: Some(node.clone()), ..given })
            }
            Kind::Map(_) => Ok(ArgsKeyword { args: map_args(node), ..given }),
            Kind::Value(Value::Null) => {
                (loader.warn)(
                    Error::deprecated("Ignoring empty task `args` keyword.", "2.23")
                        .at(task.place())
                        .with_help("A mapping or template which resolves to a mapping is required."),
                );
                Ok(given)
            }
            _ => Err(parser_error("The value of the task `args` keyword is invalid.", node.place())
                .with_help("A mapping or template which resolves to a mapping is required.")),
        }
    }

    /// Returns the final action: arguments that were written with the action win over `args`.
    fn action(&self, name: Arc<str>, place: &Place, written: Args) -> Action {
        let mut args = self.args.clone();
        let mut variable_args = self.template.clone();
        for (key, value) in written {
            let whole = &*key == "_raw_params" && !takes_command(&name) && !is_raw(&name);
            if whole && is_all_template(&value) && variable_args.is_none() {
                variable_args = Some(value);
            } else {
                args.insert(key, value);
            }
        }
        Action { name, place: place.clone(), args, variable_args }
    }
}

/// Whether an action takes bare text.
fn is_raw(name: &str) -> bool {
    let raw = ["group_by", "include_vars"];
    is_builtin_task(name) || raw.contains(&builtin(name))
}

fn map_args(node: &Node) -> Args {
    let entries = node.as_map().into_iter().flatten();
    entries.map(|(key, entry)| (key.shared_text(), entry.node.clone())).collect()
}

/// Whether a text is one template and nothing else.
fn is_all_template(node: &Node) -> bool {
    let Kind::Template(template) = node.kind() else { return false };
    let text = template.source().trim();
    (text.starts_with("{{") && text.ends_with("}}")) || (text.starts_with("{%") && text.ends_with("%}"))
}

/// Reads `copy: src=a dest=b`, `copy: {src: a, dest: b}`, `ping:`.
fn new_style(
    name: &Arc<str>,
    place: &Place,
    node: &Node,
    keyword: &ArgsKeyword,
    task: &Node,
    loader: &Loader,
) -> Result<Action, Error> {
    let args = match node.kind() {
        Kind::Map(_) => map_args(node),
        Kind::Value(Value::Null) => Args::new(),
        Kind::Vault(_) => Args::from([("_raw_params".into(), node.clone())]),
        _ => {
            let args = text_args(node, name, task)?;
            let mut named: Vec<&str> =
                args.keys().map(|key| &**key).filter(|key| *key != "_raw_params").collect();
            if keyword.is_given && !named.is_empty() {
                named.sort_unstable();
                let named: Vec<String> = named.iter().map(|key| format!("'{key}'")).collect();
                let message = format!("Merging legacy k=v args ({}) into task args.", named.join(", "));
                (loader.warn)(
                    Error::deprecated(&message, "2.23")
                        .at(node.place())
                        .with_help("Include all task args in the task `args` mapping."),
                );
            }
            args
        }
    };
    Ok(keyword.action(name.clone(), place, args))
}

/// Reads `action: copy src=a dest=b`, `action: {module: copy, src: a}`.
fn old_style(node: &Node, keyword: &ArgsKeyword, task: &Node, loader: &Loader) -> Result<Action, Error> {
    let (text, mut args) = match node.as_map() {
        Some(_) => {
            (loader.warn)(
                Error::deprecated("Using a mapping for `action` is deprecated.", "2.23")
                    .at(node.place())
                    .with_help("Use a string value for `action`."),
            );
            let mut args = map_args(node);
            let module = args.remove("module").ok_or_else(|| {
                parser_error("no module/action detected in task.", task.place())
                    .with_help("`action` as a mapping names the module under `module`.")
            })?;
            (module, args)
        }
        None => (node.clone(), Args::new()),
    };
    let Some(source) = text.source() else { return Err(unexpected(node, task)) };
    let words = split_args(source).map_err(|e| e.at(node.place()))?;
    let Some((name, rest)) = words.split_first() else {
        return Err(parser_error("no module/action detected in task.", task.place()));
    };
    let name: Arc<str> = name.trim().into();
    let rest = Node::text(text.place().clone(), rest.join(" "), trust(&text));
    for (key, value) in text_args(&rest, &name, task)? {
        args.insert(key, value);
    }
    if let Some(inner) = args.remove("args") {
        match inner.kind() {
            Kind::Map(_) => args.extend(map_args(&inner)),
            _ => args.extend(text_args(&inner, &name, task)?),
        }
    }
    Ok(keyword.action(name, node.place(), args))
}

fn text_args(node: &Node, name: &str, task: &Node) -> Result<Args, Error> {
    let Some(source) = node.source() else { return Err(unexpected(node, task)) };
    if is_all_template(node) && source.trim().find("}}") == Some(source.trim().len() - 2) {
        return Ok(Args::from([("_raw_params".into(), node.clone())]));
    }
    let args = parse_kv(source, node.place(), trust(node), takes_command(name))?;
    Ok(args.into_iter().collect())
}

/// Text that was not a template where it was written does not become one.
fn trust(node: &Node) -> Trust {
    if node.is_untrusted() { Trust::Text } else { Trust::Templates }
}

fn unexpected(node: &Node, task: &Node) -> Error {
    let message = format!("unexpected parameter type in action: <class '{}'>", type_name(node));
    parser_error(message, task.place())
}
