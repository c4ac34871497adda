//! Playbooks against real SSH servers, on machines in namespaces: logins, faults, and what remains of a run.

mod database;
mod docker;
mod faults;
mod jobs;
mod languages;
mod logins;
mod reference;
mod scene;
