//! `ecs_task`: runs, starts and stops single tasks.

pub(crate) mod run;

use aws_sdk_ecs::operation::start_task::StartTaskInput;
use aws_sdk_ecs::types::Task;
use playbook_api::{
    ChangeAction, Context, ControllerModule, Doc, Error, Failure, Map as ValueMap, Outcome, Value,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::ecs::service::{CapacityProvider, LaunchType, NetworkConfiguration};
use crate::ecs::{describe, network, service};
use crate::error::Explain;
use crate::resource;
use crate::tags::Tags;
use crate::text::short;
use crate::{shape, wait};

/// Runs a one-off task of Amazon ECS, starts one on chosen instances, or stops one.
///
/// With `wait`, the module waits until the containers have exited. A container that exits with another status than 0 fails
/// the module, which reports why the task stopped and its last log lines.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["launch_type", "capacity_provider_strategy"]],
    "required_if" = [
        ["operation", "run", ["task_definition"]],
        ["operation", "start", ["task_definition", "container_instances"]],
        ["operation", "stop", ["task"]],
        ["launch_type", "FARGATE", ["network_configuration"]]
    ]
))]
pub(crate) struct EcsTask {
    /// The operation.
    pub operation: Operation,
    /// The name or ARN of the cluster.
    #[serde(default = "crate::ecs::default_cluster")]
    pub cluster: String,
    /// The task definition to run: a family, `family:revision` or an ARN.
    pub task_definition: Option<String>,
    /// The overrides for this task, in the form of the API: `containerOverrides` with `name`, `command` and `environment`;
    /// `cpu`, `memory`, `taskRoleArn`.
    #[schemars(extend("type" = "object"))]
    pub overrides: Option<Map<String, Json>>,
    /// The number of tasks to run.
    pub count: Option<i64>,
    /// The ID or ARN of the task to stop.
    pub task: Option<String>,
    /// The IDs or ARNs of the container instances to start the task on.
    pub container_instances: Option<Vec<String>>,
    /// A label that finds the task again, at most 128 characters.
    pub started_by: Option<String>,
    /// The network of a task in `awsvpc` mode.
    pub network_configuration: Option<NetworkConfiguration>,
    /// The infrastructure that the task runs on.
    pub launch_type: Option<LaunchType>,
    /// The capacity providers to run on instead of a `launch_type`.
    pub capacity_provider_strategy: Option<Vec<CapacityProvider>>,
    /// The version of the Fargate platform.
    pub platform_version: Option<String>,
    /// The tags of the task.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to wait until the task has stopped.
    #[serde(default)]
    pub wait: bool,
    /// The maximum number of seconds to wait for the task, 600 by default.
    pub wait_timeout: Option<i64>,
    /// The number of seconds between two requests while waiting, 5 by default.
    pub wait_delay: Option<i64>,
    /// The number of each container's last log lines to return, 20 by default.
    pub log_lines: Option<i64>,
    #[serde(flatten)]
    pub connection: Connection,
}

/// An operation on tasks.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Operation {
    /// Run a task where ECS places it.
    Run,
    /// Start a task on the listed instances.
    Start,
    /// Stop a task.
    Stop,
}

impl ControllerModule for EcsTask {
    const DOC: Doc = Doc {
        name: "ecs_task",
        collection: "community.aws",
        aliases: &["amazon.aws.ecs_task"],
        short: "Run, start or stop an ECS task",
        check_mode: "Full: reports that it would run or stop a task.",
        returns: &[
            ("task", "list", "The tasks as DescribeTasks prints them; the one task for `stop`."),
            ("exit_codes", "dict", "With `wait`, the exit code of each container by its name."),
            ("stopped_reasons", "list", "With `wait`, why each task stopped."),
            ("logs", "dict", "With `wait`, the last log lines of each container by its name."),
        ],
        examples: "\
- name: Migrate the database
  ecs_task:
    operation: run
    cluster: production
    task_definition: webapp
    launch_type: FARGATE
    network_configuration: {subnets: [\"{{ subnet }}\"], security_groups: [\"{{ group }}\"]}
    overrides:
      containerOverrides:
        - {name: web, command: [alembic, upgrade, head]}
    wait: true
  register: migration

- name: Show its output
  debug: {var: migration.logs.web}

- name: Stop a task
  ecs_task: {operation: stop, cluster: production, task: \"{{ task_id }}\"}
",
        ..Doc::BUILTIN
    };

    async fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        network::resolve_groups(&aws, self.network_configuration.as_mut()).await?;
        let outcome = match self.operation {
            Operation::Run => self.begin(&aws, context).await?,
            Operation::Start => self.begin(&aws, context).await?,
            Operation::Stop => self.stop(&aws, context).await?,
        };
        Ok(aws.finish(outcome))
    }
}

impl EcsTask {
    fn asked(&self) -> Json {
        json!({
            "cluster": self.cluster,
            "taskDefinition": self.task_definition,
            "overrides": self.overrides,
            "startedBy": self.started_by,
            "networkConfiguration": self.network_configuration.as_ref().map(service::network),
            "tags": self.tags.as_ref().map(|tags| {
                tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect::<Json>()
            }),
        })
    }

    async fn begin(&self, aws: &Aws, context: &Context) -> Result<Outcome, Failure> {
        let mut asked = self.asked();
        if self.operation == Operation::Run {
            asked["count"] = self.count.into();
            asked["launchType"] = json!(self.launch_type);
            asked["platformVersion"] = self.platform_version.clone().into();
            asked["capacityProviderStrategy"] = json!(self.capacity_provider_strategy);
        } else {
            asked["containerInstances"] = self.container_instances.clone().into();
        }
        let change = resource::change(
            aws,
            "AWS::ECS::Task",
            self.task_definition.as_deref().unwrap_or_default(),
            None,
            ChangeAction::Run,
            &Changes::default(),
        );
        if context.check {
            return Ok(self.would_begin(aws, asked).await?.change(change));
        }
        let asked = asked.as_object_mut().map(std::mem::take).unwrap_or_default();
        let tasks = match self.operation {
            Operation::Start => start_on_instances(aws, asked).await?,
            _ => run::start(aws, asked).await?,
        };
        if !self.wait {
            return Ok(Outcome::changed(true).with("task", json_value(&tasks)).change(change));
        }
        Ok(self.follow(aws, tasks, context).await?.change(change))
    }

    /// Reports what a real run would report first: a missing cluster or definition, or a member that does not exist.
    async fn would_begin(&self, aws: &Aws, asked: Json) -> Result<Outcome, Failure> {
        if let Some(overrides) = asked.get("overrides").filter(|o| !o.is_null()) {
            shape::from_json(overrides, "overrides", aws_sdk_ecs::types::TaskOverride::deserialize)?;
        }
        let name = self.task_definition.as_deref().unwrap_or_default();
        if describe::task_definition(aws, name).await?.is_none() {
            return Ok(Outcome::changed(true)
                .with("task", Value::List(Vec::new().into()))
                .warn(format!("there is no task definition '{name}' yet")));
        }
        Ok(Outcome::changed(true).with("task", Value::List(Vec::new().into())))
    }

    async fn follow(&self, aws: &Aws, tasks: Vec<Task>, context: &Context) -> Result<Outcome, Failure> {
        let timeout = wait::seconds(self.wait_timeout, 600);
        let interval = wait::seconds(self.wait_delay, 5);
        let stopped = run::wait_until_stopped(aws, &self.cluster, &tasks, timeout, interval, context).await;
        let stopped = match stopped {
            Ok(stopped) => stopped,
            Err(e) => {
                let begun = Outcome::changed(true).with("task", json_value(&tasks));
                return Err(Failure::from(e).outcome(begun));
            }
        };
        let mut outcome = Outcome::changed(true).with("task", json_value(&stopped));
        let (mut codes, mut logs, mut failures) = (ValueMap::default(), ValueMap::default(), Vec::new());
        let mut tail = Vec::new();
        let lines = usize::try_from(self.log_lines.unwrap_or(20)).unwrap_or(0);
        for task in &stopped {
            failures.extend(run::failure(task));
            for container in task.containers() {
                let name = container.name().unwrap_or_default();
                let code: Value = container.exit_code().map(i64::from).into();
                // Of several tasks, the exit status that is not 0 matters.
                if codes.get(name).is_none_or(|known| !known.is_true()) {
                    codes.insert(name.into(), code);
                }
            }
            if lines == 0 {
                continue;
            }
            match run::log_tails(aws, task, lines).await {
                Ok(tails) => {
                    for log in tails {
                        tail.extend(log.lines.iter().map(|line| format!("\n  {}: {line}", log.container)));
                        logs.insert(log.container.into(), log.lines.into());
                    }
                }
                Err(warning) => outcome = outcome.warn(warning),
            }
        }
        let reasons: Vec<Value> =
            stopped.iter().map(|t| t.stopped_reason().unwrap_or_default().into()).collect();
        outcome = outcome.with("exit_codes", codes).with("stopped_reasons", reasons).with("logs", logs);
        if failures.is_empty() {
            return Ok(outcome);
        }
        let message = format!("{}{}", failures.join("; "), tail.concat());
        Err(Failure::new(message).outcome(outcome))
    }

    async fn stop(&self, aws: &Aws, context: &Context) -> Result<Outcome, Failure> {
        let id = self.task.clone().unwrap_or_default();
        let Some(task) =
            describe::tasks(aws, &self.cluster, std::slice::from_ref(&id)).await?.into_iter().next()
        else {
            return Ok(Outcome::changed(false).warn(format!(
                "ECS does not know the task {}: it stopped long ago, or never was",
                short(&id)
            )));
        };
        if task.desired_status() == Some("STOPPED") || task.last_status() == Some("STOPPED") {
            return Ok(Outcome::changed(false).with("task", Value::from_json(shape::to_json(&task))));
        }
        let outcome = Outcome::changed(true);
        if context.check {
            return Ok(outcome.with("task", Value::from_json(shape::to_json(&task))));
        }
        let answer =
            aws.ecs().stop_task().cluster(&self.cluster).task(&id).send().await.explain("ecs:StopTask")?;
        let mut task = answer.task.unwrap_or(task);
        if self.wait {
            let (timeout, interval) =
                (wait::seconds(self.wait_timeout, 600), wait::seconds(self.wait_delay, 5));
            let tasks = [task];
            let stopped =
                run::wait_until_stopped(aws, &self.cluster, &tasks, timeout, interval, context).await?;
            let [before] = tasks;
            task = stopped.into_iter().next().unwrap_or(before);
        }
        Ok(outcome.with("task", Value::from_json(shape::to_json(&task))))
    }
}

fn json_value(tasks: &[Task]) -> Value {
    Value::from_json(shape::list_to_json(tasks))
}

async fn start_on_instances(aws: &Aws, asked: Map<String, Json>) -> Result<Vec<Task>, Error> {
    let i = shape::from_json(&Json::Object(asked), "task", StartTaskInput::deserialize)?;
    let answer = aws
        .ecs()
        .start_task()
        .set_cluster(i.cluster)
        .set_task_definition(i.task_definition)
        .set_container_instances(i.container_instances)
        .set_network_configuration(i.network_configuration)
        .set_overrides(i.overrides)
        .set_started_by(i.started_by)
        .set_tags(i.tags)
        .send()
        .await
        .explain("ecs:StartTask")?;
    run::started(answer.tasks, answer.failures)
}
