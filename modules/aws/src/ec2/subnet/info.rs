//! `ec2_vpc_subnet_info`: describes subnets.

use std::collections::BTreeMap;

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use super::described;
use crate::client::Aws;
use crate::connection::Connection;
use crate::ec2::filters;
use crate::error::Explain;

/// Describes subnets.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Ec2VpcSubnetInfo {
    /// The IDs of the subnets, by default all of them.
    #[schemars(extend("aliases" = ["subnet_id"]))]
    #[serde(default)]
    pub subnet_ids: Vec<String>,
    /// The filters of DescribeSubnets, by name; each has a value or a list of values.
    #[schemars(extend("type" = "object"))]
    pub filters: Option<BTreeMap<String, Json>>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for Ec2VpcSubnetInfo {
    const DOC: Doc = Doc {
        name: "ec2_vpc_subnet_info",
        collection: "amazon.aws",
        short: "Describe subnets of VPCs",
        check_mode: "Full: it only reads.",
        returns: &[("subnets", "list", "The subnets as DescribeSubnets tells them, members in snake_case.")],
        examples: "\
- name: The subnets of a network
  ec2_vpc_subnet_info:
    filters: {vpc-id: \"{{ network.vpc.id }}\"}
  register: subnets

- name: All subnets
  ec2_vpc_subnet_info:
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let ids = Some(self.subnet_ids).filter(|ids| !ids.is_empty());
        let request =
            aws.ec2().describe_subnets().set_subnet_ids(ids).set_filters(filters(self.filters.as_ref()));
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        let subnets: Json = found.explain("ec2:DescribeSubnets")?.iter().map(described).collect();
        Ok(aws.finish(Outcome::changed(false).with("subnets", Value::from_json(subnets))))
    }
}
