//! The playbook that this project began with, word for word (`tests/seed/deploy-app.yml`), runs as its author meant.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Ended, Project, servers};
use serde_json::json;
use xtask::proxy::{Ending, Plan};
use xtask::sandbox::{self, DATABASE_PASSWORD, Database};

/// What its author's image is called.
const APP: &str = "ecs-fargate-webapp";

/// Plays `docker run --rm -e NAME=VALUE IMAGE COMMAND...` with the commands of this machine, and notes the image.
const DOCKER: &str = r#"#!/bin/sh
set -e
[ "$1 $2 $3" = "run --rm -e" ] && export "$4" && shift 4
echo "$1" >> "$HOME/images"
shift
cd "$HOME/app"
exec "$@"
"#;

#[test]
fn the_seed_playbook_runs_word_for_word() {
    let Some(servers) = servers("the seed playbook") else { return };
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Project::new(&[
        ("bin/docker", DOCKER),
        ("inventory/terraform.yml", "plugin: terraform_outputs\npath: ../state/terraform.tfstate\n"),
    ]);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(project.path().join("bin/docker"), executable).expect("an executable");
    project.copy(&root.join("app"), "app");
    project.copy(&root.join("tests/seed/deploy-app.yml"), "deploy-app.yml");

    let database = crate::support::servers::unique("seed");
    let administrator = servers.url("postgres");
    sandbox::create_database_at(&servers.postgres_bin, &administrator, &database).expect("a database");
    let at = Database { host: "127.0.0.1", port: servers.port(), name: &database };
    let mut state = sandbox::provision(servers.emulator, APP, &at).expect("the infrastructure");
    let revision =
        json!({"family": APP, "containerDefinitions": [{"name": APP, "image": "app:latest", "memory": 128}]});
    let revision = servers.emulator.ecs("RegisterTaskDefinition", &revision).expect("a task definition");
    state["outputs"]["task_definition_arn"]["value"] =
        revision["taskDefinition"]["taskDefinitionArn"].clone();
    sandbox::write_state(&project.path().join("state"), &state).expect("the state");

    let proxy = servers.proxy();
    proxy.plan(Plan { looks: 3, ending: Ending::Completed });
    let run = |tag: Option<&str>| {
        let mut command = project.command(&["run", "deploy-app.yml", "-i", "inventory/terraform.yml"]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let directories = [project.path().join("bin"), servers.python_bin.clone()];
        let path = directories.into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(path).expect("a PATH"));
        command.envs(xtask::aws::environment(&proxy.endpoint()));
        if let Some(tag) = tag {
            command.env("IMAGE_TAG", tag);
        }
        Ended::of(&mut command)
    };

    let encoded = xtask::aws::percent_encode(DATABASE_PASSWORD);
    let first = run(None).ok().says(&["FAILED - RETRYING"]).hides(&[DATABASE_PASSWORD, &encoded]);
    assert_eq!((first.sums().ok, first.sums().changed, first.sums().failed), (3, 2, 0), "{}", first.text());
    assert_eq!(servers.sql(&database, "select version_num from alembic_version"), "002_created_at");

    let second = run(Some("2.0.0")).ok();
    assert_eq!((second.sums().ok, second.sums().changed), (3, 1), "only the command: {}", second.text());

    let images = std::fs::read_to_string(project.path().join("images")).expect("the images");
    let repository = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    assert_eq!(images, format!("{repository}/{APP}:latest\n{repository}/{APP}:2.0.0\n"));
}
