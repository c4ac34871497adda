//! The arguments of `secretsmanager_secret`.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::connection::Connection;
use crate::tags::Tags;

/// Creates, changes or deletes a secret of AWS Secrets Manager. Its value is compared but never shown.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["secret", "json_secret"]]))]
pub(crate) struct SecretsManagerSecret {
    /// The name of the secret, with slashes for a path, or its ARN.
    pub name: String,
    /// The desired state of the secret.
    #[serde(default)]
    pub state: State,
    /// Whether to change the value of an existing secret.
    #[serde(default = "playbook_api::defaults::yes")]
    pub overwrite: bool,
    /// The number of days in which a deleted secret can be restored; 0 deletes it immediately.
    #[serde(default = "thirty")]
    pub recovery_window: i64,
    /// The description of the secret.
    pub description: Option<String>,
    /// The replicas of the secret in other regions.
    pub replica: Option<Vec<Replica>>,
    /// The KMS key that encrypts the secret.
    pub kms_key_id: Option<String>,
    /// Whether the value is stored as text or as bytes.
    #[serde(default)]
    pub secret_type: SecretType,
    /// The value, as text.
    #[schemars(extend("no_log" = true))]
    pub secret: Option<String>,
    /// The value, as JSON or as a dictionary that is stored as JSON.
    #[schemars(extend("no_log" = true, "format" = "raw"))]
    pub json_secret: Option<Json>,
    /// The resource policy in JSON; an empty one removes the policy.
    #[schemars(extend("format" = "raw"))]
    pub resource_policy: Option<Json>,
    /// The ARN of the Lambda function that rotates the secret; an empty text disables rotation.
    pub rotation_lambda: Option<String>,
    /// The number of days between two rotations.
    #[serde(default = "thirty")]
    pub rotation_interval: i64,
    /// The tags of the secret.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

fn thirty() -> i64 {
    30
}

/// The desired state of a secret.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// The secret exists as described.
    #[default]
    Present,
    /// The secret is deleted, after `recovery_window` days permanently.
    Absent,
}

/// The form in which a value is stored.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SecretType {
    Binary,
    #[default]
    String,
}

/// A replica in another region.
#[derive(Clone, Debug, Deserialize, PartialEq, schemars::JsonSchema)]
pub(crate) struct Replica {
    /// The name of the region.
    pub region: String,
    /// The KMS key in that region.
    pub kms_key_id: Option<String>,
}
