//! The inventory source `s3`: a Terraform state in a bucket.

use playbook_api::extension::BoxFuture;
use playbook_api::{Context, Error, InventorySource, Map};

use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;

/// Fetches `s3://bucket/key`.
pub(crate) struct Bucket;

impl InventorySource for Bucket {
    fn scheme(&self) -> &'static str {
        "s3"
    }

    fn workspace(&self, location: &str, workspace: &str, prefix: Option<&str>) -> Option<String> {
        let (bucket, key) = parse(location).ok()?;
        let inside = format!("{}/{workspace}/", prefix.unwrap_or("env:").trim_matches('/'));
        let key = if key.starts_with(&inside) { key.to_owned() } else { format!("{inside}{key}") };
        Some(format!("s3://{bucket}/{key}"))
    }

    fn fetch<'a>(
        &'a self,
        location: &'a str,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            let (bucket, key) = parse(location)?;
            let connection = Connection::among(options, context)?;
            let aws = Aws::connect(&connection, context).await?;
            let object = aws.s3().get_object().bucket(bucket).key(key).send().await;
            let Some(object) = object.missing("s3:GetObject", &["NoSuchKey", "NoSuchBucket", "NotFound"])?
            else {
                return Err(Error::new(format!("there is no s3://{bucket}/{key}"))
                    .with_kind(playbook_api::ErrorKind::NotFound)
                    .with_help(
                        "check the bucket, the key and the account; a workspace's state is below env:/NAME/",
                    ));
            };
            let body = object.body.collect().await.map_err(|e| {
                Error::new(format!(
                    "s3://{bucket}/{key} broke off while it was read: {}",
                    crate::error::chain(&e)
                ))
                .with_help("try again")
            })?;
            String::from_utf8(body.to_vec())
                .map_err(|_| Error::new(format!("s3://{bucket}/{key} is not text in UTF-8")))
        })
    }
}

/// Splits `s3://bucket/key` or `bucket/key`.
fn parse(location: &str) -> Result<(&str, &str), Error> {
    let path = location.strip_prefix("s3://").unwrap_or(location).trim_start_matches('/');
    match path.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok((bucket, key)),
        _ => Err(Error::new(format!("'{location}' names no object in S3"))
            .with_help("write s3://bucket/path/terraform.tfstate")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_bucket_and_a_key() {
        assert_eq!(
            parse("s3://states/prod/terraform.tfstate").unwrap(),
            ("states", "prod/terraform.tfstate")
        );
        assert_eq!(parse("//states/x").unwrap(), ("states", "x"));
        assert!(parse("s3://states/").is_err());
        assert!(parse("states").is_err());
    }

    #[test]
    fn a_workspace_has_its_own_key() {
        let at = |location, prefix| Bucket.workspace(location, "staging", prefix);
        let key = Some("s3://states/env:/staging/app/prod.tfstate".to_owned());
        assert_eq!(at("s3://states/app/prod.tfstate", None), key);
        assert_eq!(at("s3://states/env:/staging/app/prod.tfstate", None), key);
        assert_eq!(at("s3://states/x", Some("spaces/")).as_deref(), Some("s3://states/spaces/staging/x"));
    }
}
