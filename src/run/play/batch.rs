//! A batch of hosts that goes through a play.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use indexmap::IndexMap;
use playbook_api::{Error, Place};

use super::cursor::{Cursor, Step};
use super::handlers::Handlers;
use super::order::Order;
use super::pool::Pool;
use super::strategy::Strategy;
use super::{debugger, strategy};
use crate::inventory::Vars;
use crate::playbook::{Item, Task, is_reserved_name};
use crate::report::{Event, TaskInfo};
use crate::run::Run;
use crate::run::call::effect::Inclusion;
use crate::run::call::state::PlayState;
use crate::run::call::{Emit, describe, keyword, result};
use crate::run::module::python_action;
use crate::run::task::{self, TaskOutcome};
use crate::vars::HostScope;

/// A batch of hosts that goes through a play.
pub(crate) struct Batch<'r> {
    pub run: &'r mut Run,
    pub play: Arc<PlayState>,
    pub cursors: IndexMap<Arc<str>, Cursor>,
    pub handlers: Handlers,
    pub strategy: Strategy,
    /// All known tasks in the order in which they are written, which `linear` follows.
    pub order: Order,
    /// Hosts on which a task is running.
    pub busy: HashSet<Arc<str>>,
    /// The hosts that have completed a use of a role, by the role's identity.
    pub done_roles: HashMap<Arc<str>, HashSet<Arc<str>>>,
    /// The hosts on which a task of a use of a role has run, by the role's identity.
    pub begun_roles: HashMap<Arc<str>, HashSet<Arc<str>>>,
    /// Set by `meta: end_play` and `end_batch`, `any_errors_fatal`, `max_fail_percentage`.
    pub stop: Stop,
    /// What failed in the current step.
    pub(super) step: StepFailures,
    /// The hosts that have failed and have nothing left to do, as `max_fail_percentage` counts them.
    pub(super) out: HashSet<Arc<str>>,
    /// The hosts of the batch, those that were out before included.
    pub(super) all: Vec<Arc<str>>,
    /// What a host goes through from the start.
    pub(super) items: Arc<Vec<Item>>,
    pool: Pool,
    messages: (Sender<Message>, Receiver<Message>),
    /// The includes of the current step, each loaded once for all hosts with the same include.
    pub(super) inclusions: Vec<PendingInclude>,
}

/// What failed in one step.
#[derive(Default)]
pub(super) struct StepFailures {
    /// The hosts whose own task has failed.
    pub failed: HashSet<Arc<str>>,
    /// What failed, fails for all hosts.
    pub fatal: bool,
    /// Whether anything ran at all.
    pub any: bool,
}

/// Why a batch ends before its tasks do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    No,
    Batch,
    Play,
    /// All hosts failed: only `always` sections and forced handlers still run.
    Fatal,
}

/// An include that is not loaded yet, and the hosts that wait for it.
pub(super) struct PendingInclude {
    pub inclusion: Inclusion,
    pub task: Arc<Task>,
    pub hosts: Vec<Arc<str>>,
}

/// A task that is running on a host.
pub(super) struct Running {
    pub task: Arc<Task>,
    pub info: Arc<TaskInfo>,
    pub scope: Arc<HostScope>,
    /// `run_once`: its effects apply to all hosts.
    pub once: bool,
    /// Whether no other host runs it.
    pub alone: bool,
}

enum Message {
    Event(Box<Event>),
    Done { running: Box<Running>, outcome: Box<TaskOutcome> },
}

impl<'r> Batch<'r> {
    /// A batch: all of its hosts, and those of them that go through it.
    pub(crate) fn new(
        run: &'r mut Run,
        play: Arc<PlayState>,
        all: &[Arc<str>],
        hosts: &[Arc<str>],
        items: Arc<Vec<Item>>,
        strategy: Strategy,
    ) -> Self {
        let cursors = hosts.iter().map(|h| (h.clone(), Cursor::new(items.clone()))).collect();
        let pool = Pool::new(run.shared.options.forks.min(hosts.len().max(1)));
        let handlers = Handlers::new(&play.play.handlers);
        Batch {
            run,
            play,
            cursors,
            handlers,
            strategy,
            order: Order::new(&items),
            busy: HashSet::new(),
            done_roles: HashMap::new(),
            begun_roles: HashMap::new(),
            stop: Stop::No,
            step: StepFailures::default(),
            out: HashSet::new(),
            all: all.to_vec(),
            items,
            pool,
            messages: channel(),
            inclusions: Vec::new(),
        }
    }

    /// Runs until all hosts have completed the play.
    pub(crate) fn drive(&mut self) -> Result<Stop, Error> {
        loop {
            let steps = if self.run.shared.interrupt.is_set() { Vec::new() } else { self.pick() };
            let nothing_to_start = steps.is_empty();
            self.start(steps)?;
            if self.busy.is_empty() {
                if nothing_to_start {
                    return Ok(self.stop);
                }
                continue;
            }
            self.receive()?;
            if self.busy.is_empty() {
                self.load_inclusions()?;
                self.end_step();
            }
        }
    }

    fn pick(&mut self) -> Vec<(Arc<str>, Step)> {
        match self.strategy {
            Strategy::Linear if !self.busy.is_empty() => Vec::new(),
            Strategy::Linear => strategy::lockstep(&mut self.cursors, &self.handlers, &mut self.order),
            Strategy::Free => strategy::idle(&mut self.cursors, &self.handlers, &self.busy),
            Strategy::HostPinned { limit } => {
                strategy::pinned(&mut self.cursors, &self.handlers, &self.busy, limit)
            }
        }
    }

    /// Starts the steps: `meta` at once, everything else on the pool.
    fn start(&mut self, steps: Vec<(Arc<str>, Step)>) -> Result<(), Error> {
        let mut announced: HashMap<crate::playbook::TaskId, Arc<TaskInfo>> = HashMap::new();
        let mut ran_once: HashSet<crate::playbook::TaskId> = HashSet::new();
        for (host, step) in steps {
            let task = step.task.clone();
            if step.handler {
                self.handlers.clear(&task, &host);
            }
            if (!step.handler && self.skips_role(&host, &task)) || ran_once.contains(&task.id) {
                continue;
            }
            if !self.run.starts_here(&task) {
                continue;
            }
            let scope = HostScope::new(&self.play.base, &host, Some(&task), Default::default());
            let written = task.clone();
            let (task, scope, step) = match task::resolved(&task, &scope) {
                Some(task) => {
                    let scope = HostScope::new(&self.play.base, &host, Some(&task), Default::default());
                    (task.clone(), scope, Step { task, ..step })
                }
                None => (task, scope, step),
            };
            let is_meta = task.action_name() == "meta";
            let (info, first) = match announced.get(&task.id) {
                Some(info) => {
                    // A `meta` task is announced for each host.
                    if is_meta && self.strategy == Strategy::Linear && !task.implicit {
                        self.run.emit(Event::TaskStart(info.clone()));
                    }
                    (info.clone(), false)
                }
                None => {
                    self.warn_of_names(&task);
                    let action = task.action.name.to_string();
                    let (described, undefined) = describe::task(&self.play, &written, step.handler, &scope);
                    if let Some(error) = undefined {
                        self.run.emit(Event::Warning(describe::warning(&error)));
                    }
                    let info = Arc::new(TaskInfo { action, ..described });
                    if !task.implicit {
                        if self.run.shared.options.step && !self.run.ask_step(&info) {
                            ran_once.insert(task.id);
                            continue;
                        }
                        // With other strategies the first result shows the title.
                        if self.strategy == Strategy::Linear {
                            self.run.emit(Event::TaskStart(info.clone()));
                        }
                    } else if self.play.shared.foreign.has_callbacks() {
                        self.run.emit(Event::ImplicitTaskStart(info.clone()));
                    }
                    announced.insert(task.id, info.clone());
                    (info, true)
                }
            };
            let shared = &self.play.shared;
            let told = shared.settings.show_per_host_start || shared.foreign.has_callbacks();
            if told && !task.implicit {
                self.run.emit(Event::HostStart { task: info.clone(), host: host.clone() });
            }
            if is_meta {
                if self.meta(&host, &step, &info, &scope)? {
                    ran_once.insert(task.id);
                }
                continue;
            }
            let once = self.runs_once(&task, &scope)?;
            // A task that one host runs for all does not run on the others.
            let alone = once || (first && self.strategy == Strategy::Linear && self.is_alone(&task));
            if alone {
                ran_once.insert(task.id);
            }
            self.throttle(&task, &scope)?;
            self.submit(Running { task, info, scope, once, alone });
        }
        Ok(())
    }

    pub(super) fn runs_once(&self, task: &Task, scope: &HostScope) -> Result<bool, Error> {
        match self.strategy {
            Strategy::Linear => keyword::of(task, &scope.renderer()).runs_once(),
            _ => Ok(false),
        }
    }

    /// Whether one host runs a task for all because of its action.
    pub(super) fn is_alone(&self, task: &Task) -> bool {
        match self.play.shared.actions.find(&task.action.name) {
            Some(action) => action.once,
            None => python_action::runs_once(&self.play.shared.foreign, task),
        }
    }

    /// Warns about variables around a task that have the name of a keyword or function.
    fn warn_of_names(&mut self, task: &Task) {
        let around = task.frame.chain().map(|frame| &frame.keywords.vars);
        let all: Vec<Arc<Vars>> = std::iter::once(&task.keywords.vars).chain(around).cloned().collect();
        for vars in all {
            for (name, node) in vars.iter() {
                self.run.warn_of_name(name, &node.key_place());
            }
        }
    }

    /// Waits until fewer hosts run the task than its `throttle` allows.
    fn throttle(&mut self, task: &Arc<Task>, scope: &Arc<HostScope>) -> Result<(), Error> {
        let limit = keyword::of(task, &scope.renderer())
            .throttle()
            .map_err(|e| e.context("Failed to convert the throttle value to an integer"))?
            .unwrap_or(0);
        while limit > 0 && self.busy.len() >= limit as usize {
            self.receive()?;
        }
        Ok(())
    }

    fn submit(&mut self, running: Running) {
        self.busy.insert(running.scope.host.name.clone());
        let (play, sender) = (self.play.clone(), self.messages.0.clone());
        self.pool.submit(move || {
            let events = sender.clone();
            let emit: Emit = Arc::new(move |event| {
                let _ = events.send(Message::Event(Box::new(event)));
            });
            let Running { task, info, scope, .. } = &running;
            // A panic in one task must not end the run.
            let work = std::panic::AssertUnwindSafe(|| task::run(&play, task, info, scope, &emit));
            let outcome = std::panic::catch_unwind(work).unwrap_or_else(|panic| {
                let what = panic.downcast_ref::<String>().map(String::as_str);
                let what = what.or(panic.downcast_ref::<&str>().copied()).unwrap_or("unknown fault");
                let error = Error::new(format!("internal error: {what}"));
                TaskOutcome { result: result::failed(info, scope, error), effects: Vec::new() }
            });
            let _ = sender.send(Message::Done { running: Box::new(running), outcome: Box::new(outcome) });
        });
    }

    fn receive(&mut self) -> Result<(), Error> {
        self.step.any = true;
        let message = match self.messages.1.try_recv() {
            Ok(message) => Ok(message),
            // No message is waiting: show what was reported so far.
            Err(_) => {
                self.run.flush();
                self.messages.1.recv()
            }
        };
        match message {
            Ok(Message::Event(event)) => self.run.emit(*event),
            Ok(Message::Done { running, outcome }) => {
                self.busy.remove(&running.scope.host.name);
                if debugger::is_wanted(&running.task, &running.scope, &outcome.result, &self.play) {
                    return self.debug(*running, *outcome);
                }
                self.finish(&running, *outcome, false)?;
            }
            Err(_) => self.busy.clear(),
        }
        Ok(())
    }

    /// Stops in the debugger after a result: the task may be changed and run again.
    fn debug(&mut self, running: Running, outcome: TaskOutcome) -> Result<(), Error> {
        self.run.emit(Event::HostResult(outcome.result.clone()));
        self.run.flush();
        match debugger::ask(&running.task, &running.scope, &outcome.result) {
            debugger::Next::Redo(task, variables) => {
                let local = running
                    .scope
                    .locals()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .chain(variables)
                    .collect();
                let host = &running.scope.host.name;
                let scope = HostScope::new(&self.play.base, host, Some(&task), local);
                self.submit(Running { task, scope, ..running });
                Ok(())
            }
            debugger::Next::Continue => self.finish(&running, outcome, true),
            debugger::Next::Quit => {
                self.run.shared.interrupt.set();
                self.finish(&running, outcome, true)
            }
        }
    }

    /// Whether a host has already completed this use of a role.
    fn skips_role(&self, host: &Arc<str>, task: &Arc<Task>) -> bool {
        let Some(role) = task.frame.role() else { return false };
        !role.allow_duplicates
            && self.done_roles.get(&role.identity).is_some_and(|hosts| hosts.contains(host))
    }
}

impl Run {
    /// Warns about a variable that has the name of a keyword or function.
    pub(super) fn warn_of_name(&mut self, name: &str, place: &Place) {
        if is_reserved_name(name) {
            let warning = Error::new(format!("Found variable using reserved name '{name}'.")).at(place);
            self.emit(Event::Warning(describe::warning(&warning)));
        }
    }
}

/// Returns the cursor of a host of this batch.
pub(crate) fn cursor_of<'a>(cursors: &'a mut IndexMap<Arc<str>, Cursor>, host: &Arc<str>) -> &'a mut Cursor {
    cursors.entry(host.clone()).or_default()
}
