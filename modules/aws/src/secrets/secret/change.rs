//! The calls that change a secret.

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{ReplicaRegionType, RotationRulesType, Tag};
use aws_smithy_types::Blob;
use playbook_api::Error;
use serde_json::Value as Json;

use super::options::{Replica, SecretType, SecretsManagerSecret};
use crate::client::Aws;
use crate::compare::Changes;
use crate::error::Explain;
use crate::secrets::value::{self, Version};
use crate::tags::{TagChanges, Tags};

/// Returns the desired value in the form in which it is stored.
pub(super) fn value(m: &SecretsManagerSecret) -> Option<String> {
    match (&m.json_secret, &m.secret) {
        (Some(Json::String(text)), _) => Some(text.clone()),
        (Some(json), _) => Some(json.to_string()),
        (None, Some(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// Returns whether the stored value differs. The order of members in JSON does not matter.
pub(super) async fn value_differs(aws: &Aws, m: &SecretsManagerSecret) -> Result<bool, Error> {
    let Some(wanted) = value(m) else { return Ok(false) };
    let Ok(stored) = value::read(aws, &m.name, &Version::default()).await? else { return Ok(true) };
    let binary = stored.secret_binary().is_some();
    if binary != (m.secret_type == SecretType::Binary) {
        return Ok(true);
    }
    let stored = match stored.secret_binary() {
        Some(bytes) => return Ok(bytes.as_ref() != wanted.as_bytes()),
        None => stored.secret_string().unwrap_or_default(),
    };
    if stored == wanted {
        return Ok(false);
    }
    let parse = |text: &str| serde_json::from_str::<Json>(text).ok();
    Ok(m.json_secret.is_none() || parse(stored).is_none() || parse(stored) != parse(&wanted))
}

pub(super) async fn create(aws: &Aws, m: &SecretsManagerSecret) -> Result<(), Error> {
    let request = aws
        .secrets()
        .create_secret()
        .name(&m.name)
        .set_description(m.description.clone())
        .set_kms_key_id(m.kms_key_id.clone())
        .set_tags(m.tags.as_ref().map(to_sdk_tags))
        .set_add_replica_regions(m.replica.as_ref().filter(|r| !r.is_empty()).map(|r| sdk_replicas(r)));
    let request = match (value(m), m.secret_type) {
        (None, _) => request,
        (Some(text), SecretType::String) => request.secret_string(text),
        (Some(text), SecretType::Binary) => request.secret_binary(Blob::new(text)),
    };
    request.send().await.explain("secretsmanager:CreateSecret")?;
    if let Some(lambda) = m.rotation_lambda.as_deref().filter(|l| !l.is_empty()) {
        rotate(aws, m, lambda).await?;
    }
    if let Some(policy) = policy(m)?.filter(|p| !p.is_null()) {
        put_policy(aws, m, &policy).await?;
    }
    Ok(())
}

/// Applies the changes: restores and updates the secret, its rotation and its policy.
pub(super) async fn apply(aws: &Aws, m: &SecretsManagerSecret, changes: &Changes) -> Result<(), Error> {
    let secrets = aws.secrets();
    if changes.has("deleted_date") {
        secrets.restore_secret().secret_id(&m.name).send().await.explain("secretsmanager:RestoreSecret")?;
    }
    if ["description", "kms_key_id", "secret"].iter().any(|name| changes.has(name)) {
        let mut request = secrets.update_secret().secret_id(&m.name);
        if changes.has("description") {
            request = request.set_description(m.description.clone());
        }
        if changes.has("kms_key_id") {
            request = request.set_kms_key_id(m.kms_key_id.clone());
        }
        if let (true, Some(text)) = (changes.has("secret"), value(m)) {
            request = match m.secret_type {
                SecretType::String => request.secret_string(text),
                SecretType::Binary => request.secret_binary(Blob::new(text)),
            };
        }
        request.send().await.explain("secretsmanager:UpdateSecret")?;
    }
    if changes.has("rotation_enabled") {
        secrets
            .cancel_rotate_secret()
            .secret_id(&m.name)
            .send()
            .await
            .explain("secretsmanager:CancelRotateSecret")?;
    }
    if changes.has("rotation_lambda_arn") || changes.has("rotation_interval") {
        rotate(aws, m, m.rotation_lambda.as_deref().unwrap_or_default()).await?;
    }
    if let Some(policy) = changes.after.get("resource_policy") {
        put_policy(aws, m, policy).await?;
    }
    Ok(())
}

async fn rotate(aws: &Aws, m: &SecretsManagerSecret, lambda: &str) -> Result<(), Error> {
    let rules = RotationRulesType::builder().automatically_after_days(m.rotation_interval).build();
    let request =
        aws.secrets().rotate_secret().secret_id(&m.name).rotation_lambda_arn(lambda).rotation_rules(rules);
    request.send().await.explain("secretsmanager:RotateSecret").map(|_| ())
}

/// Returns the desired policy, parsed; null if it should be removed.
fn policy(m: &SecretsManagerSecret) -> Result<Option<Json>, Error> {
    match &m.resource_policy {
        None => Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => Ok(Some(Json::Null)),
        Some(Json::String(text)) => serde_json::from_str(text)
            .map(Some)
            .map_err(|e| Error::new(format!("resource_policy is not JSON: {e}"))),
        Some(json) if crate::compare::is_empty(json) => Ok(Some(Json::Null)),
        Some(json) => Ok(Some(json.clone())),
    }
}

/// Returns the policy before and after the change, if it differs.
pub(super) async fn policy_change(
    aws: &Aws,
    m: &SecretsManagerSecret,
) -> Result<Option<(Json, Json)>, Error> {
    let Some(wanted) = policy(m)? else { return Ok(None) };
    let answer = aws.secrets().get_resource_policy().secret_id(&m.name).send().await;
    let answer = answer.missing("secretsmanager:GetResourcePolicy", &["ResourceNotFoundException"])?;
    let stored =
        answer.as_ref().and_then(|a| a.resource_policy()).and_then(|text| serde_json::from_str(text).ok());
    let stored: Json = stored.unwrap_or_default();
    Ok((stored != wanted).then_some((stored, wanted)))
}

async fn put_policy(aws: &Aws, m: &SecretsManagerSecret, policy: &Json) -> Result<(), Error> {
    if policy.is_null() {
        let request = aws.secrets().delete_resource_policy().secret_id(&m.name);
        return request.send().await.explain("secretsmanager:DeleteResourcePolicy").map(|_| ());
    }
    let request = aws.secrets().put_resource_policy().secret_id(&m.name).resource_policy(policy.to_string());
    request.send().await.explain("secretsmanager:PutResourcePolicy").map(|_| ())
}

/// Returns the replicas to add and the regions to remove replicas from.
pub(super) fn compare_replicas(
    m: &SecretsManagerSecret,
    secret: &DescribeSecretOutput,
) -> (Vec<Replica>, Vec<String>) {
    let Some(asked) = &m.replica else { return (Vec::new(), Vec::new()) };
    let is: Vec<&str> = secret.replication_status().iter().filter_map(|r| r.region()).collect();
    let add = asked.iter().filter(|r| !is.contains(&r.region.as_str())).cloned().collect();
    let gone = is.iter().filter(|region| !asked.iter().any(|r| r.region == **region));
    (add, gone.map(|region| (*region).to_owned()).collect())
}

pub(super) async fn replicate(
    aws: &Aws,
    m: &SecretsManagerSecret,
    add: &[Replica],
    remove: &[String],
) -> Result<(), Error> {
    if !add.is_empty() {
        let request = aws.secrets().replicate_secret_to_regions().secret_id(&m.name);
        let request = request.set_add_replica_regions(Some(sdk_replicas(add)));
        request.send().await.explain("secretsmanager:ReplicateSecretToRegions")?;
    }
    if !remove.is_empty() {
        let request = aws.secrets().remove_regions_from_replication().secret_id(&m.name);
        let request = request.set_remove_replica_regions(Some(remove.to_vec()));
        request.send().await.explain("secretsmanager:RemoveRegionsFromReplication")?;
    }
    Ok(())
}

pub(super) async fn tag(aws: &Aws, m: &SecretsManagerSecret, changes: &TagChanges) -> Result<(), Error> {
    if !changes.set.is_empty() {
        let request =
            aws.secrets().tag_resource().secret_id(&m.name).set_tags(Some(to_sdk_tags(&changes.set)));
        request.send().await.explain("secretsmanager:TagResource")?;
    }
    if !changes.remove.is_empty() {
        let request =
            aws.secrets().untag_resource().secret_id(&m.name).set_tag_keys(Some(changes.remove.clone()));
        request.send().await.explain("secretsmanager:UntagResource")?;
    }
    Ok(())
}

pub(super) fn tags(secret: &DescribeSecretOutput) -> Tags {
    let pair = |t: &Tag| (t.key().unwrap_or_default().to_owned(), t.value().unwrap_or_default().to_owned());
    secret.tags().iter().map(pair).collect()
}

fn to_sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn sdk_replicas(replicas: &[Replica]) -> Vec<ReplicaRegionType> {
    let one = |r: &Replica| {
        ReplicaRegionType::builder().region(&r.region).set_kms_key_id(r.kms_key_id.clone()).build()
    };
    replicas.iter().map(one).collect()
}
