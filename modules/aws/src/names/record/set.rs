//! A record as the task describes it and as Route 53 returns it.

use aws_sdk_route53::types::{
    AliasTarget, GeoLocation, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover,
    ResourceRecordSetRegion, RrType,
};
use playbook_api::{Error, Failure};
use serde_json::{Map, Value as Json, json};

use super::{Place, Route53};
use crate::compare::Changes;
use crate::json::{put, to_json};
use crate::names::full;
use crate::text::snake_keys;

to_json! {
    struct ResourceRecord { value }
    struct AliasTarget { hosted_zone_id, dns_name, evaluate_target_health }
    struct GeoLocation { continent_code, country_code, subdivision_code }
    enum ResourceRecordSetRegion;
    enum ResourceRecordSetFailover;
    enum RrType;
}

/// Returns the name of a record: Route 53 writes `*` as `\052`.
pub(super) fn name(set: &ResourceRecordSet) -> String {
    full(&set.name.replace("\\052", "*"))
}

/// Returns the values of a record, or the name that an alias is for.
pub(super) fn values_of(set: &ResourceRecordSet) -> Vec<String> {
    match set.alias_target() {
        Some(target) => vec![target.dns_name().to_owned()],
        None => set.resource_records().iter().map(|record| record.value().to_owned()).collect(),
    }
}

/// Returns whether two lists have the same values in any order. The dot at the end of a name does not count.
pub(super) fn same_values(a: &[String], b: &[String]) -> bool {
    let sorted = |values: &[String]| {
        let mut values: Vec<String> =
            values.iter().map(|value| value.trim_end_matches('.').to_owned()).collect();
        values.sort();
        values
    };
    sorted(a) == sorted(b)
}

/// Returns the record that a task describes.
pub(super) fn asked(task: &Route53) -> Result<ResourceRecordSet, Failure> {
    let built = |error: aws_smithy_types::error::operation::BuildError| Error::new(error.to_string());
    let values = task.value.clone().unwrap_or_default();
    let set = ResourceRecordSet::builder()
        .name(&task.record)
        .r#type(RrType::from(task.r#type.as_str()))
        .set_set_identifier(task.identifier.clone())
        .set_weight(task.weight)
        .set_region(task.region.as_deref().map(ResourceRecordSetRegion::from))
        .set_failover(task.failover.as_deref().map(ResourceRecordSetFailover::from))
        .set_health_check_id(task.health_check.clone())
        .set_geo_location(task.geo_location.as_ref().map(|place| {
            GeoLocation::builder()
                .set_continent_code(place.continent_code.clone())
                .set_country_code(place.country_code.clone())
                .set_subdivision_code(place.subdivision_code.clone())
                .build()
        }));
    let set = match task.is_alias() {
        true => set.alias_target(
            AliasTarget::builder()
                .hosted_zone_id(task.alias_hosted_zone_id.clone().unwrap_or_default())
                .dns_name(values.first().cloned().unwrap_or_default())
                .evaluate_target_health(task.alias_evaluate_target_health)
                .build()
                .map_err(built)?,
        ),
        false => {
            let records: Result<Vec<ResourceRecord>, _> =
                values.iter().map(|value| ResourceRecord::builder().value(value).build()).collect();
            set.ttl(task.ttl.unwrap_or(3600)).set_resource_records(Some(records.map_err(built)?))
        }
    };
    Ok(set.build().map_err(built)?)
}

/// Records what differs between a record and the one that a task describes.
pub(super) fn compare(
    task: &Route53,
    current: &ResourceRecordSet,
    changes: &mut Changes,
) -> Result<(), Failure> {
    let wanted = asked(task)?;
    let (before, after) = (values_of(current), values_of(&wanted));
    let kinds = (current.alias_target().is_some(), wanted.alias_target().is_some());
    if kinds.0 != kinds.1 {
        changes.note("alias", kinds.0.into(), kinds.1.into());
    }
    if !same_values(&before, &after) {
        changes.note("value", json!(before), json!(after));
    }
    let known = |set: &ResourceRecordSet| {
        let target = set.alias_target();
        json!({
            "ttl": set.ttl(), "weight": set.weight(), "region": set.region().map(|region| region.as_str()),
            "failover": set.failover().map(|failover| failover.as_str()), "health_check": set.health_check_id(),
            "alias_hosted_zone_id": target.map(|target| target.hosted_zone_id()),
            "alias_evaluate_target_health": target.map(|target| target.evaluate_target_health()),
            "geo_location": set.geo_location().map(|place| Place {
                continent_code: place.continent_code().map(str::to_owned),
                country_code: place.country_code().map(str::to_owned),
                subdivision_code: place.subdivision_code().map(str::to_owned),
            }),
        })
    };
    if let (Json::Object(before), Json::Object(after)) = (known(current), known(&wanted)) {
        for (name, after) in after {
            let before = before.get(&name).cloned().unwrap_or_default();
            if before != after {
                changes.note(&name, before, after);
            }
        }
    }
    Ok(())
}

/// Returns a record with the members of Route 53, in snake_case.
pub(super) fn snake_set(set: &ResourceRecordSet) -> Json {
    snake_keys(&members(set).into(), &[])
}

/// Returns the members of a record as Route 53 names them.
fn members(set: &ResourceRecordSet) -> Map<String, Json> {
    let mut members = Map::new();
    put(&mut members, "Name", &name(set));
    put(&mut members, "Type", &set.r#type);
    put(&mut members, "SetIdentifier", &set.set_identifier);
    put(&mut members, "Weight", &set.weight);
    put(&mut members, "Region", &set.region);
    put(&mut members, "GeoLocation", &set.geo_location);
    put(&mut members, "Failover", &set.failover);
    put(&mut members, "MultiValueAnswer", &set.multi_value_answer);
    put(&mut members, "TTL", &set.ttl);
    put(&mut members, "AliasTarget", &set.alias_target);
    put(&mut members, "HealthCheckId", &set.health_check_id);
    if set.alias_target.is_none() {
        let values = set.resource_records().iter().map(|record| json!({"Value": record.value()}));
        members.insert("ResourceRecords".to_owned(), values.collect());
    }
    members
}

/// Returns the members of a record by the names of the arguments. Numbers are texts, as in amazon.aws.
fn by_arguments(task: &Route53, zone: &str, set: &ResourceRecordSet) -> Map<String, Json> {
    let mut values = values_of(set);
    values.sort();
    let mut json = json!({
        "record": name(set), "type": set.r#type().as_str(), "zone": full(task.zone.as_deref().unwrap_or_default()),
        "hosted_zone_id": zone, "value": values.join(","), "values": values, "alias": set.alias_target().is_some(),
        "ttl": set.ttl().map(|ttl| ttl.to_string()), "identifier": set.set_identifier(),
        "weight": set.weight().map(|weight| weight.to_string()),
        "region": set.region().map(|region| region.as_str()),
        "failover": set.failover().map(|failover| failover.as_str()), "health_check": set.health_check_id(),
    });
    if let Some(target) = set.alias_target() {
        json["alias_hosted_zone_id"] = json!(target.hosted_zone_id());
        json["alias_evaluate_target_health"] = json!(target.evaluate_target_health());
    }
    if let Json::Object(members) = json { members } else { Map::new() }
}

/// Returns a record as the module returns it.
pub(super) fn described(task: &Route53, zone: &str, set: &ResourceRecordSet) -> Json {
    let mut all = match snake_set(set) {
        Json::Object(members) => members,
        _ => Map::new(),
    };
    all.extend(by_arguments(task, zone, set));
    all.into()
}

/// Returns a record as `state: get` returns it.
pub(super) fn camel_set(task: &Route53, zone: &str, set: &ResourceRecordSet) -> Json {
    let mut all = members(set);
    all.extend(by_arguments(task, zone, set));
    all.into()
}
