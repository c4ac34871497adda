//! Modules: the traits that they implement and the table that holds them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Arguments, Context, Error, Failure, Map, Outcome, Redactor, Spec, Value};

/// A module's documentation, in addition to the doc comments and types of its argument struct. `playbook doc NAME`
/// prints both.
#[derive(Debug)]
pub struct Doc {
    /// The short name: `slurp`.
    pub name: &'static str,
    /// The collection of the Ansible module of the same name: `ansible.builtin`. Tasks may use `slurp` and
    /// `ansible.builtin.slurp`.
    pub collection: &'static str,
    /// Other fully qualified names, for example after the module moved to another collection.
    pub aliases: &'static [&'static str],
    /// The summary, one sentence in the third person.
    pub short: &'static str,
    /// The behavior with `--check`, one sentence.
    pub check_mode: &'static str,
    /// The returned values: name, type and meaning.
    pub returns: &'static [(&'static str, &'static str, &'static str)],
    /// Example tasks, as YAML.
    pub examples: &'static str,
    /// Whether the module takes bare text (`command: ls`), which it receives as `_raw_params`.
    pub free_form: bool,
    /// Whether every option beyond the module's own is the name of a [`Probe`](crate::Probe), with that one's options.
    pub probes: bool,
}

impl Doc {
    /// The defaults, for struct update syntax: `Doc { name: "ping", short: "…", ..Doc::BUILTIN }`.
    pub const BUILTIN: Doc = Doc {
        name: "",
        collection: "ansible.builtin",
        aliases: &[],
        short: "",
        check_mode: "Full: reports what would change and changes nothing.",
        returns: &[],
        examples: "",
        free_form: false,
        probes: false,
    };

    /// Returns the fully qualified name: `ansible.builtin.slurp`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.collection, self.name)
    }
}

/// A module that acts on a managed host. It runs in this process for a local connection and in the helper on the host
/// otherwise, is synchronous, and does not know about connections. Its fields are its arguments.
pub trait HostModule: DeserializeOwned + JsonSchema + Send + 'static {
    /// The module's documentation.
    const DOC: Doc;
    /// Runs the module. In check mode it changes nothing and returns what it would have done.
    fn run(self, context: &Context) -> Result<Outcome, Failure>;

    /// Returns the user whose connections have to end before the module runs, such as one that it removes.
    fn user_to_disconnect(_arguments: &Arguments) -> Option<&str> {
        None
    }
}

/// A module that runs in the controller and acts on a service, such as a cloud or a database. Its fields are its
/// arguments.
pub trait ControllerModule: DeserializeOwned + JsonSchema + Send + 'static {
    /// The module's documentation.
    const DOC: Doc;
    /// Runs the module. In check mode it changes nothing and returns what it would have done.
    fn run(self, context: &Context) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

type HostFn = fn(&ModuleEntry, &Arguments, &Context) -> Result<Outcome, Failure>;
type ControllerFuture = Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send>>;
type ControllerFn = fn(Arc<ModuleEntry>, Arguments, Context) -> ControllerFuture;

/// How a module is run.
#[derive(Clone, Copy)]
pub enum Run {
    /// On the host, synchronously.
    Host(HostFn),
    /// In the controller, asynchronously.
    Controller(ControllerFn),
}

/// An entry of a crate's table of modules.
pub struct ModuleEntry {
    /// The documentation.
    pub doc: &'static Doc,
    /// How the module is run.
    pub run: Run,
    /// Returns the user whose connections have to end before the module runs with these arguments.
    pub user_to_disconnect: fn(&Arguments) -> Option<&str>,
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
    /// Creates the entry of a module that acts on a host.
    pub fn host<M: HostModule>() -> Arc<ModuleEntry> {
        Self::new::<M>(
            &M::DOC,
            Run::Host(|entry, arguments, context| {
                let module: M = arguments.parse(entry.doc.name, entry.spec(), &context.redactor)?;
                module.run(context)
            }),
            M::user_to_disconnect,
        )
    }

    /// Creates the entry of a module that acts on a service.
    pub fn controller<M: ControllerModule>() -> Arc<ModuleEntry> {
        Self::new::<M>(
            &M::DOC,
            Run::Controller(|entry, arguments, context| {
                Box::pin(async move {
                    let module: M = arguments.parse(entry.doc.name, entry.spec(), &context.redactor)?;
                    module.run(&context).await
                })
            }),
            |_| None,
        )
    }

    fn new<M: DeserializeOwned + JsonSchema>(
        doc: &'static Doc,
        run: Run,
        user_to_disconnect: fn(&Arguments) -> Option<&str>,
    ) -> Arc<ModuleEntry> {
        Arc::new(ModuleEntry {
            doc,
            run,
            user_to_disconnect,
            check: |entry, arguments, redactor| {
                arguments.parse::<M>(entry.doc.name, entry.spec(), redactor).map(drop)
            },
            build: Spec::of::<M>,
            schema: Spec::schema::<M>,
            spec: OnceLock::new(),
        })
    }

    /// Validates arguments before they are sent to a host, and registers secret ones with the redactor.
    ///
    /// # Errors
    ///
    /// The first argument that the module would reject.
    pub fn check(&self, arguments: &Arguments, redactor: &Redactor) -> Result<(), Error> {
        (self.check)(self, arguments, redactor)
    }

    /// Returns the documented returned values, all unknown until a change: what the module returns in check mode if it
    /// cannot run there.
    pub fn unknown_values(&self, reason: &Arc<str>) -> Map {
        let names = self.doc.returns.iter().map(|(name, _, _)| Value::from(*name));
        names.map(|name| (name, Value::Unknown(reason.clone()))).collect()
    }

    /// Returns the arguments' types and rules. They are built at first use, since a run uses few modules.
    pub fn spec(&self) -> &Spec {
        self.spec.get_or_init(self.build)
    }

    /// Returns the JSON Schema of the arguments, for editors.
    pub fn json_schema(&self) -> serde_json::Value {
        (self.schema)()
    }
}
