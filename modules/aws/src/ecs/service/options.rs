//! The arguments of `ecs_service`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::connection::Connection;
use crate::tags::Tags;

/// Creates, updates, redeploys, describes or deletes a service of Amazon ECS.
///
/// Only arguments that are given are compared: without `desired_count`, a service keeps the count that autoscaling set.
/// With only `name`, `cluster` and connection arguments, the module describes the service.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["launch_type", "capacity_provider_strategy"]]))]
pub(crate) struct EcsService {
    /// The name of the service.
    #[schemars(extend("aliases" = ["service"]))]
    pub name: String,
    /// The name or ARN of the cluster.
    #[serde(default = "crate::ecs::default_cluster")]
    pub cluster: String,
    /// The desired state of the service. The default is `present` if any other argument asks for a change; otherwise the
    /// service is only described.
    pub state: Option<State>,
    /// The task definition to run: a family (its latest active revision), `family:revision` or an ARN.
    pub task_definition: Option<String>,
    /// The target groups that tasks are registered with: dictionaries of `targetGroupArn` (or `loadBalancerName`),
    /// `containerName` and `containerPort`.
    pub load_balancers: Option<Vec<Map<String, Json>>>,
    /// The number of tasks to run. By default, an existing service keeps its count.
    pub desired_count: Option<i64>,
    /// A token that makes a repeated request to create the service have no further effect.
    pub client_token: Option<String>,
    /// The IAM role with which ECS calls a load balancer. It is used only when the service is created.
    pub role: Option<String>,
    /// The number of seconds between two requests while waiting.
    #[serde(default = "ten")]
    pub delay: i64,
    /// The number of attempts while waiting for the end of a deletion.
    #[serde(default = "ten")]
    pub repeat: i64,
    /// Whether to start a new deployment even if nothing differs, for example to pull an image of the same tag again.
    #[serde(default)]
    pub force_new_deployment: bool,
    /// Whether to delete the service even if its desired count is not zero.
    #[serde(default)]
    pub force_deletion: bool,
    /// The controller that performs deployments.
    pub deployment_controller: Option<Controller>,
    /// The settings of deployments: their strategy, their limits, and what makes them fail.
    pub deployment_configuration: Option<DeploymentConfiguration>,
    /// The rules that restrict where tasks are placed.
    pub placement_constraints: Option<Vec<PlacementConstraint>>,
    /// Whether to remove constraints that are not listed in `placement_constraints`.
    #[serde(default)]
    pub purge_placement_constraints: bool,
    /// The rules that select instances for tasks, in the order in which ECS evaluates them.
    pub placement_strategy: Option<Vec<PlacementStrategy>>,
    /// Whether to remove strategies that are not listed in `placement_strategy`.
    #[serde(default)]
    pub purge_placement_strategy: bool,
    /// The network of tasks in `awsvpc` mode.
    pub network_configuration: Option<NetworkConfiguration>,
    /// The infrastructure that tasks run on. It cannot be changed later and excludes `capacity_provider_strategy`.
    pub launch_type: Option<LaunchType>,
    /// The capacity providers and their shares of the tasks.
    pub capacity_provider_strategy: Option<Vec<CapacityProvider>>,
    /// The version of the Fargate platform: `LATEST` or a number.
    pub platform_version: Option<String>,
    /// The number of seconds after the start of a task in which failing health checks are ignored.
    pub health_check_grace_period_seconds: Option<i64>,
    /// The service discovery registries of the service.
    pub service_registries: Option<Vec<ServiceRegistry>>,
    /// Whether to run the desired number of tasks or one task on each instance. It cannot be changed later.
    pub scheduling_strategy: Option<SchedulingStrategy>,
    /// Whether to wait until the rollout is complete (`present`) or the service is deleted (`absent`). The module fails as
    /// soon as a rollout can no longer succeed.
    #[serde(default)]
    pub wait: bool,
    /// The maximum number of seconds to wait for a rollout, 600 by default.
    pub wait_timeout: Option<i64>,
    /// Whether `aws ecs execute-command` is allowed.
    pub enable_execute_command: Option<bool>,
    /// The source of the tags of the tasks.
    pub propagate_tags: Option<PropagateTags>,
    /// Whether ECS tags the tasks with the names of their cluster and service, for cost reports.
    pub enable_ecs_managed_tags: Option<bool>,
    /// Whether ECS moves tasks to balance availability zones: `ENABLED` or `DISABLED`.
    pub availability_zone_rebalancing: Option<String>,
    /// The Service Connect configuration, in the form of the API.
    pub service_connect_configuration: Option<Map<String, Json>>,
    /// The EBS volumes of the tasks, in the form of the API: `name` and `managedEBSVolume`.
    pub volume_configurations: Option<Vec<Map<String, Json>>>,
    /// The VPC Lattice target groups of the tasks, in the form of the API.
    pub vpc_lattice_configurations: Option<Vec<Map<String, Json>>>,
    /// The tags of the service.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default)]
    pub purge_tags: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

fn ten() -> i64 {
    10
}

/// The desired state of a service.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// The service exists as described.
    Present,
    /// The service does not exist. With `wait`, the module waits until it is deleted.
    Absent,
    /// The service is being deleted; the module waits until it is.
    Deleting,
}

/// Members of a dictionary argument that the module does not interpret. They are passed to the API as they are, in
/// camelCase or snake_case; a member that the API does not have is an error.
pub(super) type OtherMembers = Map<String, Json>;

/// The controller that performs deployments.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
pub(crate) struct Controller {
    /// `ECS` for ECS itself, `CODE_DEPLOY` for CodeDeploy, or `EXTERNAL` for another program that uses task sets.
    #[schemars(extend("enum" = ["ECS", "CODE_DEPLOY", "EXTERNAL"]))]
    pub r#type: Option<String>,
}

/// The settings of deployments. Members that are not listed here, such as `lifecycle_hooks`, `linear_configuration` and
/// `canary_configuration`, are passed to the API as they are.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub(crate) struct DeploymentConfiguration {
    /// The maximum number of tasks during a deployment, in percent of the desired count.
    pub maximum_percent: Option<i64>,
    /// The minimum number of healthy tasks during a deployment, in percent of the desired count.
    pub minimum_healthy_percent: Option<i64>,
    /// The circuit breaker, which fails a rollout whose tasks do not start.
    pub deployment_circuit_breaker: Option<CircuitBreaker>,
    /// The CloudWatch alarms that fail a rollout.
    pub alarms: Option<Alarms>,
    /// The deployment strategy of the ECS controller: `ROLLING`, `BLUE_GREEN`, `LINEAR` or `CANARY`.
    pub strategy: Option<String>,
    /// The number of minutes for which both versions run after all traffic has shifted.
    pub bake_time_in_minutes: Option<i64>,
    /// See [`OtherMembers`].
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// The circuit breaker of a rollout.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
pub(crate) struct CircuitBreaker {
    /// Whether the rollout fails if its tasks keep failing.
    #[serde(default)]
    pub enable: bool,
    /// Whether a failed rollout is rolled back to the last one that completed.
    #[serde(default)]
    pub rollback: bool,
    /// See [`OtherMembers`].
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// The alarms that watch a rollout.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub(crate) struct Alarms {
    /// The names of the CloudWatch alarms.
    #[serde(default)]
    pub alarm_names: Vec<String>,
    /// Whether the alarms are watched.
    #[serde(default)]
    pub enable: bool,
    /// Whether a failed rollout is rolled back to the last one that completed.
    #[serde(default)]
    pub rollback: bool,
    /// See [`OtherMembers`].
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// A rule that restricts where tasks are placed.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
pub(crate) struct PlacementConstraint {
    /// The kind of rule: `distinctInstance` or `memberOf`.
    pub r#type: Option<String>,
    /// The expression of a `memberOf` rule, in the cluster query language.
    pub expression: Option<String>,
}

/// A rule that selects instances for tasks.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
pub(crate) struct PlacementStrategy {
    /// The kind of rule: `random`, `spread` or `binpack`.
    pub r#type: Option<String>,
    /// The field that the rule uses: `attribute:ecs.availability-zone`, `instanceId`, `cpu` or `memory`.
    pub field: Option<String>,
}

/// The network of tasks in `awsvpc` mode.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
pub(crate) struct NetworkConfiguration {
    /// The IDs of the subnets.
    pub subnets: Option<Vec<String>>,
    /// The IDs or names of the security groups. Names are looked up in the VPC of the first subnet.
    pub security_groups: Option<Vec<String>>,
    /// Whether each task gets a public IP address.
    pub assign_public_ip: Option<bool>,
}

/// The infrastructure that tasks run on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum LaunchType {
    /// Instances of the cluster.
    Ec2,
    /// AWS Fargate.
    Fargate,
    /// Registered machines outside of AWS.
    External,
    /// Instances that ECS manages.
    ManagedInstances,
}

/// A capacity provider and its share of the tasks.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub(crate) struct CapacityProvider {
    /// The name of the provider: `FARGATE`, `FARGATE_SPOT` or one of your own.
    pub capacity_provider: Option<String>,
    /// The relative share of the tasks.
    pub weight: Option<i64>,
    /// The minimum number of tasks on this provider.
    pub base: Option<i64>,
}

/// A service discovery registry.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub(crate) struct ServiceRegistry {
    /// The name of the container whose address is registered.
    pub container_name: Option<String>,
    /// The port of the container.
    pub container_port: Option<i64>,
    /// The port for SRV records.
    pub port: Option<i64>,
    /// The ARN of the registry.
    #[serde(rename(serialize = "registryArn"))]
    #[schemars(extend("aliases" = ["registry_arn", "registryArn"]))]
    pub arn: Option<String>,
}

/// The number of tasks of a service.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum SchedulingStrategy {
    /// One task on each instance.
    Daemon,
    /// The desired number of tasks.
    Replica,
}

/// The source of the tags of tasks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PropagateTags {
    /// The task definition.
    TaskDefinition,
    /// The service.
    Service,
    /// No tags are copied.
    None,
}
