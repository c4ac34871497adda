//! `cloudwatchlogs_log_group_info`: describes log groups.

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{describe, described, with_tags};
use crate::client::Aws;
use crate::connection::Connection;

/// Describes log groups.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct CloudwatchlogsLogGroupInfo {
    /// The prefix of the names, by default all groups.
    pub log_group_name: Option<String>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for CloudwatchlogsLogGroupInfo {
    const DOC: Doc = Doc {
        name: "cloudwatchlogs_log_group_info",
        collection: "amazon.aws",
        aliases: &["community.aws.cloudwatchlogs_log_group_info"],
        short: "Describe log groups of CloudWatch Logs",
        check_mode: "Full: it only reads.",
        returns: &[(
            "log_groups",
            "list",
            "The groups as DescribeLogGroups tells them, members in snake_case, with their tags.",
        )],
        examples: "\
- name: The groups of ECS
  cloudwatchlogs_log_group_info: {log_group_name: /ecs/}
  register: logs

- name: All groups
  cloudwatchlogs_log_group_info:
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let mut groups: Vec<Json> = Vec::new();
        for group in describe(&aws, self.log_group_name).await? {
            groups.push(described(&with_tags(&aws, group).await?).into());
        }
        Ok(aws.finish(Outcome::changed(false).with("log_groups", Value::from_json(groups.into()))))
    }
}
