//! The host that a task acts on, for modules that run in the controller and speak to a service there.

use std::sync::Arc;
use std::time::Duration;

use playbook_api::context::Cancel;
use playbook_api::stream::{Endpoint, Stream, TaskHost};
use playbook_api::{Context, Failure, Map, Outcome};

use super::target;
use crate::connection::{Connection, Target};
use crate::inventory::is_localhost;
use crate::run::call::ActionCall;

/// Returns the task's host; nothing if that is the controller, as the user who runs it. A host called `localhost` in the
/// inventory is the controller too, unless something says how to connect to it. Nothing is sent yet, and what is wrong with
/// the connection is reported only to a module that uses it.
pub(crate) fn of_task(call: &ActionCall, context: &Context) -> Option<Arc<dyn TaskHost>> {
    let target = match target::of_task(call) {
        Ok(target) if is_controller(&target) => return None,
        Ok(target) => target,
        Err(error) => return Some(Arc::new(Unavailable(error.into()))),
    };
    let temporary = Some(target.deploy.directory.clone().into());
    match call.item.play.shared.connections.open(&target) {
        Ok(connection) if connection.is_local() => None,
        Ok(connection) => {
            let context = Context { check: false, diff: false, temporary, ..context.clone() };
            Some(Arc::new(Connected { connection, context }))
        }
        Err(failure) => Some(Arc::new(Unavailable(failure))),
    }
}

/// Whether the host is called `localhost`, and nothing says how to reach it or whom to become.
fn is_controller(target: &Target) -> bool {
    let login = &target.login;
    is_localhost(&target.host)
        && login.address == target.host
        && login.port.is_none()
        && login.user.is_none()
        && target.r#become.is_none()
}

/// A host with a connection.
struct Connected {
    connection: Arc<dyn Connection>,
    context: Context,
}

impl TaskHost for Connected {
    fn connect(&self, endpoint: &Endpoint, timeout: Duration, cancel: &Cancel) -> Result<Stream, Failure> {
        self.connection.connect(endpoint, timeout, cancel)
    }

    fn run(&self, module: &str, arguments: Map) -> Result<Outcome, Failure> {
        let Some(entry) = self.context.registry.module(&format!("ansible.builtin.{module}")) else {
            return Err(Failure::new(format!("the module '{module}' does not exist")));
        };
        self.connection.run(entry, &arguments.into(), &self.context)
    }
}

/// A host that has no connection.
struct Unavailable(Failure);

impl TaskHost for Unavailable {
    fn connect(&self, _: &Endpoint, _: Duration, _: &Cancel) -> Result<Stream, Failure> {
        Err(self.0.clone())
    }

    fn run(&self, _: &str, _: Map) -> Result<Outcome, Failure> {
        Err(self.0.clone())
    }
}
