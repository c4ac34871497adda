//! `ecs_service`: creates, updates, redeploys, describes and deletes services.

mod change;
pub(crate) mod info;
mod options;
pub(crate) mod rollout;
mod wait;

use aws_sdk_ecs::types::Service;
use playbook_api::{Change, ChangeAction, Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde_json::{Map, Value as Json};

use crate::client::Aws;
use crate::compare::{Changes, whole_diff};
use crate::ecs::{describe, network};
use crate::error::Explain;
use crate::resource::{self, set_unknown};
use crate::shape;
use crate::tags::{self, TagChanges};

pub(crate) use change::network;
pub(crate) use options::{CapacityProvider, EcsService, LaunchType, NetworkConfiguration};
use options::{SchedulingStrategy, State};

impl ControllerModule for EcsService {
    const DOC: Doc = Doc {
        name: "ecs_service",
        collection: "community.aws",
        aliases: &["amazon.aws.ecs_service"],
        short: "Create, update, redeploy, describe or delete an ECS service",
        returns: &[
            (
                "service",
                "dict",
                "The service as DescribeServices prints it: serviceName, status, desiredCount, runningCount, pendingCount, taskDefinition, deployments, events, …",
            ),
            ("changes", "list", "The names of the members that were changed, as the API calls them."),
        ],
        examples: "\
- name: Run the new image
  ecs_service:
    name: webapp
    cluster: production
    task_definition: \"{{ definition.taskdefinition.taskDefinitionArn }}\"
    desired_count: 2
    deployment_configuration:
      deployment_circuit_breaker: {enable: true, rollback: true}
    wait: true

- name: Start the same image again
  ecs_service:
    name: webapp
    cluster: production
    force_new_deployment: true

- name: Wait for as many tasks as desired
  ecs_service:
    name: webapp
    cluster: production
  register: status
  until: status.service.runningCount == status.service.desiredCount
  retries: 30
  delay: 10

- name: Delete it
  ecs_service: {name: webapp, cluster: production, state: absent, force_deletion: true, wait: true}
",
        ..Doc::BUILTIN
    };

    async fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        network::resolve_groups(&aws, self.network_configuration.as_mut()).await?;
        let asked = change::asked(&self)?;
        let found = match context.check {
            true => describe::service_if_any(&aws, &self.cluster, &self.name).await?,
            false => describe::service(&aws, &self.cluster, &self.name).await?,
        };
        let existing = found.clone().filter(|s| s.status() != Some("INACTIVE"));
        let outcome = match self.state {
            Some(State::Absent) => self.delete(&aws, existing, context).await?,
            Some(State::Deleting) => self.wait_until_gone(&aws, found, context).await?,
            None if asked.is_empty() && self.tags.is_none() && !self.force_new_deployment => {
                self.describe(&aws, existing, context).await?
            }
            _ => match existing {
                Some(service) if service.status() == Some("DRAINING") => {
                    return Err(Failure::new(format!(
                        "the service {} is being deleted (DRAINING)",
                        self.name
                    ))
                    .with_help("Wait for the end of the deletion with `state: deleting` before you create the service.")
                    .with("service", json_value(&service)));
                }
                Some(service) => self.update(&aws, service, asked, context).await?,
                None => self.create(&aws, asked, context).await?,
            },
        };
        Ok(aws.finish(outcome))
    }
}

/// Returns the service as the module returns it: in the form of the API, with its tags as a dictionary.
fn json_value(service: &Service) -> Value {
    returned(shape::to_json(service))
}

fn returned(mut service: Json) -> Value {
    if let Some(pairs) = service.get("tags").filter(|tags| tags.is_array()) {
        service["tags"] = tags::to_json(&tags::from_pairs(pairs));
    }
    Value::from_json(service)
}

impl EcsService {
    fn title(&self) -> String {
        format!("ECS service {}/{}", crate::text::short(&self.cluster), self.name)
    }

    fn change(
        &self,
        aws: &Aws,
        action: ChangeAction,
        service: Option<&Service>,
        changes: &Changes,
    ) -> Change {
        let name = format!("{}/{}", crate::text::short(&self.cluster), self.name);
        let arn = service.and_then(Service::service_arn);
        resource::change(aws, "AWS::ECS::Service", &name, arn, action, changes)
    }

    async fn describe(
        &self,
        aws: &Aws,
        existing: Option<Service>,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let Some(service) = existing else {
            if context.check {
                // An earlier task of the same run may be what would create it.
                let nothing = serde_json::json!({"serviceName": self.name, "status": "MISSING",
                    "desiredCount": 0, "runningCount": 0, "pendingCount": 0, "deployments": [], "events": []});
                return Ok(Outcome::changed(false)
                    .with("service", Value::from_json(nothing))
                    .warn(format!("the {} does not exist yet", self.title())));
            }
            return Err(Failure::new(format!("the {} does not exist", self.title()))
                .with_help("Check `name`, `cluster` and `region`, or give `task_definition` and `desired_count` to create it."));
        };
        let service = if self.wait { self.wait_for_rollout(aws, service, context).await? } else { service };
        Ok(Outcome::changed(false).with("service", json_value(&service)))
    }

    async fn create(
        &self,
        aws: &Aws,
        mut asked: Map<String, Json>,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        self.check_creation(&asked)?;
        asked.insert("serviceName".into(), self.name.as_str().into());
        asked.insert("cluster".into(), self.cluster.as_str().into());
        let after = Json::Object(asked.clone());
        let outcome =
            Outcome::changed(true).with("changes", asked.keys().map(Value::from).collect::<Vec<_>>());
        let outcome = if context.diff {
            outcome.diff(whole_diff(Json::Null, after.clone(), &self.title()))
        } else {
            outcome
        };
        if context.check {
            let mut outcome = outcome
                .change(self.change(aws, ChangeAction::Create, None, &Changes::default()))
                .with("service", Value::from_json(planned(after)));
            set_unknown(
                &mut outcome.values,
                "service.serviceArn",
                &format!("the {} is created", self.title()),
            );
            return Ok(outcome);
        }
        let service = change::create(aws, asked, self.tags.as_ref()).await?;
        let outcome =
            outcome.change(self.change(aws, ChangeAction::Create, Some(&service), &Changes::default()));
        let service = if self.wait { self.wait_for_rollout(aws, service, context).await? } else { service };
        Ok(outcome.with("service", json_value(&service)))
    }

    /// Rejects what ECS would reject, so that check mode reports it too.
    fn check_creation(&self, asked: &Map<String, Json>) -> Result<(), Failure> {
        let external = asked.get("deploymentController").is_some_and(|c| c["type"] == "EXTERNAL");
        let daemon = self.scheduling_strategy == Some(SchedulingStrategy::Daemon);
        let mut missing = Vec::new();
        if self.task_definition.is_none() && !external {
            missing.push("task_definition");
        }
        if self.desired_count.is_none() && !daemon && !external {
            missing.push("desired_count");
        }
        if self.launch_type == Some(LaunchType::Fargate) && self.network_configuration.is_none() {
            missing.push("network_configuration");
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the {} does not exist; creating it requires {}",
            self.title(),
            missing.join(" and ")
        ))
        .with_help("Check `name`, `cluster` and `region` if the service should exist."))
    }

    async fn update(
        &self,
        aws: &Aws,
        service: Service,
        asked: Map<String, Json>,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let current = shape::to_json(&service);
        let mut changes = change::compare(aws, self, &asked, &service, &current).await?;
        change::check_controller(&self.title(), &service, &changes, self.force_new_deployment)?;
        let members = changes.after.clone();
        let current_tags = tags::from_pairs(&current["tags"]);
        let tag_changes = TagChanges::between(&current_tags, self.tags.as_ref(), self.purge_tags);
        tag_changes.note(&current_tags, &mut changes);
        let redeploys = self.force_new_deployment;
        if redeploys {
            changes.note("forceNewDeployment", false.into(), true.into());
        }
        let names: Vec<Value> = changes.names().map(Value::from).collect();
        let mut outcome = Outcome::changed(!changes.is_empty()).with("changes", names);
        if !changes.is_empty() {
            outcome = outcome.change(self.change(aws, ChangeAction::Modify, Some(&service), &changes));
        }
        if context.diff && !changes.is_empty() {
            outcome = outcome.diff(changes.diff(&self.title()));
        }
        if context.check {
            return Ok(outcome.with("service", returned(merged(current, &changes))));
        }
        let mut updated = service;
        if !members.is_empty() || redeploys {
            updated = change::update(aws, self, members, &current).await?;
        }
        if !tag_changes.is_empty() {
            change::tag(aws, updated.service_arn().unwrap_or_default(), &tag_changes).await?;
        }
        if self.wait {
            updated = self.wait_for_rollout(aws, updated, context).await?;
        }
        Ok(outcome.with("service", json_value(&updated)))
    }

    async fn delete(
        &self,
        aws: &Aws,
        existing: Option<Service>,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let Some(service) = existing else {
            return Ok(Outcome::changed(false));
        };
        let draining = service.status() == Some("DRAINING");
        if draining && !self.wait {
            return Ok(Outcome::changed(false).with("service", json_value(&service)));
        }
        let replica = service.scheduling_strategy() != Some(&aws_sdk_ecs::types::SchedulingStrategy::Daemon);
        if !draining && !self.force_deletion && replica && service.desired_count() > 0 {
            return Err(Failure::new(format!(
                "the {} still has a desired count of {}",
                self.title(),
                service.desired_count()
            ))
            .with_help("Set `force_deletion: true`, or scale the service to `desired_count: 0` first."));
        }
        let mut outcome = Outcome::changed(!draining).with("service", json_value(&service));
        if !draining {
            outcome =
                outcome.change(self.change(aws, ChangeAction::Delete, Some(&service), &Changes::default()));
        }
        if context.diff && !draining {
            outcome = outcome.diff(whole_diff(shape::to_json(&service), Json::Null, &self.title()));
        }
        if context.check {
            return Ok(outcome);
        }
        if !draining {
            let deleted = aws
                .ecs()
                .delete_service()
                .cluster(&self.cluster)
                .service(&self.name)
                .force(self.force_deletion)
                .send()
                .await
                .explain("ecs:DeleteService")?;
            if let Some(service) = deleted.service {
                outcome = outcome.with("service", json_value(&service));
            }
        }
        if self.wait {
            self.wait_until_inactive(aws, context).await?;
        }
        Ok(outcome)
    }

    async fn wait_until_gone(
        &self,
        aws: &Aws,
        found: Option<Service>,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let Some(service) = found else {
            return Err(Failure::new(format!("the {} does not exist", self.title())).with_help(
                "`state: deleting` waits for a deletion that has begun; `state: absent` begins one.",
            ));
        };
        let outcome =
            Outcome::changed(service.status() != Some("INACTIVE")).with("service", json_value(&service));
        if !context.check {
            self.wait_until_inactive(aws, context).await?;
        }
        Ok(outcome)
    }
}

/// Returns the service for check mode if it does not exist yet.
fn planned(mut service: Json) -> Json {
    if let Json::Object(map) = &mut service {
        for (name, value) in
            [("status", Json::from("PLANNED")), ("runningCount", 0.into()), ("pendingCount", 0.into())]
        {
            map.entry(name).or_insert(value);
        }
    }
    service
}

fn merged(mut current: Json, changes: &Changes) -> Json {
    if let Json::Object(map) = &mut current {
        map.extend(changes.after.clone().into_iter().filter(|(k, _)| k != "forceNewDeployment"));
    }
    current
}
