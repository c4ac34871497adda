//! The environment that a task runs in.

use playbook_api::Context;

/// Returns a variable of the task's environment, or else of the process.
pub(crate) fn variable(name: &str, context: &Context) -> Option<String> {
    let set = context.environment.iter().rev().find(|(n, _)| n == name);
    set.map(|(_, value)| value.clone()).or_else(|| std::env::var(name).ok())
}
