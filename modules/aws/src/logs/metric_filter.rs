//! `cloudwatchlogs_log_group_metric_filter`: creates, changes and deletes metric filters of log groups.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::types::{MetricFilter, MetricTransformation, StandardUnit};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};

/// Creates, changes or deletes a metric filter, which counts the events of a log group that match a pattern.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["metric_transformation", "filter_pattern"]]]))]
pub(crate) struct CloudwatchlogsLogGroupMetricFilter {
    /// The name of the log group.
    pub log_group_name: String,
    /// The name of the filter, which is unique in the group.
    pub filter_name: String,
    /// The pattern of the events that count.
    pub filter_pattern: Option<String>,
    /// The metric.
    pub metric_transformation: Option<Transformation>,
    /// Whether the filter is to exist.
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

/// The metric of a filter.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Transformation {
    /// The name of the metric.
    pub metric_name: String,
    /// The namespace of the metric.
    pub metric_namespace: String,
    /// The value that an event adds: a number, or a field of the event.
    pub metric_value: String,
    /// The value in times without a matching event. The default is none.
    pub default_value: Option<f64>,
    /// The dimensions, which are fields of the event, by name.
    pub dimensions: Option<BTreeMap<String, String>>,
    /// The unit of the value. The default is none.
    pub unit: Option<String>,
}

impl Transformation {
    fn to_json(&self) -> Json {
        let mut members = Map::from_iter([
            ("metric_name".to_owned(), json!(self.metric_name)),
            ("metric_namespace".to_owned(), json!(self.metric_namespace)),
            ("metric_value".to_owned(), json!(self.metric_value)),
        ]);
        members.extend(self.default_value.map(|value| ("default_value".to_owned(), json!(value))));
        members.extend(self.dimensions.as_ref().map(|all| ("dimensions".to_owned(), json!(all))));
        members.extend(self.unit.as_ref().map(|unit| ("unit".to_owned(), json!(unit))));
        members.into()
    }

    fn of(known: &MetricTransformation) -> Transformation {
        Transformation {
            metric_name: known.metric_name().to_owned(),
            metric_namespace: known.metric_namespace().to_owned(),
            metric_value: known.metric_value().to_owned(),
            default_value: known.default_value(),
            dimensions: known.dimensions().map(|all| all.clone().into_iter().collect()),
            // CloudWatch Logs describes a metric without a unit with the unit None.
            unit: known.unit().map(|unit| unit.as_str().to_owned()).filter(|unit| unit != "None"),
        }
    }

    fn to_sdk(&self) -> Result<MetricTransformation, Error> {
        MetricTransformation::builder()
            .metric_name(&self.metric_name)
            .metric_namespace(&self.metric_namespace)
            .metric_value(&self.metric_value)
            .set_default_value(self.default_value)
            .set_dimensions(self.dimensions.clone().map(|all| all.into_iter().collect()))
            .set_unit(self.unit.as_deref().map(StandardUnit::from))
            .build()
            .map_err(|error| Error::new(error.to_string()))
    }
}

impl ControllerModule for CloudwatchlogsLogGroupMetricFilter {
    const DOC: Doc = Doc {
        name: "cloudwatchlogs_log_group_metric_filter",
        collection: "amazon.aws",
        aliases: &["community.aws.cloudwatchlogs_log_group_metric_filter"],
        short: "Create, change or delete a metric filter of a log group",
        returns: &[("metric_filters", "list", "The metrics of the filter; null after its deletion.")],
        examples: "\
- name: Count the errors of the application
  cloudwatchlogs_log_group_metric_filter:
    log_group_name: /ecs/webapp
    filter_name: errors
    filter_pattern: ERROR
    metric_transformation:
      metric_name: errors
      metric_namespace: webapp
      metric_value: \"1\"
      default_value: 0
    state: present

- name: Count them no longer
  cloudwatchlogs_log_group_metric_filter: {log_group_name: /ecs/webapp, filter_name: errors, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        resource::apply(self, context).await
    }
}

impl CloudwatchlogsLogGroupMetricFilter {
    async fn put(&self, aws: &Aws) -> Result<(), Error> {
        let metric = self.metric_transformation.as_ref().map(Transformation::to_sdk).transpose()?;
        let request = aws
            .logs()
            .put_metric_filter()
            .log_group_name(&self.log_group_name)
            .filter_name(&self.filter_name)
            .set_filter_pattern(self.filter_pattern.clone())
            .set_metric_transformations(metric.map(|metric| vec![metric]));
        request.send().await.explain("logs:PutMetricFilter").map(drop)
    }
}

impl Resource for CloudwatchlogsLogGroupMetricFilter {
    type Current = MetricFilter;

    const KIND: &'static str = "metric filter";
    const TYPE: &'static str = "AWS::Logs::MetricFilter";
    const UNKNOWN: &'static [&'static str] = &[];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.filter_name,
            state: self.state,
            tags: None,
            purge_tags: false,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<MetricFilter>, Error> {
        let request = aws
            .logs()
            .describe_metric_filters()
            .log_group_name(&self.log_group_name)
            .filter_name_prefix(&self.filter_name);
        let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        // The group may be created by an earlier task.
        let found = found.missing("logs:DescribeMetricFilters", &["ResourceNotFoundException"])?;
        let mut found = found.unwrap_or_default().into_iter();
        Ok(found.find(|filter| filter.filter_name() == Some(&self.filter_name)))
    }

    fn identity(&self, _current: &MetricFilter) -> Identity {
        Identity { id: format!("{}/{}", self.log_group_name, self.filter_name), ..Identity::default() }
    }

    fn returned(&self, current: &MetricFilter) -> Map<String, Json> {
        let metrics = current.metric_transformations().iter();
        let metrics: Vec<Json> = metrics.map(|metric| Transformation::of(metric).to_json()).collect();
        Map::from_iter([("metric_filters".to_owned(), metrics.into())])
    }

    fn returned_absent(&self, deleted: Option<&MetricFilter>) -> Map<String, Json> {
        match deleted {
            Some(filter) => self.returned(filter),
            None => Map::from_iter([("metric_filters".to_owned(), Json::Null)]),
        }
    }

    fn foreseen(&self) -> Map<String, Json> {
        let metric = self.metric_transformation.iter().map(Transformation::to_json).collect();
        Map::from_iter([("metric_filters".to_owned(), metric)])
    }

    fn compare(&self, current: &MetricFilter, changes: &mut Changes) -> Result<(), Failure> {
        changes.compare("filter_pattern", &json!(self.filter_pattern), &json!(current.filter_pattern()));
        let known =
            current.metric_transformations().first().map(|metric| Transformation::of(metric).to_json());
        let asked = self.metric_transformation.as_ref().map(Transformation::to_json);
        if asked != known {
            changes.note("metric_transformation", json!(known), json!(asked));
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<MetricFilter, Failure> {
        self.put(aws).await?;
        Ok(MetricFilter::builder().build())
    }

    async fn modify(
        &self,
        aws: &Aws,
        _current: &MetricFilter,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        Ok(self.put(aws).await?)
    }

    async fn delete(&self, aws: &Aws, _current: &MetricFilter, _context: &Context) -> Result<(), Failure> {
        let request = aws.logs().delete_metric_filter().log_group_name(&self.log_group_name);
        let answer = request.filter_name(&self.filter_name).send().await;
        Ok(answer.explain("logs:DeleteMetricFilter").map(drop)?)
    }
}
