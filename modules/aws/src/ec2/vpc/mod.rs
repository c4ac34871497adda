//! `ec2_vpc_net`: creates, changes and deletes VPCs.

pub(crate) mod info;

use aws_sdk_ec2::types::{
    AttributeBooleanValue, ResourceType, Tenancy, Vpc, VpcAttributeName, VpcCidrBlockStateCode,
};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::ec2::{change_tags, filter, tag_specification, tags, with_name};
use crate::error::Explain;
use crate::json::ToJson;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};

/// Creates, changes or deletes a VPC.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Ec2VpcNet {
    /// The name, which is the tag `Name`. With the primary CIDR block it identifies the VPC.
    pub name: Option<String>,
    /// The ID of an existing VPC.
    pub vpc_id: Option<String>,
    /// The CIDR blocks; the first is the primary one, which cannot be changed.
    pub cidr_block: Option<Vec<String>>,
    /// Whether to have an IPv6 CIDR block of Amazon's, with a prefix of 56 bits. The default is the current state; none for
    /// a new VPC.
    pub ipv6_cidr: Option<bool>,
    /// Whether to remove CIDR blocks that are not listed in `cidr_block`.
    #[serde(default)]
    pub purge_cidrs: bool,
    /// The tenancy of instances.
    #[serde(default)]
    pub tenancy: InstanceTenancy,
    /// Whether Amazon's DNS server answers in the VPC. The default is the current state; true for a new VPC.
    pub dns_support: Option<bool>,
    /// Whether instances get DNS names. It requires `dns_support`. The default is the current state; true for a new VPC.
    pub dns_hostnames: Option<bool>,
    /// The ID of the DHCP options.
    pub dhcp_opts_id: Option<String>,
    /// Whether to create another VPC if there is one with the same name and CIDR block.
    #[serde(default)]
    pub multi_ok: bool,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the VPC is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

/// The tenancy of instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InstanceTenancy {
    /// Instances choose it.
    #[default]
    Default,
    /// All instances run on hardware of their own.
    Dedicated,
}

impl ControllerModule for Ec2VpcNet {
    const DOC: Doc = Doc {
        name: "ec2_vpc_net",
        collection: "amazon.aws",
        short: "Create, change or delete a VPC",
        returns: &[(
            "vpc",
            "dict",
            "The VPC as DescribeVpcs tells it, members in snake_case: id, cidr_block, cidr_block_association_set, dhcp_options_id, instance_tenancy, is_default, owner_id, state, tags, …",
        )],
        examples: "\
- name: The network
  ec2_vpc_net:
    name: production
    cidr_block: 10.20.0.0/16
    tags: {project: webapp}
  register: network

- name: Delete it
  ec2_vpc_net: {name: production, cidr_block: 10.20.0.0/16, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if self.dns_hostnames == Some(true) && self.dns_support == Some(false) {
            return Err(Failure::new("dns_hostnames is true, which requires dns_support")
                .with_help("Leave `dns_support` out, or set `dns_hostnames: false`."));
        }
        resource::apply(self, context).await
    }
}

/// A VPC and its attributes.
pub(crate) struct Current {
    vpc: Vpc,
    dns_support: bool,
    dns_hostnames: bool,
}

impl Ec2VpcNet {
    /// Returns the desired tags, with the name.
    fn named_tags(&self) -> Option<Tags> {
        with_name(self.tags.as_ref(), self.name.as_deref())
    }

    fn cidr_blocks(&self) -> &[String] {
        self.cidr_block.as_deref().unwrap_or_default()
    }

    /// Returns the attributes of a VPC.
    async fn current(aws: &Aws, vpc: Vpc) -> Result<Current, Error> {
        let id = vpc.vpc_id().unwrap_or_default().to_owned();
        let attribute = async |name: VpcAttributeName| {
            let request = aws.ec2().describe_vpc_attribute().vpc_id(&id).attribute(name);
            request.send().await.explain("ec2:DescribeVpcAttribute")
        };
        let (support, hostnames) = tokio::join!(
            attribute(VpcAttributeName::EnableDnsSupport),
            attribute(VpcAttributeName::EnableDnsHostnames)
        );
        let is = |value: Option<&AttributeBooleanValue>| {
            value.and_then(AttributeBooleanValue::value) == Some(true)
        };
        Ok(Current {
            dns_support: is(support?.enable_dns_support()),
            dns_hostnames: is(hostnames?.enable_dns_hostnames()),
            vpc,
        })
    }

    async fn by_id(aws: &Aws, id: &str) -> Result<Option<Current>, Error> {
        let answer = aws.ec2().describe_vpcs().vpc_ids(id).send().await;
        let found = answer.missing("ec2:DescribeVpcs", &["InvalidVpcID.NotFound"])?;
        match found.and_then(|answer| answer.vpcs.unwrap_or_default().into_iter().next()) {
            Some(vpc) => Ok(Some(Self::current(aws, vpc).await?)),
            None => Ok(None),
        }
    }

    async fn set_attribute(aws: &Aws, id: &str, name: VpcAttributeName, on: bool) -> Result<(), Error> {
        let value = AttributeBooleanValue::builder().value(on).build();
        let request = aws.ec2().modify_vpc_attribute().vpc_id(id);
        let request = match name {
            VpcAttributeName::EnableDnsSupport => request.enable_dns_support(value),
            _ => request.enable_dns_hostnames(value),
        };
        request.send().await.explain("ec2:ModifyVpcAttribute").map(drop)
    }
}

impl Resource for Ec2VpcNet {
    type Current = Current;

    const KIND: &'static str = "VPC";
    const TYPE: &'static str = "AWS::EC2::VPC";
    const UNKNOWN: &'static [&'static str] = &["vpc.id", "vpc.vpc_id", "vpc.owner_id", "vpc.dhcp_options_id"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: self.name.as_deref().or(self.vpc_id.as_deref()).unwrap_or_default(),
            state: self.state,
            tags: self.named_tags(),
            purge_tags: self.purge_tags && self.tags.is_some(),
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        if let Some(id) = &self.vpc_id {
            let found = Self::by_id(aws, id).await?;
            if found.is_none() && self.state == Existence::Present {
                return Err(
                    Error::new(format!("there is no VPC {id}")).with_help("Check `vpc_id` and `region`.")
                );
            }
            return Ok(found);
        }
        if self.multi_ok && self.state == Existence::Present {
            return Ok(None);
        }
        let blocks = self.cidr_blocks().iter().map(|block| block.split_whitespace().collect::<String>());
        let wanted = [filter("tag:Name", self.name.as_deref()), filter("cidr-block", blocks)];
        let answer = aws.ec2().describe_vpcs().set_filters(Some(wanted.into())).send().await;
        let mut found = answer.explain("ec2:DescribeVpcs")?.vpcs.unwrap_or_default();
        if found.len() > 1 {
            let ids: Vec<&str> = found.iter().filter_map(|vpc| vpc.vpc_id()).collect();
            return Err(Error::new(format!(
                "{} VPCs have this name and CIDR block: {}",
                found.len(),
                ids.join(", ")
            ))
            .with_help("Give the `vpc_id` of one of them, or `multi_ok: true` to create another."));
        }
        match found.pop() {
            Some(vpc) => Ok(Some(Self::current(aws, vpc).await?)),
            None => Ok(None),
        }
    }

    async fn find_again(&self, aws: &Aws, known: &Current) -> Result<Option<Current>, Error> {
        Self::by_id(aws, known.vpc.vpc_id().unwrap_or_default()).await
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity {
            id: current.vpc.vpc_id().unwrap_or_default().to_owned(),
            account: current.vpc.owner_id().map(str::to_owned),
            ..Identity::default()
        }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        tags(current.vpc.tags())
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        let mut vpc = described(&current.vpc);
        vpc["name"] = json!(tags(current.vpc.tags()).get("Name"));
        Map::from_iter([("vpc".to_owned(), vpc)])
    }

    fn returned_absent(&self, _deleted: Option<&Current>) -> Map<String, Json> {
        Map::from_iter([("vpc".to_owned(), json!({}))])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let vpc = json!({
            "cidr_block": self.cidr_blocks().first(),
            "instance_tenancy": self.tenancy,
            "is_default": false,
            "name": self.name,
            "tags": self.named_tags().as_ref().map(tag::to_json),
        });
        Map::from_iter([("vpc".to_owned(), vpc)])
    }

    fn check_creation(&self) -> Result<(), Failure> {
        match (&self.name, self.cidr_blocks()) {
            (Some(_), [_, ..]) => Ok(()),
            _ => Err(Failure::new("a new VPC needs `name` and `cidr_block`")),
        }
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let vpc = &current.vpc;
        let blocks = associated(vpc);
        let is: Vec<&str> = blocks.iter().map(|(block, _)| *block).collect();
        let kept = is.iter().filter(|block| {
            !self.purge_cidrs
                || Some(**block) == vpc.cidr_block()
                || self.cidr_block.as_ref().is_none_or(|asked| asked.iter().any(|a| a == *block))
        });
        let mut wanted: Vec<&str> = kept.copied().collect();
        let added = self.cidr_blocks().iter().map(String::as_str).filter(|block| !is.contains(block));
        wanted.extend(added.collect::<Vec<_>>());
        changes.compare("cidr_block", &json!(wanted), &json!(is));
        if let Some(ipv6) = self.ipv6_cidr {
            changes.compare("ipv6_cidr", &json!(ipv6), &json!(!amazons(vpc).is_empty()));
        }
        for (name, asked, is) in [
            ("dns_support", self.dns_support, current.dns_support),
            ("dns_hostnames", self.dns_hostnames, current.dns_hostnames),
        ] {
            changes.compare(name, &json!(asked), &json!(is));
        }
        changes.compare("dhcp_opts_id", &json!(self.dhcp_opts_id), &json!(vpc.dhcp_options_id()));
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        let tenancy = match self.tenancy {
            InstanceTenancy::Default => Tenancy::Default,
            InstanceTenancy::Dedicated => Tenancy::Dedicated,
        };
        let answer = aws
            .ec2()
            .create_vpc()
            .set_cidr_block(self.cidr_blocks().first().cloned())
            .instance_tenancy(tenancy)
            .set_amazon_provided_ipv6_cidr_block(self.ipv6_cidr)
            .set_tag_specifications(tag_specification(ResourceType::Vpc, self.named_tags()))
            .send()
            .await
            .explain("ec2:CreateVpc")?;
        let id = answer.vpc().and_then(|vpc| vpc.vpc_id()).unwrap_or_default().to_owned();
        for block in self.cidr_blocks().iter().skip(1) {
            let request = aws.ec2().associate_vpc_cidr_block().vpc_id(&id).cidr_block(block);
            request.send().await.explain("ec2:AssociateVpcCidrBlock")?;
        }
        Self::set_attribute(aws, &id, VpcAttributeName::EnableDnsSupport, self.dns_support.unwrap_or(true))
            .await?;
        Self::set_attribute(
            aws,
            &id,
            VpcAttributeName::EnableDnsHostnames,
            self.dns_hostnames.unwrap_or(true),
        )
        .await?;
        if let Some(options) = &self.dhcp_opts_id {
            let request = aws.ec2().associate_dhcp_options().vpc_id(&id).dhcp_options_id(options);
            request.send().await.explain("ec2:AssociateDhcpOptions")?;
        }
        Ok(Current { vpc: Vpc::builder().vpc_id(id).build(), dns_support: true, dns_hostnames: true })
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        let id = current.vpc.vpc_id().unwrap_or_default();
        if let (Some(before), Some(after)) =
            (changes.before.get("cidr_block"), changes.after.get("cidr_block"))
        {
            let has =
                |list: &Json, block: &str| list.as_array().is_some_and(|l| l.iter().any(|b| b == block));
            for (block, association) in associated(&current.vpc) {
                if !has(after, block) {
                    let request = aws.ec2().disassociate_vpc_cidr_block().association_id(association);
                    request.send().await.explain("ec2:DisassociateVpcCidrBlock")?;
                }
            }
            for block in after.as_array().into_iter().flatten().filter_map(Json::as_str) {
                if !has(before, block) {
                    let request = aws.ec2().associate_vpc_cidr_block().vpc_id(id).cidr_block(block);
                    request.send().await.explain("ec2:AssociateVpcCidrBlock")?;
                }
            }
        }
        match self.ipv6_cidr.filter(|_| changes.has("ipv6_cidr")) {
            Some(true) => {
                let request =
                    aws.ec2().associate_vpc_cidr_block().vpc_id(id).amazon_provided_ipv6_cidr_block(true);
                request.send().await.explain("ec2:AssociateVpcCidrBlock")?;
            }
            Some(false) => {
                for association in amazons(&current.vpc) {
                    let request = aws.ec2().disassociate_vpc_cidr_block().association_id(association);
                    request.send().await.explain("ec2:DisassociateVpcCidrBlock")?;
                }
            }
            None => {}
        }
        for (name, attribute, on) in [
            ("dns_support", VpcAttributeName::EnableDnsSupport, self.dns_support),
            ("dns_hostnames", VpcAttributeName::EnableDnsHostnames, self.dns_hostnames),
        ] {
            if let Some(on) = on.filter(|_| changes.has(name)) {
                Self::set_attribute(aws, id, attribute, on).await?;
            }
        }
        if let Some(options) = self.dhcp_opts_id.as_ref().filter(|_| changes.has("dhcp_opts_id")) {
            let request = aws.ec2().associate_dhcp_options().vpc_id(id).dhcp_options_id(options);
            request.send().await.explain("ec2:AssociateDhcpOptions")?;
        }
        Ok(())
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        Ok(change_tags(aws, current.vpc.vpc_id().unwrap_or_default(), changes).await?)
    }

    async fn delete(&self, aws: &Aws, current: &Current, _context: &Context) -> Result<(), Failure> {
        let request = aws.ec2().delete_vpc().set_vpc_id(current.vpc.vpc_id().map(str::to_owned));
        Ok(request.send().await.explain("ec2:DeleteVpc").map(drop)?)
    }

    fn pending(&self, current: &Current) -> Result<Option<String>, Failure> {
        let state = current.vpc.state().map_or("unknown", |state| state.as_str());
        Ok((state != "available").then(|| format!("its state is {state}")))
    }
}

/// Returns a VPC as the modules return it.
pub(crate) fn described(vpc: &Vpc) -> Json {
    let mut json = vpc.to_json();
    json["id"] = json!(vpc.vpc_id());
    json["tags"] = tag::to_json(&tags(vpc.tags()));
    json
}

/// Returns the IPv4 CIDR blocks that are associated or about to be, with the IDs of their associations.
fn associated(vpc: &Vpc) -> Vec<(&str, &str)> {
    let blocks = vpc.cidr_block_association_set().iter().filter(|association| {
        let state = association.cidr_block_state().and_then(|state| state.state());
        matches!(state, Some(VpcCidrBlockStateCode::Associated | VpcCidrBlockStateCode::Associating))
    });
    blocks.map(|a| (a.cidr_block().unwrap_or_default(), a.association_id().unwrap_or_default())).collect()
}

/// Returns the IDs of the associations of Amazon's IPv6 CIDR blocks.
fn amazons(vpc: &Vpc) -> Vec<&str> {
    let blocks = vpc.ipv6_cidr_block_association_set().iter().filter(|association| {
        let state = association.ipv6_cidr_block_state().and_then(|state| state.state());
        association.ipv6_pool().is_none_or(|pool| pool == "Amazon")
            && matches!(state, Some(VpcCidrBlockStateCode::Associated | VpcCidrBlockStateCode::Associating))
    });
    blocks.filter_map(|association| association.association_id()).collect()
}
