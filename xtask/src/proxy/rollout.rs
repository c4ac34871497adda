//! Simulates ECS deployments, which the emulator does not: two deployments at the same time, task counts that rise with
//! every `DescribeServices`, then `COMPLETED`, or `FAILED` with its events.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Call;
use crate::http::Message;

/// The course of a deployment.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The number of `DescribeServices` calls until it ends.
    pub looks: u32,
    /// How it ends.
    pub ending: Ending,
}

/// How a deployment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All new tasks run.
    Completed,
    /// The new tasks fail to start, and the old ones keep running.
    Failed,
    /// It stays in progress.
    Never,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { looks: 3, ending: Ending::Completed }
    }
}

#[derive(Default)]
pub(super) struct Rollouts {
    pub plan: Plan,
    services: HashMap<String, Service>,
}

/// The state of one service that the emulator does not have.
struct Service {
    /// The previous task definition, while its tasks run.
    old: Option<String>,
    new: String,
    plan: Plan,
    looked: u32,
    number: u32,
    since: f64,
    events: Vec<Value>,
}

impl Rollouts {
    /// Rewrites the emulator's response to one call.
    pub(super) fn play(&mut self, call: &Call, response: &mut Message) {
        let mut answer = response.json();
        match call.operation.as_str() {
            "CreateService" | "UpdateService" => {
                let asked: Value = serde_json::from_str(&call.body).unwrap_or_default();
                let service = &mut answer["service"];
                if call.operation == "CreateService" {
                    self.services.remove(arn(service));
                    self.begin(service, None);
                } else {
                    let old = self.running(service);
                    if old != full_task_definition(service) || asked["forceNewDeployment"] == json!(true) {
                        self.begin(service, Some(old));
                    }
                }
                self.tell(service);
            }
            "DescribeServices" => {
                for service in answer["services"].as_array_mut().into_iter().flatten() {
                    if let Some(known) = self.services.get_mut(arn(service)) {
                        known.looked += 1;
                    }
                    self.tell(service);
                }
            }
            _ => return,
        }
        response.body = answer.to_string().into_bytes();
    }

    /// Returns the task definition that the service ran before. For an unknown service it is that of the emulator's
    /// deployment, which the emulator does not update.
    fn running(&self, service: &Value) -> String {
        match self.services.get(arn(service)) {
            Some(known) => known.new.clone(),
            None => service["deployments"][0]["taskDefinition"].as_str().unwrap_or_default().to_owned(),
        }
    }

    fn begin(&mut self, service: &Value, old: Option<String>) {
        let before = self.services.remove(arn(service));
        let (number, events) = before.map_or((1, Vec::new()), |before| (before.number, before.events));
        let new = full_task_definition(service);
        let started =
            Service { old, new, plan: self.plan, looked: 0, number: number + 1, since: now(), events };
        self.services.insert(arn(service).to_owned(), started);
    }

    /// Writes the state of the deployments into the service's description.
    fn tell(&mut self, service: &mut Value) {
        if service["status"] != json!("ACTIVE") {
            return;
        }
        let desired = service["desiredCount"].as_i64().unwrap_or(0);
        let name = service["serviceName"].as_str().unwrap_or_default().to_owned();
        let task_definition = full_task_definition(service);
        let key = arn(service).to_owned();
        let Some(known) = self.services.get_mut(&key) else {
            settle(service, desired, &task_definition);
            return;
        };
        let stage = known.stage();
        let running = known.running(desired, stage);
        let reason = known.advance_events(&name, stage, desired);
        let state = match stage {
            Stage::Rolling => "IN_PROGRESS",
            Stage::Completed => "COMPLETED",
            Stage::Failed => "FAILED",
        };
        let old_running = if known.old.is_some() { known.old_running(desired, stage) } else { 0 };
        let failed = if known.plan.ending == Ending::Failed { i64::from(known.looked.min(10)) } else { 0 };
        let mut deployment = service["deployments"][0].clone();
        let mut deployments = Vec::new();
        for (status, definition, number, running, state, reason, failed) in [
            ("PRIMARY", Some(&known.new), known.number, running, state, reason.as_str(), failed),
            ("ACTIVE", known.old.as_ref(), known.number - 1, old_running, "COMPLETED", "", 0),
        ] {
            let Some(definition) = definition.filter(|_| status == "PRIMARY" || old_running > 0) else {
                continue;
            };
            let wanted = if status == "PRIMARY" { desired } else { 0 };
            let pending = if status == "PRIMARY" { desired - running } else { 0 };
            for (key, value) in [
                ("id", json!(format!("ecs-svc/{number:019}"))),
                ("status", json!(status)),
                ("taskDefinition", json!(definition)),
                ("desiredCount", json!(wanted)),
                ("runningCount", json!(running)),
                ("pendingCount", json!(pending)),
                ("failedTasks", json!(failed)),
                ("rolloutState", json!(state)),
                ("rolloutStateReason", json!(reason)),
                ("createdAt", json!(known.since)),
                ("updatedAt", json!(now())),
            ] {
                deployment[key] = value;
            }
            deployments.push(deployment.clone());
        }
        service["runningCount"] = json!(running + old_running);
        service["pendingCount"] = json!(desired - running - old_running);
        service["taskDefinition"] = json!(known.new);
        service["deployments"] = json!(deployments);
        service["events"] = json!(known.events);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Rolling,
    Completed,
    Failed,
}

impl Service {
    fn stage(&self) -> Stage {
        match self.plan.ending {
            Ending::Completed if self.looked >= self.plan.looks => Stage::Completed,
            Ending::Failed if self.looked >= self.plan.looks => Stage::Failed,
            _ => Stage::Rolling,
        }
    }

    /// Returns the number of new tasks that run.
    fn running(&self, desired: i64, stage: Stage) -> i64 {
        match (self.plan.ending, stage) {
            (_, Stage::Completed) => desired,
            (Ending::Failed, _) => 0,
            _ => (desired * i64::from(self.looked) / i64::from(self.plan.looks.max(1)))
                .min((desired - 1).max(0)),
        }
    }

    /// Returns the number of old tasks that still run. One is stopped before the first new one starts, as a minimum of
    /// healthy tasks below 100% allows. A deployment that fails keeps the old tasks.
    fn old_running(&self, desired: i64, stage: Stage) -> i64 {
        match (self.plan.ending, stage) {
            (_, Stage::Completed) => 0,
            (Ending::Failed, _) => desired,
            _ => (desired - 1 - self.running(desired, stage)).max(0),
        }
    }

    /// Adds the event that ECS would have written by now, newest first, and returns the deployment's reason.
    fn advance_events(&mut self, name: &str, stage: Stage, desired: i64) -> String {
        let id = format!("ecs-svc/{:019}", self.number);
        let (message, reason) = match stage {
            Stage::Rolling if self.looked == 0 => return format!("ECS deployment {id} in progress."),
            Stage::Rolling if self.plan.ending == Ending::Failed => (
                format!("(service {name}) (task 0f5e1c2b3a4d) failed container health checks."),
                format!("ECS deployment {id} in progress."),
            ),
            Stage::Rolling => (
                format!("(service {name}) has started {desired} tasks: (deployment {id})."),
                format!("ECS deployment {id} in progress."),
            ),
            Stage::Completed => (
                format!("(service {name}) has reached a steady state."),
                format!("ECS deployment {id} completed."),
            ),
            Stage::Failed => (
                format!("(service {name}) (deployment {id}) deployment failed: tasks failed to start."),
                "ECS deployment circuit breaker: tasks failed to start.".to_owned(),
            ),
        };
        if self.events.first().is_none_or(|event| event["message"] != json!(message)) {
            let event =
                json!({"id": format!("event-{}", self.events.len()), "createdAt": now(), "message": message});
            self.events.insert(0, event);
        }
        reason
    }
}

/// Describes a service without a deployment since the proxy started: all its tasks run.
fn settle(service: &mut Value, desired: i64, task_definition: &str) {
    service["taskDefinition"] = json!(task_definition);
    service["runningCount"] = json!(desired);
    service["pendingCount"] = json!(0);
    if let Some(deployment) = service["deployments"].as_array_mut().and_then(|all| all.first_mut()) {
        for (key, value) in [
            ("taskDefinition", json!(task_definition)),
            ("desiredCount", json!(desired)),
            ("runningCount", json!(desired)),
            ("pendingCount", json!(0)),
            ("rolloutState", json!("COMPLETED")),
            ("rolloutStateReason", json!("ECS deployment completed.")),
        ] {
            deployment[key] = value;
        }
    }
}

fn arn(service: &Value) -> &str {
    service["serviceArn"].as_str().unwrap_or_default()
}

/// Returns the ARN of the task definition. The emulator keeps `family:revision` as given; ECS responds with the ARN.
fn full_task_definition(service: &Value) -> String {
    let given = service["taskDefinition"].as_str().unwrap_or_default();
    if given.starts_with("arn:") {
        return given.to_owned();
    }
    let prefix: Vec<&str> = arn(service).split(':').take(5).collect();
    format!("{}:task-definition/{given}", prefix.join(":"))
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:ecs:eu-central-1:123456789012:service/prod/web";
    const DEFINITIONS: &str = "arn:aws:ecs:eu-central-1:123456789012:task-definition";

    /// Returns the emulator's description of a service with two tasks, first deployed as `web:1`.
    fn emulator(task_definition: &str) -> Value {
        json!({
            "serviceArn": ARN, "serviceName": "web", "status": "ACTIVE", "desiredCount": 2, "runningCount": 0,
            "taskDefinition": task_definition,
            "deployments": [{"id": "ecs-svc/1", "taskDefinition": format!("{DEFINITIONS}/web:1")}],
        })
    }

    fn answer(rollouts: &mut Rollouts, operation: &str, asked: Value, task_definition: &str) -> Value {
        let service = emulator(task_definition);
        let answer = match operation {
            "DescribeServices" => json!({"services": [service]}),
            _ => json!({"service": service}),
        };
        let call = Call::named("ecs", operation, &asked.to_string());
        let mut response = Message { body: answer.to_string().into_bytes(), ..Message::default() };
        rollouts.play(&call, &mut response);
        let answer = response.json();
        if operation == "DescribeServices" {
            answer["services"][0].clone()
        } else {
            answer["service"].clone()
        }
    }

    fn look(rollouts: &mut Rollouts, task_definition: &str) -> Value {
        answer(rollouts, "DescribeServices", json!({}), task_definition)
    }

    fn update(rollouts: &mut Rollouts, asked: Value, task_definition: &str) -> Value {
        answer(rollouts, "UpdateService", asked, task_definition)
    }

    #[test]
    fn a_service_without_a_deployment_runs_all_its_tasks() {
        let service = look(&mut Rollouts::default(), &format!("{DEFINITIONS}/web:1"));
        assert_eq!(service["runningCount"], 2);
        assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    }

    #[test]
    fn a_new_task_definition_replaces_the_old_one_with_every_description() {
        let mut rollouts = Rollouts::default();
        let begun = update(&mut rollouts, json!({"taskDefinition": "web:2"}), "web:2");
        assert_eq!(begun["taskDefinition"], format!("{DEFINITIONS}/web:2"));
        assert_eq!(begun["deployments"].as_array().map(Vec::len), Some(2));
        let mut running = Vec::new();
        let mut last = Value::Null;
        for _ in 0..3 {
            last = look(&mut rollouts, "web:2");
            running.push(last["runningCount"].as_i64());
        }
        assert_eq!(running, [Some(1), Some(1), Some(2)]);
        assert_eq!(last["deployments"].as_array().map(Vec::len), Some(1));
        assert_eq!(last["deployments"][0]["rolloutState"], "COMPLETED");
        assert_eq!(last["events"][0]["message"], "(service web) has reached a steady state.");
    }

    #[test]
    fn the_same_task_definition_again_is_not_deployed_unless_forced() {
        let mut rollouts = Rollouts::default();
        let again = format!("{DEFINITIONS}/web:1");
        let same = update(&mut rollouts, json!({}), &again);
        assert_eq!(same["deployments"][0]["rolloutState"], "COMPLETED");
        let forced = update(&mut rollouts, json!({"forceNewDeployment": true}), &again);
        assert_eq!(forced["deployments"][0]["rolloutState"], "IN_PROGRESS");
        assert_eq!(forced["deployments"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_deployment_that_fails_has_a_reason_and_keeps_the_old_tasks() {
        let plan = Plan { looks: 2, ending: Ending::Failed };
        let mut rollouts = Rollouts { plan, ..Rollouts::default() };
        update(&mut rollouts, json!({}), "web:2");
        look(&mut rollouts, "web:2");
        let service = look(&mut rollouts, "web:2");
        assert_eq!(service["deployments"][0]["rolloutState"], "FAILED");
        assert_eq!(service["deployments"][1]["runningCount"], 2);
        assert_eq!(
            service["events"][0]["message"],
            "(service web) (deployment ecs-svc/0000000000000000002) deployment failed: tasks failed to start."
        );
    }
}
