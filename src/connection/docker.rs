//! A running container, through the docker program.

use std::process::Command;

use playbook_api::{Error, ErrorKind, Failure};

use super::Login;
use super::launch::{self, Launcher, Started};

/// A running container.
pub struct Docker {
    container: String,
    executable: String,
    arguments: Vec<String>,
    user: Option<String>,
}

impl Docker {
    pub fn new(login: &Login) -> Docker {
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

    /// Whether the container runs; why not, otherwise.
    fn check(&self) -> Result<(), Failure> {
        let asked = self
            .docker()
            .args(["inspect", "--type", "container", "--format", "{{.State.Running}}", &self.container])
            .output();
        let asked = asked.map_err(|e| {
            self.lost(format!("docker command not found in PATH: cannot start {}: {e}", self.executable))
        })?;
        let container = &self.container;
        match String::from_utf8_lossy(&asked.stdout).trim() {
            "true" => Ok(()),
            "false" => Err(self.lost(format!("The container \"{container}\" is not running"))),
            _ => {
                let said = String::from_utf8_lossy(&asked.stderr);
                Err(self.lost(format!("Could not find container \"{container}\": {}", said.trim())))
            }
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
