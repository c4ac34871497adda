//! Check mode's promise, kept inside the client: only operations of a written table leave it.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use std::sync::{Arc, Mutex};

/// The operations that change nothing, by the service's name in the SDK: all that check mode lets through.
///
/// | service | operations |
/// |---|---|
/// | ECS | describe and list clusters, services, tasks, task definitions and tags |
/// | RDS | describe instances, snapshots and log files, list tags |
/// | Secrets Manager | describe, list and read secrets, their versions and resource policies |
/// | Elastic Load Balancing v2 | describe target groups and the health of their targets |
/// | CloudWatch Logs | describe log streams, read log events |
/// | S3 | read, list and ask about objects |
/// | SSO, STS | obtain credentials, ask who the caller is |
///
/// A module never gets this far in check mode with anything else: it computes what it would do and reports
/// that. The table is the second lock, for the module that forgets.
pub const READ_ONLY: &[(&str, &[&str])] = &[
    (
        "ECS",
        &[
            "DescribeCapacityProviders",
            "DescribeClusters",
            "DescribeContainerInstances",
            "DescribeServiceDeployments",
            "DescribeServices",
            "DescribeTaskDefinition",
            "DescribeTasks",
            "ListClusters",
            "ListServices",
            "ListTagsForResource",
            "ListTaskDefinitionFamilies",
            "ListTaskDefinitions",
            "ListTasks",
        ],
    ),
    ("RDS", &["DescribeDBInstances", "DescribeDBSnapshots", "ListTagsForResource"]),
    (
        "Secrets Manager",
        &["DescribeSecret", "GetResourcePolicy", "GetSecretValue", "ListSecretVersionIds", "ListSecrets"],
    ),
    ("Elastic Load Balancing v2", &["DescribeTargetGroups", "DescribeTargetHealth"]),
    ("CloudWatch Logs", &["DescribeLogStreams", "FilterLogEvents", "GetLogEvents"]),
    ("S3", &["GetObject", "HeadObject", "ListObjectsV2"]),
    ("SSO", &["GetRoleCredentials"]),
    ("SSO OIDC", &["CreateToken"]),
    ("STS", &["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetCallerIdentity"]),
];

/// Whether an operation is in the table.
pub fn is_read_only(service: &str, operation: &str) -> bool {
    READ_ONLY.iter().any(|(name, operations)| *name == service && operations.contains(&operation))
}

/// Sits in every client: notes each call and, in check mode, stops what is not in [`READ_ONLY`].
#[derive(Clone, Debug)]
pub struct Guard {
    pub check: bool,
    pub calls: Calls,
}

/// The calls a client made, as `service:Operation`.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn note(&self, service: &str, operation: &str) {
        let call = format!("{}:{operation}", prefix(service));
        let mut calls = self.0.lock().unwrap_or_else(|e| e.into_inner());
        if !calls.contains(&call) {
            calls.push(call);
        }
    }

    pub fn list(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }
}

/// The service's prefix in IAM policies.
fn prefix(service: &str) -> String {
    match service {
        "Elastic Load Balancing v2" => "elasticloadbalancing".into(),
        "CloudWatch Logs" => "logs".into(),
        other => other.to_lowercase().replace(' ', ""),
    }
}

/// A call that check mode stopped.
#[derive(Debug)]
pub struct Stopped {
    pub operation: String,
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "check mode does not allow {}", self.operation)
    }
}

impl std::error::Error for Stopped {}

impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "ReadOnlyInCheckMode"
    }

    // The first hook at which a client's interceptor sees the operation's own configuration.
    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) =
            config.load::<Metadata>().map_or(("unknown", "unknown"), |m| (m.service(), m.name()));
        if self.check && !is_read_only(service, operation) {
            return Err(Box::new(Stopped { operation: format!("{}:{operation}", prefix(service)) }));
        }
        self.calls.note(service, operation);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_no_operation_that_changes_anything() {
        for (service, operations) in READ_ONLY {
            for operation in *operations {
                let reads =
                    ["Describe", "List", "Get", "Head", "Filter"].iter().any(|p| operation.starts_with(p));
                assert!(reads || ["SSO OIDC", "STS"].contains(service), "{service}: {operation}");
            }
        }
        assert!(!is_read_only("ECS", "UpdateService"));
        assert!(!is_read_only("RDS", "DescribeServices"));
    }
}
