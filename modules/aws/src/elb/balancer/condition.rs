//! The conditions of rules.

use aws_sdk_elasticloadbalancingv2::types::{
    HostHeaderConditionConfig, HttpHeaderConditionConfig, HttpRequestMethodConditionConfig,
    PathPatternConditionConfig, QueryStringConditionConfig, QueryStringKeyValuePair, RuleCondition,
    SourceIpConditionConfig,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::compare::satisfied;
use crate::json::ToJson;

/// A condition, as CreateRule takes it.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConditionOption {
    /// What is compared: `host-header`, `path-pattern`, `http-header`, `http-request-method`, `query-string` or
    /// `source-ip`.
    pub field: String,
    /// The patterns of a host name or path.
    pub values: Option<Vec<String>>,
    /// The patterns of the host name.
    pub host_header_config: Option<Patterns>,
    /// The patterns of the path.
    pub path_pattern_config: Option<Patterns>,
    /// The header and its patterns.
    pub http_header_config: Option<Header>,
    /// The methods.
    pub http_request_method_config: Option<Values>,
    /// The parameters of the query.
    pub query_string_config: Option<Query>,
    /// The addresses, in CIDR notation.
    pub source_ip_config: Option<Values>,
}

/// Patterns, of which one must match.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Patterns {
    /// The patterns, with `*` and `?`.
    values: Option<Vec<String>>,
    /// The regular expressions.
    regex_values: Option<Vec<String>>,
}

/// A header and its patterns, of which one must match.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Header {
    /// The name of the header.
    http_header_name: String,
    /// The patterns, with `*` and `?`.
    values: Option<Vec<String>>,
    /// The regular expressions.
    regex_values: Option<Vec<String>>,
}

/// Values, of which one must be equal.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Values {
    /// The values.
    values: Vec<String>,
}

/// Parameters of the query, of which one must match.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Query {
    /// The parameters.
    values: Vec<Parameter>,
}

/// A parameter of the query.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Parameter {
    /// The name; any if not given.
    key: Option<String>,
    /// The pattern of the value.
    value: String,
}

impl ConditionOption {
    /// Returns the condition as the API takes it.
    pub(super) fn sdk(&self) -> RuleCondition {
        RuleCondition::builder()
            .field(&self.field)
            .set_values(self.values.clone())
            .set_host_header_config(self.host_header_config.as_ref().map(|config| {
                HostHeaderConditionConfig::builder()
                    .set_values(config.values.clone())
                    .set_regex_values(config.regex_values.clone())
                    .build()
            }))
            .set_path_pattern_config(self.path_pattern_config.as_ref().map(|config| {
                PathPatternConditionConfig::builder()
                    .set_values(config.values.clone())
                    .set_regex_values(config.regex_values.clone())
                    .build()
            }))
            .set_http_header_config(self.http_header_config.as_ref().map(|config| {
                HttpHeaderConditionConfig::builder()
                    .http_header_name(&config.http_header_name)
                    .set_values(config.values.clone())
                    .set_regex_values(config.regex_values.clone())
                    .build()
            }))
            .set_http_request_method_config(self.http_request_method_config.as_ref().map(|config| {
                HttpRequestMethodConditionConfig::builder().set_values(Some(config.values.clone())).build()
            }))
            .set_query_string_config(self.query_string_config.as_ref().map(|config| {
                let pair = |parameter: &Parameter| {
                    QueryStringKeyValuePair::builder()
                        .set_key(parameter.key.clone())
                        .value(&parameter.value)
                        .build()
                };
                let pairs = config.values.iter().map(pair).collect();
                QueryStringConditionConfig::builder().set_values(Some(pairs)).build()
            }))
            .set_source_ip_config(self.source_ip_config.as_ref().map(|config| {
                SourceIpConditionConfig::builder().set_values(Some(config.values.clone())).build()
            }))
            .build()
    }
}

/// Returns conditions in the form in which they are compared: AWS returns the patterns of a host or path in two places.
pub(super) fn normal(conditions: &[RuleCondition]) -> Json {
    let one = |condition: &RuleCondition| {
        let mut json = condition.to_json();
        let Some(members) = json.as_object_mut() else { return json };
        for config in ["host_header_config", "path_pattern_config"] {
            let Some(config) = members.remove(config) else { continue };
            for name in ["values", "regex_values"] {
                let has = members.get(name).and_then(Json::as_array).is_some_and(|values| !values.is_empty());
                if !has && !config[name].is_null() {
                    members.insert(name.to_owned(), config[name].clone());
                }
            }
        }
        members.retain(|_, value| *value != json!([]));
        json
    };
    conditions.iter().map(one).collect()
}

/// Returns whether conditions are as asked, in any order.
pub(super) fn equal(asked: &[RuleCondition], current: &[RuleCondition]) -> bool {
    let (asked, current) = (normal(asked), normal(current));
    satisfied(&asked, &current) && satisfied(&current, &asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(json: Json) -> RuleCondition {
        serde_json::from_value::<ConditionOption>(json).unwrap().sdk()
    }

    #[test]
    fn patterns_are_the_same_in_either_place_and_in_any_order() {
        let asked = condition(json!({"Field": "path-pattern", "Values": ["/a/*", "/b/*"]}));
        let current = condition(json!({
            "Field": "path-pattern",
            "Values": ["/b/*", "/a/*"],
            "PathPatternConfig": {"Values": ["/b/*", "/a/*"]},
        }));
        assert!(equal(std::slice::from_ref(&asked), std::slice::from_ref(&current)));
        let host =
            condition(json!({"Field": "host-header", "HostHeaderConfig": {"Values": ["example.com"]}}));
        assert!(!equal(&[asked.clone(), host.clone()], std::slice::from_ref(&current)));
        assert!(!equal(&[asked], &[current, host]));
    }
}
