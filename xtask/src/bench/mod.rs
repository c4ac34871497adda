//! Measures ansible-core, Mitogen and `playbook` side by side.

mod local;
mod ssh;

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
    let (mut quick, mut ssh, mut binary) = (false, false, None);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--ssh" => ssh = true,
            "--bin" => binary = Some(PathBuf::from(arguments.next().ok_or("--bin requires a file")?)),
            other => {
                return Err(format!(
                    "unknown option '{other}' of `bench`\nRun `cargo xtask help` for the options."
                ));
            }
        }
    }
    if ssh { preflight::fleet() } else { preflight::sandbox() }?;
    let playbook = match binary {
        Some(binary) => binary.canonicalize().doing(format!("looking for {}", binary.display()))?,
        None => {
            println!("Building the release binary");
            build::playbook(true)?
        }
    };
    let oracle = python::environment(&python::ORACLE)?;
    let mitogen = python::site_packages(&oracle)?.join("ansible_mitogen/plugins/strategy");
    let bench = Bench { playbook, oracle, mitogen };
    if ssh { ssh::run(&bench, quick) } else { local::run(&bench, quick) }
}

fn yes(ok: bool) -> &'static str {
    if ok { "yes" } else { "NO" }
}

fn time(what: &str, command: &mut Command) -> Result<Duration> {
    let started = Instant::now();
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::piped()).output().doing(what)?;
    let time = started.elapsed();
    if output.status.success() {
        return Ok(time);
    }
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let program =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    Err(format!("{program} failed for '{what}':\n{}", text.lines().take(20).collect::<Vec<_>>().join("\n")))
}
