//! `route53`: creates, changes, deletes and reads records of Route 53.

mod set;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, RrType};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::{bare, full, is_private, zones_of};
use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::{Explain, code};
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::wait;
use set::{described, snake_set, values_of};

/// The number of attempts while Route 53 is still busy with an earlier change.
const ATTEMPTS: u32 = 10;

/// Creates, changes, deletes or reads a record of a zone.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "required_one_of" = [["zone", "hosted_zone_id"]],
    "required_together" = [["alias", "alias_hosted_zone_id"]],
    "mutually_exclusive" = [["failover", "region", "weight"], ["alias", "ttl"]],
    "required_by" = [["region", ["identifier"]], ["weight", ["identifier"]], ["failover", ["identifier"]]],
    "required_if" = [["state", "present", ["value"]], ["state", "create", ["value"]]],
))]
pub(crate) struct Route53 {
    /// What is to happen to the record.
    #[schemars(extend("aliases" = ["command"]))]
    pub state: RecordState,
    /// The name of the zone.
    pub zone: Option<String>,
    /// The ID of the zone, instead of its name.
    pub hosted_zone_id: Option<String>,
    /// The full name of the record.
    pub record: String,
    /// The type of the record.
    #[schemars(extend("enum" = ["A", "CNAME", "MX", "AAAA", "TXT", "PTR", "SRV", "SPF", "CAA", "NS", "SOA", "SSHFP"]))]
    pub r#type: String,
    /// The values, or the name that an alias is for. Their order does not count.
    pub value: Option<Vec<String>>,
    /// The number of seconds for which resolvers may keep the record. The default is 3600.
    pub ttl: Option<i64>,
    /// Whether the record is an alias of a resource of AWS.
    pub alias: Option<bool>,
    /// The ID of the zone of the resource that an alias is for.
    pub alias_hosted_zone_id: Option<String>,
    /// Whether an alias answers only while its resource is healthy.
    #[serde(default)]
    pub alias_evaluate_target_health: bool,
    /// Whether an existing record with another value is replaced.
    #[serde(default)]
    pub overwrite: bool,
    /// Whether the private zone of the name is meant.
    #[serde(default)]
    pub private_zone: bool,
    /// The VPC of the private zone, if there are several of the name.
    pub vpc_id: Option<String>,
    /// What distinguishes records of the same name and type.
    pub identifier: Option<String>,
    /// The share of the answers among records of the same name and type.
    pub weight: Option<i64>,
    /// The region whose clients get the record. It is not the region of the connection.
    pub region: Option<String>,
    /// The place whose clients get the record.
    pub geo_location: Option<Place>,
    /// The ID of the health check of the record.
    pub health_check: Option<String>,
    /// Which of two records answers while it is healthy.
    #[schemars(extend("enum" = ["PRIMARY", "SECONDARY"]))]
    pub failover: Option<String>,
    /// The number of seconds between two attempts while Route 53 is busy with an earlier change of the zone.
    #[serde(default = "retry_interval")]
    pub retry_interval: i64,
    /// Whether to wait until every server of Route 53 knows the change.
    #[serde(default)]
    pub wait: bool,
    /// The number of seconds to wait at most.
    #[serde(default = "wait_timeout")]
    pub wait_timeout: i64,
    #[serde(flatten)]
    pub connection: Connection,
}

fn retry_interval() -> i64 {
    500
}

fn wait_timeout() -> i64 {
    300
}

/// What is to happen to a record.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum RecordState {
    /// It exists.
    Present,
    /// It does not exist.
    Absent,
    /// It is returned.
    Get,
    /// The same as `present`.
    Create,
    /// The same as `absent`.
    Delete,
}

/// The place of clients.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
pub(crate) struct Place {
    /// The two-letter code of the continent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continent_code: Option<String>,
    /// The two-letter code of the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
    /// The two-letter code of a state of the USA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdivision_code: Option<String>,
}

impl ControllerModule for Route53 {
    const DOC: Doc = Doc {
        name: "route53",
        collection: "amazon.aws",
        aliases: &["community.aws.route53"],
        short: "Create, change, delete or read a record of Route 53",
        returns: &[
            (
                "resource_record_sets",
                "list",
                "The record: record, type, value, values, ttl, zone and the other arguments.",
            ),
            ("wait_id", "str", "The ID of the change."),
            ("set", "dict", "The record that `state: get` found."),
            ("nameservers", "list", "The name servers of the zone, with `state: get`."),
        ],
        examples: "\
- name: The shop is the load balancer
  route53:
    zone: example.com
    record: shop.example.com
    type: A
    alias: true
    alias_hosted_zone_id: \"{{ balancer.canonical_hosted_zone_id }}\"
    value: \"{{ balancer.dns_name }}\"
    state: present
    overwrite: true

- name: What the record is now
  route53: {zone: example.com, record: shop.example.com, type: A, state: get}
  register: shop
",
        ..Doc::BUILTIN
    };

    async fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        self.record = full(&self.record);
        let values = self.value.as_deref().unwrap_or_default();
        if self.is_alias() && self.value.is_some() && values.len() != 1 {
            return Err(Failure::new("parameter 'value' must contain a single dns name for alias records"));
        }
        if self.r#type == "CNAME" && values.len() > 1 {
            return Err(Failure::new(format!("a CNAME record has one value, not {}", values.len()))
                .with_help("Give one name, or use another type."));
        }
        // The region of a record is not that of the connection.
        let aws = Aws::connect(&self.connection, context).await?;
        let zone = self.find_zone(&aws).await?;
        let existence = match self.state {
            RecordState::Get => return Ok(aws.finish(self.get(&aws, &zone).await?)),
            RecordState::Present | RecordState::Create => Existence::Present,
            RecordState::Absent | RecordState::Delete => Existence::Absent,
        };
        let change = Arc::new(OnceLock::new());
        let record = Record { asked: self, zone, existence, change: change.clone() };
        let mut outcome = resource::apply(record, context).await?;
        if outcome.changed {
            outcome.values.shift_remove("resource_records_sets");
            let id = change.get().map_or(Value::Null, |id: &String| id.as_str().into());
            outcome.values.insert("wait_id".into(), id);
        }
        Ok(outcome)
    }
}

/// A record of a zone that was found.
struct Record {
    asked: Route53,
    /// The ID of the zone.
    zone: String,
    existence: Existence,
    /// The ID of the change that was made.
    change: Arc<OnceLock<String>>,
}

impl Route53 {
    fn is_alias(&self) -> bool {
        self.alias == Some(true)
    }

    /// Returns the ID of the zone.
    async fn find_zone(&self, aws: &Aws) -> Result<String, Failure> {
        if let Some(id) = &self.hosted_zone_id {
            return Ok(bare(id).to_owned());
        }
        let name = full(self.zone.as_deref().unwrap_or_default());
        for zone in zones_of(aws, &name).await? {
            if is_private(&zone) != self.private_zone {
                continue;
            }
            if let (true, Some(vpc)) = (self.private_zone, &self.vpc_id) {
                let answer = aws.route53().get_hosted_zone().id(&zone.id).send().await;
                let networks = answer.explain("route53:GetHostedZone")?.vpcs.unwrap_or_default();
                if !networks.iter().any(|network| network.vpc_id() == Some(vpc)) {
                    continue;
                }
            }
            return Ok(bare(&zone.id).to_owned());
        }
        Err(Failure::new(format!("Zone {name} does not exist in Route53"))
            .with_help("Check the account and `private_zone`; route53_zone creates a zone."))
    }

    /// Returns the record as it is.
    async fn read(&self, aws: &Aws, zone: &str) -> Result<Option<ResourceRecordSet>, Error> {
        let kind = RrType::from(self.r#type.as_str());
        let mut next = (Some(self.record.clone()), Some(kind.clone()), self.identifier.clone());
        loop {
            let request = aws
                .route53()
                .list_resource_record_sets()
                .hosted_zone_id(zone)
                .set_start_record_name(next.0.take())
                .set_start_record_type(next.1.take())
                .set_start_record_identifier(next.2.take());
            let page = request.send().await.explain("route53:ListResourceRecordSets")?;
            // Records are sorted by name and type, beginning with the first that is asked for.
            let last = page.resource_record_sets.last();
            let more = page.is_truncated
                && last.is_some_and(|set| set::name(set) == self.record && set.r#type == kind);
            let found = page.resource_record_sets.into_iter().find(|set| {
                set::name(set) == self.record
                    && set.r#type == kind
                    && set.set_identifier() == self.identifier.as_deref()
            });
            if found.is_some() || !more {
                return Ok(found);
            }
            next = (page.next_record_name, page.next_record_type, page.next_record_identifier);
        }
    }

    async fn get(&self, aws: &Aws, zone: &str) -> Result<Outcome, Failure> {
        let found = self.read(aws, zone).await?;
        let answer =
            aws.route53().get_hosted_zone().id(zone).send().await.explain("route53:GetHostedZone")?;
        let servers = answer.delegation_set.map(|set| set.name_servers).unwrap_or_default();
        let set = found.as_ref().map_or_else(|| json!([]), |found| set::camel_set(self, zone, found));
        let sets: Vec<Json> = found.iter().map(snake_set).collect();
        Ok(Outcome::changed(false)
            .with("set", Value::from_json(set))
            .with("resource_record_sets", Value::from_json(sets.into()))
            .with("nameservers", servers))
    }
}

impl Record {
    async fn send(
        &self,
        aws: &Aws,
        action: ChangeAction,
        set: ResourceRecordSet,
        context: &Context,
    ) -> Result<(), Failure> {
        let built = |error: aws_smithy_types::error::operation::BuildError| Error::new(error.to_string());
        let change = Change::builder().action(action).resource_record_set(set).build().map_err(built)?;
        let batch = ChangeBatch::builder().changes(change).build().map_err(built)?;
        let mut attempt = 1;
        let made = loop {
            let request = aws.route53().change_resource_record_sets().hosted_zone_id(&self.zone);
            let answer = request.change_batch(batch.clone()).send().await;
            match answer {
                Err(error) if attempt < ATTEMPTS && code(&error) == Some("PriorRequestNotComplete") => {
                    attempt += 1;
                    context.progress("Route 53 to complete an earlier change of the zone".to_owned());
                    wait::pause(context, wait::seconds(Some(self.asked.retry_interval), 500)).await?;
                }
                answer => break answer.explain("route53:ChangeResourceRecordSets")?,
            }
        };
        let Some(made) = made.change_info else { return Ok(()) };
        let _ = self.change.set(made.id.clone());
        if !self.asked.wait {
            return Ok(());
        }
        let limit = wait::seconds(Some(self.asked.wait_timeout), 300);
        let known = wait::until(context, limit, Duration::from_secs(5), || async {
            context.progress("every server of Route 53 to know the record".to_owned());
            let answer = aws.route53().get_change().id(bare(&made.id)).send().await;
            let change = answer.explain("route53:GetChange")?.change_info;
            Ok(change.is_some_and(|change| change.status == ChangeStatus::Insync).then_some(()))
        });
        match known.await? {
            Some(()) => Ok(()),
            None => Err(Failure::new(format!(
                "the record {} was changed, but not every server knows it after {} seconds",
                self.asked.record,
                limit.as_secs()
            ))
            .with_help("Raise `wait_timeout`.")),
        }
    }
}

impl Resource for Record {
    type Current = ResourceRecordSet;

    const KIND: &'static str = "record";
    const TYPE: &'static str = "AWS::Route53::RecordSet";
    const UNKNOWN: &'static [&'static str] = &[];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.asked.connection,
            name: &self.asked.record,
            state: self.existence,
            tags: None,
            purge_tags: false,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<ResourceRecordSet>, Error> {
        let found = self.asked.read(aws, &self.zone).await?;
        if let (Existence::Absent, Some(found), Some(asked)) = (self.existence, &found, &self.asked.value)
            && !set::same_values(asked, &values_of(found))
        {
            return Err(Error::new(format!(
                "the record {} has another value than the one to delete: {}",
                self.asked.record,
                values_of(found).join(", ")
            ))
            .with_help("Give its value, or remove `value` to delete it whatever its value is."));
        }
        Ok(found)
    }

    fn identity(&self, _current: &ResourceRecordSet) -> Identity {
        Identity {
            id: format!("{} {} {}", self.zone, self.asked.record, self.asked.r#type),
            ..Identity::default()
        }
    }

    fn returned(&self, current: &ResourceRecordSet) -> Map<String, Json> {
        Map::from_iter([
            ("resource_record_sets".to_owned(), json!([described(&self.asked, &self.zone, current)])),
            // amazon.aws returns a record that did not change by this name.
            ("resource_records_sets".to_owned(), json!([snake_set(current)])),
        ])
    }

    fn returned_absent(&self, deleted: Option<&ResourceRecordSet>) -> Map<String, Json> {
        let members = deleted.map(|_| ("resource_record_sets".to_owned(), json!({})));
        members.into_iter().collect()
    }

    fn foreseen(&self) -> Map<String, Json> {
        match set::asked(&self.asked) {
            Ok(set) => Map::from_iter([(
                "resource_record_sets".to_owned(),
                json!([described(&self.asked, &self.zone, &set)]),
            )]),
            Err(_) => Map::new(),
        }
    }

    fn check_creation(&self) -> Result<(), Failure> {
        set::asked(&self.asked).map(drop)
    }

    fn compare(&self, current: &ResourceRecordSet, changes: &mut Changes) -> Result<(), Failure> {
        set::compare(&self.asked, current, changes)?;
        if changes.is_empty() || self.asked.overwrite {
            return Ok(());
        }
        Err(Failure::new("Record already exists with different value. Set 'overwrite' to replace it")
            .with_help(format!("{} is {} now.", self.asked.record, values_of(current).join(", "))))
    }

    async fn create(&self, aws: &Aws, context: &Context) -> Result<ResourceRecordSet, Failure> {
        // Not an upsert: a record that was created since then is not replaced.
        let action = if self.asked.overwrite { ChangeAction::Upsert } else { ChangeAction::Create };
        let set = set::asked(&self.asked)?;
        self.send(aws, action, set.clone(), context).await?;
        Ok(set)
    }

    async fn modify(
        &self,
        aws: &Aws,
        _current: &ResourceRecordSet,
        _changes: &Changes,
        context: &Context,
    ) -> Result<(), Failure> {
        self.send(aws, ChangeAction::Upsert, set::asked(&self.asked)?, context).await
    }

    async fn delete(&self, aws: &Aws, current: &ResourceRecordSet, context: &Context) -> Result<(), Failure> {
        self.send(aws, ChangeAction::Delete, current.clone(), context).await
    }
}
