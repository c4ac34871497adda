//! Sources become an [`Inventory`]: hosts, groups, their variables; and host patterns select from it.

mod address;
mod build;
mod builder;
mod combine;
mod constructed;
mod generator;
mod host_list;
mod ini;
mod literal;
mod load;
mod model;
mod pattern;
mod plugin;
mod print;
mod script;
mod terraform;
#[cfg(test)]
mod tests;
mod toml;
mod variables;
mod vars_files;
mod words;
mod yaml;

pub use model::{Group, Host, Inventory, Vars, is_localhost, short_name};
pub use pattern::split_pattern;
pub use print::{Format, Printer};
pub use terraform::import as import_terraform;
pub use variables::{HostVars, extra_vars};
use vars_files::VarsFiles;
