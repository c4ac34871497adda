//! Documents become plays, blocks, tasks, roles and handlers. Nothing is executed here.

mod keywords;
mod play;
mod role;
mod task;

pub use keywords::{Condition, Frame, FrameKind, Keywords};
pub use play::{Play, Playbook, Prompt};
pub use role::Role;
pub use task::{Action, Block, Handler, Item, Loop, LoopControl, Task, TaskId};
