//! Waiting for a rollout or for the end of a deletion.

use std::time::Duration;

use aws_sdk_ecs::types::Service;
use playbook_api::{Context, Failure, Outcome, Value};

use super::json_value;
use super::options::EcsService;
use super::rollout::{self, Expected, Rollout};
use crate::client::Aws;
use crate::ecs::describe;
use crate::wait;

impl EcsService {
    /// Waits for the primary deployment of `service`. If another one replaces it, the rollout was rolled back.
    pub(super) async fn wait_for_rollout(
        &self,
        aws: &Aws,
        service: Service,
        context: &Context,
    ) -> Result<Service, Failure> {
        let primary = service.deployments().iter().find(|d| d.status() == Some("PRIMARY"));
        let expected = Expected {
            task_definition: primary.and_then(|d| d.task_definition()).map(str::to_owned),
            deployment: primary.and_then(|d| d.id()).map(str::to_owned),
        };
        if context.check {
            return Ok(service);
        }
        let timeout = wait::seconds(self.wait_timeout, 600);
        let interval = wait::seconds(Some(self.delay), 10).max(Duration::from_secs(1));
        let expected = &expected;
        let done = wait::until(context, timeout, interval, || async move {
            let Some(service) = describe::service(aws, &self.cluster, &self.name).await? else {
                return Ok(None);
            };
            match rollout::judge(&service, expected) {
                Rollout::Done => Ok(Some(Ok(service))),
                Rollout::Failed(why) => Ok(Some(Err((why, service)))),
                Rollout::Going(words) => {
                    context.progress(words);
                    Ok(None)
                }
            }
        });
        let (why, service) = match done.await? {
            Some(Ok(service)) => return Ok(service),
            Some(Err(failed)) => failed,
            None => {
                let now = describe::service(aws, &self.cluster, &self.name).await?.unwrap_or(service);
                let state = match rollout::judge(&now, expected) {
                    Rollout::Done => return Ok(now),
                    Rollout::Going(words) | Rollout::Failed(words) => words,
                };
                (
                    format!(
                        "the rollout was not complete after {}: {state}",
                        playbook_api::time::in_words(timeout.as_secs())
                    ),
                    now,
                )
            }
        };
        let lines = rollout::explain(aws, &self.cluster, &service).await;
        let mut outcome = Outcome::changed(true).with("service", json_value(&service));
        outcome = outcome.with("explanation", lines.iter().map(Value::from).collect::<Vec<_>>());
        let details = lines.iter().map(|line| format!("\n  {line}")).collect::<String>();
        Err(Failure::new(format!("{}: {why}{details}", self.title())).outcome(outcome))
    }

    pub(super) async fn wait_until_inactive(&self, aws: &Aws, context: &Context) -> Result<(), Failure> {
        let interval = wait::seconds(Some(self.delay), 10);
        let looks = u32::try_from(self.repeat).unwrap_or(1).max(1);
        let gone = wait::until(context, interval.saturating_mul(looks - 1), interval, || async {
            let service = describe::service(aws, &self.cluster, &self.name).await?;
            let left = service.filter(|s| s.status() != Some("INACTIVE"));
            if let Some(left) = &left {
                context.progress(format!("{} tasks still running", left.running_count()));
            }
            Ok(left.is_none().then_some(()))
        });
        gone.await?.ok_or_else(|| {
            Failure::new(format!(
                "the {} is still not deleted after {looks} attempts, {} seconds apart",
                self.title(),
                self.delay
            ))
            .with_help("Increase `repeat` or `delay`.")
        })
    }
}
