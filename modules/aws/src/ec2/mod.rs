//! Amazon EC2: networks, addresses, instances.

pub(crate) mod gateway;
mod route_table;
mod security_group;
mod subnet;
mod types;
mod vpc;

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use playbook_api::{Error, ModuleEntry, Registry};
use serde_json::Value as Json;

use crate::client::Aws;
use crate::error::Explain;
use crate::tags::{TagChanges, Tags};

/// Adds the modules of EC2.
pub(crate) fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<vpc::Ec2VpcNet>(),
        ModuleEntry::controller::<vpc::info::Ec2VpcNetInfo>(),
        ModuleEntry::controller::<subnet::Ec2VpcSubnet>(),
        ModuleEntry::controller::<subnet::info::Ec2VpcSubnetInfo>(),
        ModuleEntry::controller::<gateway::Ec2VpcIgw>(),
        ModuleEntry::controller::<gateway::info::Ec2VpcIgwInfo>(),
        ModuleEntry::controller::<route_table::Ec2VpcRouteTable>(),
        ModuleEntry::controller::<route_table::info::Ec2VpcRouteTableInfo>(),
        ModuleEntry::controller::<security_group::Ec2SecurityGroup>(),
        ModuleEntry::controller::<security_group::info::Ec2SecurityGroupInfo>(),
    ]);
}

/// Returns the tags of a resource.
fn tags(sdk: &[Tag]) -> Tags {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    sdk.iter().map(|tag| (text(tag.key()), text(tag.value()))).collect()
}

/// Returns tags as the API takes them.
fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Returns the tags that a resource is created with.
fn tag_specification(kind: ResourceType, tags: Option<Tags>) -> Option<Vec<TagSpecification>> {
    let tags = tags.filter(|tags| !tags.is_empty())?;
    let tags = sdk_tags(&tags);
    Some(vec![TagSpecification::builder().resource_type(kind).set_tags(Some(tags)).build()])
}

/// Returns the desired tags with the name, which counts as a tag. Without tags, only the name is compared.
fn with_name(tags: Option<&Tags>, name: Option<&str>) -> Option<Tags> {
    let mut all = tags.cloned();
    if let Some(name) = name {
        all.get_or_insert_default().insert("Name".to_owned(), name.to_owned());
    }
    all
}

/// Sets and removes the tags of a resource.
async fn change_tags(aws: &Aws, id: &str, changes: &TagChanges) -> Result<(), Error> {
    if !changes.remove.is_empty() {
        let gone = changes.remove.iter().map(|key| Tag::builder().key(key).build());
        let request = aws.ec2().delete_tags().resources(id).set_tags(Some(gone.collect()));
        request.send().await.explain("ec2:DeleteTags")?;
    }
    if !changes.set.is_empty() {
        let request = aws.ec2().create_tags().resources(id).set_tags(Some(sdk_tags(&changes.set)));
        request.send().await.explain("ec2:CreateTags")?;
    }
    Ok(())
}

/// Returns a filter of a description.
pub(crate) fn filter(name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Filter {
    let values = values.into_iter().map(Into::into).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// Returns the `filters` of an `_info` module: each has a value or a list of values.
fn filters(asked: Option<&BTreeMap<String, Json>>) -> Option<Vec<Filter>> {
    let text = |json: &Json| match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let one = |(name, values): (&String, &Json)| match values {
        Json::Array(values) => filter(name, values.iter().map(text)),
        value => filter(name, [text(value)]),
    };
    Some(asked?.iter().map(one).collect())
}
