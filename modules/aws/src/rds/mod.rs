//! Amazon RDS: database instances and what they need.

pub(crate) mod instance;
pub(crate) mod snapshot;
pub(crate) mod subnet_group;

use aws_sdk_rds::types::Tag;

use crate::tags::Tags;

pub(crate) fn to_sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
