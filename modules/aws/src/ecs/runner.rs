//! The task runner `ecs`: runs a command of another module as an ECS task.

use playbook_api::extension::BoxFuture;
use playbook_api::{Arguments, Context, Error, Map as ValueMap, Spec, TaskRunner};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

use crate::client::Aws;
use crate::connection::Connection;
use crate::ecs::describe;
use crate::ecs::service::{self, rollout};
use crate::ecs::service::{CapacityProvider, LaunchType, NetworkConfiguration};
use crate::ecs::task::run as task_run;
use crate::wait;

/// Runs a command as a task of Amazon ECS, in a container of an existing task definition.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct EcsRunner {
    /// The name or ARN of the cluster.
    #[serde(default = "crate::ecs::default_cluster")]
    pub cluster: String,
    /// The task definition: a family, `family:revision` or an ARN.
    pub task_definition: String,
    /// The container that runs the command, by default the first essential one.
    pub container: Option<String>,
    /// Environment variables for the container, in addition to its own.
    pub environment: Option<BTreeMap<String, String>>,
    /// The network of a task in `awsvpc` mode.
    pub network_configuration: Option<NetworkConfiguration>,
    /// The infrastructure that the task runs on.
    pub launch_type: Option<LaunchType>,
    /// The capacity providers to run on instead of a `launch_type`.
    pub capacity_provider_strategy: Option<Vec<CapacityProvider>>,
    /// The version of the Fargate platform.
    pub platform_version: Option<String>,
    /// The maximum number of seconds for the task, 1800 by default.
    #[schemars(extend("aliases" = ["wait_timeout"]))]
    pub timeout: Option<i64>,
    /// The number of seconds between two requests, 5 by default.
    pub wait_delay: Option<i64>,
    /// The number of the last log lines to return, 50 by default.
    pub log_lines: Option<i64>,
    #[serde(flatten)]
    pub connection: Connection,
}

/// The task runner `ecs`.
pub(crate) struct Runner;

impl TaskRunner for Runner {
    fn name(&self) -> &'static str {
        "ecs"
    }

    fn run<'a>(
        &'a self,
        command: &'a [String],
        options: &'a ValueMap,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<(i64, String), Error>> {
        Box::pin(async move {
            let arguments = Arguments::from(options.clone());
            let runner: EcsRunner = arguments.parse("ecs", &Spec::of::<EcsRunner>(), &context.redactor)?;
            runner.run(command, context).await
        })
    }
}

impl EcsRunner {
    async fn run(&self, command: &[String], context: &Context) -> Result<(i64, String), Error> {
        let aws = Aws::connect(&self.connection, context).await?;
        let Some((definition, _)) = describe::task_definition(&aws, &self.task_definition).await? else {
            return Err(Error::new(format!("there is no task definition '{}'", self.task_definition))
                .with_help("check `task_definition` and `region`"));
        };
        let containers = definition.container_definitions();
        let first = containers.iter().find(|c| c.essential() != Some(false)).or(containers.first());
        let container = match &self.container {
            Some(name) => name.clone(),
            None => first.and_then(|c| c.name()).unwrap_or_default().to_owned(),
        };
        if !containers.iter().any(|c| c.name() == Some(container.as_str())) {
            let known: Vec<&str> = containers.iter().filter_map(|c| c.name()).collect();
            return Err(Error::new(format!("the task definition has no container '{container}'"))
                .with_help(format!("its containers are: {}", known.join(", "))));
        }
        let started = task_run::start(&aws, self.request(command, &container)).await?;
        let (timeout, interval) = (wait::seconds(self.timeout, 1800), wait::seconds(self.wait_delay, 5));
        let stopped =
            task_run::wait_until_stopped(&aws, &self.cluster, &started, timeout, interval, context).await?;
        let Some(task) = stopped.first() else {
            return Err(Error::new("ECS no longer lists the task that it ran"));
        };
        let lines = usize::try_from(self.log_lines.unwrap_or(50)).unwrap_or(0);
        let log = match task_run::log_tails(&aws, task, lines).await {
            Ok(tails) => {
                tails.into_iter().filter(|t| t.container == container).flat_map(|t| t.lines).collect()
            }
            Err(warning) => vec![warning],
        };
        let code = task
            .containers()
            .iter()
            .find(|c| c.name() == Some(container.as_str()))
            .and_then(|c| c.exit_code());
        match code {
            Some(code) => Ok((code.into(), log.join("\n"))),
            None => Err(Error::new(format!("the command never ran: {}", rollout::stopped_reason(task)))
                .with_help("check the image, the network and the execution role of the task definition")),
        }
    }

    fn request(&self, command: &[String], container: &str) -> Map<String, Json> {
        let environment: Json = self
            .environment
            .iter()
            .flatten()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        let mut request = json!({
            "cluster": self.cluster,
            "taskDefinition": self.task_definition,
            "count": 1,
            "launchType": self.launch_type,
            "platformVersion": self.platform_version,
            "capacityProviderStrategy": self.capacity_provider_strategy,
            "networkConfiguration": self.network_configuration.as_ref().map(service::network),
            "overrides": {"containerOverrides": [
                {"name": container, "command": command, "environment": environment},
            ]},
        });
        request.as_object_mut().map(std::mem::take).unwrap_or_default()
    }
}
