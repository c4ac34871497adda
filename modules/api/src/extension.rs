//! The other things a crate can bring beside modules.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Context, Error, Map, ModuleEntry, Value};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A lookup plugin: `lookup('aws_secret', 'prod/db')`.
pub trait Lookup: Send + Sync {
    /// The short name and every full name: `["aws_secret", "amazon.aws.aws_secret"]`.
    fn names(&self) -> &'static [&'static str];

    /// Waits where it must: lookups never run on a thread that moves bytes, but they may run inside one that has
    /// entered the tokio runtime, so that `Handle::block_on` works.
    fn run(&self, terms: &[Value], options: &Map, context: &Context) -> Result<Vec<Value>, Error>;

    /// Whether what it returns is a secret.
    fn secret(&self) -> bool {
        false
    }
}

/// A filter that a crate brings: `{{ secret | postgresql_url(host=…) }}`.
pub trait Filter: Send + Sync {
    fn names(&self) -> &'static [&'static str];
    fn run(&self, input: &Value, arguments: &[Value], options: &Map) -> Result<Value, Error>;
}

/// Fetches an inventory source that the engine cannot read from a file (`s3://bucket/terraform.tfstate`).
pub trait InventorySource: Send + Sync {
    /// The scheme before `://`.
    fn scheme(&self) -> &'static str;
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

/// Runs a command to its end somewhere else: as an ECS task, in a container.
pub trait TaskRunner: Send + Sync {
    fn name(&self) -> &'static str;
    /// `options` are the runner's own parameters. Answers the exit code and the last log lines.
    fn run<'a>(
        &'a self,
        command: &'a [String],
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<(i64, String), Error>>;
}

/// How far a thing that `wait_until` watches has come.
#[derive(Clone, Debug)]
pub enum ProbeState {
    /// It is so. With the values to return.
    Met(Map),
    /// Not yet; what it is now, in words, and as values.
    Waiting(String, Map),
    /// It can no longer become so; why.
    Never(String, Map),
}

/// Something `wait_until` can wait for: `wait_until: { target_group: {…} }`.
pub trait Probe: Send + Sync {
    fn name(&self) -> &'static str;
    /// The documentation and types of its options.
    fn spec(&self) -> crate::Spec;
    /// One look; asked again until it is met, can never be, or time is up.
    fn look<'a>(&'a self, options: &'a Map, context: &'a Context)
    -> BoxFuture<'a, Result<ProbeState, Error>>;
    /// What a reader wants to know when time ran out: the last events, stopped tasks' reasons.
    fn explain<'a>(&'a self, options: &'a Map, context: &'a Context) -> BoxFuture<'a, Vec<String>> {
        let _ = (options, context);
        Box::pin(async { Vec::new() })
    }
}

/// Everything the crates brought, put together by `main`.
#[derive(Default)]
pub struct Registry {
    modules: HashMap<String, Arc<ModuleEntry>>,
    pub lookups: Vec<Box<dyn Lookup>>,
    pub filters: Vec<Box<dyn Filter>>,
    pub inventory_sources: Vec<Box<dyn InventorySource>>,
    pub secret_sources: Vec<Box<dyn SecretSource>>,
    pub task_runners: Vec<Box<dyn TaskRunner>>,
    pub probes: Vec<Box<dyn Probe>>,
}

impl Registry {
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

    /// By short or full name.
    pub fn module(&self, name: &str) -> Option<&Arc<ModuleEntry>> {
        self.modules.get(name)
    }

    pub fn module_names(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    pub fn lookup(&self, name: &str) -> Option<&dyn Lookup> {
        self.lookups.iter().find(|l| l.names().contains(&name)).map(|l| &**l)
    }

    pub fn filter(&self, name: &str) -> Option<&dyn Filter> {
        self.filters.iter().find(|f| f.names().contains(&name)).map(|f| &**f)
    }

    pub fn probe(&self, name: &str) -> Option<&dyn Probe> {
        self.probes.iter().find(|p| p.name() == name).map(|p| &**p)
    }

    pub fn task_runner(&self, name: &str) -> Option<&dyn TaskRunner> {
        self.task_runners.iter().find(|r| r.name() == name).map(|r| &**r)
    }
}
