//! `wait_until: {ecs_task: …}`: a task runs, or has ended well.

use playbook_api::extension::BoxFuture;
use playbook_api::{Context, Error, Map, Probe, ProbeState, Spec};
use serde::Deserialize;

use super::{default_cluster, parse, values};
use crate::client::Aws;
use crate::connection::Connection;
use crate::ecs::{describe, rollout, task_run};
use crate::shape;

/// A task has got as far as it should.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct Options {
    /// The task, by id or ARN.
    task: String,
    /// The cluster, by name or ARN.
    #[serde(default = "default_cluster")]
    cluster: String,
    /// How far: running, or stopped with every container's exit code 0.
    #[serde(default)]
    state: TaskState,
    #[serde(flatten)]
    connection: Connection,
}

/// How far a task should get.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TaskState {
    /// It runs.
    Running,
    /// It has stopped, every container with exit code 0.
    #[default]
    Stopped,
}

/// The entry in the registry.
pub struct EcsTaskProbe;

impl Probe for EcsTaskProbe {
    fn name(&self) -> &'static str {
        "ecs_task"
    }

    fn spec(&self) -> Spec {
        Spec::of::<Options>()
    }

    fn look<'a>(
        &'a self,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<ProbeState, Error>> {
        Box::pin(async move {
            let o: Options = parse("ecs_task", options, context)?;
            let aws = Aws::connect(&o.connection, context).await?;
            let Some(task) =
                describe::tasks(&aws, &o.cluster, std::slice::from_ref(&o.task)).await?.into_iter().next()
            else {
                let why = format!("ECS does not know the task {}: it stopped long ago, or never was", o.task);
                return Ok(ProbeState::Never(why, Map::default()));
            };
            let found = values("task", shape::to_json(&task));
            let status = task.last_status().unwrap_or("UNKNOWN");
            Ok(match (o.state, status) {
                (TaskState::Running, "RUNNING") => ProbeState::Met(found),
                (TaskState::Running, "DEACTIVATING" | "STOPPING" | "DEPROVISIONING" | "STOPPED") => {
                    ProbeState::Never(rollout::stopped_reason(&task), found)
                }
                (TaskState::Stopped, "STOPPED") => match task_run::failure(&task) {
                    Some(why) => ProbeState::Never(why, found),
                    None => ProbeState::Met(found),
                },
                _ => ProbeState::Waiting(format!("the task is {status}"), found),
            })
        })
    }

    /// The last lines of the task's log.
    fn explain<'a>(&'a self, options: &'a Map, context: &'a Context) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let read = async {
                let o: Options = parse("ecs_task", options, context)?;
                let aws = Aws::connect(&o.connection, context).await?;
                let task = describe::tasks(&aws, &o.cluster, std::slice::from_ref(&o.task))
                    .await?
                    .into_iter()
                    .next();
                let Some(task) = task else { return Ok(Vec::new()) };
                Ok(match task_run::log_tails(&aws, &task, 10).await {
                    Ok(tails) => tails
                        .iter()
                        .flat_map(|t| t.lines.iter().map(|line| format!("{}: {line}", t.container)))
                        .collect(),
                    Err(words) => vec![words],
                })
            };
            read.await.unwrap_or_else(|e: Error| vec![format!("the task could not be described: {e}")])
        })
    }
}
