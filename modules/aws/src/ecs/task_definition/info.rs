//! `ecs_taskdefinition_info`: describes a task definition.

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::client::Aws;
use crate::connection::Connection;
use crate::ecs::describe;
use crate::shape;
use crate::text::snake_keys;

/// Describes a task definition. Each of its members is a returned value; there are none if it does not exist.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct EcsTaskDefinitionInfo {
    /// The task definition: a family (its latest active revision), `family:revision` or an ARN.
    pub task_definition: String,
    #[serde(flatten)]
    pub connection: Connection,
}

/// Dictionaries whose keys are chosen by users.
pub(crate) const OWN_KEYS: &[&str] = &["dockerLabels", "options", "driverOpts", "labels", "tags"];

impl ControllerModule for EcsTaskDefinitionInfo {
    const DOC: Doc = Doc {
        name: "ecs_taskdefinition_info",
        collection: "community.aws",
        aliases: &["amazon.aws.ecs_taskdefinition_info"],
        short: "Describe an ECS task definition",
        check_mode: "Full: it only reads.",
        returns: &[
            ("task_definition_arn", "str", "The ARN of the revision."),
            ("family", "str", "The family."),
            ("revision", "int", "The number of the revision."),
            ("status", "str", "ACTIVE or INACTIVE."),
            (
                "container_definitions",
                "list",
                "The containers, with members in snake_case; so are the other members of the API's answer.",
            ),
            ("tags", "list", "The tags, as key and value."),
        ],
        examples: "\
- name: The latest revision of a family
  ecs_taskdefinition_info: {task_definition: webapp}
  register: latest

- name: One revision
  ecs_taskdefinition_info: {task_definition: \"webapp:12\"}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        // Playbooks test for existence with this module, so a missing definition is an empty result.
        let Some((definition, tags)) = describe::task_definition(&aws, &self.task_definition).await? else {
            return Ok(aws.finish(Outcome::changed(false)));
        };
        let mut outcome = Outcome::changed(false);
        if let Json::Object(members) = snake_keys(&shape::to_json(&definition), OWN_KEYS) {
            for (name, value) in members {
                outcome = outcome.with(&name, Value::from_json(value));
            }
        }
        Ok(aws.finish(outcome.with("tags", Value::from_json(tags))))
    }
}
