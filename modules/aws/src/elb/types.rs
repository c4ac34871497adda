//! The types of Elastic Load Balancing as modules return them.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, AdministrativeOverride, AnomalyDetection, AnomalyResultEnum,
    AuthenticateCognitoActionConditionalBehaviorEnum, AuthenticateCognitoActionConfig,
    AuthenticateOidcActionConditionalBehaviorEnum, AuthenticateOidcActionConfig, AvailabilityZone,
    Certificate, FixedResponseActionConfig, ForwardActionConfig, HostHeaderConditionConfig,
    HttpHeaderConditionConfig, HttpRequestMethodConditionConfig, IpAddressType, Listener, LoadBalancer,
    LoadBalancerAddress, LoadBalancerSchemeEnum, LoadBalancerState, LoadBalancerStateEnum,
    LoadBalancerTypeEnum, Matcher, MitigationInEffectEnum, MutualAuthenticationAttributes,
    PathPatternConditionConfig, ProtocolEnum, QueryStringConditionConfig, QueryStringKeyValuePair,
    RedirectActionConfig, RedirectActionStatusCodeEnum, Rule, RuleCondition, SourceIpConditionConfig,
    TargetAdministrativeOverrideReasonEnum, TargetAdministrativeOverrideStateEnum, TargetDescription,
    TargetGroup, TargetGroupIpAddressTypeEnum, TargetGroupStickinessConfig, TargetGroupTuple, TargetHealth,
    TargetHealthDescription, TargetHealthReasonEnum, TargetHealthStateEnum, TargetTypeEnum,
};

use crate::json::to_json;

to_json! {
    struct TargetGroup {
        health_check_enabled, health_check_interval_seconds, health_check_path, health_check_port,
        health_check_protocol, health_check_timeout_seconds, healthy_threshold_count, ip_address_type,
        load_balancer_arns, matcher, port, protocol, protocol_version, target_group_arn, target_group_name,
        target_type, unhealthy_threshold_count, vpc_id,
    }
    enum TargetGroupIpAddressTypeEnum;
    enum ProtocolEnum;
    enum TargetTypeEnum;
    struct Matcher { grpc_code, http_code }

    struct TargetHealthDescription {
        administrative_override, anomaly_detection, health_check_port, target, target_health,
    }
    struct TargetDescription { availability_zone, id, port }
    struct TargetHealth { description, reason, state }
    enum TargetHealthStateEnum;
    enum TargetHealthReasonEnum;
    struct AnomalyDetection { mitigation_in_effect, result }
    enum AnomalyResultEnum;
    enum MitigationInEffectEnum;
    struct AdministrativeOverride { description, reason, state }
    enum TargetAdministrativeOverrideStateEnum;
    enum TargetAdministrativeOverrideReasonEnum;

    struct LoadBalancer {
        availability_zones, canonical_hosted_zone_id, created_time, customer_owned_ipv4_pool, dns_name,
        enforce_security_group_inbound_rules_on_private_link_traffic, ip_address_type, load_balancer_arn,
        load_balancer_name, scheme, security_groups, state, r#type, vpc_id,
    }
    enum LoadBalancerSchemeEnum;
    enum LoadBalancerTypeEnum;
    enum IpAddressType;
    struct LoadBalancerState { code, reason }
    enum LoadBalancerStateEnum;
    struct AvailabilityZone { load_balancer_addresses, outpost_id, subnet_id, zone_name }
    struct LoadBalancerAddress { allocation_id, ip_address, ipv6_address, private_ipv4_address }

    struct Listener {
        alpn_policy, certificates, default_actions, listener_arn, load_balancer_arn, mutual_authentication,
        port, protocol, ssl_policy,
    }
    struct Certificate { certificate_arn, is_default }
    struct MutualAuthenticationAttributes { ignore_client_certificate_expiry, mode, trust_store_arn }
    struct Rule { actions, conditions, is_default, priority, rule_arn }

    struct Action {
        authenticate_cognito_config, authenticate_oidc_config, fixed_response_config, forward_config, order,
        redirect_config, target_group_arn, r#type,
    }
    enum ActionTypeEnum;
    struct ForwardActionConfig { target_group_stickiness_config, target_groups }
    struct TargetGroupTuple { target_group_arn, weight }
    struct TargetGroupStickinessConfig { duration_seconds, enabled }
    struct RedirectActionConfig { host, path, port, protocol, query, status_code }
    enum RedirectActionStatusCodeEnum;
    struct FixedResponseActionConfig { content_type, message_body, status_code }
    struct AuthenticateOidcActionConfig {
        authentication_request_extra_params, authorization_endpoint, client_id, issuer,
        on_unauthenticated_request, scope, session_cookie_name, session_timeout, token_endpoint,
        use_existing_client_secret, user_info_endpoint,
    }
    enum AuthenticateOidcActionConditionalBehaviorEnum;
    struct AuthenticateCognitoActionConfig {
        authentication_request_extra_params, on_unauthenticated_request, scope, session_cookie_name,
        session_timeout, user_pool_arn, user_pool_client_id, user_pool_domain,
    }
    enum AuthenticateCognitoActionConditionalBehaviorEnum;

    struct RuleCondition {
        field, host_header_config, http_header_config, http_request_method_config, path_pattern_config,
        query_string_config, regex_values, source_ip_config, values,
    }
    struct HostHeaderConditionConfig { regex_values, values }
    struct PathPatternConditionConfig { regex_values, values }
    struct HttpHeaderConditionConfig { http_header_name, regex_values, values }
    struct HttpRequestMethodConditionConfig { values }
    struct QueryStringConditionConfig { values }
    struct QueryStringKeyValuePair { key, value }
    struct SourceIpConditionConfig { values }
}
