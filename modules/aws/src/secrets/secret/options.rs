//! What `secretsmanager_secret` is told.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::connection::Connection;
use crate::tags::Tags;

/// Creates, changes or deletes a secret of AWS Secrets Manager. Its value is compared, and never shown.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["secret", "json_secret"]]))]
pub struct SecretsManagerSecret {
    /// The name of the secret, with slashes for a path, or its ARN.
    pub name: String,
    /// Whether the secret should be there.
    #[serde(default)]
    pub state: State,
    /// Whether an existing secret gets the given value; `false` leaves a secret that exists as it is.
    #[serde(default = "playbook_api::defaults::yes")]
    pub overwrite: bool,
    /// Days in which a deleted secret can be restored; 0 deletes at once and for ever.
    #[serde(default = "thirty")]
    pub recovery_window: i64,
    /// What the secret is for.
    pub description: Option<String>,
    /// Other regions that keep a copy of the secret.
    pub replica: Option<Vec<Replica>>,
    /// The KMS key that encrypts the secret.
    pub kms_key_id: Option<String>,
    /// Whether `secret` is kept as text or as bytes.
    #[serde(default)]
    pub secret_type: SecretType,
    /// The value, as a text.
    #[schemars(extend("no_log" = true))]
    pub secret: Option<String>,
    /// The value, as JSON or as a dictionary that becomes JSON.
    #[schemars(extend("no_log" = true, "format" = "raw"))]
    pub json_secret: Option<Json>,
    /// Who may use the secret, as a policy in JSON; an empty one removes it.
    #[schemars(extend("format" = "raw"))]
    pub resource_policy: Option<Json>,
    /// The ARN of the Lambda function that rotates the secret; an empty text stops the rotation.
    pub rotation_lambda: Option<String>,
    /// Days between two rotations.
    #[serde(default = "thirty")]
    pub rotation_interval: i64,
    /// Tags of the secret.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Removes tags that `tags` does not name.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

fn thirty() -> i64 {
    30
}

/// Whether the secret should be there.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It exists and is as described.
    #[default]
    Present,
    /// It is deleted, after `recovery_window` days for good.
    Absent,
}

/// How a value is kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretType {
    Binary,
    #[default]
    String,
}

/// A copy in another region.
#[derive(Clone, Debug, Deserialize, PartialEq, schemars::JsonSchema)]
pub struct Replica {
    /// The region.
    pub region: String,
    /// The KMS key of that region.
    pub kms_key_id: Option<String>,
}
