//! `ecs_taskdefinition`: registers a revision where something differs, and takes revisions away.

mod compare;
pub mod info;

use aws_sdk_ecs::operation::register_task_definition::RegisterTaskDefinitionInput;
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::whole_diff;
use crate::connection::Connection;
use crate::ecs::describe;
use crate::error::Explain;
use crate::shape;
use compare::compare;

/// Registers a task definition. A new revision is made only when something differs from the latest active one.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["family", "containers"]]]))]
pub struct EcsTaskDefinition {
    /// Whether the definition should be there.
    pub state: State,
    /// The ARN of the revision to take away.
    pub arn: Option<String>,
    /// The name that the revisions share.
    pub family: Option<String>,
    /// The revision that should be as described, or go. A described one has to exist already or to be the next.
    pub revision: Option<i64>,
    /// Registers a new revision even where nothing differs.
    #[serde(default)]
    pub force_create: bool,
    /// The containers, as the API takes them: `name`, `image`, `essential`, `environment`, `portMappings`, `secrets`,
    /// `logConfiguration` and so on; snake_case is understood, too.
    pub containers: Option<Vec<Map<String, Json>>>,
    /// How the containers reach the network; `default` leaves the choice to Docker on the instance.
    #[serde(default)]
    pub network_mode: NetworkMode,
    /// The IAM role of the application.
    pub task_role_arn: Option<String>,
    /// The IAM role with which ECS pulls images, reads secrets and writes logs.
    pub execution_role_arn: Option<String>,
    /// The volumes that containers mount.
    pub volumes: Option<Vec<Map<String, Json>>>,
    /// Where the tasks may run; Fargate checks that they can.
    pub launch_type: Option<LaunchType>,
    /// The processor units of the task, `256` for a quarter of one.
    pub cpu: Option<String>,
    /// The memory of the task in MiB.
    pub memory: Option<String>,
    /// Where tasks may be placed: `type` and `expression`.
    pub placement_constraints: Option<Vec<Map<String, Json>>>,
    /// The operating system and processor: `operatingSystemFamily` and `cpuArchitecture`.
    #[schemars(extend("type" = "object"))]
    pub runtime_platform: Option<Map<String, Json>>,
    /// The size of the task's scratch space on Fargate: `sizeInGiB`.
    #[schemars(extend("type" = "object"))]
    pub ephemeral_storage: Option<Map<String, Json>>,
    #[serde(flatten)]
    pub connection: Connection,
}

/// Whether the definition should be there.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// An active revision is as described.
    Present,
    /// The revision is deregistered.
    Absent,
}

/// How the containers reach the network.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    Default,
    #[default]
    Bridge,
    Host,
    None,
    Awsvpc,
}

/// Where the tasks may run.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LaunchType {
    Ec2,
    Fargate,
    External,
}

impl ControllerModule for EcsTaskDefinition {
    const DOC: Doc = Doc {
        name: "ecs_taskdefinition",
        collection: "community.aws",
        aliases: &["amazon.aws.ecs_taskdefinition"],
        short: "Register or deregister an ECS task definition",
        returns: &[(
            "taskdefinition",
            "dict",
            "The definition as DescribeTaskDefinition prints it: taskDefinitionArn, family, revision, containerDefinitions, …",
        )],
        examples: "\
- name: The image of this release
  ecs_taskdefinition:
    state: present
    family: webapp
    launch_type: FARGATE
    network_mode: awsvpc
    cpu: '256'
    memory: '512'
    execution_role_arn: \"{{ execution_role_arn }}\"
    containers:
      - name: web
        image: \"{{ ecr_repo }}/webapp:{{ image_tag }}\"
        essential: true
        portMappings: [{containerPort: 8080}]
        secrets: [{name: DATABASE_URL, valueFrom: \"{{ secret_arn }}\"}]
  register: definition

- name: Take an old revision away
  ecs_taskdefinition: {state: absent, family: webapp, revision: 3}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let outcome = match self.state {
            State::Present => self.register(&aws, context).await?,
            State::Absent => self.deregister(&aws, context).await?,
        };
        Ok(aws.finish(outcome))
    }
}

impl EcsTaskDefinition {
    fn family(&self) -> &str {
        self.family.as_deref().unwrap_or_default()
    }

    fn title(&self) -> String {
        format!("ECS task definition {}", self.family())
    }

    /// The definition as the API takes it.
    fn asked(&self) -> Result<Map<String, Json>, Error> {
        let network_mode = match self.network_mode {
            NetworkMode::Default => Json::Null,
            mode => format!("{mode:?}").to_lowercase().into(),
        };
        let present = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
        let asked = json!({
            "family": self.family,
            "taskRoleArn": present(&self.task_role_arn),
            "executionRoleArn": present(&self.execution_role_arn),
            "networkMode": network_mode,
            "containerDefinitions": self.containers,
            "volumes": self.volumes,
            "placementConstraints": self.placement_constraints,
            "requiresCompatibilities": self.launch_type.map(|l| vec![format!("{l:?}").to_uppercase()]),
            "cpu": self.cpu,
            "memory": self.memory,
            "runtimePlatform": self.runtime_platform,
            "ephemeralStorage": self.ephemeral_storage,
        });
        let input = shape::from_json(&asked, "task definition", RegisterTaskDefinitionInput::deserialize)?;
        for (i, container) in input.container_definitions().iter().enumerate() {
            if container.name().is_none() || container.image().is_none() {
                return Err(Error::new(format!("containers[{i}] needs a name and an image")));
            }
        }
        match shape::to_json(&input) {
            Json::Object(map) => Ok(map),
            _ => Err(Error::new("the task definition is empty")),
        }
    }

    async fn register(&self, aws: &Aws, context: &Context) -> Result<Outcome, Failure> {
        let asked = self.asked()?;
        let name = match self.revision {
            Some(revision) => format!("{}:{revision}", self.family()),
            None => self.family().to_owned(),
        };
        let existing = describe::task_definition(aws, &name)
            .await?
            .map(|(definition, _)| shape::to_json(&definition))
            .filter(|definition| definition["status"] == "ACTIVE");
        let changes = existing.as_ref().map(|current| compare(&asked, current));
        if let (Some(current), Some(changes)) = (&existing, &changes) {
            if changes.is_empty() && !self.force_create {
                return Ok(Outcome::changed(false).with("taskdefinition", Value::from_json(current.clone())));
            }
            if let (Some(revision), false) = (self.revision, changes.is_empty()) {
                let names = changes.names().collect::<Vec<_>>().join(", ");
                return Err(Failure::new(format!(
                    "revision {revision} of {} exists and differs in {names}; a revision cannot be changed",
                    self.family()
                ))
                .with_help("leave `revision` out to register a new one"));
            }
        }
        if let (Some(revision), None) = (self.revision, &existing) {
            self.check_next(aws, revision).await?;
        }
        let mut outcome = Outcome::changed(true);
        if context.diff {
            outcome = outcome.diff(match &changes {
                Some(changes) => changes.diff(&self.title()),
                None => whole_diff(Json::Null, Json::Object(asked.clone()), &self.title()),
            });
        }
        if context.check {
            return Ok(outcome.with("taskdefinition", planned(&asked, existing.as_ref())));
        }
        let registered = register(aws, asked).await?;
        Ok(outcome.with("taskdefinition", Value::from_json(registered)))
    }

    /// ECS numbers revisions itself: one that does not exist can only be the next.
    async fn check_next(&self, aws: &Aws, revision: i64) -> Result<(), Failure> {
        let latest = describe::task_definition(aws, self.family()).await?;
        let next = latest.map_or(1, |(definition, _)| i64::from(definition.revision()) + 1);
        if revision == next {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the next revision of {} is {next}, so {revision} cannot be registered",
            self.family()
        ))
        .with_help("leave `revision` out to register a new one"))
    }

    async fn deregister(&self, aws: &Aws, context: &Context) -> Result<Outcome, Failure> {
        let name = match (&self.arn, &self.family, self.revision) {
            (Some(arn), _, _) => arn.clone(),
            (None, Some(family), Some(revision)) => format!("{family}:{revision}"),
            _ => {
                return Err(Failure::new(
                    "taking a task definition away needs its arn, or its family and revision",
                )
                .with_help("a family goes revision by revision"));
            }
        };
        let existing =
            describe::task_definition(aws, &name).await?.map(|(definition, _)| shape::to_json(&definition));
        let Some(current) = existing else {
            return Ok(Outcome::changed(false));
        };
        if current["status"] != "ACTIVE" {
            return Ok(Outcome::changed(false).with("taskdefinition", Value::from_json(current)));
        }
        let mut outcome = Outcome::changed(true);
        if context.diff {
            outcome =
                outcome.diff(whole_diff(current.clone(), Json::Null, &format!("ECS task definition {name}")));
        }
        if context.check {
            return Ok(outcome.with("taskdefinition", Value::from_json(current)));
        }
        let answer = aws
            .ecs()
            .deregister_task_definition()
            .task_definition(&name)
            .send()
            .await
            .explain("ecs:DeregisterTaskDefinition")?;
        let gone = answer.task_definition.as_ref().map_or(current, |d| shape::to_json(d));
        Ok(outcome.with("taskdefinition", Value::from_json(gone)))
    }
}

/// What check mode returns: the definition with the ARN that the next revision will probably have.
fn planned(asked: &Map<String, Json>, existing: Option<&Json>) -> Value {
    let mut planned = asked.clone();
    if let Some((arn, revision)) = existing.and_then(|e| e["taskDefinitionArn"].as_str()?.rsplit_once(':')) {
        let next = revision.parse::<u64>().unwrap_or(0) + 1;
        planned.insert("taskDefinitionArn".into(), format!("{arn}:{next}").into());
        planned.insert("revision".into(), next.into());
    } else {
        let family = asked.get("family").and_then(Json::as_str).unwrap_or_default();
        planned.insert("taskDefinitionArn".into(), format!("{family}:1").into());
        planned.insert("revision".into(), 1.into());
    }
    planned.insert("status".into(), "PLANNED".into());
    Value::from_json(Json::Object(planned))
}

async fn register(aws: &Aws, asked: Map<String, Json>) -> Result<Json, Error> {
    let i =
        shape::from_json(&Json::Object(asked), "task definition", RegisterTaskDefinitionInput::deserialize)?;
    let answer = aws
        .ecs()
        .register_task_definition()
        .set_family(i.family)
        .set_task_role_arn(i.task_role_arn)
        .set_execution_role_arn(i.execution_role_arn)
        .set_network_mode(i.network_mode)
        .set_container_definitions(i.container_definitions)
        .set_volumes(i.volumes)
        .set_placement_constraints(i.placement_constraints)
        .set_requires_compatibilities(i.requires_compatibilities)
        .set_cpu(i.cpu)
        .set_memory(i.memory)
        .set_runtime_platform(i.runtime_platform)
        .set_ephemeral_storage(i.ephemeral_storage)
        .send()
        .await
        .explain("ecs:RegisterTaskDefinition")?;
    answer
        .task_definition
        .as_ref()
        .map(|definition| shape::to_json(definition))
        .ok_or_else(|| Error::new("ecs:RegisterTaskDefinition answered without a task definition"))
}
