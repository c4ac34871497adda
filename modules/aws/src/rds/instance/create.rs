//! Creation of an instance: new, from a snapshot, from S3, from a point in time, or as a replica.

use aws_sdk_rds::types::{DbInstance, ProcessorFeature};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use playbook_api::{Error, Failure};

use super::options::{CreationSource, RdsInstance};
use crate::client::Aws;
use crate::error::Explain;
use crate::rds::to_sdk_tags;

/// Passes arguments to the setters of the same meaning.
macro_rules! set {
    ($builder:expr, $options:expr; $($setter:ident = $field:ident),* $(,)?) => {
        $builder $(.$setter($options.$field.clone()))*
    };
}

/// The setters that all ways of creation share.
macro_rules! set_common {
    ($builder:expr, $options:expr) => {
        set!($builder, $options;
            set_db_instance_class = db_instance_class,
            set_availability_zone = availability_zone,
            set_port = port,
            set_multi_az = multi_az,
            set_auto_minor_version_upgrade = auto_minor_version_upgrade,
            set_iops = iops,
            set_storage_throughput = storage_throughput,
            set_storage_type = storage_type,
            set_allocated_storage = allocated_storage,
            set_option_group_name = option_group_name,
            set_db_parameter_group_name = db_parameter_group_name,
            set_publicly_accessible = publicly_accessible,
            set_db_subnet_group_name = db_subnet_group_name,
            set_vpc_security_group_ids = vpc_security_group_ids,
            set_copy_tags_to_snapshot = copy_tags_to_snapshot,
            set_enable_iam_database_authentication = enable_iam_database_authentication,
            set_enable_cloudwatch_logs_exports = enable_cloudwatch_logs_exports,
            set_deletion_protection = deletion_protection,
            set_ca_certificate_identifier = ca_certificate_identifier,
        )
        .set_tags($options.tags.as_ref().map(to_sdk_tags))
        .set_processor_features(processor_features($options))
    };
}

/// The setters of monitoring, which restored instances receive with their first modification instead.
macro_rules! set_monitoring {
    ($builder:expr, $options:expr) => {
        set!($builder, $options;
            set_monitoring_interval = monitoring_interval,
            set_monitoring_role_arn = monitoring_role_arn,
            set_enable_performance_insights = enable_performance_insights,
            set_performance_insights_kms_key_id = performance_insights_kms_key_id,
            set_performance_insights_retention_period = performance_insights_retention_period,
            set_max_allocated_storage = max_allocated_storage,
            set_kms_key_id = kms_key_id,
        )
    };
}

/// The setters of an instance that is not made from an existing one.
macro_rules! set_new {
    ($builder:expr, $options:expr) => {
        set!($builder, $options;
            set_engine = engine,
            set_engine_version = engine_version,
            set_db_name = db_name,
            set_master_username = master_username,
            set_master_user_password = master_user_password,
            set_manage_master_user_password = manage_master_user_password,
            set_master_user_secret_kms_key_id = master_user_secret_kms_key_id,
            set_backup_retention_period = backup_retention_period,
            set_preferred_backup_window = preferred_backup_window,
            set_preferred_maintenance_window = preferred_maintenance_window,
            set_license_model = license_model,
            set_storage_encrypted = storage_encrypted,
        )
    };
}

/// The setters of an instance that is restored from a snapshot or from another instance.
macro_rules! set_restored {
    ($builder:expr, $options:expr) => {
        set!($builder, $options;
            set_domain = domain,
            set_domain_iam_role_name = domain_iam_role_name,
            set_tde_credential_arn = tde_credential_arn,
            set_tde_credential_password = tde_credential_password,
            set_license_model = license_model,
            set_db_name = db_name,
            set_engine = engine,
            set_master_user_secret_kms_key_id = master_user_secret_kms_key_id,
            set_manage_master_user_password = manage_master_user_password,
        )
    };
}

pub(super) fn processor_features(options: &RdsInstance) -> Option<Vec<ProcessorFeature>> {
    let features = options.processor_features.as_ref().filter(|f| !f.is_empty())?;
    Some(features.iter().map(|(n, v)| ProcessorFeature::builder().name(n).value(v).build()).collect())
}

/// Rejects a creation without the required arguments, so that check mode reports it too.
pub(super) fn check(options: &RdsInstance, region: &str) -> Result<(), Failure> {
    if let Some(source) = options.source_region.as_deref().filter(|source| *source != region) {
        return Err(Failure::new(format!(
            "making an instance in {region} from one in {source} is not possible here"
        ))
        .with_help("copy a snapshot to the region first and restore it with `creation_source: snapshot`"));
    }
    let mut missing = Vec::new();
    if options.read_replica == Some(true) {
        if options.source_db_instance_identifier.is_none() {
            missing.push("source_db_instance_identifier");
        }
    } else if options.creation_source.is_none() {
        if options.engine.is_none() {
            missing.push("engine");
        }
        if options.db_instance_class.is_none() {
            missing.push("db_instance_class");
        }
        let managed = options.manage_master_user_password == Some(true);
        if options.db_cluster_identifier.is_none() {
            if options.master_username.is_none() {
                missing.push("master_username");
            }
            if options.master_user_password.is_none() && !managed {
                missing.push("master_user_password (or manage_master_user_password)");
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the RDS instance {} does not exist; creating it requires {}",
        options.db_instance_identifier,
        missing.join(", ")
    ))
    .with_help("check `db_instance_identifier` and `region` where the instance should exist already"))
}

pub(super) async fn create(aws: &Aws, options: &RdsInstance) -> Result<DbInstance, Error> {
    let created = match options.creation_source {
        _ if options.read_replica == Some(true) => replicate(aws, options).await?,
        None => create_empty(aws, options).await?,
        Some(CreationSource::Snapshot) => restore_snapshot(aws, options).await?,
        Some(CreationSource::Instance) => restore_moment(aws, options).await?,
        Some(CreationSource::S3) => restore_s3(aws, options).await?,
    };
    created.ok_or_else(|| Error::new("RDS answered without an instance"))
}

async fn create_empty(aws: &Aws, options: &RdsInstance) -> Result<Option<DbInstance>, Error> {
    let request = aws.rds().create_db_instance().db_instance_identifier(&options.db_instance_identifier);
    let request = set_monitoring!(set_common!(request, options), options);
    let request = set!(set_new!(request, options), options;
        set_db_cluster_identifier = db_cluster_identifier,
        set_db_security_groups = db_security_groups,
        set_character_set_name = character_set_name,
        set_domain = domain,
        set_domain_iam_role_name = domain_iam_role_name,
        set_promotion_tier = promotion_tier,
        set_timezone = timezone,
        set_tde_credential_arn = tde_credential_arn,
        set_tde_credential_password = tde_credential_password,
    );
    Ok(request.send().await.explain("rds:CreateDBInstance")?.db_instance)
}

async fn replicate(aws: &Aws, options: &RdsInstance) -> Result<Option<DbInstance>, Error> {
    let request =
        aws.rds().create_db_instance_read_replica().db_instance_identifier(&options.db_instance_identifier);
    let request = set_monitoring!(set_common!(request, options), options);
    let request = set!(request, options;
        set_source_db_instance_identifier = source_db_instance_identifier,
        set_domain = domain,
        set_domain_iam_role_name = domain_iam_role_name,
    );
    Ok(request.send().await.explain("rds:CreateDBInstanceReadReplica")?.db_instance)
}

async fn restore_snapshot(aws: &Aws, options: &RdsInstance) -> Result<Option<DbInstance>, Error> {
    let request = aws
        .rds()
        .restore_db_instance_from_db_snapshot()
        .db_instance_identifier(&options.db_instance_identifier);
    let request = set!(set_restored!(set_common!(request, options), options), options;
        set_db_snapshot_identifier = db_snapshot_identifier,
    );
    Ok(request.send().await.explain("rds:RestoreDBInstanceFromDBSnapshot")?.db_instance)
}

async fn restore_moment(aws: &Aws, options: &RdsInstance) -> Result<Option<DbInstance>, Error> {
    let moment = options.restore_time.as_deref().map(|text| {
        DateTime::from_str(text, Format::DateTimeWithOffset).map_err(|_| {
            Error::new(format!("restore_time '{text}' is not a moment in ISO 8601"))
                .with_help("write it like 2026-02-03T04:05:06Z")
        })
    });
    let latest = options.use_latest_restorable_time.or(options.restore_time.is_none().then_some(true));
    let request = aws
        .rds()
        .restore_db_instance_to_point_in_time()
        .target_db_instance_identifier(&options.db_instance_identifier)
        .set_restore_time(moment.transpose()?)
        .set_use_latest_restorable_time(latest);
    let request = set!(set_restored!(set_common!(request, options), options), options;
        set_source_db_instance_identifier = source_db_instance_identifier,
        set_max_allocated_storage = max_allocated_storage,
    );
    Ok(request.send().await.explain("rds:RestoreDBInstanceToPointInTime")?.db_instance)
}

async fn restore_s3(aws: &Aws, options: &RdsInstance) -> Result<Option<DbInstance>, Error> {
    let request =
        aws.rds().restore_db_instance_from_s3().db_instance_identifier(&options.db_instance_identifier);
    let request = set_monitoring!(set_common!(request, options), options);
    let request = set!(set_new!(request, options), options;
        set_source_engine = source_engine,
        set_source_engine_version = source_engine_version,
        set_s3_bucket_name = s3_bucket_name,
        set_s3_prefix = s3_prefix,
        set_s3_ingestion_role_arn = s3_ingestion_role_arn,
    );
    Ok(request.send().await.explain("rds:RestoreDBInstanceFromS3")?.db_instance)
}
