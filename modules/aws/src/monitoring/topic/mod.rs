//! `sns_topic`: creates, changes and deletes topics of SNS and their subscriptions.

mod subscription;

use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::{Changes, satisfied};
use crate::connection::Connection;
use crate::document;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};
use subscription::{Current as Known, Delivery, Subscription, TopicAttributes};

/// Creates, changes or deletes a topic and its subscriptions.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct SnsTopic {
    /// The name or the ARN. Only subscriptions to a topic of another account can be changed.
    pub name: String,
    /// The type of a new topic.
    #[serde(default)]
    pub topic_type: TopicType,
    /// Whether the topic is to exist.
    #[serde(default)]
    pub state: Existence,
    /// The name that receivers see. The default is the current one.
    pub display_name: Option<String>,
    /// The policy that says who may use the topic: a dictionary or its JSON. The default is the current one.
    #[schemars(extend("format" = "raw"))]
    pub policy: Option<Json>,
    /// The policy of deliveries. The default is the current one.
    pub delivery_policy: Option<Delivery>,
    /// The subscriptions. Those by email and HTTP have to be confirmed by their receivers.
    #[serde(default)]
    pub subscriptions: Vec<Subscription>,
    /// Whether to remove confirmed subscriptions that are not listed in `subscriptions`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_subscriptions: bool,
    /// Whether messages of a FIFO topic with the same content are delivered once. The default is the current setting.
    pub content_based_deduplication: Option<Deduplication>,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

/// The type of a topic.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum TopicType {
    /// Messages may be delivered in another order, and more than once.
    #[default]
    Standard,
    /// Messages are delivered once and in their order.
    Fifo,
}

/// Whether messages with the same content are delivered once.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Deduplication {
    /// Each is delivered.
    Disabled,
    /// They are delivered once.
    Enabled,
}

impl ControllerModule for SnsTopic {
    const DOC: Doc = Doc {
        name: "sns_topic",
        collection: "community.aws",
        aliases: &["amazon.aws.sns_topic"],
        short: "Create, change or delete a topic of SNS and its subscriptions",
        returns: &[
            ("sns_arn", "str", "The ARN of the topic."),
            (
                "sns_topic",
                "dict",
                "The topic: topic_arn, display_name, owner, policy, delivery_policy, subscriptions, tags and the arguments.",
            ),
        ],
        examples: "\
- name: Where alarms go
  sns_topic:
    name: webapp-alarms
    display_name: Alarms of the shop
    subscriptions:
      - {endpoint: operations@example.com, protocol: email}
  register: alarms

- name: A queue that gets the messages as they are
  sns_topic:
    name: webapp-orders
    purge_subscriptions: false
    subscriptions:
      - endpoint: \"{{ queue_arn }}\"
        protocol: sqs
        attributes: {RawMessageDelivery: true}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if let Some(policy) = &self.policy {
            document::parse("policy", policy)?;
        }
        let mut outcome = resource::apply(self, context).await?;
        if let Some(Value::Map(topic)) = outcome.values.get("sns_topic") {
            let mut topic = playbook_api::Map::clone(topic);
            topic.insert("check_mode".into(), context.check.into());
            outcome.values.insert("sns_topic".into(), topic.into());
        }
        Ok(outcome)
    }
}

/// A topic and everything that belongs to it.
pub(crate) struct Current {
    arn: String,
    /// Whether the topic belongs to this account.
    own: bool,
    attributes: TopicAttributes,
    subscriptions: Vec<Known>,
    tags: Tags,
}

impl SnsTopic {
    /// Returns the name of the topic in its ARN.
    fn full_name(&self) -> String {
        match self.topic_type {
            TopicType::Fifo if !self.name.ends_with(".fifo") => format!("{}.fifo", self.name),
            _ => self.name.clone(),
        }
    }

    async fn find_arn(&self, aws: &Aws) -> Result<Option<(String, bool)>, Error> {
        let name = self.full_name();
        let end = format!(":{name}");
        let mut pages = aws.sns().list_topics().into_paginator().send();
        while let Some(page) = pages.next().await {
            for topic in page.explain("sns:ListTopics")?.topics.unwrap_or_default() {
                let arn = topic.topic_arn.unwrap_or_default();
                if arn == self.name || arn.ends_with(&end) {
                    return Ok(Some((arn, true)));
                }
            }
        }
        Ok(self.name.starts_with("arn:").then(|| (self.name.clone(), false)))
    }

    async fn read(&self, aws: &Aws, arn: String, own: bool) -> Result<Option<Current>, Error> {
        if !own {
            let subscriptions = Known::list_own(aws, &arn, &self.subscriptions).await?;
            if subscriptions.is_empty() && self.state == Existence::Absent {
                return Ok(None);
            }
            let (attributes, tags) = (TopicAttributes::new(), Tags::new());
            return Ok(Some(Current { arn, own, attributes, subscriptions, tags }));
        }
        let answer = aws.sns().get_topic_attributes().topic_arn(&arn).send().await;
        let Some(found) = answer.missing("sns:GetTopicAttributes", &["NotFound"])? else { return Ok(None) };
        let attributes = found.attributes.unwrap_or_default().into_iter().collect();
        let subscriptions = Known::list(aws, &arn, &self.subscriptions).await?;
        let answer = aws.sns().list_tags_for_resource().resource_arn(&arn).send().await;
        let tags = answer.explain("sns:ListTagsForResource")?.tags.unwrap_or_default();
        let tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        Ok(Some(Current { arn, own, attributes, subscriptions, tags }))
    }

    /// Returns the attributes that the task names, as SNS names them.
    fn attributes(&self) -> Result<Vec<(&'static str, Json)>, Failure> {
        let mut all = Vec::new();
        if let Some(name) = &self.display_name {
            all.push(("DisplayName", json!(name)));
        }
        if let Some(policy) = &self.policy {
            all.push(("Policy", document::parse("policy", policy)?));
        }
        if let Some(policy) = &self.delivery_policy {
            all.push(("DeliveryPolicy", json!(policy)));
        }
        if let Some(set) = self.content_based_deduplication.filter(|_| self.topic_type == TopicType::Fifo) {
            all.push(("ContentBasedDeduplication", json!((set == Deduplication::Enabled).to_string())));
        }
        Ok(all)
    }

    /// Returns the subscriptions that the task adds.
    fn added<'a>(&'a self, current: &'a Current) -> impl Iterator<Item = &'a Subscription> {
        self.subscriptions
            .iter()
            .filter(|asked| !current.subscriptions.iter().any(|known| asked.is(&known.known)))
    }

    /// Returns the subscriptions that the task removes.
    fn removed<'a>(&'a self, current: &'a Current) -> impl Iterator<Item = &'a Known> {
        let listed = |known: &&Known| self.subscriptions.iter().any(|asked| asked.is(&known.known));
        let purge = self.purge_subscriptions;
        current.subscriptions.iter().filter(move |known| purge && known.can_be_removed() && !listed(known))
    }

    /// Returns the subscriptions whose attributes the task changes.
    fn changed<'a>(&'a self, current: &'a Current) -> impl Iterator<Item = (&'a Known, &'a Subscription)> {
        current.subscriptions.iter().filter_map(|known| {
            let asked = self.subscriptions.iter().find(|asked| asked.is(&known.known))?;
            known.differs(asked).then_some((known, asked))
        })
    }

    /// Returns the values that tell of the arguments.
    fn arguments(&self) -> Map<String, Json> {
        let members = json!({
            "name": self.name, "state": self.state, "topic_type": self.topic_type, "attributes_set": [],
            "content_based_deduplication": self.content_based_deduplication, "subscriptions_existing": [],
            "subscriptions_new": self.subscriptions.iter().map(Subscription::named).collect::<Vec<_>>(),
            "subscriptions_deleted": [], "subscriptions_added": [], "topic_created": false, "topic_deleted": false,
            "subscriptions_purge": self.purge_subscriptions,
        });
        if let Json::Object(members) = members { members } else { Map::new() }
    }

    fn values(arn: Option<&str>, topic: Map<String, Json>) -> Map<String, Json> {
        Map::from_iter([("sns_arn".to_owned(), json!(arn)), ("sns_topic".to_owned(), topic.into())])
    }
}

/// Returns an attribute as JSON if it is a document.
fn parsed(text: &str) -> Json {
    match serde_json::from_str::<Json>(text) {
        Ok(document @ Json::Object(_)) => document,
        _ => text.into(),
    }
}

impl Resource for SnsTopic {
    type Current = Current;

    const KIND: &'static str = "topic";
    const TYPE: &'static str = "AWS::SNS::Topic";
    const UNKNOWN: &'static [&'static str] = &["sns_arn", "sns_topic.topic_arn", "sns_topic.owner"];

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
        match self.find_arn(aws).await? {
            Some((arn, own)) => self.read(aws, arn, own).await,
            None => Ok(None),
        }
    }

    async fn find_again(&self, aws: &Aws, known: &Current) -> Result<Option<Current>, Error> {
        self.read(aws, known.arn.clone(), known.own).await
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity { id: self.full_name(), arn: Some(current.arn.clone()), account: None }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        current.tags.clone()
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        let mut topic = self.arguments();
        for (attribute, name) in [
            ("DisplayName", "display_name"),
            ("Owner", "owner"),
            ("Policy", "policy"),
            ("EffectiveDeliveryPolicy", "delivery_policy"),
            ("SubscriptionsConfirmed", "subscriptions_confirmed"),
            ("SubscriptionsPending", "subscriptions_pending"),
            ("SubscriptionsDeleted", "subscriptions_deleted"),
            ("FifoTopic", "fifo_topic"),
            ("ContentBasedDeduplication", "content_based_deduplication"),
        ] {
            if let Some(value) = current.attributes.get(attribute) {
                topic.insert(name.to_owned(), json!(value));
            }
        }
        let subscriptions: Vec<Json> = current.subscriptions.iter().map(Known::to_json).collect();
        topic.insert("subscriptions".to_owned(), subscriptions.into());
        topic.insert("topic_arn".to_owned(), json!(current.arn));
        topic.insert("tags".to_owned(), tag::to_json(&current.tags));
        SnsTopic::values(Some(&current.arn), topic)
    }

    fn returned_absent(&self, deleted: Option<&Current>) -> Map<String, Json> {
        SnsTopic::values(deleted.map(|current| current.arn.as_str()), self.arguments())
    }

    fn foreseen(&self) -> Map<String, Json> {
        let mut topic = self.arguments();
        topic.insert("display_name".to_owned(), json!(self.display_name));
        topic.insert("policy".to_owned(), json!(self.policy));
        topic.insert("tags".to_owned(), tag::of_new(self.tags.as_ref()));
        SnsTopic::values(None, topic)
    }

    fn check_creation(&self) -> Result<(), Failure> {
        let name = self.name.strip_suffix(".fifo").unwrap_or(&self.name);
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.is_empty() || name.len() > 256 || !name.chars().all(allowed) {
            return Err(Failure::new(format!("'{}' is not a valid name of a topic", self.name))
                .with_help("Use up to 256 ASCII letters, digits, hyphens and underscores."));
        }
        Ok(())
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let asked = self.attributes()?;
        if !current.own && (!asked.is_empty() || self.tags.is_some()) {
            return Err(Failure::new(
                "Cannot set display name, policy or delivery policy for SNS topics not owned by this account",
            )
            .with_help("Name only subscriptions, or check the account and the region of the ARN."));
        }
        for (name, asked) in asked {
            let before = current.attributes.get(name).map_or(Json::Null, |text| parsed(text));
            let same = match name {
                "Policy" => document::equal(&asked, &before),
                "DeliveryPolicy" => satisfied(&asked, &before),
                _ => asked == before || (before.is_null() && (asked == "" || asked == "false")),
            };
            if !same {
                changes.note(name, before, asked);
            }
        }
        let added = self.added(current).next().is_some();
        if added || self.removed(current).next().is_some() || self.changed(current).next().is_some() {
            let before: Vec<Json> = current.subscriptions.iter().map(Known::compared).collect();
            let mut after: Vec<Json> = self.subscriptions.iter().map(Subscription::compared).collect();
            let listed = |known: &&Known| self.subscriptions.iter().any(|asked| asked.is(&known.known));
            let stays =
                |known: &&Known| !(listed(known) || self.purge_subscriptions && known.can_be_removed());
            after.extend(current.subscriptions.iter().filter(stays).map(Known::compared));
            changes.note("subscriptions", before.into(), after.into());
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        let mut request = aws.sns().create_topic().name(self.full_name());
        if self.topic_type == TopicType::Fifo {
            request = request.attributes("FifoTopic", "true");
        }
        for (name, value) in self.attributes()? {
            request = request.attributes(name, text(&value));
        }
        let tags = self.tags.as_ref().map(to_sdk_tags).filter(|tags| !tags.is_empty());
        let made = request.set_tags(tags).send().await.explain("sns:CreateTopic")?;
        let arn = made.topic_arn.unwrap_or_default();
        Ok(Current {
            arn,
            own: true,
            attributes: TopicAttributes::new(),
            subscriptions: Vec::new(),
            tags: Tags::new(),
        })
    }

    async fn complete(&self, aws: &Aws, current: &Current) -> Result<bool, Failure> {
        let mut changed = false;
        for asked in self.added(current) {
            asked.add(aws, &current.arn).await?;
            changed = true;
        }
        Ok(changed)
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        for (name, value) in
            changes.after.iter().filter(|(name, _)| *name != "subscriptions" && *name != "tags")
        {
            let request = aws.sns().set_topic_attributes().topic_arn(&current.arn).attribute_name(name);
            request.attribute_value(text(value)).send().await.explain("sns:SetTopicAttributes")?;
        }
        for asked in self.added(current) {
            asked.add(aws, &current.arn).await?;
        }
        for (known, asked) in self.changed(current) {
            known.change(aws, asked).await?;
        }
        for known in self.removed(current) {
            known.remove(aws).await?;
        }
        Ok(())
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        if !changes.remove.is_empty() {
            let request = aws.sns().untag_resource().resource_arn(&current.arn);
            let answer = request.set_tag_keys(Some(changes.remove.clone())).send().await;
            answer.explain("sns:UntagResource")?;
        }
        if !changes.set.is_empty() {
            let request = aws.sns().tag_resource().resource_arn(&current.arn);
            request.set_tags(Some(to_sdk_tags(&changes.set))).send().await.explain("sns:TagResource")?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, current: &Current, _context: &Context) -> Result<(), Failure> {
        // SNS keeps the subscriptions of a topic that is gone; those of another account are all that can be deleted.
        for known in &current.subscriptions {
            known.remove(aws).await?;
        }
        if current.own {
            aws.sns().delete_topic().topic_arn(&current.arn).send().await.explain("sns:DeleteTopic")?;
        }
        Ok(())
    }
}

/// Returns an attribute as SNS takes it.
fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn to_sdk_tags(tags: &Tags) -> Vec<aws_sdk_sns::types::Tag> {
    let tag = |(key, value): (&String, &String)| {
        aws_sdk_sns::types::Tag::builder().key(key).value(value).build().ok()
    };
    tags.iter().filter_map(tag).collect()
}
