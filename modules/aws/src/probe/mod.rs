//! The conditions in AWS that `wait_until` can wait for.

pub mod ecs_service;
pub mod ecs_task;
pub mod rds_instance;
pub mod target_group;

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use playbook_api::extension::BoxFuture;
use playbook_api::{Arguments, Context, Error, JsonSchema, Map, Probe, ProbeState, Spec, Value};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::client::Aws;
use crate::connection::Connection;

/// A condition in AWS. Its fields are the options.
pub trait Watched: DeserializeOwned + JsonSchema + Send + Sync {
    const NAME: &'static str;
    /// The name of the resource in messages.
    const THING: &'static str;

    fn connection(&self) -> &Connection;

    fn look(self, aws: &Aws) -> impl Future<Output = Result<ProbeState, Error>> + Send;

    /// Returns details for the error after a timeout.
    fn explain(self, _aws: &Aws) -> impl Future<Output = Result<Vec<String>, Error>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// The probe of a condition.
pub struct AwsProbe<W>(PhantomData<fn() -> W>);

impl<W> Default for AwsProbe<W> {
    fn default() -> Self {
        AwsProbe(PhantomData)
    }
}

impl<W: Watched + 'static> AwsProbe<W> {
    async fn ready(options: &Map, context: &Context) -> Result<(W, Arc<Aws>), Error> {
        let watched: W =
            Arguments::from(options.clone()).parse(W::NAME, &Spec::of::<W>(), &context.redactor)?;
        let aws = Aws::connect(watched.connection(), context).await?;
        Ok((watched, aws))
    }
}

impl<W: Watched + 'static> Probe for AwsProbe<W> {
    fn name(&self) -> &'static str {
        W::NAME
    }

    fn spec(&self) -> Spec {
        Spec::of::<W>()
    }

    fn look<'a>(
        &'a self,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<ProbeState, Error>> {
        Box::pin(async move {
            let (watched, aws) = Self::ready(options, context).await?;
            watched.look(&aws).await
        })
    }

    fn explain<'a>(&'a self, options: &'a Map, context: &'a Context) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let explained = async {
                let (watched, aws) = Self::ready(options, context).await?;
                watched.explain(&aws).await
            };
            explained.await.unwrap_or_else(|e: Error| vec![format!("{} cannot be described: {e}", W::THING)])
        })
    }
}

fn values(name: &str, json: Json) -> Map {
    Map::from_iter([(Value::from(name), Value::from_json(json))])
}
