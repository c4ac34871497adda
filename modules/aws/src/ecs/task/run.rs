//! Running a task until it stops, for `ecs_task` and the task runner.

use std::time::Duration;

use aws_sdk_ecs::operation::run_task::RunTaskInput;
use aws_sdk_ecs::types::{Failure as EcsFailure, Task};
use playbook_api::{Context, Error};
use serde_json::{Map, Value as Json};

use crate::client::Aws;
use crate::ecs::describe;
use crate::ecs::logs::{self, LogTail};
use crate::ecs::service::rollout;
use crate::error::Explain;
use crate::text::short;
use crate::{shape, wait};

/// Starts tasks. `asked` is a RunTask request in the form of the API.
pub(crate) async fn start(aws: &Aws, asked: Map<String, Json>) -> Result<Vec<Task>, Error> {
    let i = shape::from_json(&Json::Object(asked), "task", RunTaskInput::deserialize)?;
    let answer = aws
        .ecs()
        .run_task()
        .set_cluster(i.cluster)
        .set_task_definition(i.task_definition)
        .set_count(i.count)
        .set_launch_type(i.launch_type)
        .set_capacity_provider_strategy(i.capacity_provider_strategy)
        .set_platform_version(i.platform_version)
        .set_network_configuration(i.network_configuration)
        .set_overrides(i.overrides)
        .set_started_by(i.started_by)
        .set_group(i.group)
        .set_placement_constraints(i.placement_constraints)
        .set_placement_strategy(i.placement_strategy)
        .set_enable_ecs_managed_tags(i.enable_ecs_managed_tags)
        .set_enable_execute_command(i.enable_execute_command)
        .set_propagate_tags(i.propagate_tags)
        .set_tags(i.tags)
        .send()
        .await
        .explain("ecs:RunTask")?;
    started(answer.tasks, answer.failures)
}

/// Returns the started tasks. If ECS cannot place a task, it returns failures instead of an error.
pub(crate) fn started(
    tasks: Option<Vec<Task>>,
    failures: Option<Vec<EcsFailure>>,
) -> Result<Vec<Task>, Error> {
    let failures = failures.unwrap_or_default();
    let tasks = tasks.unwrap_or_default();
    if failures.is_empty() && !tasks.is_empty() {
        return Ok(tasks);
    }
    let words: Vec<String> = failures
        .iter()
        .map(|f| {
            let detail = f.detail().map_or_else(String::new, |d| format!(" ({d})"));
            format!("{}{detail}", f.reason().unwrap_or("no reason given"))
        })
        .collect();
    let why = if words.is_empty() { "no reason given".to_owned() } else { words.join("; ") };
    Err(Error::new(format!("ECS could not start the task: {why}")).with_help(
        "RESOURCE:… means that no instance has room, AGENT that its ECS agent is not connected; on Fargate check the network configuration",
    ))
}

/// Waits until every task has stopped, and returns the tasks as they are when that happens or the timeout expires.
pub(crate) async fn wait_until_stopped(
    aws: &Aws,
    cluster: &str,
    tasks: &[Task],
    timeout: Duration,
    interval: Duration,
    context: &Context,
) -> Result<Vec<Task>, Error> {
    let ids: Vec<String> = tasks.iter().filter_map(|t| t.task_arn().map(str::to_owned)).collect();
    let ids = &ids;
    let stopped = wait::until(context, timeout, interval, || async move {
        let now = describe::tasks(aws, cluster, ids).await?;
        let going: Vec<&Task> = now.iter().filter(|t| t.last_status() != Some("STOPPED")).collect();
        if let Some(first) = going.first() {
            context.progress(format!(
                "task {} is {}, {} of {} stopped",
                short(first.task_arn().unwrap_or_default()),
                first.last_status().unwrap_or("unknown"),
                now.len() - going.len(),
                now.len()
            ));
        }
        Ok(going.is_empty().then_some(now))
    });
    match stopped.await? {
        Some(tasks) => Ok(tasks),
        None => {
            let now = describe::tasks(aws, cluster, ids).await?;
            let state = now.first().and_then(|t| t.last_status()).unwrap_or("unknown").to_owned();
            Err(Error::new(format!(
                "the task was still {state} after {}",
                playbook_api::time::in_words(timeout.as_secs())
            ))
            .with_help("it goes on running; raise the timeout, or stop it with `operation: stop`"))
        }
    }
}

/// Returns why a stopped task counts as failed: a container exited with another status than 0, or none started.
pub(crate) fn failure(task: &Task) -> Option<String> {
    let essential = task.containers();
    let bad_exit = essential.iter().any(|c| c.exit_code().is_some_and(|code| code != 0));
    let none_ran = !essential.is_empty() && essential.iter().all(|c| c.exit_code().is_none());
    let not_started = task.stop_code().is_some_and(|c| c.as_str() == "TaskFailedToStart");
    (bad_exit || none_ran || not_started).then(|| rollout::stopped_reason(task))
}

/// Returns the last log lines of a task's containers, or the reason why they cannot be read.
pub(crate) async fn log_tails(aws: &Aws, task: &Task, lines: usize) -> Result<Vec<LogTail>, String> {
    let read = async {
        let arn = task.task_definition_arn().unwrap_or_default();
        match describe::task_definition(aws, arn).await? {
            Some((definition, _)) => logs::tails(aws, task, &definition, lines).await,
            None => Ok(Vec::new()),
        }
    };
    read.await.map_err(|e: Error| format!("the task's log could not be read: {e}"))
}
