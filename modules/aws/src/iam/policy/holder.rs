//! What has inline policies: a role, a user or a group. Each has operations of its own that do the same.

use std::collections::BTreeMap;

use playbook_api::Error;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::client::Aws;
use crate::document;
use crate::error::Explain;

/// What has inline policies.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A user.
    User,
    /// A group of users.
    Group,
    /// A role.
    Role,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Group => "group",
            Kind::Role => "role",
        }
    }

    /// Returns the member of the result that names what has the policies.
    pub(super) fn member(self) -> &'static str {
        match self {
            Kind::User => "user_name",
            Kind::Group => "group_name",
            Kind::Role => "role_name",
        }
    }

    /// Returns the type of the policy in the terms of CloudFormation.
    pub(super) fn resource(self) -> &'static str {
        match self {
            Kind::User => "AWS::IAM::UserPolicy",
            Kind::Group => "AWS::IAM::GroupPolicy",
            Kind::Role => "AWS::IAM::RolePolicy",
        }
    }
}

/// One role, user or group.
pub(super) struct Holder<'a> {
    pub aws: &'a Aws,
    pub kind: Kind,
    pub name: &'a str,
}

impl Holder<'_> {
    async fn names(&self) -> Result<Vec<String>, Error> {
        let (iam, name) = (self.aws.iam(), self.name);
        match self.kind {
            Kind::User => {
                let request = iam.list_user_policies().user_name(name);
                let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
                found.explain("iam:ListUserPolicies")
            }
            Kind::Group => {
                let request = iam.list_group_policies().group_name(name);
                let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
                found.explain("iam:ListGroupPolicies")
            }
            Kind::Role => {
                let request = iam.list_role_policies().role_name(name);
                let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
                found.explain("iam:ListRolePolicies")
            }
        }
    }

    async fn document(&self, policy: &str) -> Result<Json, Error> {
        let (iam, name) = (self.aws.iam(), self.name);
        let text = match self.kind {
            Kind::User => {
                let request = iam.get_user_policy().user_name(name).policy_name(policy);
                request.send().await.explain("iam:GetUserPolicy")?.policy_document
            }
            Kind::Group => {
                let request = iam.get_group_policy().group_name(name).policy_name(policy);
                request.send().await.explain("iam:GetGroupPolicy")?.policy_document
            }
            Kind::Role => {
                let request = iam.get_role_policy().role_name(name).policy_name(policy);
                request.send().await.explain("iam:GetRolePolicy")?.policy_document
            }
        };
        Ok(document::decode(&text))
    }

    /// Returns the documents of the inline policies by their names.
    pub(super) async fn policies(&self) -> Result<BTreeMap<String, Json>, Error> {
        let mut policies = BTreeMap::new();
        for name in self.names().await? {
            let document = self.document(&name).await?;
            policies.insert(name, document);
        }
        Ok(policies)
    }

    pub(super) async fn put(&self, policy: &str, document: &Json) -> Result<(), Error> {
        let (iam, name, text) = (self.aws.iam(), self.name, document.to_string());
        match self.kind {
            Kind::User => {
                let request = iam.put_user_policy().user_name(name).policy_name(policy).policy_document(text);
                request.send().await.explain("iam:PutUserPolicy").map(drop)
            }
            Kind::Group => {
                let request =
                    iam.put_group_policy().group_name(name).policy_name(policy).policy_document(text);
                request.send().await.explain("iam:PutGroupPolicy").map(drop)
            }
            Kind::Role => {
                let request = iam.put_role_policy().role_name(name).policy_name(policy).policy_document(text);
                request.send().await.explain("iam:PutRolePolicy").map(drop)
            }
        }
    }

    pub(super) async fn delete(&self, policy: &str) -> Result<(), Error> {
        let (iam, name) = (self.aws.iam(), self.name);
        match self.kind {
            Kind::User => {
                let request = iam.delete_user_policy().user_name(name).policy_name(policy);
                request.send().await.explain("iam:DeleteUserPolicy").map(drop)
            }
            Kind::Group => {
                let request = iam.delete_group_policy().group_name(name).policy_name(policy);
                request.send().await.explain("iam:DeleteGroupPolicy").map(drop)
            }
            Kind::Role => {
                let request = iam.delete_role_policy().role_name(name).policy_name(policy);
                request.send().await.explain("iam:DeleteRolePolicy").map(drop)
            }
        }
    }
}
