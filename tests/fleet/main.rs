//! Playbooks against real SSH servers, on machines in namespaces: logins, services, faults, and what a run leaves behind.

mod database;
mod docker;
mod faults;
mod jobs;
mod languages;
mod limits;
mod logins;
mod reference;
mod scene;
