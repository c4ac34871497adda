//! `wait_until: {rds_instance: …}`: a database instance is in a state.

use playbook_api::extension::BoxFuture;
use playbook_api::{Context, Error, Map, Probe, ProbeState, Spec};
use serde::Deserialize;

use super::{parse, values};
use crate::client::Aws;
use crate::connection::Connection;
use crate::rds::describe;
use crate::rds::instance_wait::BROKEN;

/// A database instance is in the state asked for.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct Options {
    /// The identifier of the instance.
    #[schemars(extend("aliases" = ["id", "instance_id"]))]
    db_instance_identifier: String,
    /// The state: `available`, `stopped`, or `absent` when it should be gone.
    #[serde(default = "available")]
    status: String,
    #[serde(flatten)]
    connection: Connection,
}

fn available() -> String {
    "available".into()
}

/// The entry in the registry.
pub struct RdsInstanceProbe;

impl Probe for RdsInstanceProbe {
    fn name(&self) -> &'static str {
        "rds_instance"
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
            let o: Options = parse("rds_instance", options, context)?;
            let aws = Aws::connect(&o.connection, context).await?;
            let id = &o.db_instance_identifier;
            let Some(instance) = describe::instance(&aws, id).await? else {
                return Ok(match o.status.as_str() {
                    "absent" => ProbeState::Met(Map::default()),
                    _ => ProbeState::Waiting(format!("{id} does not exist"), Map::default()),
                });
            };
            let status = instance.db_instance_status().unwrap_or("unknown").to_owned();
            let found = values("instance", describe::to_json(&instance));
            let words = format!("{id} is {status}");
            Ok(match status.as_str() {
                is if is == o.status => ProbeState::Met(found),
                is if BROKEN.contains(&is) || (is == "deleting" && o.status != "absent") => {
                    ProbeState::Never(words, found)
                }
                _ => ProbeState::Waiting(words, found),
            })
        })
    }
}
