//! `elb_network_lb`: creates, changes and deletes network load balancers.

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerTypeEnum, SubnetMapping};
use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome};
use serde::Deserialize;

use super::action::ActionOption;
use super::application::{Certificate, arns, mappings};
use super::listener::Wanted;
use super::{Addresses, Asked, Scheme};
use crate::connection::Connection;
use crate::elb::{text, wanted};
use crate::resource::{self, Existence};
use crate::tags::Tags;
use crate::wait;

/// Creates, changes or deletes a network load balancer.
///
/// Arguments that are not given stay as they are; for a new load balancer they are what AWS chooses.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["subnets", "subnet_mappings"]],
    "required_if" = [["state", "present", ["subnets", "subnet_mappings"], true]]
))]
pub(crate) struct ElbNetworkLb {
    /// The name, which is unique in the region.
    pub name: String,
    /// The IDs of the subnets, at most one in each availability zone.
    pub subnets: Option<Vec<String>>,
    /// The subnets, each with an address.
    pub subnet_mappings: Option<Vec<Mapping>>,
    /// From where it is reached. It cannot be changed.
    #[serde(default)]
    pub scheme: Scheme,
    /// The addresses that it has. The default is the current ones; `ipv4` for a new load balancer.
    pub ip_address_type: Option<Addresses>,
    /// The listeners. Without them, listeners stay as they are.
    pub listeners: Option<Vec<NetworkListener>>,
    /// Whether to remove listeners that are not listed in `listeners`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_listeners: bool,
    /// Whether each address distributes connections to the targets of all availability zones.
    pub cross_zone_load_balancing: Option<bool>,
    /// Whether deletion is refused.
    pub deletion_protection: Option<bool>,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the load balancer is to exist.
    #[serde(default)]
    pub state: Existence,
    /// Whether to wait until the load balancer is active, or gone. The default is false.
    pub wait: Option<bool>,
    /// The maximum number of seconds to wait, 600 by default.
    pub wait_timeout: Option<i64>,
    #[serde(flatten)]
    pub connection: Connection,
}

/// A subnet with an address.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Mapping {
    /// The ID of the subnet.
    subnet_id: String,
    /// The allocation ID of an Elastic IP address.
    allocation_id: Option<String>,
    /// The private address of an internal load balancer.
    #[serde(rename = "PrivateIPv4Address")]
    private_ipv4_address: Option<String>,
    /// The IPv6 address.
    #[serde(rename = "IPv6Address")]
    ipv6_address: Option<String>,
}

/// A listener of a network load balancer.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NetworkListener {
    /// The port, which identifies the listener.
    pub port: i32,
    /// The protocol: `TCP`, `TLS`, `UDP` or `TCP_UDP`.
    pub protocol: String,
    /// The target group to forward to.
    pub default_actions: Vec<ActionOption>,
    /// The certificates of TLS; the first is the default one.
    pub certificates: Option<Vec<Certificate>>,
    /// The security policy of TLS, which names its protocols and ciphers.
    pub ssl_policy: Option<String>,
    /// The policy of protocol negotiation with TLS.
    #[schemars(extend("enum" = ["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"]))]
    pub alpn_policy: Option<String>,
}

impl NetworkListener {
    fn wanted(self) -> Wanted {
        Wanted {
            port: self.port,
            protocol: self.protocol.to_uppercase(),
            ssl_policy: self.ssl_policy,
            certificates: arns(self.certificates),
            alpn_policy: self.alpn_policy,
            default_actions: self.default_actions,
            rules: None,
        }
    }
}

impl Mapping {
    fn sdk(self) -> SubnetMapping {
        SubnetMapping::builder()
            .subnet_id(self.subnet_id)
            .set_allocation_id(self.allocation_id)
            .set_private_ipv4_address(self.private_ipv4_address)
            .set_ipv6_address(self.ipv6_address)
            .build()
    }
}

impl ControllerModule for ElbNetworkLb {
    const DOC: Doc = Doc {
        name: "elb_network_lb",
        collection: "community.aws",
        aliases: &["amazon.aws.elb_network_lb"],
        short: "Create, change or delete a network load balancer",
        returns: &[
            (
                "load_balancer",
                "dict",
                "The load balancer as DescribeLoadBalancers tells it, members in snake_case, with its attributes, listeners and tags.",
            ),
            ("load_balancer_arn, dns_name, …", "any", "The same members again."),
        ],
        examples: "\
- name: The load balancer of the database
  elb_network_lb:
    name: database
    scheme: internal
    subnets: \"{{ subnets.results | map(attribute='subnet.id') }}\"
    listeners:
      - Protocol: TCP
        Port: 5432
        DefaultActions: [{Type: forward, TargetGroupName: database}]
    cross_zone_load_balancing: true

- name: Delete it
  elb_network_lb: {name: database, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let mapped = self.subnet_mappings.map(|all| all.into_iter().map(Mapping::sdk).collect());
        let attributes = wanted([
            ("load_balancing.cross_zone.enabled", text(self.cross_zone_load_balancing)),
            ("deletion_protection.enabled", text(self.deletion_protection)),
        ]);
        let asked = Asked {
            kind: LoadBalancerTypeEnum::Network,
            name: self.name,
            state: self.state,
            scheme: self.scheme,
            ip_address_type: self.ip_address_type,
            subnets: self.subnets.map(mappings).or(mapped),
            security_groups: None,
            attributes,
            listeners: self.listeners.map(|all| all.into_iter().map(NetworkListener::wanted).collect()),
            purge_listeners: self.purge_listeners,
            purge_rules: false,
            tags: self.tags,
            purge_tags: self.purge_tags,
            wait: (self.wait == Some(true)).then(|| wait::seconds(self.wait_timeout, 600)),
            connection: self.connection,
        };
        resource::apply(asked, context).await
    }
}
