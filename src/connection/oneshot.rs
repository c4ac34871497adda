//! Connections of plugins in Python. They run one command at a time, with its complete input, and have no channel. The
//! helper is therefore started for each module, gets everything at once, and returns its result when it exits.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playbook_api::context::Cancel;
use playbook_api::stream::{Endpoint, Stream};
use playbook_api::{Arguments, Context, Error, ErrorKind, Failure, ModuleEntry, Outcome};
use playbook_remote::READY;
use playbook_remote::frame::{self, Assembler};
use playbook_remote::message::Message;

use super::bootstrap::{Deploy, expandable, no_directory};
use super::call;
use super::dialogue::NEEDS;
use super::payload::Payload;
use super::privilege::quote;
use super::{Connection, Output};

/// The maximum size of a file that is sent with a module, in bytes.
const LARGEST: u64 = 512 << 20;

/// The number of the only call.
const CALL: u32 = 1;

/// Runs commands at the other end of a connection.
pub trait Commands: Send + Sync {
    /// Runs a command line with an input, as the login user or as the user that a task becomes.
    fn run(&self, command: &str, input: &[u8], r#become: bool) -> Result<Output, Failure>;

    /// Writes a file, as the login user.
    fn put(&self, content: &[u8], path: &str) -> Result<(), Failure>;

    /// Ends the connection.
    fn close(&self);
}

/// A connection that runs one command at a time.
pub struct OneShot {
    commands: Box<dyn Commands>,
    deploy: Deploy,
}

impl OneShot {
    /// Creates a connection from a runner of commands.
    pub fn new(commands: Box<dyn Commands>, deploy: Deploy) -> OneShot {
        OneShot { commands, deploy }
    }

    /// Returns the command line that runs the helper, or else prints which helper is missing in which directory.
    fn line(&self, payload: &Payload) -> String {
        let once = if self.deploy.keep { "" } else { " once" };
        format!(
            "n={name};d={directory}/playbook;[ -O \"$d\" ] && [ -x \"$d/$n\" ] && exec \"$d/$n\" answer {hash}{once};\
             umask 077;[ -d \"$d\" ] || mkdir -p \"$d\";echo;echo {NEEDS} $(uname -sm);echo \"$d\"",
            name = payload.name(),
            directory = expandable(&self.deploy.directory),
            hash = payload.hash,
        )
    }

    /// Writes the helper to a directory: first to a file that all users can read, then as a copy that the user who
    /// runs it makes.
    fn deploy(&self, payload: &Payload, directory: &str) -> Result<(), Failure> {
        let (name, hash) = (payload.name(), &payload.hash);
        let (id, directory) = (uuid::Uuid::new_v4().simple(), quote(directory));
        let passed = format!("/tmp/{name}-{id}");
        self.commands
            .put(&payload.unpacked().map_err(|e| Error::io(&e, "cannot unpack the helper"))?, &passed)?;
        let copy = format!(
            "d={directory};t=$d/.{name}.{id};cp {passed} \"$t\" && chmod 700 \"$t\" && \"$t\" verify {hash} && \
             mv -f \"$t\" \"$d/{name}\" || {{ rm -f \"$t\"; exit 1; }}"
        );
        let done = self.commands.run(&format!("chmod 644 {passed}"), &[], false).and_then(|readable| {
            if readable.code == 0 { self.commands.run(&copy, &[], true) } else { Ok(readable) }
        });
        let removed = self.commands.run(&format!("rm -f {passed}"), &[], false);
        let done = done?;
        removed?;
        if done.code == 0 { Ok(()) } else { Err(no_directory(&String::from_utf8_lossy(&done.stderr))) }
    }
}

impl Connection for OneShot {
    fn run(
        &self,
        module: &Arc<ModuleEntry>,
        args: &Arguments,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        module.check(args, &context.redactor)?;
        if context.source.as_ref().is_some_and(|source| source.size() > LARGEST) {
            return Err(Failure::new("the file is too large for this connection")
                .with_help("Connections of Python plugins carry files up to 512 MiB."));
        }
        let request = call::request(module, args, context, LARGEST)
            .map_err(|e| Error::io(&e, "cannot read the file to send"))?;
        let mut input = frame::encode(CALL, &Message::Call(Box::new(request)))
            .map_err(|e| Error::io(&e, "cannot encode a message to the helper"))?;
        // The module may send its whole stream without waiting for permission.
        input.extend(
            frame::encode(CALL, &Message::Credit(1 << 50))
                .map_err(|e| Error::io(&e, "cannot encode a message to the helper"))?,
        );
        let mut payload = Payload::own();
        let mut deployed = false;
        loop {
            let wanted = payload.as_ref().ok().cloned();
            let line = match &wanted {
                Some(payload) => self.line(payload),
                None => format!("echo;echo {NEEDS} $(uname -sm);echo"),
            };
            let done = self.commands.run(&line, &input, true)?;
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            if let Some(answer) = after(&said, READY) {
                return answered(answer, context);
            }
            let Some(needs) = after(&said, NEEDS).filter(|_| !deployed) else {
                let said = format!("{}{said}", String::from_utf8_lossy(&done.stderr));
                let message = format!("the helper did not start on the host: {}", said.trim());
                return Err(Error::new(message).with_kind(ErrorKind::Connection).into());
            };
            let mut lines = needs.lines();
            let right = Payload::of(lines.next().unwrap_or_default().trim())?;
            if wanted.as_ref().is_some_and(|payload| payload.hash == right.hash) {
                self.deploy(&right, lines.next().unwrap_or_default().trim())?;
                deployed = true;
            }
            payload = Ok(right);
        }
    }

    fn execute(&self, command: &str, _: &Context) -> Result<Output, Failure> {
        self.commands.run(command, &[], true)
    }

    fn connect(&self, endpoint: &Endpoint, _: Duration, _: &Cancel) -> Result<Stream, Failure> {
        let message = format!("a connection of a Python plugin cannot carry a stream to {endpoint}");
        Err(Error::new(message)
            .with_kind(ErrorKind::Connection)
            .with_help("Use the connection ssh, docker or local, or delegate the task to a host that has one of them.")
            .into())
    }

    fn reset(&self) {
        self.commands.close();
    }
}

impl Drop for OneShot {
    fn drop(&mut self) {
        self.commands.close();
    }
}

/// Returns the rest of the line that begins with a word.
fn after<'a>(said: &'a str, word: &str) -> Option<&'a str> {
    let start = said.match_indices(word).find(|(at, _)| *at == 0 || said[..*at].ends_with('\n'))?.0;
    Some(&said[start + word.len()..])
}

/// Returns the result in the helper's response, after passing on its files and progress.
fn answered(text: &str, context: &Context) -> Result<Outcome, Failure> {
    let text: String = text.split_whitespace().collect();
    let broken =
        |what: &dyn std::fmt::Display| Failure::new(format!("the helper's response cannot be read: {what}"));
    let bytes = STANDARD.decode(text).map_err(|e| broken(&e))?;
    let (mut assembler, mut rest) = (Assembler::default(), &bytes[..]);
    let (mut content, mut taken) = (Vec::new(), Ok(()));
    loop {
        match assembler.take()? {
            Some((_, Message::Reply(reply))) => {
                return taken
                    .map_err(|e: std::io::Error| Failure::new(format!("cannot receive the file: {e}")))
                    .and(*reply);
            }
            Some((_, Message::Progress(text))) => context.progress(text),
            Some((_, Message::Push)) => content = Vec::new(),
            Some((_, Message::Data(piece))) => content.extend_from_slice(&piece),
            Some((_, Message::End(None))) => {
                let content = std::mem::take(&mut content);
                if let Some(sink) = &context.sink {
                    taken = sink.take(&mut &content[..]);
                }
            }
            Some(_) => {}
            None if rest.is_empty() => return Err(broken(&"it ends too early")),
            None => {
                assembler.fill(&mut rest).map_err(|e| Error::io(&e, "cannot read from the host"))?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use playbook_api::{Registry, map};

    use super::*;

    /// A shell on this machine.
    struct Here;

    impl Commands for Here {
        fn run(&self, command: &str, input: &[u8], _: bool) -> Result<Output, Failure> {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = shell.spawn().map_err(|e| Error::io(&e, "cannot start the shell"))?;
            let mut pipe = child.stdin.take().unwrap();
            let input = input.to_vec();
            let writer = std::thread::spawn(move || pipe.write_all(&input));
            let done = child.wait_with_output().map_err(|e| Error::io(&e, "cannot wait for the shell"))?;
            let _ = writer.join();
            Ok(Output { code: done.status.code().unwrap_or(-1), stdout: done.stdout, stderr: done.stderr })
        }

        fn put(&self, content: &[u8], path: &str) -> Result<(), Failure> {
            std::fs::write(path, content).map_err(|e| Error::io(&e, format!("cannot write {path}")).into())
        }

        fn close(&self) {}
    }

    #[test]
    fn modules_run_over_single_commands_and_files_come_along() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().to_string_lossy().into_owned();
        let connection = OneShot::new(Box::new(Here), Deploy { directory: dir.clone(), keep: true });
        let mut registry = Registry::default();
        playbook_host::register(&mut registry);
        let command = registry.module("ansible.builtin.command").unwrap();
        let args = map! { "_raw_params" => "echo $0 hello; exit 3", "_uses_shell" => true };
        let failure = connection.run(command, &args.into(), &Context::default()).unwrap_err();
        assert_eq!(failure.outcome.values.get("rc"), Some(&3.into()));
        assert_eq!(failure.outcome.values.get("stdout").unwrap().to_text(), "/bin/sh hello");
        let copies = std::fs::read_dir(root.path().join("playbook")).unwrap().count();
        assert_eq!(copies, 1);
        let output = connection.execute("echo out; echo err >&2; exit 4", &Context::default()).unwrap();
        assert_eq!((output.code, &*output.stdout, &*output.stderr), (4, &b"out\n"[..], &b"err\n"[..]));
    }
}
