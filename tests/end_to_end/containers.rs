//! `db_migrate` with the migration tool in a container of a real engine.

use std::path::Path;

use crate::support::{Project, servers};
use xtask::docker::{Docker, PROGRAMS};
use xtask::sandbox::{self, DATABASE_PASSWORD, DATABASE_USER};
use xtask::tested::skip;

#[test]
fn alembic_migrates_in_a_container() {
    let Some(servers) = servers("alembic in a container") else { return };
    if let Some(why) = Docker::impossible() {
        return skip("alembic in a container", why);
    }
    let docker = Docker::start().expect("an engine");
    docker.image("shop:1.0.0").expect("an image");
    let database = crate::support::servers::unique("container");
    let administrator = servers.url("postgres");
    sandbox::create_database_at(&servers.postgres_bin, &administrator, &database).expect("a database");

    let project = Project::new(&[]);
    project.copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("app"), "app");
    let app = project.path().join("app").display().to_string();
    // The image's own Python is the environment with Alembic, and the interpreter that it was made of.
    let mut options: Vec<String> = PROGRAMS[2..].iter().map(|word| (*word).to_owned()).collect();
    let base = std::process::Command::new(servers.python_bin.join("python"))
        .args(["-c", "import sys; print(sys.base_prefix)"])
        .output()
        .expect("Python");
    let environment = servers.python_bin.parent().expect("an environment").display().to_string();
    for directory in [environment, String::from_utf8_lossy(&base.stdout).trim().to_owned()] {
        if !directory.starts_with("/usr") {
            options.extend(["-v".to_owned(), format!("{directory}:{directory}:ro")]);
        }
    }
    options.extend(["-v".to_owned(), format!("{app}:/app"), "-w".to_owned(), "/app".to_owned()]);
    let url = format!(
        "postgresql://{DATABASE_USER}:{}@127.0.0.1:{}/{database}",
        xtask::aws::percent_encode(DATABASE_PASSWORD),
        servers.port()
    );
    let play = serde_json::json!([{
        "hosts": "localhost",
        "gather_facts": false,
        "tasks": [{"db_migrate": {
            "tool": "alembic",
            "url": url,
            "path": app,
            "command": [servers.python_bin.join("alembic"), "upgrade", "head"],
            "env": {"PYTHONDONTWRITEBYTECODE": "1"},
            "container": {"image": "{{ image }}", "network": "host", "options": options},
        }}],
    }]);
    project.write("play.yml", &play.to_string());
    let run = |options: &[&str]| {
        let mut command = project.command(&["run", "play.yml", "-i", "localhost,", "-c", "local"]);
        command.args(options).env("DOCKER_HOST", docker.host());
        crate::support::Ended::of(&mut command).hides(&[DATABASE_PASSWORD])
    };
    let good = ["-e", "image=shop:1.0.0"];

    let dry = run(&[&good[..], &["--check"]].concat()).ok();
    assert_eq!(dry.sums().changed, 1, "{}", dry.text());
    assert_eq!(servers.sql(&database, "select to_regclass('public.users') is null"), "t");
    run(&["-e", "image=shop:0"]).fails(2).says(&["shop:0"]);
    let first = run(&good).ok();
    assert_eq!(first.sums().changed, 1, "{}", first.text());
    assert_eq!(servers.sql(&database, "select version_num from alembic_version"), "002_created_at");
    let second = run(&good).ok();
    assert_eq!(second.sums().changed, 0, "{}", second.text());
    assert_eq!(docker.run(&["ps", "-aq"]).expect("the containers"), "", "no container is left");
}
