//! ansible.cfg, the environment and flags, as one [`Settings`] value.
//!
//! The only room that reads the process's environment; other rooms call [`variable`].

mod accepted;
mod ini;
mod load;
mod path;
mod project;
mod release;
mod servers;
mod table;
#[cfg(test)]
mod tests;
mod value;

pub use ini::parse as parse_cfg;
pub use load::{Entry, Origin, Surroundings};
pub use path::expand;
pub use project::Project;
pub use release::Release;
pub use servers::{GalaxyServer, ServerEntry};
pub use table::{Kind, Setting};
pub use value::{SETTINGS, Settings};

/// Returns a variable of the process's environment.
pub fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}
