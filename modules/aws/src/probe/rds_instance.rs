//! `wait_until: {rds_instance: …}`: a database instance is in a state.

use playbook_api::{Error, Map, ProbeState};
use serde::Deserialize;

use super::{Watched, values};
use crate::client::Aws;
use crate::connection::Connection;
use crate::rds::instance::describe;
use crate::rds::instance::wait::BROKEN;

/// Waits until a database instance is in a state.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct RdsInstance {
    /// The identifier of the instance.
    #[schemars(extend("aliases" = ["id", "instance_id"]))]
    db_instance_identifier: String,
    /// The state to wait for: `available`, `stopped`, another status of RDS, or `absent`.
    #[serde(default = "available")]
    status: String,
    #[serde(flatten)]
    connection: Connection,
}

fn available() -> String {
    "available".into()
}

impl Watched for RdsInstance {
    const NAME: &'static str = "rds_instance";
    const THING: &'static str = "the instance";

    fn connection(&self) -> &Connection {
        &self.connection
    }

    async fn look(self, aws: &Aws) -> Result<ProbeState, Error> {
        let id = &self.db_instance_identifier;
        let Some(instance) = describe::instance(aws, id).await? else {
            return Ok(match self.status.as_str() {
                "absent" => ProbeState::Met(Map::default()),
                _ => ProbeState::Missing(format!("the instance {id} does not exist")),
            });
        };
        let status = instance.db_instance_status().unwrap_or("unknown").to_owned();
        let found = values("instance", describe::to_json(&instance));
        let words = format!("{id} is {status}");
        Ok(match status.as_str() {
            is if is == self.status => ProbeState::Met(found),
            is if BROKEN.contains(&is) || (is == "deleting" && self.status != "absent") => {
                ProbeState::Never(words, found)
            }
            _ => ProbeState::Waiting(words, found),
        })
    }
}
