//! `elb_application_lb_info`: describes load balancers.

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use super::current::{Parts, complete, describe};
use crate::client::Aws;
use crate::connection::Connection;

/// Describes load balancers.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["load_balancer_arns", "names"]]))]
pub(crate) struct ElbApplicationLbInfo {
    /// The ARNs of the load balancers, by default all of them.
    pub load_balancer_arns: Option<Vec<String>>,
    /// The names of the load balancers, by default all of them.
    pub names: Option<Vec<String>>,
    /// Whether to return the attributes.
    #[serde(default = "playbook_api::defaults::yes")]
    pub include_attributes: bool,
    /// Whether to return the listeners.
    #[serde(default = "playbook_api::defaults::yes")]
    pub include_listeners: bool,
    /// Whether to return the listeners and their rules.
    #[serde(default = "playbook_api::defaults::yes")]
    pub include_listener_rules: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for ElbApplicationLbInfo {
    const DOC: Doc = Doc {
        name: "elb_application_lb_info",
        collection: "amazon.aws",
        aliases: &["community.aws.elb_application_lb_info"],
        short: "Describe load balancers",
        check_mode: "Full: it only reads.",
        returns: &[(
            "load_balancers",
            "list",
            "The load balancers as DescribeLoadBalancers tells them, members in snake_case, with attributes, listeners, rules and tags.",
        )],
        examples: "\
- name: The load balancer of the web service
  elb_application_lb_info:
    names: [web]
    include_listener_rules: false
  register: balancers

- name: All load balancers, without their attributes
  elb_application_lb_info: {include_attributes: false}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let found =
            describe(&aws, self.names.unwrap_or_default(), self.load_balancer_arns.unwrap_or_default())
                .await?;
        let parts = Parts {
            attributes: self.include_attributes,
            listeners: self.include_listeners,
            rules: self.include_listener_rules,
        };
        let mut all = Vec::new();
        for balancer in found {
            all.push(Json::Object(complete(&aws, balancer, parts).await?.returned(parts)));
        }
        Ok(aws.finish(Outcome::changed(false).with("load_balancers", Value::from_json(all.into()))))
    }
}
