//! Starts programs. No other file in this crate does.
//!
//! A program is started with `posix_spawn` (which `std` uses unless code has to run between fork and exec). Its two
//! pipes are read with `poll`, without a thread.
#![expect(clippy::disallowed_methods, reason = "programs are started here alone")]

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::RwLock;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use playbook_api::time::deadline;
use playbook_api::{Context, Error, Failure, sync};

use crate::host::capture::{self, Capture};
use crate::host::environment::variable;
use crate::host::guard;

/// A program to start. Its arguments are passed unchanged, without a shell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    argv: Vec<String>,
    directory: Option<PathBuf>,
    environment: Vec<(String, String)>,
    stdin: Option<Vec<u8>>,
    timeout: Option<Duration>,
    limit: Option<usize>,
    anywhere: bool,
}

/// The output and exit status of a program; one ended by signal N has the status -N.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output {
    pub(crate) rc: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// The number of bytes of both streams that were left out because they exceeded the limit.
    pub(crate) dropped: u64,
}

impl Output {
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    pub(crate) fn success(&self) -> bool {
        self.rc == 0
    }
}

/// Held while a program starts, since until `exec` it shares all open files of this process.
static STARTING: RwLock<()> = RwLock::new(());

/// Waits until no starting program shares a file that was closed before: a file that is open for writing cannot be
/// executed ("Text file busy").
pub(crate) fn let_go() {
    drop(sync::write(&STARTING));
}

impl Program {
    pub(crate) fn new(argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Program { argv: argv.into_iter().map(Into::into).collect(), anywhere: true, ..Program::default() }
    }

    /// Creates a program that a user names. It is searched only on `PATH`, while the programs of modules are also
    /// searched in the directories for administrators.
    pub(crate) fn by_path_alone(mut self) -> Self {
        self.anywhere = false;
        self
    }

    pub(crate) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.argv.push(argument.into());
        self
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.argv.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn directory(mut self, directory: Option<PathBuf>) -> Self {
        self.directory = directory;
        self
    }

    pub(crate) fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub(crate) fn stdin(mut self, input: Option<Vec<u8>>) -> Self {
        self.stdin = input;
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The number of bytes of each stream to keep; see [`capture`].
    pub(crate) fn limit(mut self, bytes: usize) -> Self {
        self.limit = Some(bytes);
        self
    }

    pub(crate) fn directory_of(&self) -> Option<PathBuf> {
        self.directory.clone()
    }

    pub(crate) fn argv(&self) -> &[String] {
        &self.argv
    }

    /// Starts it and waits for its end. Only [`crate::host::Host`] calls this, since it knows about check mode.
    pub(crate) fn execute(&self, context: &Context) -> io::Result<Output> {
        let (name, arguments) = self.argv.split_first().ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new(self.path(name, context)?);
        command
            .arg0(name)
            .args(arguments)
            .stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C lets running tasks finish; a canceled one is ended with all of its processes.
            .process_group(0);
        self.surround(&mut command, context);
        let child = {
            let _starting = sync::read(&STARTING);
            command.spawn()?
        };
        let _guarded = guard::guard(child.id());
        let limits = Limits {
            deadline: self.timeout.map(deadline),
            output: self.limit.unwrap_or_else(|| capture::limit(context)),
        };
        converse(child, self.stdin.as_deref().unwrap_or_default(), &limits, context)
    }

    /// Makes the program the leader of a new session, with its standard input as the terminal.
    pub(crate) fn in_session(&self, context: &Context) -> io::Result<Command> {
        let (name, arguments) = self.argv.split_first().ok_or(io::ErrorKind::NotFound)?;
        let path = self.path(name, context)?;
        let setsid = which("setsid", context).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))?;
        let mut command = Command::new(setsid);
        command.arg("-c").arg(path).args(arguments);
        self.surround(&mut command, context);
        Ok(command)
    }

    fn path(&self, name: &str, context: &Context) -> io::Result<PathBuf> {
        let path = self.find(name, context).or_else(|| which(name, context).filter(|_| self.anywhere));
        path.ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
    }

    /// Sets the environment and the directory.
    fn surround(&self, command: &mut Command, context: &Context) {
        command
            .envs(context.environment.iter().map(|(n, v)| (n, v)))
            .envs(self.environment.iter().map(|(n, v)| (n, v)));
        if let Some(directory) = self.directory.as_ref().or(context.directory.as_ref()) {
            command.current_dir(directory);
        }
    }

    /// `PATH` is searched here, since a changed `PATH` must have an effect, for which `std` would use fork.
    fn find(&self, name: &str, context: &Context) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(PathBuf::from(name));
        }
        let own = self.environment.iter().rev().find(|(n, _)| n == "PATH").map(|(_, v)| v.clone());
        let path = own.or_else(|| variable("PATH", context));
        which_in(name, path.as_deref().unwrap_or("/usr/bin:/bin"))
    }
}

/// Finds a program on `PATH`, and then in the directories for administrators.
pub(crate) fn which(name: &str, context: &Context) -> Option<PathBuf> {
    if name.contains('/') {
        return is_executable(Path::new(name)).then(|| PathBuf::from(name));
    }
    let path = variable("PATH", context).unwrap_or_default();
    which_in(name, &path).or_else(|| which_in(name, "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"))
}

fn which_in(name: &str, path: &str) -> Option<PathBuf> {
    let dirs = path.split(':').filter(|f| !f.is_empty());
    dirs.map(|f| Path::new(f).join(name)).find(|p| is_executable(p))
}

fn is_executable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok() && path.is_file()
}

/// The interval at which the exit of a program is checked, since a daemon that it has started may keep the pipes open
/// forever.
const GLANCE: Duration = Duration::from_millis(200);

/// The number of bytes that are read from a pipe at once.
const PIECE: usize = 16 * 1024;

/// The limits of a program's time and output.
struct Limits {
    deadline: Option<Instant>,
    output: usize,
}

impl Limits {
    fn are_passed(&self, context: &Context) -> bool {
        context.cancel.is_set() || self.deadline.is_some_and(|deadline| Instant::now() > deadline)
    }
}

fn converse(mut child: Child, input: &[u8], limits: &Limits, context: &Context) -> io::Result<Output> {
    let mut stdin = child.stdin.take();
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    if let Some(pipe) = &stdin {
        nonblocking(pipe.as_fd())?;
    }
    if let Some(pipe) = &out {
        nonblocking(pipe.as_fd())?;
    }
    if let Some(pipe) = &err {
        nonblocking(pipe.as_fd())?;
    }
    let (mut stdout, mut stderr) = (Capture::new(limits.output), Capture::new(limits.output));
    let mut piece = Vec::with_capacity(PIECE);
    let mut written = 0;
    while out.is_some() || err.is_some() || stdin.is_some() {
        wait_for_any(&stdin, &out, &err)?;
        if let Some(pipe) = &mut stdin {
            match pipe.write(input.get(written..).unwrap_or_default()) {
                Ok(n) => written += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                // It does not read all of its input.
                Err(_) => written = input.len(),
            }
            if written == input.len() {
                stdin = None;
            }
        }
        let read = drain(&mut out, &mut stdout, &mut piece)? | drain(&mut err, &mut stderr, &mut piece)?;
        // A program that writes endlessly is ended too.
        if limits.are_passed(context) {
            end(&mut child);
            return Err(late(context));
        }
        if !read && (out.is_some() || err.is_some()) && child.try_wait()?.is_some() {
            break;
        }
    }
    // Both pipes are closed: most programs are about to end.
    let mut pause = Duration::from_micros(20);
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if limits.are_passed(context) => {
                end(&mut child);
                return Err(late(context));
            }
            None => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    Ok(Output {
        rc: status.code().unwrap_or_else(|| -status.signal().unwrap_or(1)),
        dropped: stdout.dropped() + stderr.dropped(),
        stdout: stdout.into_bytes(),
        stderr: stderr.into_bytes(),
    })
}

/// Returns the error of a program that was ended early.
fn late(context: &Context) -> io::Error {
    match context.cancel.is_set() {
        true => io::Error::new(io::ErrorKind::Interrupted, "canceled"),
        false => io::Error::new(io::ErrorKind::TimedOut, "the program did not end in time"),
    }
}

/// Ends a program and its group, with SIGTERM first.
pub(crate) fn end(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        let group = nix::unistd::Pid::from_raw(id);
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGTERM);
        std::thread::sleep(Duration::from_millis(100));
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn nonblocking(pipe: BorrowedFd) -> io::Result<()> {
    fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map(drop).map_err(io::Error::from)
}

fn wait_for_any(
    stdin: &Option<impl AsFd>,
    out: &Option<impl AsFd>,
    err: &Option<impl AsFd>,
) -> io::Result<()> {
    let readable = [out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)];
    let mut fds: Vec<PollFd> =
        readable.into_iter().flatten().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    fds.extend(stdin.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)));
    let timeout = PollTimeout::try_from(GLANCE).unwrap_or(PollTimeout::ZERO);
    match poll(&mut fds, timeout) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Reads available data, but only a few pieces, and closes the pipe at its end. Returns whether there was anything.
/// `piece` is the memory for a piece.
fn drain(pipe: &mut Option<impl Read>, into: &mut Capture, piece: &mut Vec<u8>) -> io::Result<bool> {
    const PIECES: usize = 64;
    for count in 0..PIECES {
        let Some(reader) = pipe else { return Ok(count > 0) };
        piece.clear();
        // Reading into the capacity of a `Vec` does not clear it first, which a read into a slice needs.
        let mut part = reader.by_ref().take(PIECE as u64);
        let read = part.read_to_end(piece);
        let is_full = part.limit() == 0;
        into.push(piece);
        match read {
            Ok(_) if is_full => {}
            Ok(_) => *pipe = None,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(count > 0 || !piece.is_empty()),
            Err(e) => return Err(e),
        }
    }
    Ok(true)
}

/// Returns the failure of a program that could not be started.
pub(crate) fn cannot_start(program: &str, e: &io::Error) -> Failure {
    let reason = crate::host::errno::describe(e);
    let error =
        Error::new("Error executing command").caused_by(Error::new(format!("{reason}: b'{program}'")));
    Failure::from(error)
        .with("msg", "Error executing command.")
        .with("rc", e.raw_os_error().unwrap_or(257))
        .with("stdout", "")
        .with("stderr", "")
        .with("cmd", program)
}

/// Starts this program again as an independent process, with the given input. Returns its process ID.
pub(crate) fn detach(argument: &str) -> io::Result<(u32, ChildStdin)> {
    // The link works even if the program's file was removed.
    let link = Path::new("/proc/self/exe");
    let program = if link.exists() { link.to_owned() } else { std::env::current_exe()? };
    let mut child = Command::new(program)
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let (process, input) = (child.id(), child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?);
    // A child that has exited must be waited for.
    std::thread::spawn(move || child.wait());
    Ok((process, input))
}

/// Returns the name of a program's file, for messages.
pub(crate) fn base_name(program: &str) -> &str {
    Path::new(program).file_name().and_then(OsStr::to_str).unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(program: Program) -> Output {
        program.execute(&Context::default()).unwrap()
    }

    #[test]
    fn both_pipes_are_read_to_their_end() {
        let script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789; echo abcdefghij >&2; i=$((i+1)); done";
        let output = run(Program::new(["sh", "-c", script]));
        assert_eq!((output.stdout.len(), output.stderr.len(), output.rc), (220_000, 220_000, 0));
    }

    #[test]
    fn input_larger_than_a_pipe_goes_through() {
        let input = vec![b'x'; 300_000];
        let output = run(Program::new(["cat"]).stdin(Some(input.clone())));
        assert_eq!(output.stdout, input);
        assert_eq!(run(Program::new(["true"]).stdin(Some(input))).rc, 0);
    }

    #[test]
    fn signals_are_negative_codes_and_daemons_are_left_behind() {
        assert_eq!(run(Program::new(["sh", "-c", "kill -9 $$"])).rc, -9);
        let start = Instant::now();
        let output = run(Program::new(["sh", "-c", "echo started; sleep 60 &"]));
        assert_eq!(output.out(), "started\n");
        assert!(start.elapsed() < Duration::from_secs(50));
    }

    #[test]
    fn time_runs_out() {
        let program = Program::new(["sleep", "9"]).timeout(Duration::from_millis(300));
        assert_eq!(program.execute(&Context::default()).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn endless_output_ends_in_time_and_is_bounded() {
        let start = Instant::now();
        let program = Program::new(["yes"]).timeout(Duration::from_millis(300));
        assert_eq!(program.execute(&Context::default()).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(60));
        let context = Context::default();
        let cancel = context.cancel.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            cancel.set();
        });
        let endless = Program::new(["sh", "-c", "yes & yes >&2"]);
        assert_eq!(endless.execute(&context).unwrap_err().kind(), io::ErrorKind::Interrupted);
        let output = run(Program::new(["head", "-c", "1000000", "/dev/zero"]).limit(1000));
        assert_eq!((output.dropped, output.rc), (999_000, 0));
        assert!(output.stdout.len() < 1100);
    }
}
