//! `ecs_service_info`: lists and describes services.

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;

use crate::client::Aws;
use crate::connection::Connection;
use crate::ecs::describe;
use crate::shape;

/// Lists the services of a cluster, or describes them.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct EcsServiceInfo {
    /// Whether to describe the services instead of listing their ARNs.
    #[serde(default)]
    pub details: bool,
    /// Whether to include the services' events, of which there can be many.
    #[serde(default = "playbook_api::defaults::yes")]
    pub events: bool,
    /// The name or ARN of the cluster.
    #[serde(default = "crate::ecs::default_cluster")]
    pub cluster: String,
    /// The names or ARNs of the services to describe. By default, all services of the cluster are described.
    pub service: Option<Vec<String>>,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for EcsServiceInfo {
    const DOC: Doc = Doc {
        name: "ecs_service_info",
        collection: "community.aws",
        aliases: &["amazon.aws.ecs_service_info"],
        short: "List or describe the services of an ECS cluster",
        check_mode: "Full: it only reads.",
        returns: &[
            (
                "services",
                "list",
                "The services' ARNs or, with `details`, the services as DescribeServices prints them.",
            ),
            (
                "services_not_running",
                "list",
                "With `details`, the asked services that do not exist, and why.",
            ),
        ],
        examples: "\
- name: Which services are there?
  ecs_service_info: {cluster: production}
  register: all

- name: Describe one
  ecs_service_info:
    cluster: production
    service: [webapp]
    details: true
    events: false
  register: webapp
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        if !self.details {
            let services = describe::list_services(&aws, &self.cluster, None).await?;
            return Ok(aws.finish(Outcome::changed(false).with("services", services)));
        }
        let names = match self.service {
            Some(names) => names,
            None => describe::list_services(&aws, &self.cluster, None).await?,
        };
        let (found, failures) = describe::services(&aws, &self.cluster, &names).await?;
        let mut missing = shape::list_to_json(&failures);
        for failure in missing.as_array_mut().into_iter().flatten() {
            failure["service"] = crate::text::short(failure["arn"].as_str().unwrap_or_default()).into();
        }
        let mut services = shape::list_to_json(&found);
        if !self.events {
            for service in services.as_array_mut().into_iter().flatten() {
                if let Some(members) = service.as_object_mut() {
                    members.remove("events");
                }
            }
        }
        let outcome = Outcome::changed(false)
            .with("services", Value::from_json(services))
            .with("services_not_running", Value::from_json(missing));
        Ok(aws.finish(outcome))
    }
}
