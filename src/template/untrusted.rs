//! Text that looks like a template but comes from an untrusted source: it is not rendered. To find such text in data,
//! it can be reported (`_ANSIBLE_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR`: `warning` or `error`).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use playbook_api::{Error, Value};

use crate::jinja::Template;

#[derive(Clone, Copy, PartialEq)]
enum Behavior {
    Ignore,
    Warn,
    Fail,
}

fn behavior() -> Behavior {
    static BEHAVIOR: OnceLock<Behavior> = OnceLock::new();
    *BEHAVIOR.get_or_init(|| match std::env::var("_ANSIBLE_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR").as_deref() {
        Ok("warning") => Behavior::Warn,
        Ok("error") => Behavior::Fail,
        _ => Behavior::Ignore,
    })
}

/// Reports the first such text inside a value, if that is configured.
pub(super) fn check(value: &Value) -> Result<(), Error> {
    const MESSAGE: &str = "Encountered untrusted template or expression.";
    static SAID: AtomicBool = AtomicBool::new(false);
    let behavior = behavior();
    if behavior == Behavior::Ignore || !is_inside(value) {
        return Ok(());
    }
    if behavior == Behavior::Fail {
        return Err(Error::new(MESSAGE).with_help(
            "Templates are rendered only if they are written in a \
            playbook, an inventory or a file of variables.",
        ));
    }
    if !SAID.swap(true, Ordering::Relaxed) {
        eprintln!("[WARNING]: {MESSAGE}");
    }
    Ok(())
}

fn is_inside(value: &Value) -> bool {
    match value {
        Value::Str(text) => !text.is_trusted() && Template::is_template(text),
        Value::List(items) | Value::Tuple(items) => items.iter().any(is_inside),
        Value::Map(map) => map.values().any(is_inside),
        _ => false,
    }
}
