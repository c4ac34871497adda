//! Routes of route tables: how tasks write them and how EC2 describes them.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Route, RouteOrigin};
use playbook_api::{Error, Failure};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::client::Aws;
use crate::error::Explain;

/// A route as a task writes it: a destination and one target.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
pub(crate) struct RouteOption {
    /// The destination: a network in CIDR notation, or the ID of a prefix list.
    #[schemars(extend("aliases" = ["destination_cidr_block", "destination_ipv6_cidr_block"]))]
    pub dest: String,
    /// The ID of an internet, NAT or virtual private gateway; `igw` for the internet gateway of the VPC.
    pub gateway_id: Option<String>,
    /// The ID of a NAT gateway.
    pub nat_gateway_id: Option<String>,
    /// The ID of an egress-only internet gateway, for IPv6.
    pub egress_only_internet_gateway_id: Option<String>,
    /// The ID of an instance.
    pub instance_id: Option<String>,
    /// The ID of a network interface.
    #[schemars(extend("aliases" = ["interface_id"]))]
    pub network_interface_id: Option<String>,
    /// The ID of a VPC peering connection.
    pub vpc_peering_connection_id: Option<String>,
    /// The ID of a transit gateway.
    pub transit_gateway_id: Option<String>,
    /// The ID of a carrier gateway.
    pub carrier_gateway_id: Option<String>,
    /// The ID of a local gateway.
    pub local_gateway_id: Option<String>,
    /// The ID of a gateway endpoint.
    pub vpc_endpoint_id: Option<String>,
}

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Gateway,
    Nat,
    EgressOnly,
    Instance,
    Interface,
    Peering,
    Transit,
    Carrier,
    Local,
    Endpoint,
}

/// A route's target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    kind: Kind,
    /// The ID of the target.
    pub id: String,
}

/// Targets by destination.
pub(crate) type Routes = BTreeMap<String, Target>;

/// Whether a task names the internet gateway of the VPC.
pub(crate) fn need_gateway(options: &[RouteOption]) -> bool {
    options.iter().any(|option| option.gateway_id.as_deref() == Some("igw"))
}

/// Returns the routes of a task. `gateway` is the internet gateway of the VPC.
pub(crate) fn of_task(options: &[RouteOption], gateway: Option<&str>) -> Result<Routes, Failure> {
    options.iter().map(|option| Ok((option.dest.trim().to_owned(), target(option, gateway)?))).collect()
}

fn target(option: &RouteOption, gateway: Option<&str>) -> Result<Target, Failure> {
    let given = [
        (Kind::Gateway, &option.gateway_id),
        (Kind::Nat, &option.nat_gateway_id),
        (Kind::EgressOnly, &option.egress_only_internet_gateway_id),
        (Kind::Instance, &option.instance_id),
        (Kind::Interface, &option.network_interface_id),
        (Kind::Peering, &option.vpc_peering_connection_id),
        (Kind::Transit, &option.transit_gateway_id),
        (Kind::Carrier, &option.carrier_gateway_id),
        (Kind::Local, &option.local_gateway_id),
        (Kind::Endpoint, &option.vpc_endpoint_id),
    ];
    let mut given = given.into_iter().filter_map(|(kind, id)| Some((kind, id.as_deref()?)));
    let (Some((kind, id)), None) = (given.next(), given.next()) else {
        return Err(Failure::new(format!("the route to {} needs exactly one target", option.dest))
            .with_help("Give `gateway_id`, `nat_gateway_id` or another one of them."));
    };
    let kind = match kind {
        // The kind of a gateway is in its ID.
        Kind::Gateway if id.starts_with("nat-") => Kind::Nat,
        Kind::Gateway if id.starts_with("eigw-") => Kind::EgressOnly,
        kind => kind,
    };
    let id = match (kind, id, gateway) {
        (Kind::Gateway, "igw", Some(gateway)) => gateway,
        (Kind::Gateway, "igw", None) => {
            return Err(Failure::new("the VPC has no internet gateway, which a route names as igw")
                .with_help("Attach one in an earlier task (ec2_vpc_igw), or give its ID."));
        }
        (_, id, _) => id,
    };
    Ok(Target { kind, id: id.to_owned() })
}

/// Returns the routes of a table that tasks can change: not those of the VPC itself, of propagation and of endpoints.
pub(crate) fn described(routes: &[Route]) -> Routes {
    let changeable = |route: &&Route| {
        route.origin() == Some(&RouteOrigin::CreateRoute)
            && !route.gateway_id().is_some_and(|id| id.starts_with("vpce-") || id == "local")
    };
    routes
        .iter()
        .filter(changeable)
        .filter_map(|route| Some((destination(route)?.to_owned(), of(route)?)))
        .collect()
}

fn destination(route: &Route) -> Option<&str> {
    let prefixes = route.destination_prefix_list_id();
    route.destination_cidr_block().or_else(|| route.destination_ipv6_cidr_block()).or(prefixes)
}

fn of(route: &Route) -> Option<Target> {
    let found = [
        (Kind::Nat, route.nat_gateway_id()),
        (Kind::EgressOnly, route.egress_only_internet_gateway_id()),
        (Kind::Gateway, route.gateway_id()),
        (Kind::Instance, route.instance_id()),
        (Kind::Interface, route.network_interface_id()),
        (Kind::Peering, route.vpc_peering_connection_id()),
        (Kind::Transit, route.transit_gateway_id()),
        (Kind::Carrier, route.carrier_gateway_id()),
        (Kind::Local, route.local_gateway_id()),
    ];
    let (kind, id) = found.into_iter().find_map(|(kind, id)| Some((kind, id?)))?;
    Some(Target { kind, id: id.to_owned() })
}

/// What is to be done to a table's routes.
#[derive(Debug, Default)]
pub(crate) struct RouteChanges {
    pub create: Routes,
    pub replace: Routes,
    pub delete: Vec<String>,
}

impl RouteChanges {
    pub(crate) fn between(current: &Routes, asked: &Routes, purge: bool) -> RouteChanges {
        let mut changes = RouteChanges::default();
        for (destination, target) in asked {
            match current.get(destination) {
                None => drop(changes.create.insert(destination.clone(), target.clone())),
                Some(known) if known != target => {
                    changes.replace.insert(destination.clone(), target.clone());
                }
                Some(_) => {}
            }
        }
        if purge {
            changes.delete = current.keys().filter(|known| !asked.contains_key(*known)).cloned().collect();
        }
        changes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.create.is_empty() && self.replace.is_empty() && self.delete.is_empty()
    }

    /// Returns the routes after the changes.
    pub(crate) fn apply(&self, current: &Routes) -> Routes {
        let mut routes = current.clone();
        routes.retain(|destination, _| !self.delete.contains(destination));
        routes.extend(self.create.clone());
        routes.extend(self.replace.clone());
        routes
    }
}

/// Returns routes as a difference shows them.
pub(crate) fn shown(routes: &Routes) -> Json {
    routes.iter().map(|(destination, target)| json!({"dest": destination, "target": target.id})).collect()
}

/// The parts of a destination, of which the API takes one.
fn parts(destination: &str) -> [Option<String>; 3] {
    let given = Some(destination.to_owned());
    match destination {
        id if id.starts_with("pl-") => [None, None, given],
        network if network.contains(':') => [None, given, None],
        _ => [given, None, None],
    }
}

/// Sets a target in a request: creating and replacing a route take the same arguments.
macro_rules! with_target {
    ($request:expr, $table:expr, $destination:expr, $target:expr) => {{
        let [v4, v6, prefixes] = parts($destination);
        let request = $request
            .route_table_id($table)
            .set_destination_cidr_block(v4)
            .set_destination_ipv6_cidr_block(v6)
            .set_destination_prefix_list_id(prefixes);
        let id = $target.id.as_str();
        match $target.kind {
            Kind::Gateway => request.gateway_id(id),
            Kind::Nat => request.nat_gateway_id(id),
            Kind::EgressOnly => request.egress_only_internet_gateway_id(id),
            Kind::Instance => request.instance_id(id),
            Kind::Interface => request.network_interface_id(id),
            Kind::Peering => request.vpc_peering_connection_id(id),
            Kind::Transit => request.transit_gateway_id(id),
            Kind::Carrier => request.carrier_gateway_id(id),
            Kind::Local => request.local_gateway_id(id),
            Kind::Endpoint => request.vpc_endpoint_id(id),
        }
    }};
}

/// Makes the changes.
pub(crate) async fn make(aws: &Aws, table: &str, changes: &RouteChanges) -> Result<(), Error> {
    for destination in &changes.delete {
        let [v4, v6, prefixes] = parts(destination);
        let request = aws
            .ec2()
            .delete_route()
            .route_table_id(table)
            .set_destination_cidr_block(v4)
            .set_destination_ipv6_cidr_block(v6)
            .set_destination_prefix_list_id(prefixes);
        request.send().await.explain("ec2:DeleteRoute")?;
    }
    for (destination, target) in &changes.replace {
        let request = with_target!(aws.ec2().replace_route(), table, destination, target);
        request.send().await.explain("ec2:ReplaceRoute")?;
    }
    for (destination, target) in &changes.create {
        let request = with_target!(aws.ec2().create_route(), table, destination, target);
        request.send().await.explain("ec2:CreateRoute")?;
    }
    Ok(())
}
