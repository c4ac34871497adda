//! The helper's work: it reads calls, runs each in a thread of its own, and ends with the channel.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use playbook_api::context::{Cancel, Progress};
use playbook_api::sync::lock;
use playbook_api::{Arguments, Context, Error, ErrorKind, Failure, Outcome, Registry, Run, Value};

use crate::frame::{self, Assembler};
use crate::message::{Call, Hello, Message, PROTOCOL};
use crate::open;
use crate::output::Output;
use crate::stream::{Line, RemoteSink, RemoteSource};

/// The size of a long output, in bytes.
const LONG: usize = 64 << 10;

/// The time that canceled calls have to clean up.
const GRACE: Duration = Duration::from_secs(10);

struct Running {
    inbox: Sender<Message>,
    cancel: Cancel,
}

type Calls = Arc<Mutex<HashMap<u32, Running>>>;

/// Serves a channel to its end. What still runs then is canceled.
pub fn serve(registry: Registry, input: OwnedFd, output: OwnedFd) -> Result<(), Error> {
    let calls = Calls::default();
    let ended = read(registry, input, output, &calls);
    end(&calls);
    ended
}

/// Serves a channel to its end, and all calls to theirs.
pub fn answer(registry: Registry, input: OwnedFd, output: OwnedFd) -> Result<(), Error> {
    let calls = Calls::default();
    let ended = read(registry, input, output, &calls);
    while !lock(&calls).is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    ended
}

/// Reads a channel to its end, and starts the calls.
fn read(registry: Registry, input: OwnedFd, output: OwnedFd, calls: &Calls) -> Result<(), Error> {
    let registry = Arc::new(registry);
    let output = Output::new(output);
    let hello = Hello { protocol: PROTOCOL };
    output
        .say(frame::NO_CALL, &Message::Hello(hello))
        .map_err(|e| Error::io(&e, "cannot write to the controller"))?;
    let mut input = File::from(input);
    let mut assembler = Assembler::default();
    loop {
        match assembler.take()? {
            Some((number, message)) => take(number, message, &registry, &output, calls),
            None => match assembler.fill(&mut input) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io(&e, "cannot read from the controller")),
            },
        }
    }
}

/// Handles one message.
fn take(number: u32, message: Message, registry: &Arc<Registry>, output: &Output, calls: &Calls) {
    match message {
        Message::Call(call) => {
            let (registry, out) = (registry.clone(), output.clone());
            start(number, output, calls, move |line, cancel| {
                let mut reply = run(*call, registry, line, cancel);
                match &mut reply {
                    Ok(outcome) => leave_out_lines(outcome),
                    Err(failure) => leave_out_lines(&mut failure.outcome),
                }
                let reply = Message::Reply(Box::new(reply));
                if out.say(number, &reply).is_err_and(|e| e.kind() == io::ErrorKind::Other) {
                    let failure = Failure::new("the module's result is too large to be sent");
                    let _ = out.say(number, &Message::Reply(Box::new(Err(failure))));
                }
            });
        }
        Message::Open(request) => {
            start(number, output, calls, move |line, _| open::run(&request, &line));
        }
        Message::Ping => {
            // A controller that is gone is noticed by the next read.
            let _ = output.say(number, &Message::Pong);
        }
        Message::Cancel => {
            if let Some(call) = lock(calls).get(&number) {
                call.cancel.set();
            }
        }
        // A call that has ended needs nothing that was still under way.
        message => {
            if let Some(call) = lock(calls).get(&number) {
                let _ = call.inbox.send(message);
            }
        }
    }
}

/// Starts a call in a thread of its own.
fn start(number: u32, output: &Output, calls: &Calls, work: impl FnOnce(Arc<Line>, Cancel) + Send + 'static) {
    let (sender, inbox) = channel();
    let cancel = Cancel::default();
    let line = Line::new(number, output.clone(), inbox, cancel.clone());
    lock(calls).insert(number, Running { inbox: sender, cancel: cancel.clone() });
    let running = calls.clone();
    let thread = std::thread::Builder::new().name("call".into()).spawn(move || {
        work(line, cancel);
        lock(&running).remove(&number);
    });
    if let Err(e) = thread {
        lock(calls).remove(&number);
        let failure = Failure::new(format!("the helper on the host cannot start another thread: {e}"))
            .with_help("Raise the limit on the user's processes, or run fewer tasks there at a time.");
        let _ = output.say(number, &Message::Reply(Box::new(Err(failure))));
    }
}

/// Runs one call.
fn run(call: Call, registry: Arc<Registry>, line: Arc<Line>, cancel: Cancel) -> Result<Outcome, Failure> {
    let Some((entry, Run::Host(run))) = registry.module(&call.module).map(|entry| (entry.clone(), entry.run))
    else {
        let message = format!("the helper on the host has no module '{}'", call.module);
        return Err(Error::new(message).with_kind(ErrorKind::Internal).into());
    };
    let progress = line.clone();
    let context = Context {
        check: call.check,
        diff: call.diff,
        verbosity: u8::try_from(call.verbosity).unwrap_or(u8::MAX),
        environment: call.environment,
        directory: call.directory.map(PathBuf::from),
        temporary: call.temporary.map(PathBuf::from),
        registry,
        progress: Progress(Some(Arc::new(move |text| progress.progress(text)))),
        cancel,
        source: call.source.map(|info| Arc::new(RemoteSource { line: line.clone(), info }) as _),
        sink: call.has_sink.then(|| Arc::new(RemoteSink(line)) as _),
        ..Context::default()
    };
    let args = Arguments::from(call.args);
    // A fault of a module ends this call, and no other.
    std::panic::catch_unwind(AssertUnwindSafe(|| run(&entry, &args, &context))).unwrap_or_else(|fault| {
        let said = fault.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| fault.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        let message = format!("the module {} failed unexpectedly: {said}", entry.doc.name);
        Err(Error::new(message).with_kind(ErrorKind::Internal).into())
    })
}

/// Leaves out the lines of a long output: the controller splits the text again.
fn leave_out_lines(outcome: &mut Outcome) {
    for (name, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        let text = outcome.values.get(name).and_then(Value::as_str).filter(|text| text.len() > LONG);
        let same = text.is_some_and(|text| {
            let listed = outcome.values.get(lines).and_then(Value::as_list).unwrap_or_default();
            listed.iter().map(Value::as_str).eq(text.lines().map(Some))
        });
        if same {
            outcome.values.shift_remove(lines);
        }
    }
}

/// Cancels all calls, and waits until they have cleaned up.
fn end(calls: &Calls) {
    for call in lock(calls).values_mut() {
        call.cancel.set();
        // A call that waits for the controller gets an error.
        call.inbox = channel().0;
    }
    let deadline = Instant::now() + GRACE;
    while !lock(calls).is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use playbook_api::map;

    use super::*;

    struct Controller {
        stream: UnixStream,
        assembler: Assembler,
    }

    impl Controller {
        fn start() -> Controller {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let input = theirs.try_clone().unwrap();
            std::thread::spawn(move || {
                let mut registry = Registry::default();
                playbook_host::register(&mut registry);
                serve(registry, input.into(), theirs.into())
            });
            let mut controller = Controller { stream: ours, assembler: Assembler::default() };
            assert!(matches!(controller.hear(), (0, Message::Hello(_))));
            controller
        }

        fn say(&mut self, call: u32, message: Message) {
            frame::write(&mut self.stream, call, &message).unwrap();
        }

        fn call(&mut self, number: u32, call: Call) {
            self.say(number, Message::Call(Box::new(call)));
        }

        fn hear(&mut self) -> (u32, Message) {
            loop {
                if let Some(heard) = self.assembler.take().unwrap() {
                    return heard;
                }
                assert!(self.assembler.fill(&mut self.stream).unwrap() > 0, "the helper ended");
            }
        }

        fn reply(&mut self) -> (u32, Result<Outcome, Failure>) {
            match self.hear() {
                (number, Message::Reply(reply)) => (number, *reply),
                other => panic!("no reply: {other:?}"),
            }
        }
    }

    fn command(line: &str) -> Call {
        let args = map! { "_raw_params" => line, "_uses_shell" => true };
        Call { module: "ansible.builtin.command".into(), args, ..Call::default() }
    }

    #[test]
    fn several_calls_are_under_way_at_once() {
        let mut controller = Controller::start();
        let directory = tempfile::tempdir().unwrap();
        let go = directory.path().join("go");
        controller
            .call(1, command(&format!("until [ -e {} ]; do sleep 0.02; done; echo slow", go.display())));
        let mut quick = command("echo $WHO quick");
        quick.environment = vec![("WHO".into(), "very".into())];
        controller.call(2, quick);
        let first = controller.reply();
        std::fs::write(go, "").unwrap();
        let second = controller.reply();
        assert_eq!((first.0, second.0), (2, 1));
        assert_eq!(first.1.unwrap().values.get("stdout"), Some(&"very quick".into()));
    }

    #[test]
    fn a_cancelled_call_ends_with_its_children() {
        let mut controller = Controller::start();
        let start = Instant::now();
        controller.call(1, command("sleep 100 & sleep 100; wait"));
        std::thread::sleep(Duration::from_millis(100));
        controller.say(1, Message::Cancel);
        assert!(controller.reply().1.is_err());
        assert!(start.elapsed() < Duration::from_secs(80));
    }

    #[test]
    fn unknown_modules_and_wrong_arguments_are_failures() {
        let mut controller = Controller::start();
        controller.call(1, Call { module: "x.y.z".into(), ..Call::default() });
        assert!(controller.reply().1.unwrap_err().error.to_string().contains("no module 'x.y.z'"));
        controller.call(2, Call { module: "ansible.builtin.stat".into(), ..Call::default() });
        assert!(controller.reply().1.unwrap_err().error.to_string().contains("missing required arguments"));
    }
}
