//! A project in a temporary directory: a few files, or the reference deployment with its own infrastructure.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use xtask::proxy::Proxy;
use xtask::sandbox::{self, Database};

use super::servers::{Servers, unique};
use super::{Ended, playbook};

/// A directory with files, removed at the end of the test.
pub(crate) struct Project {
    directory: TempDir,
}

impl Project {
    /// Creates a project with these files, each a path and its text.
    pub(crate) fn new(files: &[(&str, &str)]) -> Project {
        let project = Project { directory: tempfile::tempdir().expect("a temporary directory") };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Returns the project's directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file, and creates its directory.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, text).expect("a written file");
    }

    /// Copies a file or a directory into the project.
    pub(crate) fn copy(&self, from: &Path, to: &str) {
        copy(from, &self.path().join(to));
    }

    /// Returns a command that runs the binary in the project.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = playbook(self.path());
        command.args(arguments);
        command
    }

    /// Runs the binary in the project.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }
}

/// A copy of the reference deployment, with its own infrastructure and database.
pub(crate) struct Deployment {
    /// The copy.
    pub project: Project,
    /// The application's name.
    pub app: String,
    /// The database's name.
    pub database: String,
    /// The proxy in front of the emulator.
    pub proxy: Proxy,
    /// The Terraform state.
    pub state: Value,
}

impl Deployment {
    /// Creates the infrastructure and the database.
    pub(crate) fn new(servers: &Servers) -> Deployment {
        let (app, database) = (unique("app"), unique("db"));
        let project = Project::new(&[]);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["ansible.cfg", "app", "group_vars", "inventory", "playbooks", "roles"] {
            project.copy(&root.join(part), part);
        }
        let administrator = servers.url("postgres");
        sandbox::create_database_at(&servers.postgres_bin, &administrator, &database).expect("a database");
        let at = Database { host: "127.0.0.1", port: servers.port(), name: &database };
        let state = sandbox::provision(servers.emulator, &app, &at).expect("the infrastructure");
        sandbox::write_state(&project.path().join(".sandbox"), &state).expect("the state");
        Deployment { project, app, database, proxy: servers.proxy(), state }
    }

    /// Returns the command `playbook run deploy-app.yml -i sandbox.yml` with these options and the proxy as its AWS.
    pub(crate) fn command(&self, tag: &str, options: &[&str]) -> Command {
        let mut command = self.project.command(&["run", "deploy-app.yml", "-i", "sandbox.yml"]);
        command.args(options).args(["-e", "app_rollout_interval=1"]);
        command.envs(xtask::aws::environment(&self.proxy.endpoint())).env("IMAGE_TAG", tag);
        command
    }

    /// Deploys an image.
    pub(crate) fn deploy(&self, tag: &str, options: &[&str]) -> Ended {
        Ended::of(&mut self.command(tag, options))
    }

    /// Returns the service as ECS describes it.
    pub(crate) fn service(&self) -> Value {
        let asked = serde_json::json!({"cluster": format!("{}-cluster", self.app), "services": [self.app]});
        let aws = xtask::aws::Aws { port: self.proxy.port };
        aws.ecs("DescribeServices", &asked).expect("the service")["services"][0].clone()
    }

    /// Returns the image of the service's task definition.
    pub(crate) fn image(&self) -> String {
        let asked = serde_json::json!({"taskDefinition": self.service()["taskDefinition"]});
        let aws = xtask::aws::Aws { port: self.proxy.port };
        let definition = aws.ecs("DescribeTaskDefinition", &asked).expect("the task definition");
        let image = &definition["taskDefinition"]["containerDefinitions"][0]["image"];
        image.as_str().expect("an image").to_owned()
    }

    /// Returns a Terraform output.
    pub(crate) fn output(&self, name: &str) -> String {
        self.state["outputs"][name]["value"].as_str().expect("an output").to_owned()
    }
}

fn copy(from: &Path, to: &PathBuf) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a directory");
        for entry in std::fs::read_dir(from).expect("a directory").flatten() {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).expect("a copied file");
    }
}
