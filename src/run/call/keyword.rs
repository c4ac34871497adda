//! Keywords, rendered when a task runs.

use playbook_api::{Error, Map, Value, arguments::to_bool};

use crate::document::Node;
use crate::playbook::{Condition, Task};
use crate::template::{Deprecation, Renderer};

/// The value of an inheritable keyword, the task's own first; `omit` stands for what is around it.
fn value<'a>(task: &'a Task, name: &str, renderer: &Renderer) -> Result<Option<(Value, &'a Node)>, Error> {
    let around = task.frame.chain().map(|frame| &frame.keywords);
    for node in std::iter::once(&task.keywords).chain(around).filter_map(|k| k.values.get(name)) {
        match renderer.value(node)? {
            Value::Omit => {}
            Value::Null => return Ok(None),
            value => return Ok(Some((value, node))),
        }
    }
    Ok(None)
}

/// An inheritable boolean keyword.
pub fn boolean(task: &Task, name: &str, renderer: &Renderer) -> Result<Option<bool>, Error> {
    let Some((value, node)) = value(task, name, renderer)? else { return Ok(None) };
    to_bool(&value).map(Some).ok_or_else(|| {
        let value = playbook_api::python::repr(&value);
        Error::new(format!("The value {value} could not be converted to 'bool'.")).at(node.place())
    })
}

/// An inheritable text keyword; empty counts as not given.
pub fn text(task: &Task, name: &str, renderer: &Renderer) -> Result<Option<String>, Error> {
    let value = value(task, name, renderer)?.map(|(value, _)| value.to_text().into_owned());
    Ok(value.filter(|text| !text.is_empty()))
}

/// A whole number, where text that reads as one will do.
pub fn integer(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<i64>, Error> {
    let value = renderer.value(node)?;
    let number = match &value {
        Value::Null | Value::Omit => return Ok(None),
        Value::Str(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    number.map(|n| Some(n as i64)).ok_or_else(|| {
        let shown = playbook_api::python::repr(&value);
        Error::new(format!("invalid literal for int() with base 10: {shown}"))
            .at(node.place())
            .with_help(format!("`{name}` takes a whole number"))
    })
}

/// A number with a fraction.
pub fn float(node: &Node, name: &str, renderer: &Renderer) -> Result<Option<f64>, Error> {
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

/// `environment`, from the outermost level in: lists and single dicts, the inner ones win.
pub fn environment(task: &Task, renderer: &Renderer) -> Result<Vec<(String, String)>, Error> {
    let mut merged = Map::default();
    for node in inherited(task, "environment") {
        let parts: Vec<&Node> = node.as_list().map_or_else(|| vec![node], |items| items.iter().collect());
        for part in parts {
            match part.as_map() {
                Some(entries) => {
                    for (name, entry) in entries {
                        match renderer.value(&entry.node) {
                            Ok(Value::Omit) => {}
                            Ok(value) => drop(merged.insert(name.clone(), value)),
                            // The facts it asks for are the ones about to be gathered.
                            Err(e) if gathers(task) && e.is_undefined() && e.to_string().contains("env") => {}
                            Err(e) => return Err(e),
                        }
                    }
                }
                None => add_environment(&mut merged, renderer.value(part)?, part)?,
            }
        }
    }
    Ok(merged.into_iter().map(|(k, v)| (k.to_text().into_owned(), v.to_text().into_owned())).collect())
}

fn gathers(task: &Task) -> bool {
    matches!(task.action_name(), "setup" | "gather_facts")
}

fn add_environment(merged: &mut Map, value: Value, node: &Node) -> Result<(), Error> {
    match value {
        Value::Map(map) => merged.extend(map.iter().map(|(k, v)| (k.clone(), v.clone()))),
        Value::List(items) => {
            for item in items.iter() {
                add_environment(merged, item.clone(), node)?;
            }
        }
        Value::Null | Value::Omit => {}
        Value::Str(text) if text.is_empty() => {}
        other => {
            let message = format!("environment must be a dictionary, received {other}");
            return Err(Error::new(message).at(node.place()));
        }
    }
    Ok(())
}

/// A keyword's values, outermost first, the task's own last.
pub fn inherited<'a>(task: &'a Task, name: &'a str) -> Vec<&'a Node> {
    let mut nodes: Vec<&Node> =
        task.frame.chain().filter_map(|frame| frame.keywords.values.get(name)).collect();
    nodes.reverse();
    nodes.extend(task.keywords.values.get(name));
    nodes
}

/// What came of a list of conditions: all must hold.
#[derive(Debug)]
pub enum Verdict {
    True,
    /// The first that did not hold, as it was written.
    False(Value),
}

pub fn conditions<'a>(
    all: impl IntoIterator<Item = &'a Condition>,
    renderer: &Renderer,
) -> Result<Verdict, Error> {
    for condition in all {
        let (holds, written) = match condition {
            Condition::Expression(expression) => {
                (renderer.condition(expression)?, Value::from(expression.source().clone()))
            }
            Condition::Node(node) => (node_holds(node, renderer)?, node.raw()),
        };
        if !holds {
            return Ok(Verdict::False(written));
        }
    }
    Ok(Verdict::True)
}

/// A condition that is no expression: a boolean, or a template of one.
fn node_holds(node: &Node, renderer: &Renderer) -> Result<bool, Error> {
    let value = match renderer.value(node)? {
        // A variable of a trusted document may hold the condition; whatever was computed is text, never an expression.
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

/// `when` of a task and all around it, outermost first.
pub fn when(task: &Task, renderer: &Renderer) -> Result<Verdict, Error> {
    let frames: Vec<_> = task.frame.chain().collect();
    let around = frames.into_iter().rev().flat_map(|frame| &frame.keywords.when);
    conditions(around.chain(&task.keywords.when), renderer)
}
