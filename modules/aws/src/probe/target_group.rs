//! `wait_until: {target_group: …}`: the targets of a load balancer are healthy.

use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};
use playbook_api::{Error, ProbeState};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{Watched, values};
use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;

/// Waits until the targets of a target group are healthy.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_one_of" = [["target_group_arn", "name"]], "mutually_exclusive" = [["target_group_arn", "name"]]))]
pub(crate) struct TargetGroup {
    /// The ARN of the target group.
    #[schemars(extend("aliases" = ["arn"]))]
    target_group_arn: Option<String>,
    /// The name of the target group.
    name: Option<String>,
    /// The minimum number of healthy targets. By default, at least one target and all that are not draining must be healthy.
    healthy: Option<i64>,
    #[serde(flatten)]
    connection: Connection,
}

impl Watched for TargetGroup {
    const NAME: &'static str = "target_group";
    const THING: &'static str = "the targets";

    fn connection(&self) -> &Connection {
        &self.connection
    }

    async fn look(self, aws: &Aws) -> Result<ProbeState, Error> {
        let Some(targets) = self.targets(aws).await? else {
            let name = self.target_group_arn.as_deref().or(self.name.as_deref()).unwrap_or_default();
            return Ok(ProbeState::Missing(format!("the target group {name} does not exist")));
        };
        let found = values("targets", targets.iter().map(to_json).collect());
        let count = |is: TargetHealthStateEnum| targets.iter().filter(|t| state(t) == Some(&is)).count();
        let (draining, healthy) =
            (count(TargetHealthStateEnum::Draining), count(TargetHealthStateEnum::Healthy));
        let wanted = match self.healthy {
            Some(n) => usize::try_from(n).unwrap_or(0),
            None => (targets.len() - draining).max(1),
        };
        Ok(match healthy >= wanted {
            true => ProbeState::Met(found),
            false => ProbeState::Waiting(format!("{healthy} of {wanted} targets healthy"), found),
        })
    }

    /// Returns the reasons why targets are not healthy.
    async fn explain(self, aws: &Aws) -> Result<Vec<String>, Error> {
        let targets = self.targets(aws).await?.unwrap_or_default();
        Ok(targets.iter().filter_map(unhealthy_reason).collect())
    }
}

impl TargetGroup {
    async fn targets(&self, aws: &Aws) -> Result<Option<Vec<TargetHealthDescription>>, Error> {
        let missing = ["TargetGroupNotFound", "TargetGroupNotFoundException"];
        let arn = match &self.target_group_arn {
            Some(arn) => arn.clone(),
            None => {
                let request =
                    aws.elb().describe_target_groups().set_names(self.name.clone().map(|n| vec![n]));
                let answer =
                    request.send().await.missing("elasticloadbalancing:DescribeTargetGroups", &missing)?;
                let group = answer.and_then(|a| a.target_groups.unwrap_or_default().into_iter().next());
                match group.and_then(|g| g.target_group_arn) {
                    Some(arn) => arn,
                    None => return Ok(None),
                }
            }
        };
        let answer = aws.elb().describe_target_health().target_group_arn(arn).send().await;
        let answer = answer.missing("elasticloadbalancing:DescribeTargetHealth", &missing)?;
        Ok(answer.map(|a| a.target_health_descriptions.unwrap_or_default()))
    }
}

fn state(target: &TargetHealthDescription) -> Option<&TargetHealthStateEnum> {
    target.target_health().and_then(|h| h.state())
}

fn to_json(target: &TargetHealthDescription) -> Json {
    let health = target.target_health();
    json!({
        "id": target.target().and_then(|t| t.id()),
        "port": target.target().and_then(|t| t.port()),
        "state": state(target).map(|s| s.as_str()),
        "reason": health.and_then(|h| h.reason()).map(|r| r.as_str()),
        "description": health.and_then(|h| h.description()),
    })
}

fn unhealthy_reason(target: &TargetHealthDescription) -> Option<String> {
    let is = state(target).filter(|s| **s != TargetHealthStateEnum::Healthy)?;
    let id = target.target().and_then(|t| t.id()).unwrap_or("?");
    let health = target.target_health();
    let why = health.and_then(|h| h.description()).or(health.and_then(|h| h.reason()).map(|r| r.as_str()));
    Some(format!("target {id} is {}{}", is.as_str(), why.map_or_else(String::new, |w| format!(": {w}"))))
}
