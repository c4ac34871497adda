//! Modules, lookups and probes that act on AWS.

mod client;
mod compare;
mod connection;
mod ecs;
mod error;
mod profile;
mod rds;
mod read_only;
mod shape;
mod tags;
mod text;
mod wait;

use playbook_api::{ModuleEntry, Registry};

pub use client::Aws;
pub use connection::Connection;
pub use read_only::READ_ONLY;

/// Brings everything of this crate.
pub fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<ecs::cluster::EcsCluster>(),
        ModuleEntry::controller::<ecs::service::EcsService>(),
        ModuleEntry::controller::<ecs::service_info::EcsServiceInfo>(),
        ModuleEntry::controller::<ecs::task::EcsTask>(),
        ModuleEntry::controller::<ecs::task_definition::EcsTaskDefinition>(),
        ModuleEntry::controller::<ecs::task_definition_info::EcsTaskDefinitionInfo>(),
        ModuleEntry::controller::<rds::instance_options::RdsInstance>(),
        ModuleEntry::controller::<rds::instance_info::RdsInstanceInfo>(),
    ]);
    registry.task_runners.push(Box::new(ecs::runner::Runner));
}
