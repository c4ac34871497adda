//! `iam_instance_profile`: creates, changes and deletes instance profiles.

pub(crate) mod info;

use aws_sdk_iam::types::InstanceProfile;
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::{MISSING, full_path, sdk_tags, tags, types};
use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};

/// Creates, changes or deletes an instance profile, with which instances get a role.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct IamInstanceProfile {
    /// The name, which is unique in the account.
    #[schemars(extend("aliases" = ["instance_profile_name"]))]
    pub name: String,
    /// The path. It cannot be changed; the default is `/`.
    #[schemars(extend("aliases" = ["path_prefix", "prefix"]))]
    pub path: Option<String>,
    /// The name of the role; empty for none. The default is the current one.
    pub role: Option<String>,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the instance profile is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for IamInstanceProfile {
    const DOC: Doc = Doc {
        name: "iam_instance_profile",
        collection: "amazon.aws",
        aliases: &["community.aws.iam_instance_profile"],
        short: "Create, change or delete an instance profile",
        returns: &[(
            "iam_instance_profile",
            "dict",
            "The instance profile as GetInstanceProfile tells it, members in snake_case: arn, instance_profile_name, path, roles, tags, …",
        )],
        examples: "\
- name: The profile of the web servers
  iam_instance_profile: {name: web, role: web}
  register: profile

- name: Delete it
  iam_instance_profile: {name: web, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        resource::apply(self, context).await
    }
}

/// Returns an instance profile; `None` if it does not exist.
pub(super) async fn get(aws: &Aws, name: &str) -> Result<Option<InstanceProfile>, Error> {
    let answer = aws.iam().get_instance_profile().instance_profile_name(name).send().await;
    Ok(answer.missing("iam:GetInstanceProfile", &MISSING)?.and_then(|answer| answer.instance_profile))
}

impl IamInstanceProfile {
    async fn add_role(&self, aws: &Aws) -> Result<(), Failure> {
        let Some(role) = self.role.as_deref().filter(|role| !role.is_empty()) else { return Ok(()) };
        let request = aws.iam().add_role_to_instance_profile();
        let request = request.instance_profile_name(&self.name).role_name(role);
        Ok(request.send().await.explain("iam:AddRoleToInstanceProfile").map(drop)?)
    }

    async fn remove_roles(&self, aws: &Aws, current: &InstanceProfile) -> Result<(), Failure> {
        for role in current.roles() {
            let request = aws.iam().remove_role_from_instance_profile();
            let request = request.instance_profile_name(&self.name).role_name(role.role_name());
            request.send().await.explain("iam:RemoveRoleFromInstanceProfile")?;
        }
        Ok(())
    }
}

impl Resource for IamInstanceProfile {
    type Current = InstanceProfile;

    const KIND: &'static str = "instance profile";
    const TYPE: &'static str = "AWS::IAM::InstanceProfile";
    const UNKNOWN: &'static [&'static str] =
        &["iam_instance_profile.arn", "iam_instance_profile.instance_profile_id"];

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

    async fn find(&self, aws: &Aws) -> Result<Option<InstanceProfile>, Error> {
        get(aws, &self.name).await
    }

    fn identity(&self, current: &InstanceProfile) -> Identity {
        Identity { id: self.name.clone(), arn: Some(current.arn().to_owned()), ..Identity::default() }
    }

    fn current_tags(&self, current: &InstanceProfile) -> Tags {
        tags(current.tags())
    }

    fn returned(&self, current: &InstanceProfile) -> Map<String, Json> {
        Map::from_iter([("iam_instance_profile".to_owned(), types::instance_profile(current))])
    }

    fn returned_absent(&self, _deleted: Option<&InstanceProfile>) -> Map<String, Json> {
        Map::from_iter([("iam_instance_profile".to_owned(), Json::Null)])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let role = self.role.as_deref().filter(|role| !role.is_empty());
        let profile = json!({
            "instance_profile_name": self.name,
            "path": self.path.as_deref().map(full_path),
            "roles": role.iter().map(|role| json!({"role_name": role})).collect::<Vec<Json>>(),
            "tags": tag::of_new(self.tags.as_ref()),
        });
        Map::from_iter([("iam_instance_profile".to_owned(), profile)])
    }

    fn compare(&self, current: &InstanceProfile, changes: &mut Changes) -> Result<(), Failure> {
        let Some(asked) = self.role.as_deref() else { return Ok(()) };
        let is: Vec<&str> = current.roles().iter().map(|role| role.role_name()).collect();
        let asked: Vec<&str> = Some(asked).filter(|role| !role.is_empty()).into_iter().collect();
        if is != asked {
            changes.note("role", json!(is), json!(asked));
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<InstanceProfile, Failure> {
        let answer = aws
            .iam()
            .create_instance_profile()
            .instance_profile_name(&self.name)
            .set_path(self.path.as_deref().map(full_path))
            .set_tags(sdk_tags(self.tags.as_ref()))
            .send()
            .await
            .explain("iam:CreateInstanceProfile")?;
        let profile = answer.instance_profile;
        let profile = profile.ok_or_else(|| Error::new("iam:CreateInstanceProfile returned no profile"))?;
        self.add_role(aws).await?;
        Ok(profile)
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &InstanceProfile,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        // A profile has at most one role.
        self.remove_roles(aws, current).await?;
        self.add_role(aws).await
    }

    async fn change_tags(
        &self,
        aws: &Aws,
        _current: &InstanceProfile,
        changes: &TagChanges,
    ) -> Result<(), Failure> {
        if !changes.remove.is_empty() {
            let request = aws.iam().untag_instance_profile().instance_profile_name(&self.name);
            let request = request.set_tag_keys(Some(changes.remove.clone()));
            request.send().await.explain("iam:UntagInstanceProfile")?;
        }
        if let Some(tags) = sdk_tags(Some(&changes.set)) {
            let request = aws.iam().tag_instance_profile().instance_profile_name(&self.name);
            request.set_tags(Some(tags)).send().await.explain("iam:TagInstanceProfile")?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, current: &InstanceProfile, _context: &Context) -> Result<(), Failure> {
        self.remove_roles(aws, current).await?;
        let request = aws.iam().delete_instance_profile().instance_profile_name(&self.name);
        Ok(request.send().await.explain("iam:DeleteInstanceProfile").map(drop)?)
    }
}
