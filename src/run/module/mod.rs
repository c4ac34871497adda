//! How modules are called: by [`dispatch`], which finds out what a name means and where that runs.

pub mod asynchronous;
pub mod defaults;
pub mod dispatch;
mod external;
pub mod names;
pub mod on_host;
pub mod python_action;
mod python_connection;
pub mod target;
mod task_host;
