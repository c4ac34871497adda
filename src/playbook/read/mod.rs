//! Reads plays, blocks, tasks and roles from documents, with what they import, and checks them.

mod action;
pub mod collections;
mod defaults;
mod fields;
mod files;
mod imports;
mod include;
mod load;
mod loader;
mod plays;
mod role_files;
mod roles;
mod tasks;

pub use action::unknown as unknown_action;
pub use fields::{check_variable_name, is_variable_name, not_text};
pub use files::TaskFileRef;
pub use include::include_frame;
pub use load::{load, load_document, load_role, load_task_file};
pub use loader::{LoadedRole, LoadedTasks, Loader, Names, Render};
