//! ansible.cfg, the environment and flags, as one [`Settings`] value.
//!
//! The only room that reads the process's environment for settings.

mod accepted;
mod ini;
mod load;
mod path;
mod project;
mod table;
mod value;

pub use ini::parse as parse_cfg;
pub use load::{Entry, Origin, Surroundings};
pub use path::{expand, expand_home};
pub use project::Project;
pub use table::{Kind, Setting};
pub use value::{SETTINGS, Settings};
