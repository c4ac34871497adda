//! `ec2_vpc_net_info`: describes VPCs.

use std::collections::BTreeMap;

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{Ec2VpcNet, described};
use crate::client::Aws;
use crate::connection::Connection;
use crate::ec2::filters;
use crate::error::Explain;

/// Describes VPCs.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Ec2VpcNetInfo {
    /// The IDs of the VPCs, by default all of them.
    pub vpc_ids: Option<Vec<String>>,
    /// The filters of DescribeVpcs, by name; each has a value or a list of values.
    #[schemars(extend("type" = "object"))]
    pub filters: Option<BTreeMap<String, Json>>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for Ec2VpcNetInfo {
    const DOC: Doc = Doc {
        name: "ec2_vpc_net_info",
        collection: "amazon.aws",
        short: "Describe VPCs",
        check_mode: "Full: it only reads.",
        returns: &[(
            "vpcs",
            "list",
            "The VPCs as DescribeVpcs tells them, members in snake_case, with enable_dns_support and enable_dns_hostnames.",
        )],
        examples: "\
- name: The network of production
  ec2_vpc_net_info:
    filters: {\"tag:Name\": production}
  register: networks

- name: All networks
  ec2_vpc_net_info:
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let request =
            aws.ec2().describe_vpcs().set_vpc_ids(self.vpc_ids).set_filters(filters(self.filters.as_ref()));
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        let mut vpcs = Vec::new();
        for vpc in found.explain("ec2:DescribeVpcs")? {
            let current = Ec2VpcNet::current(&aws, vpc).await?;
            let mut json = described(&current.vpc);
            json["enable_dns_support"] = json!(current.dns_support);
            json["enable_dns_hostnames"] = json!(current.dns_hostnames);
            vpcs.push(json);
        }
        Ok(aws.finish(Outcome::changed(false).with("vpcs", Value::from_json(vpcs.into()))))
    }
}
