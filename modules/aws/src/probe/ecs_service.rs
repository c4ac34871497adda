//! `wait_until: {ecs_service: …}`: the rollout is done.

use playbook_api::extension::BoxFuture;
use playbook_api::{Context, Error, Map, Probe, ProbeState, Spec};
use serde::Deserialize;

use super::{default_cluster, parse, values};
use crate::client::Aws;
use crate::connection::Connection;
use crate::ecs::describe;
use crate::ecs::rollout::{self, Expected, Rollout};
use crate::shape;

/// The rollout of a service is done: one deployment, completed, as many tasks running as desired, and none of the
/// old ones left.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct Options {
    /// The name of the service.
    #[schemars(extend("aliases" = ["service"]))]
    name: String,
    /// The cluster, by name or ARN.
    #[serde(default = "default_cluster")]
    cluster: String,
    /// The revision that should run: `family:revision` or an ARN. With it a rollout that the circuit breaker took
    /// back counts as failed, although the service is well again.
    task_definition: Option<String>,
    /// The id of the deployment that should be done, to the same end.
    deployment: Option<String>,
    #[serde(flatten)]
    connection: Connection,
}

/// The entry in the registry.
pub struct EcsServiceProbe;

impl Probe for EcsServiceProbe {
    fn name(&self) -> &'static str {
        "ecs_service"
    }

    fn spec(&self) -> Spec {
        Spec::of::<Options>()
    }

    fn look<'a>(
        &'a self,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<ProbeState, Error>> {
        Box::pin(async move {
            let o: Options = parse("ecs_service", options, context)?;
            let aws = Aws::connect(&o.connection, context).await?;
            let Some(service) = describe::service(&aws, &o.cluster, &o.name).await? else {
                return Ok(ProbeState::Waiting(
                    format!("the service {} does not exist", o.name),
                    Map::default(),
                ));
            };
            let found = values("service", shape::to_json(&service));
            // A family alone says nothing of the revision, so there is nothing to hold the rollout to.
            let definition = o.task_definition.filter(|d| describe::has_revision(d));
            let expected = Expected { task_definition: definition, deployment: o.deployment };
            Ok(match rollout::judge(&service, &expected) {
                Rollout::Done => ProbeState::Met(found),
                Rollout::Going(words) => ProbeState::Waiting(words, found),
                Rollout::Failed(why) => ProbeState::Never(why, found),
            })
        })
    }

    fn explain<'a>(&'a self, options: &'a Map, context: &'a Context) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let read = async {
                let o: Options = parse("ecs_service", options, context)?;
                let aws = Aws::connect(&o.connection, context).await?;
                Ok(match describe::service(&aws, &o.cluster, &o.name).await? {
                    Some(service) => rollout::explain(&aws, &o.cluster, &service).await,
                    None => Vec::new(),
                })
            };
            read.await.unwrap_or_else(|e: Error| vec![format!("the service could not be described: {e}")])
        })
    }
}
