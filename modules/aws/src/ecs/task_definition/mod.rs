//! `ecs_taskdefinition`: registers and deregisters task definitions.

mod compare;
pub(crate) mod info;

use aws_sdk_ecs::operation::register_task_definition::RegisterTaskDefinitionInput;
use playbook_api::{ChangeAction, Context, ControllerModule, Doc, Error, Failure, Outcome, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::{Changes, whole_diff};
use crate::connection::Connection;
use crate::ecs::service::LaunchType;
use crate::ecs::{describe, to_sdk_tags};
use crate::error::Explain;
use crate::resource;
use crate::shape;
use crate::tags::Tags;
use compare::compare;

/// Registers or deregisters task definitions. A new revision is registered only if something differs from the latest
/// active one.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["family", "containers"]]]))]
pub(crate) struct EcsTaskDefinition {
    /// The desired state of the revision.
    pub state: State,
    /// The ARN of the revision to deregister.
    pub arn: Option<String>,
    /// The family, which is the name that the revisions share.
    pub family: Option<String>,
    /// The number of the revision. With `state: present`, it must exist already or be the next one.
    pub revision: Option<i64>,
    /// Whether to register a new revision even if nothing differs.
    #[serde(default)]
    pub force_create: bool,
    /// The containers, in the form of the API: `name`, `image`, `essential`, `environment`, `portMappings`, `secrets`,
    /// `logConfiguration` and others. Names in snake_case are accepted too.
    pub containers: Option<Vec<Map<String, Json>>>,
    /// The network mode of the containers.
    #[serde(default)]
    pub network_mode: NetworkMode,
    /// The ARN of the IAM role of the application.
    pub task_role_arn: Option<String>,
    /// The ARN of the IAM role with which ECS pulls images, reads secrets and writes logs.
    pub execution_role_arn: Option<String>,
    /// The volumes that containers mount.
    pub volumes: Option<Vec<Map<String, Json>>>,
    /// The infrastructure that the definition must be valid for.
    pub launch_type: Option<LaunchType>,
    /// The CPU units of the task; 1024 units are one vCPU.
    pub cpu: Option<String>,
    /// The memory of the task in MiB.
    pub memory: Option<String>,
    /// The rules that restrict where tasks are placed: `type` and `expression`.
    pub placement_constraints: Option<Vec<Map<String, Json>>>,
    /// The operating system and CPU architecture: `operatingSystemFamily` and `cpuArchitecture`.
    #[schemars(extend("type" = "object"))]
    pub runtime_platform: Option<Map<String, Json>>,
    /// The size of the task's ephemeral storage on Fargate: `sizeInGiB`.
    #[schemars(extend("type" = "object"))]
    pub ephemeral_storage: Option<Map<String, Json>>,
    /// The launch types that the definition must be valid for, if there are several: `EC2`, `FARGATE`, `EXTERNAL` or
    /// `MANAGED_INSTANCES`. It takes precedence over `launch_type`.
    pub requires_compatibilities: Option<Vec<LaunchType>>,
    /// The scope of process IDs that containers share: `host` or `task`.
    pub pid_mode: Option<String>,
    /// The scope of IPC resources that containers share: `host`, `task` or `none`.
    pub ipc_mode: Option<String>,
    /// The App Mesh proxy, in the form of the API.
    #[schemars(extend("type" = "object"))]
    pub proxy_configuration: Option<Map<String, Json>>,
    /// Whether fault injection requests of the containers are accepted.
    pub enable_fault_injection: Option<bool>,
    /// The tags of a new revision.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    #[serde(flatten)]
    pub connection: Connection,
}

/// The desired state of a revision.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// There is an active revision as described.
    Present,
    /// The revision is deregistered.
    Absent,
}

/// The network mode of containers.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NetworkMode {
    /// The API's default.
    Default,
    /// Docker's virtual network on the instance.
    #[default]
    Bridge,
    /// The network of the instance.
    Host,
    /// No network.
    None,
    /// An elastic network interface for each task.
    Awsvpc,
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

- name: Deregister an old revision
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

    /// Returns the launch types that the definition must be valid for.
    fn launch_types(&self) -> Option<Vec<LaunchType>> {
        self.requires_compatibilities
            .clone()
            .or_else(|| self.launch_type.map(|launch_type| vec![launch_type]))
    }

    /// Rejects definitions that Fargate rejects, so that check mode reports them too.
    fn check_fargate(&self) -> Result<(), Error> {
        if !self.launch_types().is_some_and(|types| types.contains(&LaunchType::Fargate)) {
            return Ok(());
        }
        if self.network_mode != NetworkMode::Awsvpc {
            return Err(Error::new("`network_mode` must be awsvpc for the launch type FARGATE")
                .with_help("Set `network_mode: awsvpc`."));
        }
        if self.cpu.is_none() || self.memory.is_none() {
            return Err(Error::new("the launch type FARGATE requires `cpu` and `memory`")
                .with_help("Set both for the whole task, for example `cpu: 256` and `memory: 512`."));
        }
        let containers = self.containers.iter().flatten().enumerate();
        for (i, container) in containers {
            if ["links"].iter().any(|name| container.contains_key(*name)) {
                return Err(Error::new(format!("containers[{i}]: links are not supported with awsvpc"))
                    .with_help("Containers of one task reach each other on localhost."));
            }
        }
        Ok(())
    }

    /// Returns the definition in the form of the API.
    fn asked(&self) -> Result<Map<String, Json>, Error> {
        self.check_fargate()?;
        if self.containers.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::new("`containers` is empty").with_help("Describe at least one container."));
        }
        let network_mode = match self.network_mode {
            NetworkMode::Default => Json::Null,
            mode => json!(mode),
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
            "requiresCompatibilities": self.launch_types(),
            "pidMode": self.pid_mode,
            "ipcMode": self.ipc_mode,
            "proxyConfiguration": self.proxy_configuration,
            "enableFaultInjection": self.enable_fault_injection,
            "cpu": self.cpu,
            "memory": self.memory,
            "runtimePlatform": self.runtime_platform.clone().map_or_else(compare::default_platform, Json::Object),
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
        // A revision is a resource of its own; the family's next one takes the place of the one before.
        let action = if existing.is_some() { ChangeAction::Replace } else { ChangeAction::Create };
        let changes = changes.unwrap_or_default();
        let change = |arn: Option<&str>| {
            resource::change(aws, "AWS::ECS::TaskDefinition", self.family(), arn, action, &changes)
        };
        if context.check {
            return Ok(outcome
                .change(change(None))
                .with("taskdefinition", planned(&asked, existing.as_ref())));
        }
        let registered = register(aws, asked, self.tags.as_ref()).await?;
        let outcome = outcome.change(change(registered["taskDefinitionArn"].as_str()));
        Ok(outcome.with("taskdefinition", Value::from_json(registered)))
    }

    /// Checks that a revision that does not exist is the next one, since ECS numbers revisions itself.
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
                    "deregistering a task definition requires `arn`, or `family` and `revision`",
                )
                .with_help("Deregister the revisions of a family one by one."));
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
        let mut outcome = Outcome::changed(true).change(resource::change(
            aws,
            "AWS::ECS::TaskDefinition",
            &name,
            current["taskDefinitionArn"].as_str(),
            ChangeAction::Delete,
            &Changes::default(),
        ));
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

/// Returns the definition for check mode, with the ARN that the next revision will probably have.
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

async fn register(aws: &Aws, asked: Map<String, Json>, tags: Option<&Tags>) -> Result<Json, Error> {
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
        .set_pid_mode(i.pid_mode)
        .set_ipc_mode(i.ipc_mode)
        .set_proxy_configuration(i.proxy_configuration)
        .set_enable_fault_injection(i.enable_fault_injection)
        .set_tags(tags.map(to_sdk_tags))
        .send()
        .await
        .explain("ecs:RegisterTaskDefinition")?;
    answer
        .task_definition
        .as_ref()
        .map(|definition| shape::to_json(definition))
        .ok_or_else(|| Error::new("ecs:RegisterTaskDefinition answered without a task definition"))
}
