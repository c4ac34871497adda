//! `iam_policy`: creates, changes and deletes inline policies of roles, users and groups.

mod holder;
pub(crate) mod info;

use std::collections::BTreeMap;

use playbook_api::{
    Change, ChangeAction, Context, ControllerModule, Diff, Doc, Failure, Outcome, ResourceName, Value,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::client::Aws;
use crate::connection::Connection;
use crate::document;
use crate::resource::Existence;
use holder::Holder;

pub(crate) use holder::Kind;

/// Creates, changes or deletes an inline policy of a role, user or group.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["policy_json"], true]]))]
pub(crate) struct IamPolicy {
    /// What has the policy.
    pub iam_type: Kind,
    /// The name of the role, user or group.
    pub iam_name: String,
    /// The name of the policy.
    pub policy_name: String,
    /// The document: a dictionary or its JSON.
    #[schemars(extend("format" = "raw"))]
    pub policy_json: Option<Json>,
    /// Whether to create no policy if another one has the same document.
    #[serde(default)]
    pub skip_duplicates: bool,
    /// Whether the policy is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for IamPolicy {
    const DOC: Doc = Doc {
        name: "iam_policy",
        collection: "amazon.aws",
        aliases: &["community.aws.iam_policy"],
        short: "Create, change or delete an inline IAM policy",
        returns: &[
            ("role_name, user_name, group_name", "str", "The name of what has the policy."),
            ("policy_names", "list", "The names of its inline policies."),
        ],
        examples: "\
- name: The web servers may read the assets
  iam_policy:
    iam_type: role
    iam_name: web
    policy_name: assets
    policy_json:
      Version: \"2012-10-17\"
      Statement:
        - {Effect: Allow, Action: \"s3:GetObject\", Resource: \"arn:aws:s3:::assets/*\"}

- name: No longer
  iam_policy: {iam_type: role, iam_name: web, policy_name: assets, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let given = self.policy_json.as_ref();
        let document = given.map(|given| document::parse("policy_json", given)).transpose()?;
        let aws = Aws::connect(&self.connection, context).await?;
        let holder = Holder { aws: &aws, kind: self.iam_type, name: &self.iam_name };
        let before = holder.policies().await?;
        let mut after = before.clone();
        match (self.state, document) {
            (Existence::Absent, _) => {
                after.remove(&self.policy_name);
            }
            (Existence::Present, Some(document)) => self.set(document, &mut after),
            (Existence::Present, None) => {}
        }
        let action = match (before.get(&self.policy_name), after.get(&self.policy_name)) {
            (None, Some(_)) => Some(ChangeAction::Create),
            (Some(_), None) => Some(ChangeAction::Delete),
            (before, after) => (before != after).then_some(ChangeAction::Modify),
        };
        let mut outcome = Outcome::changed(action.is_some());
        if let Some(action) = action {
            outcome = outcome.change(self.change(&aws, action));
        }
        if context.diff && action.is_some() {
            outcome = outcome.diff(self.diff(&before, &after));
        }
        let mut names: Vec<&String> = before.keys().collect();
        if action.is_some() && !context.check {
            match after.get(&self.policy_name) {
                Some(document) => holder.put(&self.policy_name, document).await?,
                None => holder.delete(&self.policy_name).await?,
            }
            names = after.keys().collect();
        }
        let names: Vec<Value> = names.into_iter().map(|name| Value::from(name.as_str())).collect();
        let outcome =
            outcome.with(self.iam_type.member(), self.iam_name.as_str()).with("policy_names", names);
        Ok(aws.finish(outcome))
    }
}

impl IamPolicy {
    /// Sets the policy, unless it has an equal document.
    fn set(&self, document: Json, policies: &mut BTreeMap<String, Json>) {
        let same = |policy: &Json| document::equal(&document, policy);
        let kept = match policies.get(&self.policy_name) {
            Some(current) => same(current),
            None => self.skip_duplicates && policies.values().any(same),
        };
        if !kept {
            policies.insert(self.policy_name.clone(), document);
        }
    }

    fn change(&self, aws: &Aws, action: ChangeAction) -> Change {
        let members = match action {
            ChangeAction::Modify => vec!["policy_json".to_owned()],
            _ => Vec::new(),
        };
        Change {
            action,
            resource: ResourceName {
                kind: self.iam_type.resource(),
                id: Some(format!("{}/{}", self.iam_name, self.policy_name)),
                arn: None,
                account: None,
                name: self.policy_name.clone(),
                region: aws.region().to_owned(),
            },
            members,
        }
    }

    fn diff(&self, before: &BTreeMap<String, Json>, after: &BTreeMap<String, Json>) -> Diff {
        let part = |policies: &BTreeMap<String, Json>| {
            let own =
                policies.get(&self.policy_name).map(|document| (self.policy_name.clone(), document.clone()));
            Value::from_json(Json::Object(own.into_iter().collect::<Map<_, _>>()))
        };
        let title =
            format!("policy {} of the {} {}", self.policy_name, self.iam_type.as_str(), self.iam_name);
        Diff::values(part(before), part(after)).headers(&title, &title)
    }
}
