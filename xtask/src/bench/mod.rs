//! Measures ansible-core, Mitogen and `playbook` side by side.

mod local;
mod projects;
mod scale;
mod ssh;

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use xtask::{Doing, Result, build, python};

use crate::preflight;

/// The programs that are measured.
struct Bench {
    playbook: PathBuf,
    /// The directory of ansible-core's commands.
    oracle: PathBuf,
    /// The directory of Mitogen's strategy plugins.
    mitogen: PathBuf,
}

#[derive(Clone, Copy, PartialEq)]
enum Contestant {
    Ansible,
    Mitogen,
    Playbook,
}

/// Runs the benchmark and returns whether every goal was met.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let (mut quick, mut ssh, mut scale, mut binary) = (false, false, false, None);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--ssh" => ssh = true,
            "--scale" => scale = true,
            "--bin" => binary = Some(PathBuf::from(arguments.next().ok_or("--bin requires a file")?)),
            other => {
                return Err(format!(
                    "unknown option '{other}' of `bench`\nRun `cargo xtask help` for the options."
                ));
            }
        }
    }
    match () {
        () if ssh => preflight::fleet(),
        // Only the deployment of the first table starts servers.
        () if scale => Ok(()),
        () => preflight::sandbox(),
    }?;
    let playbook = match binary {
        Some(binary) => binary.canonicalize().doing(format!("looking for {}", binary.display()))?,
        None => {
            println!("Building the release binary");
            build::playbook(true, build::Parts::All)?
        }
    };
    let oracle = python::environment(&python::ORACLE)?;
    let mitogen = python::site_packages(&oracle)?.join("ansible_mitogen/plugins/strategy");
    let bench = Bench { playbook, oracle, mitogen };
    match () {
        () if ssh => ssh::run(&bench, quick),
        () if scale => scale::run(&bench, quick),
        () => local::run(&bench, quick),
    }
}

fn yes(ok: bool) -> &'static str {
    if ok { "yes" } else { "NO" }
}

/// What a program used.
#[derive(Clone, Copy)]
struct Usage {
    time: Duration,
    /// The largest resident set, in megabytes.
    memory: f64,
}

fn time(what: &str, command: &mut Command) -> Result<Duration> {
    measure(what, command).map(|usage| usage.time)
}

/// Runs a program, which has to succeed.
fn measure(what: &str, command: &mut Command) -> Result<Usage> {
    let mut log = tempfile::tempfile().doing("creating a temporary file")?;
    let end = || log.try_clone().doing("creating a temporary file");
    command.stdin(Stdio::null()).stdout(end()?).stderr(end()?);
    let started = Instant::now();
    let child = command.spawn().doing(what)?;
    let mut status = 0;
    // SAFETY: both pointers are to live values, and the child is waited for only here.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage);
        usage
    };
    let time = started.elapsed();
    if status == 0 {
        // Linux counts kilobytes, macOS bytes.
        let unit = if cfg!(target_os = "macos") { 1e6 } else { 1e3 };
        return Ok(Usage { time, memory: usage.ru_maxrss as f64 / unit });
    }
    let mut text = Vec::new();
    log.rewind().and_then(|()| log.read_to_end(&mut text)).doing("reading a temporary file")?;
    let text = String::from_utf8_lossy(&text);
    let program =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    Err(format!("{program} failed for '{what}':\n{}", text.lines().take(20).collect::<Vec<_>>().join("\n")))
}
