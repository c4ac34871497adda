//! `ec2_security_group_info`: describes security groups.

use std::collections::BTreeMap;

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{describe, described};
use crate::client::Aws;
use crate::connection::Connection;
use crate::ec2::filters;

/// Describes security groups.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Ec2SecurityGroupInfo {
    /// The filters of DescribeSecurityGroups, by name; each has a value or a list of values.
    #[schemars(extend("type" = "object"))]
    pub filters: Option<BTreeMap<String, Json>>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for Ec2SecurityGroupInfo {
    const DOC: Doc = Doc {
        name: "ec2_security_group_info",
        collection: "amazon.aws",
        aliases: &["ec2_group_info"],
        short: "Describe security groups",
        check_mode: "Full: it only reads.",
        returns: &[(
            "security_groups",
            "list",
            "The groups as DescribeSecurityGroups tells them, members in snake_case.",
        )],
        examples: "\
- name: The groups of a network
  ec2_security_group_info:
    filters: {vpc-id: \"{{ network.vpc.id }}\"}
  register: groups

- name: All groups
  ec2_security_group_info:
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let found = describe(&aws, filters(self.filters.as_ref()).unwrap_or_default()).await?;
        let groups: Json = found.iter().map(described).collect();
        Ok(aws.finish(Outcome::changed(false).with("security_groups", Value::from_json(groups))))
    }
}
