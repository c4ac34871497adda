//! The clients of AWS services, one set for each connection and mode, which is kept for the whole process.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ecs::config::Credentials;
use aws_smithy_http_client::{Builder as HttpBuilder, tls};
use aws_types::os_shim_internal::Env;
use playbook_api::{Context, Error, Outcome, Value};
use serde_json::Value as Json;
use tokio::sync::Mutex;

use crate::connection::Connection;
use crate::profile;
use crate::read_only::{Calls, Guard};

/// The clients of one connection. They share their configuration and their `Guard`.
pub struct Aws {
    config: SdkConfig,
    guard: Guard,
    report_calls: bool,
    /// Whether the bucket is part of the path, since emulators have no DNS names for buckets.
    path_style: bool,
    clients: Clients,
}

/// Defines the clients: a cell for each, and a method that builds it at first use from the shared configuration.
macro_rules! clients {
    ($($(#[$attribute:meta])* $name:ident: $sdk:ident $(, $option:ident = $value:ident)?;)*) => {
        #[derive(Default)]
        struct Clients {
            $($(#[$attribute])* $name: OnceLock<$sdk::Client>,)*
        }

        impl Aws {
            $($(#[$attribute])*
            pub fn $name(&self) -> &$sdk::Client {
                self.clients.$name.get_or_init(|| {
                    let config = $sdk::config::Builder::from(&self.config).interceptor(self.guard.clone());
                    $(let config = config.$option(self.$value);)?
                    $sdk::Client::from_conf(config.build())
                })
            })*
        }
    };
}

clients! {
    /// Returns the client of Amazon ECS.
    ecs: aws_sdk_ecs;
    /// Returns the client of Amazon RDS.
    rds: aws_sdk_rds;
    /// Returns the client of AWS Secrets Manager.
    secrets: aws_sdk_secretsmanager;
    /// Returns the client of Elastic Load Balancing.
    elb: aws_sdk_elasticloadbalancingv2;
    /// Returns the client of CloudWatch Logs.
    logs: aws_sdk_cloudwatchlogs;
    /// Returns the client of Amazon S3, which puts the bucket into the path if the endpoint is not Amazon's.
    s3: aws_sdk_s3, force_path_style = path_style;
    /// Returns the client of AWS Security Token Service.
    sts: aws_sdk_sts;
    /// Returns the client of Amazon EC2.
    #[cfg(feature = "ec2")]
    ec2: aws_sdk_ec2;
    /// Returns the client of Amazon ECR.
    #[cfg(feature = "ecr")]
    ecr: aws_sdk_ecr;
    /// Returns the client of AWS Identity and Access Management.
    #[cfg(feature = "iam")]
    iam: aws_sdk_iam;
    /// Returns the client of Amazon CloudWatch.
    #[cfg(feature = "monitoring")]
    cloudwatch: aws_sdk_cloudwatch;
    /// Returns the client of Amazon SNS.
    #[cfg(feature = "monitoring")]
    sns: aws_sdk_sns;
    /// Returns the client of Amazon Route 53.
    #[cfg(feature = "names")]
    route53: aws_sdk_route53;
    /// Returns the client of AWS Certificate Manager.
    #[cfg(feature = "names")]
    acm: aws_sdk_acm;
    /// Returns the client of AWS Systems Manager.
    #[cfg(feature = "parameters")]
    ssm: aws_sdk_ssm;
    /// Returns the client of Amazon EC2 Auto Scaling.
    #[cfg(feature = "scaling")]
    autoscaling: aws_sdk_autoscaling;
    /// Returns the client of Application Auto Scaling.
    #[cfg(feature = "scaling")]
    scaling: aws_sdk_applicationautoscaling;
}

type Cache = Mutex<HashMap<String, Arc<Aws>>>;

impl Aws {
    /// Returns the clients for connection arguments, and keeps them for later tasks.
    pub async fn connect(connection: &Connection, context: &Context) -> Result<Arc<Aws>, Error> {
        static CACHE: OnceLock<Cache> = OnceLock::new();
        let own: Vec<&(String, String)> =
            context.environment.iter().filter(|(name, _)| name.starts_with("AWS_")).collect();
        let key = format!("{} {own:?} {}", connection.identity(), context.check);
        let mut cache = CACHE.get_or_init(Cache::default).lock().await;
        if let Some(aws) = cache.get(&key) {
            return Ok(aws.clone());
        }
        let aws = Arc::new(Aws::new(connection, context).await?);
        // The list of calls is that of one task.
        if !connection.debug_botocore_endpoint_logs {
            cache.insert(key, aws.clone());
        }
        Ok(aws)
    }

    async fn new(connection: &Connection, context: &Context) -> Result<Aws, Error> {
        let env = environment(context);
        let settings = Settings::of(connection.aws_config.as_ref())?;
        let profile_retries = profile::check(connection, &env).await?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).env(env.clone());
        if let Some(region) = &connection.region {
            loader = loader.region(Region::new(region.clone()));
        } else if let (Err(_), Ok(region)) = (env.get("AWS_REGION"), env.get("AWS_DEFAULT_REGION")) {
            loader = loader.region(Region::new(region));
        }
        if let Some(profile) = &connection.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &connection.endpoint_url {
            loader = loader.endpoint_url(check_url(url)?);
        }
        if let Some(credentials) = credentials(connection)? {
            loader = loader.credentials_provider(credentials);
        }
        if let Some(client) = http_client(connection, &env)? {
            loader = loader.http_client(client);
        }
        if let Some(retry) = settings.retry(&env, profile_retries) {
            loader = loader.retry_config(retry);
        }
        let config = loader.timeout_config(settings.timeouts()).load().await;
        if config.region().is_none() {
            return Err(Error::new("no AWS region is known").with_help(
                "Give `region`, set AWS_REGION, or add a region to the profile with `aws configure set region`.",
            ));
        }
        Ok(Aws {
            path_style: config.endpoint_url().is_some() || env.get("AWS_ENDPOINT_URL_S3").is_ok(),
            config,
            guard: Guard { check: context.check, calls: Calls::default() },
            report_calls: connection.debug_botocore_endpoint_logs,
            clients: Clients::default(),
        })
    }

    /// Returns the region; empty if none is configured.
    pub fn region(&self) -> &str {
        self.config.region().map_or("", Region::as_ref)
    }

    /// Adds the list of calls to an outcome if `debug_botocore_endpoint_logs` is set.
    pub fn finish(&self, outcome: Outcome) -> Outcome {
        if !self.report_calls {
            return outcome;
        }
        let calls: Vec<Value> = self.guard.calls.list().into_iter().map(Value::from).collect();
        outcome.with("resource_actions", calls)
    }
}

/// Returns the environment of the process, overridden by the task's.
fn environment(context: &Context) -> Env {
    let mut all: HashMap<String, String> = std::env::vars().collect();
    all.extend(context.environment.iter().cloned());
    Env::from(all)
}

fn credentials(connection: &Connection) -> Result<Option<Credentials>, Error> {
    let token = connection.session_token.clone().filter(|t| !t.is_empty());
    match (&connection.access_key, &connection.secret_key) {
        (Some(id), Some(secret)) => {
            Ok(Some(Credentials::new(id, secret, token, None, "arguments of the task")))
        }
        (None, None) => Ok(None),
        _ => Err(Error::new("`access_key` and `secret_key` must be given together")
            .with_help("Give both, or use `profile`.")),
    }
}

fn check_url(url: &str) -> Result<&str, Error> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(url);
    }
    Err(Error::new(format!("endpoint_url '{url}' is not an http:// or https:// URL")))
}

/// Returns an HTTP client that trusts only the given authorities, or `None` if the SDK's own is sufficient.
fn http_client(
    connection: &Connection,
    env: &Env,
) -> Result<Option<aws_smithy_runtime_api::client::http::SharedHttpClient>, Error> {
    let plain = connection.endpoint_url.as_deref().is_some_and(|url| url.starts_with("http://"));
    if connection.validate_certs == Some(false) && !plain {
        return Err(Error::new(
            "`validate_certs: false` is not supported: certificates of AWS endpoints are always verified",
        )
        .with_help("Set `aws_ca_bundle` to the file of the authority's certificates."));
    }
    let Some(path) = connection.aws_ca_bundle.clone().or_else(|| env.get("AWS_CA_BUNDLE").ok()) else {
        return Ok(None);
    };
    let pem = std::fs::read(&path).map_err(|e| {
        Error::new(format!("cannot read aws_ca_bundle {path}: {e}"))
            .with_help("give a file of PEM certificates, or unset AWS_CA_BUNDLE")
    })?;
    let store = tls::TrustStore::empty().with_pem_certificate(pem);
    let tls_context = tls::TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|e| Error::new(format!("aws_ca_bundle {path}: {e}")))?;
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    Ok(Some(HttpBuilder::new().tls_provider(provider).tls_context(tls_context).build_https()))
}

/// The settings of botocore that have an effect.
#[derive(Debug, Default, PartialEq)]
struct Settings {
    max_attempts: Option<u32>,
    adaptive: bool,
    connect_timeout: Option<f64>,
    read_timeout: Option<f64>,
}

/// The settings of botocore that are accepted without effect.
const IDLE_SETTINGS: &[&str] = &[
    "user_agent",
    "user_agent_extra",
    "user_agent_appid",
    "parameter_validation",
    "max_pool_connections",
    "tcp_keepalive",
    "signature_version",
    "s3",
    "inject_host_prefix",
];

impl Settings {
    fn of(config: Option<&serde_json::Map<String, Json>>) -> Result<Settings, Error> {
        let mut settings = Settings::default();
        for (name, value) in config.into_iter().flatten() {
            match name.as_str() {
                "retries" => {
                    settings.max_attempts = number(&value["total_max_attempts"])
                        .or_else(|| number(&value["max_attempts"]).map(|retries| retries + 1.0))
                        .map(|n| n.clamp(1.0, 100.0) as u32);
                    settings.adaptive = value["mode"] == "adaptive";
                }
                "connect_timeout" => settings.connect_timeout = number(value),
                "read_timeout" => settings.read_timeout = number(value),
                idle if IDLE_SETTINGS.contains(&idle) => {}
                other => {
                    return Err(Error::new(format!("aws_config has no setting '{other}' here"))
                        .with_help("retries, connect_timeout and read_timeout are the ones that count"));
                }
            }
        }
        Ok(settings)
    }

    /// Returns the retry settings. The default is five attempts, which survives short throttling and still reports a missing
    /// endpoint within seconds.
    fn retry(&self, env: &Env, in_profile: bool) -> Option<RetryConfig> {
        let adaptive = self.adaptive || env.get("AWS_RETRY_MODE").is_ok_and(|mode| mode == "adaptive");
        let base = if adaptive { RetryConfig::adaptive() } else { RetryConfig::standard() };
        match self.max_attempts {
            Some(attempts) => Some(base.with_max_attempts(attempts)),
            None if in_profile || env.get("AWS_MAX_ATTEMPTS").is_ok() => None,
            None => Some(base.with_max_attempts(5)),
        }
    }

    fn timeouts(&self) -> TimeoutConfig {
        let seconds = |given: Option<f64>, default: f64| {
            Duration::try_from_secs_f64(given.unwrap_or(default)).unwrap_or(Duration::from_secs(60))
        };
        TimeoutConfig::builder()
            .connect_timeout(seconds(self.connect_timeout, 5.0))
            .read_timeout(seconds(self.read_timeout, 60.0))
            .build()
    }
}

fn number(json: &Json) -> Option<f64> {
    json.as_f64().or_else(|| json.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings(json: Json) -> Result<Settings, Error> {
        Settings::of(json.as_object())
    }

    #[test]
    fn retries_count_as_botocore_counts_them() {
        assert_eq!(settings(json!({"retries": {"max_attempts": 9}})).unwrap().max_attempts, Some(10));
        assert_eq!(settings(json!({"retries": {"total_max_attempts": "4"}})).unwrap().max_attempts, Some(4));
        assert_eq!(settings(json!({"user_agent": "x"})).unwrap(), Settings::default());
        assert!(settings(json!({"retires": {}})).unwrap_err().message().contains("'retires'"));
    }

    #[test]
    fn half_a_key_pair_is_an_error() {
        let half = Connection { access_key: Some("AKIA".into()), ..Connection::default() };
        assert!(credentials(&half).unwrap_err().message().contains("must be given together"));
    }
}
