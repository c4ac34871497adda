//! A remote place: a managed host, a container, or the controller as another user. It has one connection, with a
//! helper for each user, which is started when first needed and runs until the end of the run.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use playbook_api::context::Cancel;
use playbook_api::stream::{Endpoint, Stream};
use playbook_api::sync::lock;
use playbook_api::{Arguments, Context, ErrorKind, Failure, ModuleEntry, Outcome};

use super::bootstrap::{self, Deploy};
use super::call::{self, Lost};
use super::channel::Channel;
use super::launch::{Launcher, Started};
use super::payload::Payload;
use super::peer::Peer;
use super::pipe::{any_readable, readable};
use super::{Become, Connection, Output, privilege, shutdown, stream};

/// The time limit for a helper to exit.
const FAREWELL: Duration = Duration::from_millis(1500);

/// The time limit for ending canceled commands.
const SWEEP: Duration = Duration::from_secs(8);

/// The interval at which a running command is checked for cancellation.
const INTERVAL: Duration = Duration::from_millis(100);

/// The largest output of a command, in bytes.
const LARGEST_OUTPUT: usize = 512 << 20;

type Slot = Arc<Mutex<Option<Arc<Channel>>>>;

/// A remote place, and the programs that run there.
pub(crate) struct Remote {
    launcher: Box<dyn Launcher>,
    peer: Peer,
    deploy: Deploy,
    helpers: Mutex<HashMap<Option<Become>, Slot>>,
    /// The helper for this kind of host, if it is known to differ from the controller's.
    payload: Mutex<Option<Payload>>,
    /// Held by commands that run without a helper, and exclusively by the session that ends the remaining ones.
    commands: RwLock<()>,
    /// The users that such commands run as.
    executing: Mutex<Vec<Option<Become>>>,
}

impl Remote {
    /// Describes a place. Nothing is sent yet.
    pub(crate) fn new(launcher: Box<dyn Launcher>, peer: Peer, deploy: Deploy) -> Remote {
        Remote {
            launcher,
            peer,
            deploy,
            helpers: Mutex::default(),
            payload: Mutex::default(),
            commands: RwLock::default(),
            executing: Mutex::default(),
        }
    }

    /// Returns the place for tasks of one user.
    pub(crate) fn user(self: &Arc<Self>, other: Option<Become>) -> User {
        let mut helpers = lock(&self.helpers);
        let slot = match helpers.get(&other) {
            Some(slot) => slot.clone(),
            None => helpers.entry(other.clone()).or_default().clone(),
        };
        User { remote: self.clone(), other, slot }
    }

    /// Ends the idle helpers of one user.
    pub(crate) fn release(&self, user: &str) {
        let helpers = lock(&self.helpers);
        let is_users = |other: &Option<Become>| other.as_ref().is_some_and(|other| other.user == user);
        let slots = helpers.iter().filter(|(other, _)| is_users(other));
        let slots: Vec<Slot> = slots.map(|(_, slot)| slot.clone()).collect();
        drop(helpers);
        for slot in slots {
            let mut slot = lock(&slot);
            if let Some(channel) = slot.take_if(|channel| channel.is_idle()) {
                channel.close();
                channel.wait(FAREWELL);
            }
        }
    }

    /// Ends the remaining programs of a user's commands, if they can be identified.
    fn sweep(&self, other: Option<&Become>) {
        let launcher = &*self.launcher;
        let Some(line) = launcher.sweeper() else { return };
        let started = match other {
            None => launcher.start(&line),
            Some(other) => {
                bootstrap::plain(launcher, &self.peer, &line, other).map(|(dialogue, _)| dialogue.started)
            }
        };
        let limit = Limits { largest: LARGEST_OUTPUT, until: Some(playbook_api::time::deadline(SWEEP)) };
        // If that fails, nothing else can be done.
        let _ = started.map(|started| collect(started, Output::default(), &Cancel::default(), limit));
    }

    /// Ends the commands that run without a helper, because this process is about to end.
    pub(crate) fn end_commands(&self) {
        let mut users: Vec<Option<Become>> = Vec::new();
        for user in lock(&self.executing).iter() {
            if !users.contains(user) {
                users.push(user.clone());
            }
        }
        for user in users {
            self.sweep(user.as_ref());
        }
    }

    /// Ends all helpers, and then the connection.
    pub(crate) fn close(&self) {
        let slots: Vec<Slot> = lock(&self.helpers).values().cloned().collect();
        let channels: Vec<Arc<Channel>> = slots.iter().filter_map(|slot| lock(slot).take()).collect();
        channels.iter().for_each(|channel| channel.close());
        for channel in channels {
            channel.wait(FAREWELL);
        }
        // A session is ending a canceled command.
        let deadline = Instant::now() + SWEEP;
        while self.commands.try_write().is_err() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.launcher.close();
    }
}

/// One user at a remote place.
pub(crate) struct User {
    remote: Arc<Remote>,
    other: Option<Become>,
    slot: Slot,
}

impl User {
    /// Returns the channel to the helper, which is started if there is none.
    fn channel(&self) -> Result<Arc<Channel>, Failure> {
        let mut slot = lock(&self.slot);
        if let Some(channel) = slot.as_ref().filter(|channel| !channel.is_lost()) {
            return Ok(channel.clone());
        }
        let mut payload = lock(&self.remote.payload).clone();
        let known = payload.is_some();
        let launcher = &*self.remote.launcher;
        let (peer, deploy) = (&self.remote.peer, &self.remote.deploy);
        let channel =
            bootstrap::start(launcher, peer, deploy, self.other.as_ref(), &mut payload).map_err(not_there)?;
        if !known && payload.is_some() {
            *lock(&self.remote.payload) = payload;
        }
        let channel = Arc::new(channel);
        *slot = Some(channel.clone());
        Ok(channel)
    }

    /// Ends a canceled command through another session: closing its pipes does not end it, and ssh does not forward
    /// signals.
    fn sweep(&self) {
        // Commands cannot be told apart, so this waits until the others have ended, and the next ones wait.
        let _alone = self.remote.commands.write().unwrap_or_else(|e| e.into_inner());
        self.remote.sweep(self.other.as_ref());
    }

    fn forget(&self, channel: &Arc<Channel>) {
        let mut slot = lock(&self.slot);
        if slot.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, channel)) {
            *slot = None;
        }
    }

    /// Returns the failure of a module whose helper was lost while it ran.
    fn gone(&self, channel: &Arc<Channel>, reason: &str) -> Failure {
        shutdown::block_if_ending();
        self.forget(channel);
        channel.close();
        let code = channel.wait(FAREWELL);
        if let Some(failure) = self.remote.launcher.unreachable() {
            return failure;
        }
        let how = match code {
            Some(code) if code > 128 => format!("it was ended by signal {}", code - 128),
            Some(code) => format!("its exit status was {code}"),
            None => reason.to_owned(),
        };
        Failure::new(format!("The helper on the host went away while it ran the module: {how}"))
            .with_help("The next task starts another one.")
    }
}

/// Marks a failure that occurred before any module ran.
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
        // Wrong arguments are reported with their place before anything is sent. This also registers the secrets in
        // them.
        module.check(args, &context.redactor)?;
        let mut retried = false;
        loop {
            let channel = self.channel()?;
            return match call::call(&channel, module, args, context) {
                Ok(result) => result,
                // The helper exited between two tasks.
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
        let limits = Limits { largest: LARGEST_OUTPUT, until: None };
        let running = self.remote.commands.read().unwrap_or_else(|e| e.into_inner());
        let executing = Executing::begin(&self.remote, &self.other);
        let done = match &self.other {
            None => collect(launcher.start(command)?, Output::default(), &context.cancel, limits),
            Some(other) if other.needs_terminal() => return super::local::by_module(self, command, context),
            Some(other) => {
                let (dialogue, stdout) = match bootstrap::plain(launcher, &self.remote.peer, command, other) {
                    Ok(began) => began,
                    Err(refused) if privilege::wants_terminal(&refused.error.to_string()) => {
                        return super::local::by_module(self, command, context);
                    }
                    Err(refused) => return Err(not_there(refused)),
                };
                let (started, stderr) = (dialogue.started, dialogue.err);
                let stderr = String::from_utf8_lossy(&stderr).trim_start().to_owned().into_bytes();
                collect(started, Output { code: 0, stdout, stderr }, &context.cancel, limits)
            }
        };
        shutdown::block_if_ending();
        drop((executing, running));
        let done = done.map_err(|unfinished| match unfinished {
            Unfinished::Running(failure) => {
                self.sweep();
                failure
            }
            Unfinished::Broken(failure) => failure,
        });
        // 255 is ssh's exit status for its own errors, but may also be the command's.
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
                // The helper exited between two tasks.
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

/// A command that runs without a helper.
struct Executing<'a> {
    remote: &'a Remote,
    user: &'a Option<Become>,
}

impl<'a> Executing<'a> {
    fn begin(remote: &'a Remote, user: &'a Option<Become>) -> Executing<'a> {
        lock(&remote.executing).push(user.clone());
        Executing { remote, user }
    }
}

impl Drop for Executing<'_> {
    fn drop(&mut self) {
        let mut executing = lock(&self.remote.executing);
        if let Some(at) = executing.iter().position(|user| user == self.user) {
            executing.swap_remove(at);
        }
    }
}

/// The reason why a command has no result.
enum Unfinished {
    /// It was abandoned and still runs.
    Running(Failure),
    /// Its pipes were closed.
    Broken(Failure),
}

/// The limits of a command's output.
#[derive(Clone, Copy)]
struct Limits {
    /// The largest number of bytes.
    largest: usize,
    /// The time by which it has to be complete.
    until: Option<Instant>,
}

/// Reads both pipes to their end.
fn collect(started: Started, mut all: Output, cancel: &Cancel, limits: Limits) -> Result<Output, Unfinished> {
    let Started { input, mut output, mut errors, mut process } = started;
    drop(input);
    let broken = |e: std::io::Error| {
        Unfinished::Broken(Failure::new(format!("cannot read the command's output: {e}")))
    };
    let (mut out, mut err) = (true, true);
    let mut piece = vec![0; 64 << 10];
    while out || err {
        if cancel.is_set() {
            return Err(Unfinished::Running(Failure::new("the command was canceled")));
        }
        if limits.until.is_some_and(|until| Instant::now() > until) {
            return Err(Unfinished::Running(Failure::new("the command took too long")));
        }
        if all.stdout.len() + all.stderr.len() > limits.largest {
            let message =
                format!("the command printed more than {} MiB, and was ended", limits.largest >> 20);
            let failure = Failure::new(message).with_help("Write its output to a file on the host.");
            return Err(Unfinished::Running(failure));
        }
        let ready = match (out, err) {
            (true, true) => any_readable([&output, &errors], INTERVAL),
            (true, false) => readable(&output, INTERVAL).map(|out| [out, false]),
            (false, _) => readable(&errors, INTERVAL).map(|err| [false, err]),
        };
        let [has_output, has_errors] = ready.map_err(broken)?;
        for (ready, open, file, into) in [
            (has_output, &mut out, &mut output, &mut all.stdout),
            (has_errors, &mut err, &mut errors, &mut all.stderr),
        ] {
            if ready {
                match file.read(&mut piece).map_err(broken)? {
                    0 => *open = false,
                    count => into.extend_from_slice(piece.get(..count).unwrap_or_default()),
                }
            }
        }
    }
    all.code = process.wait(Duration::from_secs(10)).unwrap_or(255);
    Ok(all)
}
