//! The SSH key that a user is given.

use std::path::PathBuf;

use playbook_api::{Failure, Outcome};

use super::{User, find};
use crate::host::Host;
use crate::process::Program;

/// Makes a key where none is, and tells the public half.
pub fn generate(user: &User, host: &Host, mut outcome: Outcome) -> Result<Outcome, Failure> {
    let Some(entry) = find(&user.name) else {
        // Check mode has not made the user.
        outcome.changed = true;
        return Ok(outcome);
    };
    let default = PathBuf::from(format!(".ssh/id_{}", user.ssh_key_type));
    let relative = user.ssh_key_file.as_ref().map_or(default, |f| PathBuf::from(&f.0));
    let path = entry.dir.join(relative);
    let public = PathBuf::from(format!("{}.pub", path.display()));
    if !path.exists() {
        outcome.changed = true;
        let owner = (Some(entry.uid.as_raw()), Some(entry.gid.as_raw()));
        if let Some(folder) = path.parent().filter(|f| !f.exists()) {
            crate::edit::make_folders(host, folder)?;
            host.set_mode(folder, 0o700)?;
            host.set_owner(folder, owner.0, owner.1, true)?;
        }
        let node = nix::unistd::gethostname().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let comment = user.ssh_key_comment.clone().unwrap_or_else(|| format!("ansible-generated on {node}"));
        let mut program = Program::new(["ssh-keygen", "-q", "-t", &user.ssh_key_type, "-C", &comment])
            .args(["-f".to_owned(), path.display().to_string()])
            .args(["-N".to_owned(), user.ssh_key_passphrase.clone().unwrap_or_default()]);
        if let Some(bits) = user.ssh_key_bits {
            program = program.args(["-b".to_owned(), bits.to_string()]);
        }
        host.run_ok(&program).map_err(|mut f| {
            f.outcome.values.shift_remove("cmd");
            f
        })?;
        for file in [&path, &public] {
            host.set_owner(file, owner.0, owner.1, true)?;
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
