//! An RDS instance as amazon.aws prints it: the API's members in snake_case.

use aws_sdk_rds::types::{DbInstance, PendingModifiedValues, ProcessorFeature};
use playbook_api::Error;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::error::Explain;
use crate::json;
use crate::tags;

/// Returns an instance by its identifier.
pub(crate) async fn instance(aws: &Aws, id: &str) -> Result<Option<DbInstance>, Error> {
    let answer = aws
        .rds()
        .describe_db_instances()
        .db_instance_identifier(id)
        .send()
        .await
        .missing("rds:DescribeDBInstances", &["DBInstanceNotFound", "DBInstanceNotFoundFault"])?;
    Ok(answer.and_then(|a| a.db_instances.unwrap_or_default().into_iter().next()))
}

/// Returns the members of a structure, without those that AWS omitted.
macro_rules! members {
    ($from:expr; $($name:ident),* $(,)?) => {{
        let mut map = Map::new();
        $(json::put(&mut map, stringify!($name), &$from.$name);)*
        map
    }};
}

/// Returns a list of structures, or null if AWS omitted it.
macro_rules! list {
    ($from:expr; $($name:ident),* $(,)?) => {
        $from.iter().flatten().map(|item| Json::Object(members!(item; $($name),*))).collect::<Json>()
    };
}

/// Returns a snapshot by its identifier.
pub(super) async fn snapshot(aws: &Aws, id: &str) -> Result<Option<Json>, Error> {
    let answer = aws
        .rds()
        .describe_db_snapshots()
        .db_snapshot_identifier(id)
        .send()
        .await
        .missing("rds:DescribeDBSnapshots", &["DBSnapshotNotFound", "DBSnapshotNotFoundFault"])?;
    let found = answer.and_then(|a| a.db_snapshots.unwrap_or_default().into_iter().next());
    Ok(found.map(|snapshot| {
        Json::Object(members!(snapshot;
            db_snapshot_identifier, db_instance_identifier, snapshot_create_time, engine, allocated_storage, status,
            port, availability_zone, vpc_id, instance_create_time, master_username, engine_version, license_model,
            snapshot_type, iops, option_group_name, percent_progress, storage_type, encrypted, kms_key_id,
            db_snapshot_arn, iam_database_authentication_enabled, dbi_resource_id, original_snapshot_create_time,
        ))
    }))
}

pub(crate) fn to_json(instance: &DbInstance) -> Json {
    let mut map = members!(instance;
        db_instance_identifier, db_instance_class, engine, db_instance_status, master_username,
        db_name, allocated_storage, instance_create_time, preferred_backup_window,
        backup_retention_period, availability_zone, preferred_maintenance_window,
        latest_restorable_time, multi_az, engine_version, auto_minor_version_upgrade,
        read_replica_source_db_instance_identifier, read_replica_db_instance_identifiers,
        read_replica_db_cluster_identifiers, license_model, iops, storage_throughput,
        character_set_name, nchar_character_set_name, secondary_availability_zone,
        publicly_accessible, storage_type, tde_credential_arn, db_instance_port,
        db_cluster_identifier, storage_encrypted, kms_key_id, dbi_resource_id,
        ca_certificate_identifier, copy_tags_to_snapshot, monitoring_interval,
        enhanced_monitoring_resource_arn, monitoring_role_arn, promotion_tier, db_instance_arn,
        timezone, iam_database_authentication_enabled, performance_insights_enabled,
        performance_insights_kms_key_id, performance_insights_retention_period,
        enabled_cloudwatch_logs_exports, deletion_protection, max_allocated_storage,
        customer_owned_ip_enabled, network_type, backup_target, automatic_restart_time,
        multi_tenant, dedicated_log_volume, is_storage_config_upgrade_available,
        engine_lifecycle_support, percent_progress,
    );
    let endpoint =
        |e: &aws_sdk_rds::types::Endpoint| Json::Object(members!(e; address, port, hosted_zone_id));
    let mut put = |name: &str, value: Json| {
        map.insert(name.to_owned(), value);
    };
    if let Some(e) = &instance.endpoint {
        put("endpoint", endpoint(e));
    }
    if let Some(e) = &instance.listener_endpoint {
        put("listener_endpoint", endpoint(e));
    }
    put("db_security_groups", list!(instance.db_security_groups; db_security_group_name, status));
    put("vpc_security_groups", list!(instance.vpc_security_groups; vpc_security_group_id, status));
    put(
        "db_parameter_groups",
        list!(instance.db_parameter_groups; db_parameter_group_name, parameter_apply_status),
    );
    put("option_group_memberships", list!(instance.option_group_memberships; option_group_name, status));
    put("status_infos", list!(instance.status_infos; status_type, normal, status, message));
    put(
        "domain_memberships",
        list!(instance.domain_memberships; domain, status, fqdn, iam_role_name, ou, auth_secret_arn, dns_ips),
    );
    put("associated_roles", list!(instance.associated_roles; role_arn, feature_name, status));
    put("processor_features", processor_features(instance.processor_features()));
    if let Some(group) = &instance.db_subnet_group {
        let mut json = members!(group; db_subnet_group_name, db_subnet_group_description, vpc_id, subnet_group_status,
            db_subnet_group_arn, supported_network_types);
        let subnets = group.subnets().iter().map(|s| {
            let mut subnet = members!(s; subnet_identifier, subnet_status);
            let zone = s.subnet_availability_zone().and_then(|z| z.name());
            subnet.insert("subnet_availability_zone".into(), json!({"name": zone}));
            Json::Object(subnet)
        });
        json.insert("subnets".into(), subnets.collect());
        put("db_subnet_group", Json::Object(json));
    }
    if let Some(secret) = &instance.master_user_secret {
        put("master_user_secret", Json::Object(members!(secret; secret_arn, secret_status, kms_key_id)));
    }
    if let Some(details) = &instance.certificate_details {
        put("certificate_details", Json::Object(members!(details; ca_identifier, valid_till)));
    }
    put(
        "pending_modified_values",
        instance.pending_modified_values.as_ref().map_or_else(|| json!({}), pending),
    );
    put("tags", tags::to_json(&tags(instance)));
    Json::Object(map)
}

/// Returns the changes that are pending until the maintenance window, without a password.
fn pending(values: &PendingModifiedValues) -> Json {
    let mut map = members!(values; db_instance_class, allocated_storage, port, backup_retention_period, multi_az,
        engine_version, license_model, iops, storage_throughput, db_instance_identifier, storage_type,
        ca_certificate_identifier, db_subnet_group_name, multi_tenant, iam_database_authentication_enabled,
        dedicated_log_volume, engine);
    if values.master_user_password.is_some() {
        map.insert("master_user_password".into(), playbook_api::redact::MASK.into());
    }
    if let Some(logs) = &values.pending_cloudwatch_logs_exports {
        let logs = members!(logs; log_types_to_enable, log_types_to_disable);
        map.insert("pending_cloudwatch_logs_exports".into(), Json::Object(logs));
    }
    if let Some(features) = &values.processor_features {
        map.insert("processor_features".into(), processor_features(features));
    }
    Json::Object(map)
}

/// Returns the features as a dictionary, the form of the argument.
pub(crate) fn processor_features(features: &[ProcessorFeature]) -> Json {
    let pair = |f: &ProcessorFeature| Some((f.name()?.to_owned(), Json::from(f.value()?)));
    features.iter().filter_map(pair).collect::<Map<_, _>>().into()
}

pub(crate) fn tags(instance: &DbInstance) -> tags::Tags {
    instance
        .tag_list()
        .iter()
        .map(|t| (t.key().unwrap_or_default().to_owned(), t.value().unwrap_or_default().to_owned()))
        .collect()
}
