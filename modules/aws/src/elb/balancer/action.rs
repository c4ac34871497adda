//! The actions of listeners and rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, AuthenticateCognitoActionConditionalBehaviorEnum,
    AuthenticateCognitoActionConfig, AuthenticateOidcActionConditionalBehaviorEnum,
    AuthenticateOidcActionConfig, FixedResponseActionConfig, ForwardActionConfig, RedirectActionConfig,
    RedirectActionStatusCodeEnum, TargetGroupStickinessConfig, TargetGroupTuple,
};
use playbook_api::{Error, Failure};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::listener::Wanted;
use crate::client::Aws;
use crate::compare::satisfied;
use crate::elb::target_group::targets;
use crate::json::ToJson;

/// What to do with a request, as CreateListener and CreateRule take it.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(extend("mutually_exclusive" = [["TargetGroupArn", "TargetGroupName"]]))]
pub(crate) struct ActionOption {
    /// The type: `forward`, `redirect`, `fixed-response`, `authenticate-oidc` or `authenticate-cognito`.
    pub r#type: Option<String>,
    /// The ARN of the target group to forward to.
    pub target_group_arn: Option<String>,
    /// The name of the target group to forward to.
    pub target_group_name: Option<String>,
    /// The place among several actions; the lowest comes first.
    pub order: Option<i32>,
    /// The target groups to distribute requests among.
    pub forward_config: Option<Forward>,
    /// Where to redirect to.
    pub redirect_config: Option<Redirect>,
    /// The response.
    pub fixed_response_config: Option<FixedResponse>,
    /// The OpenID Connect provider that authenticates users.
    pub authenticate_oidc_config: Option<Oidc>,
    /// The user pool of Amazon Cognito that authenticates users.
    pub authenticate_cognito_config: Option<Cognito>,
}

/// The target groups to distribute requests among.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Forward {
    /// The target groups.
    target_groups: Vec<WeightedGroup>,
    /// Whether the requests of a client go to the same target group.
    target_group_stickiness_config: Option<Stickiness>,
}

/// A target group and its share of the requests.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WeightedGroup {
    /// The ARN of the target group.
    target_group_arn: Option<String>,
    /// The name of the target group.
    target_group_name: Option<String>,
    /// The share, 0 to 999. The default is 1.
    weight: Option<i32>,
}

/// Whether the requests of a client go to the same target group.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Stickiness {
    /// Whether they do.
    enabled: Option<bool>,
    /// For how many seconds.
    duration_seconds: Option<i32>,
}

/// Where to redirect to. Each part may contain `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Redirect {
    /// The protocol, by default that of the request.
    protocol: Option<String>,
    /// The port, by default that of the request.
    port: Option<String>,
    /// The host name, by default that of the request.
    host: Option<String>,
    /// The path, by default that of the request.
    path: Option<String>,
    /// The query, by default that of the request.
    query: Option<String>,
    /// The status: `HTTP_301` or `HTTP_302`.
    status_code: String,
}

/// A response without a target.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FixedResponse {
    /// The status code.
    status_code: String,
    /// The content type.
    content_type: Option<String>,
    /// The body.
    message_body: Option<String>,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Oidc {
    /// The issuer.
    issuer: String,
    /// The URL for authorization.
    authorization_endpoint: String,
    /// The URL for tokens.
    token_endpoint: String,
    /// The URL for the data of a user.
    user_info_endpoint: String,
    /// The ID of the client.
    client_id: String,
    /// The secret of the client.
    #[schemars(extend("no_log" = true))]
    client_secret: Option<String>,
    /// Whether to keep the secret of an existing rule.
    use_existing_client_secret: Option<bool>,
    /// The name of the cookie.
    session_cookie_name: Option<String>,
    /// The data to ask for, `openid` by default.
    scope: Option<String>,
    /// The number of seconds for which a session is valid.
    session_timeout: Option<i64>,
    /// More parameters of the request for authorization.
    #[schemars(extend("type" = "object"))]
    authentication_request_extra_params: Option<BTreeMap<String, String>>,
    /// What to do with other requests: `deny`, `allow` or `authenticate`.
    on_unauthenticated_request: Option<String>,
}

/// A user pool of Amazon Cognito.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Cognito {
    /// The ARN of the user pool.
    user_pool_arn: String,
    /// The ID of the client.
    user_pool_client_id: String,
    /// The domain of the user pool.
    user_pool_domain: String,
    /// The name of the cookie.
    session_cookie_name: Option<String>,
    /// The data to ask for, `openid` by default.
    scope: Option<String>,
    /// The number of seconds for which a session is valid.
    session_timeout: Option<i64>,
    /// More parameters of the request for authorization.
    #[schemars(extend("type" = "object"))]
    authentication_request_extra_params: Option<BTreeMap<String, String>>,
    /// What to do with other requests: `deny`, `allow` or `authenticate`.
    on_unauthenticated_request: Option<String>,
}

/// The ARNs of target groups by their names; `None` if there is no such target group.
pub(super) type Groups = BTreeMap<String, Option<String>>;

/// Looks up the target groups that actions name.
pub(super) async fn resolve(aws: &Aws, listeners: &[Wanted]) -> Result<Groups, Error> {
    let names: BTreeSet<&str> =
        listeners.iter().flat_map(Wanted::actions).flat_map(ActionOption::names).collect();
    let mut groups = Groups::new();
    for name in names {
        let group = targets::group_by_name(aws, name).await?;
        groups.insert(name.to_owned(), group.and_then(|group| group.target_group_arn));
    }
    Ok(groups)
}

/// Rejects names of target groups that do not exist.
pub(super) fn check_groups(groups: &Groups) -> Result<(), Failure> {
    match groups.iter().find(|(_, arn)| arn.is_none()) {
        None => Ok(()),
        Some((name, _)) => Err(Failure::new(format!("the target group {name} does not exist"))
            .with_help("Check `TargetGroupName` and `region`, or create it with elb_target_group.")),
    }
}

impl ActionOption {
    /// Returns the names of target groups.
    fn names(&self) -> impl Iterator<Item = &str> {
        let weighted = self.forward_config.iter().flat_map(|config| &config.target_groups);
        self.target_group_name
            .as_deref()
            .into_iter()
            .chain(weighted.filter_map(|g| g.target_group_name.as_deref()))
    }

    /// Returns the action as the API takes it. A target group that does not exist (yet) is named instead of its ARN.
    pub(super) fn sdk(&self, groups: &Groups) -> Action {
        let arn = |arn: &Option<String>, name: &Option<String>| {
            let named = || {
                name.as_ref().map(|name| groups.get(name).cloned().flatten().unwrap_or_else(|| name.clone()))
            };
            arn.clone().or_else(named)
        };
        let kind = self.r#type.as_deref().unwrap_or("forward");
        Action::builder()
            .r#type(ActionTypeEnum::from(kind))
            .set_target_group_arn(arn(&self.target_group_arn, &self.target_group_name))
            .set_order(self.order)
            .set_forward_config(self.forward_config.as_ref().map(|config| {
                let tuple = |group: &WeightedGroup| {
                    TargetGroupTuple::builder()
                        .set_target_group_arn(arn(&group.target_group_arn, &group.target_group_name))
                        .set_weight(group.weight)
                        .build()
                };
                let stickiness = config.target_group_stickiness_config.as_ref().map(|config| {
                    TargetGroupStickinessConfig::builder()
                        .set_enabled(config.enabled)
                        .set_duration_seconds(config.duration_seconds)
                        .build()
                });
                ForwardActionConfig::builder()
                    .set_target_groups(Some(config.target_groups.iter().map(tuple).collect()))
                    .set_target_group_stickiness_config(stickiness)
                    .build()
            }))
            .set_redirect_config(self.redirect_config.as_ref().map(|config| {
                RedirectActionConfig::builder()
                    .set_protocol(config.protocol.clone())
                    .set_port(config.port.clone())
                    .set_host(config.host.clone())
                    .set_path(config.path.clone())
                    .set_query(config.query.clone())
                    .status_code(RedirectActionStatusCodeEnum::from(config.status_code.as_str()))
                    .build()
            }))
            .set_fixed_response_config(self.fixed_response_config.as_ref().map(|config| {
                FixedResponseActionConfig::builder()
                    .status_code(&config.status_code)
                    .set_content_type(config.content_type.clone())
                    .set_message_body(config.message_body.clone())
                    .build()
            }))
            .set_authenticate_oidc_config(self.authenticate_oidc_config.as_ref().map(Oidc::sdk))
            .set_authenticate_cognito_config(self.authenticate_cognito_config.as_ref().map(Cognito::sdk))
            .build()
    }
}

fn parameters(given: Option<&BTreeMap<String, String>>) -> Option<HashMap<String, String>> {
    given.map(|map| map.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

impl Oidc {
    fn sdk(&self) -> AuthenticateOidcActionConfig {
        let behavior = self.on_unauthenticated_request.as_deref();
        AuthenticateOidcActionConfig::builder()
            .issuer(&self.issuer)
            .authorization_endpoint(&self.authorization_endpoint)
            .token_endpoint(&self.token_endpoint)
            .user_info_endpoint(&self.user_info_endpoint)
            .client_id(&self.client_id)
            .set_client_secret(self.client_secret.clone())
            .set_use_existing_client_secret(self.use_existing_client_secret)
            .set_session_cookie_name(self.session_cookie_name.clone())
            .set_scope(self.scope.clone())
            .set_session_timeout(self.session_timeout)
            .set_authentication_request_extra_params(parameters(
                self.authentication_request_extra_params.as_ref(),
            ))
            .set_on_unauthenticated_request(behavior.map(AuthenticateOidcActionConditionalBehaviorEnum::from))
            .build()
    }
}

impl Cognito {
    fn sdk(&self) -> AuthenticateCognitoActionConfig {
        let behavior = self.on_unauthenticated_request.as_deref();
        AuthenticateCognitoActionConfig::builder()
            .user_pool_arn(&self.user_pool_arn)
            .user_pool_client_id(&self.user_pool_client_id)
            .user_pool_domain(&self.user_pool_domain)
            .set_session_cookie_name(self.session_cookie_name.clone())
            .set_scope(self.scope.clone())
            .set_session_timeout(self.session_timeout)
            .set_authentication_request_extra_params(parameters(
                self.authentication_request_extra_params.as_ref(),
            ))
            .set_on_unauthenticated_request(
                behavior.map(AuthenticateCognitoActionConditionalBehaviorEnum::from),
            )
            .build()
    }
}

/// Returns actions in the form in which they are compared: AWS returns one target group in two places, adds what a
/// redirect does not name, and never returns secrets.
pub(super) fn normal(actions: &[Action]) -> Vec<Json> {
    let mut sorted: Vec<&Action> = actions.iter().collect();
    sorted.sort_by_key(|action| action.order().unwrap_or(i32::MAX));
    sorted.into_iter().map(normal_action).collect()
}

fn normal_action(action: &Action) -> Json {
    let mut json = action.to_json();
    let Some(members) = json.as_object_mut() else { return json };
    members.remove("order");
    if let Some(config) = members.remove("forward_config") {
        let sticky = config["target_group_stickiness_config"]["enabled"] == true;
        match config["target_groups"].as_array().map(Vec::as_slice) {
            Some([one]) if !sticky => {
                members.insert("target_group_arn".to_owned(), one["target_group_arn"].clone());
            }
            _ => {
                members.remove("target_group_arn");
                members.insert("forward_config".to_owned(), config);
            }
        }
    }
    if let Some(oidc) = members.get_mut("authenticate_oidc_config").and_then(Json::as_object_mut) {
        oidc.remove("use_existing_client_secret");
    }
    if let Some(redirect) = members.get_mut("redirect_config") {
        for (name, default) in [
            ("protocol", "#{protocol}"),
            ("port", "#{port}"),
            ("host", "#{host}"),
            ("path", "/#{path}"),
            ("query", "#{query}"),
        ] {
            if redirect[name].is_null() {
                redirect[name] = json!(default);
            }
        }
    }
    json
}

/// Returns whether actions are as asked.
pub(super) fn equal(asked: &[Action], current: &[Action]) -> bool {
    let (asked, current) = (normal(asked), normal(current));
    asked.len() == current.len()
        && asked.iter().zip(&current).all(|(asked, current)| satisfied(asked, current))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(json: Json) -> Action {
        let option: ActionOption = serde_json::from_value(json).unwrap();
        option.sdk(&Groups::from([("web".to_owned(), Some("arn:web".to_owned()))]))
    }

    #[test]
    fn one_target_group_is_the_same_in_either_place() {
        let asked = action(json!({"Type": "forward", "TargetGroupName": "web"}));
        let tuple = json!({"TargetGroupArn": "arn:web", "Weight": 1});
        let current = action(json!({
            "Type": "forward",
            "TargetGroupArn": "arn:web",
            "ForwardConfig": {"TargetGroups": [tuple], "TargetGroupStickinessConfig": {"Enabled": false}},
        }));
        assert!(equal(std::slice::from_ref(&asked), std::slice::from_ref(&current)));
        let other = action(json!({"Type": "forward", "TargetGroupArn": "arn:api"}));
        assert!(!equal(&[other], &[current]));
    }

    #[test]
    fn a_redirect_keeps_what_it_does_not_name() {
        let asked = action(
            json!({"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}),
        );
        let mut full = json!({"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"});
        let current = action(json!({"Type": "redirect", "RedirectConfig": full}));
        assert!(equal(std::slice::from_ref(&asked), &[current]));
        full["Path"] = json!("/new");
        let moved = action(json!({"Type": "redirect", "RedirectConfig": full}));
        assert!(!equal(&[asked], &[moved]));
    }
}
