//! Playbooks as data: plays, blocks, tasks, roles and handlers. Nothing is executed here.
//!
//! The types are in this directory; `read` makes them from documents.

pub mod argument_spec;
mod condition;
mod frame;
mod keyword;
pub mod listing;
mod meta;
mod play;
mod read;
mod reserved;
mod role;
mod shape;
pub mod tags;
mod task;
#[cfg(test)]
mod tests;

pub use condition::Condition;
pub use frame::{Frame, FrameKind, Keywords};
pub use keyword::{Keyword, KeywordKind};
pub use meta::Meta;
pub use play::{Play, Playbook, Prompt};
pub use read::{
    LoadedRole, LoadedTasks, Loader, Names, Render, TaskFileRef, check_variable_name, collections,
    include_frame, is_variable_name, load, load_document, load_role, load_task_file, not_text,
    unknown_action,
};
pub use reserved::is_reserved_name;
pub use role::{Role, RoleSpec};
pub use shape::all_keywords;
pub use task::{Action, Block, Handler, Item, Loop, LoopControl, Register, Task, TaskId};
