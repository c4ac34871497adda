//! A running container, through the docker program.

use std::process::Command;
use std::time::Duration;

use playbook_api::{Error, ErrorKind, Failure};

use super::Login;
use super::launch::{self, Launcher, Started};

/// The time limit for the engine's response about a container.
const ANSWER: Duration = Duration::from_secs(30);

/// A running container.
pub(crate) struct Docker {
    container: String,
    executable: String,
    arguments: Vec<String>,
    user: Option<String>,
}

impl Docker {
    /// Describes the container of a login.
    pub(crate) fn new(login: &Login) -> Docker {
        Docker {
            container: login.address.clone(),
            executable: login.executable.clone(),
            arguments: login.arguments.clone(),
            user: login.user.clone(),
        }
    }

    fn docker(&self) -> Command {
        let mut docker = Command::new(&self.executable);
        docker.args(&self.arguments);
        docker
    }

    fn lost(&self, message: String) -> Failure {
        Error::new(message).with_kind(ErrorKind::Unreachable).into()
    }

    /// Fails with the reason if the container does not run.
    fn check(&self) -> Result<(), Failure> {
        let mut inspect = self.docker();
        inspect.args(["inspect", "--type", "container", "--format", "{{.State.Running}}", &self.container]);
        let asked = launch::output(inspect, ANSWER).map_err(|e| {
            let executable = &self.executable;
            self.lost(match e.kind() {
                std::io::ErrorKind::TimedOut => {
                    format!("cannot read the output of `{executable} inspect`: {e}")
                }
                _ => format!("docker command not found in PATH: cannot start {executable}: {e}"),
            })
        })?;
        let (container, (_, state, errors)) = (&self.container, asked);
        match state.trim() {
            "true" => Ok(()),
            "false" => Err(self.lost(format!("The container \"{container}\" is not running"))),
            _ => Err(self.lost(format!("Could not find container \"{container}\": {}", errors.trim()))),
        }
    }
}

impl Launcher for Docker {
    fn start(&self, command: &str) -> Result<Started, Failure> {
        self.check()?;
        let mut docker = self.docker();
        docker.args(["exec", "-i"]);
        if let Some(user) = &self.user {
            docker.args(["-u", user]);
        }
        docker.args([&self.container, "/bin/sh", "-c", command]);
        launch::start(&mut docker).map_err(|e| self.lost(format!("cannot start {}: {e}", self.executable)))
    }

    fn unreachable(&self) -> Option<Failure> {
        self.check().err()
    }
}
