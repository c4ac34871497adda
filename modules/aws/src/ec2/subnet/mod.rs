//! `ec2_vpc_subnet`: creates, changes and deletes subnets of VPCs.

pub(crate) mod info;

use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, Subnet, SubnetCidrBlockStateCode};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::ec2::{change_tags, filter, tag_specification, tags};
use crate::error::Explain;
use crate::json::ToJson;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};
use crate::wait;

/// Creates, changes or deletes a subnet.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Ec2VpcSubnet {
    /// The ID of the VPC. With `cidr` it identifies the subnet.
    pub vpc_id: String,
    /// The CIDR block.
    pub cidr: String,
    /// The availability zone. The default is chosen by AWS.
    pub az: Option<String>,
    /// The IPv6 CIDR block, with a prefix of 64 bits.
    pub ipv6_cidr: Option<String>,
    /// Whether instances get a public address when they start.
    #[serde(default)]
    pub map_public: bool,
    /// Whether network interfaces get an IPv6 address. It requires `ipv6_cidr`.
    #[serde(default)]
    pub assign_instances_ipv6: bool,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether to wait until the subnet is available, or gone.
    #[serde(default = "playbook_api::defaults::yes")]
    pub wait: bool,
    /// The maximum number of seconds to wait, 300 by default.
    pub wait_timeout: Option<i64>,
    /// Whether the subnet is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for Ec2VpcSubnet {
    const DOC: Doc = Doc {
        name: "ec2_vpc_subnet",
        collection: "amazon.aws",
        short: "Create, change or delete a subnet of a VPC",
        returns: &[(
            "subnet",
            "dict",
            "The subnet as DescribeSubnets tells it, members in snake_case: id, vpc_id, cidr_block, availability_zone, state, tags, …",
        )],
        examples: "\
- name: Two subnets, in two zones
  ec2_vpc_subnet:
    vpc_id: \"{{ network.vpc.id }}\"
    cidr: \"{{ item.cidr }}\"
    az: \"{{ item.az }}\"
    map_public: true
    tags: {Name: \"production-{{ item.az }}\"}
  loop:
    - {cidr: 10.20.1.0/24, az: eu-central-1a}
    - {cidr: 10.20.2.0/24, az: eu-central-1b}
  register: subnets

- name: Delete one
  ec2_vpc_subnet: {vpc_id: \"{{ network.vpc.id }}\", cidr: 10.20.2.0/24, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if self.assign_instances_ipv6 && self.ipv6_cidr.is_none() {
            return Err(Failure::new("assign_instances_ipv6 is true, which requires ipv6_cidr"));
        }
        resource::apply(self, context).await
    }
}

impl Ec2VpcSubnet {
    async fn set_map_public(&self, aws: &Aws, id: &str) -> Result<(), Failure> {
        let value = AttributeBooleanValue::builder().value(self.map_public).build();
        let request = aws.ec2().modify_subnet_attribute().subnet_id(id).map_public_ip_on_launch(value);
        Ok(request.send().await.explain("ec2:ModifySubnetAttribute").map(drop)?)
    }

    async fn set_assign_ipv6(&self, aws: &Aws, id: &str) -> Result<(), Failure> {
        let value = AttributeBooleanValue::builder().value(self.assign_instances_ipv6).build();
        let request =
            aws.ec2().modify_subnet_attribute().subnet_id(id).assign_ipv6_address_on_creation(value);
        Ok(request.send().await.explain("ec2:ModifySubnetAttribute").map(drop)?)
    }
}

impl Resource for Ec2VpcSubnet {
    type Current = Subnet;

    const KIND: &'static str = "subnet";
    const TYPE: &'static str = "AWS::EC2::Subnet";
    const UNKNOWN: &'static [&'static str] = &[
        "subnet.id",
        "subnet.subnet_id",
        "subnet.subnet_arn",
        "subnet.owner_id",
        "subnet.availability_zone_id",
    ];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.cidr,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: self.wait.then(|| wait::seconds(self.wait_timeout, 300)),
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Subnet>, Error> {
        let wanted = [filter("vpc-id", [&self.vpc_id]), filter("cidr-block", [&self.cidr])];
        let answer = aws.ec2().describe_subnets().set_filters(Some(wanted.into())).send().await;
        Ok(answer.explain("ec2:DescribeSubnets")?.subnets.unwrap_or_default().into_iter().next())
    }

    fn identity(&self, current: &Subnet) -> Identity {
        Identity {
            id: current.subnet_id().unwrap_or_default().to_owned(),
            arn: current.subnet_arn().map(str::to_owned),
            account: current.owner_id().map(str::to_owned),
        }
    }

    fn current_tags(&self, current: &Subnet) -> Tags {
        tags(current.tags())
    }

    fn returned(&self, current: &Subnet) -> Map<String, Json> {
        Map::from_iter([("subnet".to_owned(), described(current))])
    }

    fn returned_absent(&self, _deleted: Option<&Subnet>) -> Map<String, Json> {
        Map::from_iter([("subnet".to_owned(), json!({}))])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let subnet = json!({
            "vpc_id": self.vpc_id,
            "cidr_block": self.cidr,
            "availability_zone": self.az,
            "map_public_ip_on_launch": self.map_public,
            "assign_ipv6_address_on_creation": self.assign_instances_ipv6,
            "tags": self.tags.as_ref().map(tag::to_json),
        });
        Map::from_iter([("subnet".to_owned(), subnet)])
    }

    fn compare(&self, current: &Subnet, changes: &mut Changes) -> Result<(), Failure> {
        let is = |on: Option<bool>| json!(on == Some(true));
        changes.compare("map_public", &json!(self.map_public), &is(current.map_public_ip_on_launch()));
        changes.compare(
            "assign_instances_ipv6",
            &json!(self.assign_instances_ipv6),
            &is(current.assign_ipv6_address_on_creation()),
        );
        changes.compare("ipv6_cidr", &json!(self.ipv6_cidr), &json!(ipv6(current).map(|(block, _)| block)));
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Subnet, Failure> {
        let answer = aws
            .ec2()
            .create_subnet()
            .vpc_id(&self.vpc_id)
            .cidr_block(&self.cidr)
            .set_availability_zone(self.az.clone())
            .set_ipv6_cidr_block(self.ipv6_cidr.clone())
            .set_tag_specifications(tag_specification(ResourceType::Subnet, self.tags.clone()))
            .send()
            .await
            .explain("ec2:CreateSubnet")?;
        let subnet = answer.subnet.unwrap_or_else(|| Subnet::builder().build());
        let id = subnet.subnet_id().unwrap_or_default();
        if self.map_public {
            self.set_map_public(aws, id).await?;
        }
        if self.assign_instances_ipv6 {
            self.set_assign_ipv6(aws, id).await?;
        }
        Ok(subnet)
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Subnet,
        changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        let id = current.subnet_id().unwrap_or_default();
        if let Some(block) = self.ipv6_cidr.as_ref().filter(|_| changes.has("ipv6_cidr")) {
            if let Some((_, association)) = ipv6(current) {
                let request = aws.ec2().disassociate_subnet_cidr_block().association_id(association);
                request.send().await.explain("ec2:DisassociateSubnetCidrBlock")?;
            }
            let request = aws.ec2().associate_subnet_cidr_block().subnet_id(id).ipv6_cidr_block(block);
            request.send().await.explain("ec2:AssociateSubnetCidrBlock")?;
        }
        if changes.has("map_public") {
            self.set_map_public(aws, id).await?;
        }
        if changes.has("assign_instances_ipv6") {
            self.set_assign_ipv6(aws, id).await?;
        }
        Ok(())
    }

    async fn change_tags(&self, aws: &Aws, current: &Subnet, changes: &TagChanges) -> Result<(), Failure> {
        Ok(change_tags(aws, current.subnet_id().unwrap_or_default(), changes).await?)
    }

    async fn delete(&self, aws: &Aws, current: &Subnet, _context: &Context) -> Result<(), Failure> {
        let request = aws.ec2().delete_subnet().set_subnet_id(current.subnet_id().map(str::to_owned));
        Ok(request.send().await.explain("ec2:DeleteSubnet").map(drop)?)
    }

    fn pending(&self, current: &Subnet) -> Result<Option<String>, Failure> {
        let state = current.state().map_or("unknown", |state| state.as_str());
        Ok((state != "available").then(|| format!("its state is {state}")))
    }
}

/// Returns a subnet as the modules return it.
fn described(subnet: &Subnet) -> Json {
    let mut json = subnet.to_json();
    json["id"] = json!(subnet.subnet_id());
    json["tags"] = tag::to_json(&tags(subnet.tags()));
    let ipv6 = ipv6(subnet);
    json["ipv6_cidr_block"] = json!(ipv6.map_or("", |(block, _)| block));
    json["ipv6_association_id"] = json!(ipv6.map_or("", |(_, association)| association));
    json
}

/// Returns the IPv6 CIDR block and the ID of its association.
fn ipv6(subnet: &Subnet) -> Option<(&str, &str)> {
    let associated = subnet.ipv6_cidr_block_association_set().iter().find(|association| {
        let state = association.ipv6_cidr_block_state().and_then(|state| state.state());
        matches!(state, Some(SubnetCidrBlockStateCode::Associated | SubnetCidrBlockStateCode::Associating))
    })?;
    Some((associated.ipv6_cidr_block()?, associated.association_id()?))
}
