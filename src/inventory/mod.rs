//! Sources become an [`Inventory`]: hosts, groups, their variables; and host patterns select from it.

mod interim;
mod model;

pub use model::{Group, Host, Inventory, Vars};
