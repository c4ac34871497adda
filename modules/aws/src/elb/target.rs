//! `elb_target`: registers and deregisters one target of a target group.

use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealthDescription};
use playbook_api::{
    Change, ChangeAction, Context, ControllerModule, Doc, Error, Failure, Outcome, ResourceName, Value,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::time::Duration;

use crate::client::Aws;
use crate::compare::whole_diff;
use crate::connection::Connection;
use crate::elb::target_group::targets;
use crate::json::ToJson;
use crate::resource::Existence;
use crate::wait;

/// Registers or deregisters one target of a target group.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["target_group_arn", "target_group_name"]],
    "required_one_of" = [["target_group_arn", "target_group_name"]]
))]
pub(crate) struct ElbTarget {
    /// The ARN of the target group.
    pub target_group_arn: Option<String>,
    /// The name of the target group.
    pub target_group_name: Option<String>,
    /// The ID of the instance, the address, or the ARN of the function or load balancer.
    pub target_id: String,
    /// The port, by default that of the target group. Without it, a target is registered on any port, and deregistered on
    /// every port.
    pub target_port: Option<i32>,
    /// The availability zone, or `all`. It is required for addresses outside the VPC.
    pub target_az: Option<String>,
    /// The state of the target to wait for.
    pub target_status: Option<Status>,
    /// The maximum number of seconds to wait for `target_status`.
    #[serde(default = "one_minute")]
    pub target_status_timeout: i64,
    /// Whether to deregister the target if no load balancer uses it.
    #[serde(default)]
    pub deregister_unused: bool,
    /// Whether the target is to be registered.
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

/// The health of a target.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Its first checks are going on.
    Initial,
    /// It receives requests.
    Healthy,
    /// Its checks fail.
    Unhealthy,
    /// No load balancer uses it.
    Unused,
    /// It is being deregistered.
    Draining,
    /// It is not checked.
    Unavailable,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Status::Initial => "initial",
            Status::Healthy => "healthy",
            Status::Unhealthy => "unhealthy",
            Status::Unused => "unused",
            Status::Draining => "draining",
            Status::Unavailable => "unavailable",
        }
    }
}

fn one_minute() -> i64 {
    60
}

impl ControllerModule for ElbTarget {
    const DOC: Doc = Doc {
        name: "elb_target",
        collection: "community.aws",
        aliases: &["amazon.aws.elb_target"],
        short: "Register or deregister a target of a load balancer",
        returns: &[
            ("target_group_arn", "str", "The ARN of the target group."),
            (
                "target_health_descriptions",
                "dict",
                "The target and its health; empty if it is not registered.",
            ),
        ],
        examples: "\
- name: Take the instance out of the load balancer
  elb_target:
    target_group_name: web
    target_id: i-0123456789abcdef0
    state: absent
    target_status: unused

- name: Put it back
  elb_target:
    target_group_name: web
    target_id: i-0123456789abcdef0
    state: present
    target_status: healthy
    target_status_timeout: 300
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let arn = self.group(&aws).await?;
        let found = self.found(&aws, &arn).await?;
        let mut outcome = match self.state {
            Existence::Present => self.register(&aws, &arn, &found, context).await?,
            Existence::Absent => self.deregister(&aws, &arn, &found, context).await?,
        };
        let mut now = match context.check || !outcome.changed {
            true => found,
            false => self.found(&aws, &arn).await?,
        };
        if !context.check
            && let Some(status) = self.target_status
        {
            now = self.reach(&aws, &arn, status, context).await?;
        }
        let first = now.first().map_or_else(|| json!({}), ToJson::to_json);
        outcome = outcome
            .with("target_health_descriptions", Value::from_json(first))
            .with("target_group_arn", Value::from_json(arn.into()));
        Ok(aws.finish(outcome))
    }
}

impl ElbTarget {
    /// Returns the ARN of the target group.
    async fn group(&self, aws: &Aws) -> Result<String, Failure> {
        if let Some(arn) = &self.target_group_arn {
            return Ok(arn.clone());
        }
        let name = self.target_group_name.as_deref().unwrap_or_default();
        let group = targets::group_by_name(aws, name).await?;
        group.and_then(|group| group.target_group_arn).ok_or_else(|| {
            Failure::new(format!("the target group {name} does not exist"))
                .with_help("Check `target_group_name` and `region`, or create it with elb_target_group.")
        })
    }

    /// Returns what is registered of the target: on its port, or on every port if none is given.
    async fn found(&self, aws: &Aws, arn: &str) -> Result<Vec<TargetHealthDescription>, Error> {
        let mut all = targets::health(aws, arn).await?;
        all.retain(|health| {
            health.target().is_some_and(|target| {
                target.id() == Some(&self.target_id)
                    && (self.target_port.is_none() || target.port() == self.target_port)
            })
        });
        Ok(all)
    }

    fn description(&self) -> TargetDescription {
        TargetDescription::builder()
            .id(&self.target_id)
            .set_port(self.target_port)
            .set_availability_zone(self.target_az.clone())
            .build()
    }

    async fn register(
        &self,
        aws: &Aws,
        arn: &str,
        found: &[TargetHealthDescription],
        context: &Context,
    ) -> Result<Outcome, Failure> {
        if found.iter().any(|health| targets::state(health).is_none_or(|state| state.as_str() != "draining"))
        {
            return Ok(Outcome::changed(false));
        }
        if !context.check {
            targets::register(aws, arn, vec![self.description()]).await?;
        }
        Ok(self.changed(aws, arn, ChangeAction::Create, context))
    }

    async fn deregister(
        &self,
        aws: &Aws,
        arn: &str,
        found: &[TargetHealthDescription],
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let leaves = found.iter().filter(|health| match targets::state(health).map(|state| state.as_str()) {
            Some("draining") => false,
            Some("unused") => self.deregister_unused,
            _ => true,
        });
        let gone: Vec<TargetDescription> = leaves.filter_map(|health| health.target().cloned()).collect();
        if gone.is_empty() {
            return Ok(Outcome::changed(false));
        }
        if !context.check {
            targets::deregister(aws, arn, gone).await?;
        }
        Ok(self.changed(aws, arn, ChangeAction::Delete, context))
    }

    fn changed(&self, aws: &Aws, arn: &str, action: ChangeAction, context: &Context) -> Outcome {
        let resource = ResourceName {
            kind: "AWS::ElasticLoadBalancingV2::TargetGroup",
            id: None,
            account: arn.split(':').nth(4).map(str::to_owned),
            arn: Some(arn.to_owned()),
            name: self.target_id.clone(),
            region: aws.region().to_owned(),
        };
        let action_on_group =
            Change { action: ChangeAction::Modify, resource, members: vec!["targets".to_owned()] };
        let outcome = Outcome::changed(true).change(action_on_group);
        if !context.diff {
            return outcome;
        }
        let target = self.description().to_json();
        let (before, after) = match action {
            ChangeAction::Delete => (target, Json::Null),
            _ => (Json::Null, target),
        };
        outcome.diff(whole_diff(before, after, &format!("target {}", self.target_id)))
    }

    /// Waits until the target has a state. A target that is not registered counts as unused.
    async fn reach(
        &self,
        aws: &Aws,
        arn: &str,
        status: Status,
        context: &Context,
    ) -> Result<Vec<TargetHealthDescription>, Failure> {
        let limit = wait::seconds(Some(self.target_status_timeout), 60);
        let reached = wait::until(context, limit, Duration::from_secs(1), || async {
            context.progress(format!("the target {} to be {}", self.target_id, status.as_str()));
            let now = self.found(aws, arn).await?;
            let is = |health: &TargetHealthDescription| {
                targets::state(health).is_some_and(|state| state.as_str() == status.as_str())
            };
            let met = match now.is_empty() {
                true => status == Status::Unused,
                false => now.iter().all(is),
            };
            Ok(met.then_some(now))
        });
        reached.await?.ok_or_else(|| {
            Failure::new(format!(
                "the target {} is not {} after {} seconds",
                self.target_id,
                status.as_str(),
                limit.as_secs()
            ))
            .with_help("Check the health checks of the target group, or raise `target_status_timeout`.")
        })
    }
}
