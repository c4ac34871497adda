//! `secretsmanager_secret`: creates, changes and deletes secrets.

mod change;
mod options;

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use playbook_api::{Change, ChangeAction, Context, ControllerModule, Doc, Error, Failure, Outcome, Value};
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::{Changes, whole_diff};
use crate::error::Explain;
use crate::resource;
use crate::tags::{self, TagChanges};
use crate::text::date;
use options::State;

pub(crate) use options::SecretsManagerSecret;

impl ControllerModule for SecretsManagerSecret {
    const DOC: Doc = Doc {
        name: "secretsmanager_secret",
        collection: "community.aws",
        aliases: &["amazon.aws.secretsmanager_secret", "community.aws.aws_secret", "aws_secret"],
        short: "Create, change or delete a secret of AWS Secrets Manager",
        returns: &[(
            "secret",
            "dict",
            "What DescribeSecret tells, members in snake_case: arn, name, description, tags, version_ids_to_stages, rotation_enabled, …",
        )],
        examples: "\
- name: The database's credentials
  secretsmanager_secret:
    name: production/database
    description: How webapp logs in
    json_secret:
      username: app
      password: \"{{ database_password }}\"
      host: \"{{ database_host }}\"
      port: 5432
      dbname: app
    tags: {project: webapp}

- name: Delete it, with a week to think
  secretsmanager_secret:
    name: production/database
    state: absent
    recovery_window: 7
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let existing = self.find(&aws).await?;
        let outcome = match (self.state, existing) {
            (State::Absent, None) => Outcome::changed(false).with("secret", "secret does not exist"),
            (State::Absent, Some(secret)) => self.delete(&aws, &secret, context).await?,
            (State::Present, None) => self.create(&aws, context).await?,
            (State::Present, Some(secret)) => self.update(&aws, &secret, context).await?,
        };
        Ok(aws.finish(outcome))
    }
}

impl SecretsManagerSecret {
    fn title(&self) -> String {
        format!("secret {}", self.name)
    }

    fn change(
        &self,
        aws: &Aws,
        action: ChangeAction,
        secret: Option<&DescribeSecretOutput>,
        changes: &Changes,
    ) -> Change {
        let arn = secret.and_then(DescribeSecretOutput::arn);
        resource::change(aws, "AWS::SecretsManager::Secret", &self.name, arn, action, changes)
    }

    async fn find(&self, aws: &Aws) -> Result<Option<DescribeSecretOutput>, Error> {
        let answer = aws.secrets().describe_secret().secret_id(&self.name).send().await;
        answer.missing("secretsmanager:DescribeSecret", &["ResourceNotFoundException"])
    }

    async fn described(&self, aws: &Aws) -> Result<Value, Error> {
        Ok(self.find(aws).await?.map_or(Value::Null, |s| Value::from_json(to_json(&s))))
    }

    async fn create(&self, aws: &Aws, context: &Context) -> Result<Outcome, Failure> {
        let mut planned = Map::from_iter([("name".to_owned(), Json::from(self.name.as_str()))]);
        for (name, value) in [("description", &self.description), ("kms_key_id", &self.kms_key_id)] {
            if let Some(value) = value {
                planned.insert(name.into(), value.as_str().into());
            }
        }
        if let Some(tags) = &self.tags {
            planned.insert("tags".into(), tags::to_json(tags));
        }
        let mut outcome =
            Outcome::changed(true).change(self.change(aws, ChangeAction::Create, None, &Changes::default()));
        if context.diff {
            outcome = outcome.diff(whole_diff(Json::Null, Json::Object(planned.clone()), &self.title()));
        }
        if context.check {
            return Ok(outcome.with("secret", Value::from_json(Json::Object(planned))));
        }
        change::create(aws, self).await?;
        Ok(outcome.with("secret", self.described(aws).await?))
    }

    async fn update(
        &self,
        aws: &Aws,
        secret: &DescribeSecretOutput,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let deleted = secret.deleted_date().is_some();
        let mut changes = Changes::default();
        if deleted {
            changes.note("deleted_date", to_json(secret)["deleted_date"].clone(), Json::Null);
        }
        self.compare_metadata(secret, &mut changes);
        // The value and the policy of a deleted secret cannot be read.
        if !deleted && self.overwrite && change::value_differs(aws, self).await? {
            changes.note("secret", "******** (old)".into(), "******** (new)".into());
        }
        if deleted && self.overwrite && change::value(self).is_some() {
            changes.note("secret", "******** (old)".into(), "******** (given)".into());
        }
        let policy = if deleted { None } else { change::policy_change(aws, self).await? };
        if let Some((before, after)) = &policy {
            changes.note("resource_policy", before.clone(), after.clone());
        }
        let (add, remove) = change::compare_replicas(self, secret);
        if !add.is_empty() || !remove.is_empty() {
            let regions: Vec<&str> = add.iter().map(|r| r.region.as_str()).collect();
            changes.note("replica", remove.clone().into(), json!(regions));
        }
        let current_tags = change::tags(secret);
        let tag_changes = TagChanges::between(&current_tags, self.tags.as_ref(), self.purge_tags);
        tag_changes.note(&current_tags, &mut changes);
        let mut outcome = Outcome::changed(!changes.is_empty());
        if !changes.is_empty() {
            outcome = outcome.change(self.change(aws, ChangeAction::Modify, Some(secret), &changes));
        }
        if context.diff && !changes.is_empty() {
            outcome = outcome.diff(changes.diff(&self.title()));
        }
        if changes.is_empty() || context.check {
            return Ok(outcome.with("secret", Value::from_json(to_json(secret))));
        }
        change::apply(aws, self, &changes).await?;
        change::replicate(aws, self, &add, &remove).await?;
        change::tag(aws, self, &tag_changes).await?;
        Ok(outcome.with("secret", self.described(aws).await?))
    }

    fn compare_metadata(&self, secret: &DescribeSecretOutput, changes: &mut Changes) {
        let current = to_json(secret);
        changes.compare("description", &json!(self.description), &current["description"]);
        if let Some(key) = &self.kms_key_id
            && !secret.kms_key_id().is_some_and(|is| same_key(key, is))
        {
            changes.note("kms_key_id", current["kms_key_id"].clone(), key.as_str().into());
        }
        match self.rotation_lambda.as_deref() {
            None => {}
            Some("") if secret.rotation_enabled() == Some(true) => {
                changes.note("rotation_enabled", true.into(), false.into());
            }
            Some("") => {}
            Some(lambda) => {
                changes.compare("rotation_lambda_arn", &lambda.into(), &current["rotation_lambda_arn"]);
                let days = &current["rotation_rules"]["automatically_after_days"];
                changes.compare("rotation_interval", &self.rotation_interval.into(), days);
            }
        }
    }

    async fn delete(
        &self,
        aws: &Aws,
        secret: &DescribeSecretOutput,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let now = self.recovery_window == 0;
        let deleted = secret.deleted_date().is_some();
        if deleted && !now {
            return Ok(Outcome::changed(false).with("secret", "secret already scheduled for deletion"));
        }
        let mut outcome = Outcome::changed(true)
            .with("secret", Value::from_json(to_json(secret)))
            .change(self.change(aws, ChangeAction::Delete, Some(secret), &Changes::default()));
        if context.diff {
            outcome = outcome.diff(whole_diff(to_json(secret), Json::Null, &self.title()));
        }
        if context.check {
            return Ok(outcome);
        }
        let request = aws.secrets().delete_secret().secret_id(&self.name);
        let request = match now {
            true => request.force_delete_without_recovery(true),
            false => request.recovery_window_in_days(self.recovery_window),
        };
        let answer = request.send().await.explain("secretsmanager:DeleteSecret")?;
        let mut told = to_json(secret);
        told["deletion_date"] = json!(answer.deletion_date().map(date));
        Ok(outcome.with("secret", Value::from_json(told)))
    }
}

/// Returns whether two names mean the same key. The API returns the ID, ARN, alias or ARN of the alias that was given.
fn same_key(asked: &str, is: &str) -> bool {
    asked == is
        || is.ends_with(&format!("/{asked}"))
        || asked.ends_with(&format!("/{is}"))
        || is.ends_with(&format!(":{asked}"))
}

/// Returns the description of a secret in the form of the Ansible module.
pub(crate) fn to_json(s: &DescribeSecretOutput) -> Json {
    let versions: Map<String, Json> = s
        .version_ids_to_stages()
        .map(|v| v.iter().map(|(id, stages)| (id.clone(), Json::from(stages.clone()))).collect())
        .unwrap_or_default();
    let tags: Json = s.tags().iter().map(|t| json!({"key": t.key(), "value": t.value()})).collect();
    let rules = s.rotation_rules().map(|r| {
        json!({"automatically_after_days": r.automatically_after_days(), "duration": r.duration(),
            "schedule_expression": r.schedule_expression()})
    });
    let replicas = s.replication_status().iter().map(|r| {
        json!({"region": r.region(), "kms_key_id": r.kms_key_id(), "status": r.status().map(|s| s.as_str()),
            "status_message": r.status_message()})
    });
    let all = json!({
        "arn": s.arn(), "name": s.name(), "description": s.description(), "kms_key_id": s.kms_key_id(),
        "rotation_enabled": s.rotation_enabled(), "rotation_lambda_arn": s.rotation_lambda_arn(), "rotation_rules": rules,
        "created_date": s.created_date().map(date), "last_changed_date": s.last_changed_date().map(date),
        "last_rotated_date": s.last_rotated_date().map(date), "last_accessed_date": s.last_accessed_date().map(date),
        "next_rotation_date": s.next_rotation_date().map(date), "deleted_date": s.deleted_date().map(date),
        "owning_service": s.owning_service(), "primary_region": s.primary_region(), "tags": tags,
        "tags_dict": tags::to_json(&change::tags(s)),
        "version_ids_to_stages": versions, "replication_status": replicas.collect::<Json>(),
    });
    match all {
        Json::Object(map) => map.into_iter().filter(|(_, v)| !v.is_null()).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_by_many_names() {
        assert!(same_key("alias/app", "arn:aws:kms:eu-west-1:1:alias/app"));
        assert!(same_key("1234", "arn:aws:kms:eu-west-1:1:key/1234"));
        assert!(!same_key("1234", "arn:aws:kms:eu-west-1:1:key/91234"));
    }
}
