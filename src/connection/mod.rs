//! Connects modules to the host that they act on.
//!
//! A module runs in this process if it acts on the controller as the user who runs it (`local`), and in the helper
//! otherwise (`remote`): on another host, in a container, as another user. Connections differ only in how they start
//! a program (`launch`). The helper is uploaded and started by `bootstrap`, as another user by `privilege`, and
//! reached over a `channel`. Plugins in Python run one command at a time (`oneshot`).

mod bootstrap;
mod call;
mod channel;
mod dialogue;
mod docker;
mod ending;
mod launch;
mod local;
mod oneshot;
mod payload;
mod peer;
mod pipe;
mod pool;
mod privilege;
mod remote;
mod shutdown;
mod ssh;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use playbook_api::context::Cancel;
use playbook_api::stream::{Endpoint, Stream};
use playbook_api::{Arguments, Context, Failure, ModuleEntry, Outcome};

pub use bootstrap::Deploy;
pub use ending::abandon;
pub use oneshot::{Commands, OneShot};
pub use pool::Connections;
pub use privilege::{Become, quote};
pub use shutdown::announce;
pub use ssh::askpass;

/// A way to the host that a module acts on. Modules know nothing of it.
pub trait Connection: Send + Sync {
    /// Runs a module there.
    fn run(&self, module: &Arc<ModuleEntry>, args: &Arguments, context: &Context)
    -> Result<Outcome, Failure>;

    /// Runs a command line there, with nothing but a shell needed.
    fn execute(&self, command: &str, context: &Context) -> Result<Output, Failure>;

    /// Connects to a service from there, as the task's user. One address may take as long as `timeout`.
    fn connect(&self, endpoint: &Endpoint, timeout: Duration, cancel: &Cancel) -> Result<Stream, Failure>;

    /// Whether this is the controller, as the user who runs it.
    fn is_local(&self) -> bool {
        false
    }

    /// Ends the connection. The next task makes a new one.
    fn reset(&self) {}
}

/// A command's exit status and output.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The exit status.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// What a task says about its connection, rendered.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The host's name in the inventory.
    pub host: String,
    /// The connection itself.
    pub login: Login,
    /// The user to become there.
    pub r#become: Option<Become>,
    /// How the helper is kept there.
    pub deploy: Deploy,
}

/// Everything that distinguishes one connection from another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Login {
    /// The connection plugin's name.
    pub plugin: String,
    /// The host's address, or the container's name.
    pub address: String,
    /// The port.
    pub port: Option<u16>,
    /// The user to log in as.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Password>,
    /// The file with the private key.
    pub private_key: Option<String>,
    /// The program: ssh, or docker.
    pub executable: String,
    /// Further arguments for it.
    pub arguments: Vec<String>,
    /// Whether an unknown host key is an error.
    pub host_key_checking: bool,
    /// The time that connecting may take; a silence of three times as long ends the connection.
    pub timeout: Duration,
    /// The number of times that a failed connection is started again.
    pub retries: u32,
}

/// A password, which is not shown.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(playbook_api::redact::MASK)
    }
}
