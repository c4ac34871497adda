//! `iam_policy_info`: returns the inline policies of a role, user or group.

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::holder::{Holder, Kind};
use crate::client::Aws;
use crate::connection::Connection;

/// Returns the inline policies of a role, user or group.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct IamPolicyInfo {
    /// What has the policies.
    pub iam_type: Kind,
    /// The name of the role, user or group.
    pub iam_name: String,
    /// The name of the policy, by default all of them.
    pub policy_name: Option<String>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for IamPolicyInfo {
    const DOC: Doc = Doc {
        name: "iam_policy_info",
        collection: "amazon.aws",
        aliases: &["community.aws.iam_policy_info"],
        short: "Return inline IAM policies",
        check_mode: "Full: it only reads.",
        returns: &[
            ("policies", "list", "The policies, each with policy_name and policy_document."),
            ("policy_names", "list", "Their names."),
            ("all_policy_names", "list", "The names of all inline policies of the role, user or group."),
        ],
        examples: "\
- name: What the web servers may do
  iam_policy_info: {iam_type: role, iam_name: web}
  register: rights

- name: One policy
  iam_policy_info: {iam_type: role, iam_name: web, policy_name: read-settings}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let holder = Holder { aws: &aws, kind: self.iam_type, name: &self.iam_name };
        let mut policies = holder.policies().await?;
        let all: Vec<Value> = policies.keys().map(|name| Value::from(name.as_str())).collect();
        if let Some(asked) = &self.policy_name {
            policies.retain(|name, _| name == asked);
        }
        let names: Vec<Value> = policies.keys().map(|name| Value::from(name.as_str())).collect();
        let policies: Json = policies
            .into_iter()
            .map(|(name, document)| json!({"policy_name": name, "policy_document": document}))
            .collect();
        let outcome = Outcome::changed(false)
            .with(self.iam_type.member(), self.iam_name.as_str())
            .with("policies", Value::from_json(policies))
            .with("policy_names", names)
            .with("all_policy_names", all);
        Ok(aws.finish(outcome))
    }
}
