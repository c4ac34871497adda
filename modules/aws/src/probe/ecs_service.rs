//! `wait_until: {ecs_service: …}`: the rollout is complete.

use playbook_api::{Error, ProbeState};
use serde::Deserialize;

use super::{Watched, values};
use crate::client::Aws;
use crate::connection::Connection;
use crate::ecs::describe;
use crate::ecs::service::rollout::{self, Expected, Rollout};
use crate::shape;

/// Waits until the rollout of a service is complete: there is one deployment, it is completed, the desired number of tasks
/// is running, and no old tasks are left.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct EcsService {
    /// The name of the service.
    #[schemars(extend("aliases" = ["service"]))]
    name: String,
    /// The name or ARN of the cluster.
    #[serde(default = "crate::ecs::default_cluster")]
    cluster: String,
    /// The expected revision: `family:revision` or an ARN. If it is given, a rollout that was rolled back counts as failed,
    /// although the service is stable.
    task_definition: Option<String>,
    /// The ID of the expected deployment, for the same purpose.
    deployment: Option<String>,
    #[serde(flatten)]
    connection: Connection,
}

impl Watched for EcsService {
    const NAME: &'static str = "ecs_service";
    const THING: &'static str = "the service";

    fn connection(&self) -> &Connection {
        &self.connection
    }

    async fn look(self, aws: &Aws) -> Result<ProbeState, Error> {
        let Some(service) = describe::service(aws, &self.cluster, &self.name).await? else {
            let words = format!("the service {} does not exist", self.name);
            return Ok(ProbeState::Missing(words));
        };
        let found = values("service", shape::to_json(&service));
        // A family alone does not name a revision.
        let definition = self.task_definition.filter(|d| describe::has_revision(d));
        let expected = Expected { task_definition: definition, deployment: self.deployment };
        Ok(match rollout::judge(&service, &expected) {
            Rollout::Done => ProbeState::Met(found),
            Rollout::Going(words) => ProbeState::Waiting(words, found),
            Rollout::Failed(why) => ProbeState::Never(why, found),
        })
    }

    async fn explain(self, aws: &Aws) -> Result<Vec<String>, Error> {
        Ok(match describe::service(aws, &self.cluster, &self.name).await? {
            Some(service) => rollout::explain(aws, &self.cluster, &service).await,
            None => Vec::new(),
        })
    }
}
