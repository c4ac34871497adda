//! Keywords of tasks, rendered when a task runs.

use std::time::Duration;

use playbook_api::{Error, Map, Value, arguments::to_bool, time};

use crate::document::{Kind, Node};
use crate::playbook::{Condition, Keyword, KeywordKind, Task};
use crate::template::{Deprecation, Renderer};

/// The inherited keywords of a task. Each is rendered when it is asked for: its value may depend on the loop's item
/// and on what earlier attempts registered, and an error in a keyword that is not needed is not raised.
pub(crate) struct TaskKeywords<'a> {
    task: &'a Task,
    renderer: &'a Renderer,
}

/// Returns the keywords of a task, as this renderer renders them.
pub(crate) fn of<'a>(task: &'a Task, renderer: &'a Renderer) -> TaskKeywords<'a> {
    TaskKeywords { task, renderer }
}

macro_rules! accessors {
    ($($method:ident = $keyword:ident: $kind:ident $reader:ident -> $type:ty,)*) => {
        impl TaskKeywords<'_> {
            $(
                #[doc = concat!("Returns `", stringify!($method), "`, if it is given.")]
                pub(crate) fn $method(&self) -> Result<Option<$type>, Error> {
                    const { assert!(matches!(Keyword::$keyword.kind(), KeywordKind::$kind)) };
                    self.$reader(Keyword::$keyword)
                }
            )*
        }
    };
}

accessors! {
    any_errors_fatal = AnyErrorsFatal: Boolean boolean -> bool,
    r#become = Become: Boolean boolean -> bool,
    become_exe = BecomeExe: Text text -> String,
    become_flags = BecomeFlags: Text text -> String,
    become_method = BecomeMethod: Text text -> String,
    become_user = BecomeUser: Text text -> String,
    check_mode = CheckMode: Boolean boolean -> bool,
    connection = Connection: Text text -> String,
    debugger = Debugger: Text text -> String,
    delegate_facts = DelegateFacts: Boolean boolean -> bool,
    delegate_to = DelegateTo: Text text -> String,
    diff = Diff: Boolean boolean -> bool,
    ignore_errors = IgnoreErrors: Boolean boolean -> bool,
    ignore_unreachable = IgnoreUnreachable: Boolean boolean -> bool,
    no_log = NoLog: Boolean boolean -> bool,
    port = Port: Integer integer -> i64,
    remote_user = RemoteUser: Text text -> String,
    run_once = RunOnce: Boolean boolean -> bool,
    throttle = Throttle: Integer integer -> i64,
    timeout = Timeout: Integer integer -> i64,
}

impl<'a> TaskKeywords<'a> {
    /// Returns the value of a keyword, the task's own first; `omit` stands for the enclosing value.
    fn value(&self, keyword: Keyword) -> Result<Option<(Value, &'a Node)>, Error> {
        let around = self.task.frame.chain().map(|frame| &frame.keywords);
        let all = std::iter::once(&self.task.keywords).chain(around);
        for node in all.filter_map(|keywords| keywords.values.get(&keyword)) {
            match self.renderer.value(node)? {
                Value::Omit => {}
                Value::Null => return Ok(None),
                value => return Ok(Some((value, node))),
            }
        }
        Ok(None)
    }

    fn boolean(&self, keyword: Keyword) -> Result<Option<bool>, Error> {
        let Some((value, node)) = self.value(keyword)? else { return Ok(None) };
        to_bool(&value).map(Some).ok_or_else(|| {
            let value = playbook_api::python::repr(&value);
            Error::new(format!("The value {value} could not be converted to 'bool'.")).at(node.place())
        })
    }

    /// Empty text counts as not given.
    fn text(&self, keyword: Keyword) -> Result<Option<String>, Error> {
        let value = self.value(keyword)?.map(|(value, _)| value.to_text().into_owned());
        Ok(value.filter(|text| !text.is_empty()))
    }

    fn integer(&self, keyword: Keyword) -> Result<Option<i64>, Error> {
        let Some((value, node)) = self.value(keyword)? else { return Ok(None) };
        to_integer(&value, node, keyword.name()).map(Some)
    }
}

/// Keywords of connections and of the task's run, which are evaluated before the task does anything.
const CHECKED: &[Keyword] = &[
    Keyword::Become,
    Keyword::BecomeExe,
    Keyword::BecomeFlags,
    Keyword::BecomeMethod,
    Keyword::BecomeUser,
    Keyword::CheckMode,
    Keyword::Connection,
    Keyword::DelegateFacts,
    Keyword::Diff,
    Keyword::IgnoreErrors,
    Keyword::IgnoreUnreachable,
    Keyword::Port,
    Keyword::RemoteUser,
    Keyword::Throttle,
    Keyword::Timeout,
];

/// Fails for a keyword that has no value.
pub(crate) fn check(task: &Task, renderer: &Renderer) -> Result<(), Error> {
    let around = task.frame.chain().map(|frame| &frame.keywords);
    let mut values =
        std::iter::once(&task.keywords).chain(around).flat_map(|keywords| keywords.values.values());
    if values.all(Node::is_plain) {
        return Ok(());
    }
    for keyword in CHECKED {
        if let Some(node) = task.keyword(*keyword).filter(|node| !node.is_plain()) {
            renderer.value(node).map_err(|e| broken(*keyword, node, e))?;
        }
    }
    Ok(())
}

/// The error of a keyword that has no value.
pub(crate) fn broken(keyword: Keyword, node: &Node, error: Error) -> Error {
    error.context(format!("Error processing keyword '{}'", keyword.name())).at(node.place())
}

/// Renders an integer, or text that reads as one.
pub(crate) fn integer(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<i64>, Error> {
    match renderer.value(node)? {
        Value::Null | Value::Omit => Ok(None),
        value => to_integer(&value, node, name).map(Some),
    }
}

fn to_integer(value: &Value, node: &Node, name: &str) -> Result<i64, Error> {
    let number = match value {
        Value::Str(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    number.filter(|number| number.is_finite()).map(|number| number as i64).ok_or_else(|| {
        let shown = playbook_api::python::repr(value);
        Error::new(format!("invalid literal for int() with base 10: {shown}"))
            .at(node.place())
            .with_help(format!("`{name}` takes an integer."))
    })
}

/// Renders a number, which may have a fraction.
pub(crate) fn float(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<f64>, Error> {
    let value = renderer.value(node)?;
    let number = match &value {
        Value::Null | Value::Omit => return Ok(None),
        Value::Str(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    number.map(Some).ok_or_else(|| {
        Error::new(format!("the field '{name}' has an invalid value ({value}): it must be a number"))
            .at(node.place())
    })
}

/// Renders a number of seconds. One that is negative, not finite or longer than a hundred years is an error.
pub(crate) fn seconds(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<Duration>, Error> {
    let Some(number) = float(node, name, renderer)? else { return Ok(None) };
    let duration = time::seconds(number);
    duration.map(Some).map_err(|e| {
        e.context(format!("the field '{name}' has an invalid value"))
            .at(node.place())
            .with_help(format!("`{name}` is a number of seconds from 0 to a hundred years."))
    })
}

/// Returns `environment`, merged from the outermost level to the task's own.
///
/// What is not a dict is left out, and `warn` is told.
pub(crate) fn environment(
    task: &Task,
    renderer: &Renderer,
    warn: &dyn Fn(String),
) -> Result<Vec<(String, String)>, Error> {
    let mut merged = Map::default();
    let value = |node: &Node| renderer.value(node).map_err(|e| broken(Keyword::Environment, node, e));
    for node in task.inherited(Keyword::Environment) {
        let parts: Vec<&Node> = node.as_list().map_or_else(|| vec![node], |items| items.iter().collect());
        for part in parts {
            match part.as_map() {
                Some(entries) => {
                    for (name, entry) in entries {
                        match renderer.value(&entry.node) {
                            Ok(Value::Omit) => {}
                            Ok(value) => drop(merged.insert(name.clone(), value)),
                            // It uses facts that this task is about to gather.
                            Err(e) if gathers(task) && e.is_undefined() && e.to_string().contains("env") => {}
                            Err(e) => return Err(broken(Keyword::Environment, &entry.node, e)),
                        }
                    }
                }
                None if add_environment(&mut merged, value(part)?) => {}
                None => {
                    let all: Value =
                        task.inherited(Keyword::Environment).into_iter().map(Node::raw).collect();
                    warn(format!("could not parse environment value, skipping: {all}"));
                }
            }
        }
    }
    Ok(merged.into_iter().map(|(k, v)| (k.to_text().into_owned(), v.to_text().into_owned())).collect())
}

fn gathers(task: &Task) -> bool {
    matches!(task.action_name(), "setup" | "gather_facts")
}

/// Adds a rendered value; answers whether it was one that can be added.
fn add_environment(merged: &mut Map, value: Value) -> bool {
    match value {
        Value::Map(map) => merged.extend(map.iter().map(|(k, v)| (k.clone(), v.clone()))),
        // As in ansible-core, dicts are looked for in a list that is written, not in one that is computed.
        Value::List(items) => return items.is_empty(),
        Value::Null | Value::Omit => {}
        Value::Str(text) => return text.is_empty(),
        _ => return false,
    }
    true
}

/// The verdict on a list of conditions, all of which have to hold.
#[derive(Debug)]
pub(crate) enum Verdict {
    True,
    /// The first condition that does not hold, as it was written.
    False(Value),
}

/// Evaluates conditions until one does not hold. `keyword` is what they are written under.
pub(crate) fn conditions<'a>(
    keyword: &str,
    all: impl IntoIterator<Item = &'a Condition>,
    renderer: &Renderer,
) -> Result<Verdict, Error> {
    conditions_of_no_keyword(all, renderer, |condition, error| {
        match renderer.release().condition_failed(keyword) {
            Some(failed) => error.context(failed).at(condition.place()),
            None => error,
        }
    })
}

/// Evaluates conditions until one does not hold. `fault` says what an error of theirs is.
pub(crate) fn conditions_of_no_keyword<'a>(
    all: impl IntoIterator<Item = &'a Condition>,
    renderer: &Renderer,
    fault: impl Fn(&Condition, Error) -> Error,
) -> Result<Verdict, Error> {
    for condition in all {
        let holds = match condition {
            Condition::Expression(expression) => renderer.condition(expression),
            Condition::Node(node) => node_holds(node, renderer),
        };
        if !holds.map_err(|error| fault(condition, error))? {
            return Ok(Verdict::False(condition.written()));
        }
    }
    Ok(Verdict::True)
}

/// Evaluates a condition that is not an expression: a boolean, or a template of one.
fn node_holds(node: &Node, renderer: &Renderer) -> Result<bool, Error> {
    let is_condition = match node.kind() {
        Kind::Value(value) => matches!(value, Value::Bool(_) | Value::Str(_) | Value::Null | Value::Omit),
        Kind::Template(_) | Kind::Vault(_) => true,
        Kind::List(_) | Kind::Map(_) => false,
    };
    if !is_condition && !renderer.environment.options.allow_broken_conditionals {
        return Err(Error::new("Conditional expressions must be strings.").at(node.place()).with_help(
            "Broken conditionals can be temporarily allowed with the `ALLOW_BROKEN_CONDITIONALS` \
             configuration option.",
        ));
    }
    let value = match renderer.value(node)? {
        // A variable of a trusted document may hold the condition; computed text is never an expression.
        Value::Str(text) if text.is_trusted() => {
            return renderer.condition(&crate::jinja::Expression::new(text.as_str(), node.place().clone()));
        }
        Value::Str(_) => {
            return Err(Error::new("Encountered untrusted template or expression.").at(node.place()));
        }
        Value::Null | Value::Omit if node.is_plain() => return Ok(true),
        Value::Null | Value::Omit => return renderer.blank_condition(node.place()),
        value => value,
    };
    if !node.is_plain() {
        let message =
            "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.";
        let what = Error::new(message).at(node.place());
        renderer.scope.deprecate(Deprecation { what, version: "2.23" });
    }
    renderer.truth(&value, node.place())
}

/// Evaluates `when` of a task and of all that encloses it, outermost first.
pub(crate) fn when(task: &Task, renderer: &Renderer) -> Result<Verdict, Error> {
    conditions("when", task.conditions(), renderer)
}
