//! The arguments of `ecs_service`.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::connection::Connection;
use crate::tags::Tags;

/// Creates, updates, redeploys, describes or deletes a service of Amazon ECS.
///
/// Only what is given is compared: a service whose desired count autoscaling moves keeps its count where
/// `desired_count` is left out. With `name`, `cluster` and connection arguments alone it describes the service.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["launch_type", "capacity_provider_strategy"]]))]
pub struct EcsService {
    /// The name of the service.
    #[schemars(extend("aliases" = ["service"]))]
    pub name: String,
    /// The cluster that the service runs in, by name or ARN.
    #[serde(default = "default_cluster")]
    pub cluster: String,
    /// What the service should be. Left out, it is `present` where any other argument asks for something, and
    /// otherwise the service is only described.
    pub state: Option<State>,
    /// The task definition to run: a family (its latest active revision), `family:revision` or an ARN.
    pub task_definition: Option<String>,
    /// The load balancers' target groups that the tasks are registered with: dictionaries of `targetGroupArn` (or
    /// `loadBalancerName`), `containerName` and `containerPort`.
    pub load_balancers: Option<Vec<Map<String, Json>>>,
    /// How many tasks should run. Left out, an existing service keeps its count.
    pub desired_count: Option<i64>,
    /// A text of the caller's choice that makes creating the service happen once, however often it is asked.
    pub client_token: Option<String>,
    /// The IAM role with which ECS calls a load balancer; only read when the service is created.
    pub role: Option<String>,
    /// Seconds between two looks while waiting.
    #[serde(default = "ten")]
    pub delay: i64,
    /// How many looks to take while waiting for a deleted service to be gone.
    #[serde(default = "ten")]
    pub repeat: i64,
    /// Starts a new deployment even where nothing differs, to pull an image of the same tag again.
    #[serde(default)]
    pub force_new_deployment: bool,
    /// Deletes the service although tasks are still desired.
    #[serde(default)]
    pub force_deletion: bool,
    /// What carries out deployments.
    pub deployment_controller: Option<Controller>,
    /// How a rolling update goes, and what stops it.
    pub deployment_configuration: Option<DeploymentConfiguration>,
    /// Where tasks may be placed.
    pub placement_constraints: Option<Vec<PlacementConstraint>>,
    /// Removes the constraints that an update does not name.
    #[serde(default)]
    pub purge_placement_constraints: bool,
    /// How tasks are spread.
    pub placement_strategy: Option<Vec<PlacementStrategy>>,
    /// Removes the strategies that an update does not name.
    #[serde(default)]
    pub purge_placement_strategy: bool,
    /// The network of tasks in `awsvpc` mode.
    pub network_configuration: Option<NetworkConfiguration>,
    /// Where the tasks run. It cannot be changed later, and excludes `capacity_provider_strategy`.
    pub launch_type: Option<LaunchType>,
    /// The capacity providers that the tasks are spread over.
    pub capacity_provider_strategy: Option<Vec<CapacityProvider>>,
    /// The version of the Fargate platform, `LATEST` or a number.
    pub platform_version: Option<String>,
    /// Seconds in which a load balancer's failing health checks do not count after a task has started.
    pub health_check_grace_period_seconds: Option<i64>,
    /// The service discovery registries of the service.
    pub service_registries: Option<Vec<ServiceRegistry>>,
    /// Whether a number of tasks runs, or one on each instance. It cannot be changed later.
    pub scheduling_strategy: Option<SchedulingStrategy>,
    /// Waits until the rollout is done (`present`) or the service is gone (`absent`), and fails when it cannot
    /// succeed any more.
    #[serde(default)]
    pub wait: bool,
    /// Seconds that a rollout may take; 600 unless given.
    pub wait_timeout: Option<i64>,
    /// Whether `aws ecs execute-command` may enter the tasks.
    pub enable_execute_command: Option<bool>,
    /// Where the tags of the tasks come from.
    pub propagate_tags: Option<PropagateTags>,
    /// Whether ECS tags the tasks with the names of their cluster and service.
    pub enable_ecs_managed_tags: Option<bool>,
    /// Whether ECS moves tasks to keep availability zones even: `ENABLED` or `DISABLED`.
    pub availability_zone_rebalancing: Option<String>,
    /// Service Connect of the service, as the API takes it.
    pub service_connect_configuration: Option<Map<String, Json>>,
    /// Tags of the service.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Removes tags that `tags` does not name.
    #[serde(default)]
    pub purge_tags: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

fn default_cluster() -> String {
    "default".into()
}

fn ten() -> i64 {
    10
}

/// What the service should be.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It exists and is as described.
    Present,
    /// It is deleted; `wait` waits until it is gone.
    Absent,
    /// Somebody deletes it, and this waits until it is gone.
    Deleting,
}

/// What carries out deployments.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
pub struct Controller {
    /// ECS itself, CodeDeploy (blue/green), or a program of one's own that uses task sets.
    #[schemars(extend("enum" = ["ECS", "CODE_DEPLOY", "EXTERNAL"]))]
    pub r#type: Option<String>,
}

/// How a rolling update goes.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
pub struct DeploymentConfiguration {
    /// How many tasks may run during an update, in percent of the desired count.
    pub maximum_percent: Option<i64>,
    /// How many tasks keep running during an update, in percent of the desired count.
    pub minimum_healthy_percent: Option<i64>,
    /// Stops a rollout whose tasks do not start.
    pub deployment_circuit_breaker: Option<CircuitBreaker>,
    /// Stops a rollout when an alarm of CloudWatch goes off.
    pub alarms: Option<Alarms>,
    /// `ROLLING`, `BLUE_GREEN`, `LINEAR` or `CANARY`, for the ECS controller.
    pub strategy: Option<String>,
    /// Minutes that both versions stay up after a blue/green shift.
    pub bake_time_in_minutes: Option<i64>,
}

/// The circuit breaker of a rollout.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
pub struct CircuitBreaker {
    /// Whether the rollout fails when tasks keep failing.
    pub enable: Option<bool>,
    /// Whether a failed rollout goes back to the last one that completed.
    pub rollback: Option<bool>,
}

/// The alarms that watch a rollout.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
pub struct Alarms {
    /// The names of the CloudWatch alarms.
    pub alarm_names: Option<Vec<String>>,
    /// Whether they are watched.
    pub enable: Option<bool>,
    /// Whether a failed rollout goes back to the last one that completed.
    pub rollback: Option<bool>,
}

/// Where tasks may be placed.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
pub struct PlacementConstraint {
    /// `distinctInstance` or `memberOf`.
    pub r#type: Option<String>,
    /// The expression of a `memberOf`.
    pub expression: Option<String>,
}

/// How tasks are spread.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
pub struct PlacementStrategy {
    /// `random`, `spread` or `binpack`.
    pub r#type: Option<String>,
    /// What they are spread over: `attribute:ecs.availability-zone`, `instanceId`, `cpu`, `memory`.
    pub field: Option<String>,
}

/// The network of tasks in `awsvpc` mode.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
pub struct NetworkConfiguration {
    /// The ids of the subnets.
    pub subnets: Option<Vec<String>>,
    /// The ids of the security groups.
    pub security_groups: Option<Vec<String>>,
    /// Whether each task gets a public address.
    pub assign_public_ip: Option<bool>,
}

/// Where tasks run.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LaunchType {
    Ec2,
    Fargate,
    External,
}

/// One of the capacity providers.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
pub struct CapacityProvider {
    /// `FARGATE`, `FARGATE_SPOT` or the name of a provider of one's own.
    pub capacity_provider: Option<String>,
    /// Its share of the tasks.
    pub weight: Option<i64>,
    /// How many tasks run on it at least.
    pub base: Option<i64>,
}

/// A service discovery registry.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
pub struct ServiceRegistry {
    /// The container whose address is registered.
    pub container_name: Option<String>,
    /// The container's port.
    pub container_port: Option<i64>,
    /// The port for SRV records.
    pub port: Option<i64>,
    /// The ARN of the registry.
    pub arn: Option<String>,
}

/// How many tasks a service runs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SchedulingStrategy {
    /// One on each instance.
    Daemon,
    /// As many as desired.
    Replica,
}

/// Where the tags of tasks come from.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PropagateTags {
    TaskDefinition,
    Service,
    None,
}
