//! The connection arguments that every AWS module, lookup and probe shares.

use playbook_api::{Context, Error, Map, Spec, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json};

/// The connection to AWS. Arguments that are not given are taken from the standard chain: the environment, the profile,
/// SSO, or the role of the container or instance.
#[derive(Clone, Debug, Default, Deserialize, Serialize, schemars::JsonSchema)]
pub struct Connection {
    /// The AWS region. The default is AWS_REGION, AWS_DEFAULT_REGION or the region of the profile.
    #[schemars(extend("aliases" = ["aws_region", "ec2_region"]))]
    pub region: Option<String>,
    /// The name of a profile in `~/.aws/config` and `~/.aws/credentials`, with its SSO session or assumed role.
    #[schemars(extend("aliases" = ["aws_profile", "boto_profile"]))]
    pub profile: Option<String>,
    /// The URL of another endpoint than the region's own, for example of a VPC endpoint or an emulator.
    #[schemars(extend("aliases" = ["aws_endpoint_url", "ec2_url", "s3_url"]))]
    pub endpoint_url: Option<String>,
    /// The ID of an access key. It requires `secret_key`; a profile is a better place for both.
    #[schemars(extend("aliases" = ["aws_access_key_id", "aws_access_key", "ec2_access_key"]))]
    pub access_key: Option<String>,
    /// The secret of the access key.
    #[schemars(extend("aliases" = ["aws_secret_access_key", "aws_secret_key", "ec2_secret_key"], "no_log" = true))]
    pub secret_key: Option<String>,
    /// The session token of a temporary access key.
    #[schemars(extend("aliases" = ["aws_session_token", "security_token", "aws_security_token", "access_token"], "no_log" = true))]
    pub session_token: Option<String>,
    /// Whether to verify the certificate of the endpoint. Verification cannot be disabled for HTTPS; set `aws_ca_bundle`
    /// instead.
    pub validate_certs: Option<bool>,
    /// The path of a PEM file with the certificates to trust instead of the system's.
    #[schemars(extend("format" = "path"))]
    pub aws_ca_bundle: Option<String>,
    /// Whether to return the list of API calls in `resource_actions`, named as in IAM.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub debug_botocore_endpoint_logs: bool,
    /// The settings of the client, as in botocore: `retries` (`max_attempts`, `mode`), `connect_timeout` and `read_timeout`
    /// in seconds. Settings that only apply to Python are accepted without effect.
    #[schemars(extend("type" = "object"))]
    pub aws_config: Option<JsonMap<String, Json>>,
}

impl Connection {
    /// Returns the connection arguments among the options of a lookup or a source.
    pub fn among(options: &Map, context: &Context) -> Result<Connection, Error> {
        let spec = Spec::of::<Connection>();
        let known = |key: &Value| key.as_str().is_some_and(|k| spec.find(k).is_some());
        let own: Map =
            options.iter().filter(|(k, _)| known(k)).map(|(k, v)| (k.clone(), v.clone())).collect();
        playbook_api::Arguments::from(own).parse("aws", &spec, &context.redactor)
    }

    /// Returns the key of the cache of clients. It is never shown.
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
        #[expect(dead_code, reason = "only its schema is read")]
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
