//! `route53_zone`: creates, changes and deletes zones of Route 53.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_route53::types::{
    DnssecStatus, HostedZone, HostedZoneConfig, Tag, TagResourceType, Vpc, VpcRegion,
};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::{bare, full, is_private, zones_of};
use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};

/// Creates, changes or deletes a zone.
///
/// A private zone is the one of this name that shares a VPC with the task, since a VPC has only one zone of a name.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "required_together" = [["vpc_id", "vpc_region"]],
    "mutually_exclusive" = [["vpc_id", "vpcs"], ["vpc_region", "vpcs"]],
))]
pub(crate) struct Route53Zone {
    /// The name of the domain: `example.com`.
    pub zone: String,
    /// Whether the zone is to exist.
    #[serde(default)]
    pub state: Existence,
    /// The ID of the VPC of a private zone.
    pub vpc_id: Option<String>,
    /// The region of that VPC.
    pub vpc_region: Option<String>,
    /// The VPCs of a private zone, instead of `vpc_id`.
    pub vpcs: Option<Vec<Network>>,
    /// The comment.
    #[serde(default)]
    pub comment: String,
    /// The ID of the zone, if there are several of this name. `all` deletes every one of them.
    pub hosted_zone_id: Option<String>,
    /// The ID of the reusable delegation set of a new public zone.
    pub delegation_set_id: Option<String>,
    /// Whether a public zone is signed. The default is the current setting.
    pub dnssec: Option<bool>,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

/// A VPC of a private zone.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
pub(crate) struct Network {
    /// The ID of the VPC.
    pub id: String,
    /// The region of the VPC.
    pub region: String,
}

impl Network {
    fn to_sdk(&self) -> Vpc {
        Vpc::builder().vpc_id(&self.id).vpc_region(VpcRegion::from(self.region.as_str())).build()
    }

    fn of(known: &Vpc) -> Network {
        Network {
            id: known.vpc_id().unwrap_or_default().to_owned(),
            region: known.vpc_region().map(|region| region.as_str().to_owned()).unwrap_or_default(),
        }
    }
}

impl ControllerModule for Route53Zone {
    const DOC: Doc = Doc {
        name: "route53_zone",
        collection: "amazon.aws",
        aliases: &["community.aws.route53_zone"],
        short: "Create, change or delete a zone of Route 53",
        returns: &[
            ("zone_id", "str", "The ID of the zone."),
            ("name", "str", "The name with a dot at its end."),
            ("comment", "str", "The comment."),
            ("private_zone", "bool", "Whether only VPCs see the zone."),
            (
                "vpcs",
                "list",
                "The VPCs of a private zone with id and region; vpc_id and vpc_region are the first.",
            ),
            ("dnssec", "dict", "The signing of a public zone."),
            ("tags", "dict", "The tags."),
            ("result", "raw", "The same members as a dictionary; a text if the zone is deleted."),
        ],
        examples: "\
- name: The zone of the shop
  route53_zone: {zone: example.com, comment: The shop}
  register: zone

- name: Names that only the network knows
  route53_zone:
    zone: internal.example.com
    vpcs: [{id: \"{{ network.vpc.id }}\", region: eu-west-1}]
",
        ..Doc::BUILTIN
    };

    async fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        self.zone = full(&self.zone);
        if self.delegation_set_id.is_some() && !self.networks().is_empty() {
            return Err(Failure::new("a private zone has no delegation set")
                .with_help("Remove `delegation_set_id`, or the VPCs."));
        }
        if self.hosted_zone_id.as_deref() != Some("all") {
            return resource::apply(self, context).await;
        }
        if self.state == Existence::Present {
            return Err(Failure::new("`hosted_zone_id: all` is for `state: absent` only"));
        }
        let aws = Aws::connect(&self.connection, context).await?;
        let mut outcome = Outcome::changed(false).with("result", format!("No zone {} to delete.", self.zone));
        for zone in zones_of(&aws, &self.zone).await? {
            let one = Route53Zone { hosted_zone_id: Some(bare(&zone.id).to_owned()), ..self.clone() };
            outcome = resource::apply(one, context).await?;
        }
        Ok(outcome)
    }
}

/// A zone and everything that belongs to it.
pub(crate) struct Current {
    zone: HostedZone,
    networks: Vec<Network>,
    delegation_set: Option<String>,
    signing: Option<DnssecStatus>,
    tags: Tags,
}

impl Current {
    fn id(&self) -> &str {
        bare(&self.zone.id)
    }

    fn comment(&self) -> &str {
        self.zone.config().and_then(|config| config.comment()).unwrap_or_default()
    }

    fn is_signed(&self) -> bool {
        let status = self.signing.as_ref().and_then(|status| status.serve_signature());
        status.is_some_and(|status| status == "SIGNING")
    }
}

impl Route53Zone {
    /// Returns the VPCs that the task names; none for a public zone.
    fn networks(&self) -> Vec<Network> {
        match (&self.vpcs, &self.vpc_id, &self.vpc_region) {
            (Some(all), _, _) => all.clone(),
            (None, Some(id), Some(region)) => vec![Network { id: id.clone(), region: region.clone() }],
            _ => Vec::new(),
        }
    }

    async fn read(&self, aws: &Aws, id: &str) -> Result<Option<Current>, Error> {
        let answer = aws.route53().get_hosted_zone().id(id).send().await;
        let Some(found) = answer.missing("route53:GetHostedZone", &["NoSuchHostedZone"])? else {
            return Ok(None);
        };
        let Some(zone) = found.hosted_zone else { return Ok(None) };
        let id = bare(&zone.id).to_owned();
        let networks: Vec<Network> = found.vpcs.unwrap_or_default().iter().map(Network::of).collect();
        let signing = match is_private(&zone) {
            true => None,
            false => {
                let answer = aws.route53().get_dnssec().hosted_zone_id(&id).send().await;
                answer.explain("route53:GetDNSSEC")?.status
            }
        };
        let request = aws.route53().list_tags_for_resource().resource_type(TagResourceType::Hostedzone);
        let answer = request.resource_id(&id).send().await.explain("route53:ListTagsForResource")?;
        let tags = answer.resource_tag_set.and_then(|set| set.tags).unwrap_or_default();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let tags = tags.iter().map(|tag| (text(tag.key()), text(tag.value()))).collect();
        let delegation_set = found.delegation_set.and_then(|set| set.id).map(|id| bare(&id).to_owned());
        Ok(Some(Current { zone, networks, delegation_set, signing, tags }))
    }

    fn values(members: Json) -> Map<String, Json> {
        let mut all = match &members {
            Json::Object(members) => members.clone(),
            _ => Map::new(),
        };
        all.insert("result".to_owned(), members);
        all
    }

    async fn associate(&self, aws: &Aws, id: &str, networks: &[Network]) -> Result<(), Failure> {
        for network in networks {
            let request = aws.route53().associate_vpc_with_hosted_zone().hosted_zone_id(id);
            let answer = request.vpc(network.to_sdk()).send().await;
            answer.explain("route53:AssociateVPCWithHostedZone")?;
        }
        Ok(())
    }
}

/// Returns the VPCs that the second list lacks.
fn lacking(all: &[Network], of: &[Network]) -> Vec<Network> {
    all.iter().filter(|network| !of.contains(network)).cloned().collect()
}

impl Resource for Route53Zone {
    type Current = Current;

    const KIND: &'static str = "zone";
    const TYPE: &'static str = "AWS::Route53::HostedZone";
    const UNKNOWN: &'static [&'static str] = &["zone_id", "result.zone_id"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.zone,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let networks = self.networks();
        let wanted = self.hosted_zone_id.as_deref().map(bare);
        let mut found = Vec::new();
        for zone in zones_of(aws, &self.zone).await? {
            let listed = match wanted {
                Some(id) => id == bare(&zone.id),
                None => is_private(&zone) != networks.is_empty(),
            };
            if !listed {
                continue;
            }
            let Some(current) = self.read(aws, &zone.id).await? else { continue };
            let shared = current.networks.iter().any(|network| networks.contains(network));
            if wanted.is_some() || networks.is_empty() || shared {
                found.push(current);
            }
        }
        if found.len() > 1 {
            let ids: Vec<&str> = found.iter().map(Current::id).collect();
            return Err(Error::new(format!("there are several zones {}: {}", self.zone, ids.join(", ")))
                .with_help("Give the `hosted_zone_id` of one of them."));
        }
        let found = found.pop();
        if let (None, Some(id), Existence::Present) = (&found, wanted, self.state) {
            return Err(Error::new(format!("there is no zone {} with the ID {id}", self.zone))
                .with_help("Check the ID and the account, or remove `hosted_zone_id` to create a zone."));
        }
        // A zone of more or fewer VPCs is not the one to delete.
        Ok(found.filter(|current| {
            let same =
                lacking(&networks, &current.networks).is_empty() && networks.len() == current.networks.len();
            self.state == Existence::Present || wanted.is_some() || same
        }))
    }

    async fn find_again(&self, aws: &Aws, known: &Current) -> Result<Option<Current>, Error> {
        self.read(aws, known.id()).await
    }

    fn identity(&self, current: &Current) -> Identity {
        let arn = Some(format!("arn:aws:route53:::hostedzone/{}", current.id()));
        Identity { id: current.id().to_owned(), arn, account: None }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        current.tags.clone()
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        let private = is_private(&current.zone);
        let first = current.networks.first();
        let mut members = json!({
            "zone_id": current.id(), "name": full(&current.zone.name), "comment": current.comment(),
            "private_zone": private, "delegation_set_id": current.delegation_set,
            "vpc_id": first.map(|network| &network.id), "vpc_region": first.map(|network| &network.region),
            "vpcs": private.then_some(&current.networks), "tags": tag::to_json(&current.tags),
        });
        if let Some(status) = &current.signing {
            let mut signing = json!({"serve_signature": status.serve_signature()});
            if let Some(message) = status.status_message() {
                signing["status_message"] = json!(message);
            }
            members["dnssec"] = json!({"status": signing});
        }
        Route53Zone::values(members)
    }

    fn returned_absent(&self, deleted: Option<&Current>) -> Map<String, Json> {
        let text = match deleted {
            Some(_) => format!("Successfully deleted {}", self.zone),
            None if self.networks().is_empty() => "No zone to delete.".to_owned(),
            None => "The VPCs do not match a private hosted zone.".to_owned(),
        };
        Map::from_iter([("result".to_owned(), text.into())])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let networks = self.networks();
        let first = networks.first();
        Route53Zone::values(json!({
            "name": self.zone, "comment": self.comment, "private_zone": !networks.is_empty(),
            "delegation_set_id": self.delegation_set_id, "vpc_id": first.map(|network| &network.id),
            "vpc_region": first.map(|network| &network.region),
            "vpcs": (!networks.is_empty()).then_some(&networks), "tags": tag::of_new(self.tags.as_ref()),
        }))
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        if self.comment != current.comment() {
            changes.note("comment", json!(current.comment()), json!(self.comment));
        }
        let networks = self.networks();
        if !networks.is_empty() {
            changes.compare("vpcs", &json!(networks), &json!(current.networks));
        }
        if let Some(asked) = self.delegation_set_id.as_deref().map(bare)
            && current.delegation_set.as_deref() != Some(asked)
        {
            return Err(Failure::new(format!(
                "the zone {} has another delegation set than {asked}, and Route 53 cannot change it",
                self.zone
            ))
            .with_help("Remove `delegation_set_id`, or delete the zone and create it again."));
        }
        if let Some(asked) = self.dnssec.filter(|asked| *asked != current.is_signed()) {
            changes.note("dnssec", json!(!asked), json!(asked));
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        let networks = self.networks();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let config = HostedZoneConfig::builder().comment(&self.comment).private_zone(!networks.is_empty());
        let request = aws
            .route53()
            .create_hosted_zone()
            .name(&self.zone)
            .caller_reference(format!("playbook {} {}", self.zone, now.as_nanos()))
            .hosted_zone_config(config.build())
            .set_vpc(networks.first().map(Network::to_sdk))
            .set_delegation_set_id(self.delegation_set_id.clone());
        let made = request.send().await.explain("route53:CreateHostedZone")?;
        let Some(zone) = made.hosted_zone else {
            return Err(Failure::new(format!(
                "Route 53 created the zone {}, but did not return it",
                self.zone
            )));
        };
        Ok(Current { zone, networks: Vec::new(), delegation_set: None, signing: None, tags: Tags::new() })
    }

    async fn complete(&self, aws: &Aws, current: &Current) -> Result<bool, Failure> {
        let networks = lacking(&self.networks(), &current.networks);
        self.associate(aws, current.id(), &networks).await?;
        let tags = TagChanges::between(&current.tags, self.tags.as_ref(), false);
        if !tags.is_empty() {
            self.change_tags(aws, current, &tags).await?;
        }
        let sign = self.dnssec == Some(true) && !current.is_signed();
        if sign {
            let request = aws.route53().enable_hosted_zone_dnssec().hosted_zone_id(current.id());
            request.send().await.explain("route53:EnableHostedZoneDNSSEC")?;
        }
        Ok(sign || !tags.is_empty() || !networks.is_empty())
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        if changes.has("comment") {
            let request = aws.route53().update_hosted_zone_comment().id(current.id()).comment(&self.comment);
            request.send().await.explain("route53:UpdateHostedZoneComment")?;
        }
        if changes.has("vpcs") {
            // New ones first: a private zone always has one.
            let asked = self.networks();
            self.associate(aws, current.id(), &lacking(&asked, &current.networks)).await?;
            for network in lacking(&current.networks, &asked) {
                let request = aws.route53().disassociate_vpc_from_hosted_zone().hosted_zone_id(current.id());
                let answer = request.vpc(network.to_sdk()).send().await;
                answer.explain("route53:DisassociateVPCFromHostedZone")?;
            }
        }
        match self.dnssec.filter(|_| changes.has("dnssec")) {
            Some(true) => {
                let request = aws.route53().enable_hosted_zone_dnssec().hosted_zone_id(current.id());
                request.send().await.explain("route53:EnableHostedZoneDNSSEC")?;
            }
            Some(false) => {
                let request = aws.route53().disable_hosted_zone_dnssec().hosted_zone_id(current.id());
                request.send().await.explain("route53:DisableHostedZoneDNSSEC")?;
            }
            None => {}
        }
        Ok(())
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        let add = changes.set.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let request = aws
            .route53()
            .change_tags_for_resource()
            .resource_type(TagResourceType::Hostedzone)
            .resource_id(current.id())
            .set_add_tags(Some(add.collect()).filter(|tags: &Vec<Tag>| !tags.is_empty()))
            .set_remove_tag_keys(Some(changes.remove.clone()).filter(|keys| !keys.is_empty()));
        Ok(request.send().await.explain("route53:ChangeTagsForResource").map(drop)?)
    }

    async fn delete(&self, aws: &Aws, current: &Current, _context: &Context) -> Result<(), Failure> {
        let request = aws.route53().delete_hosted_zone().id(current.id());
        Ok(request.send().await.explain("route53:DeleteHostedZone").map(drop)?)
    }
}
