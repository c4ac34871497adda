//! Amazon CloudWatch Logs.

pub(crate) mod group;
pub(crate) mod metric_filter;
