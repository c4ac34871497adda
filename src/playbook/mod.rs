//! Documents become plays, blocks, tasks, roles and handlers. Nothing is executed here.
//!
//! The types stand here; [`read`] makes them of documents.

pub mod argument_spec;
mod keywords;
pub mod listing;
mod play;
mod read;
mod reserved;
mod role;
pub mod tags;
mod task;
#[cfg(test)]
mod tests;

pub use keywords::{Condition, Frame, FrameKind, Keywords};
pub use play::{Play, Playbook, Prompt};
pub use read::{
    Brought, BroughtRole, Loader, Names, Render, Sought, check_variable_name, collections, include_frame,
    is_variable_name, load, load_document, load_role, load_task_file, unknown_action,
};
pub use reserved::is_reserved_name;
pub use role::{Role, RoleSpec};
pub use task::{Action, Block, Handler, Item, Loop, LoopControl, Task, TaskId};
