//! `iam_role_info`: describes roles.

use aws_sdk_iam::types::Role;
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{attached, get, policies, profiles};
use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;
use crate::iam::{full_path, types};
use crate::json::ToJson;

/// Describes IAM roles.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["name", "path_prefix"]]))]
pub(crate) struct IamRoleInfo {
    /// The name of the role, by default all of them.
    #[schemars(extend("aliases" = ["role_name"]))]
    pub name: Option<String>,
    /// The path that the roles are below.
    #[schemars(extend("aliases" = ["path", "prefix"]))]
    pub path_prefix: Option<String>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for IamRoleInfo {
    const DOC: Doc = Doc {
        name: "iam_role_info",
        collection: "amazon.aws",
        aliases: &["community.aws.iam_role_info"],
        short: "Describe IAM roles",
        check_mode: "Full: it only reads.",
        returns: &[(
            "iam_roles",
            "list",
            "The roles, members in snake_case, with inline_policies, managed_policies and instance_profiles.",
        )],
        examples: "\
- name: The role of the web servers
  iam_role_info: {name: web}
  register: roles

- name: The roles of an application
  iam_role_info: {path_prefix: /webapp/}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let roles: Vec<Role> = match &self.name {
            Some(name) => get(&aws, name).await?.into_iter().collect(),
            None => {
                let prefix = self.path_prefix.as_deref().map(full_path);
                let request = aws.iam().list_roles().set_path_prefix(prefix);
                let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
                found.explain("iam:ListRoles")?
            }
        };
        let mut all = Vec::new();
        for role in roles {
            all.push(described(&aws, role).await?);
        }
        Ok(aws.finish(Outcome::changed(false).with("iam_roles", Value::from_json(all.into()))))
    }
}

async fn described(aws: &Aws, role: Role) -> Result<Json, Error> {
    let name = role.role_name();
    let (inline, attached, profiles) =
        tokio::join!(policies::inline(aws, name), attached(aws, name), profiles(aws, name));
    let mut json = types::role(&role);
    json["assume_role_policy_document_raw"] = json["assume_role_policy_document"].clone();
    json["inline_policies"] = json!(inline?);
    json["managed_policies"] = attached?.to_json();
    json["instance_profiles"] = profiles?.iter().map(types::instance_profile).collect();
    Ok(json)
}
