//! `cloudwatch_metric_alarm_info`: describes alarms of CloudWatch.

use aws_sdk_cloudwatch::types::{AlarmType, MetricAlarm, StateValue};
use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::known;
use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;
use crate::json::put;

/// Describes alarms.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["alarm_names", "alarm_name_prefix"]]))]
pub(crate) struct CloudwatchMetricAlarmInfo {
    /// The names of the alarms, by default all of them.
    pub alarm_names: Option<Vec<String>>,
    /// The prefix of the names.
    pub alarm_name_prefix: Option<String>,
    /// The state of the alarms.
    #[schemars(extend("enum" = ["OK", "ALARM", "INSUFFICIENT_DATA"]))]
    pub state_value: Option<String>,
    /// The prefix of an action of the alarms.
    pub action_prefix: Option<String>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for CloudwatchMetricAlarmInfo {
    const DOC: Doc = Doc {
        name: "cloudwatch_metric_alarm_info",
        collection: "amazon.aws",
        short: "Describe alarms of CloudWatch",
        check_mode: "Full: it only reads.",
        returns: &[(
            "metric_alarms",
            "list",
            "The alarms as DescribeAlarms tells them, members in snake_case.",
        )],
        examples: "\
- name: What is wrong
  cloudwatch_metric_alarm_info: {state_value: ALARM}
  register: alarms

- name: The alarms of the application
  cloudwatch_metric_alarm_info: {alarm_name_prefix: webapp-}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let mut pages = aws
            .cloudwatch()
            .describe_alarms()
            .alarm_types(AlarmType::MetricAlarm)
            .set_alarm_names(self.alarm_names)
            .set_alarm_name_prefix(self.alarm_name_prefix)
            .set_state_value(self.state_value.as_deref().map(StateValue::from))
            .set_action_prefix(self.action_prefix)
            .into_paginator()
            .send();
        let mut alarms: Vec<Json> = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.explain("cloudwatch:DescribeAlarms")?;
            alarms.extend(page.metric_alarms().iter().map(described));
        }
        Ok(aws.finish(Outcome::changed(false).with("metric_alarms", Value::from_json(alarms.into()))))
    }
}

/// Returns an alarm with the members that DescribeAlarms tells.
fn described(alarm: &MetricAlarm) -> Json {
    let mut members = Map::new();
    for (name, value) in known(alarm) {
        let name = match name.as_str() {
            "comparison" => "comparison_operator",
            "description" => "alarm_description",
            other => other,
        };
        put(&mut members, name, &value);
    }
    put(&mut members, "alarm_name", &alarm.alarm_name);
    put(&mut members, "alarm_arn", &alarm.alarm_arn);
    put(&mut members, "actions_enabled", &alarm.actions_enabled);
    put(&mut members, "alarm_configuration_updated_timestamp", &alarm.alarm_configuration_updated_timestamp);
    put(&mut members, "state_reason", &alarm.state_reason);
    put(&mut members, "state_reason_data", &alarm.state_reason_data);
    put(&mut members, "state_updated_timestamp", &alarm.state_updated_timestamp);
    put(&mut members, "state_value", &alarm.state_value().map(|state| state.as_str().to_owned()));
    members.into()
}
