//! Documents become plays, blocks, tasks, roles and handlers. Nothing is executed here.

mod action;
pub mod argument_spec;
pub mod collections;
mod defaults;
mod fields;
mod files;
mod imports;
mod include;
mod keywords;
pub mod listing;
mod load;
mod loader;
mod play;
mod plays;
mod reserved;
mod role;
mod role_files;
mod roles;
pub mod tags;
mod task;
mod tasks;
#[cfg(test)]
mod tests;

pub use action::unknown as unknown_action;
pub use fields::{check_variable_name, is_variable_name};
pub use files::Sought;
pub use include::include_frame;
pub use keywords::{Condition, Frame, FrameKind, Keywords};
pub use load::{load, load_document, load_role, load_task_file};
pub use loader::{Brought, BroughtRole, Loader, Names, Render};
pub use play::{Play, Playbook, Prompt};
pub use reserved::is_reserved_name;
pub use role::Role;
pub use roles::RoleSpec;
pub use task::{Action, Block, Handler, Item, Loop, LoopControl, Task, TaskId};
