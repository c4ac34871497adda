//! A project in a temporary folder: a few files, or the reference deployment with an account of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use xtask::proxy::Proxy;
use xtask::sandbox::{self, Database};

use super::servers::{Servers, unique};
use super::{Ended, playbook};

/// A folder with files, removed with the test.
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// `(path, text)` of each file.
    pub fn new(files: &[(&str, &str)]) -> Project {
        let project = Project { folder: tempfile::tempdir().expect("a temporary folder") };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a written file");
    }

    /// A file or a whole folder from elsewhere.
    pub fn copy(&self, from: &Path, to: &str) {
        copy(from, &self.path().join(to));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = playbook(self.path());
        command.args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }
}

/// A copy of the reference deployment, with infrastructure and a database of its own.
pub struct Deployment {
    pub project: Project,
    pub app: String,
    pub database: String,
    pub proxy: Proxy,
    pub state: Value,
}

impl Deployment {
    pub fn new(servers: &Servers) -> Deployment {
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

    /// `playbook run deploy-app.yml -i sandbox.yml` with these options, and the test's own AWS.
    pub fn command(&self, tag: &str, options: &[&str]) -> Command {
        let mut command = self.project.command(&["run", "deploy-app.yml", "-i", "sandbox.yml"]);
        command.args(options).args(["-e", "app_rollout_interval=1"]);
        command.envs(xtask::aws::environment(&self.proxy.endpoint())).env("IMAGE_TAG", tag);
        command
    }

    pub fn deploy(&self, tag: &str, options: &[&str]) -> Ended {
        Ended::of(&mut self.command(tag, options))
    }

    /// The service as ECS describes it.
    pub fn service(&self) -> Value {
        let asked = serde_json::json!({"cluster": format!("{}-cluster", self.app), "services": [self.app]});
        let aws = xtask::aws::Aws { port: self.proxy.port };
        aws.ecs("DescribeServices", &asked).expect("the service")["services"][0].clone()
    }

    /// The image of the task definition that the service runs.
    pub fn image(&self) -> String {
        let asked = serde_json::json!({"taskDefinition": self.service()["taskDefinition"]});
        let aws = xtask::aws::Aws { port: self.proxy.port };
        let definition = aws.ecs("DescribeTaskDefinition", &asked).expect("the task definition");
        let image = &definition["taskDefinition"]["containerDefinitions"][0]["image"];
        image.as_str().expect("an image").to_owned()
    }

    /// A Terraform output.
    pub fn output(&self, name: &str) -> String {
        self.state["outputs"][name]["value"].as_str().expect("an output").to_owned()
    }
}

fn copy(from: &Path, to: &PathBuf) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("a folder").flatten() {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).expect("a copied file");
    }
}
