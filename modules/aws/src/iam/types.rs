//! The types of IAM as modules return them.

use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, InstanceProfile, PermissionsBoundaryAttachmentType, Policy,
    Role, RoleLastUsed,
};
use serde_json::{Value as Json, json};

use super::tags;
use crate::document;
use crate::json::{ToJson, to_json};
use crate::tags as tag;

to_json! {
    struct AttachedPolicy { policy_arn, policy_name }
    struct AttachedPermissionsBoundary { permissions_boundary_arn, permissions_boundary_type }
    enum PermissionsBoundaryAttachmentType;
    struct RoleLastUsed { last_used_date, region }

    struct Policy {
        arn, attachment_count, create_date, default_version_id, description, is_attachable, path,
        permissions_boundary_usage_count, policy_id, policy_name, update_date,
    }
}

/// Returns a role as the modules return it, with its trust policy as a dictionary.
pub(super) fn role(role: &Role) -> Json {
    let mut json = json!({
        "arn": role.arn(),
        "create_date": role.create_date().to_json(),
        "path": role.path(),
        "role_id": role.role_id(),
        "role_name": role.role_name(),
        "role_last_used": role.role_last_used().map_or_else(|| json!({}), ToJson::to_json),
        "tags": tag::to_json(&tags(role.tags())),
    });
    if let Some(text) = role.assume_role_policy_document() {
        json["assume_role_policy_document"] = document::decode(text);
    }
    if let Some(text) = role.description() {
        json["description"] = json!(text);
    }
    if let Some(seconds) = role.max_session_duration() {
        json["max_session_duration"] = json!(seconds);
    }
    if let Some(boundary) = role.permissions_boundary() {
        json["permissions_boundary"] = boundary.to_json();
    }
    json
}

/// Returns an instance profile as the modules return it.
pub(super) fn instance_profile(profile: &InstanceProfile) -> Json {
    json!({
        "arn": profile.arn(),
        "create_date": profile.create_date().to_json(),
        "instance_profile_id": profile.instance_profile_id(),
        "instance_profile_name": profile.instance_profile_name(),
        "path": profile.path(),
        "roles": profile.roles().iter().map(role).collect::<Vec<Json>>(),
        "tags": tag::to_json(&tags(profile.tags())),
    })
}
