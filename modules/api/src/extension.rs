//! Plugins and services that a crate can provide in addition to modules.

use std::collections::HashMap;
use std::sync::Arc;

pub use crate::future::BoxFuture;
use crate::probe::Probe;
use crate::{Context, Error, Map, ModuleEntry, Value};

/// A lookup plugin: `lookup('aws_secret', 'prod/db')`.
pub trait Lookup: Send + Sync {
    /// The short name and every full name: `["aws_secret", "amazon.aws.aws_secret"]`.
    fn names(&self) -> &'static [&'static str];

    /// Runs the lookup. It may block: lookups never run on a thread that serves connections, but on one that has
    /// entered the tokio runtime, so that `Handle::block_on` works.
    fn run(&self, terms: &[Value], options: &Map, context: &Context) -> Result<Vec<Value>, Error>;

    /// Returns whether the results are secrets.
    fn secret(&self) -> bool {
        false
    }
}

/// A filter: `{{ secret | postgresql_url(host=…) }}`.
pub trait Filter: Send + Sync {
    /// The short name and every full name.
    fn names(&self) -> &'static [&'static str];
    /// Applies the filter to `input`.
    fn run(&self, input: &Value, arguments: &[Value], options: &Map) -> Result<Value, Error>;
}

/// Fetches an inventory source that the engine cannot read from a file (`s3://bucket/terraform.tfstate`).
pub trait InventorySource: Send + Sync {
    /// The URL scheme, without `://`.
    fn scheme(&self) -> &'static str;

    /// Returns where the state of a Terraform workspace other than `default` is, if the source keeps workspaces.
    /// `prefix` is the backend's `workspace_key_prefix`, if it was given.
    fn workspace(&self, _location: &str, _workspace: &str, _prefix: Option<&str>) -> Option<String> {
        None
    }

    /// Fetches the text at a location. `options` are the connection arguments (`region`, `profile`, …).
    fn fetch<'a>(
        &'a self,
        location: &'a str,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<String, Error>>;
}

/// Reads a secret by name or ARN, for modules of other crates (`db_migrate: secret=…`).
pub trait SecretSource: Send + Sync {
    /// `options` are the connection arguments (`region`, `profile`, …) of the asking task.
    fn read<'a>(
        &'a self,
        id: &'a str,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, Error>>;
}

/// Runs a command elsewhere until it exits, for example as an ECS task or in a container.
pub trait TaskRunner: Send + Sync {
    /// The name that a task selects the runner by.
    fn name(&self) -> &'static str;
    /// Runs the command and returns its exit status and the last lines of its log. `options` are the runner's own
    /// parameters.
    fn run<'a>(
        &'a self,
        command: &'a [String],
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<(i64, String), Error>>;
}

/// The modules and plugins of all crates, collected by `main`.
#[derive(Default)]
pub struct Registry {
    modules: HashMap<String, Arc<ModuleEntry>>,
    /// The lookups.
    pub lookups: Vec<Box<dyn Lookup>>,
    /// The filters.
    pub filters: Vec<Box<dyn Filter>>,
    /// The inventory sources.
    pub inventory_sources: Vec<Box<dyn InventorySource>>,
    /// The sources of secrets.
    pub secret_sources: Vec<Box<dyn SecretSource>>,
    /// The runners of commands.
    pub task_runners: Vec<Box<dyn TaskRunner>>,
    /// The probes.
    pub probes: Vec<Box<dyn Probe>>,
}

impl Registry {
    /// Adds modules under their short names, full names and aliases.
    pub fn add_modules(&mut self, entries: impl IntoIterator<Item = Arc<ModuleEntry>>) {
        for entry in entries {
            self.modules.insert(entry.doc.name.to_owned(), entry.clone());
            self.modules.insert(entry.doc.full_name(), entry.clone());
            if entry.doc.collection == "ansible.builtin" {
                self.modules.insert(format!("ansible.legacy.{}", entry.doc.name), entry.clone());
            }
            for alias in entry.doc.aliases {
                self.modules.insert((*alias).to_owned(), entry.clone());
            }
        }
    }

    /// Returns a module by short or full name.
    pub fn module(&self, name: &str) -> Option<&Arc<ModuleEntry>> {
        self.modules.get(name)
    }

    /// Returns every name of every module.
    pub fn module_names(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// Returns a lookup by short or full name.
    pub fn lookup(&self, name: &str) -> Option<&dyn Lookup> {
        self.lookups.iter().find(|l| l.names().contains(&name)).map(|l| &**l)
    }

    /// Returns a filter by short or full name.
    pub fn filter(&self, name: &str) -> Option<&dyn Filter> {
        self.filters.iter().find(|f| f.names().contains(&name)).map(|f| &**f)
    }

    /// Returns a probe by name.
    pub fn probe(&self, name: &str) -> Option<&dyn Probe> {
        self.probes.iter().find(|p| p.name() == name).map(|p| &**p)
    }

    /// Returns a runner by name.
    pub fn task_runner(&self, name: &str) -> Option<&dyn TaskRunner> {
        self.task_runners.iter().find(|r| r.name() == name).map(|r| &**r)
    }
}
