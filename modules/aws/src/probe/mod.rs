//! The conditions in AWS that `wait_until` can wait for.

pub(crate) mod ecs_service;
pub(crate) mod ecs_task;
pub(crate) mod load_balancer;
pub(crate) mod rds_instance;
pub(crate) mod target_group;

use std::future::Future;

use playbook_api::{Context, Error, JsonSchema, Map, Observation, ProbeState, Value};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::client::Aws;
use crate::connection::Connection;

/// A condition in AWS. Its fields are the options.
pub(crate) trait Watched: DeserializeOwned + JsonSchema + Send + Sync {
    const NAME: &'static str;
    /// The name of the resource in messages.
    const THING: &'static str;
    /// Whether it has a name that may be wrong.
    const MAY_BE_MISSING: bool = true;

    fn connection(&self) -> &Connection;

    fn look(self, aws: &Aws) -> impl Future<Output = Result<ProbeState, Error>> + Send;

    /// Returns details for the error after a timeout.
    fn explain(self, _aws: &Aws) -> impl Future<Output = Result<Vec<String>, Error>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// The options of something in AWS, as what `wait_until` observes.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct InAws<W>(W);

impl<W: Watched + 'static> Observation for InAws<W> {
    const NAME: &'static str = W::NAME;
    const MAY_BE_MISSING: bool = W::MAY_BE_MISSING;

    async fn look(self, context: &Context) -> Result<ProbeState, Error> {
        let aws = Aws::connect(self.0.connection(), context).await?;
        self.0.look(&aws).await
    }

    async fn explain(self, context: &Context) -> Vec<String> {
        let explained = async {
            let aws = Aws::connect(self.0.connection(), context).await?;
            self.0.explain(&aws).await
        };
        explained.await.unwrap_or_else(|e: Error| vec![format!("{} cannot be described: {e}", W::THING)])
    }
}

fn values(name: &str, json: Json) -> Map {
    Map::from_iter([(Value::from(name), Value::from_json(json))])
}
