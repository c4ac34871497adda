//! How a module reaches the host it acts on.
//!
//! A module runs in this process where it acts on the controller as who we are ([`local`]), and in the helper
//! everywhere else ([`remote`]): on another host, in a container, as another user. How a program is started there is
//! all that connections differ in ([`launch`]); the helper is put in place and started by [`bootstrap`], as whom by
//! [`privilege`], and spoken to over a [`channel`]. Connections of other people's making run one command at a time, and
//! so the helper does a module's run there ([`oneshot`]).

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
mod pool;
mod privilege;
mod remote;
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
pub use ssh::askpass;

/// How a module reaches the host it acts on. A module knows nothing of it.
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

    /// Ends what there is; the next run begins anew.
    fn reset(&self) {}
}

/// What a command said, and how it ended.
#[derive(Clone, Debug, Default)]
pub struct Output {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// What a task says about its connection, rendered.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The host's name in the inventory.
    pub host: String,
    pub login: Login,
    /// Who to become there.
    pub r#become: Option<Become>,
    pub deploy: Deploy,
}

/// What makes one connection another than the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Login {
    /// The connection plugin's name.
    pub plugin: String,
    /// The host's address, or the container's name.
    pub address: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub password: Option<Password>,
    pub private_key: Option<String>,
    /// The program: ssh, or docker.
    pub executable: String,
    /// More arguments for it.
    pub arguments: Vec<String>,
    pub host_key_checking: bool,
    pub timeout: Duration,
    pub retries: u32,
}

/// A password, kept out of what people read.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(playbook_api::redact::MASK)
    }
}
