//! `ec2_security_group`: creates, changes and deletes security groups.

pub(crate) mod info;
mod rule;

use aws_sdk_ec2::types::{ResourceType, SecurityGroup};
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
use rule::{Groups, RuleChanges, RuleOption, Rules};

/// Creates, changes or deletes a security group.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "required_one_of" = [["name", "group_id"]],
    "required_if" = [["state", "present", ["name", "description"]]],
))]
pub(crate) struct Ec2SecurityGroup {
    /// The name, which is unique in its VPC.
    pub name: Option<String>,
    /// The ID of an existing group, instead of `name` and `vpc_id`.
    pub group_id: Option<String>,
    /// The description. It cannot be changed.
    pub description: Option<String>,
    /// The ID of the VPC. The default for a new group is the default VPC.
    pub vpc_id: Option<String>,
    /// The incoming requests that the group allows. Without this argument the group allows none, unless `purge_rules` is
    /// false.
    pub rules: Option<Vec<RuleOption>>,
    /// The outgoing requests that the group allows. The default leaves them as they are; a new group allows all.
    #[schemars(extend("aliases" = ["egress_rules"]))]
    pub rules_egress: Option<Vec<RuleOption>>,
    /// Whether to remove incoming rules that are not listed in `rules`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_rules: bool,
    /// Whether to remove outgoing rules that are not listed in `rules_egress`.
    #[serde(default = "playbook_api::defaults::yes")]
    #[schemars(extend("aliases" = ["purge_egress_rules"]))]
    pub purge_rules_egress: bool,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the security group is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for Ec2SecurityGroup {
    const DOC: Doc = Doc {
        name: "ec2_security_group",
        collection: "amazon.aws",
        aliases: &["ec2_group"],
        short: "Create, change or delete a security group",
        returns: &[
            ("group_id", "str", "The ID of the group."),
            ("group_name", "str", "The name of the group."),
            ("description", "str", "The description of the group."),
            ("vpc_id", "str", "The ID of its VPC."),
            ("owner_id", "str", "The ID of its account."),
            ("security_group_arn", "str", "The ARN of the group."),
            ("ip_permissions", "list", "The incoming rules as DescribeSecurityGroups tells them."),
            ("ip_permissions_egress", "list", "The outgoing rules as DescribeSecurityGroups tells them."),
            ("tags", "dict", "The tags."),
        ],
        examples: "\
- name: Requests from the internet
  ec2_security_group:
    name: web
    description: Requests from the internet
    vpc_id: \"{{ network.vpc.id }}\"
    rules:
      - {ports: [80, 443], cidr_ip: 0.0.0.0/0, rule_desc: HTTP and HTTPS}
    tags: {project: webapp}
  register: web

- name: The database, which only the web server reaches
  ec2_security_group:
    name: database
    description: Connections of the application
    vpc_id: \"{{ network.vpc.id }}\"
    rules:
      - {ports: 5432, group_id: \"{{ web.group_id }}\"}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        // Rules that cannot be read are an error even if the group is only to be deleted.
        let mut warnings = Vec::new();
        self.asked(&Groups::new(), &mut warnings)?;
        let description = self.description.clone().filter(|_| self.state == Existence::Present);
        let mut outcome = resource::apply(self, context).await?;
        let found = outcome.values.get("description").and_then(|found| found.as_str());
        if description.zip(found).is_some_and(|(asked, found)| asked != found) {
            warnings.push(
                "Group description does not match existing group. Descriptions cannot be changed without deleting \
                and re-creating the security group. Try using state=absent to delete, then rerunning this task."
                    .to_owned(),
            );
        }
        outcome.warnings.extend(warnings);
        Ok(outcome)
    }
}

/// The rules that a task asks for.
#[derive(Debug)]
struct Asked {
    incoming: Option<Rules>,
    outgoing: Option<Rules>,
}

/// A group, and the rules that it is to have.
pub(crate) struct Current {
    group: SecurityGroup,
    asked: Asked,
}

impl Current {
    fn id(&self) -> &str {
        self.group.group_id().unwrap_or_default()
    }

    fn rules(&self, outgoing: bool) -> Rules {
        let permissions =
            if outgoing { self.group.ip_permissions_egress() } else { self.group.ip_permissions() };
        rule::described(permissions, self.group.owner_id())
    }
}

impl Ec2SecurityGroup {
    /// Returns the rules that the arguments ask for; `groups` are those that exist.
    fn asked(&self, groups: &Groups, warnings: &mut Vec<String>) -> Result<Asked, Failure> {
        let mut rules = |options: Option<&Vec<RuleOption>>| {
            options.map(|options| rule::of_task(options, groups, warnings)).transpose()
        };
        // An absent list of incoming rules is an empty one.
        let incoming = rules(self.rules.as_ref())?.or_else(|| self.purge_rules.then(Rules::new));
        Ok(Asked { incoming, outgoing: rules(self.rules_egress.as_ref())? })
    }

    fn options(&self) -> impl Iterator<Item = &RuleOption> {
        self.rules.iter().chain(&self.rules_egress).flatten()
    }

    fn changes(&self, current: &Current, outgoing: bool) -> RuleChanges {
        let (asked, purge) = match outgoing {
            true => (current.asked.outgoing.as_ref(), self.purge_rules_egress),
            false => (current.asked.incoming.as_ref(), self.purge_rules),
        };
        RuleChanges::between(&current.rules(outgoing), asked, purge)
    }

    /// Returns the IDs of the groups that rules name.
    async fn groups(&self, aws: &Aws, group: &SecurityGroup) -> Result<Groups, Error> {
        let names = rule::group_names(self.options());
        let mut groups = Groups::new();
        if !names.is_empty() {
            let mut filters = vec![filter("group-name", names)];
            filters.extend(group.vpc_id().map(|vpc| filter("vpc-id", [vpc])));
            for known in describe(aws, filters).await? {
                groups.extend(known.group_name.zip(known.group_id));
            }
        }
        let own = group.group_name().zip(group.group_id());
        groups.extend(own.map(|(name, id)| (name.to_owned(), id.to_owned())));
        Ok(groups)
    }

    async fn current(&self, aws: &Aws, group: SecurityGroup) -> Result<Current, Error> {
        let groups = self.groups(aws, &group).await?;
        let asked = self.asked(&groups, &mut Vec::new()).map_err(|failure| failure.error)?;
        Ok(Current { group, asked })
    }

    /// Creates the groups that rules name and describe, and that do not exist. Returns them by name.
    async fn create_named(&self, aws: &Aws, group: &SecurityGroup) -> Result<Groups, Error> {
        let mut groups = self.groups(aws, group).await?;
        for option in self.options() {
            for name in option.group_name.iter().flatten() {
                if let Some(description) = option.group_desc.as_ref().filter(|_| !groups.contains_key(name)) {
                    let request = aws.ec2().create_security_group().group_name(name).description(description);
                    let request = request.set_vpc_id(group.vpc_id().map(str::to_owned));
                    let made = request.send().await.explain("ec2:CreateSecurityGroup")?;
                    groups.extend(made.group_id.map(|id| (name.clone(), id)));
                }
            }
        }
        Ok(groups)
    }

    /// Makes the rules of a group those that are asked for.
    async fn set_rules(&self, aws: &Aws, current: &Current) -> Result<(), Failure> {
        let groups = self.create_named(aws, &current.group).await?;
        let asked = self.asked(&groups, &mut Vec::new())?;
        let current = Current { group: current.group.clone(), asked };
        for outgoing in [false, true] {
            let changes = self.changes(&current, outgoing);
            // New rules come first, so that what is allowed before and after is allowed throughout.
            authorize(aws, current.id(), &changes.add, outgoing).await?;
            revoke(aws, current.id(), &changes.remove, outgoing).await?;
            describe_rules(aws, current.id(), &changes.describe, outgoing).await?;
        }
        Ok(())
    }
}

impl Resource for Ec2SecurityGroup {
    type Current = Current;

    const KIND: &'static str = "security group";
    const TYPE: &'static str = "AWS::EC2::SecurityGroup";
    const UNKNOWN: &'static [&'static str] = &["group_id", "owner_id", "security_group_arn"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: self.name.as_deref().or(self.group_id.as_deref()).unwrap_or_default(),
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let mut filters = Vec::new();
        match &self.group_id {
            Some(id) => filters.push(filter("group-id", [id])),
            None => {
                filters.push(filter("group-name", self.name.as_ref()));
                filters.extend(self.vpc_id.as_ref().map(|vpc| filter("vpc-id", [vpc])));
            }
        }
        match describe(aws, filters).await?.into_iter().next() {
            Some(group) => Ok(Some(self.current(aws, group).await?)),
            None => Ok(None),
        }
    }

    async fn find_again(&self, aws: &Aws, known: &Current) -> Result<Option<Current>, Error> {
        match describe(aws, vec![filter("group-id", [known.id()])]).await?.into_iter().next() {
            Some(group) => Ok(Some(self.current(aws, group).await?)),
            None => Ok(None),
        }
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity {
            id: current.id().to_owned(),
            arn: current.group.security_group_arn().map(str::to_owned),
            account: current.group.owner_id().map(str::to_owned),
        }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        tags(current.group.tags())
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        match described(&current.group) {
            Json::Object(members) => members,
            _ => Map::new(),
        }
    }

    fn returned_absent(&self, _deleted: Option<&Current>) -> Map<String, Json> {
        Map::from_iter([("group_id".to_owned(), Json::Null)])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let group = json!({
            "group_name": self.name,
            "description": self.description,
            "vpc_id": self.vpc_id,
            "tags": tag::of_new(self.tags.as_ref()),
        });
        let mut group = if let Json::Object(members) = group { members } else { Map::new() };
        if let Ok(asked) = self.asked(&Groups::new(), &mut Vec::new()) {
            group.insert("rules".to_owned(), asked.incoming.as_ref().map_or(Json::Null, rule::shown));
            group.extend(asked.outgoing.map(|rules| ("rules_egress".to_owned(), rule::shown(&rules))));
        }
        group
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        for (name, outgoing) in [("rules", false), ("rules_egress", true)] {
            let found = self.changes(current, outgoing);
            if !found.is_empty() {
                let before = current.rules(outgoing);
                changes.note(name, rule::shown(&before), rule::shown(&found.apply(&before)));
            }
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        let request = aws
            .ec2()
            .create_security_group()
            .set_group_name(self.name.clone())
            .set_description(self.description.clone())
            .set_vpc_id(self.vpc_id.clone())
            .set_tag_specifications(tag_specification(ResourceType::SecurityGroup, self.tags.clone()));
        let made = request.send().await.explain("ec2:CreateSecurityGroup")?;
        let known = Current {
            group: SecurityGroup::builder().set_group_id(made.group_id).build(),
            asked: Asked { incoming: None, outgoing: None },
        };
        Ok(known)
    }

    async fn complete(&self, aws: &Aws, current: &Current) -> Result<bool, Failure> {
        self.set_rules(aws, current).await?;
        Ok(self.options().next().is_some() || self.rules_egress.is_some())
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        self.set_rules(aws, current).await
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        Ok(change_tags(aws, current.id(), changes).await?)
    }

    async fn delete(&self, aws: &Aws, current: &Current, _context: &Context) -> Result<(), Failure> {
        let request = aws.ec2().delete_security_group().group_id(current.id());
        Ok(request.send().await.explain("ec2:DeleteSecurityGroup").map(drop)?)
    }
}

/// Returns the groups that filters choose.
async fn describe(aws: &Aws, filters: Vec<aws_sdk_ec2::types::Filter>) -> Result<Vec<SecurityGroup>, Error> {
    let request = aws.ec2().describe_security_groups().set_filters(Some(filters));
    let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    found.explain("ec2:DescribeSecurityGroups")
}

/// Returns rules as the API takes them.
fn permissions(rules: &Rules) -> Result<Vec<aws_sdk_ec2::types::IpPermission>, Error> {
    rules.iter().map(|(rule, description)| rule::permission(rule, description.as_deref())).collect()
}

async fn authorize(aws: &Aws, id: &str, rules: &Rules, outgoing: bool) -> Result<(), Error> {
    if rules.is_empty() {
        return Ok(());
    }
    let permissions = Some(permissions(rules)?);
    if outgoing {
        let request = aws.ec2().authorize_security_group_egress().group_id(id);
        let answer = request.set_ip_permissions(permissions).send().await;
        return answer.explain("ec2:AuthorizeSecurityGroupEgress").map(drop);
    }
    let request = aws.ec2().authorize_security_group_ingress().group_id(id);
    let answer = request.set_ip_permissions(permissions).send().await;
    answer.explain("ec2:AuthorizeSecurityGroupIngress").map(drop)
}

async fn revoke(aws: &Aws, id: &str, rules: &Rules, outgoing: bool) -> Result<(), Error> {
    if rules.is_empty() {
        return Ok(());
    }
    let permissions = Some(permissions(rules)?);
    if outgoing {
        let request = aws.ec2().revoke_security_group_egress().group_id(id);
        let answer = request.set_ip_permissions(permissions).send().await;
        return answer.explain("ec2:RevokeSecurityGroupEgress").map(drop);
    }
    let request = aws.ec2().revoke_security_group_ingress().group_id(id);
    let answer = request.set_ip_permissions(permissions).send().await;
    answer.explain("ec2:RevokeSecurityGroupIngress").map(drop)
}

/// Changes the descriptions of rules.
async fn describe_rules(aws: &Aws, id: &str, rules: &Rules, outgoing: bool) -> Result<(), Error> {
    if rules.is_empty() {
        return Ok(());
    }
    let permissions = Some(permissions(rules)?);
    if outgoing {
        let request = aws.ec2().update_security_group_rule_descriptions_egress().group_id(id);
        let answer = request.set_ip_permissions(permissions).send().await;
        return answer.explain("ec2:UpdateSecurityGroupRuleDescriptionsEgress").map(drop);
    }
    let request = aws.ec2().update_security_group_rule_descriptions_ingress().group_id(id);
    let answer = request.set_ip_permissions(permissions).send().await;
    answer.explain("ec2:UpdateSecurityGroupRuleDescriptionsIngress").map(drop)
}

/// Returns a group as the modules return it.
fn described(group: &SecurityGroup) -> Json {
    let mut json = group.to_json();
    for name in ["ip_permissions", "ip_permissions_egress"] {
        if json[name].is_null() {
            json[name] = json!([]);
        }
        for permission in json[name].as_array_mut().into_iter().flatten() {
            for name in ["ip_ranges", "ipv6_ranges", "prefix_list_ids", "user_id_group_pairs"] {
                if permission[name].is_null() {
                    permission[name] = json!([]);
                }
            }
        }
    }
    json["tags"] = tag::to_json(&tags(group.tags()));
    json
}
