//! `ec2_vpc_igw_info`: describes internet gateways.

use std::collections::BTreeMap;

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::client::Aws;
use crate::connection::Connection;
use crate::ec2::{filters, tags};
use crate::error::Explain;
use crate::json::ToJson;
use crate::tags as tag;

/// Describes internet gateways.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Ec2VpcIgwInfo {
    /// The IDs of the gateways, by default all of them.
    pub internet_gateway_ids: Option<Vec<String>>,
    /// The filters of DescribeInternetGateways, by name; each has a value or a list of values.
    #[schemars(extend("type" = "object"))]
    pub filters: Option<BTreeMap<String, Json>>,
    /// Whether tags are returned as a dictionary rather than as a list of `key` and `value`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub convert_tags: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for Ec2VpcIgwInfo {
    const DOC: Doc = Doc {
        name: "ec2_vpc_igw_info",
        collection: "amazon.aws",
        short: "Describe internet gateways",
        check_mode: "Full: it only reads.",
        returns: &[(
            "internet_gateways",
            "list",
            "The gateways as DescribeInternetGateways tells them: internet_gateway_id, attachments, tags.",
        )],
        examples: "\
- name: The gateway of a network
  ec2_vpc_igw_info:
    filters: {attachment.vpc-id: \"{{ network.vpc.id }}\"}
  register: gateways

- name: All gateways
  ec2_vpc_igw_info:
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let request = aws
            .ec2()
            .describe_internet_gateways()
            .set_internet_gateway_ids(self.internet_gateway_ids)
            .set_filters(filters(self.filters.as_ref()));
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        let gateways = found.explain("ec2:DescribeInternetGateways")?;
        let described = gateways.iter().map(|gateway| {
            let mut json = gateway.to_json();
            let tags = tags(gateway.tags());
            json["tags"] = match self.convert_tags {
                true => tag::to_json(&tags),
                false => tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect(),
            };
            json
        });
        let described: Json = described.collect();
        Ok(aws.finish(Outcome::changed(false).with("internet_gateways", Value::from_json(described))))
    }
}
