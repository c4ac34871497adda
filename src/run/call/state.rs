//! What the tasks of a run, and of a play, share.

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

/// The stack of threads that render templates: those nest, and each level costs stack.
pub const STACK: usize = 16 << 20;

/// Renders a name for the playbook room.
type Render<'a> = dyn Fn(&Node, &Arc<Frame>) -> Result<Value, Error> + 'a;

/// What all tasks of a run share.
pub struct Shared {
    pub options: Options,
    pub settings: Settings,
    pub registry: Arc<Registry>,
    pub actions: &'static Actions,
    pub keyring: Arc<Keyring>,
    pub context: Context,
    /// Modules and plugins that this program does not have itself.
    pub foreign: Arc<Foreign>,
    /// Ctrl-C: running tasks finish, no new ones start.
    pub interrupt: Cancel,
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

    /// The runtime that moves bytes, started when something first needs it.
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

    /// Opens the playbook room's door, with what it asks of the run.
    pub fn loader<'a>(&'a self, render: &'a Render<'a>, warn: &'a dyn Fn(Error)) -> Loader<'a> {
        Loader {
            settings: &self.settings,
            keyring: &self.keyring,
            folder: Default::default(),
            foreign: &self.foreign,
            render,
            names: self,
            warn,
            fault: &Err,
        }
    }
}

/// What the tasks of a play share.
pub struct PlayState {
    pub shared: Arc<Shared>,
    pub base: Arc<ScopeBase>,
    pub play: Arc<Play>,
    pub force_handlers: bool,
    pub max_fail_percentage: Option<f64>,
    /// Tasks that fail stop in the debugger, unless their keyword says otherwise.
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
