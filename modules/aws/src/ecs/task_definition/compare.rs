//! Comparison of a desired task definition with the latest revision.

use serde_json::{Map, Value as Json, json};

use crate::compare::{Changes, is_empty};

/// Members that ECS adds to a registered definition.
const ADDED: &[&str] = &[
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
    "tags",
];

/// Compares two complete definitions after adding the defaults that ECS adds.
pub(super) fn compare(asked: &Map<String, Json>, current: &Json) -> Changes {
    let mut changes = Changes::default();
    let network = current["networkMode"].as_str().or(asked.get("networkMode").and_then(Json::as_str));
    let host_ports = matches!(network, Some("awsvpc" | "host"));
    let asked = filled(&Json::Object(asked.clone()), host_ports);
    let mut current = filled(current, host_ports);
    if let Some(members) = current.as_object_mut() {
        members.retain(|name, _| !ADDED.contains(&name.as_str()));
        if asked.get("networkMode").is_none() {
            members.remove("networkMode");
        }
        if asked.get("requiresCompatibilities").is_none() {
            members.remove("requiresCompatibilities");
        }
    }
    let (Some(asked), Some(current)) = (asked.as_object(), current.as_object()) else { return changes };
    let names: Vec<&String> =
        asked.keys().chain(current.keys().filter(|k| !asked.contains_key(*k))).collect();
    for name in names {
        let (a, c) =
            (asked.get(name).cloned().unwrap_or_default(), current.get(name).cloned().unwrap_or_default());
        if a != c {
            changes.note(name, c, a);
        }
    }
    changes
}

/// Returns the platform of a definition that names none.
pub(super) fn default_platform() -> Json {
    json!({"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"})
}

/// Returns the normal form of a definition: with defaults, without empty members, unordered lists sorted.
fn filled(definition: &Json, host_ports: bool) -> Json {
    let mut definition = definition.clone();
    if definition["runtimePlatform"].is_null() {
        definition["runtimePlatform"] = default_platform();
    }
    for container in definition["containerDefinitions"].as_array_mut().into_iter().flatten() {
        let Some(members) = container.as_object_mut() else { continue };
        members.entry("essential").or_insert(true.into());
        if let Some(check) = members.get_mut("healthCheck").and_then(Json::as_object_mut) {
            for (name, seconds) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
                check.entry(name).or_insert(seconds.into());
            }
        }
        for port in members.get_mut("portMappings").and_then(Json::as_array_mut).into_iter().flatten() {
            let Some(port) = port.as_object_mut() else { continue };
            port.entry("protocol").or_insert("tcp".into());
            let inside = port.get("containerPort").cloned();
            if let (true, Some(inside)) = (host_ports, inside) {
                port.entry("hostPort").or_insert(inside);
            }
        }
        for (list, key) in [("environment", "name"), ("secrets", "name"), ("portMappings", "containerPort")] {
            if let Some(items) = members.get_mut(list).and_then(Json::as_array_mut) {
                items.sort_by_key(|item| item[key].to_string());
            }
        }
    }
    for volume in definition["volumes"].as_array_mut().into_iter().flatten() {
        if let Some(members) = volume.as_object_mut() {
            members.remove("configuredAtLaunch");
            if let Some(efs) = members.get_mut("efsVolumeConfiguration").and_then(Json::as_object_mut) {
                efs.entry("rootDirectory").or_insert("/".into());
            }
        }
    }
    pruned(&definition)
}

fn pruned(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut kept: Vec<(String, Json)> = map
                .iter()
                .filter(|(name, value)| !is_empty(value) || *name == "essential" || value.is_string())
                .map(|(name, value)| (name.clone(), pruned(value)))
                .collect();
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(kept.into_iter().collect())
        }
        Json::Array(items) => items.iter().map(pruned).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differing(asked: Json, current: Json) -> Vec<String> {
        compare(asked.as_object().unwrap(), &current).names().map(str::to_owned).collect()
    }

    #[test]
    fn what_ecs_fills_in_is_no_difference() {
        let asked = json!({"family": "web", "networkMode": "awsvpc", "containerDefinitions": [
            {"name": "web", "image": "app:1", "portMappings": [{"containerPort": 80}],
             "environment": [{"name": "B", "value": ""}, {"name": "A", "value": "1"}]}]});
        let current = json!({"family": "web", "revision": 3, "status": "ACTIVE", "networkMode": "awsvpc", "volumes": [],
            "compatibilities": ["EC2", "FARGATE"], "containerDefinitions": [
            {"name": "web", "image": "app:1", "cpu": 0, "essential": true, "mountPoints": [], "volumesFrom": [],
             "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
             "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": ""}]}]});
        assert!(differing(asked, current).is_empty());
    }

    #[test]
    fn what_is_no_longer_asked_for_is_a_difference() {
        let container = |extra: Json| {
            let mut container = json!({"name": "web", "image": "app:1"});
            container.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            json!({"family": "web", "containerDefinitions": [container]})
        };
        let with = || container(json!({"command": ["serve"], "essential": false}));
        assert_eq!(differing(container(json!({})), with()), ["containerDefinitions"]);
        assert_eq!(differing(container(json!({"essential": false})), with()), ["containerDefinitions"]);
        assert!(differing(with(), with()).is_empty());
    }
}
