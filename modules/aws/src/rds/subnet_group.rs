//! `rds_subnet_group`: creates, changes and deletes the groups of subnets that databases are put into.

use aws_sdk_rds::types::{DbSubnetGroup, Tag};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::to_sdk_tags;
use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};

/// Creates, changes or deletes a subnet group of databases.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["description", "subnets"]]]))]
pub(crate) struct RdsSubnetGroup {
    /// The name, which RDS writes in small letters.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The IDs of the subnets, in at least two availability zones.
    pub subnets: Option<Vec<String>>,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the subnet group is to exist.
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for RdsSubnetGroup {
    const DOC: Doc = Doc {
        name: "rds_subnet_group",
        collection: "amazon.aws",
        aliases: &["community.aws.rds_subnet_group"],
        short: "Create, change or delete a subnet group of databases",
        returns: &[(
            "subnet_group",
            "dict",
            "The group as DescribeDBSubnetGroups tells it, members in snake_case: name, description, subnet_ids, vpc_id, …",
        )],
        examples: "\
- name: The subnets of the database
  rds_subnet_group:
    name: webapp
    description: Private subnets
    subnets: \"{{ subnets.results | map(attribute='subnet.id') }}\"
    state: present

- name: Delete the group
  rds_subnet_group: {name: webapp, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        self.name = self.name.to_lowercase();
        resource::apply(self, context).await
    }
}

/// A group and its tags.
pub(crate) struct Current {
    group: DbSubnetGroup,
    tags: Tags,
}

impl Current {
    fn arn(&self) -> &str {
        self.group.db_subnet_group_arn().unwrap_or_default()
    }

    fn subnets(&self) -> Vec<&str> {
        self.group.subnets().iter().filter_map(|subnet| subnet.subnet_identifier()).collect()
    }
}

impl Resource for RdsSubnetGroup {
    type Current = Current;

    const KIND: &'static str = "subnet group";
    const TYPE: &'static str = "AWS::RDS::DBSubnetGroup";
    const UNKNOWN: &'static [&'static str] = &["subnet_group.db_subnet_group_arn", "subnet_group.vpc_id"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.name,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let answer = aws.rds().describe_db_subnet_groups().db_subnet_group_name(&self.name).send().await;
        let missing = ["DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound"];
        let found = answer.missing("rds:DescribeDBSubnetGroups", &missing)?;
        let found = found.and_then(|found| found.db_subnet_groups).unwrap_or_default();
        let Some(group) = found.into_iter().next() else { return Ok(None) };
        let request = aws.rds().list_tags_for_resource();
        let request = request.set_resource_name(group.db_subnet_group_arn().map(str::to_owned));
        let tags = request.send().await.explain("rds:ListTagsForResource")?.tag_list.unwrap_or_default();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let tags = tags.iter().map(|tag: &Tag| (text(tag.key()), text(tag.value()))).collect();
        Ok(Some(Current { group, tags }))
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity { id: self.name.clone(), arn: Some(current.arn().to_owned()), account: None }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        current.tags.clone()
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        Map::from_iter([("subnet_group".to_owned(), described(current))])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let group = json!({
            "name": self.name, "db_subnet_group_name": self.name, "description": self.description,
            "db_subnet_group_description": self.description, "subnet_ids": self.subnets,
            "tags": tag::of_new(self.tags.as_ref()),
        });
        Map::from_iter([("subnet_group".to_owned(), group)])
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let known = current.group.db_subnet_group_description();
        changes.compare("description", &json!(self.description), &json!(known));
        changes.compare("subnets", &json!(self.subnets), &json!(current.subnets()));
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        let request = aws
            .rds()
            .create_db_subnet_group()
            .db_subnet_group_name(&self.name)
            .set_db_subnet_group_description(self.description.clone())
            .set_subnet_ids(self.subnets.clone())
            .set_tags(self.tags.as_ref().map(to_sdk_tags));
        let made = request.send().await.explain("rds:CreateDBSubnetGroup")?;
        let group = made.db_subnet_group.unwrap_or_else(|| DbSubnetGroup::builder().build());
        Ok(Current { group, tags: Tags::new() })
    }

    async fn modify(
        &self,
        aws: &Aws,
        _current: &Current,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        let request = aws
            .rds()
            .modify_db_subnet_group()
            .db_subnet_group_name(&self.name)
            .set_db_subnet_group_description(self.description.clone())
            .set_subnet_ids(self.subnets.clone());
        Ok(request.send().await.explain("rds:ModifyDBSubnetGroup").map(drop)?)
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        if !changes.remove.is_empty() {
            let request = aws.rds().remove_tags_from_resource().resource_name(current.arn());
            let answer = request.set_tag_keys(Some(changes.remove.clone())).send().await;
            answer.explain("rds:RemoveTagsFromResource")?;
        }
        if !changes.set.is_empty() {
            let request = aws.rds().add_tags_to_resource().resource_name(current.arn());
            let answer = request.set_tags(Some(to_sdk_tags(&changes.set))).send().await;
            answer.explain("rds:AddTagsToResource")?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _current: &Current, _context: &Context) -> Result<(), Failure> {
        let request = aws.rds().delete_db_subnet_group().db_subnet_group_name(&self.name);
        Ok(request.send().await.explain("rds:DeleteDBSubnetGroup").map(drop)?)
    }
}

/// Returns a group as the module returns it.
fn described(current: &Current) -> Json {
    let group = &current.group;
    let subnets = group.subnets().iter().map(|subnet| {
        json!({
            "subnet_identifier": subnet.subnet_identifier(),
            "subnet_availability_zone": {"name": subnet.subnet_availability_zone().and_then(|zone| zone.name())},
            "subnet_status": subnet.subnet_status(),
        })
    });
    json!({
        "name": group.db_subnet_group_name(), "db_subnet_group_name": group.db_subnet_group_name(),
        "description": group.db_subnet_group_description(),
        "db_subnet_group_description": group.db_subnet_group_description(),
        "db_subnet_group_arn": group.db_subnet_group_arn(), "status": group.subnet_group_status(),
        "subnet_group_status": group.subnet_group_status(), "vpc_id": group.vpc_id(),
        "subnet_ids": current.subnets(), "subnets": subnets.collect::<Vec<_>>(), "tags": tag::to_json(&current.tags),
    })
}
