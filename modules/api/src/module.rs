//! What a module is.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Arguments, Context, Error, Failure, Outcome, Redactor, Spec};

/// What a module says of itself, beyond what its argument struct's doc comments and types say.
/// `playbook doc NAME` prints both.
#[derive(Debug)]
pub struct Doc {
    /// The short name: `slurp`.
    pub name: &'static str,
    /// The collection of the Ansible namesake: `ansible.builtin`. Both `slurp` and `ansible.builtin.slurp` are
    /// names of this module.
    pub collection: &'static str,
    /// Other full names that it goes by: `community.aws.ecs_service` moved house, say.
    pub aliases: &'static [&'static str],
    /// One line.
    pub short: &'static str,
    /// How it behaves with `--check`, one sentence.
    pub check_mode: &'static str,
    /// Returned values: name, type, meaning.
    pub returns: &'static [(&'static str, &'static str, &'static str)],
    /// Tasks, as YAML.
    pub examples: &'static str,
    /// Takes its main argument as bare text (`command: ls`), given as `_raw_params`.
    pub free_form: bool,
}

impl Doc {
    /// The base for struct update syntax: `Doc { name: "ping", short: "…", ..Doc::BUILTIN }`.
    pub const BUILTIN: Doc = Doc {
        name: "",
        collection: "ansible.builtin",
        aliases: &[],
        short: "",
        check_mode: "Full: reports what would change and changes nothing.",
        returns: &[],
        examples: "",
        free_form: false,
    };

    pub fn full_name(&self) -> String {
        format!("{}.{}", self.collection, self.name)
    }
}

/// A module that acts on a host, where the host is: in this process for a local connection, in the helper on a
/// remote one. It is synchronous and knows nothing of connections. Its fields are its arguments.
pub trait HostModule: DeserializeOwned + JsonSchema + Send + 'static {
    const DOC: Doc;
    fn run(self, context: &Context) -> Result<Outcome, Failure>;
}

/// A module that runs in the controller and acts on a service: a cloud, a database.
pub trait ControllerModule: DeserializeOwned + JsonSchema + Send + 'static {
    const DOC: Doc;
    fn run(self, context: &Context) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

type HostFn = fn(&ModuleEntry, &Arguments, &Context) -> Result<Outcome, Failure>;
type ControllerFuture = Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send>>;
type ControllerFn = fn(Arc<ModuleEntry>, Arguments, Context) -> ControllerFuture;

/// How a module is run.
#[derive(Clone, Copy)]
pub enum Run {
    Host(HostFn),
    Controller(ControllerFn),
}

/// A line of a crate's table of modules.
pub struct ModuleEntry {
    pub doc: &'static Doc,
    pub run: Run,
    check: fn(&ModuleEntry, &Arguments, &Redactor) -> Result<(), Error>,
    build: fn() -> Spec,
    schema: fn() -> serde_json::Value,
    spec: OnceLock<Spec>,
}

impl std::fmt::Debug for ModuleEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.doc.name)
    }
}

impl ModuleEntry {
    pub fn host<M: HostModule>() -> Arc<ModuleEntry> {
        Self::new::<M>(
            &M::DOC,
            Run::Host(|entry, arguments, context| {
                let module: M = arguments.parse(entry.doc.name, entry.spec(), &context.redactor)?;
                module.run(context)
            }),
        )
    }

    pub fn controller<M: ControllerModule>() -> Arc<ModuleEntry> {
        Self::new::<M>(
            &M::DOC,
            Run::Controller(|entry, arguments, context| {
                Box::pin(async move {
                    let module: M = arguments.parse(entry.doc.name, entry.spec(), &context.redactor)?;
                    module.run(&context).await
                })
            }),
        )
    }

    fn new<M: DeserializeOwned + JsonSchema>(doc: &'static Doc, run: Run) -> Arc<ModuleEntry> {
        Arc::new(ModuleEntry {
            doc,
            run,
            check: |entry, arguments, redactor| {
                arguments.parse::<M>(entry.doc.name, entry.spec(), redactor).map(drop)
            },
            build: Spec::of::<M>,
            schema: Spec::schema::<M>,
            spec: OnceLock::new(),
        })
    }

    /// Whether the module would take these arguments; secret ones are registered with the redactor. For who sends
    /// them elsewhere to be run.
    pub fn check(&self, arguments: &Arguments, redactor: &Redactor) -> Result<(), Error> {
        (self.check)(self, arguments, redactor)
    }

    /// Built at first use: most runs touch a handful of modules.
    pub fn spec(&self) -> &Spec {
        self.spec.get_or_init(self.build)
    }

    /// JSON Schema of the arguments, for editors.
    pub fn json_schema(&self) -> serde_json::Value {
        (self.schema)()
    }
}
