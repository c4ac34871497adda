//! The difference between the desired and the current state of a service, and the calls that apply it.

use aws_sdk_ecs::operation::create_service::CreateServiceInput;
use aws_sdk_ecs::operation::update_service::UpdateServiceInput;
use aws_sdk_ecs::types::{DeploymentControllerType, Service};
use playbook_api::{Error, Failure};
use serde_json::{Map, Value as Json, json};

use super::options::{EcsService, NetworkConfiguration};
use crate::client::Aws;
use crate::compare::{Changes, is_empty};
use crate::ecs::{describe, to_sdk_tags};
use crate::error::Explain;
use crate::shape;
use crate::tags::{TagChanges, Tags};

/// Returns the desired members, with the names and types of the API.
pub(super) fn asked(module: &EcsService) -> Result<Map<String, Json>, Error> {
    let m = module.clone();
    let mut asked = json!({
        "taskDefinition": m.task_definition,
        "desiredCount": m.desired_count,
        "loadBalancers": m.load_balancers,
        "clientToken": m.client_token,
        "role": m.role,
        "deploymentController": m.deployment_controller,
        "deploymentConfiguration": m.deployment_configuration,
        "placementConstraints": m.placement_constraints,
        "placementStrategy": m.placement_strategy,
        "networkConfiguration": m.network_configuration.as_ref().map(network),
        "launchType": m.launch_type,
        "capacityProviderStrategy": m.capacity_provider_strategy,
        "platformVersion": m.platform_version,
        "healthCheckGracePeriodSeconds": m.health_check_grace_period_seconds,
        "serviceRegistries": m.service_registries,
        "schedulingStrategy": m.scheduling_strategy,
        "enableExecuteCommand": m.enable_execute_command,
        "propagateTags": m.propagate_tags,
        "enableECSManagedTags": m.enable_ecs_managed_tags,
        "availabilityZoneRebalancing": m.availability_zone_rebalancing,
        "serviceConnectConfiguration": m.service_connect_configuration,
        "volumeConfigurations": m.volume_configurations,
        "vpcLatticeConfigurations": m.vpc_lattice_configurations,
    });
    // Reading it as the API's type converts numbers and rejects members that do not exist.
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

/// Returns the network of a task or service in the form of the API.
pub(crate) fn network(n: &NetworkConfiguration) -> Json {
    let public = n.assign_public_ip.map(|on| if on { "ENABLED" } else { "DISABLED" });
    json!({"awsvpcConfiguration": {
        "subnets": n.subnets.clone().unwrap_or_default(),
        "securityGroups": n.security_groups,
        "assignPublicIp": public,
    }})
}

/// Compares the desired with the current members.
pub(super) async fn compare(
    aws: &Aws,
    module: &EcsService,
    asked: &Map<String, Json>,
    service: &Service,
    current: &Json,
) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    for (name, value) in asked {
        match name.as_str() {
            // ECS uses these only when it creates the service and does not return them.
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
            // ECS describes these as parts of the primary deployment.
            "serviceConnectConfiguration" | "volumeConfigurations" | "vpcLatticeConfigurations" => {
                let primary = current["deployments"]
                    .as_array()
                    .and_then(|all| all.iter().find(|d| d["status"] == "PRIMARY"));
                changes.compare(
                    name,
                    value,
                    primary.map_or(&Json::Null, |deployment| &deployment[name.as_str()]),
                );
            }
            "placementConstraints" if is_empty(value) && !module.purge_placement_constraints => {}
            "placementStrategy" if is_empty(value) && !module.purge_placement_strategy => {}
            // ECS evaluates strategies in their order.
            "placementStrategy" => changes.compare_in_order(name, value, &current[name.as_str()]),
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

/// The members that UpdateService accepts if CodeDeploy performs the deployments.
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

/// The members that UpdateService accepts if an external program manages task sets.
const WITH_EXTERNAL: &[&str] = &[
    "desiredCount",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "deploymentController",
];

/// Rejects changes that UpdateService cannot make, and says how they can be made.
pub(super) fn check_controller(
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
        "the deployments of the {title} are performed by {}, so UpdateService cannot change {}",
        controller(service).as_str(),
        refused.join(", ")
    ))
    .with_help(help))
}

/// Creates the service.
pub(super) async fn create(
    aws: &Aws,
    asked: Map<String, Json>,
    tags: Option<&Tags>,
) -> Result<Service, Error> {
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
        .set_volume_configurations(i.volume_configurations)
        .set_vpc_lattice_configurations(i.vpc_lattice_configurations)
        .send()
        .await
        .explain("ecs:CreateService")?;
    answer.service.ok_or_else(|| Error::new("ecs:CreateService answered without a service"))
}

/// Sends only the members that differ, so that for example a count that autoscaling set is kept.
pub(super) async fn update(
    aws: &Aws,
    module: &EcsService,
    mut members: Map<String, Json>,
    current: &Json,
) -> Result<Service, Error> {
    // The API replaces these two as a whole, so members that were not given are sent with their current values.
    for name in ["deploymentConfiguration", "networkConfiguration"] {
        if let Some(asked) = members.get_mut(name) {
            *asked = overlay(&current[name], asked);
        }
    }
    // A new strategy takes effect only with a new deployment.
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
        .set_volume_configurations(i.volume_configurations)
        .set_vpc_lattice_configurations(i.vpc_lattice_configurations)
        .send()
        .await
        .explain("ecs:UpdateService")?;
    answer.service.ok_or_else(|| Error::new("ecs:UpdateService answered without a service"))
}

/// Returns `asked` with the members of `current` that it lacks.
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

/// Applies changes of tags.
pub(super) async fn tag(aws: &Aws, arn: &str, changes: &TagChanges) -> Result<(), Error> {
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
