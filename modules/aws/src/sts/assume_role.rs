//! `sts_assume_role`: returns temporary credentials of a role.

use playbook_api::{Context, ControllerModule, Doc, Failure, Map, Outcome, Value};
use serde::Deserialize;

use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;
use crate::text::date;

/// Returns temporary credentials of a role.
///
/// To run whole plays as a role, a profile with `role_arn` is simpler: its credentials are renewed automatically.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct StsAssumeRole {
    /// The ARN of the role.
    pub role_arn: String,
    /// The name of the session, which audit logs show.
    pub role_session_name: String,
    /// The number of seconds for which the credentials are valid, 900 to 43200. The default is 3600.
    pub duration_seconds: Option<i32>,
    /// A policy that restricts the session further, as JSON.
    pub policy: Option<String>,
    /// The ID that the owner of the role agreed on with the caller.
    pub external_id: Option<String>,
    /// The serial number or ARN of the MFA device.
    pub mfa_serial_number: Option<String>,
    /// The code of the MFA device.
    pub mfa_token: Option<String>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for StsAssumeRole {
    const DOC: Doc = Doc {
        name: "sts_assume_role",
        collection: "amazon.aws",
        aliases: &["community.aws.sts_assume_role"],
        short: "Return temporary credentials of a role",
        check_mode: "Full: it changes nothing; the credentials are returned in check mode, too.",
        returns: &[
            (
                "sts_creds",
                "dict",
                "The credentials: access_key, secret_key, session_token and expiration. The secret ones are masked in output.",
            ),
            ("sts_user", "dict", "The session: arn and assumed_role_id."),
        ],
        examples: "\
- name: Become the deployer of the other account
  sts_assume_role:
    role_arn: arn:aws:iam::123456789012:role/deployer
    role_session_name: deployment
  register: assumed

- name: Act as the role
  aws_caller_info:
    access_key: \"{{ assumed.sts_creds.access_key }}\"
    secret_key: \"{{ assumed.sts_creds.secret_key }}\"
    session_token: \"{{ assumed.sts_creds.session_token }}\"
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if self.duration_seconds.is_some_and(|seconds| !(900..=43200).contains(&seconds)) {
            return Err(Failure::new("duration_seconds must be between 900 and 43200"));
        }
        let aws = Aws::connect(&self.connection, context).await?;
        let answer = aws
            .sts()
            .assume_role()
            .role_arn(self.role_arn)
            .role_session_name(self.role_session_name)
            .set_duration_seconds(self.duration_seconds)
            .set_policy(self.policy)
            .set_external_id(self.external_id)
            .set_serial_number(self.mfa_serial_number)
            .set_token_code(self.mfa_token)
            .send()
            .await
            .explain("sts:AssumeRole")?;
        let mut credentials = Map::default();
        if let Some(found) = answer.credentials() {
            let secret = |text: &str| {
                let value = Value::secret(text);
                context.redactor.register_value(&value);
                value
            };
            credentials.insert("access_key".into(), found.access_key_id().into());
            credentials.insert("secret_key".into(), secret(found.secret_access_key()));
            credentials.insert("session_token".into(), secret(found.session_token()));
            credentials.insert("expiration".into(), date(found.expiration()).into());
        }
        let mut user = Map::default();
        if let Some(found) = answer.assumed_role_user() {
            user.insert("arn".into(), found.arn().into());
            user.insert("assumed_role_id".into(), found.assumed_role_id().into());
        }
        Ok(aws.finish(Outcome::changed(true).with("sts_creds", credentials).with("sts_user", user)))
    }
}
