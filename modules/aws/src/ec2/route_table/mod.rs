//! `ec2_vpc_route_table`: creates, changes and deletes route tables of VPCs.

pub(crate) mod info;
mod route;
mod subnets;

use aws_sdk_ec2::types::{ResourceType, RouteTable, RouteTableAssociation, Subnet};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::ec2::{change_tags, filter, gateway, tag_specification, tags};
use crate::error::Explain;
use crate::json::ToJson;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};
use route::{RouteChanges, RouteOption, Routes};

/// Creates, changes or deletes a route table.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [
    ["lookup", "id", ["route_table_id"]], ["lookup", "tag", ["vpc_id"]], ["state", "present", ["vpc_id"]],
]))]
pub(crate) struct Ec2VpcRouteTable {
    /// The ID of the VPC.
    pub vpc_id: Option<String>,
    /// What identifies the table: `tags` or `route_table_id`. Without tags, a new table is created.
    #[schemars(extend("enum" = ["tag", "id"]))]
    #[serde(default = "tag_lookup")]
    pub lookup: String,
    /// The ID of the table, with `lookup: id`.
    pub route_table_id: Option<String>,
    /// The routes, besides that of the VPC itself.
    #[serde(default)]
    pub routes: Vec<RouteOption>,
    /// Whether to remove routes that are not listed in `routes`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_routes: bool,
    /// The subnets that use the table: their IDs, names or CIDR blocks. The default leaves them as they are.
    pub subnets: Option<Vec<String>>,
    /// Whether to release subnets that are not listed in `subnets`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_subnets: bool,
    /// The ID of a gateway whose incoming requests use the table; empty or `None` for no gateway.
    pub gateway_id: Option<String>,
    /// The IDs of virtual private gateways that propagate their routes to the table.
    pub propagating_vgw_ids: Option<Vec<String>>,
    /// The tags, which identify the table, too.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the route table is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

fn tag_lookup() -> String {
    "tag".to_owned()
}

impl ControllerModule for Ec2VpcRouteTable {
    const DOC: Doc = Doc {
        name: "ec2_vpc_route_table",
        collection: "amazon.aws",
        short: "Create, change or delete a route table of a VPC",
        returns: &[(
            "route_table",
            "dict",
            "The table as DescribeRouteTables tells it, members in snake_case: id, vpc_id, routes, associations, tags.",
        )],
        examples: "\
- name: Public subnets reach the internet
  ec2_vpc_route_table:
    vpc_id: \"{{ network.vpc.id }}\"
    tags: {Name: public}
    subnets: \"{{ subnets.results | map(attribute='subnet.id') }}\"
    routes:
      - {dest: 0.0.0.0/0, gateway_id: igw}
  register: public

- name: Delete the table
  ec2_vpc_route_table: {vpc_id: \"{{ network.vpc.id }}\", tags: {Name: public}, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        resource::apply(self, context).await
    }
}

/// A table, and what it is to have.
pub(crate) struct Current {
    table: RouteTable,
    routes: Routes,
    /// The IDs of the subnets that the task lists.
    subnets: Option<Vec<String>>,
}

impl Current {
    fn id(&self) -> &str {
        self.table.route_table_id().unwrap_or_default()
    }

    /// Returns the associations with subnets.
    fn associations(&self) -> impl Iterator<Item = (&str, &RouteTableAssociation)> {
        self.table.associations().iter().filter_map(|known| Some((known.subnet_id()?, known)))
    }

    /// Returns the IDs of the subnets that use the table.
    fn associated(&self) -> Vec<&str> {
        self.associations().map(|(subnet, _)| subnet).collect()
    }
}

impl Ec2VpcRouteTable {
    async fn describe(&self, aws: &Aws, name: &str, value: &str) -> Result<Vec<RouteTable>, Error> {
        let request = aws.ec2().describe_route_tables().filters(filter(name, [value]));
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        found.explain("ec2:DescribeRouteTables")
    }

    async fn current(&self, aws: &Aws, table: RouteTable) -> Result<Current, Error> {
        let vpc = table.vpc_id().unwrap_or_default();
        let gateway = match route::need_gateway(&self.routes) {
            true => gateway::of_vpc(aws, vpc).await?.and_then(|gateway| gateway.internet_gateway_id),
            false => None,
        };
        let routes = route::of_task(&self.routes, gateway.as_deref()).map_err(|failure| failure.error)?;
        let subnets = match &self.subnets {
            Some(asked) if !asked.is_empty() => Some(subnets::ids(&self.subnets_of(aws, vpc).await?, asked)?),
            asked => asked.clone(),
        };
        Ok(Current { table, routes, subnets })
    }

    async fn subnets_of(&self, aws: &Aws, vpc: &str) -> Result<Vec<Subnet>, Error> {
        let request = aws.ec2().describe_subnets().filters(filter("vpc-id", [vpc]));
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        found.explain("ec2:DescribeSubnets")
    }

    /// Returns the subnets that are to use the table.
    fn wanted_subnets<'a>(&'a self, current: &'a Current) -> Option<Vec<&'a str>> {
        let mut wanted: Vec<&str> = current.subnets.as_ref()?.iter().map(String::as_str).collect();
        if !self.purge_subnets {
            wanted.extend(
                current
                    .associated()
                    .into_iter()
                    .filter(|known| !current.subnets.iter().flatten().any(|id| id == known)),
            );
        }
        Some(wanted)
    }

    fn route_changes(&self, current: &Current) -> RouteChanges {
        let known = route::described(current.table.routes());
        RouteChanges::between(&known, &current.routes, self.purge_routes)
    }

    /// Returns the gateway that is to use the table; `Some(None)` for no gateway.
    fn wanted_gateway(&self) -> Option<Option<&str>> {
        let id = self.gateway_id.as_deref()?;
        Some(Some(id).filter(|id| !id.is_empty() && *id != "None"))
    }

    /// Returns the virtual private gateways that do not propagate their routes yet.
    fn missing_propagations<'a>(&'a self, table: &RouteTable) -> Vec<&'a str> {
        let known: Vec<_> = table.propagating_vgws().iter().filter_map(|vgw| vgw.gateway_id()).collect();
        let asked = self.propagating_vgw_ids.iter().flatten().map(String::as_str);
        asked.filter(|id| !known.contains(id)).collect()
    }

    async fn set_all(&self, aws: &Aws, current: &Current) -> Result<(), Error> {
        route::make(aws, current.id(), &self.route_changes(current)).await?;
        for id in self.missing_propagations(&current.table) {
            let request = aws.ec2().enable_vgw_route_propagation().gateway_id(id);
            let answer = request.route_table_id(current.id()).send().await;
            answer.explain("ec2:EnableVgwRoutePropagation")?;
        }
        self.set_subnets(aws, current).await?;
        self.set_gateway(aws, current).await
    }

    async fn set_subnets(&self, aws: &Aws, current: &Current) -> Result<(), Error> {
        let Some(wanted) = self.wanted_subnets(current) else { return Ok(()) };
        let associated = current.associated();
        let new: Vec<&str> = wanted.iter().copied().filter(|id| !associated.contains(id)).collect();
        let elsewhere = match (new.is_empty(), current.table.vpc_id()) {
            (false, Some(vpc)) => self.describe(aws, "vpc-id", vpc).await?,
            _ => Vec::new(),
        };
        for subnet in new {
            let mut known = elsewhere.iter().flat_map(|table| table.associations());
            let known = known.find(|known| known.subnet_id() == Some(subnet));
            // A subnet that uses another table moves in one step.
            match known.and_then(|known| known.route_table_association_id()) {
                Some(association) => {
                    let request = aws.ec2().replace_route_table_association().association_id(association);
                    let answer = request.route_table_id(current.id()).send().await;
                    answer.explain("ec2:ReplaceRouteTableAssociation").map(drop)?;
                }
                None => {
                    let request = aws.ec2().associate_route_table().subnet_id(subnet);
                    let answer = request.route_table_id(current.id()).send().await;
                    answer.explain("ec2:AssociateRouteTable").map(drop)?;
                }
            }
        }
        for (_, association) in current.associations().filter(|(subnet, _)| !wanted.contains(subnet)) {
            disassociate(aws, association).await?;
        }
        Ok(())
    }

    async fn set_gateway(&self, aws: &Aws, current: &Current) -> Result<(), Error> {
        let Some(wanted) = self.wanted_gateway() else { return Ok(()) };
        let mut is_associated = false;
        for association in current.table.associations() {
            match association.gateway_id() {
                Some(known) if wanted == Some(known) => is_associated = true,
                Some(_) => disassociate(aws, association).await?,
                None => {}
            }
        }
        if let Some(id) = wanted.filter(|_| !is_associated) {
            let request = aws.ec2().associate_route_table().gateway_id(id).route_table_id(current.id());
            request.send().await.explain("ec2:AssociateRouteTable")?;
        }
        Ok(())
    }
}

async fn disassociate(aws: &Aws, association: &RouteTableAssociation) -> Result<(), Error> {
    let id = association.route_table_association_id().map(str::to_owned);
    let request = aws.ec2().disassociate_route_table().set_association_id(id);
    request.send().await.explain("ec2:DisassociateRouteTable").map(drop)
}

impl Resource for Ec2VpcRouteTable {
    type Current = Current;

    const KIND: &'static str = "route table";
    const TYPE: &'static str = "AWS::EC2::RouteTable";
    const UNKNOWN: &'static [&'static str] =
        &["route_table.id", "route_table.route_table_id", "route_table.owner_id"];

    fn common(&self) -> Common<'_> {
        let name = self.tags.as_ref().and_then(|tags| tags.get("Name")).map(String::as_str);
        Common {
            connection: &self.connection,
            name: name.or(self.route_table_id.as_deref()).or(self.vpc_id.as_deref()).unwrap_or_default(),
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let found = match (self.lookup.as_str(), &self.tags) {
            ("id", _) => {
                let id = self.route_table_id.as_deref().unwrap_or_default();
                let found = self.describe(aws, "route-table-id", id).await?;
                if found.is_empty() && self.state == Existence::Present {
                    return Err(Error::new(format!("there is no route table {id}"))
                        .with_help("Check `route_table_id` and `region`."));
                }
                found
            }
            (_, Some(wanted)) if !wanted.is_empty() => {
                let vpc = self.vpc_id.as_deref().unwrap_or_default();
                let mut found = self.describe(aws, "vpc-id", vpc).await?;
                found.retain(|table| {
                    let known = tags(table.tags());
                    wanted.iter().all(|(key, value)| known.get(key) == Some(value))
                });
                if found.len() > 1 {
                    return Err(Error::new("Tags provided do not identify a unique route table")
                        .with_help("Add a tag that only this table has, or give `lookup: id`."));
                }
                found
            }
            _ => Vec::new(),
        };
        match found.into_iter().next() {
            Some(table) if self.state == Existence::Present => Ok(Some(self.current(aws, table).await?)),
            Some(table) => Ok(Some(Current { table, routes: Routes::new(), subnets: None })),
            None => Ok(None),
        }
    }

    async fn find_again(&self, aws: &Aws, known: &Current) -> Result<Option<Current>, Error> {
        match self.describe(aws, "route-table-id", known.id()).await?.into_iter().next() {
            Some(table) => Ok(Some(self.current(aws, table).await?)),
            None => Ok(None),
        }
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity {
            id: current.id().to_owned(),
            account: current.table.owner_id().map(str::to_owned),
            ..Identity::default()
        }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        tags(current.table.tags())
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        Map::from_iter([("route_table".to_owned(), described(&current.table))])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let table = json!({
            "vpc_id": self.vpc_id,
            "tags": tag::of_new(self.tags.as_ref()),
            "subnets": self.subnets,
            "routes": self.routes.iter().map(|route| json!({"dest": route.dest})).collect::<Vec<_>>(),
        });
        Map::from_iter([("route_table".to_owned(), table)])
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let routes = self.route_changes(current);
        if !routes.is_empty() {
            let known = route::described(current.table.routes());
            changes.note("routes", route::shown(&known), route::shown(&routes.apply(&known)));
        }
        if let Some(wanted) = self.wanted_subnets(current) {
            let known = current.associated();
            if wanted.len() != known.len() || wanted.iter().any(|id| !known.contains(id)) {
                changes.note("subnets", json!(known), json!(wanted));
            }
        }
        if let Some(wanted) = self.wanted_gateway() {
            let known = current.table.associations().iter().find_map(|known| known.gateway_id());
            if known != wanted {
                changes.note("gateway_id", json!(known), json!(wanted));
            }
        }
        let missing = self.missing_propagations(&current.table);
        if !missing.is_empty() {
            changes.note("propagating_vgw_ids", current.table.propagating_vgws().to_json(), json!(missing));
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        let request = aws
            .ec2()
            .create_route_table()
            .set_vpc_id(self.vpc_id.clone())
            .set_tag_specifications(tag_specification(ResourceType::RouteTable, self.tags.clone()));
        let made = request.send().await.explain("ec2:CreateRouteTable")?;
        let table = made.route_table.unwrap_or_else(|| RouteTable::builder().build());
        Ok(Current { table, routes: Routes::new(), subnets: None })
    }

    async fn complete(&self, aws: &Aws, current: &Current) -> Result<bool, Failure> {
        self.set_all(aws, current).await?;
        Ok(true)
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        Ok(self.set_all(aws, current).await?)
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        Ok(change_tags(aws, current.id(), changes).await?)
    }

    async fn delete(&self, aws: &Aws, current: &Current, _context: &Context) -> Result<(), Failure> {
        for association in current.table.associations() {
            disassociate(aws, association).await?;
        }
        let request = aws.ec2().delete_route_table().route_table_id(current.id());
        Ok(request.send().await.explain("ec2:DeleteRouteTable").map(drop)?)
    }
}

/// Returns a table as the modules return it.
fn described(table: &RouteTable) -> Json {
    let mut json = table.to_json();
    json["id"] = json!(table.route_table_id());
    json["tags"] = tag::to_json(&tags(table.tags()));
    json
}
