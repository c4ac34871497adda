//! `rds_instance`: creates, changes, starts, stops, reboots and deletes database instances.

mod create;
pub(crate) mod describe;
pub(crate) mod info;
mod modify;
mod options;
pub(crate) mod wait;

use aws_sdk_rds::types::DbInstance;
use playbook_api::{Change, ChangeAction, Context, ControllerModule, Doc, Error, Failure, Outcome, Value};
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::{Changes, whole_diff};
use crate::error::Explain;
use crate::rds::to_sdk_tags;
use crate::resource::{self, set_unknown, with_values};
use crate::tags::TagChanges;
use options::State;
use wait::is_moving;

pub(crate) use options::RdsInstance;

impl ControllerModule for RdsInstance {
    const DOC: Doc = Doc {
        name: "rds_instance",
        collection: "amazon.aws",
        aliases: &["community.aws.rds_instance"],
        short: "Create, change, start, stop, reboot or delete an RDS instance",
        returns: &[
            (
                "db_instance_identifier",
                "str",
                "The identifier; every member of DescribeDBInstances is a returned value of its own, in snake_case.",
            ),
            ("db_instance_status", "str", "`available`, `stopped`, `creating`, …"),
            ("endpoint", "dict", "`address` and `port`."),
            (
                "master_user_secret",
                "dict",
                "The secret of a managed password: `secret_arn`, `secret_status`, `kms_key_id`.",
            ),
            ("pending_modified_values", "dict", "The changes that wait for the maintenance window."),
            ("tags", "dict", "The tags."),
        ],
        examples: "\
- name: A database with a managed password
  rds_instance:
    id: webapp-postgres
    engine: postgres
    engine_version: '16'
    db_instance_class: db.t4g.micro
    allocated_storage: 20
    storage_type: gp3
    master_username: app
    manage_master_user_password: true
    db_name: app
    vpc_security_group_ids: [sg-0123456789]
    tags: {project: webapp}
  register: database

- name: Grow it now
  rds_instance:
    id: webapp-postgres
    allocated_storage: 50
    apply_immediately: true

- name: Stop it for the night
  rds_instance: {id: webapp-postgres, state: stopped, wait: false}

- name: Delete it
  rds_instance: {id: webapp-postgres, state: absent, final_snapshot_identifier: webapp-last}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let outcome = match self.state {
            State::Absent | State::Terminated => self.delete(&aws, context).await?,
            _ => self.ensure(&aws, context).await?,
        };
        Ok(aws.finish(outcome))
    }
}

fn outcome_of(outcome: Outcome, instance: Json) -> Outcome {
    match instance {
        Json::Object(members) => with_values(outcome, members),
        _ => outcome,
    }
}

impl RdsInstance {
    pub(crate) fn id(&self) -> &str {
        &self.db_instance_identifier
    }

    pub(crate) fn title(&self) -> String {
        format!("RDS instance {}", self.id())
    }

    fn change(
        &self,
        aws: &Aws,
        action: ChangeAction,
        instance: Option<&DbInstance>,
        changes: &Changes,
    ) -> Change {
        let arn = instance.and_then(DbInstance::db_instance_arn);
        resource::change(aws, "AWS::RDS::DBInstance", self.id(), arn, action, changes)
    }

    /// Finds the instance, by its new name if it was already renamed.
    async fn find(&self, aws: &Aws) -> Result<Option<DbInstance>, Error> {
        if let Some(found) = describe::instance(aws, self.id()).await? {
            return Ok(Some(found));
        }
        match &self.new_db_instance_identifier {
            Some(new) => describe::instance(aws, new).await,
            None => Ok(None),
        }
    }

    async fn ensure(&self, aws: &Aws, context: &Context) -> Result<Outcome, Failure> {
        let (mut outcome, instance) = match self.find(aws).await? {
            Some(instance) => {
                let settled = match self.wait && !context.check && is_moving(&instance) {
                    true => self.wait_to_settle(aws, &instance, context).await?,
                    false => instance,
                };
                self.update(aws, settled, context).await?
            }
            None => self.create(aws, context).await?,
        };
        let Some(instance) = instance else { return Ok(outcome) };
        let id = instance.db_instance_identifier().unwrap_or_default().to_owned();
        let status = instance.db_instance_status().unwrap_or_default().to_owned();
        let action = self.action(&status)?;
        outcome.changed |= action.is_some();
        if context.check {
            if let (Some(action), true) = (action, context.diff) {
                outcome = outcome.diff(whole_diff(
                    json!({"db_instance_status": status}),
                    json!({"action": action}),
                    &self.title(),
                ));
            }
            return Ok(outcome);
        }
        match action {
            Some("start") => {
                aws.rds()
                    .start_db_instance()
                    .db_instance_identifier(&id)
                    .send()
                    .await
                    .explain("rds:StartDBInstance")?;
            }
            Some("stop") => {
                aws.rds()
                    .stop_db_instance()
                    .db_instance_identifier(&id)
                    .send()
                    .await
                    .explain("rds:StopDBInstance")?;
            }
            Some(_) => {
                let request = aws.rds().reboot_db_instance().db_instance_identifier(&id);
                request
                    .set_force_failover(self.force_failover)
                    .send()
                    .await
                    .explain("rds:RebootDBInstance")?;
            }
            None => {}
        }
        if let (Some(action), true) = (action, context.diff) {
            outcome = outcome.diff(whole_diff(
                json!({"db_instance_status": status}),
                json!({"action": action}),
                &self.title(),
            ));
        }
        let wanted = if self.state == State::Stopped { "stopped" } else { "available" };
        let now = match action {
            Some(_) if self.wait => self.wait_for(aws, &id, wanted, context).await?,
            Some(_) => describe::instance(aws, &id).await?.unwrap_or(instance),
            None => instance,
        };
        Ok(outcome_of(outcome, describe::to_json(&now)))
    }

    /// Applies the desired state after the instance is as described.
    fn action(&self, status: &str) -> Result<Option<&'static str>, Failure> {
        Ok(match self.state {
            State::Started | State::Running if ["stopped", "stopping"].contains(&status) => Some("start"),
            State::Stopped if !["stopped", "stopping"].contains(&status) => Some("stop"),
            State::Rebooted | State::Restarted if status == "stopped" => {
                return Err(Failure::new(format!("the {} is stopped and cannot be rebooted", self.title()))
                    .with_help("start it with `state: started`"));
            }
            State::Rebooted | State::Restarted => Some("reboot"),
            _ => None,
        })
    }

    async fn create(&self, aws: &Aws, context: &Context) -> Result<(Outcome, Option<DbInstance>), Failure> {
        create::check(self, aws.region())?;
        let mut planned = modify::asked(self);
        for (name, value) in [
            ("db_instance_identifier", Some(&self.db_instance_identifier)),
            ("engine", self.engine.as_ref()),
            ("master_username", self.master_username.as_ref()),
            ("db_name", self.db_name.as_ref()),
        ] {
            if let Some(value) = value {
                planned.insert(name.into(), value.as_str().into());
            }
        }
        let mut outcome =
            Outcome::changed(true).change(self.change(aws, ChangeAction::Create, None, &Changes::default()));
        if context.diff {
            outcome = outcome.diff(whole_diff(Json::Null, Json::Object(planned.clone()), &self.title()));
        }
        if context.check {
            planned.insert("db_instance_status".into(), "planned".into());
            let mut outcome = outcome_of(outcome, Json::Object(planned));
            for value in ["endpoint", "db_instance_arn"] {
                set_unknown(&mut outcome.values, value, &format!("the {} is created", self.title()));
            }
            return Ok((outcome, None));
        }
        let mut instance = create::create(aws, self).await?;
        let roles = self.iam_roles.clone().unwrap_or_default();
        // Roles can be added only to an existing instance, and only a running instance can be stopped.
        if self.wait || !roles.is_empty() || self.state == State::Stopped {
            instance = self.wait_for(aws, self.id(), "available", context).await?;
        }
        if !roles.is_empty() {
            modify::change_roles(aws, self.id(), &roles, &[]).await?;
            instance = describe::instance(aws, self.id()).await?.unwrap_or(instance);
        }
        Ok((outcome, Some(instance)))
    }

    async fn update(
        &self,
        aws: &Aws,
        instance: DbInstance,
        context: &Context,
    ) -> Result<(Outcome, Option<DbInstance>), Failure> {
        let current = describe::to_json(&instance);
        if current["db_instance_status"] == "deleting" {
            return Err(Failure::new(format!("the {} is being deleted", self.title())).with_help(
                "wait until it is gone: wait_until with rds_instance, or `state: absent` with `wait: true`",
            ));
        }
        let mut changes = modify::compare(self, &instance, &current);
        let modifies = !changes.is_empty();
        let (add, remove) = modify::compare_roles(self, &instance);
        if !add.is_empty() || !remove.is_empty() {
            let words = |roles: &[options::IamRole]| {
                roles.iter().map(|r| format!("{}: {}", r.feature_name, r.role_arn)).collect::<Vec<_>>()
            };
            changes.note("iam_roles", words(&remove).into(), words(&add).into());
        }
        let current_tags = describe::tags(&instance);
        let tag_changes = TagChanges::between(&current_tags, self.tags.as_ref(), self.purge_tags);
        tag_changes.note(&current_tags, &mut changes);
        let promotes = self.read_replica == Some(false)
            && instance.read_replica_source_db_instance_identifier().is_some();
        if promotes {
            changes.note("read_replica", true.into(), false.into());
        }
        let mut outcome = Outcome::changed(!changes.is_empty());
        if !changes.is_empty() {
            outcome = outcome.change(self.change(aws, ChangeAction::Modify, Some(&instance), &changes));
        }
        if context.diff && !changes.is_empty() {
            outcome = outcome.diff(changes.diff(&self.title()));
        }
        if context.check || changes.is_empty() {
            return Ok((outcome_of(outcome, current), Some(instance)));
        }
        self.check_changes(&instance, &changes.after)?;
        let mut now = instance;
        if modifies {
            now = modify::modify(aws, self, &changes).await?.unwrap_or(now);
        }
        let id = match &self.new_db_instance_identifier {
            Some(new) if self.apply_immediately => new.clone(),
            _ => now.db_instance_identifier().unwrap_or(self.id()).to_owned(),
        };
        if promotes {
            let request = aws.rds().promote_read_replica().db_instance_identifier(&id);
            request.send().await.explain("rds:PromoteReadReplica")?;
        }
        modify::change_roles(aws, &id, &add, &remove).await?;
        self.tag(aws, now.db_instance_arn().unwrap_or_default(), &tag_changes).await?;
        now = if self.wait && (modifies || promotes) && now.db_instance_status() != Some("stopped") {
            self.wait_for(aws, &id, "available", context).await?
        } else {
            describe::instance(aws, &id).await?.unwrap_or(now)
        };
        Ok((outcome, Some(now)))
    }

    fn check_changes(&self, instance: &DbInstance, asked: &Map<String, Json>) -> Result<(), Failure> {
        if asked.get("manage_master_user_password") == Some(&Json::Bool(false))
            && self.master_user_password.is_none()
        {
            return Err(Failure::new("a password that RDS no longer manages has to be given")
                .with_help("give `master_user_password` along with `manage_master_user_password: false`"));
        }
        let is = instance.allocated_storage().unwrap_or(0);
        match self.allocated_storage {
            Some(wanted) if asked.contains_key("allocated_storage") && wanted < is => Err(Failure::new(
                format!("the storage of the {} cannot shrink from {is} to {wanted} GiB", self.title()),
            )
            .with_help("make a new instance with less storage and move the data")),
            _ => Ok(()),
        }
    }

    async fn tag(&self, aws: &Aws, arn: &str, changes: &TagChanges) -> Result<(), Error> {
        if !changes.set.is_empty() {
            let request = aws.rds().add_tags_to_resource().resource_name(arn);
            let request = request.set_tags(Some(to_sdk_tags(&changes.set)));
            request.send().await.explain("rds:AddTagsToResource")?;
        }
        if !changes.remove.is_empty() {
            let request = aws.rds().remove_tags_from_resource().resource_name(arn);
            let request = request.set_tag_keys(Some(changes.remove.clone()));
            request.send().await.explain("rds:RemoveTagsFromResource")?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, context: &Context) -> Result<Outcome, Failure> {
        let Some(instance) = describe::instance(aws, self.id()).await? else {
            return Ok(Outcome::changed(false));
        };
        let current = describe::to_json(&instance);
        let deleting = current["db_instance_status"] == "deleting";
        if !deleting {
            if !self.skip_final_snapshot && self.final_db_snapshot_identifier.is_none() {
                return Err(Failure::new(format!("deleting the {} requires `final_db_snapshot_identifier`", self.title()))
                    .with_help("Give a name for the final snapshot, or set `skip_final_snapshot: true` to delete the data."));
            }
            if instance.deletion_protection() == Some(true) {
                return Err(Failure::new(format!("the {} is protected from deletion", self.title()))
                    .with_help("set `deletion_protection: false` with `apply_immediately: true` first"));
            }
        }
        let mut outcome = Outcome::changed(!deleting);
        if !deleting {
            outcome =
                outcome.change(self.change(aws, ChangeAction::Delete, Some(&instance), &Changes::default()));
        }
        if context.diff && !deleting {
            outcome = outcome.diff(whole_diff(current.clone(), Json::Null, &self.title()));
        }
        if context.check {
            return Ok(outcome_of(outcome, current));
        }
        if !deleting {
            let request = aws.rds().delete_db_instance().db_instance_identifier(self.id());
            let snapshot = self.final_db_snapshot_identifier.clone().filter(|_| !self.skip_final_snapshot);
            request
                .skip_final_snapshot(self.skip_final_snapshot)
                .set_final_db_snapshot_identifier(snapshot)
                .send()
                .await
                .explain("rds:DeleteDBInstance")?;
        }
        if self.wait {
            self.wait_until_gone(aws, context).await?;
        }
        let snapshot = self.final_db_snapshot_identifier.as_deref().filter(|_| !self.skip_final_snapshot);
        if let Some(snapshot) = snapshot
            && let Some(told) = describe::snapshot(aws, snapshot).await?
        {
            outcome = outcome.with("final_snapshot", Value::from_json(told));
        }
        Ok(outcome_of(outcome, current))
    }
}
