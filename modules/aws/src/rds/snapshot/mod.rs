//! `rds_instance_snapshot`: creates, copies, tags and deletes snapshots of databases.

pub(crate) mod info;

use std::time::Duration;

use aws_sdk_rds::types::{DbSnapshot, Tag};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::to_sdk_tags;
use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::Explain;
use crate::json::{ToJson, to_json};
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};
use crate::wait::seconds;

/// Creates, copies, tags or deletes a snapshot of a database.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct RdsInstanceSnapshot {
    /// The name of the snapshot.
    #[schemars(extend("aliases" = ["id", "snapshot_id"]))]
    pub db_snapshot_identifier: String,
    /// The name of the database. It is required for a new snapshot that is not a copy.
    #[schemars(extend("aliases" = ["instance_id"]))]
    pub db_instance_identifier: Option<String>,
    /// The name or ARN of the snapshot to copy.
    #[schemars(extend("aliases" = ["source_id", "source_snapshot_id"]))]
    pub source_db_snapshot_identifier: Option<String>,
    /// The region of the snapshot to copy. Only the region of the connection is supported.
    pub source_region: Option<String>,
    /// Whether to copy the tags of the snapshot that is copied.
    #[serde(default)]
    pub copy_tags: bool,
    /// Whether the snapshot is to exist.
    #[serde(default)]
    pub state: Existence,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether to wait until the snapshot is available, or gone.
    #[serde(default)]
    pub wait: bool,
    /// The number of seconds to wait at most. The default is 300.
    pub wait_timeout: Option<i64>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for RdsInstanceSnapshot {
    const DOC: Doc = Doc {
        name: "rds_instance_snapshot",
        collection: "amazon.aws",
        aliases: &["community.aws.rds_instance_snapshot", "community.aws.rds_snapshot"],
        short: "Create, copy, tag or delete a snapshot of a database",
        returns: &[
            ("db_snapshot_identifier", "str", "The name of the snapshot."),
            ("db_snapshot_arn", "str", "Its ARN."),
            ("status", "str", "Its status, such as `creating` and `available`."),
            ("tags", "dict", "Its tags."),
            (
                "engine, allocated_storage, …",
                "raw",
                "The snapshot as DescribeDBSnapshots returns it, members in snake_case.",
            ),
        ],
        examples: "\
- name: Before the migration
  rds_instance_snapshot:
    id: webapp-before-{{ version }}
    instance_id: webapp
    wait: true
    wait_timeout: 1800

- name: Delete it
  rds_instance_snapshot: {id: webapp-before-41, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        resource::apply(self, context).await
    }
}

to_json! {
    struct Tag { key, value }
    struct DbSnapshot {
        db_snapshot_identifier, db_instance_identifier, snapshot_create_time, engine, allocated_storage, status, port,
        availability_zone, vpc_id, instance_create_time, master_username, engine_version, license_model,
        snapshot_type, iops, storage_throughput, option_group_name, percent_progress, source_region,
        source_db_snapshot_identifier, storage_type, tde_credential_arn, encrypted, backup_retention_period,
        preferred_backup_window, kms_key_id, db_snapshot_arn, timezone, iam_database_authentication_enabled,
        dbi_resource_id, snapshot_target, original_snapshot_create_time, snapshot_database_time, db_system_id,
        multi_tenant, dedicated_log_volume,
    }
}

/// Returns tags by key.
fn tags_of(tags: &[Tag]) -> Tags {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    tags.iter().map(|tag| (text(tag.key()), text(tag.value()))).collect()
}

/// Returns a snapshot with its tags.
fn described(snapshot: &DbSnapshot) -> Map<String, Json> {
    let mut members = match snapshot.to_json() {
        Json::Object(members) => members,
        _ => Map::new(),
    };
    members.insert("tags".to_owned(), tag::to_json(&tags_of(snapshot.tag_list())));
    members
}

impl Resource for RdsInstanceSnapshot {
    type Current = DbSnapshot;

    const KIND: &'static str = "snapshot";
    const TYPE: &'static str = "AWS::RDS::DBSnapshot";
    const UNKNOWN: &'static [&'static str] = &["db_snapshot_arn", "snapshot_create_time"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.db_snapshot_identifier,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: self.wait.then(|| seconds(self.wait_timeout, 300)),
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn find(&self, aws: &Aws) -> Result<Option<DbSnapshot>, Error> {
        let request = aws.rds().describe_db_snapshots().db_snapshot_identifier(&self.db_snapshot_identifier);
        let missing = ["DBSnapshotNotFound", "DBSnapshotNotFoundFault"];
        let answer = request.send().await.missing("rds:DescribeDBSnapshots", &missing)?;
        Ok(answer.and_then(|answer| answer.db_snapshots.unwrap_or_default().into_iter().next()))
    }

    fn identity(&self, current: &DbSnapshot) -> Identity {
        let arn = current.db_snapshot_arn().map(str::to_owned);
        Identity { id: self.db_snapshot_identifier.clone(), arn, account: None }
    }

    fn current_tags(&self, current: &DbSnapshot) -> Tags {
        tags_of(current.tag_list())
    }

    fn returned(&self, current: &DbSnapshot) -> Map<String, Json> {
        described(current)
    }

    fn foreseen(&self) -> Map<String, Json> {
        let members = json!({
            "db_snapshot_identifier": self.db_snapshot_identifier, "snapshot_type": "manual",
            "db_instance_identifier": self.db_instance_identifier, "tags": tag::of_new(self.tags.as_ref()),
        });
        if let Json::Object(members) = members { members } else { Map::new() }
    }

    fn check_creation(&self) -> Result<(), Failure> {
        if self.db_instance_identifier.is_none() && self.source_db_snapshot_identifier.is_none() {
            return Err(Failure::new(format!(
                "the snapshot {} does not exist, and the task does not say of what it is made",
                self.db_snapshot_identifier
            ))
            .with_help("Give `db_instance_identifier`, or `source_db_snapshot_identifier` for a copy."));
        }
        Ok(())
    }

    fn compare(&self, _current: &DbSnapshot, _changes: &mut Changes) -> Result<(), Failure> {
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<DbSnapshot, Failure> {
        let tags = self.tags.as_ref().map(to_sdk_tags);
        let made = match &self.source_db_snapshot_identifier {
            Some(source) => {
                if let Some(region) = self.source_region.as_deref().filter(|region| *region != aws.region()) {
                    return Err(Failure::new(format!("a snapshot of the region {region} cannot be copied"))
                        .with_help("Copy it by `aws rds copy-db-snapshot --source-region`."));
                }
                let request = aws.rds().copy_db_snapshot().source_db_snapshot_identifier(source);
                let request = request.target_db_snapshot_identifier(&self.db_snapshot_identifier);
                let request = request.set_tags(tags).copy_tags(self.copy_tags);
                request.send().await.explain("rds:CopyDBSnapshot")?.db_snapshot
            }
            None => {
                let request = aws.rds().create_db_snapshot();
                let request = request.db_snapshot_identifier(&self.db_snapshot_identifier);
                let request = request.set_db_instance_identifier(self.db_instance_identifier.clone());
                request.set_tags(tags).send().await.explain("rds:CreateDBSnapshot")?.db_snapshot
            }
        };
        Ok(made.unwrap_or_else(|| DbSnapshot::builder().build()))
    }

    async fn modify(
        &self,
        _aws: &Aws,
        _current: &DbSnapshot,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        Ok(())
    }

    async fn change_tags(
        &self,
        aws: &Aws,
        current: &DbSnapshot,
        changes: &TagChanges,
    ) -> Result<(), Failure> {
        let arn = current.db_snapshot_arn().unwrap_or_default();
        if !changes.remove.is_empty() {
            let request = aws.rds().remove_tags_from_resource().resource_name(arn);
            let answer = request.set_tag_keys(Some(changes.remove.clone())).send().await;
            answer.explain("rds:RemoveTagsFromResource")?;
        }
        if !changes.set.is_empty() {
            let request = aws.rds().add_tags_to_resource().resource_name(arn);
            let answer = request.set_tags(Some(to_sdk_tags(&changes.set))).send().await;
            answer.explain("rds:AddTagsToResource")?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _current: &DbSnapshot, _context: &Context) -> Result<(), Failure> {
        let request = aws.rds().delete_db_snapshot().db_snapshot_identifier(&self.db_snapshot_identifier);
        Ok(request.send().await.explain("rds:DeleteDBSnapshot").map(drop)?)
    }

    fn pending(&self, current: &DbSnapshot) -> Result<Option<String>, Failure> {
        match current.status().unwrap_or_default() {
            "available" => Ok(None),
            "failed" => Err(Failure::new(format!("the snapshot {} has failed", self.db_snapshot_identifier))
                .with_help("The events of the database in the console of RDS say why.")),
            status => Ok(Some(format!("its status is {status}"))),
        }
    }
}
