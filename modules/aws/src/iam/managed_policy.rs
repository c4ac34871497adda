//! `iam_managed_policy`: creates, changes and deletes managed policies.

use aws_sdk_iam::types::{Policy, PolicyScopeType, PolicyVersion};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::{MISSING, full_path, sdk_tags, tags};
use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::document;
use crate::error::Explain;
use crate::json::ToJson;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};

/// The number of versions that IAM keeps of a policy.
const MOST_VERSIONS: usize = 5;

/// Creates, changes or deletes a managed policy.
///
/// Another document is another version of the policy. A document that a version already has is not stored again.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct IamManagedPolicy {
    /// The name, which is unique in the account.
    #[schemars(extend("aliases" = ["policy_name"]))]
    pub name: String,
    /// The path. It cannot be changed; the default is `/`.
    #[schemars(extend("aliases" = ["prefix", "path_prefix"]))]
    pub path: Option<String>,
    /// The description. It cannot be changed.
    #[schemars(extend("aliases" = ["policy_description"]))]
    pub description: Option<String>,
    /// The document: a dictionary or its JSON. A new policy requires it.
    #[schemars(extend("format" = "raw"))]
    pub policy: Option<Json>,
    /// Whether the version with this document becomes the default one, which is in force.
    #[serde(default = "playbook_api::defaults::yes")]
    pub make_default: bool,
    /// Whether to delete all versions that are not the default one.
    #[serde(default)]
    pub only_version: bool,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the policy is to exist. A policy that is deleted is detached from everything first.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for IamManagedPolicy {
    const DOC: Doc = Doc {
        name: "iam_managed_policy",
        collection: "amazon.aws",
        aliases: &["community.aws.iam_managed_policy"],
        short: "Create, change or delete a managed IAM policy",
        returns: &[(
            "policy",
            "dict",
            "The policy as GetPolicy tells it, members in snake_case: arn, policy_name, policy_id, default_version_id, attachment_count, tags, …",
        )],
        examples: "\
- name: A policy for reading
  iam_managed_policy:
    name: read-assets
    policy:
      Version: \"2012-10-17\"
      Statement:
        - {Effect: Allow, Action: \"s3:GetObject\", Resource: \"arn:aws:s3:::assets/*\"}
    only_version: true
  register: read_assets

- name: Delete it
  iam_managed_policy: {name: read-assets, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.document()?;
        resource::apply(self, context).await
    }
}

/// A policy with its versions.
pub(crate) struct Current {
    policy: Policy,
    versions: Vec<Version>,
}

struct Version {
    version: PolicyVersion,
    document: Json,
}

impl Version {
    fn id(&self) -> &str {
        self.version.version_id().unwrap_or_default()
    }
}

impl Current {
    fn arn(&self) -> &str {
        self.policy.arn().unwrap_or_default()
    }

    fn default(&self) -> Option<&Version> {
        self.versions.iter().find(|version| version.version.is_default_version())
    }
}

/// What happens to the versions of a policy.
#[derive(Default)]
struct Plan<'a> {
    /// The document of a new version.
    create: Option<Json>,
    /// The existing version that becomes the default one.
    make_default: Option<&'a str>,
    /// The versions to delete before a new one is created.
    delete_first: Vec<&'a str>,
    /// The versions to delete in the end.
    delete: Vec<&'a str>,
}

impl IamManagedPolicy {
    fn document(&self) -> Result<Option<Json>, Failure> {
        self.policy.as_ref().map(|given| document::parse("policy", given)).transpose()
    }

    fn plan<'a>(&self, current: &'a Current) -> Result<Plan<'a>, Failure> {
        let mut plan = Plan::default();
        let mut default = current.default().map(Version::id);
        if let Some(asked) = self.document()? {
            // The default version counts first, so that nothing changes if several have the document.
            let same = |version: &&Version| document::equal(&asked, &version.document);
            let existing = current.default().filter(same).or_else(|| current.versions.iter().find(same));
            match existing {
                Some(version) if self.make_default && Some(version.id()) != default => {
                    plan.make_default = Some(version.id());
                    default = Some(version.id());
                }
                Some(_) => {}
                None => {
                    plan.create = Some(asked);
                    if current.versions.len() >= MOST_VERSIONS {
                        let others =
                            current.versions.iter().filter(|version| !version.version.is_default_version());
                        let oldest = others.min_by_key(|version| number(version.id()));
                        plan.delete_first.extend(oldest.map(Version::id));
                    }
                    if self.make_default {
                        default = None;
                    }
                }
            }
        }
        if self.only_version {
            let others = current.versions.iter().map(Version::id);
            plan.delete =
                others.filter(|id| Some(*id) != default && !plan.delete_first.contains(id)).collect();
        }
        Ok(plan)
    }

    async fn delete_version(aws: &Aws, arn: &str, id: &str) -> Result<(), Failure> {
        let request = aws.iam().delete_policy_version().policy_arn(arn).version_id(id);
        Ok(request.send().await.explain("iam:DeletePolicyVersion").map(drop)?)
    }
}

/// Returns the number of a version: 12 for `v12`.
fn number(id: &str) -> u64 {
    id.trim_start_matches('v').parse().unwrap_or(0)
}

impl Resource for IamManagedPolicy {
    type Current = Current;

    const KIND: &'static str = "policy";
    const TYPE: &'static str = "AWS::IAM::ManagedPolicy";
    const UNKNOWN: &'static [&'static str] = &["policy.arn", "policy.policy_id"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.name,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let request = aws.iam().list_policies().scope(PolicyScopeType::Local);
        let mut pages = request.into_paginator().items().send();
        let arn = loop {
            let Some(policy) = pages.next().await else { return Ok(None) };
            let policy = policy.explain("iam:ListPolicies")?;
            if policy.policy_name() == Some(&self.name) {
                break policy.arn.unwrap_or_default();
            }
        };
        let answer = aws.iam().get_policy().policy_arn(&arn).send().await;
        let answer = answer.missing("iam:GetPolicy", &MISSING)?;
        let Some(policy) = answer.and_then(|answer| answer.policy) else { return Ok(None) };
        let request = aws.iam().list_policy_versions().policy_arn(&arn);
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        let mut versions = Vec::new();
        for version in found.explain("iam:ListPolicyVersions")? {
            let id = version.version_id().unwrap_or_default();
            let request = aws.iam().get_policy_version().policy_arn(&arn).version_id(id);
            let answer = request.send().await.explain("iam:GetPolicyVersion")?;
            let text = answer.policy_version.and_then(|version| version.document);
            let document = text.as_deref().map_or(Json::Null, document::decode);
            versions.push(Version { version, document });
        }
        Ok(Some(Current { policy, versions }))
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity { id: self.name.clone(), arn: Some(current.arn().to_owned()), ..Identity::default() }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        tags(current.policy.tags())
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        let mut policy = current.policy.to_json();
        policy["tags"] = tag::to_json(&tags(current.policy.tags()));
        Map::from_iter([("policy".to_owned(), policy)])
    }

    fn returned_absent(&self, deleted: Option<&Current>) -> Map<String, Json> {
        match deleted {
            Some(current) => self.returned(current),
            None => Map::from_iter([("policy".to_owned(), Json::Null)]),
        }
    }

    fn foreseen(&self) -> Map<String, Json> {
        let policy = json!({
            "policy_name": self.name,
            "path": full_path(self.path.as_deref().unwrap_or("/")),
            "description": self.description,
            "default_version_id": "v1",
            "attachment_count": 0,
            "is_attachable": true,
            "tags": tag::of_new(self.tags.as_ref()),
        });
        Map::from_iter([("policy".to_owned(), policy)])
    }

    fn check_creation(&self) -> Result<(), Failure> {
        match self.policy {
            Some(_) => Ok(()),
            None => Err(Failure::new("Managed policy would be created but policy parameter is missing")
                .with_help("Give the document as `policy`.")),
        }
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let plan = self.plan(current)?;
        let is = || current.default().map_or(Json::Null, |version| version.document.clone());
        if let Some(asked) = plan.create {
            changes.note("policy", is(), asked);
        }
        if let Some(id) = plan.make_default {
            let version = current.versions.iter().find(|version| version.id() == id);
            changes.note("policy", is(), version.map_or(Json::Null, |version| version.document.clone()));
        }
        if !plan.delete.is_empty() {
            let all: Vec<&str> = current.versions.iter().map(Version::id).collect();
            let left: Vec<&str> = all.iter().filter(|id| !plan.delete.contains(id)).copied().collect();
            changes.note("versions", json!(all), json!(left));
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        let answer = aws
            .iam()
            .create_policy()
            .policy_name(&self.name)
            .set_path(self.path.as_deref().map(full_path))
            .set_description(self.description.clone())
            .set_policy_document(self.document()?.map(|document| document.to_string()))
            .set_tags(sdk_tags(self.tags.as_ref()))
            .send()
            .await
            .explain("iam:CreatePolicy")?;
        let policy = answer.policy.unwrap_or_else(|| Policy::builder().is_attachable(true).build());
        Ok(Current { policy, versions: Vec::new() })
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        let plan = self.plan(current)?;
        let arn = current.arn();
        for id in plan.delete_first {
            Self::delete_version(aws, arn, id).await?;
        }
        if let Some(document) = plan.create {
            let request = aws
                .iam()
                .create_policy_version()
                .policy_arn(arn)
                .policy_document(document.to_string())
                .set_as_default(self.make_default);
            request.send().await.explain("iam:CreatePolicyVersion")?;
        }
        if let Some(id) = plan.make_default {
            let request = aws.iam().set_default_policy_version().policy_arn(arn).version_id(id);
            request.send().await.explain("iam:SetDefaultPolicyVersion")?;
        }
        for id in plan.delete {
            Self::delete_version(aws, arn, id).await?;
        }
        Ok(())
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        if !changes.remove.is_empty() {
            let request = aws.iam().untag_policy().policy_arn(current.arn());
            let request = request.set_tag_keys(Some(changes.remove.clone()));
            request.send().await.explain("iam:UntagPolicy")?;
        }
        if let Some(tags) = sdk_tags(Some(&changes.set)) {
            let request = aws.iam().tag_policy().policy_arn(current.arn()).set_tags(Some(tags));
            request.send().await.explain("iam:TagPolicy")?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, current: &Current, _context: &Context) -> Result<(), Failure> {
        let arn = current.arn();
        let mut pages = aws.iam().list_entities_for_policy().policy_arn(arn).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.explain("iam:ListEntitiesForPolicy")?;
            for role in page.policy_roles() {
                let request = aws.iam().detach_role_policy().policy_arn(arn);
                let request = request.role_name(role.role_name().unwrap_or_default());
                request.send().await.explain("iam:DetachRolePolicy")?;
            }
            for user in page.policy_users() {
                let request = aws.iam().detach_user_policy().policy_arn(arn);
                let request = request.user_name(user.user_name().unwrap_or_default());
                request.send().await.explain("iam:DetachUserPolicy")?;
            }
            for group in page.policy_groups() {
                let request = aws.iam().detach_group_policy().policy_arn(arn);
                let request = request.group_name(group.group_name().unwrap_or_default());
                request.send().await.explain("iam:DetachGroupPolicy")?;
            }
        }
        for version in current.versions.iter().filter(|version| !version.version.is_default_version()) {
            Self::delete_version(aws, arn, version.id()).await?;
        }
        let request = aws.iam().delete_policy().policy_arn(arn);
        Ok(request.send().await.explain("iam:DeletePolicy").map(drop)?)
    }
}
