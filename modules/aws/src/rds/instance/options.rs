//! The arguments of `rds_instance`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::connection::Connection;
use crate::tags::Tags;

/// Creates, changes, starts, stops, reboots or deletes a database instance of Amazon RDS.
///
/// Only what is given is compared, and an instance that already is as asked is not modified. Passwords are
/// never shown, and never compared either: an existing one is set again only with `force_update_password`.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["manage_master_user_password", "master_user_password"]],
    "required_if" = [
        ["engine", "aurora", ["db_cluster_identifier"]],
        ["engine", "aurora-mysql", ["db_cluster_identifier"]],
        ["engine", "aurora-postgresql", ["db_cluster_identifier"]],
        ["creation_source", "snapshot", ["db_snapshot_identifier"]],
        ["creation_source", "instance", ["source_db_instance_identifier"]],
        ["creation_source", "s3", ["s3_bucket_name", "engine", "master_username", "source_engine",
            "source_engine_version", "s3_ingestion_role_arn"]]
    ]
))]
pub(crate) struct RdsInstance {
    /// The desired state of an instance.
    #[serde(default)]
    pub state: State,
    /// The source of a new instance. Without it, the new instance is empty.
    pub creation_source: Option<CreationSource>,
    /// The identifier of the instance.
    #[schemars(extend("aliases" = ["id", "instance_id"]))]
    pub db_instance_identifier: String,
    /// Another identifier that the instance gets.
    #[schemars(extend("aliases" = ["new_instance_id", "new_id"]))]
    pub new_db_instance_identifier: Option<String>,
    /// Whether to set the password of an existing instance to `master_user_password`.
    #[serde(default)]
    pub force_update_password: bool,
    /// Whether to remove log exports that are not listed in `enable_cloudwatch_logs_exports`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_cloudwatch_logs_exports: bool,
    /// Whether to remove security groups that are not listed in `vpc_security_group_ids`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_security_groups: bool,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether to remove roles that are not listed in `iam_roles`.
    #[serde(default)]
    pub purge_iam_roles: bool,
    /// Whether the instance is a replica of `source_db_instance_identifier`; `false` promotes one.
    pub read_replica: Option<bool>,
    /// Whether to wait until the instance is in the desired state.
    #[serde(default = "playbook_api::defaults::yes")]
    pub wait: bool,
    /// The maximum number of seconds to wait, 3600 by default.
    pub wait_timeout: Option<i64>,
    /// The IAM roles of the instance, each with the feature that uses it.
    pub iam_roles: Option<Vec<IamRole>>,
    /// The storage in GiB.
    pub allocated_storage: Option<i32>,
    /// Whether to allow a change of the major version.
    pub allow_major_version_upgrade: Option<bool>,
    /// Whether to apply changes immediately instead of in the maintenance window.
    #[serde(default)]
    pub apply_immediately: bool,
    /// Whether minor versions are installed in the maintenance window.
    pub auto_minor_version_upgrade: Option<bool>,
    /// The availability zone of a new instance.
    #[schemars(extend("aliases" = ["az", "zone"]))]
    pub availability_zone: Option<String>,
    /// The number of days for which backups are kept; 0 disables backups.
    pub backup_retention_period: Option<i32>,
    /// The certificate authority of the server's certificate.
    pub ca_certificate_identifier: Option<String>,
    /// The character set of a new instance, if the engine supports one.
    pub character_set_name: Option<String>,
    /// Whether to copy the instance's tags to snapshots.
    pub copy_tags_to_snapshot: Option<bool>,
    /// The Aurora cluster that the instance belongs to.
    #[schemars(extend("aliases" = ["cluster_id"]))]
    pub db_cluster_identifier: Option<String>,
    /// The instance class: `db.t4g.micro`.
    #[schemars(extend("aliases" = ["class", "instance_type"]))]
    pub db_instance_class: Option<String>,
    /// The name of the database in a new instance.
    pub db_name: Option<String>,
    /// The parameter group.
    pub db_parameter_group_name: Option<String>,
    /// The security groups of EC2-Classic.
    pub db_security_groups: Option<Vec<String>>,
    /// The snapshot to restore a new instance from.
    #[schemars(extend("aliases" = ["snapshot_identifier", "snapshot_id"]))]
    pub db_snapshot_identifier: Option<String>,
    /// The name of the subnet group.
    #[schemars(extend("aliases" = ["subnet_group"]))]
    pub db_subnet_group_name: Option<String>,
    /// Whether the instance is protected from deletion.
    pub deletion_protection: Option<bool>,
    /// The directory that the instance belongs to.
    pub domain: Option<String>,
    /// The name of the IAM role for calls to the directory.
    pub domain_iam_role_name: Option<String>,
    /// The logs to export to CloudWatch: `postgresql`, `upgrade`.
    #[schemars(extend("aliases" = ["cloudwatch_log_exports"]))]
    pub enable_cloudwatch_logs_exports: Option<Vec<String>>,
    /// Whether to enable authentication with IAM.
    pub enable_iam_database_authentication: Option<bool>,
    /// Whether to enable Performance Insights.
    pub enable_performance_insights: Option<bool>,
    /// The database engine. It cannot be changed.
    #[schemars(extend("enum" = [
        "aurora", "aurora-mysql", "aurora-postgresql", "custom-oracle-ee", "custom-oracle-ee-cdb", "custom-oracle-se2",
        "custom-oracle-se2-cdb", "custom-sqlserver-ee", "custom-sqlserver-se", "custom-sqlserver-web", "db2-ae", "db2-se",
        "mariadb", "mysql", "oracle-ee", "oracle-ee-cdb", "oracle-se2", "oracle-se2-cdb", "postgres", "sqlserver-ee",
        "sqlserver-ex", "sqlserver-se", "sqlserver-web"
    ]))]
    pub engine: Option<String>,
    /// The engine's version. `16` is satisfied by every 16.x.
    pub engine_version: Option<String>,
    /// The name of the snapshot to create before deletion. It is required unless `skip_final_snapshot` is set.
    #[schemars(extend("aliases" = ["final_snapshot_identifier"]))]
    pub final_db_snapshot_identifier: Option<String>,
    /// Whether a reboot fails over to the standby of a Multi-AZ instance.
    pub force_failover: Option<bool>,
    /// The number of provisioned I/O operations per second.
    pub iops: Option<i32>,
    /// The KMS key of a new instance's storage.
    pub kms_key_id: Option<String>,
    /// The license model: `license-included`, `bring-your-own-license`, `general-public-license`, `postgresql-license`.
    pub license_model: Option<String>,
    /// Whether RDS manages the master password in Secrets Manager; the result names the secret in `master_user_secret`.
    pub manage_master_user_password: Option<bool>,
    /// The KMS key of the secret that RDS manages.
    pub master_user_secret_kms_key_id: Option<String>,
    /// The password of the master user, at least 8 characters.
    #[schemars(extend("aliases" = ["password"], "no_log" = true))]
    pub master_user_password: Option<String>,
    /// The name of the master user of a new instance.
    #[schemars(extend("aliases" = ["username"]))]
    pub master_username: Option<String>,
    /// The maximum size in GiB up to which the storage grows automatically.
    pub max_allocated_storage: Option<i32>,
    /// The number of seconds between two data points of enhanced monitoring; 0 disables it.
    pub monitoring_interval: Option<i32>,
    /// The IAM role of enhanced monitoring.
    pub monitoring_role_arn: Option<String>,
    /// Whether to keep a standby in another availability zone.
    pub multi_az: Option<bool>,
    /// The option group.
    pub option_group_name: Option<String>,
    /// The KMS key of Performance Insights.
    pub performance_insights_kms_key_id: Option<String>,
    /// The number of days for which Performance Insights keeps its data.
    pub performance_insights_retention_period: Option<i32>,
    /// The port of the database.
    pub port: Option<i32>,
    /// The daily time range of backups, in UTC: `03:00-04:00`.
    #[schemars(extend("aliases" = ["backup_window"]))]
    pub preferred_backup_window: Option<String>,
    /// The weekly time range of maintenance, in UTC: `mon:04:00-mon:05:00`.
    #[schemars(extend("aliases" = ["maintenance_window"]))]
    pub preferred_maintenance_window: Option<String>,
    /// The CPU features: `coreCount` and `threadsPerCore`.
    pub processor_features: Option<BTreeMap<String, String>>,
    /// The order in which Aurora replicas are promoted, 0 first.
    pub promotion_tier: Option<i32>,
    /// Whether the instance has a public IP address.
    pub publicly_accessible: Option<bool>,
    /// The point in time to restore `source_db_instance_identifier` to, in ISO 8601.
    pub restore_time: Option<String>,
    /// The bucket of the backup to restore from.
    pub s3_bucket_name: Option<String>,
    /// The ARN of the IAM role that reads the bucket.
    pub s3_ingestion_role_arn: Option<String>,
    /// The prefix of the backup in the bucket.
    pub s3_prefix: Option<String>,
    /// Whether to delete the instance without a final snapshot.
    #[serde(default)]
    pub skip_final_snapshot: bool,
    /// The instance to replicate or restore from.
    pub source_db_instance_identifier: Option<String>,
    /// The engine that created the backup in S3.
    pub source_engine: Option<String>,
    /// The version of the engine that created the backup in S3.
    pub source_engine_version: Option<String>,
    /// The region of `source_db_instance_identifier`.
    pub source_region: Option<String>,
    /// Whether the storage of a new instance is encrypted.
    pub storage_encrypted: Option<bool>,
    /// The throughput of the storage in MiB per second.
    pub storage_throughput: Option<i32>,
    /// The kind of storage: `gp3`, `gp2`, `io1`, `io2`, `standard`.
    pub storage_type: Option<String>,
    /// The key store of transparent data encryption.
    pub tde_credential_arn: Option<String>,
    /// The password of the key store of transparent data encryption.
    #[schemars(extend("no_log" = true))]
    pub tde_credential_password: Option<String>,
    /// The time zone of a new instance, if the engine supports one.
    pub timezone: Option<String>,
    /// Whether to restore the latest possible point in time.
    pub use_latest_restorable_time: Option<bool>,
    /// The IDs of the security groups.
    pub vpc_security_group_ids: Option<Vec<String>>,
    /// The tags of the instance.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    #[serde(flatten)]
    pub connection: Connection,
}

/// The desired state of an instance.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// The instance exists as described.
    #[default]
    Present,
    Absent,
    /// The same as `absent`.
    Terminated,
    /// The instance exists and is running.
    Started,
    /// The same as `started`.
    Running,
    /// The instance is stopped.
    Stopped,
    /// The instance is rebooted, every time.
    Rebooted,
    /// The same as `rebooted`.
    Restarted,
}

/// The source of a new instance.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CreationSource {
    /// A snapshot.
    Snapshot,
    /// A backup in S3.
    S3,
    /// Another instance, to restore a point in time or to replicate.
    Instance,
}

/// An IAM role of an instance.
#[derive(Clone, Debug, Deserialize, PartialEq, schemars::JsonSchema)]
pub(crate) struct IamRole {
    /// The feature that uses the role: `s3Import`, `Lambda`.
    pub feature_name: String,
    /// The ARN of the role.
    pub role_arn: String,
}
