//! What is somewhere else: another host, a container, the controller as another user. One connection leads there,
//! with a helper for each user, started when first needed and used to the end of the run.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use playbook_api::context::Cancel;
use playbook_api::stream::{Endpoint, Stream};
use playbook_api::{Arguments, Context, ErrorKind, Failure, ModuleEntry, Outcome};

use super::bootstrap::{self, Deploy};
use super::call::{self, Lost};
use super::channel::{Channel, any_readable, readable};
use super::launch::{Launcher, Started};
use super::payload::Payload;
use super::{Become, Connection, Output, ending, privilege, stream};

/// How long a helper that was told to end may take.
const FAREWELL: Duration = Duration::from_millis(1500);

/// How long it may take to end commands that were cancelled.
const SWEEP: Duration = Duration::from_secs(8);

/// How often one who waits for a command looks whether the task was cancelled.
const GLANCE: Duration = Duration::from_millis(100);

type Slot = Arc<Mutex<Option<Arc<Channel>>>>;

/// Somewhere else.
pub struct Remote {
    launcher: Box<dyn Launcher>,
    deploy: Deploy,
    helpers: Mutex<HashMap<Option<Become>, Slot>>,
    /// The helper for this kind of host, once that is known not to be our own.
    payload: Mutex<Option<Payload>>,
    /// Held by commands that run without a helper; all of it by who ends those that are left.
    commands: RwLock<()>,
}

impl Remote {
    pub fn new(launcher: Box<dyn Launcher>, deploy: Deploy) -> Remote {
        Remote {
            launcher,
            deploy,
            helpers: Mutex::default(),
            payload: Mutex::default(),
            commands: RwLock::default(),
        }
    }

    /// The same, for tasks that become somebody there.
    pub fn user(self: &Arc<Self>, other: Option<Become>) -> User {
        let mut helpers = self.helpers.lock().unwrap_or_else(|e| e.into_inner());
        let slot = match helpers.get(&other) {
            Some(slot) => slot.clone(),
            None => helpers.entry(other.clone()).or_default().clone(),
        };
        User { remote: self.clone(), other, slot }
    }

    /// Ends the helpers of one user that have nothing to do.
    pub fn release(&self, user: &str) {
        let helpers = self.helpers.lock().unwrap_or_else(|e| e.into_inner());
        let is_users = |other: &Option<Become>| other.as_ref().is_some_and(|other| other.user == user);
        let slots = helpers.iter().filter(|(other, _)| is_users(other));
        let slots: Vec<Slot> = slots.map(|(_, slot)| slot.clone()).collect();
        drop(helpers);
        for slot in slots {
            let mut slot = slot.lock().unwrap_or_else(|e| e.into_inner());
            if let Some(channel) = slot.take_if(|channel| channel.is_idle()) {
                channel.close();
                channel.wait(FAREWELL);
            }
        }
    }

    /// Ends all helpers, and then the connection.
    pub fn close(&self) {
        let slots: Vec<Slot> =
            self.helpers.lock().unwrap_or_else(|e| e.into_inner()).values().cloned().collect();
        let channels: Vec<Arc<Channel>> =
            slots.iter().filter_map(|slot| slot.lock().unwrap_or_else(|e| e.into_inner()).take()).collect();
        channels.iter().for_each(|channel| channel.close());
        for channel in channels {
            channel.wait(FAREWELL);
        }
        // A command that was cancelled is being ended.
        let deadline = Instant::now() + SWEEP;
        while self.commands.try_write().is_err() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.launcher.close();
    }
}

/// Somebody somewhere else.
pub struct User {
    remote: Arc<Remote>,
    other: Option<Become>,
    slot: Slot,
}

impl User {
    /// The channel to the helper, which is started if there is none.
    fn channel(&self) -> Result<Arc<Channel>, Failure> {
        let mut slot = self.slot.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(channel) = slot.as_ref().filter(|channel| !channel.is_lost()) {
            return Ok(channel.clone());
        }
        let mut payload = self.remote.payload.lock().unwrap_or_else(|e| e.into_inner()).clone();
        let known = payload.is_some();
        let launcher = &*self.remote.launcher;
        let channel = bootstrap::start(launcher, &self.remote.deploy, self.other.as_ref(), &mut payload)
            .map_err(not_there)?;
        if !known && payload.is_some() {
            *self.remote.payload.lock().unwrap_or_else(|e| e.into_inner()) = payload;
        }
        let channel = Arc::new(channel);
        *slot = Some(channel.clone());
        Ok(channel)
    }

    /// Ends a command that was cancelled: closing its pipes does not, and ssh carries no signals.
    fn sweep(&self) {
        let launcher = &*self.remote.launcher;
        let Some(line) = launcher.sweeper() else { return };
        // Which of several commands it was cannot be told: the others end first, and the next ones wait.
        let _alone = self.remote.commands.write().unwrap_or_else(|e| e.into_inner());
        let started = match &self.other {
            None => launcher.start(&line),
            Some(other) => bootstrap::plain(launcher, &line, other).map(|(dialogue, _)| dialogue.started),
        };
        let _ = started.and_then(|started| collect(started, Output::default(), &Context::default()));
    }

    fn forget(&self, channel: &Arc<Channel>) {
        let mut slot = self.slot.lock().unwrap_or_else(|e| e.into_inner());
        if slot.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, channel)) {
            *slot = None;
        }
    }

    /// What it means that a helper went away while it ran a module.
    fn gone(&self, channel: &Arc<Channel>, reason: &str) -> Failure {
        ending::block_if_ending();
        self.forget(channel);
        channel.close();
        let code = channel.wait(FAREWELL);
        if let Some(failure) = self.remote.launcher.unreachable() {
            return failure;
        }
        let how = match code {
            Some(code) if code > 128 => format!("it was ended by signal {}", code - 128),
            Some(code) => format!("it ended with code {code}"),
            None => reason.to_owned(),
        };
        Failure::new(format!("The helper on the host went away while it ran the module: {how}"))
            .with_help("the next task starts another one")
    }
}

/// A failure that came before any module.
fn not_there(failure: Failure) -> Failure {
    match failure.unreachable {
        true => failure,
        false => Failure { error: failure.error.with_kind(ErrorKind::Connection), ..failure },
    }
}

impl Connection for User {
    fn run(
        &self,
        module: &Arc<ModuleEntry>,
        args: &Arguments,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        // What is wrong with the arguments is said before anything goes anywhere, with the place of the fault; and
        // what in them is secret becomes known to the reports here.
        module.check(args, &context.redactor)?;
        let mut retried = false;
        loop {
            let channel = self.channel()?;
            return match call::call(&channel, module, args, context) {
                Ok(result) => result,
                // It went away between two tasks.
                Err(Lost::Unsent(_)) if !retried => {
                    retried = true;
                    self.forget(&channel);
                    continue;
                }
                Err(Lost::Unsent(e) | Lost::Broken(e)) => Err(self.gone(&channel, &e.to_string())),
            };
        }
    }

    fn execute(&self, command: &str, context: &Context) -> Result<Output, Failure> {
        let launcher = &*self.remote.launcher;
        let running = self.remote.commands.read().unwrap_or_else(|e| e.into_inner());
        let done = match &self.other {
            None => collect(launcher.start(command)?, Output::default(), context),
            Some(other) if other.needs_terminal() => return super::local::by_module(self, command, context),
            Some(other) => {
                let (dialogue, stdout) = match bootstrap::plain(launcher, command, other) {
                    Ok(began) => began,
                    Err(refused) if privilege::wants_terminal(&refused.error.to_string()) => {
                        return super::local::by_module(self, command, context);
                    }
                    Err(refused) => return Err(not_there(refused)),
                };
                let (started, stderr) = (dialogue.started, dialogue.err);
                let stderr = String::from_utf8_lossy(&stderr).trim_start().to_owned().into_bytes();
                collect(started, Output { code: 0, stdout, stderr }, context)
            }
        };
        drop(running);
        if done.is_err() && context.cancel.is_set() {
            self.sweep();
        }
        // 255 is ssh's own word for its own troubles, and may be the command's.
        done.and_then(|output| match (output.code == 255).then(|| launcher.unreachable()).flatten() {
            Some(failure) => Err(failure),
            None => Ok(output),
        })
    }

    fn connect(&self, endpoint: &Endpoint, timeout: Duration, cancel: &Cancel) -> Result<Stream, Failure> {
        let mut retried = false;
        loop {
            let channel = self.channel()?;
            return match stream::open(&channel, endpoint, timeout, cancel) {
                Ok(opened) => opened,
                // The helper ended between two tasks.
                Err(Lost::Unsent(_)) if !retried => {
                    retried = true;
                    self.forget(&channel);
                    continue;
                }
                Err(Lost::Unsent(e) | Lost::Broken(e)) => Err(self.gone(&channel, &e.to_string())),
            };
        }
    }

    fn reset(&self) {
        self.remote.close();
    }
}

/// Reads both pipes to their end.
fn collect(started: Started, mut all: Output, context: &Context) -> Result<Output, Failure> {
    let Started { input, mut output, mut errors, mut process } = started;
    drop(input);
    let (mut out, mut err) = (true, true);
    let mut piece = vec![0; 64 << 10];
    while out || err {
        if context.cancel.is_set() {
            return Err(Failure::new("the command was cancelled"));
        }
        let ready = match (out, err) {
            (true, true) => any_readable([&output, &errors], GLANCE)?,
            (true, false) => [readable(&output, GLANCE)?, false],
            (false, _) => [false, readable(&errors, GLANCE)?],
        };
        for (ready, open, file, into) in [
            (ready[0], &mut out, &mut output, &mut all.stdout),
            (ready[1], &mut err, &mut errors, &mut all.stderr),
        ] {
            if ready {
                match file.read(&mut piece)? {
                    0 => *open = false,
                    count => into.extend_from_slice(&piece[..count]),
                }
            }
        }
    }
    all.code = process.wait(Duration::from_secs(10)).unwrap_or(255);
    Ok(all)
}
