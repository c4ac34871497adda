//! `ecs_ecr`: creates, changes and deletes repositories of Amazon ECR.

use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability, Repository,
};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::document;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::text::date;

/// Creates, changes or deletes a repository of container images.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["policy", "purge_policy"], ["lifecycle_policy", "purge_lifecycle_policy"]]
))]
pub(crate) struct EcsEcr {
    /// The name.
    pub name: String,
    /// The ID of the account of the registry. The default is that of the credentials.
    pub registry_id: Option<String>,
    /// Whether a tag can be moved to another image.
    #[serde(default)]
    pub image_tag_mutability: Mutability,
    /// Whether images are scanned for vulnerabilities after each push.
    #[serde(default)]
    pub scan_on_push: bool,
    /// How images are encrypted. It cannot be changed.
    pub encryption_configuration: Option<Encryption>,
    /// Which images are deleted: a dictionary or its JSON. The default is the current policy.
    #[schemars(extend("format" = "raw"))]
    pub lifecycle_policy: Option<Json>,
    /// Whether to remove the lifecycle policy.
    #[serde(default)]
    #[schemars(extend("aliases" = ["delete_lifecycle_policy"]))]
    pub purge_lifecycle_policy: bool,
    /// Who may use the repository: a dictionary or its JSON. The default is the current policy.
    #[schemars(extend("format" = "raw"))]
    pub policy: Option<Json>,
    /// Whether to remove the policy.
    #[serde(default)]
    #[schemars(extend("aliases" = ["delete_policy"]))]
    pub purge_policy: bool,
    /// Whether to set a policy with which the policy could not be changed any more.
    #[serde(default)]
    pub force_set_policy: bool,
    /// Whether to delete the repository even if it has images.
    #[serde(default)]
    pub force_absent: bool,
    /// Whether the repository is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

/// Whether tags can be moved.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Mutability {
    /// A tag can be moved to another image.
    #[default]
    Mutable,
    /// A tag stays with its image.
    Immutable,
}

impl Mutability {
    fn to_sdk(self) -> ImageTagMutability {
        match self {
            Mutability::Mutable => ImageTagMutability::Mutable,
            Mutability::Immutable => ImageTagMutability::Immutable,
        }
    }
}

/// How images are encrypted.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["encryption_type", "KMS", ["kms_key"]]]))]
pub(crate) struct Encryption {
    /// The algorithm: that of Amazon S3, or a key of AWS KMS.
    #[schemars(extend("enum" = ["AES256", "KMS"]))]
    #[serde(default = "aes256")]
    pub encryption_type: String,
    /// The alias, ID or ARN of the KMS key.
    pub kms_key: Option<String>,
}

fn aes256() -> String {
    "AES256".to_owned()
}

impl ControllerModule for EcsEcr {
    const DOC: Doc = Doc {
        name: "ecs_ecr",
        collection: "community.aws",
        aliases: &["amazon.aws.ecs_ecr"],
        short: "Create, change or delete a repository of Amazon ECR",
        returns: &[
            (
                "repository",
                "dict",
                "The repository as DescribeRepositories tells it: repositoryUri, repositoryArn, …",
            ),
            ("created", "bool", "Whether the task created the repository."),
            ("name", "str", "The name of a deleted repository."),
            ("state", "str", "`present` or `absent`."),
            ("lifecycle_policy", "dict", "The lifecycle policy, if the task names it."),
            ("policy", "dict", "The policy, if the task names it."),
        ],
        examples: "\
- name: A repository that keeps ten images
  ecs_ecr:
    name: webapp
    scan_on_push: true
    image_tag_mutability: immutable
    lifecycle_policy:
      rules:
        - rulePriority: 1
          selection: {tagStatus: any, countType: imageCountMoreThan, countNumber: 10}
          action: {type: expire}
  register: images

- name: Delete it with its images
  ecs_ecr: {name: webapp, state: absent, force_absent: true}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.asked_policy()?;
        self.asked_lifecycle()?;
        resource::apply(self, context).await
    }
}

/// A repository and its policies.
pub(crate) struct Current {
    repository: Repository,
    policy: Option<Json>,
    lifecycle: Option<Json>,
    /// Whether this task created it.
    created: bool,
}

fn parse(option: &str, given: Option<&Json>) -> Result<Option<Json>, Failure> {
    let parsed = given.map(|given| document::parse(option, given)).transpose();
    parsed.map_err(|failure| failure.with("msg", format!("Could not parse {option}")))
}

impl EcsEcr {
    fn asked_policy(&self) -> Result<Option<Json>, Failure> {
        parse("policy", self.policy.as_ref())
    }

    fn asked_lifecycle(&self) -> Result<Option<Json>, Failure> {
        parse("lifecycle_policy", self.lifecycle_policy.as_ref())
    }

    /// Makes the policies those that are asked for.
    async fn set_policies(&self, aws: &Aws, current: &Current) -> Result<bool, Failure> {
        let mut changes = Changes::default();
        self.compare_policies(current, &mut changes)?;
        if changes.has("policy") {
            self.set_policy(aws, self.asked_policy()?).await?;
        }
        if changes.has("lifecycle_policy") {
            self.set_lifecycle(aws, self.asked_lifecycle()?).await?;
        }
        Ok(!changes.is_empty())
    }

    async fn set_policy(&self, aws: &Aws, policy: Option<Json>) -> Result<(), Error> {
        let Some(policy) = policy else {
            let request = aws.ecr().delete_repository_policy().repository_name(&self.name);
            let answer = request.set_registry_id(self.registry_id.clone()).send().await;
            return answer.explain("ecr:DeleteRepositoryPolicy").map(drop);
        };
        let request = aws.ecr().set_repository_policy().repository_name(&self.name);
        let request = request.set_registry_id(self.registry_id.clone()).force(self.force_set_policy);
        request.policy_text(policy.to_string()).send().await.explain("ecr:SetRepositoryPolicy").map(drop)
    }

    async fn set_lifecycle(&self, aws: &Aws, policy: Option<Json>) -> Result<(), Error> {
        let Some(policy) = policy else {
            let request = aws.ecr().delete_lifecycle_policy().repository_name(&self.name);
            let answer = request.set_registry_id(self.registry_id.clone()).send().await;
            return answer.explain("ecr:DeleteLifecyclePolicy").map(drop);
        };
        let request = aws.ecr().put_lifecycle_policy().repository_name(&self.name);
        let request = request.set_registry_id(self.registry_id.clone());
        let answer = request.lifecycle_policy_text(policy.to_string()).send().await;
        answer.explain("ecr:PutLifecyclePolicy").map(drop)
    }

    fn compare_policies(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        match self.asked_policy()? {
            Some(asked) if !current.policy.as_ref().is_some_and(|known| document::equal(&asked, known)) => {
                changes.note("policy", json!(current.policy), asked);
            }
            None if self.purge_policy && current.policy.is_some() => {
                changes.note("policy", json!(current.policy), Json::Null);
            }
            _ => {}
        }
        match self.asked_lifecycle()? {
            Some(asked) if current.lifecycle.as_ref() != Some(&asked) => {
                changes.note("lifecycle_policy", json!(current.lifecycle), asked);
            }
            None if self.purge_lifecycle_policy && current.lifecycle.is_some() => {
                changes.note("lifecycle_policy", json!(current.lifecycle), Json::Null);
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the policies that the result of a task has: those that it names.
    fn returned_policies(&self, policy: Option<&Json>, lifecycle: Option<&Json>) -> Map<String, Json> {
        let mut members = Map::new();
        if self.policy.is_some() || self.purge_policy {
            members.insert("policy".to_owned(), json!(policy));
        }
        if self.lifecycle_policy.is_some() || self.purge_lifecycle_policy {
            members.insert("lifecycle_policy".to_owned(), json!(lifecycle));
        }
        members
    }
}

impl Resource for EcsEcr {
    type Current = Current;

    const KIND: &'static str = "repository";
    const TYPE: &'static str = "AWS::ECR::Repository";
    const UNKNOWN: &'static [&'static str] = &[
        "repository.repositoryArn",
        "repository.repositoryUri",
        "repository.registryId",
        "repository.createdAt",
    ];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.name,
            state: self.state,
            tags: None,
            purge_tags: false,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let registry = self.registry_id.clone();
        let request = aws.ecr().describe_repositories().repository_names(&self.name);
        let answer = request.set_registry_id(registry.clone()).send().await;
        let found = answer.missing("ecr:DescribeRepositories", &["RepositoryNotFoundException"])?;
        let found = found.and_then(|found| found.repositories).unwrap_or_default();
        let Some(repository) = found.into_iter().next() else { return Ok(None) };
        let mut current = Current { repository, policy: None, lifecycle: None, created: false };
        if self.policy.is_some() || self.purge_policy {
            let request = aws.ecr().get_repository_policy().repository_name(&self.name);
            let answer = request.set_registry_id(registry.clone()).send().await;
            let answer = answer.missing("ecr:GetRepositoryPolicy", &["RepositoryPolicyNotFoundException"])?;
            current.policy = answer.and_then(|found| found.policy_text).map(|text| document::decode(&text));
        }
        if self.lifecycle_policy.is_some() || self.purge_lifecycle_policy {
            let request = aws.ecr().get_lifecycle_policy().repository_name(&self.name);
            let answer = request.set_registry_id(registry).send().await;
            let answer = answer.missing("ecr:GetLifecyclePolicy", &["LifecyclePolicyNotFoundException"])?;
            let text = answer.and_then(|found| found.lifecycle_policy_text);
            current.lifecycle = text.map(|text| document::decode(&text));
        }
        Ok(Some(current))
    }

    async fn find_again(&self, aws: &Aws, known: &Current) -> Result<Option<Current>, Error> {
        Ok(self.find(aws).await?.map(|found| Current { created: known.created, ..found }))
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity {
            id: self.name.clone(),
            arn: current.repository.repository_arn().map(str::to_owned),
            account: current.repository.registry_id().map(str::to_owned),
        }
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        let mut members = Map::from_iter([
            ("repository".to_owned(), described(&current.repository)),
            ("created".to_owned(), json!(current.created)),
            ("state".to_owned(), json!("present")),
        ]);
        members.extend(self.returned_policies(current.policy.as_ref(), current.lifecycle.as_ref()));
        members
    }

    fn returned_absent(&self, _deleted: Option<&Current>) -> Map<String, Json> {
        Map::from_iter([
            ("created".to_owned(), json!(false)),
            ("name".to_owned(), json!(self.name)),
            ("state".to_owned(), json!("absent")),
        ])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let repository = json!({
            "repositoryName": self.name,
            "imageTagMutability": self.image_tag_mutability.to_sdk().as_str(),
            "imageScanningConfiguration": {"scanOnPush": self.scan_on_push},
        });
        let mut members = Map::from_iter([
            ("repository".to_owned(), repository),
            ("created".to_owned(), json!(true)),
            ("state".to_owned(), json!("present")),
        ]);
        let (policy, lifecycle) = (self.asked_policy().ok().flatten(), self.asked_lifecycle().ok().flatten());
        members.extend(self.returned_policies(policy.as_ref(), lifecycle.as_ref()));
        members
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let repository = &current.repository;
        let known = repository.image_tag_mutability().map(ImageTagMutability::as_str);
        changes.compare(
            "image_tag_mutability",
            &json!(self.image_tag_mutability.to_sdk().as_str()),
            &json!(known),
        );
        let known = repository.image_scanning_configuration().is_some_and(|known| known.scan_on_push());
        changes.compare("scan_on_push", &json!(self.scan_on_push), &json!(known));
        if let (Some(asked), Some(known)) =
            (&self.encryption_configuration, repository.encryption_configuration())
            && asked.encryption_type != known.encryption_type().as_str()
        {
            return Err(Failure::new(format!(
                "the encryption of the repository {} is {} and cannot be changed",
                self.name,
                known.encryption_type()
            ))
            .with_help(
                "Leave out `encryption_configuration`, or delete the repository and create it again.",
            ));
        }
        self.compare_policies(current, changes)
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        let encryption = self.encryption_configuration.as_ref().map(|asked| {
            EncryptionConfiguration::builder()
                .encryption_type(EncryptionType::from(asked.encryption_type.as_str()))
                .set_kms_key(asked.kms_key.clone())
                .build()
        });
        let request = aws
            .ecr()
            .create_repository()
            .repository_name(&self.name)
            .set_registry_id(self.registry_id.clone())
            .image_tag_mutability(self.image_tag_mutability.to_sdk())
            .image_scanning_configuration(
                ImageScanningConfiguration::builder().scan_on_push(self.scan_on_push).build(),
            )
            .set_encryption_configuration(
                encryption.transpose().map_err(|error| Error::new(error.to_string()))?,
            );
        let made = request.send().await.explain("ecr:CreateRepository")?;
        let repository = made.repository.unwrap_or_else(|| Repository::builder().build());
        Ok(Current { repository, policy: None, lifecycle: None, created: true })
    }

    async fn complete(&self, aws: &Aws, current: &Current) -> Result<bool, Failure> {
        self.set_policies(aws, current).await
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        if changes.has("image_tag_mutability") {
            let request = aws.ecr().put_image_tag_mutability().repository_name(&self.name);
            let request = request.set_registry_id(self.registry_id.clone());
            let answer = request.image_tag_mutability(self.image_tag_mutability.to_sdk()).send().await;
            answer.explain("ecr:PutImageTagMutability")?;
        }
        if changes.has("scan_on_push") {
            let scanning = ImageScanningConfiguration::builder().scan_on_push(self.scan_on_push).build();
            let request = aws.ecr().put_image_scanning_configuration().repository_name(&self.name);
            let request = request.set_registry_id(self.registry_id.clone());
            let answer = request.image_scanning_configuration(scanning).send().await;
            answer.explain("ecr:PutImageScanningConfiguration")?;
        }
        self.set_policies(aws, current).await.map(drop)
    }

    async fn delete(&self, aws: &Aws, _current: &Current, _context: &Context) -> Result<(), Failure> {
        let request = aws.ecr().delete_repository().repository_name(&self.name).force(self.force_absent);
        let answer = request.set_registry_id(self.registry_id.clone()).send().await;
        Ok(answer.explain("ecr:DeleteRepository").map(drop)?)
    }
}

/// Returns a repository as the module returns it: with the API's own names.
fn described(repository: &Repository) -> Json {
    let encryption = repository.encryption_configuration().map(|known| {
        let mut json = json!({"encryptionType": known.encryption_type().as_str()});
        if let Some(key) = known.kms_key() {
            json["kmsKey"] = json!(key);
        }
        json
    });
    json!({
        "repositoryName": repository.repository_name(),
        "repositoryArn": repository.repository_arn(),
        "repositoryUri": repository.repository_uri(),
        "registryId": repository.registry_id(),
        "createdAt": repository.created_at().map(date),
        "imageTagMutability": repository.image_tag_mutability().map(ImageTagMutability::as_str),
        "imageScanningConfiguration": {
            "scanOnPush": repository.image_scanning_configuration().is_some_and(|known| known.scan_on_push()),
        },
        "encryptionConfiguration": encryption,
    })
}
