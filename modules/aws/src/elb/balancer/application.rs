//! `elb_application_lb`: creates, changes and deletes application load balancers.

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerTypeEnum, SubnetMapping};
use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome};
use serde::Deserialize;

use super::action::ActionOption;
use super::listener::Wanted;
use super::rules::RuleOption;
use super::{Addresses, Asked, Scheme};
use crate::connection::Connection;
use crate::elb::{text, wanted};
use crate::resource::{self, Existence};
use crate::tags::Tags;
use crate::wait;

/// Creates, changes or deletes an application load balancer.
///
/// Arguments that are not given stay as they are; for a new load balancer they are what AWS chooses.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "required_if" = [["state", "present", ["subnets", "security_groups"]]],
    "required_together" = [["access_logs_enabled", "access_logs_s3_bucket"]]
))]
pub(crate) struct ElbApplicationLb {
    /// The name, which is unique in the region.
    pub name: String,
    /// The IDs of the subnets, in at least two availability zones.
    pub subnets: Option<Vec<String>>,
    /// The names or IDs of the security groups; an empty list is the default one of the VPC.
    pub security_groups: Option<Vec<String>>,
    /// From where it is reached. It cannot be changed.
    #[serde(default)]
    pub scheme: Scheme,
    /// The addresses that it has. The default is the current ones; `ipv4` for a new load balancer.
    pub ip_address_type: Option<Addresses>,
    /// The listeners. Without them, listeners stay as they are.
    pub listeners: Option<Vec<Listener>>,
    /// Whether to remove listeners that are not listed in `listeners`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_listeners: bool,
    /// Whether to remove rules that are not listed in the `Rules` of a listener.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_rules: bool,
    /// Whether requests are logged. It requires `access_logs_s3_bucket`.
    pub access_logs_enabled: Option<bool>,
    /// The bucket of the logs. It requires `access_logs_enabled`.
    pub access_logs_s3_bucket: Option<String>,
    /// The prefix of the logs in the bucket, without a slash at its ends.
    pub access_logs_s3_prefix: Option<String>,
    /// Whether deletion is refused.
    pub deletion_protection: Option<bool>,
    /// Whether clients may use HTTP/2.
    pub http2: Option<bool>,
    /// How requests are treated that may be an attack on the application.
    pub http_desync_mitigation_mode: Option<Desync>,
    /// Whether headers with invalid names are removed.
    pub http_drop_invalid_header_fields: Option<bool>,
    /// Whether targets receive headers with the TLS version and cipher suite.
    pub http_x_amzn_tls_version_and_cipher_suite: Option<bool>,
    /// Whether `X-Forwarded-For` has the port of the client.
    pub http_xff_client_port: Option<bool>,
    /// The number of seconds after which an idle connection is closed, 1 to 4000.
    pub idle_timeout: Option<i32>,
    /// Whether requests pass if AWS WAF does not respond.
    pub waf_fail_open: Option<bool>,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the load balancer is to exist.
    #[serde(default)]
    pub state: Existence,
    /// Whether to wait until the load balancer is active, or gone.
    #[serde(default)]
    pub wait: bool,
    /// The maximum number of seconds to wait, 600 by default.
    pub wait_timeout: Option<i64>,
    #[serde(flatten)]
    pub connection: Connection,
}

/// How requests are treated that may be an attack on the application.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Desync {
    /// They pass.
    Monitor,
    /// Those that are dangerous to most applications are refused.
    Defensive,
    /// Those that violate the protocol are refused.
    Strictest,
}

/// A listener of an application load balancer.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listener {
    /// The port, which identifies the listener.
    pub port: i32,
    /// The protocol: `HTTP` or `HTTPS`.
    pub protocol: String,
    /// What to do with requests that no rule applies to.
    pub default_actions: Vec<ActionOption>,
    /// The certificates of HTTPS; the first is the default one.
    pub certificates: Option<Vec<Certificate>>,
    /// The security policy of HTTPS, which names its protocols and ciphers.
    pub ssl_policy: Option<String>,
    /// The rules. Without them, rules stay as they are.
    pub rules: Option<Vec<RuleOption>>,
}

/// A certificate.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Certificate {
    /// The ARN of the certificate.
    pub certificate_arn: String,
}

/// Returns the ARNs of certificates.
pub(super) fn arns(certificates: Option<Vec<Certificate>>) -> Option<Vec<String>> {
    Some(certificates?.into_iter().map(|certificate| certificate.certificate_arn).collect())
}

/// Returns subnets as the API takes them.
pub(super) fn mappings(subnets: Vec<String>) -> Vec<SubnetMapping> {
    subnets.into_iter().map(|id| SubnetMapping::builder().subnet_id(id).build()).collect()
}

impl Listener {
    fn wanted(self) -> Wanted {
        Wanted {
            port: self.port,
            protocol: self.protocol.to_uppercase(),
            ssl_policy: self.ssl_policy,
            certificates: arns(self.certificates),
            alpn_policy: None,
            default_actions: self.default_actions,
            rules: self.rules,
        }
    }
}

impl ControllerModule for ElbApplicationLb {
    const DOC: Doc = Doc {
        name: "elb_application_lb",
        collection: "amazon.aws",
        aliases: &["community.aws.elb_application_lb"],
        short: "Create, change or delete an application load balancer",
        returns: &[
            ("load_balancer_arn", "str", "The ARN of the load balancer."),
            ("dns_name", "str", "Its DNS name."),
            (
                "load_balancer_name, vpc_id, state, availability_zones, …",
                "any",
                "The load balancer as DescribeLoadBalancers tells it, members in snake_case.",
            ),
            (
                "idle_timeout_timeout_seconds, …",
                "str",
                "The attributes, with `_` instead of `.` in their names.",
            ),
            ("listeners", "list", "The listeners with their `rules`."),
            ("tags", "dict", "The tags."),
        ],
        examples: "\
- name: The load balancer of the web service
  elb_application_lb:
    name: web
    subnets: \"{{ subnets.results | map(attribute='subnet.id') }}\"
    security_groups: [\"{{ web_group.group_id }}\"]
    listeners:
      - Protocol: HTTP
        Port: 80
        DefaultActions:
          - Type: redirect
            RedirectConfig: {Protocol: HTTPS, Port: \"443\", StatusCode: HTTP_301}
      - Protocol: HTTPS
        Port: 443
        SslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06
        Certificates: [{CertificateArn: \"{{ certificate.arn }}\"}]
        DefaultActions: [{Type: forward, TargetGroupName: web}]
        Rules:
          - Priority: 1
            Conditions: [{Field: path-pattern, Values: [\"/api/*\"]}]
            Actions: [{Type: forward, TargetGroupName: api}]
    wait: true
  register: balancer

- name: Delete it
  elb_application_lb: {name: web, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if self.idle_timeout.is_some_and(|seconds| !(1..=4000).contains(&seconds)) {
            return Err(Failure::new("idle_timeout must be between 1 and 4000"));
        }
        let attributes = wanted([
            ("access_logs.s3.enabled", text(self.access_logs_enabled)),
            ("access_logs.s3.bucket", self.access_logs_s3_bucket),
            ("access_logs.s3.prefix", self.access_logs_s3_prefix),
            ("deletion_protection.enabled", text(self.deletion_protection)),
            ("idle_timeout.timeout_seconds", text(self.idle_timeout)),
            ("routing.http2.enabled", text(self.http2)),
            (
                "routing.http.desync_mitigation_mode",
                self.http_desync_mitigation_mode.map(|mode| match mode {
                    Desync::Monitor => "monitor".to_owned(),
                    Desync::Defensive => "defensive".to_owned(),
                    Desync::Strictest => "strictest".to_owned(),
                }),
            ),
            ("routing.http.drop_invalid_header_fields.enabled", text(self.http_drop_invalid_header_fields)),
            (
                "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
                text(self.http_x_amzn_tls_version_and_cipher_suite),
            ),
            ("routing.http.xff_client_port.enabled", text(self.http_xff_client_port)),
            ("waf.fail_open.enabled", text(self.waf_fail_open)),
        ]);
        let asked = Asked {
            kind: LoadBalancerTypeEnum::Application,
            name: self.name,
            state: self.state,
            scheme: self.scheme,
            ip_address_type: self.ip_address_type,
            subnets: self.subnets.map(mappings),
            security_groups: self.security_groups,
            attributes,
            listeners: self.listeners.map(|all| all.into_iter().map(Listener::wanted).collect()),
            purge_listeners: self.purge_listeners,
            purge_rules: self.purge_rules,
            tags: self.tags,
            purge_tags: self.purge_tags,
            wait: self.wait.then(|| wait::seconds(self.wait_timeout, 600)),
            connection: self.connection,
        };
        resource::apply(asked, context).await
    }
}
