//! The state of a service's rollout: complete, in progress, or failed.

use aws_sdk_ecs::types::{
    Deployment, DeploymentControllerType, DeploymentRolloutState, Service, StabilityStatus, Task,
};
use playbook_api::Error;

use crate::Aws;
use crate::ecs::describe;
use crate::text::short;

/// The state of a rollout, with a description.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rollout {
    Done,
    Going(String),
    Failed(String),
}

/// The expected result of a rollout. A service is healthy after a rollback too, so its state alone is not enough.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    /// The expected revision, as an ARN or `family:revision`.
    pub task_definition: Option<String>,
    pub deployment: Option<String>,
}

/// Returns the state of a rollout. It is complete when there is one completed deployment with the desired number of tasks
/// and no old tasks are left.
pub(crate) fn judge(service: &Service, expected: &Expected) -> Rollout {
    let name = service.service_name().unwrap_or("the service");
    match service.status() {
        Some("ACTIVE") => {}
        Some("DRAINING") => return Rollout::Failed(format!("{name} is being deleted (DRAINING)")),
        Some(status) => return Rollout::Failed(format!("{name} is {status}: it was deleted")),
        None => return Rollout::Failed(format!("{name} has no status")),
    }
    let controller = service.deployment_controller().map(|c| c.r#type());
    if matches!(controller, Some(DeploymentControllerType::CodeDeploy | DeploymentControllerType::External)) {
        return judge_task_sets(service);
    }
    if let Some(failed) =
        service.deployments().iter().find(|d| d.rollout_state() == Some(&DeploymentRolloutState::Failed))
    {
        return Rollout::Failed(format!("the deployment {}failed{}", of_definition(failed), reason(failed)));
    }
    let primary = service.deployments().iter().find(|d| d.status() == Some("PRIMARY"));
    if let Some(primary) = primary
        && let Some(instead) = not_expected(primary, expected)
    {
        return Rollout::Failed(format!(
            "{instead}: the deployment was rolled back or replaced{}",
            reason(primary)
        ));
    }
    let (running, desired) = (service.running_count(), service.desired_count());
    let state = primary.and_then(Deployment::rollout_state);
    let complete = state.is_none_or(|s| *s == DeploymentRolloutState::Completed);
    if service.deployments().len() == 1 && complete && running == desired && service.pending_count() == 0 {
        return Rollout::Done;
    }
    let state = state.map_or("IN_PROGRESS", DeploymentRolloutState::as_str);
    let old: i32 = service
        .deployments()
        .iter()
        .filter(|d| d.status() != Some("PRIMARY"))
        .map(Deployment::running_count)
        .sum();
    let new = primary.map_or(running, Deployment::running_count);
    let mut words = format!("{new} of {desired} tasks running");
    if old > 0 {
        words.push_str(&format!(", {old} old ones still up"));
    }
    if service.pending_count() > 0 {
        words.push_str(&format!(", {} pending", service.pending_count()));
    }
    Rollout::Going(format!("{words}; rollout {state}"))
}

/// Returns the state of a rollout of CodeDeploy or an external controller, which use task sets.
fn judge_task_sets(service: &Service) -> Rollout {
    let sets = service.task_sets();
    let steady = sets.iter().all(|s| s.stability_status() == Some(&StabilityStatus::SteadyState));
    let (running, desired) = (service.running_count(), service.desired_count());
    if sets.len() <= 1 && steady && running == desired && service.pending_count() == 0 {
        return Rollout::Done;
    }
    Rollout::Going(format!("{running} of {desired} tasks running; {} task sets", sets.len()))
}

fn not_expected(primary: &Deployment, expected: &Expected) -> Option<String> {
    let runs = primary.task_definition().unwrap_or_default();
    if let Some(asked) = &expected.task_definition
        && !describe::same_definition(asked, runs, None)
    {
        return Some(format!("{} is rolled out instead of {}", short(runs), short(asked)));
    }
    let id = primary.id().unwrap_or_default();
    expected
        .deployment
        .as_deref()
        .filter(|asked| *asked != id)
        .map(|asked| format!("{id} has taken the place of {asked}"))
}

fn of_definition(deployment: &Deployment) -> String {
    deployment.task_definition().map_or_else(String::new, |d| format!("of {} ", short(d)))
}

fn reason(deployment: &Deployment) -> String {
    deployment.rollout_state_reason().map_or_else(String::new, |r| format!(": {r}"))
}

/// Returns details of a failed rollout: the last events, and why tasks stopped.
pub(crate) async fn explain(aws: &Aws, cluster: &str, service: &Service) -> Vec<String> {
    let mut lines: Vec<String> = service
        .events()
        .iter()
        .take(5)
        .map(|e| {
            let at = e.created_at().map(crate::text::date).unwrap_or_default();
            format!("event {at}: {}", e.message().unwrap_or_default())
        })
        .collect();
    let stopped: Result<Vec<Task>, Error> =
        describe::stopped_tasks(aws, cluster, service.service_name().unwrap_or_default()).await;
    match stopped {
        Ok(tasks) => {
            lines.extend(tasks.iter().take(5).map(|task| format!("stopped {}", stopped_reason(task))))
        }
        Err(e) => lines.push(format!("the stopped tasks could not be read: {e}")),
    }
    lines
}

/// `task 1a2b: Essential container in task exited; container web: exit code 1 (CannotPullContainerError …)`.
pub(crate) fn stopped_reason(task: &Task) -> String {
    let id = short(task.task_arn().unwrap_or_default());
    let mut text = format!("task {id}: {}", task.stopped_reason().unwrap_or("no reason given"));
    for container in task.containers() {
        let name = container.name().unwrap_or("?");
        match (container.exit_code(), container.reason()) {
            (None | Some(0), None) => {}
            (Some(code), None) => text.push_str(&format!("; container {name}: exit code {code}")),
            (Some(code), Some(why)) => {
                text.push_str(&format!("; container {name}: exit code {code} ({why})"))
            }
            (None, Some(why)) => text.push_str(&format!("; container {name}: {why}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::from_json;
    use serde_json::{Value as Json, json};

    fn judged(json: Json) -> Rollout {
        let expected = Expected { task_definition: Some("web:2".into()), deployment: None };
        judge(&from_json(&json, "service", Service::deserialize).unwrap(), &expected)
    }

    fn deployment(status: &str, revision: u8, state: &str, running: u8) -> Json {
        json!({"id": format!("ecs-svc/{revision}"), "status": status, "rolloutState": state, "runningCount": running,
            "taskDefinition": format!("arn:aws:ecs:eu-west-1:1:task-definition/web:{revision}"),
            "rolloutStateReason": "tasks failed to start"})
    }

    fn service(deployments: Json, running: u8) -> Json {
        json!({"serviceName": "web", "status": "ACTIVE", "desiredCount": 2, "runningCount": running,
            "deployments": deployments})
    }

    #[test]
    fn one_completed_deployment_with_all_tasks_is_done() {
        assert_eq!(judged(service(json!([deployment("PRIMARY", 2, "COMPLETED", 2)]), 2)), Rollout::Done);
    }

    #[test]
    fn old_tasks_and_missing_ones_are_waited_for() {
        let both =
            json!([deployment("PRIMARY", 2, "IN_PROGRESS", 1), deployment("ACTIVE", 1, "COMPLETED", 2)]);
        let words = "1 of 2 tasks running, 2 old ones still up; rollout IN_PROGRESS";
        assert_eq!(judged(service(both, 3)), Rollout::Going(words.into()));
    }

    #[test]
    fn failed_rolled_back_and_deleted_can_never_be_done() {
        let failed =
            json!([deployment("PRIMARY", 1, "IN_PROGRESS", 1), deployment("ACTIVE", 2, "FAILED", 0)]);
        let Rollout::Failed(why) = judged(service(failed, 1)) else { panic!("not failed") };
        assert_eq!(why, "the deployment of web:2 failed: tasks failed to start");
        let Rollout::Failed(why) = judged(service(json!([deployment("PRIMARY", 1, "COMPLETED", 2)]), 2))
        else {
            panic!("not failed")
        };
        assert!(why.starts_with("web:1 is rolled out instead of web:2"), "{why}");
        assert!(matches!(judged(json!({"status": "INACTIVE"})), Rollout::Failed(_)));
    }
}
