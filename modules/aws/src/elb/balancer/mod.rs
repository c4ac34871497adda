//! Load balancers, which `elb_application_lb` and `elb_network_lb` manage.

mod action;
pub(crate) mod application;
mod condition;
mod current;
pub(crate) mod info;
mod listener;
pub(crate) mod network;
mod rules;

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancer, LoadBalancerSchemeEnum, LoadBalancerStateEnum, LoadBalancerTypeEnum,
    SubnetMapping,
};
use playbook_api::{Context, Error, Failure};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::elb::{self, Attributes};
use crate::error::Explain;
use crate::resource::{Common, Existence, Identity, Resource};
use crate::security_groups;
use crate::tags::{self as tag, TagChanges, Tags};
use action::Groups;
use current::{Balancer, Parts};
use listener::Wanted;

pub(crate) use current::describe;

/// From where a load balancer is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scheme {
    /// It has public addresses.
    #[default]
    InternetFacing,
    /// It has private addresses.
    Internal,
}

/// The addresses that a load balancer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Addresses {
    /// IPv4.
    Ipv4,
    /// IPv4 and IPv6.
    Dualstack,
}

impl Addresses {
    fn as_str(self) -> &'static str {
        match self {
            Addresses::Ipv4 => "ipv4",
            Addresses::Dualstack => "dualstack",
        }
    }
}

/// The subnets of a load balancer, each with an address if the task names one.
type Mappings = Vec<SubnetMapping>;

/// A load balancer as the arguments of either module describe it.
pub(crate) struct Asked {
    kind: LoadBalancerTypeEnum,
    name: String,
    state: Existence,
    scheme: Scheme,
    ip_address_type: Option<Addresses>,
    subnets: Option<Mappings>,
    /// The names or IDs of the security groups; empty for the default one of the VPC.
    security_groups: Option<Vec<String>>,
    attributes: Attributes,
    listeners: Option<Vec<Wanted>>,
    purge_listeners: bool,
    purge_rules: bool,
    tags: Option<Tags>,
    purge_tags: bool,
    wait: Option<Duration>,
    connection: Connection,
}

/// A load balancer with what names in the arguments stand for.
pub(crate) struct Current {
    balancer: Balancer,
    groups: Groups,
    security_groups: Option<Vec<String>>,
}

impl Asked {
    /// Returns what to read of the load balancer: only application load balancers have rules.
    fn parts(&self) -> Parts {
        Parts { attributes: true, listeners: true, rules: self.kind == LoadBalancerTypeEnum::Application }
    }

    fn subnet_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .subnets
            .iter()
            .flatten()
            .filter_map(|mapping| mapping.subnet_id().map(str::to_owned))
            .collect();
        ids.sort();
        ids
    }

    /// Returns whether addresses are chosen for subnets, which the API takes in another form.
    fn plain_subnets(&self) -> bool {
        self.subnets.iter().flatten().all(|mapping| {
            mapping.allocation_id().is_none()
                && mapping.private_ipv4_address().is_none()
                && mapping.ipv6_address().is_none()
        })
    }

    async fn resolve(&self, aws: &Aws) -> Result<Groups, Error> {
        action::resolve(aws, self.listeners.as_deref().unwrap_or_default()).await
    }

    async fn change_listeners(&self, aws: &Aws, current: &Current) -> Result<(), Failure> {
        let Some(wanted) = &self.listeners else { return Ok(()) };
        let plan = listener::Plan::between(
            &current.balancer.listeners,
            wanted,
            &current.groups,
            self.purge_listeners,
        );
        plan.apply(aws, current.balancer.arn(), &current.groups, self.purge_rules).await
    }

    fn returned_of(&self, mut members: Map<String, Json>) -> Map<String, Json> {
        if self.kind == LoadBalancerTypeEnum::Network {
            let all = Json::Object(members.clone());
            members.insert("load_balancer".to_owned(), all);
        }
        members
    }
}

async fn set_attributes(aws: &Aws, arn: &str, attributes: &Attributes) -> Result<(), Failure> {
    if attributes.is_empty() {
        return Ok(());
    }
    let request = aws.elb().modify_load_balancer_attributes().load_balancer_arn(arn);
    let request = request.set_attributes(Some(elb::sdk_attributes(attributes)));
    Ok(request.send().await.explain("elasticloadbalancing:ModifyLoadBalancerAttributes").map(drop)?)
}

impl Resource for Asked {
    type Current = Current;

    const KIND: &'static str = "load balancer";
    const TYPE: &'static str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    const UNKNOWN: &'static [&'static str] =
        &["load_balancer_arn", "dns_name", "canonical_hosted_zone_id", "vpc_id"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.name,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: self.wait,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let Some(found) = describe(aws, vec![self.name.clone()], Vec::new()).await?.pop() else {
            return Ok(None);
        };
        if let Some(kind) = found.r#type().filter(|kind| **kind != self.kind) {
            return Err(Error::new(format!(
                "the load balancer {} exists with the type {}",
                self.name,
                kind.as_str()
            ))
            .with_help("Use another `name`, or the module for this type."));
        }
        let balancer = current::complete(aws, found, self.parts()).await?;
        if self.state == Existence::Absent {
            return Ok(Some(Current { balancer, groups: Groups::default(), security_groups: None }));
        }
        let security_groups = match &self.security_groups {
            // No groups are the default one of the VPC.
            Some(asked) if asked.is_empty() => {
                let default = ["default".to_owned()];
                Some(security_groups::ids(aws, &default, balancer.balancer.vpc_id()).await?)
            }
            Some(asked) => Some(security_groups::ids(aws, asked, balancer.balancer.vpc_id()).await?),
            None => None,
        };
        Ok(Some(Current { balancer, groups: self.resolve(aws).await?, security_groups }))
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity {
            id: self.name.clone(),
            arn: Some(current.balancer.arn().to_owned()),
            ..Identity::default()
        }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        current.balancer.tags.clone()
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        self.returned_of(current.balancer.returned(self.parts()))
    }

    fn foreseen(&self) -> Map<String, Json> {
        let mut members = Map::new();
        members.insert("load_balancer_name".to_owned(), json!(self.name));
        members.insert("scheme".to_owned(), json!(self.scheme));
        members.insert("type".to_owned(), json!(self.kind.as_str()));
        members.insert("ip_address_type".to_owned(), json!(self.ip_address_type.unwrap_or(Addresses::Ipv4)));
        let zones: Vec<Json> = self.subnet_ids().iter().map(|id| json!({"subnet_id": id})).collect();
        members.insert("availability_zones".to_owned(), zones.into());
        members.insert("tags".to_owned(), tag::of_new(self.tags.as_ref()));
        elb::put_attributes(&mut members, &self.attributes);
        let listeners = self.listeners.iter().flatten();
        members.insert("listeners".to_owned(), listeners.map(|one| one.shown(&Groups::default())).collect());
        self.returned_of(members)
    }

    fn check_creation(&self) -> Result<(), Failure> {
        elb::check_name("load balancer", &self.name)?;
        match self.subnets.as_ref().is_none_or(Vec::is_empty) {
            true => Err(Failure::new(format!("the load balancer {} needs subnets", self.name))
                .with_help("Give at least two `subnets` in different availability zones.")),
            false => Ok(()),
        }
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let balancer = &current.balancer;
        if self.subnets.is_some() {
            let mut is = balancer.subnets();
            is.sort_unstable();
            let asked = self.subnet_ids();
            if asked != is {
                changes.note("subnets", json!(is), json!(asked));
            }
        }
        if let Some(asked) = &current.security_groups {
            changes.compare("security_groups", &json!(asked), &json!(balancer.balancer.security_groups()));
        }
        elb::note_attributes(&self.attributes, &balancer.attributes, changes);
        if let Some(wanted) = &self.listeners {
            let plan =
                listener::Plan::between(&balancer.listeners, wanted, &current.groups, self.purge_listeners);
            plan.note(&current.groups, self.purge_rules, changes);
        }
        if let Some(asked) = self.ip_address_type {
            let is = balancer.balancer.ip_address_type().map(|kind| kind.as_str());
            changes.compare("ip_address_type", &json!(asked.as_str()), &json!(is));
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        // Names that do not exist are reported before anything is created.
        let groups = self.resolve(aws).await?;
        action::check_groups(&groups)?;
        let security_groups = match self.security_groups.as_deref() {
            None | Some([]) => None,
            Some(asked) => {
                let subnets = self.subnet_ids();
                let first = subnets.first().map(String::as_str);
                Some(security_groups::ids_in_subnet(aws, asked, first).await?)
            }
        };
        let request = aws
            .elb()
            .create_load_balancer()
            .name(&self.name)
            .r#type(self.kind.clone())
            .scheme(match self.scheme {
                Scheme::InternetFacing => LoadBalancerSchemeEnum::InternetFacing,
                Scheme::Internal => LoadBalancerSchemeEnum::Internal,
            })
            .set_ip_address_type(self.ip_address_type.map(|kind| IpAddressType::from(kind.as_str())))
            .set_security_groups(security_groups)
            .set_tags(elb::sdk_tags(self.tags.as_ref()));
        let request = match self.plain_subnets() {
            true => request.set_subnets(Some(self.subnet_ids())),
            false => request.set_subnet_mappings(self.subnets.clone()),
        };
        let answer = request.send().await.explain("elasticloadbalancing:CreateLoadBalancer")?;
        let created = answer.load_balancers.unwrap_or_default().into_iter().next();
        let balancer = Balancer::new(created.unwrap_or_else(|| LoadBalancer::builder().build()));
        set_attributes(aws, balancer.arn(), &self.attributes).await?;
        let current = Current { balancer, groups, security_groups: None };
        self.change_listeners(aws, &current).await?;
        Ok(current)
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        action::check_groups(&current.groups)?;
        let arn = current.balancer.arn();
        if changes.has("subnets") {
            let request = aws.elb().set_subnets().load_balancer_arn(arn);
            let request = match self.plain_subnets() {
                true => request.set_subnets(Some(self.subnet_ids())),
                false => request.set_subnet_mappings(self.subnets.clone()),
            };
            request.send().await.explain("elasticloadbalancing:SetSubnets")?;
        }
        if changes.has("security_groups") {
            let request = aws.elb().set_security_groups().load_balancer_arn(arn);
            let request = request.set_security_groups(current.security_groups.clone());
            request.send().await.explain("elasticloadbalancing:SetSecurityGroups")?;
        }
        set_attributes(aws, arn, &elb::differing(self.attributes.clone(), changes)).await?;
        if changes.has("listeners") {
            self.change_listeners(aws, current).await?;
        }
        if let Some(kind) = self.ip_address_type.filter(|_| changes.has("ip_address_type")) {
            let request = aws.elb().set_ip_address_type().load_balancer_arn(arn);
            let request = request.ip_address_type(IpAddressType::from(kind.as_str()));
            request.send().await.explain("elasticloadbalancing:SetIpAddressType")?;
        }
        Ok(())
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        elb::change_tags(aws, current.balancer.arn(), changes).await
    }

    async fn delete(&self, aws: &Aws, current: &Current, _context: &Context) -> Result<(), Failure> {
        let request = aws.elb().delete_load_balancer().load_balancer_arn(current.balancer.arn());
        Ok(request.send().await.explain("elasticloadbalancing:DeleteLoadBalancer").map(drop)?)
    }

    fn pending(&self, current: &Current) -> Result<Option<String>, Failure> {
        let state = current.balancer.balancer.state();
        match state.and_then(|state| state.code()) {
            Some(LoadBalancerStateEnum::Failed) => {
                let reason = state.and_then(|state| state.reason()).unwrap_or("no reason is given");
                Err(Failure::new(format!("the load balancer {} failed: {reason}", self.name)))
            }
            Some(LoadBalancerStateEnum::Provisioning) => Ok(Some("its state is provisioning".to_owned())),
            _ => Ok(None),
        }
    }
}
