//! The arguments of `iam_role`.

use playbook_api::Failure;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::connection::Connection;
use crate::document;
use crate::resource::Existence;
use crate::tags::Tags;

/// Creates, changes or deletes an IAM role.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["assume_role_policy_document"]]]))]
pub(crate) struct IamRole {
    /// The name, which is unique in the account.
    #[schemars(extend("aliases" = ["role_name"]))]
    pub name: String,
    /// The path. It cannot be changed; the default is `/`.
    #[schemars(extend("aliases" = ["prefix", "path_prefix"]))]
    pub path: Option<String>,
    /// The trust policy, which says who may assume the role: a dictionary or its JSON.
    #[schemars(extend("format" = "raw"))]
    pub assume_role_policy_document: Option<Json>,
    /// The description.
    pub description: Option<String>,
    /// The ARN of the managed policy that bounds what the role may do; empty for none. The default is the current one.
    #[schemars(extend("aliases" = ["boundary_policy_arn"]))]
    pub boundary: Option<String>,
    /// The ARNs or names of the managed policies. Without them, policies stay as they are.
    #[schemars(extend("aliases" = ["managed_policy"]))]
    pub managed_policies: Option<Vec<String>>,
    /// Whether to detach managed policies that are not listed in `managed_policies`.
    #[serde(default = "playbook_api::defaults::yes")]
    #[schemars(extend("aliases" = ["purge_policy", "purge_managed_policies"]))]
    pub purge_policies: bool,
    /// The maximum number of seconds for which a session is valid, 3600 to 43200. It is 3600 for a new role.
    pub max_session_duration: Option<i32>,
    /// Whether to create an instance profile of the same name. The default is true. `iam_instance_profile` manages them, too.
    pub create_instance_profile: Option<bool>,
    /// Whether to delete the instance profile of the same name with the role. The default is false.
    pub delete_instance_profile: Option<bool>,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the role is to exist.
    #[serde(default)]
    pub state: Existence,
    /// Whether to wait until the role exists, or is gone.
    #[serde(default = "playbook_api::defaults::yes")]
    pub wait: bool,
    /// The maximum number of seconds to wait.
    #[serde(default = "two_minutes")]
    pub wait_timeout: i64,
    #[serde(flatten)]
    pub connection: Connection,
}

fn two_minutes() -> i64 {
    120
}

impl IamRole {
    /// Rejects arguments that IAM rejects.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.trust()?;
        if self.max_session_duration.is_some_and(|seconds| !(3600..=43200).contains(&seconds)) {
            return Err(Failure::new(
                "max_session_duration must be between 1 and 12 hours (3600 and 43200 seconds)",
            ));
        }
        match self.boundary.as_deref() {
            Some(arn) if !arn.is_empty() && self.wants_profile() => Err(Failure::new(
                "When using a boundary policy, `create_instance_profile` must be set to `false`.",
            )
            .with_help("Set `create_instance_profile: false`, or leave `boundary` out.")),
            Some(arn) if !arn.is_empty() && !arn.starts_with("arn:") => {
                Err(Failure::new(format!("boundary '{arn}' is not the ARN of a policy")))
            }
            _ => Ok(()),
        }
    }

    /// Returns the trust policy as a dictionary.
    pub(super) fn trust(&self) -> Result<Option<Json>, Failure> {
        let given = self.assume_role_policy_document.as_ref();
        given.map(|given| document::parse("assume_role_policy_document", given)).transpose()
    }

    /// Returns whether the role is to have an instance profile.
    pub(super) fn wants_profile(&self) -> bool {
        self.create_instance_profile != Some(false)
    }
}
