//! What the tasks of a run and of a play share.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use playbook_api::context::Cancel;
use playbook_api::time::deadline;
use playbook_api::{Context, Error, Registry, Value};

use super::action::Actions;
use crate::connection::Connections;
use crate::document::Node;
use crate::foreign::Foreign;
use crate::playbook::{Frame, Loader, Play};
use crate::run::options::Options;
use crate::settings::Settings;
use crate::vars::ScopeBase;
use crate::vault::Keyring;

/// The stack size of threads that render templates, in bytes: templates nest, and each level needs stack.
pub(crate) const STACK: usize = 16 << 20;

/// Renders a name while a playbook is loaded.
type Render<'a> = dyn Fn(&Node, &Arc<Frame>) -> Result<Value, Error> + 'a;

/// What all tasks of a run share.
pub struct Shared {
    /// The options of the run.
    pub options: Options,
    /// The settings.
    pub settings: Settings,
    /// The modules of this program.
    pub registry: Arc<Registry>,
    /// The actions of this program.
    pub actions: &'static Actions,
    /// The passwords that open vaults.
    pub keyring: Arc<Keyring>,
    /// The context that modules start from.
    pub context: Context,
    /// Modules and plugins that are not part of this program.
    pub foreign: Arc<Foreign>,
    /// Set by Ctrl-C: running tasks finish, and no new ones start.
    pub interrupt: Cancel,
    /// The open connections.
    pub connections: Connections,
    runtime: OnceLock<tokio::runtime::Runtime>,
}

impl Shared {
    pub(in crate::run) fn with_actions(
        actions: &'static Actions,
        options: Options,
        settings: Settings,
        keyring: Arc<Keyring>,
        context: Context,
        foreign: Arc<Foreign>,
        interrupt: Cancel,
    ) -> Self {
        let registry = context.registry.clone();
        let context = Context { interrupt: interrupt.clone(), ..context };
        Shared {
            options,
            settings,
            registry,
            actions,
            keyring,
            context,
            foreign,
            interrupt,
            connections: Connections::default(),
            runtime: OnceLock::new(),
        }
    }

    /// Whether results have the arguments that their modules were called with.
    pub fn shows_invocations(&self) -> bool {
        if self.settings.core.invocation_is_a_setting() {
            self.settings.inject_invocation
        } else {
            self.options.verbosity >= 3
        }
    }

    /// Returns the async runtime, which is started when it is first needed.
    pub fn runtime(&self) -> Result<&tokio::runtime::Runtime, Error> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| Error::new(format!("cannot start the network runtime: {e}")))?;
        Ok(self.runtime.get_or_init(|| runtime))
    }

    /// Returns the loader of playbooks for this run.
    pub fn loader<'a>(&'a self, render: &'a Render<'a>, warn: &'a dyn Fn(Error)) -> Loader<'a> {
        Loader {
            settings: &self.settings,
            keyring: &self.keyring,
            directory: Default::default(),
            foreign: &self.foreign,
            render,
            names: self,
            warn,
            fault: &Err,
            documents: Default::default(),
        }
    }
}

/// What the tasks of a play share.
pub struct PlayState {
    /// What all tasks of the run share.
    pub shared: Arc<Shared>,
    /// What all scopes of the play share.
    pub base: Arc<ScopeBase>,
    /// The play.
    pub play: Arc<Play>,
    /// Whether failed hosts run the handlers that were notified.
    pub force_handlers: bool,
    /// The percentage of failed hosts above which the play fails.
    pub max_fail_percentage: Option<f64>,
    /// Whether failed tasks stop in the debugger by default.
    pub debugger: bool,
}

impl PlayState {
    /// Sleeps, unless the run is interrupted meanwhile.
    pub fn sleep(&self, time: Duration) -> Result<(), Error> {
        let end = deadline(time);
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
            if self.shared.interrupt.is_set() {
                return Err(Error::new("interrupted while waiting"));
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
        Ok(())
    }
}
