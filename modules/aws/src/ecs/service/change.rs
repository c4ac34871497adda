//! What differs between a service as asked for and as it is, and the calls that make it so.

use aws_sdk_ecs::operation::create_service::CreateServiceInput;
use aws_sdk_ecs::operation::update_service::UpdateServiceInput;
use aws_sdk_ecs::types::{DeploymentControllerType, Service};
use playbook_api::{Error, Failure};
use serde_json::{Map, Value as Json, json};

use super::options::{DeploymentConfiguration, EcsService, NetworkConfiguration};
use crate::client::Aws;
use crate::compare::{Changes, is_empty};
use crate::ecs::{describe, to_sdk_tags};
use crate::error::Explain;
use crate::shape;
use crate::tags::{TagChanges, Tags};

/// The API's members that the arguments ask for, under the API's names and with the API's types.
pub fn asked(module: &EcsService) -> Result<Map<String, Json>, Error> {
    let m = module.clone();
    let mut asked = json!({
        "taskDefinition": m.task_definition,
        "desiredCount": m.desired_count,
        "loadBalancers": m.load_balancers,
        "clientToken": m.client_token,
        "role": m.role,
        "deploymentController": m.deployment_controller.map(|c| json!({"type": c.r#type})),
        "deploymentConfiguration": m.deployment_configuration.map(deployment_configuration),
        "placementConstraints": m.placement_constraints.map(|all| {
            all.into_iter().map(|c| json!({"type": c.r#type, "expression": c.expression})).collect::<Json>()
        }),
        "placementStrategy": m.placement_strategy.map(|all| {
            all.into_iter().map(|s| json!({"type": s.r#type, "field": s.field})).collect::<Json>()
        }),
        "networkConfiguration": m.network_configuration.as_ref().map(network),
        "launchType": m.launch_type.map(|l| format!("{l:?}").to_uppercase()),
        "capacityProviderStrategy": m.capacity_provider_strategy.map(|all| {
            all.into_iter()
                .map(|c| json!({"capacityProvider": c.capacity_provider, "weight": c.weight, "base": c.base}))
                .collect::<Json>()
        }),
        "platformVersion": m.platform_version,
        "healthCheckGracePeriodSeconds": m.health_check_grace_period_seconds,
        "serviceRegistries": m.service_registries.map(|all| {
            all.into_iter()
                .map(|r| json!({"registryArn": r.arn, "containerName": r.container_name,
                    "containerPort": r.container_port, "port": r.port}))
                .collect::<Json>()
        }),
        "schedulingStrategy": m.scheduling_strategy.map(|s| format!("{s:?}").to_uppercase()),
        "enableExecuteCommand": m.enable_execute_command,
        "propagateTags": m.propagate_tags.map(|p| crate::text::snake(&format!("{p:?}")).to_uppercase()),
        "enableECSManagedTags": m.enable_ecs_managed_tags,
        "availabilityZoneRebalancing": m.availability_zone_rebalancing,
        "serviceConnectConfiguration": m.service_connect_configuration,
    });
    // The API's own type reads it back: numbers become numbers, and a member that does not exist is found.
    let map = asked.as_object_mut().map(std::mem::take).unwrap_or_default();
    let given: Map<String, Json> = map.into_iter().filter(|(_, v)| !v.is_null()).collect();
    let input = shape::from_json(&Json::Object(given), &m.name, CreateServiceInput::deserialize)?;
    let mut canonical = match shape::to_json(&input) {
        Json::Object(map) => map,
        _ => Map::new(),
    };
    canonical.remove("serviceName");
    Ok(canonical)
}

fn deployment_configuration(d: DeploymentConfiguration) -> Json {
    json!({
        "maximumPercent": d.maximum_percent,
        "minimumHealthyPercent": d.minimum_healthy_percent,
        "deploymentCircuitBreaker": d.deployment_circuit_breaker.map(|b| json!({
            "enable": b.enable.unwrap_or(false), "rollback": b.rollback.unwrap_or(false)})),
        "alarms": d.alarms.map(|a| json!({"alarmNames": a.alarm_names.unwrap_or_default(),
            "enable": a.enable.unwrap_or(false), "rollback": a.rollback.unwrap_or(false)})),
        "strategy": d.strategy,
        "bakeTimeInMinutes": d.bake_time_in_minutes,
    })
}

/// The network of a task or service in the API's shape.
pub fn network(n: &NetworkConfiguration) -> Json {
    let public = n.assign_public_ip.map(|on| if on { "ENABLED" } else { "DISABLED" });
    json!({"awsvpcConfiguration": {
        "subnets": n.subnets.clone().unwrap_or_default(),
        "securityGroups": n.security_groups,
        "assignPublicIp": public,
    }})
}

/// Compares what was asked with what is, member by member.
pub async fn compare(
    aws: &Aws,
    module: &EcsService,
    asked: &Map<String, Json>,
    service: &Service,
    current: &Json,
) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    for (name, value) in asked {
        match name.as_str() {
            // Only read when the service is created; ECS does not tell them afterwards.
            "clientToken" | "role" => {}
            "taskDefinition" => compare_definition(aws, value, service, &mut changes).await?,
            "deploymentController" => {
                changes.compare(name, value, &json!({"type": controller(service).as_str()}))
            }
            "schedulingStrategy" => {
                let strategy = service.scheduling_strategy().map_or("REPLICA", |s| s.as_str());
                changes.compare(name, value, &strategy.into());
            }
            "propagateTags" => {
                changes.compare(name, value, &service.propagate_tags().map_or("NONE", |p| p.as_str()).into());
            }
            "serviceConnectConfiguration" => {
                let primary = current["deployments"]
                    .as_array()
                    .and_then(|all| all.iter().find(|d| d["status"] == "PRIMARY"));
                changes.compare(
                    name,
                    value,
                    primary.map_or(&Json::Null, |d| &d["serviceConnectConfiguration"]),
                );
            }
            "placementConstraints" if is_empty(value) && !module.purge_placement_constraints => {}
            "placementStrategy" if is_empty(value) && !module.purge_placement_strategy => {}
            _ => changes.compare(name, value, &current[name.as_str()]),
        }
    }
    for (name, purge) in [
        ("placementConstraints", module.purge_placement_constraints),
        ("placementStrategy", module.purge_placement_strategy),
    ] {
        if purge && !asked.contains_key(name) && !is_empty(&current[name]) {
            changes.note(name, current[name].clone(), json!([]));
        }
    }
    Ok(changes)
}

async fn compare_definition(
    aws: &Aws,
    asked: &Json,
    service: &Service,
    changes: &mut Changes,
) -> Result<(), Error> {
    let (asked, current) =
        (asked.as_str().unwrap_or_default(), service.task_definition().unwrap_or_default());
    if describe::has_revision(asked) {
        if !describe::same_definition(asked, current, None) {
            changes.note("taskDefinition", current.into(), asked.into());
        }
        return Ok(());
    }
    let Some((latest, _)) = describe::task_definition(aws, asked).await? else {
        return Err(Error::new(format!("there is no active task definition of the family '{asked}'"))
            .with_help("check `task_definition`; ecs_taskdefinition registers one"));
    };
    let latest = latest.task_definition_arn().unwrap_or_default();
    if latest != current {
        changes.note("taskDefinition", current.into(), latest.into());
    }
    Ok(())
}

fn controller(service: &Service) -> DeploymentControllerType {
    service.deployment_controller().map_or(DeploymentControllerType::Ecs, |c| c.r#type().clone())
}

/// What UpdateService takes where CodeDeploy carries out deployments.
const WITH_CODE_DEPLOY: &[&str] = &[
    "desiredCount",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "deploymentController",
];

/// What UpdateService takes where a program of one's own moves task sets.
const WITH_EXTERNAL: &[&str] = &[
    "desiredCount",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "deploymentController",
];

/// Says what cannot be changed this way, and which way it can.
pub fn check_controller(
    title: &str,
    service: &Service,
    changes: &Changes,
    redeploys: bool,
) -> Result<(), Failure> {
    for fixed in ["launchType", "schedulingStrategy"] {
        if changes.has(fixed) {
            return Err(Failure::new(format!(
                "{fixed} of the existing {title} is {} and cannot be changed to {}",
                changes.before[fixed], changes.after[fixed]
            ))
            .with_help(
                "delete the service and create it again; capacity_provider_strategy can be changed in place",
            ));
        }
    }
    let (allowed, help) = match controller(service) {
        DeploymentControllerType::CodeDeploy => {
            (WITH_CODE_DEPLOY, "create a CodeDeploy deployment for it (`aws deploy create-deployment`)")
        }
        DeploymentControllerType::External => {
            (WITH_EXTERNAL, "create a new task set for it (`aws ecs create-task-set`)")
        }
        _ => return Ok(()),
    };
    let mut refused: Vec<&str> = changes.names().filter(|n| !allowed.contains(n)).collect();
    if redeploys {
        refused.push("forceNewDeployment");
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the deployments of the {title} are carried out by {}, so UpdateService cannot change {}",
        controller(service).as_str(),
        refused.join(", ")
    ))
    .with_help(help))
}

pub async fn create(aws: &Aws, asked: Map<String, Json>, tags: Option<&Tags>) -> Result<Service, Error> {
    let i = shape::from_json(&Json::Object(asked), "ecs_service", CreateServiceInput::deserialize)?;
    let answer = aws
        .ecs()
        .create_service()
        .set_cluster(i.cluster)
        .set_service_name(i.service_name)
        .set_task_definition(i.task_definition)
        .set_availability_zone_rebalancing(i.availability_zone_rebalancing)
        .set_load_balancers(i.load_balancers)
        .set_service_registries(i.service_registries)
        .set_desired_count(i.desired_count)
        .set_client_token(i.client_token)
        .set_launch_type(i.launch_type)
        .set_capacity_provider_strategy(i.capacity_provider_strategy)
        .set_platform_version(i.platform_version)
        .set_role(i.role)
        .set_deployment_configuration(i.deployment_configuration)
        .set_placement_constraints(i.placement_constraints)
        .set_placement_strategy(i.placement_strategy)
        .set_network_configuration(i.network_configuration)
        .set_health_check_grace_period_seconds(i.health_check_grace_period_seconds)
        .set_scheduling_strategy(i.scheduling_strategy)
        .set_deployment_controller(i.deployment_controller)
        .set_tags(tags.map(to_sdk_tags))
        .set_enable_ecs_managed_tags(i.enable_ecs_managed_tags)
        .set_propagate_tags(i.propagate_tags)
        .set_enable_execute_command(i.enable_execute_command)
        .set_service_connect_configuration(i.service_connect_configuration)
        .send()
        .await
        .explain("ecs:CreateService")?;
    answer.service.ok_or_else(|| Error::new("ecs:CreateService answered without a service"))
}

/// Sends what differs, and nothing else: a count that nobody asked for stays with whoever set it.
pub async fn update(
    aws: &Aws,
    module: &EcsService,
    mut members: Map<String, Json>,
    current: &Json,
) -> Result<Service, Error> {
    // These two are replaced as a whole, so what nobody asked for goes along as it is.
    for name in ["deploymentConfiguration", "networkConfiguration"] {
        if let Some(asked) = members.get_mut(name) {
            *asked = overlay(&current[name], asked);
        }
    }
    // A strategy only takes effect with a new deployment.
    let redeploys = module.force_new_deployment || members.contains_key("capacityProviderStrategy");
    members.insert("service".into(), module.name.as_str().into());
    let i = shape::from_json(&Json::Object(members), "ecs_service", UpdateServiceInput::deserialize)?;
    let answer = aws
        .ecs()
        .update_service()
        .cluster(&module.cluster)
        .set_service(i.service)
        .set_desired_count(i.desired_count)
        .set_task_definition(i.task_definition)
        .set_capacity_provider_strategy(i.capacity_provider_strategy)
        .set_deployment_configuration(i.deployment_configuration)
        .set_availability_zone_rebalancing(i.availability_zone_rebalancing)
        .set_network_configuration(i.network_configuration)
        .set_placement_constraints(i.placement_constraints)
        .set_placement_strategy(i.placement_strategy)
        .set_platform_version(i.platform_version)
        .set_force_new_deployment(redeploys.then_some(true))
        .set_health_check_grace_period_seconds(i.health_check_grace_period_seconds)
        .set_deployment_controller(i.deployment_controller)
        .set_enable_execute_command(i.enable_execute_command)
        .set_enable_ecs_managed_tags(i.enable_ecs_managed_tags)
        .set_load_balancers(i.load_balancers)
        .set_propagate_tags(i.propagate_tags)
        .set_service_registries(i.service_registries)
        .set_service_connect_configuration(i.service_connect_configuration)
        .send()
        .await
        .explain("ecs:UpdateService")?;
    answer.service.ok_or_else(|| Error::new("ecs:UpdateService answered without a service"))
}

/// `asked` with the members of `current` that it does not mention.
fn overlay(current: &Json, asked: &Json) -> Json {
    match (current, asked) {
        (Json::Object(current), Json::Object(asked)) => {
            let mut all = current.clone();
            for (name, value) in asked {
                let merged = overlay(current.get(name).unwrap_or(&Json::Null), value);
                all.insert(name.clone(), merged);
            }
            Json::Object(all)
        }
        (_, asked) => asked.clone(),
    }
}

pub async fn tag(aws: &Aws, arn: &str, changes: &TagChanges) -> Result<(), Error> {
    if !changes.set.is_empty() {
        let tags = to_sdk_tags(&changes.set);
        aws.ecs()
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(tags))
            .send()
            .await
            .explain("ecs:TagResource")?;
    }
    if !changes.remove.is_empty() {
        let keys = Some(changes.remove.clone());
        aws.ecs()
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(keys)
            .send()
            .await
            .explain("ecs:UntagResource")?;
    }
    Ok(())
}
