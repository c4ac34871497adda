//! One batch of hosts through a play.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use indexmap::IndexMap;
use playbook_api::{Error, ErrorKind, Place, Value, map};

use super::cursor::{Cursor, Failed, Step};
use super::effect::{Included, Inclusion};
use super::handlers::Handlers;
use super::order::Order;
use super::pool::Pool;
use super::strategy::Strategy;
use super::task::{self, TaskOutcome};
use super::{Effect, PlayState, Run, debugger, describe, include, keyword, meta, result};
use crate::inventory::Vars;
use crate::playbook::{Item, Task, is_reserved_name};
use crate::report::{Event, Status, TaskInfo};
use crate::vars::HostScope;

/// One batch of hosts through a play.
pub struct Batch<'r> {
    pub run: &'r mut Run,
    pub play: Arc<PlayState>,
    pub cursors: IndexMap<Arc<str>, Cursor>,
    pub handlers: Handlers,
    pub strategy: Strategy,
    /// All tasks in the order they are written, as far as they are known: what `linear` goes by.
    pub order: Order,
    /// Hosts on which a task is running.
    pub busy: HashSet<Arc<str>>,
    /// Role uses that a host has been through, by the role's identity.
    pub done_roles: HashMap<Arc<str>, HashSet<Arc<str>>>,
    /// Role uses of which a task has run on a host.
    pub begun_roles: HashMap<Arc<str>, HashSet<Arc<str>>>,
    /// Set by `meta: end_play` and `end_batch`, `any_errors_fatal`, `max_fail_percentage`.
    pub stop: Stop,
    /// What failed since the last step began.
    step: StepFailures,
    pool: Pool,
    messages: (Sender<Message>, Receiver<Message>),
    /// Includes of the current linear step, loaded once for all hosts that ask for the same.
    inclusions: Vec<(Inclusion, Arc<Task>, Vec<Arc<str>>)>,
}

/// What failed in one step.
#[derive(Default)]
struct StepFailures {
    failed: HashSet<Arc<str>>,
    fatal: bool,
}

/// Why a batch ends before its tasks do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    No,
    Batch,
    Play,
    /// Failed for all hosts: nothing but what `always` and forced handlers ask for.
    Fatal,
}

/// A task that is under way on a host.
struct Running {
    task: Arc<Task>,
    info: Arc<TaskInfo>,
    scope: Arc<HostScope>,
    /// `run_once`: what it does counts for all hosts.
    once: bool,
}

enum Message {
    Event(Box<Event>),
    Done { running: Box<Running>, outcome: Box<TaskOutcome> },
}

impl<'r> Batch<'r> {
    pub fn new(
        run: &'r mut Run,
        play: Arc<PlayState>,
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
            pool,
            messages: channel(),
            inclusions: Vec::new(),
        }
    }

    /// Runs until every host has come to its end.
    pub fn drive(&mut self) -> Result<Stop, Error> {
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
            Strategy::Linear => super::strategy::lockstep(&mut self.cursors, &self.handlers, &mut self.order),
            Strategy::Free => super::strategy::idle(&mut self.cursors, &self.handlers, &self.busy),
            Strategy::HostPinned { limit } => {
                super::strategy::pinned(&mut self.cursors, &self.handlers, &self.busy, limit)
            }
        }
    }

    /// Starts the steps: `meta` here and now, everything else on the pool.
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
            let is_meta = task.action_name() == "meta";
            let info = match announced.get(&task.id) {
                Some(info) => info.clone(),
                None => {
                    self.warn_of_names(&task);
                    let info = Arc::new(describe::task(&self.play, &step, &scope));
                    if !meta::is_implicit(&task) {
                        if self.run.shared.options.step && !self.run.ask_step(&info) {
                            ran_once.insert(task.id);
                            continue;
                        }
                        // Where hosts advance on their own, the first result brings the title.
                        if self.strategy == Strategy::Linear {
                            self.run.emit(Event::TaskStart(info.clone()));
                        }
                    } else if self.play.shared.foreign.has_callbacks() {
                        self.run.emit(Event::ImplicitTaskStart(info.clone()));
                    }
                    announced.insert(task.id, info.clone());
                    info
                }
            };
            let shared = &self.play.shared;
            let told = shared.settings.show_per_host_start || shared.foreign.has_callbacks();
            if told && !meta::is_implicit(&task) {
                self.run.emit(Event::HostStart { task: info.clone(), host: host.clone() });
            }
            if is_meta {
                if meta::run(self, &host, &step, &info, &scope)? {
                    ran_once.insert(task.id);
                }
                continue;
            }
            let once = self.runs_once(&task, &scope);
            if once {
                ran_once.insert(task.id);
            }
            self.throttle(&task, &scope)?;
            self.submit(Running { task, info, scope, once });
        }
        Ok(())
    }

    fn runs_once(&self, task: &Task, scope: &HostScope) -> bool {
        self.strategy == Strategy::Linear
            && keyword::boolean(task, "run_once", &scope.renderer()).unwrap_or_default() == Some(true)
    }

    /// Warns, once each, of variables around a task that are called as a keyword or function is.
    fn warn_of_names(&mut self, task: &Task) {
        let around = task.frame.chain().map(|frame| &frame.keywords.vars);
        let all: Vec<Arc<Vars>> = std::iter::once(&task.keywords.vars).chain(around).cloned().collect();
        for vars in all {
            for (name, node) in vars.iter() {
                self.warn_of_name(name, node.place());
            }
        }
    }

    fn warn_of_name(&mut self, name: &str, place: &Place) {
        if is_reserved_name(name) {
            let warning = Error::new(format!("Found variable using reserved name '{name}'.")).at(place);
            self.run.emit(Event::Warning(describe::warning(&warning)));
        }
    }

    /// Waits until fewer of a task's hosts run than its `throttle` allows.
    fn throttle(&mut self, task: &Arc<Task>, scope: &Arc<HostScope>) -> Result<(), Error> {
        let Some(node) = task.keyword("throttle") else { return Ok(()) };
        let limit = keyword::integer(node, "throttle", &scope.renderer())
            .map_err(|e| e.context("Failed to convert the throttle value to an integer").at(node.place()))?
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
            let emit: super::item::Emit = Arc::new(move |event| {
                let _ = events.send(Message::Event(Box::new(event)));
            });
            let Running { task, info, scope, .. } = &running;
            // A fault of ours in one task must not take the run down with it.
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
        let message = match self.messages.1.try_recv() {
            Ok(message) => Ok(message),
            // Nothing waits: what was said so far is to be seen.
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

    /// Stops behind a result: the task may be changed and run again.
    fn debug(&mut self, running: Running, outcome: TaskOutcome) -> Result<(), Error> {
        self.run.emit(Event::HostResult(outcome.result.clone()));
        self.run.flush();
        match debugger::ask(&running.task, &running.scope, &outcome.result) {
            debugger::Next::Redo(task, variables) => {
                let local = running.scope.local().clone().into_iter().chain(variables).collect();
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

    /// Applies what a task did on a host; `told` says that its result is on the report already.
    fn finish(&mut self, running: &Running, outcome: TaskOutcome, told: bool) -> Result<(), Error> {
        let TaskOutcome { result, effects } = outcome;
        let Running { task, scope, once, .. } = running;
        let (host, once) = (&scope.host.name, *once);
        let concerned: Vec<Arc<str>> =
            if once { self.cursors.keys().cloned().collect() } else { vec![host.clone()] };
        let inclusions = effects.iter().filter(|e| matches!(e, Effect::Tasks(_))).count();
        let mut changed_inventory = false;
        for effect in effects {
            match effect {
                Effect::Set { host: to, values } => {
                    for (name, _) in &values {
                        self.warn_of_name(name, &task.place);
                    }
                    let all = if once && to == *host { concerned.clone() } else { vec![to] };
                    for host in all {
                        self.play.base.store.set_all(&host, values.clone());
                    }
                }
                Effect::Facts { host: to, facts } => {
                    let all = if once && to == *host { concerned.clone() } else { vec![to] };
                    for host in all {
                        if let Err(e) = self.play.base.store.add_facts(&host, &facts) {
                            self.run.emit(Event::Warning(e.to_string()));
                        }
                    }
                }
                Effect::Include { host: to, vars } => {
                    for (name, node) in &vars {
                        self.warn_of_name(name, node.place());
                    }
                    let all = if once && to == *host { concerned.clone() } else { vec![to] };
                    for host in all {
                        self.play.base.store.include(&host, vars.clone());
                    }
                }
                Effect::AddHost { name, groups, vars } => {
                    changed_inventory |= self.run.add_host(&name, &groups, vars)?;
                }
                Effect::GroupBy { host, group, parents } => {
                    changed_inventory |= self.run.group_by(&host, &group, &parents)?;
                }
                Effect::Stats { host, data, aggregate } => self.run.stats.custom(host, data, aggregate),
                Effect::Notify(names) => {
                    let hosts = concerned.clone();
                    // An unknown handler is a mistake in the playbook: it ends the run.
                    self.notify(&names, &hosts, task, scope)?;
                }
                Effect::Tasks(inclusion) => {
                    // With `run_once` too, only the host that ran the include goes through what it brings.
                    if matches!(result.status, Status::Ok | Status::Changed | Status::Skipped) {
                        self.ask_inclusion(*inclusion, task, std::slice::from_ref(host));
                    }
                }
            }
        }
        if changed_inventory {
            self.play.base.forget_inventory_layers();
        }
        let (status, ignored) = (result.status, result.ignored);
        let changed = result.values.get("changed").is_some_and(Value::is_true);
        let values = result.values.clone();
        if !told {
            self.run.emit(Event::HostResult(result));
        }
        if let Some(role) = task.frame.role()
            && !matches!(status, Status::Skipped | Status::Unreachable)
        {
            self.begun_roles.entry(role.identity.clone()).or_default().insert(host.clone());
        }
        match status {
            // An include counts when what it brings is loaded.
            Status::Ok | Status::Changed if inclusions > 0 => {}
            Status::Ok | Status::Changed => self.run.stats.ok(host, changed),
            Status::Skipped => self.run.stats.skipped(host),
            Status::Failed | Status::Unreachable if ignored => self.run.stats.ignored(host, changed),
            Status::Failed => {
                let failing = if once { concerned } else { vec![host.clone()] };
                for host in &failing {
                    match self.fail(host, task, values.clone()) {
                        Some(Failed::Rescued) => self.run.stats.rescued(host),
                        Some(Failed::Lost) => self.run.stats.failed(host),
                        None => {}
                    }
                }
                self.spread(running);
            }
            Status::Unreachable => {
                self.step.failed.insert(host.clone());
                self.run.stats.unreachable(host);
                self.run.unreachable.insert(host.clone());
                if let Some(cursor) = self.cursors.get_mut(host) {
                    (cursor.failed, cursor.unreachable) = (true, true);
                }
                self.lost(host);
                self.spread(running);
            }
        }
        if self.strategy != Strategy::Linear {
            self.load_inclusions()?;
        }
        Ok(())
    }

    /// A host's task has failed: to its rescue, or out.
    fn fail(&mut self, host: &Arc<str>, task: &Arc<Task>, values: playbook_api::Map) -> Option<Failed> {
        self.step.failed.insert(host.clone());
        let cursor = self.cursors.get_mut(host)?;
        let failed = cursor.fail();
        if cursor.is_rescuing() || failed == Failed::Rescued {
            let info = describe::failed_task(task);
            self.play.base.store.set_all(
                host,
                [("ansible_failed_task".into(), info), ("ansible_failed_result".into(), Value::from(values))],
            );
        }
        if failed == Failed::Lost {
            self.lost(host);
            if self.force_handlers() {
                self.handlers.flush_last(host, cursor_of(&mut self.cursors, host));
            }
        }
        Some(failed)
    }

    /// A host is out: no longer among the play's hosts.
    fn lost(&mut self, host: &Arc<str>) {
        self.run.failed.insert(host.clone());
        self.play.base.play.remove(host);
    }

    fn force_handlers(&self) -> bool {
        self.play.force_handlers
    }

    /// `any_errors_fatal` and `max_fail_percentage`: what failed on one host may fail on all, once the step is over.
    fn spread(&mut self, running: &Running) {
        let asked = keyword::boolean(&running.task, "any_errors_fatal", &running.scope.renderer());
        let default = self.play.shared.settings.any_errors_fatal;
        self.step.fatal |= asked.unwrap_or_default().unwrap_or(default) || running.once;
    }

    /// The end of a step: a fatal failure takes the other hosts with it, each to its rescue or out.
    fn end_step(&mut self) {
        let step = std::mem::take(&mut self.step);
        let out = self.cursors.values().filter(|c| c.failed).count();
        let percent = out as f64 / self.cursors.len().max(1) as f64 * 100.0;
        let too_many =
            !step.failed.is_empty() && self.play.max_fail_percentage.is_some_and(|limit| percent > limit);
        if !step.fatal && !too_many {
            return;
        }
        let untouched =
            |(host, cursor): &(&Arc<str>, &Cursor)| !cursor.failed && !step.failed.contains(*host);
        let others: Vec<Arc<str>> = self.cursors.iter().filter(untouched).map(|(h, _)| h.clone()).collect();
        for host in others {
            if cursor_of(&mut self.cursors, &host).fail() == Failed::Lost {
                self.lost(&host);
            }
        }
        if too_many {
            self.run.emit(Event::NoHostsRemaining);
            // Told once that there are too many, and once more that they are all.
            if self.cursors.values().all(|cursor| cursor.failed) {
                self.run.emit(Event::NoHostsRemaining);
            }
            self.stop = self.stop.max(Stop::Fatal);
        }
    }

    fn notify(
        &mut self,
        names: &[String],
        hosts: &[Arc<str>],
        task: &Arc<Task>,
        scope: &Arc<HostScope>,
    ) -> Result<(), Error> {
        let nobody = HostScope::new(&self.play.base, &Arc::from(""), None, Default::default());
        for warning in self.handlers.unusable(&nobody.renderer()) {
            self.run.emit(Event::Warning(warning));
        }
        for name in names {
            let found = self.handlers.notify(name, hosts, &scope.renderer());
            if found {
                for host in hosts {
                    self.run.emit(Event::Notified { handler: name.clone(), host: host.clone() });
                }
            } else {
                let message = format!(
                    "The requested handler '{name}' was not found in either the main handlers list nor in the listening handlers list"
                );
                if self.play.shared.settings.error_on_missing_handler {
                    return Err(Error::new(message).at(&task.place).help(
                        "handlers are listed under `handlers:` of the play or in a role's handlers/main.yml",
                    ));
                }
                self.run.emit(Event::Warning(message));
            }
        }
        Ok(())
    }

    fn ask_inclusion(&mut self, inclusion: Inclusion, task: &Arc<Task>, hosts: &[Arc<str>]) {
        // A host that asks twice gets it twice: a loop may come by the same item again.
        let same = |(other, by, asked): &&mut (Inclusion, Arc<Task>, Vec<Arc<str>>)| {
            by.id == task.id && include::same(other, &inclusion) && !hosts.iter().any(|h| asked.contains(h))
        };
        match self.inclusions.iter_mut().find(same) {
            Some((_, _, all)) => all.extend(hosts.iter().cloned()),
            None => self.inclusions.push((inclusion, task.clone(), hosts.to_vec())),
        }
    }

    /// Loads what the includes of this step brought and puts it before each host.
    fn load_inclusions(&mut self) -> Result<(), Error> {
        let inclusions = std::mem::take(&mut self.inclusions);
        let mut for_host: IndexMap<Arc<str>, Vec<Item>> = IndexMap::new();
        let mut added = Vec::new();
        let mut failed: IndexMap<Arc<str>, (Running, playbook_api::Map)> = IndexMap::new();
        for (inclusion, task, hosts) in inclusions {
            let in_handlers = self.handlers.all().iter().any(|h| h.id == task.id);
            match include::load(&self.play, &inclusion, &task, &hosts, in_handlers) {
                Ok(loaded) => {
                    let included = &self.play.base.play.included_roles;
                    included.write().unwrap_or_else(|e| e.into_inner()).extend(loaded.roles);
                    self.run.emit(Event::Included {
                        file: loaded.name,
                        hosts: hosts.clone(),
                        item: inclusion.item.clone(),
                    });
                    self.handlers.extend(loaded.handlers);
                    for host in &hosts {
                        self.run.stats.ok(host, false);
                    }
                    let items = self.run.selected(&self.play, loaded.items)?;
                    added.extend(items.iter().cloned());
                    for host in hosts {
                        for_host.entry(host).or_default().extend(items.iter().cloned());
                    }
                }
                // What is wrong with a document is nothing to be rescued from.
                Err(e) if e.get_kind() == ErrorKind::Syntax => return Err(e),
                // An include that cannot be loaded has failed, also where that is ignored or rescued.
                Err(e) => {
                    let e = match (e.get_kind(), e.message().lines().last()) {
                        (ErrorKind::NotFound, Some(line)) => {
                            let (what, place) = (line.to_owned(), e.place().cloned());
                            e.context(what).at_opt(place.as_ref())
                        }
                        _ => e,
                    };
                    self.run.emit(Event::Error(e.clone()));
                    for host in &hosts {
                        let scope = HostScope::new(&self.play.base, host, Some(&task), Default::default());
                        let step = Step { task: task.clone(), handler: false };
                        let info = Arc::new(describe::task(&self.play, &step, &scope));
                        let mut result = result::blank(&info, &scope, Status::Failed);
                        result.values =
                            map! { "changed" => false, "failed" => true, "reason" => e.to_string() };
                        if let Included::Tasks { file, .. } = &inclusion.what {
                            result.values.insert("include".into(), file.as_str().into());
                        }
                        let values = result.values.clone();
                        self.run.emit(Event::HostResult(result));
                        self.run.stats.failed(host);
                        let once = self.runs_once(&task, &scope);
                        let running = Running { task: task.clone(), info, scope, once };
                        failed.entry(host.clone()).or_insert((running, values));
                    }
                }
            }
        }
        for (host, (running, values)) in failed {
            self.fail(&host, &running.task, values);
            self.spread(&running);
        }
        self.order.splice(&added);
        for (host, items) in for_host {
            cursor_of(&mut self.cursors, &host).insert(items);
        }
        Ok(())
    }

    /// Whether a host has been through this use of a role already.
    fn skips_role(&self, host: &Arc<str>, task: &Arc<Task>) -> bool {
        let Some(role) = task.frame.role() else { return false };
        !role.allow_duplicates
            && self.done_roles.get(&role.identity).is_some_and(|hosts| hosts.contains(host))
    }
}

/// The cursor of a host of this batch.
pub fn cursor_of<'a>(cursors: &'a mut IndexMap<Arc<str>, Cursor>, host: &Arc<str>) -> &'a mut Cursor {
    cursors.entry(host.clone()).or_default()
}
