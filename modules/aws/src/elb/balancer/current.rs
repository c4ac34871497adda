//! A load balancer as it is.

use aws_sdk_elasticloadbalancingv2::types::{Listener, LoadBalancer, ProtocolEnum, Rule};
use playbook_api::Error;
use serde_json::{Map, Value as Json};

use crate::client::Aws;
use crate::elb::{self, Attributes};
use crate::error::Explain;
use crate::json::ToJson;
use crate::tags::{self as tag, Tags};

/// A listener with what other operations tell of it.
#[derive(Debug)]
pub(super) struct Found {
    pub listener: Listener,
    /// The ARNs of certificates beyond the default one.
    pub more_certificates: Vec<String>,
    pub rules: Vec<Rule>,
}

impl Found {
    pub(super) fn arn(&self) -> &str {
        self.listener.listener_arn().unwrap_or_default()
    }
}

/// A load balancer with what other operations tell of it.
pub(super) struct Balancer {
    pub balancer: LoadBalancer,
    pub attributes: Attributes,
    pub tags: Tags,
    pub listeners: Vec<Found>,
}

/// What to read of a load balancer.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub attributes: bool,
    pub listeners: bool,
    pub rules: bool,
}

impl Balancer {
    /// Returns a load balancer that was just created: the rest is read afterward.
    pub(super) fn new(balancer: LoadBalancer) -> Balancer {
        Balancer { balancer, attributes: Attributes::new(), tags: Tags::new(), listeners: Vec::new() }
    }

    pub(super) fn arn(&self) -> &str {
        self.balancer.load_balancer_arn().unwrap_or_default()
    }

    pub(super) fn subnets(&self) -> Vec<&str> {
        self.balancer.availability_zones().iter().filter_map(|zone| zone.subnet_id()).collect()
    }

    /// Returns the load balancer as the modules return it.
    pub(super) fn returned(&self, parts: Parts) -> Map<String, Json> {
        let mut members = match self.balancer.to_json() {
            Json::Object(members) => members,
            _ => Map::new(),
        };
        elb::put_attributes(&mut members, &self.attributes);
        members.insert("tags".to_owned(), tag::to_json(&self.tags));
        if parts.listeners || parts.rules {
            let listener = |found: &Found| {
                let mut json = found.listener.to_json();
                if parts.rules {
                    json["rules"] = found.rules.to_json();
                }
                json
            };
            members.insert("listeners".to_owned(), self.listeners.iter().map(listener).collect());
        }
        members
    }
}

/// Returns the load balancers of names or ARNs, or all of them; none if one of them does not exist.
pub(crate) async fn describe(
    aws: &Aws,
    names: Vec<String>,
    arns: Vec<String>,
) -> Result<Vec<LoadBalancer>, Error> {
    let list = |list: Vec<String>| (!list.is_empty()).then_some(list);
    let request =
        aws.elb().describe_load_balancers().set_names(list(names)).set_load_balancer_arns(list(arns));
    let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    let missing = ["LoadBalancerNotFound", "LoadBalancerNotFoundException"];
    Ok(found.missing("elasticloadbalancing:DescribeLoadBalancers", &missing)?.unwrap_or_default())
}

/// Reads what DescribeLoadBalancers does not tell.
pub(super) async fn complete(aws: &Aws, balancer: LoadBalancer, parts: Parts) -> Result<Balancer, Error> {
    let arn = balancer.load_balancer_arn().unwrap_or_default().to_owned();
    let tags = elb::tags(aws, std::slice::from_ref(&arn)).await?.remove(&arn).unwrap_or_default();
    let mut all = Balancer { tags, ..Balancer::new(balancer) };
    if parts.attributes {
        let request = aws.elb().describe_load_balancer_attributes().load_balancer_arn(&arn);
        let answer = request.send().await.explain("elasticloadbalancing:DescribeLoadBalancerAttributes")?;
        all.attributes = elb::attributes(answer.attributes.as_deref());
    }
    if parts.listeners || parts.rules {
        let request = aws.elb().describe_listeners().load_balancer_arn(&arn);
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        for listener in found.explain("elasticloadbalancing:DescribeListeners")? {
            all.listeners.push(complete_listener(aws, listener, parts).await?);
        }
    }
    Ok(all)
}

async fn complete_listener(aws: &Aws, listener: Listener, parts: Parts) -> Result<Found, Error> {
    let arn = listener.listener_arn().unwrap_or_default();
    let mut rules = Vec::new();
    if parts.rules {
        let found: Result<Vec<_>, _> =
            aws.elb().describe_rules().listener_arn(arn).into_paginator().items().send().collect().await;
        rules = found.explain("elasticloadbalancing:DescribeRules")?;
    }
    let mut more_certificates = Vec::new();
    if matches!(listener.protocol(), Some(ProtocolEnum::Https | ProtocolEnum::Tls)) {
        let request = aws.elb().describe_listener_certificates().listener_arn(arn);
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        let others = found.explain("elasticloadbalancing:DescribeListenerCertificates")?;
        let others = others.into_iter().filter(|one| one.is_default() != Some(true));
        more_certificates = others.filter_map(|one| one.certificate_arn).collect();
        let default = listener.certificates().first().and_then(|one| one.certificate_arn());
        more_certificates.retain(|arn| Some(arn.as_str()) != default);
    }
    Ok(Found { listener, more_certificates, rules })
}
