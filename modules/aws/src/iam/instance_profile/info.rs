//! `iam_instance_profile_info`: describes instance profiles.

use aws_sdk_iam::types::InstanceProfile;
use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use super::get;
use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;
use crate::iam::{full_path, types};

/// Describes instance profiles.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["name", "path_prefix"]]))]
pub(crate) struct IamInstanceProfileInfo {
    /// The name of the instance profile, by default all of them.
    #[schemars(extend("aliases" = ["instance_profile_name"]))]
    pub name: Option<String>,
    /// The path that the instance profiles are below.
    #[schemars(extend("aliases" = ["path", "prefix"]))]
    pub path_prefix: Option<String>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for IamInstanceProfileInfo {
    const DOC: Doc = Doc {
        name: "iam_instance_profile_info",
        collection: "amazon.aws",
        aliases: &["community.aws.iam_instance_profile_info"],
        short: "Describe instance profiles",
        check_mode: "Full: it only reads.",
        returns: &[(
            "iam_instance_profiles",
            "list",
            "The instance profiles with their roles, members in snake_case.",
        )],
        examples: "\
- name: The profile of the web servers
  iam_instance_profile_info: {name: web}
  register: profiles

- name: All profiles of an application
  iam_instance_profile_info: {path_prefix: /webapp/}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let profiles: Vec<InstanceProfile> = match &self.name {
            Some(name) => get(&aws, name).await?.into_iter().collect(),
            None => {
                let prefix = self.path_prefix.as_deref().map(full_path);
                let request = aws.iam().list_instance_profiles().set_path_prefix(prefix);
                let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
                found.explain("iam:ListInstanceProfiles")?
            }
        };
        let all: Vec<Json> = profiles.iter().map(types::instance_profile).collect();
        Ok(aws.finish(Outcome::changed(false).with("iam_instance_profiles", Value::from_json(all.into()))))
    }
}
