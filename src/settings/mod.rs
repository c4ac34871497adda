//! ansible.cfg, the environment and flags, as one [`Settings`] value.
//!
//! The only room that reads the process's environment; whoever wants a variable of it asks here.

mod accepted;
mod ini;
mod load;
mod path;
mod project;
mod servers;
mod table;
mod value;

pub use ini::parse as parse_cfg;
pub use load::{Entry, Origin, Surroundings};
pub use path::expand;
pub use project::Project;
pub use servers::{GalaxyServer, ServerEntry};
pub use table::{Kind, Setting};
pub use value::{SETTINGS, Settings};

/// A variable of the process's environment.
pub fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}
