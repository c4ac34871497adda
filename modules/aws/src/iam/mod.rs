//! AWS Identity and Access Management: roles, policies and instance profiles.

mod instance_profile;
mod managed_policy;
mod policy;
mod role;
mod types;

use aws_sdk_iam::types::Tag;
use playbook_api::{ModuleEntry, Registry};

use crate::tags::Tags;

/// Adds the modules of IAM.
pub(crate) fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<instance_profile::IamInstanceProfile>(),
        ModuleEntry::controller::<instance_profile::info::IamInstanceProfileInfo>(),
        ModuleEntry::controller::<managed_policy::IamManagedPolicy>(),
        ModuleEntry::controller::<policy::IamPolicy>(),
        ModuleEntry::controller::<policy::info::IamPolicyInfo>(),
        ModuleEntry::controller::<role::IamRole>(),
        ModuleEntry::controller::<role::info::IamRoleInfo>(),
    ]);
}

/// The code of something that does not exist.
const MISSING: [&str; 2] = ["NoSuchEntity", "NoSuchEntityException"];

/// Returns the tags of a resource.
fn tags(sdk: &[Tag]) -> Tags {
    sdk.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// Returns tags as the API takes them.
fn sdk_tags(tags: Option<&Tags>) -> Option<Vec<Tag>> {
    let tags = tags.filter(|tags| !tags.is_empty())?;
    Some(tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect())
}

/// Returns a path with a slash at both ends.
fn full_path(path: &str) -> String {
    match path.trim_matches('/') {
        "" => "/".to_owned(),
        inner => format!("/{inner}/"),
    }
}
