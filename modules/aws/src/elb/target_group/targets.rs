//! The targets of a target group.

use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetGroup, TargetHealthDescription, TargetHealthStateEnum,
};
use playbook_api::Error;
use serde::Deserialize;
use serde_json::Value as Json;

use super::Current;
use crate::client::Aws;
use crate::error::Explain;
use crate::json::ToJson;

/// A target.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TargetOption {
    /// The ID of the instance, the address, or the ARN of the function or load balancer.
    id: String,
    /// The port, by default that of the target group.
    port: Option<i32>,
    /// The availability zone, or `all`. It is required for addresses outside the VPC.
    availability_zone: Option<String>,
}

/// The targets to register and to deregister.
pub(super) struct Plan {
    add: Vec<TargetDescription>,
    remove: Vec<TargetDescription>,
}

impl Plan {
    pub(super) fn between(
        current: &[TargetHealthDescription],
        asked: &[TargetOption],
        port: Option<i32>,
    ) -> Plan {
        let asked: Vec<TargetDescription> = asked
            .iter()
            .map(|target| {
                TargetDescription::builder()
                    .id(&target.id)
                    .set_port(target.port.or(port))
                    .set_availability_zone(target.availability_zone.clone())
                    .build()
            })
            .collect();
        let registered = registered(current);
        let within = |target: &TargetDescription, all: &[TargetDescription]| {
            all.iter().any(|other| same(target, other))
        };
        Plan {
            add: asked.iter().filter(|target| !within(target, &registered)).cloned().collect(),
            remove: registered.iter().filter(|target| !within(target, &asked)).cloned().collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// Returns the current targets, for `--diff`.
    pub(super) fn before(&self, current: &Current) -> Json {
        registered(&current.targets).to_json()
    }

    /// Returns the targets after the change, for `--diff`.
    pub(super) fn after(&self, current: &Current) -> Json {
        let mut targets = registered(&current.targets);
        targets.retain(|target| !self.remove.contains(target));
        targets.extend(self.add.iter().cloned());
        targets.to_json()
    }

    pub(super) async fn apply(self, aws: &Aws, arn: &str) -> Result<(), Error> {
        if !self.add.is_empty() {
            register(aws, arn, self.add).await?;
        }
        if !self.remove.is_empty() {
            deregister(aws, arn, self.remove).await?;
        }
        Ok(())
    }
}

/// Registers targets.
pub(crate) async fn register(aws: &Aws, arn: &str, targets: Vec<TargetDescription>) -> Result<(), Error> {
    let request = aws.elb().register_targets().target_group_arn(arn).set_targets(Some(targets));
    request.send().await.explain("elasticloadbalancing:RegisterTargets").map(drop)
}

/// Deregisters targets.
pub(crate) async fn deregister(aws: &Aws, arn: &str, targets: Vec<TargetDescription>) -> Result<(), Error> {
    let request = aws.elb().deregister_targets().target_group_arn(arn).set_targets(Some(targets));
    request.send().await.explain("elasticloadbalancing:DeregisterTargets").map(drop)
}

/// Returns whether two targets are the same one; a function has no port.
fn same(a: &TargetDescription, b: &TargetDescription) -> bool {
    a.id() == b.id() && (a.port() == b.port() || a.port().is_none() || b.port().is_none())
}

/// Returns the targets that are registered and not about to leave.
fn registered(health: &[TargetHealthDescription]) -> Vec<TargetDescription> {
    let stays = health.iter().filter(|target| state(target) != Some(&TargetHealthStateEnum::Draining));
    stays.filter_map(|target| target.target().cloned()).collect()
}

pub(crate) fn state(target: &TargetHealthDescription) -> Option<&TargetHealthStateEnum> {
    target.target_health().and_then(|health| health.state())
}

/// Returns what keeps targets from their final state.
pub(super) fn pending(health: &[TargetHealthDescription]) -> Option<String> {
    let waits = health.iter().find(|target| {
        matches!(
            state(target),
            Some(
                TargetHealthStateEnum::Initial
                    | TargetHealthStateEnum::Unhealthy
                    | TargetHealthStateEnum::Draining
            )
        )
    })?;
    let id = waits.target().and_then(|target| target.id()).unwrap_or_default();
    Some(format!("the target {id} is {}", state(waits).map_or("unknown", |state| state.as_str())))
}

/// The codes of a target group that does not exist.
pub(crate) const MISSING: [&str; 2] = ["TargetGroupNotFound", "TargetGroupNotFoundException"];

/// Returns the target group of a name.
pub(crate) async fn group_by_name(aws: &Aws, name: &str) -> Result<Option<TargetGroup>, Error> {
    let answer = aws.elb().describe_target_groups().names(name).send().await;
    let answer = answer.missing("elasticloadbalancing:DescribeTargetGroups", &MISSING)?;
    Ok(answer.and_then(|answer| answer.target_groups.unwrap_or_default().into_iter().next()))
}

/// Returns the targets of a target group with their health.
pub(crate) async fn health(aws: &Aws, arn: &str) -> Result<Vec<TargetHealthDescription>, Error> {
    let request = aws.elb().describe_target_health().target_group_arn(arn);
    let answer = request.send().await.explain("elasticloadbalancing:DescribeTargetHealth")?;
    Ok(answer.target_health_descriptions.unwrap_or_default())
}
