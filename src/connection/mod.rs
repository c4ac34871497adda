//! How a module reaches the host it acts on.

pub mod helper;
mod local;

use std::sync::Arc;

use playbook_api::{Arguments, Context, Error, ErrorKind, Failure, ModuleEntry, Outcome};

pub use local::Local;

/// How a module reaches the host it acts on. A module knows nothing of it.
pub trait Connection: Send + Sync {
    fn run(&self, module: &Arc<ModuleEntry>, args: &Arguments, context: &Context)
    -> Result<Outcome, Failure>;
}

/// What a task says about its connection, rendered.
#[derive(Clone, Debug, Default)]
pub struct Target {
    pub host: String,
    /// `ansible_connection`.
    pub plugin: String,
    pub r#become: bool,
    pub become_user: String,
    pub become_method: String,
    pub become_exe: Option<String>,
    pub become_password: Option<String>,
}

/// The connection to a target.
pub fn open(target: &Target) -> Result<Box<dyn Connection>, Error> {
    match target.plugin.strip_prefix("ansible.builtin.").unwrap_or(&target.plugin) {
        "local" => Ok(Box::new(Local::new(target))),
        other => {
            Err(Error::new(format!("{}: the connection plugin '{other}' is not available yet", target.host))
                .kind(ErrorKind::Unreachable)
                .help("set `ansible_connection: local` for hosts that tasks reach from here"))
        }
    }
}
