//! `cloudwatch_metric_alarm`: creates, changes and deletes alarms of CloudWatch.

pub(crate) mod info;
mod metrics;

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, StandardUnit, Statistic};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::text::date;
use metrics::{Pair, Query};

/// Creates, changes or deletes an alarm on a metric, or on an expression of metrics.
///
/// An alarm is what the task says: what it leaves out is removed from an existing alarm.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [
        ["metric_name", "metrics"], ["dimensions", "metrics"], ["period", "metrics"], ["namespace", "metrics"],
        ["statistic", "metrics"], ["extended_statistic", "metrics"], ["unit", "metrics"],
        ["statistic", "extended_statistic"],
    ],
    "required_if" = [
        ["state", "present", ["metric_name", "metrics"], true],
        ["state", "present", ["comparison", "threshold", "evaluation_periods"]],
    ],
))]
pub(crate) struct CloudwatchMetricAlarm {
    /// The name, which is unique in the region.
    pub name: String,
    /// The name of the metric.
    #[schemars(extend("aliases" = ["metric"]))]
    pub metric_name: Option<String>,
    /// The namespace of the metric: `AWS/RDS`.
    pub namespace: Option<String>,
    /// The dimensions of the metric by name.
    pub dimensions: Option<BTreeMap<String, String>>,
    /// Metrics and an expression of them, instead of `metric_name`.
    #[serde(default)]
    pub metrics: Vec<Query>,
    /// What is computed of the values of a period.
    #[schemars(extend("enum" = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]))]
    pub statistic: Option<String>,
    /// A percentile instead of `statistic`: `p99`.
    pub extended_statistic: Option<String>,
    /// How a value is compared with the threshold.
    #[schemars(extend("enum" = [
        "LessThanOrEqualToThreshold", "LessThanThreshold", "GreaterThanThreshold", "GreaterThanOrEqualToThreshold",
    ]))]
    pub comparison: Option<String>,
    /// The threshold.
    pub threshold: Option<f64>,
    /// The number of seconds of a period.
    pub period: Option<i32>,
    /// The number of periods that are compared.
    pub evaluation_periods: Option<i32>,
    /// How many of these periods have to be beyond the threshold. The default is all of them.
    pub datapoints_to_alarm: Option<i32>,
    /// The unit of the values.
    pub unit: Option<String>,
    /// What people are told.
    pub description: Option<String>,
    /// The ARNs of what is done when the alarm goes off, at most five.
    #[serde(default)]
    pub alarm_actions: Vec<String>,
    /// The ARNs of what is done when there are not enough values.
    #[serde(default)]
    pub insufficient_data_actions: Vec<String>,
    /// The ARNs of what is done when all is well again.
    #[serde(default)]
    pub ok_actions: Vec<String>,
    /// What a period without values counts as.
    #[schemars(extend("enum" = ["breaching", "notBreaching", "ignore", "missing"]))]
    #[serde(default = "missing")]
    pub treat_missing_data: String,
    /// Whether a percentile of few values is evaluated.
    #[schemars(extend("enum" = ["ignore", "evaluate"]))]
    pub evaluate_low_sample_count_percentile: Option<String>,
    /// Whether the alarm is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

fn missing() -> String {
    "missing".to_owned()
}

impl ControllerModule for CloudwatchMetricAlarm {
    const DOC: Doc = Doc {
        name: "cloudwatch_metric_alarm",
        collection: "amazon.aws",
        aliases: &["ec2_metric_alarm", "community.aws.cloudwatch_metric_alarm"],
        short: "Create, change or delete an alarm of CloudWatch",
        returns: &[
            ("name", "str", "The name of the alarm."),
            ("alarm_arn", "str", "Its ARN."),
            ("state_value", "str", "Its state: `OK`, `ALARM` or `INSUFFICIENT_DATA`."),
            ("state_reason", "str", "Why it is in that state."),
            ("last_updated", "str", "When it was changed."),
            ("actions_enabled", "bool", "Whether anything is done."),
            (
                "metric_name, namespace, dimensions, metrics, statistic, …",
                "raw",
                "The alarm, as the task names it.",
            ),
        ],
        examples: "\
- name: The database is busy
  cloudwatch_metric_alarm:
    name: webapp-database-cpu
    namespace: AWS/RDS
    metric_name: CPUUtilization
    dimensions: {DBInstanceIdentifier: webapp}
    statistic: Average
    comparison: GreaterThanThreshold
    threshold: 80
    period: 300
    evaluation_periods: 3
    alarm_actions: [\"{{ topic_arn }}\"]

- name: Too many failures
  cloudwatch_metric_alarm:
    name: webapp-errors
    comparison: GreaterThanThreshold
    threshold: 5
    evaluation_periods: 2
    metrics:
      - {id: rate, expression: 100 * errors / requests}
      - id: errors
        return_data: false
        metric_stat: {metric: {namespace: webapp, metric_name: errors}, period: 60, stat: Sum}
      - id: requests
        return_data: false
        metric_stat: {metric: {namespace: webapp, metric_name: requests}, period: 60, stat: Sum}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        resource::apply(self, context).await
    }
}

impl CloudwatchMetricAlarm {
    /// Returns the dimensions as pairs.
    fn pairs(&self) -> Vec<Pair> {
        let all = self.dimensions.iter().flatten();
        all.map(|(name, value)| Pair { name: name.clone(), value: value.clone() }).collect()
    }

    /// Returns everything that is compared, by the names of the arguments.
    fn asked(&self) -> Map<String, Json> {
        let metrics: Vec<Query> = self.metrics.iter().map(Query::complete).collect();
        let json = json!({
            "metric_name": self.metric_name, "namespace": self.namespace, "dimensions": self.pairs(), "metrics": metrics,
            "statistic": self.statistic, "extended_statistic": self.extended_statistic, "comparison": self.comparison,
            "threshold": self.threshold, "period": self.period, "evaluation_periods": self.evaluation_periods,
            "datapoints_to_alarm": self.datapoints_to_alarm, "unit": self.unit, "description": self.description,
            "alarm_actions": self.alarm_actions, "insufficient_data_actions": self.insufficient_data_actions,
            "ok_actions": self.ok_actions, "treat_missing_data": self.treat_missing_data,
            "evaluate_low_sample_count_percentile": self.evaluate_low_sample_count_percentile,
        });
        if let Json::Object(members) = json { members } else { Map::new() }
    }

    async fn put(&self, aws: &Aws) -> Result<(), Error> {
        let dimensions =
            Some(self.pairs().iter().map(Pair::to_sdk).collect()).filter(|all: &Vec<_>| !all.is_empty());
        let metrics =
            Some(self.metrics.iter().map(Query::to_sdk).collect()).filter(|all: &Vec<_>| !all.is_empty());
        let request = aws
            .cloudwatch()
            .put_metric_alarm()
            .alarm_name(&self.name)
            .set_metric_name(self.metric_name.clone())
            .set_namespace(self.namespace.clone())
            .set_dimensions(dimensions)
            .set_metrics(metrics)
            .set_statistic(self.statistic.as_deref().map(Statistic::from))
            .set_extended_statistic(self.extended_statistic.clone())
            .set_comparison_operator(self.comparison.as_deref().map(ComparisonOperator::from))
            .set_threshold(self.threshold)
            .set_period(self.period)
            .set_evaluation_periods(self.evaluation_periods)
            .set_datapoints_to_alarm(self.datapoints_to_alarm)
            .set_unit(self.unit.as_deref().map(StandardUnit::from))
            .set_alarm_description(self.description.clone())
            .set_alarm_actions(Some(self.alarm_actions.clone()))
            .set_insufficient_data_actions(Some(self.insufficient_data_actions.clone()))
            .set_ok_actions(Some(self.ok_actions.clone()))
            .treat_missing_data(&self.treat_missing_data)
            .set_evaluate_low_sample_count_percentile(self.evaluate_low_sample_count_percentile.clone());
        request.send().await.explain("cloudwatch:PutMetricAlarm").map(drop)
    }
}

/// Returns everything of an alarm that is compared, by the names of the arguments.
fn known(alarm: &MetricAlarm) -> Map<String, Json> {
    let dimensions: Vec<Pair> = alarm.dimensions().iter().map(Pair::of).collect();
    let metrics: Vec<Query> = alarm.metrics().iter().map(Query::of).collect();
    let json = json!({
        "metric_name": alarm.metric_name(), "namespace": alarm.namespace(), "dimensions": dimensions,
        "metrics": metrics, "statistic": alarm.statistic().map(Statistic::as_str),
        "extended_statistic": alarm.extended_statistic(),
        "comparison": alarm.comparison_operator().map(ComparisonOperator::as_str), "threshold": alarm.threshold(),
        "period": alarm.period(), "evaluation_periods": alarm.evaluation_periods(),
        "datapoints_to_alarm": alarm.datapoints_to_alarm(), "unit": alarm.unit().map(StandardUnit::as_str),
        "description": alarm.alarm_description(), "alarm_actions": alarm.alarm_actions(),
        "insufficient_data_actions": alarm.insufficient_data_actions(), "ok_actions": alarm.ok_actions(),
        "treat_missing_data": alarm.treat_missing_data().unwrap_or("missing"),
        "evaluate_low_sample_count_percentile": alarm.evaluate_low_sample_count_percentile(),
    });
    if let Json::Object(members) = json { members } else { Map::new() }
}

/// Returns a value without an order among its items, and without empty members.
fn unordered(json: &Json) -> Json {
    match json {
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(unordered).collect();
            items.sort_by_cached_key(Json::to_string);
            if items.is_empty() { Json::Null } else { items.into() }
        }
        Json::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), unordered(value)));
            members.filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
        }
        Json::String(text) if text.is_empty() => Json::Null,
        other => other.clone(),
    }
}

impl Resource for CloudwatchMetricAlarm {
    type Current = MetricAlarm;

    const KIND: &'static str = "alarm";
    const TYPE: &'static str = "AWS::CloudWatch::Alarm";
    const UNKNOWN: &'static [&'static str] = &["alarm_arn", "state_value", "state_reason", "last_updated"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.name,
            state: self.state,
            tags: None,
            purge_tags: false,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<MetricAlarm>, Error> {
        let answer = aws.cloudwatch().describe_alarms().alarm_names(&self.name).send().await;
        let found = answer.explain("cloudwatch:DescribeAlarms")?.metric_alarms.unwrap_or_default();
        Ok(found.into_iter().next())
    }

    fn identity(&self, current: &MetricAlarm) -> Identity {
        Identity { id: self.name.clone(), arn: current.alarm_arn().map(str::to_owned), account: None }
    }

    fn returned(&self, current: &MetricAlarm) -> Map<String, Json> {
        let mut members = known(current);
        let pair =
            |pair: &aws_sdk_cloudwatch::types::Dimension| json!({"Name": pair.name(), "Value": pair.value()});
        members.insert("dimensions".to_owned(), current.dimensions().iter().map(pair).collect());
        members.insert("metric".to_owned(), json!(current.metric_name()));
        members.insert("name".to_owned(), json!(current.alarm_name()));
        members.insert("alarm_arn".to_owned(), json!(current.alarm_arn()));
        members.insert("actions_enabled".to_owned(), json!(current.actions_enabled()));
        members.insert(
            "last_updated".to_owned(),
            json!(current.alarm_configuration_updated_timestamp().map(date)),
        );
        members.insert("state_reason".to_owned(), json!(current.state_reason()));
        members.insert("state_value".to_owned(), json!(current.state_value().map(|state| state.as_str())));
        members
    }

    fn foreseen(&self) -> Map<String, Json> {
        let mut members = self.asked();
        members.insert("name".to_owned(), json!(self.name));
        members
    }

    fn compare(&self, current: &MetricAlarm, changes: &mut Changes) -> Result<(), Failure> {
        let known = known(current);
        for (name, asked) in self.asked() {
            let before = known.get(&name).cloned().unwrap_or_default();
            if unordered(&asked) != unordered(&before) {
                changes.note(&name, before, asked);
            }
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<MetricAlarm, Failure> {
        self.put(aws).await?;
        Ok(MetricAlarm::builder().build())
    }

    async fn modify(
        &self,
        aws: &Aws,
        _current: &MetricAlarm,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        Ok(self.put(aws).await?)
    }

    async fn delete(&self, aws: &Aws, _current: &MetricAlarm, _context: &Context) -> Result<(), Failure> {
        let request = aws.cloudwatch().delete_alarms().alarm_names(&self.name);
        Ok(request.send().await.explain("cloudwatch:DeleteAlarms").map(drop)?)
    }
}
