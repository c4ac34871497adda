//! The master connection: an ssh process in the background, with all options from the playbook.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Login, askpass, control};

/// The time limit for authentication, in addition to that for the connection.
const AUTHENTICATION: Duration = Duration::from_secs(60);

/// A master in the background. If this process is killed, the master exits after its last session.
pub(crate) struct Master {
    /// Its control socket.
    pub socket: PathBuf,
}

/// The reason why a master could not be started.
pub(crate) struct Refused {
    /// ssh's error message.
    pub message: String,
    /// Whether another attempt may succeed.
    pub may_pass: bool,
}

impl Master {
    /// Starts a master, and waits until it is authenticated.
    pub(crate) fn start(login: &Login, socket: PathBuf) -> Result<Master, Refused> {
        let broken = |what: String| Refused { message: what, may_pass: false };
        let said = socket.with_extension("log");
        let log = File::create(&said).map_err(|e| broken(format!("cannot write {}: {e}", said.display())))?;
        let mut ssh = command(login, &socket);
        ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let _password = match &login.password {
            Some(password) => {
                let file = askpass::prepare(&mut ssh, password);
                Some(file.map_err(|e| broken(format!("cannot hand the password to ssh: {e}")))?)
            }
            None => None,
        };
        let mut ssh = ssh
            .spawn()
            .map_err(|e| broken(format!("Unable to execute ssh command line on a controller: {e}")))?;
        let limit = login.timeout.saturating_add(AUTHENTICATION);
        let deadline = playbook_api::time::deadline(limit);
        let mut pause = Duration::from_millis(1);
        // This process exits as soon as the master runs in the background, or cannot be started.
        let status = loop {
            match ssh.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(pause),
                _ => {
                    let _ = ssh.kill();
                    let _ = ssh.wait();
                    break None;
                }
            }
            pause = (pause * 2).min(Duration::from_millis(8));
        };
        let mut text = String::new();
        if let Ok(mut file) = File::open(&said) {
            let mut bytes = Vec::new();
            let _ = file.read_to_end(&mut bytes);
            text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        }
        let _ = std::fs::remove_file(&said);
        match status {
            Some(status) if status.success() => Ok(Master { socket }),
            // Another attempt with a wrong password would fail too, and may lock the account.
            Some(_) if login.password.is_some() && text.contains("Permission denied") => {
                Err(broken(format!("Failed to connect to the host via ssh: {text}")))
            }
            Some(_) => Err(Refused {
                message: format!("Failed to connect to the host via ssh: {text}"),
                may_pass: true,
            }),
            None => Err(Refused {
                message: format!(
                    "Failed to connect to the host via ssh: no response within {} seconds",
                    limit.as_secs()
                ),
                may_pass: true,
            }),
        }
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        control::exit(&self.socket);
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Returns the command line of the master.
fn command(login: &Login, socket: &Path) -> Command {
    let mut ssh = Command::new(&login.executable);
    ssh.args(["-M", "-f", "-N", "-S"]).arg(socket).args(["-o", "ControlPersist=20"]);
    add_login(&mut ssh, login);
    ssh
}

/// Returns the command line of one session over a separate connection.
pub(crate) fn session(login: &Login, command: &str) -> Command {
    let mut ssh = Command::new(&login.executable);
    ssh.args(["-T", "-S", "none", "-o", "ControlMaster=no"]);
    add_login(&mut ssh, login);
    ssh.arg(command);
    ssh
}

/// Adds the options of a login, and the host. ssh uses the first value of each option: these, then the playbook's
/// arguments, then ~/.ssh/config.
fn add_login(ssh: &mut Command, login: &Login) {
    let mut options: Vec<String> = Vec::new();
    let mut option = |text: String| options.push(text);
    if !login.host_key_checking {
        option("StrictHostKeyChecking=no".into());
    }
    if let Some(port) = login.port {
        option(format!("Port={port}"));
    }
    if let Some(key) = &login.private_key {
        option(format!("IdentityFile=\"{key}\""));
    }
    match login.password {
        Some(_) => option("NumberOfPasswordPrompts=1".into()),
        None => {
            option("KbdInteractiveAuthentication=no".into());
            option("PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey".into());
            option("PasswordAuthentication=no".into());
        }
    }
    if let Some(user) = &login.user {
        option(format!("User=\"{user}\""));
    }
    let seconds = login.timeout.as_secs().max(1);
    option(format!("ConnectTimeout={seconds}"));
    for text in options {
        ssh.args(["-o", &text]);
    }
    ssh.args(&login.arguments);
    // A host that has disappeared is detected even if no TCP data is pending.
    ssh.args(["-o", &format!("ServerAliveInterval={seconds}"), "-o", "ServerAliveCountMax=3"]);
    // A name that begins with a dash must not be read as an option.
    ssh.arg("--").arg(&login.address);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Password;

    #[test]
    fn the_command_line_says_what_the_playbook_says_and_no_password() {
        let login = Login {
            address: "db".into(),
            port: Some(2222),
            user: Some("deploy".into()),
            password: Some(Password("hunter22".into())),
            private_key: Some("/k e y".into()),
            executable: "ssh".into(),
            arguments: vec!["-J".into(), "jump".into()],
            timeout: Duration::from_secs(7),
            ..Login::default()
        };
        let command = command(&login, std::path::Path::new("/tmp/s"));
        let line: Vec<String> = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        let line = line.join(" ");
        for part in [
            "-S /tmp/s",
            "Port=2222",
            "User=\"deploy\"",
            "IdentityFile=\"/k e y\"",
            "-J jump",
            "ConnectTimeout=7",
            "StrictHostKeyChecking=no",
        ] {
            assert!(line.contains(part), "{line}");
        }
        assert!(line.ends_with("-- db") && !line.contains("hunter22"));
    }
}
