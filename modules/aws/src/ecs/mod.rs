//! Amazon ECS: services, clusters, task definitions and tasks.

pub mod cluster;
pub mod describe;
pub mod logs;
pub mod runner;
pub mod service;
pub mod task;
pub mod task_definition;

use aws_sdk_ecs::types::Tag;

use crate::tags::Tags;

/// Returns tags as the SDK's type.
pub fn to_sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Returns the cluster that ECS uses if a request names none.
pub fn default_cluster() -> String {
    "default".into()
}
