//! The lookup `amazon.aws.ssm_parameter`, also known as `aws_ssm`.

use aws_sdk_ssm::types::{Parameter, ParameterType};
use playbook_api::{Arguments, Context, Error, Lookup, Map, Spec, Value};
use serde::Deserialize;

use crate::blocking;
use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;
use crate::secrets::lookup::Reaction;
use crate::secrets::value;

/// Reads parameters of AWS Systems Manager; each term is the name of one.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Options {
    /// Whether to decrypt secrets.
    #[serde(default = "playbook_api::defaults::yes")]
    pub decrypt: bool,
    /// Whether each term is a path; the result is a dictionary of the parameters below it.
    #[serde(default)]
    pub bypath: bool,
    /// Whether the parameters of all levels below a path are read.
    #[serde(default)]
    pub recursive: bool,
    /// Whether the keys of the dictionary are the last parts of the names.
    #[serde(default)]
    pub shortnames: bool,
    /// Whether the keys of the dictionary are the names without the text of the path.
    #[serde(default)]
    pub droppath: bool,
    /// The reaction to a parameter that does not exist.
    #[serde(default)]
    pub on_missing: Reaction,
    /// The reaction to a parameter that access is denied to.
    #[serde(default)]
    pub on_denied: Reaction,
    #[serde(flatten)]
    pub connection: Connection,
}

/// The lookup `amazon.aws.ssm_parameter`.
pub(crate) struct ParameterLookup;

impl Lookup for ParameterLookup {
    fn names(&self) -> &'static [&'static str] {
        &[
            "ssm_parameter",
            "aws_ssm",
            "amazon.aws.ssm_parameter",
            "amazon.aws.aws_ssm",
            "community.aws.aws_ssm",
        ]
    }

    fn run(&self, terms: &[Value], options: &Map, context: &Context) -> Result<Vec<Value>, Error> {
        let spec = Spec::of::<Options>();
        let options: Options =
            Arguments::from(options.clone()).parse("ssm_parameter", &spec, &context.redactor)?;
        if options.shortnames && options.droppath {
            return Err(Error::new(
                "shortnames and droppath are mutually exclusive. They cannot both be set to true.",
            ));
        }
        let mut names = Vec::new();
        for term in terms {
            match term {
                Value::List(items) | Value::Tuple(items) => {
                    names.extend(items.iter().map(|name| name.to_text().into_owned()))
                }
                one => names.push(one.to_text().into_owned()),
            }
        }
        blocking::wait(options.read(&names, context))
    }
}

impl Options {
    async fn read(&self, terms: &[String], context: &Context) -> Result<Vec<Value>, Error> {
        let aws = Aws::connect(&self.connection, context).await?;
        let mut found = Vec::new();
        for term in terms {
            let value = match self.bypath {
                true => self.below(&aws, term, context).await?,
                false => self.one(&aws, term, context).await?,
            };
            found.push(value);
        }
        Ok(found)
    }

    /// Returns the value of a parameter, null if it is missing.
    async fn one(&self, aws: &Aws, name: &str, context: &Context) -> Result<Value, Error> {
        let request = aws.ssm().get_parameter().name(name).with_decryption(self.decrypt);
        let answer = request.send().await;
        let denied =
            answer.as_ref().is_err_and(|error| crate::error::code(error) == Some("AccessDeniedException"));
        let found =
            match answer.missing("ssm:GetParameter", &["ParameterNotFound", "ParameterVersionNotFound"]) {
                Ok(found) => found.and_then(|answer| answer.parameter),
                Err(error) if denied => {
                    react(self.on_denied, error, context)?;
                    return Ok(Value::Null);
                }
                Err(error) => return Err(error),
            };
        match found {
            Some(parameter) => Ok(read_value(&parameter, context)),
            None => {
                react(self.on_missing, absent(name, aws), context)?;
                Ok(Value::Null)
            }
        }
    }

    /// Returns the parameters below a path, by their names.
    async fn below(&self, aws: &Aws, path: &str, context: &Context) -> Result<Value, Error> {
        let mut pages = aws
            .ssm()
            .get_parameters_by_path()
            .path(path)
            .recursive(self.recursive)
            .with_decryption(self.decrypt)
            .into_paginator()
            .send();
        let mut all = Map::default();
        while let Some(page) = pages.next().await {
            let denied =
                page.as_ref().is_err_and(|error| crate::error::code(error) == Some("AccessDeniedException"));
            let page = match page.explain("ssm:GetParametersByPath") {
                Ok(page) => page,
                Err(error) if denied => {
                    react(self.on_denied, error, context)?;
                    break;
                }
                Err(error) => return Err(error),
            };
            for parameter in page.parameters.unwrap_or_default() {
                let name = parameter.name().unwrap_or_default();
                let key = if self.shortnames {
                    name.rsplit('/').next().unwrap_or(name)
                } else if self.droppath {
                    name.strip_prefix(path).unwrap_or(name)
                } else {
                    name
                };
                all.insert(key.into(), read_value(&parameter, context));
            }
        }
        if all.is_empty() {
            react(self.on_missing, absent(path, aws), context)?;
        }
        Ok(all.into())
    }
}

/// Returns the value of a parameter. Secrets are masked in all output.
fn read_value(parameter: &Parameter, context: &Context) -> Value {
    let text = parameter.value().unwrap_or_default();
    if parameter.r#type() != Some(&ParameterType::SecureString) {
        return text.into();
    }
    let secret = Value::secret(text);
    value::register(&context.redactor, &secret);
    secret
}

fn absent(name: &str, aws: &Aws) -> Error {
    Error::new(format!("Failed to find SSM parameter {name} (ResourceNotFound)"))
        .with_help(format!("Check the name, the account and the region {}.", aws.region()))
}

fn react(reaction: Reaction, error: Error, context: &Context) -> Result<(), Error> {
    match reaction {
        Reaction::Error => Err(error),
        Reaction::Skip => Ok(()),
        Reaction::Warn => {
            context.warnings.push(Error::new(format!("Skipping, {}", error.message())));
            Ok(())
        }
    }
}
