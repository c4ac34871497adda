//! The arguments of `elb_target_group`.

use playbook_api::Failure;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Current;
use super::targets::{Plan, TargetOption};
use crate::connection::Connection;
use crate::elb::{Attributes, text, wanted};
use crate::resource::Existence;
use crate::tags::Tags;

/// Creates, changes or deletes a target group of load balancers.
///
/// Arguments that are not given stay as they are; for a new group they are what AWS chooses.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "required_by" = [["health_check_path", ["health_check_protocol"]], ["successful_response_codes", ["health_check_protocol"]]],
    "required_if" = [
        ["target_type", "instance", ["protocol", "port", "vpc_id"]],
        ["target_type", "ip", ["protocol", "port", "vpc_id"]],
        ["target_type", "alb", ["protocol", "port", "vpc_id"]],
    ]
))]
pub(crate) struct ElbTargetGroup {
    /// The name, which is unique in the region.
    pub name: String,
    /// The protocol of requests to targets. It cannot be changed.
    #[schemars(extend("enum" = ["http", "https", "tcp", "tls", "udp", "tcp_udp", "HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"]))]
    pub protocol: Option<String>,
    /// The port of targets that name no port of their own. It cannot be changed.
    pub port: Option<i32>,
    /// The version of HTTP. It cannot be changed.
    #[schemars(extend("enum" = ["GRPC", "HTTP1", "HTTP2"]))]
    pub protocol_version: Option<String>,
    /// The ID of the VPC of the targets. It cannot be changed.
    pub vpc_id: Option<String>,
    /// What targets are: instances by their ID, addresses, one function or one load balancer by its ARN. It cannot be
    /// changed; the default is `instance`.
    #[schemars(extend("enum" = ["instance", "ip", "lambda", "alb"]))]
    pub target_type: Option<String>,
    /// The protocol of health checks.
    #[schemars(extend("enum" = ["http", "https", "tcp", "tls", "udp", "tcp_udp", "HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"]))]
    pub health_check_protocol: Option<String>,
    /// The port of health checks, or `traffic-port` for the port that the target receives requests on.
    pub health_check_port: Option<String>,
    /// The path of health checks. It requires `health_check_protocol`.
    pub health_check_path: Option<String>,
    /// The number of seconds between two health checks of a target.
    pub health_check_interval: Option<i32>,
    /// The number of seconds after which a health check without a response has failed.
    pub health_check_timeout: Option<i32>,
    /// The number of successful health checks in a row after which a target is healthy.
    pub healthy_threshold_count: Option<i32>,
    /// The number of failed health checks in a row after which a target is unhealthy.
    pub unhealthy_threshold_count: Option<i32>,
    /// The status codes of a healthy target: `200,250-260`. It requires `health_check_protocol`.
    pub successful_response_codes: Option<String>,
    /// The number of seconds for which a target that is deregistered still finishes its requests, 0 to 3600.
    pub deregistration_delay_timeout: Option<i32>,
    /// Whether connections are closed at the end of that time. It applies to network load balancers.
    pub deregistration_connection_termination: Option<bool>,
    /// Whether the requests of a client go to the same target.
    pub stickiness_enabled: Option<bool>,
    /// What recognizes a client: `lb_cookie`, `app_cookie` or `source_ip`.
    pub stickiness_type: Option<String>,
    /// The number of seconds for which the load balancer's cookie is valid, 1 to 604800.
    pub stickiness_lb_cookie_duration: Option<i32>,
    /// The number of seconds for which the application's cookie is valid, 1 to 604800.
    pub stickiness_app_cookie_duration: Option<i32>,
    /// The name of the application's cookie. `stickiness_type: app_cookie` requires it.
    pub stickiness_app_cookie_name: Option<String>,
    /// How requests are distributed. It applies to application load balancers.
    #[schemars(extend("enum" = ["round_robin", "least_outstanding_requests"]))]
    pub load_balancing_algorithm_type: Option<String>,
    /// Whether targets see the address of the client. It applies to network load balancers.
    pub preserve_client_ip_enabled: Option<bool>,
    /// Whether targets receive the header of the proxy protocol, version 2. It applies to network load balancers.
    pub proxy_protocol_v2_enabled: Option<bool>,
    /// The targets. Without it, all targets are removed, unless `modify_targets` is false.
    pub targets: Option<Vec<TargetOption>>,
    /// Whether to change the targets of an existing group. Set it to false if something else registers them, such as ECS
    /// or an Auto Scaling group.
    #[serde(default = "playbook_api::defaults::yes")]
    pub modify_targets: bool,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the target group is to exist.
    pub state: Existence,
    /// Whether to wait until no target is in its initial checks or being deregistered.
    #[serde(default)]
    pub wait: bool,
    /// The maximum number of seconds to wait.
    #[serde(default = "two_hundred")]
    pub wait_timeout: i64,
    #[serde(flatten)]
    pub connection: Connection,
}

fn two_hundred() -> i64 {
    200
}

impl ElbTargetGroup {
    /// Rejects arguments that AWS rejects.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if let Some(kind) = &self.stickiness_type {
            if !["lb_cookie", "app_cookie", "source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"]
                .contains(&kind.as_str())
            {
                return Err(Failure::new(format!("stickiness_type '{kind}' does not exist"))
                    .with_help("Use lb_cookie, app_cookie or source_ip."));
            }
            if kind == "app_cookie" && self.stickiness_app_cookie_name.is_none() {
                return Err(Failure::new(
                    "stickiness_type is app_cookie, which requires stickiness_app_cookie_name",
                ));
            }
        }
        for (name, value, least, most) in [
            ("port", self.port, 1, 65535),
            ("deregistration_delay_timeout", self.deregistration_delay_timeout, 0, 3600),
            ("stickiness_lb_cookie_duration", self.stickiness_lb_cookie_duration, 1, 604_800),
            ("stickiness_app_cookie_duration", self.stickiness_app_cookie_duration, 1, 604_800),
        ] {
            if value.is_some_and(|value| !(least..=most).contains(&value)) {
                return Err(Failure::new(format!("{name} must be between {least} and {most}")));
            }
        }
        Ok(())
    }

    /// Returns the protocol as the API writes it.
    pub(super) fn protocol(&self) -> Option<String> {
        self.protocol.as_ref().map(|protocol| protocol.to_uppercase())
    }

    /// Returns the protocol of health checks as the API writes it.
    pub(super) fn health_check_protocol(&self) -> Option<String> {
        self.health_check_protocol.as_ref().map(|protocol| protocol.to_uppercase())
    }

    /// Returns the members of the health check by their names in results; null if not given.
    pub(super) fn health_check(&self) -> [(&'static str, Json); 8] {
        let code = match self.protocol_version.as_deref() {
            Some("GRPC") => "grpc_code",
            _ => "http_code",
        };
        [
            ("health_check_protocol", json!(self.health_check_protocol())),
            ("health_check_port", json!(self.health_check_port)),
            ("health_check_path", json!(self.health_check_path)),
            ("health_check_interval_seconds", json!(self.health_check_interval)),
            ("health_check_timeout_seconds", json!(self.health_check_timeout)),
            ("healthy_threshold_count", json!(self.healthy_threshold_count)),
            ("unhealthy_threshold_count", json!(self.unhealthy_threshold_count)),
            (
                "matcher",
                self.successful_response_codes.as_ref().map_or(Json::Null, |codes| json!({code: codes})),
            ),
        ]
    }

    /// Returns the desired attributes.
    pub(super) fn attributes(&self) -> Attributes {
        wanted([
            ("deregistration_delay.timeout_seconds", text(self.deregistration_delay_timeout)),
            (
                "deregistration_delay.connection_termination.enabled",
                text(self.deregistration_connection_termination),
            ),
            ("stickiness.enabled", text(self.stickiness_enabled)),
            ("stickiness.type", self.stickiness_type.clone()),
            ("stickiness.lb_cookie.duration_seconds", text(self.stickiness_lb_cookie_duration)),
            ("stickiness.app_cookie.duration_seconds", text(self.stickiness_app_cookie_duration)),
            ("stickiness.app_cookie.cookie_name", self.stickiness_app_cookie_name.clone()),
            ("load_balancing.algorithm.type", self.load_balancing_algorithm_type.clone()),
            ("preserve_client_ip.enabled", text(self.preserve_client_ip_enabled)),
            ("proxy_protocol_v2.enabled", text(self.proxy_protocol_v2_enabled)),
        ])
    }

    /// Returns the targets to register and to deregister.
    pub(super) fn target_plan(&self, current: &Current) -> Plan {
        let asked = self.targets.as_deref().unwrap_or_default();
        Plan::between(&current.targets, asked, current.group.port().or(self.port))
    }
}
