//! Amazon ECS: services, clusters, task definitions and tasks.

pub(crate) mod cluster;
pub(crate) mod describe;
pub(crate) mod logs;
pub(crate) mod network;
pub(crate) mod runner;
pub(crate) mod service;
pub(crate) mod task;
pub(crate) mod task_definition;

use aws_sdk_ecs::types::Tag;

use crate::tags::Tags;

/// Returns tags as the SDK's type.
pub(crate) fn to_sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Returns the cluster that ECS uses if a request names none.
pub(crate) fn default_cluster() -> String {
    "default".into()
}
