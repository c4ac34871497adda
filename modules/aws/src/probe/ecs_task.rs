//! `wait_until: {ecs_task: …}`: a task is running, or has stopped successfully.

use aws_sdk_ecs::types::Task;
use playbook_api::{Error, Map, ProbeState};
use serde::Deserialize;

use super::{Watched, values};
use crate::client::Aws;
use crate::connection::Connection;
use crate::ecs::describe;
use crate::ecs::logs::LogTail;
use crate::ecs::service::rollout;
use crate::ecs::task::run as task_run;
use crate::shape;

/// Waits until a task is running or has stopped successfully.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct EcsTask {
    /// The ID or ARN of the task.
    task: String,
    /// The name or ARN of the cluster.
    #[serde(default = "crate::ecs::default_cluster")]
    cluster: String,
    /// The state to wait for.
    #[serde(default)]
    state: TaskState,
    #[serde(flatten)]
    connection: Connection,
}

/// The state of a task to wait for.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TaskState {
    /// The task is running.
    Running,
    /// The task has stopped, and every container exited with 0.
    #[default]
    Stopped,
}

impl Watched for EcsTask {
    const NAME: &'static str = "ecs_task";
    const THING: &'static str = "the task";
    const MAY_BE_MISSING: bool = false;

    fn connection(&self) -> &Connection {
        &self.connection
    }

    async fn look(self, aws: &Aws) -> Result<ProbeState, Error> {
        let Some(task) = self.describe(aws).await? else {
            let why = format!("ECS does not know the task {}: it stopped long ago, or never was", self.task);
            return Ok(ProbeState::Never(why, Map::default()));
        };
        let found = values("task", shape::to_json(&task));
        let status = task.last_status().unwrap_or("UNKNOWN");
        Ok(match (self.state, status) {
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
    }

    /// Returns the last lines of the task's log.
    async fn explain(self, aws: &Aws) -> Result<Vec<String>, Error> {
        let Some(task) = self.describe(aws).await? else { return Ok(Vec::new()) };
        Ok(match task_run::log_tails(aws, &task, 10).await {
            Ok(tails) => {
                let lines = |t: &LogTail| -> Vec<String> {
                    t.lines.iter().map(|line| format!("{}: {line}", t.container)).collect()
                };
                tails.iter().flat_map(lines).collect()
            }
            Err(words) => vec![words],
        })
    }
}

impl EcsTask {
    async fn describe(&self, aws: &Aws) -> Result<Option<Task>, Error> {
        let tasks = describe::tasks(aws, &self.cluster, std::slice::from_ref(&self.task)).await?;
        Ok(tasks.into_iter().next())
    }
}
