//! The last log lines of a task's containers in CloudWatch Logs.

use aws_sdk_ecs::types::{Container, ContainerDefinition, LogDriver, Task, TaskDefinition};
use playbook_api::Error;

use crate::client::Aws;
use crate::error::Explain;
use crate::text::short;

/// The last lines of one container.
#[derive(Clone, Debug)]
pub(crate) struct LogTail {
    pub container: String,
    pub lines: Vec<String>,
}

/// Returns the last lines of every container that logs to CloudWatch with a stream prefix. Without a prefix, the name of
/// the stream is unknown. A stream that does not exist yet has no lines.
pub(crate) async fn tails(
    aws: &Aws,
    task: &Task,
    definition: &TaskDefinition,
    lines: usize,
) -> Result<Vec<LogTail>, Error> {
    let mut all = Vec::new();
    for container in task.containers() {
        let named = |d: &&ContainerDefinition| d.name() == container.name();
        let Some(defined) = definition.container_definitions().iter().find(named) else { continue };
        let Some((group, stream)) = stream_of(defined, container, task) else { continue };
        let lines = tail(aws, &group, &stream, lines).await?;
        all.push(LogTail { container: container.name().unwrap_or_default().to_owned(), lines });
    }
    Ok(all)
}

fn stream_of(defined: &ContainerDefinition, container: &Container, task: &Task) -> Option<(String, String)> {
    let log = defined.log_configuration()?;
    if *log.log_driver() != LogDriver::Awslogs {
        return None;
    }
    let options = log.options()?;
    let (group, prefix) = (options.get("awslogs-group")?, options.get("awslogs-stream-prefix")?);
    let id = short(task.task_arn()?);
    Some((group.clone(), format!("{prefix}/{}/{id}", container.name()?)))
}

async fn tail(aws: &Aws, group: &str, stream: &str, lines: usize) -> Result<Vec<String>, Error> {
    let answer = aws
        .logs()
        .get_log_events()
        .log_group_name(group)
        .log_stream_name(stream)
        .limit(i32::try_from(lines.clamp(1, 10_000)).unwrap_or(100))
        .start_from_head(false)
        .send()
        .await
        .missing("logs:GetLogEvents", &["ResourceNotFoundException"])?;
    let events = answer.as_ref().map_or(&[][..], |a| a.events());
    Ok(events.iter().filter_map(|e| e.message().map(|m| m.trim_end().to_owned())).collect())
}
