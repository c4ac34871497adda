//! The metrics of an alarm that watches an expression.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StandardUnit};
use serde::{Deserialize, Serialize};

/// A metric, or an expression of others.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
pub(crate) struct Query {
    /// The name by which expressions refer to it.
    pub id: String,
    /// An expression, instead of `metric_stat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// A metric, instead of `expression`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<Stat>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether the alarm watches this one. Exactly one of them is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
    /// The number of seconds between two values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i32>,
    /// The ID of the account of the metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// A metric with its statistic.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
pub(crate) struct Stat {
    /// The metric.
    pub metric: Name,
    /// The number of seconds between two values.
    pub period: i32,
    /// The statistic: `Sum`, `Average`, `p99`.
    pub stat: String,
    /// The unit of the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// The name of a metric.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
pub(crate) struct Name {
    /// The namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name in it.
    pub metric_name: String,
    /// The dimensions.
    #[serde(default)]
    pub dimensions: Vec<Pair>,
}

/// A dimension.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
pub(crate) struct Pair {
    /// The name of the dimension.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Query {
    pub(crate) fn to_sdk(&self) -> MetricDataQuery {
        MetricDataQuery::builder()
            .id(&self.id)
            .set_expression(self.expression.clone())
            .set_metric_stat(self.metric_stat.as_ref().map(Stat::to_sdk))
            .set_label(self.label.clone())
            .set_return_data(self.return_data)
            .set_period(self.period)
            .set_account_id(self.account_id.clone())
            .build()
    }

    /// Returns what CloudWatch describes; the default of `return_data` is written out.
    pub(crate) fn of(known: &MetricDataQuery) -> Query {
        Query {
            id: known.id().unwrap_or_default().to_owned(),
            expression: known.expression().map(str::to_owned),
            metric_stat: known.metric_stat().map(Stat::of),
            label: known.label().map(str::to_owned),
            return_data: Some(known.return_data().unwrap_or(true)),
            period: known.period(),
            account_id: known.account_id().map(str::to_owned),
        }
    }

    /// Returns the query with its default written out, and without a label that CloudWatch made.
    pub(crate) fn complete(&self) -> Query {
        Query { return_data: Some(self.return_data.unwrap_or(true)), ..self.clone() }
    }
}

impl Stat {
    fn to_sdk(&self) -> MetricStat {
        let metric = Metric::builder()
            .set_namespace(self.metric.namespace.clone())
            .metric_name(&self.metric.metric_name)
            .set_dimensions(Some(self.metric.dimensions.iter().map(Pair::to_sdk).collect()))
            .build();
        MetricStat::builder()
            .metric(metric)
            .period(self.period)
            .stat(&self.stat)
            .set_unit(self.unit.as_deref().map(StandardUnit::from))
            .build()
    }

    fn of(known: &MetricStat) -> Stat {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let metric = known.metric();
        Stat {
            metric: Name {
                namespace: metric.and_then(|metric| metric.namespace()).map(str::to_owned),
                metric_name: text(metric.and_then(|metric| metric.metric_name())),
                dimensions: metric
                    .map(|metric| metric.dimensions())
                    .unwrap_or_default()
                    .iter()
                    .map(Pair::of)
                    .collect(),
            },
            period: known.period().unwrap_or_default(),
            stat: text(known.stat()),
            unit: known.unit().map(|unit| unit.as_str().to_owned()),
        }
    }
}

impl Pair {
    pub(crate) fn to_sdk(&self) -> Dimension {
        Dimension::builder().name(&self.name).value(&self.value).build()
    }

    pub(crate) fn of(known: &Dimension) -> Pair {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Pair { name: text(known.name()), value: text(known.value()) }
    }
}
