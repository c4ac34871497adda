//! Secrets for modules of other crates: `db_migrate: secret=prod/db`.

use playbook_api::extension::BoxFuture;
use playbook_api::{Context, Error, Map, SecretSource, Value};

use crate::client::Aws;
use crate::connection::Connection;
use crate::secrets::value::{self, Absent, Version};

/// Secrets Manager as a source of secrets.
pub(crate) struct Source;

impl SecretSource for Source {
    /// Returns a dictionary if the secret is JSON, and its text otherwise. Both are marked as secrets.
    fn read<'a>(
        &'a self,
        id: &'a str,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, Error>> {
        Box::pin(async move {
            let connection = Connection::among(options, context)?;
            let aws = Aws::connect(&connection, context).await?;
            let text = match value::read(&aws, id, &Version::default()).await? {
                Ok(output) => value::text(&output),
                Err(absent) => return Err(absent_error(id, absent, aws.region())),
            };
            value::register(&context.redactor, &text);
            Ok(text.as_str().and_then(value::parsed).unwrap_or(text))
        })
    }
}

/// Returns the error of a secret that cannot be read.
pub(crate) fn absent_error(id: &str, absent: Absent, region: &str) -> Error {
    match absent {
        Absent::Missing => Error::new(format!("Failed to find secret {id} (ResourceNotFound)"))
            .with_help(format!("there is none of that name or version in {region}: check the name, the region and the account")),
        Absent::Deleted => Error::new(format!("Failed to find secret {id} (marked for deletion)"))
            .with_help("`aws secretsmanager restore-secret` brings it back while its recovery window lasts"),
        Absent::Denied => Error::new(format!("Failed to access secret {id} (AccessDenied)")).with_help(
            "allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its key, or use another profile",
        ),
    }
}
