//! Checks that notified handlers exist.

use playbook_api::{Error, Value};

use super::walk::Walk;
use crate::document::Node;
use playbook_api::nearest;

use crate::playbook::Task;
use crate::run::play::handlers::is_called;

/// Checks the handlers that a play notifies.
pub(super) fn check(walk: &Walk) {
    let handlers = walk.handlers.borrow();
    let all: Vec<(&Task, Vec<&Node>)> = handlers
        .iter()
        .map(|handler| (&**handler, handler.keywords.name.iter().chain(&handler.listen).collect()))
        .collect();
    // A name that is a template may become any name.
    let open =
        walk.open.get() || all.iter().any(|(_, names)| names.iter().any(|name| name.as_str().is_none()));
    let names: Vec<&str> = all.iter().flat_map(|(_, names)| names).filter_map(|name| name.as_str()).collect();
    for node in walk.notifiers.borrow().iter() {
        for notified in node.as_list().unwrap_or(std::slice::from_ref(node)) {
            let Some(name) = notified.as_str() else { continue };
            let called = |(handler, names): &(&Task, Vec<&Node>)| {
                names.iter().any(|own| is_called(handler, &own.raw().to_text(), name))
            };
            if all.iter().any(called) {
                continue;
            }
            let found = Value::from(name);
            let message = format!(
                "The requested handler {} was not found in either the main handlers list nor in the \
                listening handlers list",
                playbook_api::python::repr(&found)
            );
            let error = Error::new(message).at(notified.place());
            let error = match nearest(name, names.iter().copied()) {
                Some(near) => error.with_help(format!("Did you mean '{near}'?")),
                None => error.with_help("Define it under 'handlers' of the play or of one of its roles."),
            };
            if open {
                walk.warning("handlers", error.with_help("A file whose name is a template must define it."));
            } else {
                walk.error("handlers", error);
            }
        }
    }
}
