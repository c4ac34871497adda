//! `elb_target_group_info`: describes target groups.

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{complete, targets};
use crate::client::Aws;
use crate::connection::Connection;
use crate::elb;
use crate::error::Explain;
use crate::json::ToJson;

/// Describes target groups of load balancers.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["load_balancer_arn", "target_group_arns", "names"]]))]
pub(crate) struct ElbTargetGroupInfo {
    /// The ARN of the load balancer whose target groups to describe.
    pub load_balancer_arn: Option<String>,
    /// The ARNs of the target groups.
    pub target_group_arns: Option<Vec<String>>,
    /// The names of the target groups.
    pub names: Option<Vec<String>>,
    /// Whether to return the health of the targets.
    #[serde(default)]
    pub collect_targets_health: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for ElbTargetGroupInfo {
    const DOC: Doc = Doc {
        name: "elb_target_group_info",
        collection: "community.aws",
        aliases: &["amazon.aws.elb_target_group_info"],
        short: "Describe target groups of load balancers",
        check_mode: "Full: it only reads.",
        returns: &[(
            "target_groups",
            "list",
            "The target groups with their attributes and tags, members in snake_case; targets_health_description if asked.",
        )],
        examples: "\
- name: The targets of the web service
  elb_target_group_info:
    names: [web]
    collect_targets_health: true
  register: groups

- name: The target groups of a load balancer
  elb_target_group_info: {load_balancer_arn: \"{{ balancer.load_balancer_arn }}\"}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let request = aws
            .elb()
            .describe_target_groups()
            .set_load_balancer_arn(self.load_balancer_arn)
            .set_target_group_arns(self.target_group_arns.filter(|arns| !arns.is_empty()))
            .set_names(self.names.filter(|names| !names.is_empty()));
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        let action = "elasticloadbalancing:DescribeTargetGroups";
        let groups = found.missing(action, &targets::MISSING)?.unwrap_or_default();
        let arns: Vec<String> = groups.iter().filter_map(|group| group.target_group_arn.clone()).collect();
        let mut tags = elb::tags(&aws, &arns).await?;
        let mut all = Vec::new();
        for (group, arn) in groups.into_iter().zip(&arns) {
            let tags = tags.remove(arn).unwrap_or_default();
            let current = complete(&aws, group, tags, self.collect_targets_health).await?;
            let mut json = Json::Object(current.returned());
            if self.collect_targets_health {
                json["targets_health_description"] = current.targets.to_json();
            }
            all.push(json);
        }
        Ok(aws.finish(Outcome::changed(false).with("target_groups", Value::from_json(all.into()))))
    }
}
