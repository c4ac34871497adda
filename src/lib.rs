//! The engine of `playbook`, in the order the data flows.
//!
//! Documents become a checked plan, a plan meets hosts and becomes tasks, tasks meet modules and become events,
//! events become reports. Imports point one way along that sentence; `docs/architecture.md` draws it.

pub mod check;
pub mod cli;
pub mod connection;
pub mod document;
pub mod foreign;
pub mod inventory;
pub mod jinja;
pub mod paths;
pub mod playbook;
pub mod report;
pub mod run;
pub mod settings;
pub mod template;
pub mod vars;
pub mod vault;
