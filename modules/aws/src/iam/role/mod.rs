//! `iam_role`: creates, changes and deletes roles.

pub(crate) mod info;
mod options;
mod policies;

use std::collections::BTreeMap;

use aws_sdk_iam::types::{AttachedPolicy, InstanceProfile, Role};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde_json::{Map, Value as Json, json};

use super::{MISSING, full_path, sdk_tags, tags, types};
use crate::client::Aws;
use crate::compare::Changes;
use crate::document;
use crate::error::Explain;
use crate::json::ToJson;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};
use crate::wait;

pub(crate) use options::IamRole;

impl ControllerModule for IamRole {
    const DOC: Doc = Doc {
        name: "iam_role",
        collection: "amazon.aws",
        aliases: &["community.aws.iam_role"],
        short: "Create, change or delete an IAM role",
        returns: &[(
            "iam_role",
            "dict",
            "The role as GetRole tells it, members in snake_case: arn, role_name, role_id, path, assume_role_policy_document, attached_policies, tags, …",
        )],
        examples: "\
- name: The role of the web servers
  iam_role:
    name: web
    assume_role_policy_document:
      Version: \"2012-10-17\"
      Statement:
        - {Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: \"sts:AssumeRole\"}
    managed_policies: [\"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\"]
    create_instance_profile: false
  register: web

- name: Delete it
  iam_role: {name: web, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.check()?;
        resource::apply(self, context).await
    }
}

/// A role with what other operations tell of it.
pub(crate) struct Current {
    role: Role,
    attached: Vec<AttachedPolicy>,
    profiles: Vec<InstanceProfile>,
    /// The ARNs of the policies that the task names; `None` if there is no such policy.
    named: BTreeMap<String, Option<String>>,
}

impl Current {
    fn attached_arns(&self) -> Vec<String> {
        self.attached.iter().filter_map(|policy| policy.policy_arn.clone()).collect()
    }

    /// Returns the trust policy as a dictionary.
    fn trust(&self) -> Json {
        self.role.assume_role_policy_document().map_or(Json::Null, document::decode)
    }
}

/// Returns a role; `None` if it does not exist.
pub(super) async fn get(aws: &Aws, name: &str) -> Result<Option<Role>, Error> {
    let answer = aws.iam().get_role().role_name(name).send().await;
    Ok(answer.missing("iam:GetRole", &MISSING)?.and_then(|answer| answer.role))
}

/// Returns the instance profiles that have a role.
async fn profiles(aws: &Aws, name: &str) -> Result<Vec<InstanceProfile>, Error> {
    let request = aws.iam().list_instance_profiles_for_role().role_name(name);
    let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    found.explain("iam:ListInstanceProfilesForRole")
}

/// Returns the managed policies of a role.
async fn attached(aws: &Aws, name: &str) -> Result<Vec<AttachedPolicy>, Error> {
    let request = aws.iam().list_attached_role_policies().role_name(name);
    let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    found.explain("iam:ListAttachedRolePolicies")
}

impl IamRole {
    /// Creates the instance profile that has the role's name.
    async fn create_profile(&self, aws: &Aws, path: &str) -> Result<(), Failure> {
        let request = aws.iam().create_instance_profile().instance_profile_name(&self.name).path(path);
        // A profile that exists without the role only gets the role.
        request.send().await.missing("iam:CreateInstanceProfile", &["EntityAlreadyExists"])?;
        let request = aws.iam().add_role_to_instance_profile();
        let request = request.instance_profile_name(&self.name).role_name(&self.name);
        Ok(request.send().await.explain("iam:AddRoleToInstanceProfile").map(drop)?)
    }

    async fn attach(&self, aws: &Aws, arns: &[String]) -> Result<(), Failure> {
        for arn in arns {
            let request = aws.iam().attach_role_policy().role_name(&self.name).policy_arn(arn);
            request.send().await.explain("iam:AttachRolePolicy")?;
        }
        Ok(())
    }

    async fn detach(&self, aws: &Aws, arns: &[String]) -> Result<(), Failure> {
        for arn in arns {
            let request = aws.iam().detach_role_policy().role_name(&self.name).policy_arn(arn);
            request.send().await.explain("iam:DetachRolePolicy")?;
        }
        Ok(())
    }
}

impl Resource for IamRole {
    type Current = Current;

    const KIND: &'static str = "role";
    const TYPE: &'static str = "AWS::IAM::Role";
    const UNKNOWN: &'static [&'static str] = &["iam_role.arn", "iam_role.role_id"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.name,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: self.wait.then(|| wait::seconds(Some(self.wait_timeout), 120)),
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let Some(role) = get(aws, &self.name).await? else { return Ok(None) };
        let named = match self.state {
            Existence::Present => policies::resolve(aws, self.managed_policies.as_deref()).await?,
            Existence::Absent => BTreeMap::new(),
        };
        let (attached, profiles) = tokio::join!(attached(aws, &self.name), profiles(aws, &self.name));
        Ok(Some(Current { role, attached: attached?, profiles: profiles?, named }))
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity { id: self.name.clone(), arn: Some(current.role.arn().to_owned()), ..Identity::default() }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        tags(current.role.tags())
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        let mut role = types::role(&current.role);
        role["assume_role_policy_document_raw"] = role["assume_role_policy_document"].clone();
        role["attached_policies"] = current.attached.to_json();
        Map::from_iter([("iam_role".to_owned(), role)])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let trust = self.trust().ok().flatten();
        let role = json!({
            "role_name": self.name,
            "path": full_path(self.path.as_deref().unwrap_or("/")),
            "description": self.description,
            "max_session_duration": self.max_session_duration.unwrap_or(3600),
            "assume_role_policy_document": trust,
            "tags": tag::of_new(self.tags.as_ref()),
        });
        Map::from_iter([("iam_role".to_owned(), role)])
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let role = &current.role;
        if let Some(asked) = self.trust()? {
            let is = current.trust();
            if !document::equal(&asked, &is) {
                changes.note("assume_role_policy_document", is, asked);
            }
        }
        changes.compare("description", &json!(self.description), &json!(role.description()));
        changes.compare(
            "max_session_duration",
            &json!(self.max_session_duration),
            &json!(role.max_session_duration().unwrap_or(3600)),
        );
        let boundary = role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
        let asked = self.boundary.as_deref();
        if asked.is_some_and(|asked| asked != boundary.unwrap_or_default()) {
            changes.note("boundary", json!(boundary), json!(asked));
        }
        let (attach, detach) = self.policy_changes(current);
        if !attach.is_empty() || !detach.is_empty() {
            let is = current.attached_arns();
            let mut after: Vec<String> = is.iter().filter(|arn| !detach.contains(arn)).cloned().collect();
            after.extend(attach);
            changes.note("managed_policies", json!(is), json!(after));
        }
        let has = current.profiles.iter().any(|profile| profile.instance_profile_name() == self.name);
        if self.wants_profile() && !has {
            changes.note("instance_profile", Json::Null, json!(self.name));
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        // Names that do not exist are reported before anything is created.
        let named = policies::resolve(aws, self.managed_policies.as_deref()).await?;
        policies::check(&named)?;
        let path = full_path(self.path.as_deref().unwrap_or("/"));
        let answer = aws
            .iam()
            .create_role()
            .role_name(&self.name)
            .path(&path)
            .set_assume_role_policy_document(self.trust()?.map(|document| document.to_string()))
            .set_description(self.description.clone())
            .set_max_session_duration(self.max_session_duration)
            .set_permissions_boundary(self.boundary.clone().filter(|arn| !arn.is_empty()))
            .set_tags(sdk_tags(self.tags.as_ref()))
            .send()
            .await
            .explain("iam:CreateRole")?;
        let role = answer.role.ok_or_else(|| Error::new("iam:CreateRole returned no role"))?;
        if self.wants_profile() {
            self.create_profile(aws, &path).await?;
        }
        let current = Current { role, attached: Vec::new(), profiles: Vec::new(), named };
        let (attach, _) = self.policy_changes(&current);
        self.attach(aws, &attach).await?;
        Ok(current)
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        policies::check(&current.named)?;
        if let Some(document) = changes.after.get("assume_role_policy_document") {
            let request = aws.iam().update_assume_role_policy().role_name(&self.name);
            let request = request.policy_document(document.to_string());
            request.send().await.explain("iam:UpdateAssumeRolePolicy")?;
        }
        if changes.has("description") || changes.has("max_session_duration") {
            let request = aws
                .iam()
                .update_role()
                .role_name(&self.name)
                .set_description(self.description.clone().filter(|_| changes.has("description")))
                .set_max_session_duration(
                    self.max_session_duration.filter(|_| changes.has("max_session_duration")),
                );
            request.send().await.explain("iam:UpdateRole")?;
        }
        match self.boundary.as_deref().filter(|_| changes.has("boundary")) {
            Some("") => {
                let request = aws.iam().delete_role_permissions_boundary().role_name(&self.name);
                request.send().await.explain("iam:DeleteRolePermissionsBoundary")?;
            }
            Some(arn) => {
                let request = aws.iam().put_role_permissions_boundary().role_name(&self.name);
                let request = request.permissions_boundary(arn);
                request.send().await.explain("iam:PutRolePermissionsBoundary")?;
            }
            None => {}
        }
        let (attach, detach) = self.policy_changes(current);
        self.attach(aws, &attach).await?;
        self.detach(aws, &detach).await?;
        if changes.has("instance_profile") {
            self.create_profile(aws, current.role.path()).await?;
        }
        Ok(())
    }

    async fn change_tags(&self, aws: &Aws, _current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        if !changes.remove.is_empty() {
            let request = aws.iam().untag_role().role_name(&self.name);
            let request = request.set_tag_keys(Some(changes.remove.clone()));
            request.send().await.explain("iam:UntagRole")?;
        }
        if let Some(tags) = sdk_tags(Some(&changes.set)) {
            let request = aws.iam().tag_role().role_name(&self.name).set_tags(Some(tags));
            request.send().await.explain("iam:TagRole")?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, current: &Current, _context: &Context) -> Result<(), Failure> {
        let names = policies::inline(aws, &self.name).await?;
        for profile in &current.profiles {
            let name = profile.instance_profile_name();
            let request = aws.iam().remove_role_from_instance_profile();
            let request = request.instance_profile_name(name).role_name(&self.name);
            request.send().await.explain("iam:RemoveRoleFromInstanceProfile")?;
            if self.delete_instance_profile == Some(true) && name == self.name {
                let request = aws.iam().delete_instance_profile().instance_profile_name(name);
                request.send().await.explain("iam:DeleteInstanceProfile")?;
            }
        }
        self.detach(aws, &current.attached_arns()).await?;
        for name in names {
            let request = aws.iam().delete_role_policy().role_name(&self.name).policy_name(name);
            request.send().await.explain("iam:DeleteRolePolicy")?;
        }
        let request = aws.iam().delete_role().role_name(&self.name);
        Ok(request.send().await.explain("iam:DeleteRole").map(drop)?)
    }
}
