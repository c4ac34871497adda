//! Amazon RDS: database instances.

pub mod create;
pub mod describe;
pub mod instance;
pub mod instance_info;
pub mod instance_options;
pub mod instance_wait;
pub mod modify;

use aws_sdk_rds::types::Tag;

use crate::tags::Tags;

pub fn to_sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
