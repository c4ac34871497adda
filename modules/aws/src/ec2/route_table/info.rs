//! `ec2_vpc_route_table_info`: describes route tables.

use std::collections::BTreeMap;

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use super::described;
use crate::client::Aws;
use crate::connection::Connection;
use crate::ec2::filters;
use crate::error::Explain;

/// Describes route tables.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Ec2VpcRouteTableInfo {
    /// The filters of DescribeRouteTables, by name; each has a value or a list of values.
    #[schemars(extend("type" = "object"))]
    pub filters: Option<BTreeMap<String, Json>>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for Ec2VpcRouteTableInfo {
    const DOC: Doc = Doc {
        name: "ec2_vpc_route_table_info",
        collection: "amazon.aws",
        short: "Describe route tables of VPCs",
        check_mode: "Full: it only reads.",
        returns: &[(
            "route_tables",
            "list",
            "The tables as DescribeRouteTables tells them, members in snake_case.",
        )],
        examples: "\
- name: The tables of a network
  ec2_vpc_route_table_info:
    filters: {vpc-id: \"{{ network.vpc.id }}\"}
  register: tables

- name: All tables
  ec2_vpc_route_table_info:
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let request = aws.ec2().describe_route_tables().set_filters(filters(self.filters.as_ref()));
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        let mut tables: Vec<Json> = found.explain("ec2:DescribeRouteTables")?.iter().map(described).collect();
        for table in &mut tables {
            for association in table["associations"].as_array_mut().into_iter().flatten() {
                association["id"] = association["route_table_association_id"].clone();
            }
            for route in table["routes"].as_array_mut().into_iter().flatten() {
                let interface = route["network_interface_id"].clone();
                route["interface_id"] = interface.clone();
                route["network_interface_id"] = interface;
                route["instance_id"] = route["instance_id"].clone();
                route["gateway_id"] = route["gateway_id"].clone();
            }
        }
        Ok(aws.finish(Outcome::changed(false).with("route_tables", Value::from_json(tables.into()))))
    }
}
