//! The SSH key that a user is given.

use std::path::PathBuf;

use playbook_api::{Failure, Outcome};

use super::{User, find};
use crate::host::Host;
use crate::host::errno::Doing;
use crate::host::process::Program;
use crate::host::regex;
use crate::host::terminal::ExpectOptions;

/// Makes a key where none is, and tells the public half.
pub(crate) fn generate(user: &User, host: &Host, mut outcome: Outcome) -> Result<Outcome, Failure> {
    let Some(entry) = find(&user.name) else {
        // Check mode has not made the user.
        outcome.changed = true;
        return Ok(outcome);
    };
    let default = PathBuf::from(format!(".ssh/id_{}", user.ssh_key_type));
    let relative = user.ssh_key_file.as_ref().map_or(default, |f| PathBuf::from(&f.0));
    let path = entry.dir.join(relative);
    let public = PathBuf::from(format!("{}.pub", path.display()));
    let mut is_free = true;
    for (file, half) in [(&path, "private"), (&public, "public")] {
        if !file.exists() {
            continue;
        }
        let shown = file.display();
        if user.force {
            outcome = outcome.warn(format!("Overwriting existing ssh key {half} file \"{shown}\""));
            host.remove(file).doing("could not remove the key", file)?;
        } else {
            let why = "no force, so skipping ssh-keygen generation";
            outcome = outcome.warn(format!("Found existing ssh key {half} file \"{shown}\", {why}"));
            is_free = false;
            break;
        }
    }
    if is_free {
        outcome.changed = true;
        let owner = (Some(entry.uid.as_raw()), Some(entry.gid.as_raw()));
        if let Some(directory) = path.parent().filter(|f| !f.exists()) {
            crate::host::edit::make_directories(host, directory)?;
            host.set_mode(directory, 0o700).doing("chmod failed", directory)?;
            host.set_owner(directory, owner.0, owner.1, true).doing("chown failed", directory)?;
        }
        let node = nix::unistd::gethostname().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let comment = user.ssh_key_comment.clone().unwrap_or_else(|| format!("ansible-generated on {node}"));
        let mut program = Program::new(["ssh-keygen", "-q", "-t", &user.ssh_key_type, "-C", &comment])
            .args(["-f".to_owned(), path.display().to_string()]);
        if let Some(bits) = user.ssh_key_bits.filter(|bits| *bits > 0) {
            program = program.args(["-b".to_owned(), bits.to_string()]);
        }
        match &user.ssh_key_passphrase {
            None => drop(host.run_ok(&program.args(["-N", ""]))?),
            Some(passphrase) => ask(host, &program, passphrase)?,
        }
        for file in [&path, &public] {
            host.set_owner(file, owner.0, owner.1, true).doing("chown failed", file)?;
        }
    }
    if let Ok(key) = std::fs::read_to_string(&public) {
        outcome = outcome.with("ssh_public_key", key.trim());
        let fingerprint =
            host.try_query(&Program::new(["ssh-keygen", "-l", "-f"]).arg(path.display().to_string()));
        if let Ok(output) = fingerprint {
            outcome = outcome.with("ssh_fingerprint", output.out().trim());
        }
    }
    Ok(outcome.with("ssh_key_file", path.display().to_string()))
}

/// Lets ssh-keygen ask for the passphrase, which must not be on a command line.
fn ask(host: &Host, program: &Program, passphrase: &str) -> Result<(), Failure> {
    let prompts = [regex::compile("Enter (same )?passphrase[^:]*: ?", "")?];
    let mut options = ExpectOptions {
        prompts: &prompts,
        answer: &mut |_, _| Ok(format!("{passphrase}\n")),
        timeout: Some(std::time::Duration::from_secs(900)),
        echo: false,
    };
    let talk = host.talk(program, &mut options)?;
    match talk.rc {
        Some(0) => Ok(()),
        rc => {
            Err(Failure::new(format!("ssh-keygen failed: {}", talk.output.trim()))
                .with("rc", rc.map(i64::from)))
        }
    }
}
