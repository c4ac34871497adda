//! `rds_instance_info`: describes database instances.

use std::collections::BTreeMap;

use aws_sdk_rds::types::Filter;
use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;
use crate::rds::instance::describe;

/// Describes the database instances of an account and region, or some of them.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct RdsInstanceInfo {
    /// The identifier of one instance.
    #[schemars(extend("aliases" = ["id"]))]
    pub db_instance_identifier: Option<String>,
    /// The filters of the API, each of which is a string or a list of strings: `engine`, `db-cluster-id`,
    /// `db-instance-id`, `dbi-resource-id`.
    #[schemars(extend("type" = "object"))]
    pub filters: Option<BTreeMap<String, Json>>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for RdsInstanceInfo {
    const DOC: Doc = Doc {
        name: "rds_instance_info",
        collection: "amazon.aws",
        aliases: &["community.aws.rds_instance_info"],
        short: "Describe RDS instances",
        check_mode: "Full: it only reads.",
        returns: &[(
            "instances",
            "list",
            "The instances with their tags, members in snake_case; empty where none matches.",
        )],
        examples: "\
- name: Where is the database?
  rds_instance_info: {id: webapp-postgres}
  register: found

- name: Use it
  set_fact:
    database_host: \"{{ found.instances[0].endpoint.address }}\"

- name: All of one engine
  rds_instance_info:
    filters: {engine: postgres}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let text = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        let filters = self.filters.iter().flatten().map(|(name, value)| {
            let values = match value {
                Json::Array(values) => values.iter().map(text).collect(),
                one => vec![text(one)],
            };
            Filter::builder().name(name).set_values(Some(values)).build()
        });
        let filters: Vec<Filter> = filters.collect();
        let mut pages = aws
            .rds()
            .describe_db_instances()
            .set_db_instance_identifier(self.db_instance_identifier.clone())
            .set_filters(Some(filters).filter(|f| !f.is_empty()))
            .into_paginator()
            .items()
            .send();
        let mut instances = Vec::new();
        while let Some(instance) = pages.next().await {
            let missing = ["DBInstanceNotFound", "DBInstanceNotFoundFault"];
            let Some(instance) = instance.missing("rds:DescribeDBInstances", &missing)? else { break };
            instances.push(Value::from_json(describe::to_json(&instance)));
        }
        Ok(aws.finish(Outcome::changed(false).with("instances", instances)))
    }
}
