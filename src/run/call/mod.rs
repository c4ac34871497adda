//! A task on a host, and one call of its action: what everything that runs it is given.

pub mod action;
pub mod describe;
pub mod effect;
pub mod files;
pub mod keyword;
pub mod result;
pub mod state;

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

/// Where a task's events go.
pub type Emit = Arc<dyn Fn(Event) + Send + Sync>;

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
    pub item: &'a ItemCall<'a>,
    pub scope: &'a Arc<HostScope>,
    pub args: Arguments,
    pub check: bool,
    pub diff: bool,
    pub effects: Vec<Effect>,
    pub carry: Vec<(Arc<str>, Value)>,
    /// The result is shown at any verbosity.
    pub verbose: bool,
    /// The result is not shown, as with `no_log`.
    pub hidden: bool,
    /// The controller's files that the module being called may want.
    pub files: Files,
    /// How long the module being called may take, where the task's `timeout` does not say it.
    pub limit: Option<Duration>,
}

impl<'a> ActionCall<'a> {
    /// A call that has no arguments yet.
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

    pub fn renderer(&self) -> Renderer {
        self.scope.renderer()
    }

    /// An argument as it was written.
    pub fn written(&self, name: &str) -> Option<&Node> {
        self.item.task.action.args.get(name)
    }

    /// The host that the task is delegated to.
    pub fn delegated(&self) -> Option<&Arc<str>> {
        self.scope.delegate().map(|delegate| &delegate.name)
    }

    /// The host the task acts on: the one it is delegated to, or its own.
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
