//! `ssm_parameter`: creates, changes and deletes parameters of AWS Systems Manager.

use aws_sdk_ssm::types::{
    Parameter, ParameterMetadata, ParameterStringFilter, ParameterTier, ParameterType,
    ResourceTypeForTagging, Tag,
};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};
use crate::text::date;

/// Creates, changes or deletes a parameter.
#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["value"]]]))]
pub(crate) struct SsmParameter {
    /// The name: `/webapp/level`.
    pub name: String,
    /// The value. It is masked in reports.
    #[schemars(extend("no_log" = true))]
    pub value: Option<String>,
    /// The description. The default is the current one.
    pub description: Option<String>,
    /// What the value is.
    #[schemars(extend("aliases" = ["type"]))]
    #[serde(default)]
    pub string_type: StringType,
    /// The KMS key of a secret.
    #[serde(default = "default_key")]
    pub key_id: String,
    /// Whether the current value of a secret is decrypted in order to compare it. Without that, it is always replaced.
    #[serde(default = "playbook_api::defaults::yes")]
    pub decryption: bool,
    /// When an existing value is replaced.
    #[serde(default)]
    pub overwrite_value: Overwrite,
    /// The tier of a parameter that is written.
    #[schemars(extend("enum" = ["Standard", "Advanced", "Intelligent-Tiering"]))]
    #[serde(default = "standard")]
    pub tier: String,
    /// The tags.
    #[schemars(extend("aliases" = ["resource_tags"]))]
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed in `tags`.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_tags: bool,
    /// Whether the parameter is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

/// What a value is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, schemars::JsonSchema)]
#[schemars(inline)]
pub(crate) enum StringType {
    /// Text.
    #[default]
    String,
    /// Texts with commas between them.
    StringList,
    /// A secret.
    SecureString,
}

/// When an existing value is replaced.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Overwrite {
    /// Never.
    Never,
    /// If it differs.
    #[default]
    Changed,
    /// By every task.
    Always,
}

fn default_key() -> String {
    "alias/aws/ssm".to_owned()
}

fn standard() -> String {
    "Standard".to_owned()
}

impl ControllerModule for SsmParameter {
    const DOC: Doc = Doc {
        name: "ssm_parameter",
        collection: "community.aws",
        aliases: &["amazon.aws.ssm_parameter", "aws_ssm_parameter_store"],
        short: "Create, change or delete a parameter of AWS Systems Manager",
        returns: &[(
            "parameter_metadata",
            "dict",
            "The parameter as DescribeParameters tells it, without its value: name, type, version, tier, description, tags, …",
        )],
        examples: "\
- name: The log level
  ssm_parameter:
    name: /webapp/level
    value: info
    description: How much is logged

- name: A secret
  ssm_parameter:
    name: /webapp/token
    value: \"{{ token }}\"
    string_type: SecureString
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        resource::apply(self, context).await
    }
}

/// A parameter, its description and its tags.
pub(crate) struct Current {
    parameter: Parameter,
    metadata: ParameterMetadata,
    tags: Tags,
}

impl SsmParameter {
    fn kind(&self) -> ParameterType {
        match self.string_type {
            StringType::String => ParameterType::String,
            StringType::StringList => ParameterType::StringList,
            StringType::SecureString => ParameterType::SecureString,
        }
    }

    fn is_secret(&self) -> bool {
        matches!(self.string_type, StringType::SecureString)
    }

    async fn put(&self, aws: &Aws, exists: bool) -> Result<(), Error> {
        let request = aws
            .ssm()
            .put_parameter()
            .name(&self.name)
            .set_value(self.value.clone())
            .r#type(self.kind())
            .tier(ParameterTier::from(self.tier.as_str()))
            .set_description(self.description.clone())
            .set_key_id(self.is_secret().then(|| self.key_id.clone()))
            .overwrite(exists);
        // Tags can be given to a new parameter only.
        let tags = self.tags.as_ref().filter(|tags| !exists && !tags.is_empty()).map(sdk_tags);
        request.set_tags(tags).send().await.explain("ssm:PutParameter").map(drop)
    }
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}

impl Resource for SsmParameter {
    type Current = Current;

    const KIND: &'static str = "parameter";
    const TYPE: &'static str = "AWS::SSM::Parameter";
    const UNKNOWN: &'static [&'static str] =
        &["parameter_metadata.version", "parameter_metadata.last_modified_date"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.name,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let request = aws.ssm().get_parameter().name(&self.name).with_decryption(self.decryption);
        let answer = request.send().await.missing("ssm:GetParameter", &["ParameterNotFound"])?;
        let Some(parameter) = answer.and_then(|answer| answer.parameter) else { return Ok(None) };
        let wanted = ParameterStringFilter::builder().key("Name").values(&self.name).build();
        let wanted = wanted.map_err(|error| Error::new(error.to_string()))?;
        let answer = aws.ssm().describe_parameters().parameter_filters(wanted).send().await;
        let found = answer.explain("ssm:DescribeParameters")?.parameters.unwrap_or_default();
        let metadata = found.into_iter().next().unwrap_or_else(|| ParameterMetadata::builder().build());
        let request = aws.ssm().list_tags_for_resource().resource_type(ResourceTypeForTagging::Parameter);
        let answer = request.resource_id(&self.name).send().await.explain("ssm:ListTagsForResource")?;
        let tags =
            answer.tag_list().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
        Ok(Some(Current { parameter, metadata, tags }))
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity { id: self.name.clone(), arn: current.parameter.arn().map(str::to_owned), account: None }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        current.tags.clone()
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        let known = &current.metadata;
        let metadata = json!({
            "name": known.name(), "type": known.r#type().map(ParameterType::as_str), "version": known.version(),
            "tier": known.tier().map(ParameterTier::as_str), "description": known.description(),
            "data_type": known.data_type(), "key_id": known.key_id(), "arn": known.arn(),
            "last_modified_date": known.last_modified_date().map(date),
            "last_modified_user": known.last_modified_user(), "allowed_pattern": known.allowed_pattern(),
            "tags": tag::to_json(&current.tags),
        });
        Map::from_iter([("parameter_metadata".to_owned(), metadata)])
    }

    fn foreseen(&self) -> Map<String, Json> {
        let metadata = json!({
            "name": self.name, "type": self.kind().as_str(), "tier": self.tier, "description": self.description,
            "tags": tag::of_new(self.tags.as_ref()),
        });
        Map::from_iter([("parameter_metadata".to_owned(), metadata)])
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let differs = current.parameter.value() != self.value.as_deref();
        match self.overwrite_value {
            Overwrite::Never => return Ok(()),
            Overwrite::Changed if !differs => {}
            // The values may be secrets.
            _ => changes.note("value", json!("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"), json!("a new value")),
        }
        let kind = current.parameter.r#type().map(ParameterType::as_str);
        changes.compare("string_type", &json!(self.kind().as_str()), &json!(kind));
        changes.compare("description", &json!(self.description), &json!(current.metadata.description()));
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        self.put(aws, false).await?;
        let (parameter, metadata) = (Parameter::builder().build(), ParameterMetadata::builder().build());
        Ok(Current { parameter, metadata, tags: Tags::new() })
    }

    async fn modify(
        &self,
        aws: &Aws,
        _current: &Current,
        _changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        Ok(self.put(aws, true).await?)
    }

    async fn change_tags(&self, aws: &Aws, _current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        if !changes.remove.is_empty() {
            let request =
                aws.ssm().remove_tags_from_resource().resource_type(ResourceTypeForTagging::Parameter);
            let request = request.resource_id(&self.name).set_tag_keys(Some(changes.remove.clone()));
            request.send().await.explain("ssm:RemoveTagsFromResource")?;
        }
        if !changes.set.is_empty() {
            let request = aws.ssm().add_tags_to_resource().resource_type(ResourceTypeForTagging::Parameter);
            let request = request.resource_id(&self.name).set_tags(Some(sdk_tags(&changes.set)));
            request.send().await.explain("ssm:AddTagsToResource")?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _current: &Current, _context: &Context) -> Result<(), Failure> {
        let answer = aws.ssm().delete_parameter().name(&self.name).send().await;
        Ok(answer.explain("ssm:DeleteParameter").map(drop)?)
    }
}
