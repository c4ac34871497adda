//! Waiting for database instances.

use std::time::Duration;

use aws_sdk_rds::types::DbInstance;
use playbook_api::{Context, Error, Failure};
use serde_json::Map;

use super::describe;
use super::options::RdsInstance;
use crate::client::Aws;
use crate::wait;

/// The states in which an instance needs manual intervention.
pub(crate) const BROKEN: &[&str] = &[
    "failed",
    "incompatible-create",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "incompatible-restore",
    "inaccessible-encryption-credentials",
    "insufficient-capacity",
    "restore-error",
    "storage-full",
];

/// The states in which an instance changes to another one and rejects changes until then.
const MOVING: &[&str] = &[
    "backing-up",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "converting-to-vpc",
    "creating",
    "maintenance",
    "modifying",
    "moving-to-vpc",
    "rebooting",
    "renaming",
    "resetting-master-credentials",
    "starting",
    "stopping",
    "upgrading",
];

pub(crate) fn is_moving(instance: &DbInstance) -> bool {
    instance.db_instance_status().is_some_and(|status| MOVING.contains(&status))
}

const INTERVAL: Duration = Duration::from_secs(10);

impl RdsInstance {
    fn timeout(&self) -> Duration {
        wait::seconds(self.wait_timeout, 3600)
    }

    pub(crate) async fn wait_for(
        &self,
        aws: &Aws,
        id: &str,
        wanted: &str,
        context: &Context,
    ) -> Result<DbInstance, Failure> {
        let found = wait::until(context, self.timeout(), INTERVAL, || async move {
            let Some(instance) = describe::instance(aws, id).await? else { return Ok(None) };
            let status = instance.db_instance_status().unwrap_or("unknown").to_owned();
            if BROKEN.contains(&status.as_str()) {
                return Err(Error::new(format!("the RDS instance {id} is {status}"))
                    .with_help("its events in the RDS console say why"));
            }
            context.progress(format!("{id} is {status}"));
            let applied = !self.apply_immediately || nothing_pending(&instance);
            Ok((status == wanted && applied).then_some(instance))
        });
        found.await?.ok_or_else(|| {
            Failure::new(format!(
                "the RDS instance {id} was not {wanted} after {}",
                playbook_api::time::in_words(self.timeout().as_secs())
            ))
            .with_help("it goes on; raise `wait_timeout`")
        })
    }

    pub(crate) async fn wait_to_settle(
        &self,
        aws: &Aws,
        instance: &DbInstance,
        context: &Context,
    ) -> Result<DbInstance, Failure> {
        let id = instance.db_instance_identifier().unwrap_or(self.id());
        let settled = wait::until(context, self.timeout(), INTERVAL, || async move {
            let now = describe::instance(aws, id).await?;
            context.progress(format!(
                "{id} is {}",
                now.as_ref().and_then(|i| i.db_instance_status()).unwrap_or("gone")
            ));
            Ok(now.filter(|i| !is_moving(i)))
        });
        settled.await?.ok_or_else(|| {
            Failure::new(format!(
                "the RDS instance {id} had not settled after {}",
                playbook_api::time::in_words(self.timeout().as_secs())
            ))
            .with_help("raise `wait_timeout`")
        })
    }

    pub(crate) async fn wait_until_gone(&self, aws: &Aws, context: &Context) -> Result<(), Failure> {
        let gone = wait::until(context, self.timeout(), INTERVAL, || async {
            let instance = describe::instance(aws, self.id()).await?;
            context.progress(format!("{} is being deleted", self.id()));
            Ok(instance.is_none().then_some(()))
        });
        gone.await?.ok_or_else(|| {
            Failure::new(format!(
                "the {} was not gone after {}",
                self.title(),
                playbook_api::time::in_words(self.timeout().as_secs())
            ))
            .with_help("the deletion goes on; raise `wait_timeout`")
        })
    }
}

fn nothing_pending(instance: &DbInstance) -> bool {
    let json = describe::to_json(instance);
    json["pending_modified_values"].as_object().is_none_or(Map::is_empty)
}
