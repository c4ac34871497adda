//! `aws_caller_info`: tells whose credentials are used.

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome};
use serde::Deserialize;

use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;

/// Tells whose credentials are used, and in which account.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct AwsCallerInfo {
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for AwsCallerInfo {
    const DOC: Doc = Doc {
        name: "aws_caller_info",
        collection: "amazon.aws",
        aliases: &["community.aws.aws_caller_info"],
        short: "Tell whose AWS credentials are used",
        check_mode: "Full: it only reads.",
        returns: &[
            ("account", "str", "The ID of the account."),
            (
                "account_alias",
                "str",
                "The alias of the account, if the caller may read it; empty if it has none.",
            ),
            ("arn", "str", "The ARN of the caller."),
            ("user_id", "str", "The ID of the caller."),
        ],
        examples: "\
- name: Who am I?
  aws_caller_info:
  register: caller

- name: The right account
  assert:
    that: caller.account == '123456789012'
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let caller = aws.sts().get_caller_identity().send().await.explain("sts:GetCallerIdentity")?;
        let mut outcome = Outcome::changed(false)
            .with("account", caller.account().unwrap_or_default())
            .with("arn", caller.arn().unwrap_or_default())
            .with("user_id", caller.user_id().unwrap_or_default());
        if let Some(alias) = alias(&aws).await {
            outcome = outcome.with("account_alias", alias);
        }
        Ok(aws.finish(outcome))
    }
}

/// Returns the alias of the account; `None` if the caller may not read it.
#[cfg(feature = "iam")]
async fn alias(aws: &Aws) -> Option<String> {
    let answer = aws.iam().list_account_aliases().send().await.ok()?;
    Some(answer.account_aliases.into_iter().next().unwrap_or_default())
}

#[cfg(not(feature = "iam"))]
async fn alias(_aws: &Aws) -> Option<String> {
    None
}
