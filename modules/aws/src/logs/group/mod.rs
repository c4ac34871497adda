//! `cloudwatchlogs_log_group`: creates, changes and deletes log groups.

pub(crate) mod info;

use aws_sdk_cloudwatchlogs::types::LogGroup;
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};

/// The numbers of days for which CloudWatch Logs can keep events.
const RETENTIONS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// Creates, changes or deletes a log group.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["retention", "purge_retention_policy"], ["purge_retention_policy", "overwrite"]]
))]
pub(crate) struct CloudwatchlogsLogGroup {
    /// The name.
    pub log_group_name: String,
    /// The number of days for which events are kept: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096,
    /// 1827, 2192, 2557, 2922, 3288 or 3653. The default is the current one; a new group keeps them for ever.
    pub retention: Option<i32>,
    /// Whether to keep events for ever.
    #[serde(default)]
    pub purge_retention_policy: bool,
    /// The ARN of the KMS key that encrypts events. The default is the current one.
    pub kms_key_id: Option<String>,
    /// Whether to delete an existing group with its events and create it again.
    #[serde(default)]
    pub overwrite: bool,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the log group is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for CloudwatchlogsLogGroup {
    const DOC: Doc = Doc {
        name: "cloudwatchlogs_log_group",
        collection: "amazon.aws",
        aliases: &["community.aws.cloudwatchlogs_log_group"],
        short: "Create, change or delete a log group of CloudWatch Logs",
        returns: &[
            ("log_group_name", "str", "The name of the group."),
            ("arn", "str", "The ARN of the group."),
            ("creation_time", "int", "When it was created, in milliseconds since 1970."),
            ("retention_in_days", "int", "The number of days for which events are kept."),
            ("metric_filter_count", "int", "The number of metric filters."),
            ("stored_bytes", "int", "The number of bytes stored."),
            ("kms_key_id", "str", "The ARN of the KMS key."),
            ("tags", "dict", "The tags."),
            ("log_groups", "list", "The group with all of these."),
        ],
        examples: "\
- name: The application's log
  cloudwatchlogs_log_group:
    log_group_name: /ecs/webapp
    retention: 30
    tags: {project: webapp}

- name: Delete it with its events
  cloudwatchlogs_log_group: {log_group_name: /ecs/webapp, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if let Some(days) = self.retention.filter(|days| !RETENTIONS.contains(days)) {
            let valid: Vec<String> = RETENTIONS.iter().map(i32::to_string).collect();
            return Err(Failure::new(format!(
                "Invalid retention value. Valid values are: [{}]",
                valid.join(", ")
            ))
            .with_help(format!("{days} is none of them.")));
        }
        resource::apply(self, context).await
    }
}

/// A group and its tags.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    group: LogGroup,
    tags: Tags,
}

impl CloudwatchlogsLogGroup {
    async fn set_retention(&self, aws: &Aws) -> Result<(), Error> {
        if let Some(days) = self.retention {
            let request = aws.logs().put_retention_policy().log_group_name(&self.log_group_name);
            let answer = request.retention_in_days(days).send().await;
            answer.explain("logs:PutRetentionPolicy")?;
        }
        Ok(())
    }

    async fn make(&self, aws: &Aws, tags: Option<&Tags>) -> Result<(), Error> {
        let tags = tags.filter(|tags| !tags.is_empty()).map(|tags| tags.clone().into_iter().collect());
        let request = aws
            .logs()
            .create_log_group()
            .log_group_name(&self.log_group_name)
            .set_kms_key_id(self.kms_key_id.clone())
            .set_tags(tags);
        request.send().await.explain("logs:CreateLogGroup")?;
        self.set_retention(aws).await
    }

    async fn remove(&self, aws: &Aws) -> Result<(), Error> {
        let request = aws.logs().delete_log_group().log_group_name(&self.log_group_name);
        request.send().await.explain("logs:DeleteLogGroup").map(drop)
    }
}

/// Returns the groups whose names begin with a prefix.
async fn describe(aws: &Aws, prefix: Option<String>) -> Result<Vec<LogGroup>, Error> {
    let request = aws.logs().describe_log_groups().set_log_group_name_prefix(prefix);
    let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    found.explain("logs:DescribeLogGroups")
}

async fn with_tags(aws: &Aws, group: LogGroup) -> Result<Current, Error> {
    let request = aws.logs().list_tags_for_resource().resource_arn(plain_arn(&group));
    let tags = request.send().await.explain("logs:ListTagsForResource")?.tags.unwrap_or_default();
    Ok(Current { group, tags: tags.into_iter().collect() })
}

/// Returns the ARN as the tagging operations take it, without the `:*` of permissions.
fn plain_arn(group: &LogGroup) -> &str {
    let arn = group.log_group_arn().or(group.arn()).unwrap_or_default();
    arn.strip_suffix(":*").unwrap_or(arn)
}

impl Resource for CloudwatchlogsLogGroup {
    type Current = Current;

    const KIND: &'static str = "log group";
    const TYPE: &'static str = "AWS::Logs::LogGroup";
    const UNKNOWN: &'static [&'static str] = &["arn", "creation_time"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.log_group_name,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let mut found = describe(aws, Some(self.log_group_name.clone())).await?;
        found.retain(|group| group.log_group_name() == Some(&self.log_group_name));
        match found.into_iter().next() {
            Some(group) => Ok(Some(with_tags(aws, group).await?)),
            None => Ok(None),
        }
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity {
            id: self.log_group_name.clone(),
            arn: Some(plain_arn(&current.group).to_owned()),
            account: None,
        }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        current.tags.clone()
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        let mut members = described(current);
        members.insert("log_groups".to_owned(), json!([Json::Object(members.clone())]));
        members
    }

    fn foreseen(&self) -> Map<String, Json> {
        let mut group = Map::from_iter([
            ("log_group_name".to_owned(), json!(self.log_group_name)),
            ("tags".to_owned(), tag::of_new(self.tags.as_ref())),
        ]);
        group.extend(self.retention.map(|days| ("retention_in_days".to_owned(), json!(days))));
        group.extend(self.kms_key_id.as_ref().map(|key| ("kms_key_id".to_owned(), json!(key))));
        group
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let days = current.group.retention_in_days();
        if self.overwrite {
            changes.note("overwrite", json!(false), json!(true));
        }
        if self.purge_retention_policy && days.is_some() {
            changes.note("retention_in_days", json!(days), Json::Null);
        }
        changes.compare("retention_in_days", &json!(self.retention), &json!(days));
        changes.compare("kms_key_id", &json!(self.kms_key_id), &json!(current.group.kms_key_id()));
        Ok(())
    }

    fn replaces(&self, changes: &Changes) -> bool {
        changes.has("overwrite")
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        self.make(aws, self.tags.as_ref()).await?;
        Ok(Current { group: LogGroup::builder().build(), tags: Tags::new() })
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        if changes.has("overwrite") {
            self.remove(aws).await?;
            // The tags are changed afterwards, from those that the group had.
            return Ok(self.make(aws, Some(&current.tags)).await?);
        }
        if changes.has("retention_in_days") && self.purge_retention_policy {
            let request = aws.logs().delete_retention_policy().log_group_name(&self.log_group_name);
            request.send().await.explain("logs:DeleteRetentionPolicy")?;
        } else if changes.has("retention_in_days") {
            self.set_retention(aws).await?;
        }
        if let Some(key) = self.kms_key_id.as_ref().filter(|_| changes.has("kms_key_id")) {
            let request = aws.logs().associate_kms_key().log_group_name(&self.log_group_name).kms_key_id(key);
            request.send().await.explain("logs:AssociateKmsKey")?;
        }
        Ok(())
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        let arn = plain_arn(&current.group);
        if !changes.remove.is_empty() {
            let request = aws.logs().untag_resource().resource_arn(arn);
            let answer = request.set_tag_keys(Some(changes.remove.clone())).send().await;
            answer.explain("logs:UntagResource")?;
        }
        if !changes.set.is_empty() {
            let tags = changes.set.clone().into_iter().collect();
            let request = aws.logs().tag_resource().resource_arn(arn).set_tags(Some(tags));
            request.send().await.explain("logs:TagResource")?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _current: &Current, _context: &Context) -> Result<(), Failure> {
        Ok(self.remove(aws).await?)
    }
}

/// Returns a group as the modules return it.
fn described(current: &Current) -> Map<String, Json> {
    use crate::json::put;
    let group = &current.group;
    let mut members = Map::new();
    put(&mut members, "arn", &group.arn);
    put(&mut members, "creation_time", &group.creation_time);
    put(&mut members, "kms_key_id", &group.kms_key_id);
    put(&mut members, "log_group_arn", &group.log_group_arn);
    put(&mut members, "log_group_name", &group.log_group_name);
    put(&mut members, "metric_filter_count", &group.metric_filter_count);
    put(&mut members, "retention_in_days", &group.retention_in_days);
    put(&mut members, "stored_bytes", &group.stored_bytes);
    let class = group.log_group_class().map(|class| class.as_str().to_owned());
    put(&mut members, "log_group_class", &class);
    members.insert("tags".to_owned(), tag::to_json(&current.tags));
    members
}
