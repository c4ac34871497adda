//! The connection arguments that every AWS module, lookup and probe shares.

use playbook_api::{Context, Error, Map, Spec, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json};

/// How to reach AWS. Whatever is left out comes from the standard chain: the environment, the profile, SSO, a
/// container's or an instance's role.
#[derive(Clone, Debug, Default, Deserialize, Serialize, schemars::JsonSchema)]
pub struct Connection {
    /// The AWS region to act in. Without it `AWS_REGION`, `AWS_DEFAULT_REGION` and the profile's region are asked.
    #[schemars(extend("aliases" = ["aws_region", "ec2_region"]))]
    pub region: Option<String>,
    /// A named profile of `~/.aws/config` and `~/.aws/credentials`, with its SSO session or assumed role.
    #[schemars(extend("aliases" = ["aws_profile", "boto_profile"]))]
    pub profile: Option<String>,
    /// Another endpoint than the region's own, for a VPC endpoint or an emulator.
    #[schemars(extend("aliases" = ["aws_endpoint_url", "ec2_url", "s3_url"]))]
    pub endpoint_url: Option<String>,
    /// An access key's id. It goes together with `secret_key`; a profile is the better place for both.
    #[schemars(extend("aliases" = ["aws_access_key_id", "aws_access_key", "ec2_access_key"]))]
    pub access_key: Option<String>,
    /// The access key's secret.
    #[schemars(extend("aliases" = ["aws_secret_access_key", "aws_secret_key", "ec2_secret_key"], "no_log" = true))]
    pub secret_key: Option<String>,
    /// The session token that belongs to a temporary access key.
    #[schemars(extend("aliases" = ["aws_session_token", "security_token", "aws_security_token", "access_token"], "no_log" = true))]
    pub session_token: Option<String>,
    /// Whether the endpoint's certificate is verified. It always is for https: name the authority in
    /// `aws_ca_bundle` instead of turning this off.
    pub validate_certs: Option<bool>,
    /// A file of certificates, in PEM, to trust instead of the system's.
    #[schemars(extend("format" = "path"))]
    pub aws_ca_bundle: Option<String>,
    /// Returns the list of API calls that the module made as `resource_actions`, as IAM names them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub debug_botocore_endpoint_logs: bool,
    /// Settings of the client in botocore's words: `retries` (`max_attempts`, `mode`), `connect_timeout` and
    /// `read_timeout` in seconds. Settings that mean something to Python only are accepted and do nothing.
    #[schemars(extend("type" = "object"))]
    pub aws_config: Option<JsonMap<String, Json>>,
}

impl Connection {
    /// The connection arguments among others, under any of their names: what lookups and sources are given.
    pub fn among(options: &Map, context: &Context) -> Result<Connection, Error> {
        let spec = Spec::of::<Connection>();
        let known = |key: &Value| key.as_str().is_some_and(|k| spec.find(k).is_some());
        let own: Map =
            options.iter().filter(|(k, _)| known(k)).map(|(k, v)| (k.clone(), v.clone())).collect();
        playbook_api::Arguments::from(own).parse("aws", &spec, &context.redactor)
    }

    /// What tells two connections apart; the key of the client cache, never shown.
    pub fn identity(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playbook_api::map;

    #[test]
    fn every_alias_is_known_and_other_options_are_left_alone() {
        let options = map! { "aws_region" => "eu-west-1", "aws_profile" => "ops", "nested" => true, "ec2_url" => "http://x" };
        let connection = Connection::among(&options, &Context::default()).unwrap();
        assert_eq!(connection.region.as_deref(), Some("eu-west-1"));
        assert_eq!(connection.profile.as_deref(), Some("ops"));
        assert_eq!(connection.endpoint_url.as_deref(), Some("http://x"));
    }

    #[test]
    fn flattening_keeps_documentation_types_and_secrecy() {
        #[derive(Deserialize, schemars::JsonSchema)]
        #[allow(dead_code, reason = "only its schema is read")]
        struct Sample {
            /// The name.
            name: String,
            #[serde(flatten)]
            connection: Connection,
        }
        let spec = Spec::of::<Sample>();
        assert!(spec.options["secret_key"].no_log);
        assert_eq!(spec.options["aws_config"].kind.name(), "dict");
        assert_eq!(spec.options["aws_ca_bundle"].kind.name(), "path");
        assert!(spec.options["region"].description.contains("AWS region"));
        assert_eq!(spec.find("aws_security_token").map(|(name, _)| name), Some("session_token"));
    }
}
