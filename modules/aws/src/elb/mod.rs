//! Elastic Load Balancing: target groups, their targets, and load balancers of both kinds.

mod balancer;
mod target;
mod target_group;
mod types;

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerAttribute, Tag, TargetGroupAttribute};
use playbook_api::{Error, Failure, ModuleEntry, Registry};
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::error::Explain;
use crate::tags::{TagChanges, Tags};

pub(crate) use balancer::describe as describe_balancers;

/// Adds the modules of Elastic Load Balancing.
pub(crate) fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<balancer::application::ElbApplicationLb>(),
        ModuleEntry::controller::<balancer::info::ElbApplicationLbInfo>(),
        ModuleEntry::controller::<balancer::network::ElbNetworkLb>(),
        ModuleEntry::controller::<target_group::ElbTargetGroup>(),
        ModuleEntry::controller::<target_group::info::ElbTargetGroupInfo>(),
        ModuleEntry::controller::<target::ElbTarget>(),
    ]);
}

/// The attributes of a load balancer or a target group, by the names of the API: `idle_timeout.timeout_seconds`.
pub(crate) type Attributes = BTreeMap<String, String>;

/// A type of the SDK that is an attribute.
trait Attribute {
    fn new(key: &str, value: &str) -> Self;
    fn pair(&self) -> (String, String);
}

/// Implements [`Attribute`] for types that differ in nothing but their name.
macro_rules! attributes {
    ($($type:ty),*) => {$(
        impl Attribute for $type {
            fn new(key: &str, value: &str) -> Self {
                <$type>::builder().key(key).value(value).build()
            }

            fn pair(&self) -> (String, String) {
                (self.key().unwrap_or_default().to_owned(), self.value().unwrap_or_default().to_owned())
            }
        }
    )*};
}

attributes!(LoadBalancerAttribute, TargetGroupAttribute);

fn attributes<A: Attribute>(sdk: Option<&[A]>) -> Attributes {
    sdk.unwrap_or_default().iter().map(Attribute::pair).collect()
}

/// Returns attributes as the API takes them.
fn sdk_attributes<A: Attribute>(attributes: &Attributes) -> Vec<A> {
    attributes.iter().map(|(key, value)| A::new(key, value)).collect()
}

/// Records the attributes that differ.
fn note_attributes(asked: &Attributes, current: &Attributes, changes: &mut Changes) {
    for (name, asked) in asked {
        let is = current.get(name);
        if is != Some(asked) {
            changes.note(name, json!(is), json!(asked));
        }
    }
}

/// Returns the attributes that were recorded as differing.
fn differing(mut asked: Attributes, changes: &Changes) -> Attributes {
    asked.retain(|name, _| changes.has(name));
    asked
}

/// Adds attributes to the returned values, named as amazon.aws names them: `idle_timeout_timeout_seconds`.
fn put_attributes(members: &mut Map<String, Json>, attributes: &Attributes) {
    for (name, value) in attributes {
        members.insert(name.replace('.', "_"), value.as_str().into());
    }
}

/// Returns the desired attributes, without those that are not given.
fn wanted<const N: usize>(pairs: [(&str, Option<String>); N]) -> Attributes {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// Returns tags as the API takes them.
fn sdk_tags(tags: Option<&Tags>) -> Option<Vec<Tag>> {
    let tags = tags.filter(|tags| !tags.is_empty())?;
    Some(tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect())
}

/// Returns the tags of resources, by their ARNs.
async fn tags(aws: &Aws, arns: &[String]) -> Result<BTreeMap<String, Tags>, Error> {
    let mut all = BTreeMap::new();
    // The API describes the tags of up to twenty resources.
    for some in arns.chunks(20) {
        let request = aws.elb().describe_tags().set_resource_arns(Some(some.to_vec()));
        let answer = request.send().await.explain("elasticloadbalancing:DescribeTags")?;
        for found in answer.tag_descriptions.unwrap_or_default() {
            let pair = |tag: &Tag| {
                (tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned())
            };
            let tags = found.tags().iter().map(pair).collect();
            all.insert(found.resource_arn().unwrap_or_default().to_owned(), tags);
        }
    }
    Ok(all)
}

/// Sets and removes the tags of a resource.
async fn change_tags(aws: &Aws, arn: &str, changes: &TagChanges) -> Result<(), Failure> {
    if !changes.remove.is_empty() {
        let request = aws.elb().remove_tags().resource_arns(arn).set_tag_keys(Some(changes.remove.clone()));
        request.send().await.explain("elasticloadbalancing:RemoveTags")?;
    }
    if let Some(tags) = sdk_tags(Some(&changes.set)) {
        let request = aws.elb().add_tags().resource_arns(arn).set_tags(Some(tags));
        request.send().await.explain("elasticloadbalancing:AddTags")?;
    }
    Ok(())
}

/// Rejects a name that the API rejects.
fn check_name(kind: &str, name: &str) -> Result<(), Failure> {
    let reason = if name.is_empty() || name.len() > 32 {
        "must have 1 to 32 characters"
    } else if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        "may contain only letters, digits and hyphens"
    } else if name.starts_with('-') || name.ends_with('-') {
        "must not begin or end with a hyphen"
    } else if name.starts_with("internal-") {
        "must not begin with 'internal-'"
    } else {
        return Ok(());
    };
    Err(Failure::new(format!("the name of a {kind} {reason}: '{name}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_api_rejects_is_named_with_the_reason() {
        assert!(check_name("target group", "web-1").is_ok());
        let message = |name: &str| check_name("target group", name).unwrap_err().error.to_string();
        assert!(message("web_1").contains("letters, digits and hyphens: 'web_1'"));
        assert!(message("-web").contains("begin or end"));
        assert!(message(&"x".repeat(33)).contains("32 characters"));
    }
}
