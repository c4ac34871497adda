//! The subscriptions of a topic.

use std::collections::BTreeMap;

use aws_sdk_sns::types::Subscription as Known;
use playbook_api::{Error, Failure};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::client::Aws;
use crate::error::Explain;

/// The attribute that can be set.
const RAW: &str = "RawMessageDelivery";

/// Who receives the messages of a topic.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
pub(crate) struct Subscription {
    /// The address: an email address, a URL, a telephone number or an ARN.
    pub endpoint: String,
    /// The protocol: `email`, `https`, `sms`, `sqs`, `lambda` and others.
    pub protocol: String,
    /// The attributes.
    #[serde(default)]
    pub attributes: Attributes,
}

/// The attributes of a subscription.
#[derive(Clone, Debug, Default, Deserialize, Serialize, schemars::JsonSchema)]
pub(crate) struct Attributes {
    /// Whether messages are delivered without the envelope of SNS.
    #[serde(rename = "RawMessageDelivery")]
    pub raw_message_delivery: Option<bool>,
}

/// A subscription that exists, and its attributes if the task names some.
pub(crate) struct Current {
    pub known: Known,
    pub raw: Option<bool>,
}

impl Subscription {
    /// Returns the endpoint as SNS lists it: a telephone number has digits only.
    pub(crate) fn address(&self) -> String {
        match self.protocol.as_str() {
            "sms" => self.endpoint.chars().filter(|c| !" +()-".contains(*c)).collect(),
            _ => self.endpoint.clone(),
        }
    }

    /// Returns whether an existing subscription is this one.
    pub(crate) fn is(&self, known: &Known) -> bool {
        known.protocol() == Some(self.protocol.as_str())
            && known.endpoint().is_some_and(|endpoint| {
                endpoint == self.address() || self.protocol == "sms" && endpoint == self.endpoint
            })
    }

    /// Returns the subscription as the task names it. The attribute is text, as in community.aws.
    pub(crate) fn named(&self) -> Json {
        let mut json = json!({"endpoint": self.endpoint, "protocol": self.protocol});
        if let Some(raw) = self.attributes.raw_message_delivery {
            json["attributes"] = json!({ RAW: if raw { "True" } else { "False" } });
        }
        json
    }

    /// Returns what is compared.
    pub(crate) fn compared(&self) -> Json {
        let mut json = json!({"endpoint": self.address(), "protocol": self.protocol});
        if let Some(raw) = self.attributes.raw_message_delivery {
            json["attributes"] = json!({ RAW: raw });
        }
        json
    }

    /// Subscribes to a topic.
    pub(crate) async fn add(&self, aws: &Aws, topic: &str) -> Result<(), Failure> {
        let request = aws.sns().subscribe().topic_arn(topic).protocol(&self.protocol);
        let mut request = request.endpoint(self.address());
        if let Some(raw) = self.attributes.raw_message_delivery {
            request = request.attributes(RAW, raw.to_string());
        }
        Ok(request.send().await.explain("sns:Subscribe").map(drop)?)
    }
}

impl Current {
    /// Lists the subscriptions of a topic, and reads the attributes of those that the task names with some.
    pub(crate) async fn list(aws: &Aws, topic: &str, asked: &[Subscription]) -> Result<Vec<Current>, Error> {
        let mut pages = aws.sns().list_subscriptions_by_topic().topic_arn(topic).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for known in page.explain("sns:ListSubscriptionsByTopic")?.subscriptions.unwrap_or_default() {
                found.push(Current::read(aws, known, asked).await?);
            }
        }
        Ok(found)
    }

    /// Lists the own subscriptions of a topic of another account.
    pub(crate) async fn list_own(
        aws: &Aws,
        topic: &str,
        asked: &[Subscription],
    ) -> Result<Vec<Current>, Error> {
        let mut pages = aws.sns().list_subscriptions().into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for known in page.explain("sns:ListSubscriptions")?.subscriptions.unwrap_or_default() {
                if known.topic_arn() == Some(topic) {
                    found.push(Current::read(aws, known, asked).await?);
                }
            }
        }
        Ok(found)
    }

    async fn read(aws: &Aws, known: Known, asked: &[Subscription]) -> Result<Current, Error> {
        let wanted =
            asked.iter().any(|asked| asked.attributes.raw_message_delivery.is_some() && asked.is(&known));
        let current = Current { known, raw: None };
        let Some(arn) = current.arn().filter(|_| wanted) else { return Ok(current) };
        let answer = aws.sns().get_subscription_attributes().subscription_arn(arn).send().await;
        let attributes = answer.explain("sns:GetSubscriptionAttributes")?.attributes.unwrap_or_default();
        let raw = attributes.get(RAW).is_some_and(|raw| raw.eq_ignore_ascii_case("true"));
        Ok(Current { raw: Some(raw), ..current })
    }

    /// Returns the ARN of a subscription that was confirmed. Others cannot be changed.
    fn arn(&self) -> Option<&str> {
        self.known.subscription_arn().filter(|arn| arn.starts_with("arn:"))
    }

    /// Returns whether the subscription has other attributes than the task names.
    pub(crate) fn differs(&self, asked: &Subscription) -> bool {
        asked
            .attributes
            .raw_message_delivery
            .is_some_and(|raw| self.raw.is_some_and(|current| current != raw))
    }

    /// Returns whether SNS would remove it.
    pub(crate) fn can_be_removed(&self) -> bool {
        self.arn().is_some()
    }

    pub(crate) async fn change(&self, aws: &Aws, asked: &Subscription) -> Result<(), Failure> {
        let Some((arn, raw)) = self.arn().zip(asked.attributes.raw_message_delivery) else { return Ok(()) };
        let request = aws.sns().set_subscription_attributes().subscription_arn(arn).attribute_name(RAW);
        let answer = request.attribute_value(raw.to_string()).send().await;
        Ok(answer.explain("sns:SetSubscriptionAttributes").map(drop)?)
    }

    pub(crate) async fn remove(&self, aws: &Aws) -> Result<(), Failure> {
        let Some(arn) = self.arn() else { return Ok(()) };
        let answer = aws.sns().unsubscribe().subscription_arn(arn).send().await;
        Ok(answer.explain("sns:Unsubscribe").map(drop)?)
    }

    /// Returns the subscription as the module returns it.
    pub(crate) fn to_json(&self) -> Json {
        let known = &self.known;
        json!({
            "subscription_arn": known.subscription_arn(), "owner": known.owner(), "protocol": known.protocol(),
            "endpoint": known.endpoint(), "topic_arn": known.topic_arn(),
        })
    }

    /// Returns what is compared.
    pub(crate) fn compared(&self) -> Json {
        let mut json = json!({"endpoint": self.known.endpoint(), "protocol": self.known.protocol()});
        if let Some(raw) = self.raw {
            json["attributes"] = json!({ RAW: raw });
        }
        json
    }
}

/// The number of retries and the time between them, for subscriptions by HTTP.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
pub(crate) struct Delivery {
    /// The policy for messages by HTTP and HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
}

/// How messages are delivered by HTTP.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http {
    /// The retries.
    pub default_healthy_retry_policy: Retries,
    /// Whether subscriptions with a policy of their own use this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_subscription_overrides: Option<bool>,
    /// The limit of the rate of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_throttle_policy: Option<Throttle>,
}

/// The retries of a delivery.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Retries {
    /// The shortest time between two attempts, in seconds.
    pub min_delay_target: i64,
    /// The longest time between two attempts, in seconds.
    pub max_delay_target: i64,
    /// The number of all retries.
    pub num_retries: i64,
    /// The number of retries at the end, with the longest time between them.
    pub num_max_delay_retries: i64,
    /// The number of retries with the shortest time between them.
    pub num_min_delay_retries: i64,
    /// The number of retries at once.
    pub num_no_delay_retries: i64,
    /// The function by which the time grows.
    #[schemars(extend("enum" = ["arithmetic", "exponential", "geometric", "linear"]))]
    pub backoff_function: String,
}

/// The limit of the rate of messages.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Throttle {
    /// The number of messages a second that a subscription gets at most.
    pub max_receives_per_second: i64,
}

/// Returns attributes of a topic as JSON, by name.
pub(crate) type TopicAttributes = BTreeMap<String, String>;
