//! The lookup `amazon.aws.secretsmanager_secret`, also known as `aws_secret`.

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use playbook_api::{Arguments, Context, Error, Lookup, Map, Spec, Value};
use serde::Deserialize;

use crate::blocking;
use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;
use crate::secrets::source::absent_error;
use crate::secrets::value::{self, Absent, Version};

/// Reads secrets of AWS Secrets Manager; each term is the name or ARN of one.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct Options {
    /// Whether each term is a prefix of names; the result is a dictionary of all secrets with that prefix.
    #[serde(default)]
    pub bypath: bool,
    /// Whether each term is `secret.key.key`, which selects a member of a secret in JSON.
    #[serde(default)]
    pub nested: bool,
    /// The stage of the version to read, `AWSCURRENT` by default.
    pub version_stage: Option<String>,
    /// The ID of the version to read.
    pub version_id: Option<String>,
    /// Whether to join the values of all terms into one text.
    #[serde(default)]
    pub join: bool,
    /// The reaction to a secret that is marked for deletion.
    #[serde(default)]
    pub on_deleted: Reaction,
    /// The reaction to a secret or member that does not exist.
    #[serde(default)]
    pub on_missing: Reaction,
    /// The reaction to a secret that access is denied to.
    #[serde(default)]
    pub on_denied: Reaction,
    #[serde(flatten)]
    pub connection: Connection,
}

/// The reaction to a missing value.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reaction {
    /// Fail.
    #[default]
    Error,
    /// Skip the term.
    Skip,
    /// Skip the term and warn.
    Warn,
}

/// The lookup `amazon.aws.secretsmanager_secret`.
pub(crate) struct SecretLookup;

impl Lookup for SecretLookup {
    fn names(&self) -> &'static [&'static str] {
        &[
            "aws_secret",
            "secretsmanager_secret",
            "amazon.aws.aws_secret",
            "amazon.aws.secretsmanager_secret",
            "community.aws.aws_secret",
        ]
    }

    fn run(&self, terms: &[Value], options: &Map, context: &Context) -> Result<Vec<Value>, Error> {
        let spec = Spec::of::<Options>();
        let options: Options =
            Arguments::from(options.clone()).parse("aws_secret", &spec, &context.redactor)?;
        let mut names = Vec::new();
        for term in terms {
            match term {
                Value::List(items) | Value::Tuple(items) => {
                    names.extend(items.iter().map(|t| t.to_text().into_owned()))
                }
                one => names.push(one.to_text().into_owned()),
            }
        }
        blocking::wait(options.read(&names, context))
    }

    fn secret(&self) -> bool {
        true
    }
}

impl Options {
    async fn read(&self, terms: &[String], context: &Context) -> Result<Vec<Value>, Error> {
        let aws = Aws::connect(&self.connection, context).await?;
        let mut found = Vec::new();
        if self.bypath {
            let mut all = Map::default();
            for path in terms {
                self.read_path(&aws, path, &mut all, context).await?;
            }
            return Ok(vec![all.into()]);
        }
        for term in terms {
            found.extend(self.read_term(&aws, term, context).await?);
        }
        if self.join {
            let joined: String = found.iter().map(|v| v.to_text()).collect();
            return Ok(vec![Value::secret(joined)]);
        }
        Ok(found)
    }

    async fn read_path(&self, aws: &Aws, path: &str, all: &mut Map, context: &Context) -> Result<(), Error> {
        let filter = Filter::builder().key(FilterNameStringType::Name).values(path).build();
        let mut pages = aws.secrets().list_secrets().filters(filter).into_paginator().send();
        let mut names: Vec<String> = Vec::new();
        while let Some(page) = pages.next().await {
            let entries = page.explain("secretsmanager:ListSecrets")?.secret_list.unwrap_or_default();
            names.extend(entries.into_iter().filter_map(|entry| entry.name));
        }
        if names.is_empty() {
            self.react(self.on_missing, absent_error(path, Absent::Missing, aws.region()), context)?;
        }
        for name in names {
            if let Some(value) = self.read_secret(aws, &name, context).await? {
                all.insert(name.into(), value);
            }
        }
        Ok(())
    }

    async fn read_term(&self, aws: &Aws, term: &str, context: &Context) -> Result<Option<Value>, Error> {
        if !self.nested {
            return self.read_secret(aws, term, context).await;
        }
        let mut steps = term.split('.');
        let (name, steps) = (steps.next().unwrap_or_default(), steps.collect::<Vec<_>>());
        if steps.is_empty() {
            return Err(Error::new(format!("'{term}' names no member of a secret"))
                .with_help("with nested=true a term is `secret_name.key` or `secret_name.key.key`"));
        }
        let Some(secret) = self.read_secret(aws, name, context).await? else { return Ok(None) };
        let json: serde_json::Value = serde_json::from_str(&secret.to_text()).map_err(|_| {
            Error::new(format!("the secret {name} is not JSON, so it has no member '{}'", steps.join(".")))
                .with_help("leave `nested` out to read it as a text")
        })?;
        let mut member = &json;
        for (depth, step) in steps.iter().enumerate() {
            let Some(next) = member.get(step) else {
                let known: Vec<&str> =
                    member.as_object().into_iter().flatten().map(|(k, _)| k.as_str()).collect();
                let name = std::iter::once(name)
                    .chain(steps.iter().take(depth).copied())
                    .collect::<Vec<_>>()
                    .join(".");
                let known = if known.is_empty() { "no members".to_owned() } else { known.join(", ") };
                let error = Error::new(format!(
                    "Successfully retrieved secret but there exists no key {} in the secret",
                    steps.iter().take(depth + 1).copied().collect::<Vec<_>>().join(".")
                ))
                .with_help(format!("{name} has {known}."));
                self.react(self.on_missing, error, context)?;
                return Ok(None);
            };
            member = next;
        }
        let text = Value::from_json(member.clone()).to_text().into_owned();
        Ok(Some(Value::secret(text)))
    }

    async fn read_secret(&self, aws: &Aws, id: &str, context: &Context) -> Result<Option<Value>, Error> {
        let version = Version { id: self.version_id.clone(), stage: self.version_stage.clone() };
        let absent = match value::read(aws, id, &version).await? {
            Ok(output) => {
                let value = value::text(&output);
                value::register(&context.redactor, &value);
                return Ok(Some(value));
            }
            Err(absent) => absent,
        };
        let reaction = match absent {
            Absent::Missing => self.on_missing,
            Absent::Deleted => self.on_deleted,
            Absent::Denied => self.on_denied,
        };
        self.react(reaction, absent_error(id, absent, aws.region()), context)?;
        Ok(None)
    }

    fn react(&self, reaction: Reaction, error: Error, context: &Context) -> Result<(), Error> {
        match reaction {
            Reaction::Error => Err(error),
            Reaction::Skip => Ok(()),
            Reaction::Warn => {
                context.warnings.push(Error::new(format!("Skipping, {}", error.message())));
                Ok(())
            }
        }
    }
}
