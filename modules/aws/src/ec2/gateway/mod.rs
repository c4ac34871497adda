//! `ec2_vpc_igw`: creates, attaches and deletes internet gateways.

pub(crate) mod info;

use aws_sdk_ec2::types::{InternetGateway, ResourceType};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::ec2::{change_tags, filter, tag_specification, tags};
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};

/// Creates, attaches or deletes an internet gateway.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["state", "absent", ["internet_gateway_id", "vpc_id"], true]]))]
pub(crate) struct Ec2VpcIgw {
    /// The ID of an existing gateway. By default it is the one that is attached to `vpc_id`.
    pub internet_gateway_id: Option<String>,
    /// The ID of the VPC to attach the gateway to.
    pub vpc_id: Option<String>,
    /// Whether to detach the gateway from its VPC.
    #[serde(default)]
    pub detach_vpc: bool,
    /// Whether to detach a gateway that is attached to another VPC, in order to attach it to `vpc_id`.
    #[serde(default)]
    pub force_attach: bool,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the gateway is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for Ec2VpcIgw {
    const DOC: Doc = Doc {
        name: "ec2_vpc_igw",
        collection: "amazon.aws",
        short: "Create, attach or delete an internet gateway",
        returns: &[
            ("gateway_id", "str", "The ID of the gateway."),
            ("vpc_id", "str", "The ID of the VPC that it is attached to."),
            ("tags", "dict", "The tags."),
        ],
        examples: "\
- name: A gateway to the internet
  ec2_vpc_igw:
    vpc_id: \"{{ network.vpc.id }}\"
    tags: {Name: production}
  register: gateway

- name: Delete it
  ec2_vpc_igw: {vpc_id: \"{{ network.vpc.id }}\", state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        resource::apply(self, context).await
    }
}

/// Returns the ID of the VPC that a gateway is attached to.
fn attached(gateway: &InternetGateway) -> Option<&str> {
    gateway.attachments().iter().find_map(|attachment| attachment.vpc_id())
}

fn id(gateway: &InternetGateway) -> &str {
    gateway.internet_gateway_id().unwrap_or_default()
}

/// Returns the gateway that is attached to a VPC.
pub(crate) async fn of_vpc(aws: &Aws, vpc: &str) -> Result<Option<InternetGateway>, Error> {
    let request = aws.ec2().describe_internet_gateways().filters(filter("attachment.vpc-id", [vpc]));
    let found = request.send().await.explain("ec2:DescribeInternetGateways")?;
    Ok(found.internet_gateways.unwrap_or_default().into_iter().next())
}

impl Ec2VpcIgw {
    /// Returns the VPC that the gateway is to be attached to.
    fn wanted(&self) -> Option<&str> {
        self.vpc_id.as_deref().filter(|_| !self.detach_vpc)
    }

    async fn attach(&self, aws: &Aws, gateway: &str, vpc: &str) -> Result<(), Error> {
        let request = aws.ec2().attach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc);
        request.send().await.explain("ec2:AttachInternetGateway").map(drop)
    }

    async fn detach(&self, aws: &Aws, gateway: &InternetGateway) -> Result<(), Error> {
        let Some(vpc) = attached(gateway) else { return Ok(()) };
        let request = aws.ec2().detach_internet_gateway().internet_gateway_id(id(gateway)).vpc_id(vpc);
        request.send().await.explain("ec2:DetachInternetGateway").map(drop)
    }

    async fn by_id(&self, aws: &Aws, id: &str) -> Result<Option<InternetGateway>, Error> {
        let request = aws.ec2().describe_internet_gateways().filters(filter("internet-gateway-id", [id]));
        let found = request.send().await.explain("ec2:DescribeInternetGateways")?;
        Ok(found.internet_gateways.unwrap_or_default().into_iter().next())
    }
}

impl Resource for Ec2VpcIgw {
    type Current = InternetGateway;

    const KIND: &'static str = "internet gateway";
    const TYPE: &'static str = "AWS::EC2::InternetGateway";
    const UNKNOWN: &'static [&'static str] = &["gateway_id"];

    fn common(&self) -> Common<'_> {
        let name = self.tags.as_ref().and_then(|tags| tags.get("Name")).map(String::as_str);
        Common {
            connection: &self.connection,
            name: self.internet_gateway_id.as_deref().or(name).or(self.vpc_id.as_deref()).unwrap_or_default(),
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<InternetGateway>, Error> {
        match (&self.internet_gateway_id, &self.vpc_id) {
            (Some(id), _) => {
                let found = self.by_id(aws, id).await?;
                if found.is_none() && self.state == Existence::Present {
                    return Err(Error::new(format!("there is no internet gateway {id}")).with_help(
                        "Check `internet_gateway_id` and `region`; without an ID a new gateway is created.",
                    ));
                }
                Ok(found)
            }
            (None, Some(vpc)) => of_vpc(aws, vpc).await,
            (None, None) => Ok(None),
        }
    }

    async fn find_again(&self, aws: &Aws, known: &InternetGateway) -> Result<Option<InternetGateway>, Error> {
        self.by_id(aws, id(known)).await
    }

    fn identity(&self, current: &InternetGateway) -> Identity {
        Identity {
            id: id(current).to_owned(),
            account: current.owner_id().map(str::to_owned),
            ..Identity::default()
        }
    }

    fn current_tags(&self, current: &InternetGateway) -> Tags {
        tags(current.tags())
    }

    fn returned(&self, current: &InternetGateway) -> Map<String, Json> {
        Map::from_iter([
            ("gateway_id".to_owned(), json!(id(current))),
            ("vpc_id".to_owned(), json!(attached(current))),
            ("tags".to_owned(), tag::to_json(&tags(current.tags()))),
        ])
    }

    fn foreseen(&self) -> Map<String, Json> {
        Map::from_iter([
            ("vpc_id".to_owned(), json!(self.wanted())),
            ("tags".to_owned(), tag::of_new(self.tags.as_ref())),
        ])
    }

    fn compare(&self, current: &InternetGateway, changes: &mut Changes) -> Result<(), Failure> {
        let vpc = attached(current);
        match self.wanted() {
            None if self.detach_vpc && vpc.is_some() => changes.note("vpc_id", json!(vpc), Json::Null),
            Some(wanted) if vpc.is_some_and(|vpc| vpc != wanted) && !self.force_attach => {
                return Err(Failure::new("VPC already attached, but does not match requested VPC.")
                    .with_help("Set force_attach to move the gateway."));
            }
            Some(wanted) => changes.compare("vpc_id", &json!(wanted), &json!(vpc)),
            None => {}
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<InternetGateway, Failure> {
        let tags = tag_specification(ResourceType::InternetGateway, self.tags.clone());
        let request = aws.ec2().create_internet_gateway().set_tag_specifications(tags);
        let made = request.send().await.explain("ec2:CreateInternetGateway")?;
        Ok(made.internet_gateway.unwrap_or_else(|| InternetGateway::builder().build()))
    }

    async fn complete(&self, aws: &Aws, current: &InternetGateway) -> Result<bool, Failure> {
        let Some(vpc) = self.wanted() else { return Ok(false) };
        self.attach(aws, id(current), vpc).await?;
        Ok(true)
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &InternetGateway,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        self.detach(aws, current).await?;
        if let Some(vpc) = self.wanted() {
            self.attach(aws, id(current), vpc).await?;
        }
        Ok(())
    }

    async fn change_tags(
        &self,
        aws: &Aws,
        current: &InternetGateway,
        changes: &TagChanges,
    ) -> Result<(), Failure> {
        Ok(change_tags(aws, id(current), changes).await?)
    }

    async fn delete(&self, aws: &Aws, current: &InternetGateway, _context: &Context) -> Result<(), Failure> {
        self.detach(aws, current).await?;
        let request = aws.ec2().delete_internet_gateway().internet_gateway_id(id(current));
        Ok(request.send().await.explain("ec2:DeleteInternetGateway").map(drop)?)
    }
}
