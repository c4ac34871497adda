//! A task on a host, and one call of its action.

pub(crate) mod action;
pub(crate) mod describe;
pub(crate) mod effect;
pub(crate) mod files;
pub(crate) mod keyword;
pub(crate) mod result;
pub(crate) mod state;

use std::sync::Arc;
use std::time::Duration;

use playbook_api::{Arguments, Error, Value, time};

use effect::Effect;
use files::Files;
use state::PlayState;

use crate::document::Node;
use crate::playbook::Task;
use crate::report::{Event, TaskInfo};
use crate::template::Renderer;
use crate::vars::HostScope;

/// Receives the events of a task.
pub(crate) type Emit = Arc<dyn Fn(Event) + Send + Sync>;

/// A task on a host.
pub struct ItemCall<'a> {
    pub play: &'a PlayState,
    pub host: &'a Arc<str>,
    pub task: &'a Arc<Task>,
    pub info: &'a Arc<TaskInfo>,
    pub emit: &'a Emit,
}

/// One call of an action.
pub struct ActionCall<'a> {
    /// The task and the host.
    pub item: &'a ItemCall<'a>,
    /// The variables of the item.
    pub scope: &'a Arc<HostScope>,
    /// The rendered arguments.
    pub args: Arguments,
    /// Whether it runs in check mode.
    pub check: bool,
    /// Whether it reports differences.
    pub diff: bool,
    /// The changes to the run that the action asks for.
    pub effects: Vec<Effect>,
    /// The variables that the next items of the loop see.
    pub carry: Vec<(Arc<str>, Value)>,
    /// Whether the result is shown at any verbosity.
    pub verbose: bool,
    /// Whether the result is hidden, as with `no_log`.
    pub hidden: bool,
    /// The files on the controller that the called module may read or write.
    pub files: Files,
    /// The timeout of the called module, which replaces the task's `timeout`.
    pub limit: Option<Duration>,
}

impl<'a> ActionCall<'a> {
    /// Makes a call without arguments.
    pub fn new(item: &'a ItemCall<'a>, scope: &'a Arc<HostScope>) -> Self {
        ActionCall {
            item,
            scope,
            args: Arguments::default(),
            check: false,
            diff: false,
            effects: Vec::new(),
            carry: Vec::new(),
            verbose: false,
            hidden: false,
            files: Files::default(),
            limit: None,
        }
    }

    /// Returns the renderer of the item.
    pub fn renderer(&self) -> Renderer {
        self.scope.renderer()
    }

    /// Returns an argument as it was written.
    pub fn written(&self, name: &str) -> Option<&Node> {
        self.item.task.action.args.get(name)
    }

    /// The host that the task is delegated to.
    pub fn delegated(&self) -> Option<&Arc<str>> {
        self.scope.delegate().map(|delegate| &delegate.name)
    }

    /// Returns the host that the task acts on: the one it is delegated to, or its own.
    pub fn target(&self) -> &Arc<str> {
        self.delegated().unwrap_or(self.item.host)
    }

    /// Converts an argument of the task into a duration. One that is negative is as good as zero.
    pub fn duration(&self, name: &str, seconds: f64) -> Result<Duration, Error> {
        time::seconds(if seconds < 0.0 { 0.0 } else { seconds }).map_err(|e| {
            e.context(format!("argument '{name}' is not valid"))
                .at_opt(self.args.places.get(name))
                .at(&self.item.task.place)
        })
    }

    /// Returns an error at the place of the task.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(message).at(&self.item.task.place)
    }
}
