//! `rds_snapshot_info`: describes snapshots of databases and clusters.

use aws_sdk_rds::types::DbClusterSnapshot;
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{described, tags_of};
use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;
use crate::json::{ToJson, to_json};
use crate::tags as tag;

/// Describes snapshots of databases and clusters.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [[
    "db_snapshot_identifier", "db_instance_identifier", "db_cluster_identifier", "db_cluster_snapshot_identifier",
]]))]
pub(crate) struct RdsSnapshotInfo {
    /// The name of a snapshot of a database.
    #[schemars(extend("aliases" = ["snapshot_name"]))]
    pub db_snapshot_identifier: Option<String>,
    /// The name of a database whose snapshots are described.
    pub db_instance_identifier: Option<String>,
    /// The name of a cluster whose snapshots are described.
    pub db_cluster_identifier: Option<String>,
    /// The name of a snapshot of a cluster.
    pub db_cluster_snapshot_identifier: Option<String>,
    /// The type of the snapshots. The default is `automated` and `manual`.
    #[schemars(extend("enum" = ["automated", "manual", "shared", "public"]))]
    pub snapshot_type: Option<String>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for RdsSnapshotInfo {
    const DOC: Doc = Doc {
        name: "rds_snapshot_info",
        collection: "amazon.aws",
        aliases: &["community.aws.rds_snapshot_info"],
        short: "Describe snapshots of databases and clusters",
        check_mode: "Full: it only reads.",
        returns: &[
            (
                "snapshots",
                "list",
                "The snapshots of databases with their tags, members in snake_case; empty where none matches.",
            ),
            (
                "cluster_snapshots",
                "list",
                "The snapshots of clusters, unless the task asks for those of databases.",
            ),
        ],
        examples: "\
- name: The snapshots that people made
  rds_snapshot_info: {db_instance_identifier: webapp, snapshot_type: manual}
  register: found

- name: One of them
  rds_snapshot_info: {db_snapshot_identifier: webapp-before-41}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let of_instances = self.db_snapshot_identifier.is_some() || self.db_instance_identifier.is_some();
        let of_clusters =
            self.db_cluster_snapshot_identifier.is_some() || self.db_cluster_identifier.is_some();
        let mut outcome = Outcome::changed(false);
        if !of_clusters {
            let found = self.instances(&aws).await?;
            outcome = outcome.with("snapshots", Value::from_json(found.into()));
        }
        if !of_instances {
            let found = self.clusters(&aws).await?;
            outcome = outcome.with("cluster_snapshots", Value::from_json(found.into()));
        }
        Ok(aws.finish(outcome))
    }
}

impl RdsSnapshotInfo {
    fn is(&self, kind: &str) -> bool {
        self.snapshot_type.as_deref() == Some(kind)
    }

    async fn instances(&self, aws: &Aws) -> Result<Vec<Json>, Error> {
        let mut pages = aws
            .rds()
            .describe_db_snapshots()
            .set_db_snapshot_identifier(self.db_snapshot_identifier.clone())
            .set_db_instance_identifier(self.db_instance_identifier.clone())
            .set_snapshot_type(self.snapshot_type.clone())
            .include_shared(self.is("shared"))
            .include_public(self.is("public"))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(snapshot) = pages.next().await {
            let missing = ["DBSnapshotNotFound", "DBSnapshotNotFoundFault"];
            let Some(snapshot) = snapshot.missing("rds:DescribeDBSnapshots", &missing)? else { break };
            let mut members = described(&snapshot);
            members.insert("tag_list".to_owned(), snapshot.tag_list().to_json());
            found.push(Json::Object(members));
        }
        Ok(found)
    }

    async fn clusters(&self, aws: &Aws) -> Result<Vec<Json>, Error> {
        let mut pages = aws
            .rds()
            .describe_db_cluster_snapshots()
            .set_db_cluster_snapshot_identifier(self.db_cluster_snapshot_identifier.clone())
            .set_db_cluster_identifier(self.db_cluster_identifier.clone())
            .set_snapshot_type(self.snapshot_type.clone())
            .include_shared(self.is("shared"))
            .include_public(self.is("public"))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(snapshot) = pages.next().await {
            let missing = ["DBClusterSnapshotNotFound", "DBClusterSnapshotNotFoundFault"];
            let Some(snapshot) = snapshot.missing("rds:DescribeDBClusterSnapshots", &missing)? else { break };
            let mut members = match snapshot.to_json() {
                Json::Object(members) => members,
                _ => Map::new(),
            };
            members.insert("tags".to_owned(), tag::to_json(&tags_of(snapshot.tag_list())));
            found.push(Json::Object(members));
        }
        Ok(found)
    }
}

to_json! {
    struct DbClusterSnapshot {
        availability_zones, db_cluster_snapshot_identifier, db_cluster_identifier, snapshot_create_time, engine,
        engine_mode, allocated_storage, status, port, vpc_id, cluster_create_time, master_username, engine_version,
        license_model, snapshot_type, percent_progress, storage_encrypted, backup_retention_period,
        preferred_backup_window, kms_key_id, db_cluster_snapshot_arn, source_db_cluster_snapshot_arn,
        iam_database_authentication_enabled, tag_list, storage_type, storage_throughput, db_cluster_resource_id,
        db_system_id,
    }
}
