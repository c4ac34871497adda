//! `wait_until: {load_balancer: …}`: a load balancer is active.

use aws_sdk_elasticloadbalancingv2::types::LoadBalancerStateEnum;
use playbook_api::{Error, Map, ProbeState};
use serde::Deserialize;

use super::{Watched, values};
use crate::client::Aws;
use crate::connection::Connection;
use crate::elb::describe_balancers;
use crate::json::ToJson;

/// Waits until a load balancer is active.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_one_of" = [["load_balancer_arn", "name"]], "mutually_exclusive" = [["load_balancer_arn", "name"]]))]
pub(crate) struct LoadBalancer {
    /// The ARN of the load balancer.
    #[schemars(extend("aliases" = ["arn"]))]
    load_balancer_arn: Option<String>,
    /// The name of the load balancer.
    name: Option<String>,
    /// The state to wait for.
    #[serde(default)]
    state: BalancerState,
    #[serde(flatten)]
    connection: Connection,
}

/// The state of a load balancer to wait for.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum BalancerState {
    /// It receives requests.
    #[default]
    Active,
    /// It does not exist.
    Absent,
}

impl Watched for LoadBalancer {
    const NAME: &'static str = "load_balancer";
    const THING: &'static str = "the load balancer";

    fn connection(&self) -> &Connection {
        &self.connection
    }

    async fn look(self, aws: &Aws) -> Result<ProbeState, Error> {
        let list = |one: &Option<String>| one.iter().cloned().collect();
        let found = describe_balancers(aws, list(&self.name), list(&self.load_balancer_arn)).await?;
        let name = self.name.or(self.load_balancer_arn).unwrap_or_default();
        let Some(balancer) = found.into_iter().next() else {
            return Ok(match self.state {
                BalancerState::Absent => ProbeState::Met(Map::default()),
                BalancerState::Active => {
                    ProbeState::Missing(format!("the load balancer {name} does not exist"))
                }
            });
        };
        let found = values("load_balancer", balancer.to_json());
        let state = balancer.state();
        let code = state.and_then(|state| state.code());
        let words = format!("{name} is {}", code.map_or("unknown", |code| code.as_str()));
        if self.state == BalancerState::Absent {
            return Ok(ProbeState::Waiting(words, found));
        }
        Ok(match code {
            // An impaired load balancer receives requests too; it only cannot scale.
            Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired) => {
                ProbeState::Met(found)
            }
            Some(LoadBalancerStateEnum::Failed) => {
                let reason = state.and_then(|state| state.reason()).unwrap_or("no reason is given");
                ProbeState::Never(format!("{words}: {reason}"), found)
            }
            _ => ProbeState::Waiting(words, found),
        })
    }
}
