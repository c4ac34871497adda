//! Enforcement of check mode inside the clients: only operations on an allow-list are sent.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use playbook_api::sync::lock;
use std::sync::{Arc, Mutex};

use crate::operations::{SERVICES, Service};

/// Returns the service with this name in the SDK.
fn service(sdk: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.sdk == sdk)
}

/// Returns whether an operation is known to change nothing.
fn is_read_only(sdk: &str, operation: &str) -> bool {
    service(sdk).is_some_and(|service| service.read_only.contains(&operation))
}

/// The interceptor of every client. It records each call and, in check mode, rejects operations that are not listed in
/// [`SERVICES`] as read-only.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// Whether the run is a dry run.
    pub check: bool,
    /// The calls so far.
    pub calls: Calls,
}

/// The calls that a client made, as `service:Operation`, each listed once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn note(&self, service: &str, operation: &str) {
        let call = format!("{}:{operation}", prefix(service));
        let mut calls = lock(&self.0);
        if !calls.contains(&call) {
            calls.push(call);
        }
    }

    /// Returns the calls in the order of their first use.
    pub(crate) fn list(&self) -> Vec<String> {
        lock(&self.0).clone()
    }
}

/// Returns the service's prefix in IAM policies.
fn prefix(sdk: &str) -> String {
    service(sdk).map_or_else(|| sdk.to_lowercase().replace(' ', ""), |service| service.prefix.to_owned())
}

/// The error of a call that check mode rejected.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// The operation, such as `ecs:UpdateService`.
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
        for service in SERVICES {
            for operation in service.read_only {
                let reads =
                    ["Describe", "List", "Get", "Head", "Filter"].iter().any(|p| operation.starts_with(p));
                let obtains_credentials = ["SSO OIDC", "STS"].contains(&service.sdk);
                assert!(reads || obtains_credentials, "{}: {operation}", service.sdk);
            }
        }
        assert!(!is_read_only("ECS", "UpdateService"));
        assert!(!is_read_only("RDS", "DescribeServices"));
    }
}
