//! The difference between the desired and the current state of an instance, and the call that applies it.

use aws_sdk_rds::types::{CloudwatchLogsExportConfiguration, DbInstance, DbInstanceRole};
use playbook_api::Error;
use serde_json::{Map, Value as Json, json};

use super::create::processor_features;
use super::options::{IamRole, RdsInstance};
use crate::client::Aws;
use crate::compare::Changes;
use crate::error::Explain;

/// Returns the arguments that can be modified, by name.
pub(super) fn asked(o: &RdsInstance) -> Map<String, Json> {
    let lower = |window: &Option<String>| window.as_ref().map(|w| w.to_lowercase());
    let all = json!({
        "allocated_storage": o.allocated_storage,
        "auto_minor_version_upgrade": o.auto_minor_version_upgrade,
        "backup_retention_period": o.backup_retention_period,
        "ca_certificate_identifier": o.ca_certificate_identifier,
        "copy_tags_to_snapshot": o.copy_tags_to_snapshot,
        "db_instance_class": o.db_instance_class,
        "db_parameter_group_name": o.db_parameter_group_name,
        "db_security_groups": o.db_security_groups,
        "db_subnet_group_name": o.db_subnet_group_name,
        "deletion_protection": o.deletion_protection,
        "domain": o.domain,
        "domain_iam_role_name": o.domain_iam_role_name,
        "enable_iam_database_authentication": o.enable_iam_database_authentication,
        "enable_performance_insights": o.enable_performance_insights,
        "engine_version": o.engine_version,
        "iops": o.iops,
        "license_model": o.license_model,
        "manage_master_user_password": o.manage_master_user_password,
        "master_user_secret_kms_key_id": o.master_user_secret_kms_key_id,
        "max_allocated_storage": o.max_allocated_storage,
        "monitoring_interval": o.monitoring_interval,
        "monitoring_role_arn": o.monitoring_role_arn,
        "multi_az": o.multi_az,
        "option_group_name": o.option_group_name,
        "performance_insights_kms_key_id": o.performance_insights_kms_key_id,
        "performance_insights_retention_period": o.performance_insights_retention_period,
        "port": o.port,
        "preferred_backup_window": lower(&o.preferred_backup_window),
        "preferred_maintenance_window": lower(&o.preferred_maintenance_window),
        "promotion_tier": o.promotion_tier,
        "publicly_accessible": o.publicly_accessible,
        "storage_throughput": o.storage_throughput,
        "storage_type": o.storage_type,
        "tde_credential_arn": o.tde_credential_arn,
    });
    let Json::Object(map) = all else { return Map::new() };
    map.into_iter().filter(|(_, v)| !v.is_null()).collect()
}

/// Compares the arguments with the instance. A change that is pending until the maintenance window counts as made, unless
/// it should be applied immediately.
pub(super) fn compare(options: &RdsInstance, instance: &DbInstance, current: &Json) -> Changes {
    let mut changes = Changes::default();
    let pending = &current["pending_modified_values"];
    for (name, value) in asked(options) {
        let is = current_value(&name, current);
        let waits = pending.get(pending_name(&name)).filter(|_| !options.apply_immediately);
        let is = waits.unwrap_or(&is);
        if name == "engine_version" && is_version(&value, is) {
            continue;
        }
        // RDS reports IOPS for gp2 volumes that cannot be set, and 0 for none.
        changes.compare(&name, &value, is);
    }
    compare_lists(options, instance, current, &mut changes);
    if let Some(new) = &options.new_db_instance_identifier
        && !instance.db_instance_identifier().is_some_and(|is| is.eq_ignore_ascii_case(new))
    {
        changes.note(
            "new_db_instance_identifier",
            current["db_instance_identifier"].clone(),
            new.as_str().into(),
        );
    }
    if options.force_update_password && options.master_user_password.is_some() {
        let mask = Json::from(playbook_api::redact::MASK);
        changes.note("master_user_password", mask.clone(), mask);
    }
    changes
}

fn current_value(name: &str, current: &Json) -> Json {
    match name {
        "port" => match &current["endpoint"]["port"] {
            Json::Null => current["db_instance_port"].clone(),
            port => port.clone(),
        },
        "db_parameter_group_name" => current["db_parameter_groups"][0]["db_parameter_group_name"].clone(),
        "option_group_name" => current["option_group_memberships"][0]["option_group_name"].clone(),
        "db_subnet_group_name" => current["db_subnet_group"]["db_subnet_group_name"].clone(),
        "db_security_groups" => names(&current["db_security_groups"], "db_security_group_name"),
        "domain" => current["domain_memberships"][0]["domain"].clone(),
        "domain_iam_role_name" => current["domain_memberships"][0]["iam_role_name"].clone(),
        "enable_iam_database_authentication" => current["iam_database_authentication_enabled"].clone(),
        "enable_performance_insights" => current["performance_insights_enabled"].clone(),
        "manage_master_user_password" => current["master_user_secret"].is_object().into(),
        "master_user_secret_kms_key_id" => current["master_user_secret"]["kms_key_id"].clone(),
        other => current[other].clone(),
    }
}

fn pending_name(name: &str) -> &str {
    match name {
        "enable_iam_database_authentication" => "iam_database_authentication_enabled",
        other => other,
    }
}

/// Returns whether a version satisfies the desired one: `16` accepts `16.4`, and `16.4` only itself.
fn is_version(asked: &Json, current: &Json) -> bool {
    let (Some(asked), Some(current)) = (asked.as_str(), current.as_str()) else { return false };
    current == asked || current.strip_prefix(asked).is_some_and(|rest| rest.starts_with('.'))
}

fn names(list: &Json, key: &str) -> Json {
    list.as_array().into_iter().flatten().map(|item| item[key].clone()).collect()
}

fn compare_lists(options: &RdsInstance, instance: &DbInstance, current: &Json, changes: &mut Changes) {
    let union = |asked: &[String], is: &Json, purge: bool| -> Json {
        let mut wanted = asked.to_vec();
        let kept = is.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned);
        if !purge {
            wanted.extend(kept.filter(|k| !asked.contains(k)).collect::<Vec<_>>());
        }
        wanted.into()
    };
    if let Some(asked) = &options.vpc_security_group_ids {
        let is = names(&current["vpc_security_groups"], "vpc_security_group_id");
        changes.compare("vpc_security_group_ids", &union(asked, &is, options.purge_security_groups), &is);
    }
    if let Some(asked) = &options.enable_cloudwatch_logs_exports {
        let is: Json = instance.enabled_cloudwatch_logs_exports().to_vec().into();
        let wanted = union(asked, &is, options.purge_cloudwatch_logs_exports);
        changes.compare("enable_cloudwatch_logs_exports", &wanted, &is);
    }
    if let Some(asked) = &options.processor_features {
        let wanted: Json =
            asked.iter().map(|(k, v)| (k.clone(), Json::from(v.as_str()))).collect::<Map<_, _>>().into();
        let is = match &current["pending_modified_values"]["processor_features"] {
            Json::Object(waits) if !options.apply_immediately => Json::Object(waits.clone()),
            _ => current["processor_features"].clone(),
        };
        if wanted != is {
            changes.note("processor_features", is, wanted);
        }
    }
}

/// Sends only the members that differ.
pub(super) async fn modify(
    aws: &Aws,
    options: &RdsInstance,
    changes: &Changes,
) -> Result<Option<DbInstance>, Error> {
    let mut request = aws
        .rds()
        .modify_db_instance()
        .db_instance_identifier(&options.db_instance_identifier)
        .apply_immediately(options.apply_immediately);
    macro_rules! send_changed {
        ($($name:ident => $setter:ident),* $(,)?) => {
            $(if changes.has(stringify!($name)) {
                request = request.$setter(options.$name.clone());
            })*
        };
    }
    send_changed! {
        allocated_storage => set_allocated_storage,
        auto_minor_version_upgrade => set_auto_minor_version_upgrade,
        backup_retention_period => set_backup_retention_period,
        ca_certificate_identifier => set_ca_certificate_identifier,
        copy_tags_to_snapshot => set_copy_tags_to_snapshot,
        db_instance_class => set_db_instance_class,
        db_parameter_group_name => set_db_parameter_group_name,
        db_security_groups => set_db_security_groups,
        db_subnet_group_name => set_db_subnet_group_name,
        deletion_protection => set_deletion_protection,
        domain => set_domain,
        domain_iam_role_name => set_domain_iam_role_name,
        enable_iam_database_authentication => set_enable_iam_database_authentication,
        enable_performance_insights => set_enable_performance_insights,
        engine_version => set_engine_version,
        iops => set_iops,
        license_model => set_license_model,
        manage_master_user_password => set_manage_master_user_password,
        master_user_password => set_master_user_password,
        master_user_secret_kms_key_id => set_master_user_secret_kms_key_id,
        max_allocated_storage => set_max_allocated_storage,
        monitoring_interval => set_monitoring_interval,
        monitoring_role_arn => set_monitoring_role_arn,
        multi_az => set_multi_az,
        new_db_instance_identifier => set_new_db_instance_identifier,
        option_group_name => set_option_group_name,
        performance_insights_kms_key_id => set_performance_insights_kms_key_id,
        performance_insights_retention_period => set_performance_insights_retention_period,
        port => set_db_port_number,
        preferred_backup_window => set_preferred_backup_window,
        preferred_maintenance_window => set_preferred_maintenance_window,
        promotion_tier => set_promotion_tier,
        publicly_accessible => set_publicly_accessible,
        storage_throughput => set_storage_throughput,
        storage_type => set_storage_type,
        tde_credential_arn => set_tde_credential_arn,
    }
    let texts = |json: &Json| -> Vec<String> {
        json.as_array().into_iter().flatten().filter_map(|t| t.as_str().map(str::to_owned)).collect()
    };
    if changes.has("vpc_security_group_ids") {
        request = request.set_vpc_security_group_ids(Some(texts(&changes.after["vpc_security_group_ids"])));
    }
    if changes.has("enable_cloudwatch_logs_exports") {
        let wanted = texts(&changes.after["enable_cloudwatch_logs_exports"]);
        let is = texts(&changes.before["enable_cloudwatch_logs_exports"]);
        let without =
            |a: &[String], b: &[String]| a.iter().filter(|t| !b.contains(t)).cloned().collect::<Vec<_>>();
        let configuration = CloudwatchLogsExportConfiguration::builder()
            .set_enable_log_types(Some(without(&wanted, &is)).filter(|l| !l.is_empty()))
            .set_disable_log_types(Some(without(&is, &wanted)).filter(|l| !l.is_empty()));
        request = request.cloudwatch_logs_export_configuration(configuration.build());
    }
    if changes.has("processor_features") {
        request = match processor_features(options) {
            Some(features) => request.set_processor_features(Some(features)),
            None => request.use_default_processor_features(true),
        };
    }
    // If RDS stops managing the password, a new one must be given.
    if changes.has("manage_master_user_password") && options.manage_master_user_password == Some(false) {
        request = request.set_master_user_password(options.master_user_password.clone());
    }
    // RDS requires the size together with the IOPS of provisioned storage.
    if changes.has("iops") || changes.has("storage_throughput") {
        request = request.set_allocated_storage(options.allocated_storage);
    }
    // RDS requires the domain together with its role.
    if changes.has("domain") || changes.has("domain_iam_role_name") {
        request = request
            .set_domain(options.domain.clone())
            .set_domain_iam_role_name(options.domain_iam_role_name.clone());
    }
    request = request.set_allow_major_version_upgrade(options.allow_major_version_upgrade);
    Ok(request.send().await.explain("rds:ModifyDBInstance")?.db_instance)
}

/// Returns the roles to add and the roles to remove.
pub(super) fn compare_roles(options: &RdsInstance, instance: &DbInstance) -> (Vec<IamRole>, Vec<IamRole>) {
    let Some(asked) = &options.iam_roles else { return (Vec::new(), Vec::new()) };
    let role = |r: &DbInstanceRole| {
        Some(IamRole { feature_name: r.feature_name()?.to_owned(), role_arn: r.role_arn()?.to_owned() })
    };
    let is: Vec<IamRole> = instance.associated_roles().iter().filter_map(role).collect();
    let add = asked.iter().filter(|r| !is.contains(r)).cloned().collect();
    let remove = is.iter().filter(|r| options.purge_iam_roles && !asked.contains(r)).cloned().collect();
    (add, remove)
}

pub(super) async fn change_roles(
    aws: &Aws,
    id: &str,
    add: &[IamRole],
    remove: &[IamRole],
) -> Result<(), Error> {
    for role in remove {
        let request = aws.rds().remove_role_from_db_instance().db_instance_identifier(id);
        let request = request.role_arn(&role.role_arn).feature_name(&role.feature_name);
        request.send().await.explain("rds:RemoveRoleFromDBInstance")?;
    }
    for role in add {
        let request = aws.rds().add_role_to_db_instance().db_instance_identifier(id);
        let request = request.role_arn(&role.role_arn).feature_name(&role.feature_name);
        request.send().await.explain("rds:AddRoleToDBInstance")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_satisfied_by_its_minors() {
        assert!(is_version(&json!("16"), &json!("16.4")));
        assert!(is_version(&json!("16.4"), &json!("16.4")));
        assert!(!is_version(&json!("16.4"), &json!("16.40")));
        assert!(!is_version(&json!("1"), &json!("16.4")));
    }
}
