//! Keywords of tasks, rendered when a task runs.

use std::sync::Arc;
use std::time::Duration;

use playbook_api::{Error, Map, Place, Value, arguments::to_bool, time};

use crate::document::{Kind, Node};
use crate::playbook::{Condition, FrameKind, Keyword, KeywordKind, Task, not_text};
use crate::settings::Release;
use crate::template::{Deprecation, Renderer, Truth};

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
    delegate_facts = DelegateFacts: Boolean boolean -> bool,
    delegate_to = DelegateTo: Text text -> String,
    diff = Diff: Boolean boolean -> bool,
    ignore_errors = IgnoreErrors: Boolean boolean -> bool,
    ignore_unreachable = IgnoreUnreachable: Boolean boolean -> bool,
    no_log = NoLog: Boolean boolean -> bool,
    port = Port: Integer integer -> i64,
    remote_user = RemoteUser: Text text -> String,
    timeout = Timeout: Integer integer -> i64,
}

/// The values of `debugger`.
const DEBUGGER: [&str; 5] = ["always", "never", "on_skipped", "on_failed", "on_unreachable"];

impl<'a> TaskKeywords<'a> {
    /// Returns the value of a keyword, the task's own first; `omit` stands for the enclosing value.
    fn value(&self, keyword: Keyword) -> Result<Option<(Value, &'a Node)>, Error> {
        let Some((value, node)) = self.first(keyword) else { return Ok(None) };
        match value {
            Ok(value) => Ok(Some((value, node))),
            // These are not checked with the others, but before.
            Err(e) if matches!(keyword, Keyword::DelegateTo | Keyword::Throttle) => Err(e.at(node.place())),
            Err(e) => Err(broken(keyword.name(), node, e)),
        }
    }

    /// Returns what the first value of a keyword that is not omitted renders to.
    fn first(&self, keyword: Keyword) -> Option<(Result<Value, Error>, &'a Node)> {
        let around = self.task.frame.chain().map(|frame| &frame.keywords);
        let all = std::iter::once(&self.task.keywords).chain(around);
        let nodes = all.filter_map(|keywords| keywords.values.get(&keyword));
        let mut values = nodes.map(|node| (self.renderer.value(node), node));
        let found = values.find(|(value, _)| !matches!(value, Ok(Value::Omit)))?;
        Some(found).filter(|(value, _)| !matches!(value, Ok(Value::Null)))
    }

    /// Whether one host runs the task for all. What is not a boolean counts as Python takes it: the task itself fails.
    pub(crate) fn runs_once(&self) -> Result<bool, Error> {
        let Some((value, node)) = self.first(Keyword::RunOnce) else { return Ok(false) };
        let value = value.map_err(|e| e.at(node.place()))?;
        Ok(to_bool(&value).unwrap_or_else(|| value.is_true()))
    }

    fn boolean(&self, keyword: Keyword) -> Result<Option<bool>, Error> {
        let Some((value, node)) = self.value(keyword)? else { return Ok(None) };
        to_bool(&value).map(Some).ok_or_else(|| unlike(keyword.name(), node, &value, Wanted::Boolean))
    }

    /// Empty text counts as not given.
    fn text(&self, keyword: Keyword) -> Result<Option<String>, Error> {
        let value = self.value(keyword)?.map(|(value, _)| value.to_text().into_owned());
        Ok(value.filter(|text| !text.is_empty()))
    }

    fn integer(&self, keyword: Keyword) -> Result<Option<i64>, Error> {
        let Some((value, node)) = self.value(keyword)? else { return Ok(None) };
        to_integer(&value).map(Some).ok_or_else(|| unlike(keyword.name(), node, &value, Wanted::Integer))
    }

    /// Returns `debugger`, if it is given.
    pub(crate) fn debugger(&self) -> Result<Option<String>, Error> {
        let Some((value, node)) = self.value(Keyword::Debugger)? else { return Ok(None) };
        debugger(&value, node).map(Some)
    }

    /// Returns `throttle`, if it is given.
    pub(crate) fn throttle(&self) -> Result<Option<i64>, Error> {
        let Some((value, node)) = self.value(Keyword::Throttle)? else { return Ok(None) };
        let number = match &value {
            Value::Str(text) => text.trim().parse().ok(),
            other => other.as_f64().filter(|number| number.is_finite()).map(|number| number as i64),
        };
        number.map(Some).ok_or_else(|| {
            let message = match value.as_str() {
                Some(_) => {
                    format!("invalid literal for int() with base 10: {}", playbook_api::python::repr(&value))
                }
                None => format!(
                    "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                    value.type_name()
                ),
            };
            Error::new(message).at(node.place()).with_help("`throttle` takes an integer.")
        })
    }

    /// Whether a keyword counts where its value is not a boolean: as Python takes what was written.
    pub(crate) fn written_truth(&self, keyword: Keyword) -> bool {
        self.task.keyword(keyword).is_some_and(|node| node.raw().is_true())
    }
}

/// Fails for a keyword that has no value, or one that is not what the keyword holds, before the task does anything.
pub(crate) fn check(task: &Task, renderer: &Renderer, warn: &dyn Fn(String)) -> Result<(), Error> {
    let keywords = of(task, renderer);
    let mut around = std::iter::once(&task.keywords).chain(task.frame.chain().map(|frame| &frame.keywords));
    let all = if around.all(|keywords| keywords.values.is_empty()) { &[] } else { Keyword::ALL };
    for keyword in all.iter().filter(|keyword| task.keyword(**keyword).is_some()) {
        match (keyword, keyword.kind()) {
            (Keyword::Debugger, _) => drop(keywords.debugger()?),
            // The strategy and the reader of the task have looked at these.
            (Keyword::DelegateTo | Keyword::Throttle, _) => {}
            (_, KeywordKind::Boolean) => drop(keywords.boolean(*keyword)?),
            (_, KeywordKind::Integer) => drop(keywords.integer(*keyword)?),
            (_, KeywordKind::Text) => drop(keywords.text(*keyword)?),
            (_, KeywordKind::Other) => {}
        }
    }
    let names = task.frame.chain().filter(|frame| matches!(frame.kind, FrameKind::Block));
    let names = names.filter_map(|frame| Some(("name", frame.keywords.name.as_ref()?)));
    for (keyword, node) in names.chain(task.keywords.tags.iter().map(|node| ("tags", node))) {
        if !node.is_plain() {
            rendered(node, keyword, renderer)?;
        }
    }
    if keywords.r#become()? == Some(true)
        && let Some(method) = keywords.become_method()?
    {
        check_become_method(&method)?;
    }
    if task.keyword(Keyword::Environment).is_some() {
        environment(task, renderer, warn)?;
    }
    // ansible-core's name of it.
    if let Some(node) = &task.async_seconds {
        integer(node, "async_val", renderer)?;
    }
    if let Some(node) = &task.poll {
        integer(node, "poll", renderer)?;
    }
    Ok(())
}

/// The become plugins of ansible-core, and those that its collections had when they were a part of it.
const BECOME_METHODS: &[&str] = &[
    "sudo",
    "su",
    "runas",
    "doas",
    "dzdo",
    "enable",
    "ksu",
    "machinectl",
    "pbrun",
    "pfexec",
    "pmrun",
    "run0",
    "sesu",
    "sudosu",
];

/// Rejects a become method that does not exist, even where no other user has to be become. Whether one of a collection
/// exists is not known here.
pub(crate) fn check_become_method(method: &str) -> Result<(), Error> {
    if method.contains('.') || BECOME_METHODS.contains(&method) {
        return Ok(());
    }
    let message = format!("Invalid become method specified, could not find matching plugin: '{method}'.");
    Err(Error::new(message).with_help("The become methods are sudo, su and doas."))
}

/// Reads the value of `debugger`.
pub(crate) fn debugger(value: &Value, node: &Node) -> Result<String, Error> {
    let text = value.to_text();
    if DEBUGGER.contains(&&*text) {
        return Ok(text.into_owned());
    }
    let shown = playbook_api::python::repr(value);
    let message =
        format!("{shown} is not a valid value for debugger. Must be one of {}", DEBUGGER.join(", "));
    Err(broken(Keyword::Debugger.name(), node, Error::new(message).at(node.place())))
}

/// What a keyword's value is converted to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    Boolean,
    Integer,
    Float,
    Percent,
}

impl Wanted {
    /// Returns the name that ansible-core has for it.
    fn name(self) -> &'static str {
        match self {
            Wanted::Boolean => "bool",
            Wanted::Integer => "int",
            Wanted::Float => "float",
            Wanted::Percent => "percent",
        }
    }
}

/// Returns the error of a keyword whose value is known before a run and is not of its type.
pub(crate) fn misfit(keyword: &str, node: &Node, wanted: Wanted) -> Option<Error> {
    let value = Some(node).filter(|node| node.is_plain())?.raw();
    let fits = match wanted {
        Wanted::Boolean => to_bool(&value).is_some(),
        Wanted::Integer => to_integer(&value).is_some(),
        Wanted::Float => to_float(&value).is_some(),
        Wanted::Percent => to_percent(&value).is_some(),
    };
    (!fits && !value.is_null()).then(|| unlike(keyword, node, &value, wanted))
}

/// The error of a keyword that has no value, or one that is not what the keyword holds.
pub(crate) fn broken(keyword: &str, node: &Node, error: Error) -> Error {
    error.context(format!("Error processing keyword '{keyword}'.")).at(node.place())
}

/// The error of a keyword whose value is not of its type.
fn unlike(keyword: &str, node: &Node, value: &Value, wanted: Wanted) -> Error {
    let shown = playbook_api::python::repr(value);
    let error = Error::new(format!("The value {shown} could not be converted to '{}'.", wanted.name()));
    broken(keyword, node, error.at(node.place()))
}

/// Renders a keyword. Returns nothing if it is omitted or null.
fn rendered(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<Value>, Error> {
    let value = renderer.value(node).map_err(|e| broken(name, node, e))?;
    Ok(Some(value).filter(|value| !matches!(value, Value::Null | Value::Omit)))
}

/// Renders yes or no.
pub(crate) fn boolean(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<bool>, Error> {
    let Some(value) = rendered(node, name, renderer)? else { return Ok(None) };
    to_bool(&value).map(Some).ok_or_else(|| unlike(name, node, &value, Wanted::Boolean))
}

/// Renders an integer, or text that reads as one.
pub(crate) fn integer(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<i64>, Error> {
    let Some(value) = rendered(node, name, renderer)? else { return Ok(None) };
    to_integer(&value).map(Some).ok_or_else(|| unlike(name, node, &value, Wanted::Integer))
}

/// Renders text.
pub(crate) fn text(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<String>, Error> {
    Ok(rendered(node, name, renderer)?.map(|value| value.to_text().into_owned()))
}

/// Renders one value or a list of them.
pub(crate) fn list(node: &Node, name: &str, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    Ok(match rendered(node, name, renderer)? {
        Some(Value::List(items) | Value::Tuple(items)) => items.to_vec(),
        one => one.into_iter().collect(),
    })
}

/// Renders a text or a list of them.
pub(crate) fn texts(node: &Node, name: &str, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let items = list(node, name, renderer)?;
    match items.iter().find(|item| item.as_str().is_none()) {
        None => Ok(items),
        Some(item) => Err(broken(name, node, Error::new(not_text(name, item.type_name())))),
    }
}

/// Renders a percentage: a number, which text may follow with a `%`.
pub(crate) fn percent(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<f64>, Error> {
    let Some(value) = rendered(node, name, renderer)? else { return Ok(None) };
    to_percent(&value).map(Some).ok_or_else(|| unlike(name, node, &value, Wanted::Percent))
}

/// Converts a number, or text that reads as one.
fn to_float(value: &Value) -> Option<f64> {
    match value {
        Value::Str(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    }
}

fn to_percent(value: &Value) -> Option<f64> {
    match value {
        Value::Str(text) => text.trim().trim_end_matches('%').trim().parse().ok(),
        other => other.as_f64(),
    }
}

/// Converts a number without a fraction, or text that reads as one.
fn to_integer(value: &Value) -> Option<i64> {
    to_float(value).filter(|number| number.is_finite() && number.fract() == 0.0).map(|number| number as i64)
}

/// Renders a number, which may have a fraction.
pub(crate) fn float(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<f64>, Error> {
    let Some(value) = rendered(node, name, renderer)? else { return Ok(None) };
    to_float(&value).map(Some).ok_or_else(|| unlike(name, node, &value, Wanted::Float))
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
    let value = |node: &Node| renderer.value(node).map_err(|e| broken(Keyword::Environment.name(), node, e));
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
                            Err(e) => return Err(broken(Keyword::Environment.name(), &entry.node, e)),
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
    /// None is known not to hold, but one depends on what only a change will tell: the change.
    Unknown(Arc<str>),
}

/// Evaluates conditions until one does not hold. `keyword` is what they are written under.
pub(crate) fn conditions<'a>(
    keyword: &str,
    all: impl IntoIterator<Item = &'a Condition>,
    renderer: &Renderer,
) -> Result<Verdict, Error> {
    conditions_of_no_keyword(all, renderer, |condition, error| {
        condition_failed(renderer.release(), keyword, error, Some(condition.place()))
    })
}

/// Returns the error of a condition that is written under a keyword.
pub(crate) fn condition_failed(
    release: Release,
    keyword: &str,
    error: Error,
    place: Option<&Place>,
) -> Error {
    match release.condition_failed(keyword) {
        Some(failed) => error.context(failed).at_opt(place),
        None => error,
    }
}

/// Evaluates conditions until one does not hold. `fault` says what an error of theirs is.
pub(crate) fn conditions_of_no_keyword<'a>(
    all: impl IntoIterator<Item = &'a Condition>,
    renderer: &Renderer,
    fault: impl Fn(&Condition, Error) -> Error,
) -> Result<Verdict, Error> {
    let mut unknown = None;
    for condition in all {
        let truth = match condition {
            Condition::Expression(expression) => renderer.condition(expression),
            Condition::Node(node) => node_holds(node, renderer),
        };
        match truth.map_err(|error| fault(condition, error))? {
            Truth::True => {}
            Truth::False => return Ok(Verdict::False(condition.written())),
            Truth::Unknown(reason) => unknown = unknown.or(Some(reason)),
        }
    }
    Ok(unknown.map_or(Verdict::True, Verdict::Unknown))
}

/// Evaluates a condition that is not an expression: a boolean, or a template of one.
fn node_holds(node: &Node, renderer: &Renderer) -> Result<Truth, Error> {
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
    let evaluated = renderer.value(node);
    let evaluated = evaluated.map_err(|e| match e.place().cloned().filter(|_| e.is_undefined()) {
        Some(place) => e.context("Error while evaluating conditional").at(&place),
        None => e.at(node.place()),
    });
    let value = match evaluated? {
        // A variable of a trusted document may hold the condition; computed text is never an expression.
        Value::Str(text) if text.is_trusted() => {
            return renderer.condition(&crate::jinja::Expression::new(text.as_str(), node.place().clone()));
        }
        Value::Str(_) => {
            return Err(Error::new("Encountered untrusted template or expression.").at(node.place()));
        }
        Value::Null | Value::Omit if node.is_plain() => return Ok(Truth::True),
        Value::Null | Value::Omit => return renderer.blank_condition(node.place()),
        value => value,
    };
    if !node.is_plain() {
        let message =
            "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.";
        let what = Error::new(message).at(node.place());
        renderer.scope.deprecate(Deprecation::new(what, "2.23"));
    }
    renderer.truth_of(&value, node)
}

/// Evaluates `when` of a task and of all that encloses it, outermost first.
pub(crate) fn when(task: &Task, renderer: &Renderer) -> Result<Verdict, Error> {
    conditions("when", task.conditions(), renderer)
}
