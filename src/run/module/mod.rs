//! How modules are called: [`dispatch`] resolves a name and decides where the module runs.

pub mod asynchronous;
pub mod defaults;
pub mod dispatch;
mod external;
pub mod names;
pub mod on_host;
pub mod python_action;
mod python_connection;
mod release;
pub mod target;
mod task_host;
