//! Runs the reference deployment against a real PostgreSQL server and an AWS emulator.

use std::io::{BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use xtask::aws::{self, Aws};
use xtask::children::Directory;
use xtask::moto::Moto;
use xtask::postgres::Postgres;
use xtask::proxy::Proxy;
use xtask::sandbox::{self, Database};
use xtask::{Doing, Result, build, recap};

use crate::preflight;

const APP: &str = "ecs-fargate-webapp";
const DATABASE: &str = "users_db";

/// Runs the demo and returns whether every step succeeded.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let keep = match arguments {
        [] => false,
        [keep] if keep == "--keep" => true,
        _ => return Err("unknown option of `demo`: the only option is --keep".into()),
    };
    preflight::sandbox()?;
    heading("Building playbook (takes some minutes the first time)");
    let playbook = build::playbook(false, build::Parts::Sample)?;
    heading("Starting PostgreSQL and an AWS emulator on this machine");
    let postgres = Postgres::start()?;
    let moto = Moto::start()?;
    heading("Creating the infrastructure that Terraform would create, and its state");
    let demo = Demo::prepare(&postgres, &moto)?;
    let done = demo.show(&playbook, &postgres)?;
    if keep && done {
        demo.keep_running(&playbook);
    }
    show_next_step(done);
    Ok(done)
}

struct Demo {
    proxy: Proxy,
    emulator: Aws,
    _state: Directory,
}

/// The result of one run of the playbook.
struct Run {
    what: &'static str,
    ok: bool,
    changed: u32,
    failed: u32,
    time: Duration,
    calls: usize,
    writes: Vec<String>,
}

impl Demo {
    fn prepare(postgres: &Postgres, moto: &Moto) -> Result<Demo> {
        let emulator = Aws { port: moto.port };
        sandbox::create_database(postgres, DATABASE)?;
        let database = Database { host: "127.0.0.1", port: postgres.port, name: DATABASE };
        let state = sandbox::provision(emulator, APP, &database)?;
        let directory = Directory::new(build::root().join(".sandbox"));
        sandbox::write_state(&directory.0, &state)?;
        let names: Vec<&str> =
            state["outputs"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        println!("  .sandbox/terraform.tfstate has the outputs {}", names.join(", "));
        Ok(Demo { proxy: Proxy::start(moto.port)?, emulator, _state: directory })
    }

    fn show(&self, playbook: &Path, postgres: &Postgres) -> Result<bool> {
        let before = self.dump(postgres)?;
        let mut untouched = true;
        let mut runs: Vec<Run> = Vec::new();
        for (what, title, tag, options) in [
            ("dry run", "Dry run: what would the deployment change?", "1.0.0", &["--check", "--diff"][..]),
            ("first deployment", "Deploying", "1.0.0", &[]),
            ("second deployment", "Deploying the same version again, which changes nothing", "1.0.0", &[]),
            ("new image", "Deploying a new image", "1.1.0", &[]),
        ] {
            heading(title);
            runs.push(self.deploy(playbook, what, tag, options)?);
            if runs.len() == 1 {
                untouched = before == self.dump(postgres)?;
            }
            if runs.last().is_some_and(|run| !run.ok) {
                break;
            }
        }

        heading("Summary");
        for run in &runs {
            let verdict = if run.ok { "ok" } else { "FAILED" };
            println!(
                "  {:<18} {verdict:<7} changed={:<3} failed={:<3} {:>5.1}s  {} AWS calls, of which {} write",
                run.what,
                run.changed,
                run.failed,
                run.time.as_secs_f64(),
                run.calls,
                run.writes.len()
            );
        }
        self.show_state(postgres)?;
        let mut faults: Vec<String> = Vec::new();
        for run in runs.iter().filter(|run| !run.ok) {
            faults.push(format!("'{}' failed", run.what));
        }
        if !runs[0].writes.is_empty() || !untouched {
            faults.push(format!("the dry run changed something: {}", runs[0].writes.join(", ")));
        }
        for (run, idle) in runs.iter().zip([false, false, true, false]).filter(|(run, _)| run.ok) {
            if (run.changed == 0) != idle {
                faults.push(format!("'{}' reports changed={}", run.what, run.changed));
            }
        }
        for fault in &faults {
            println!("  UNEXPECTED: {fault}");
        }
        Ok(faults.is_empty())
    }

    /// Runs the deployment as a user would, and shows its output.
    fn deploy(&self, playbook: &Path, what: &'static str, tag: &str, options: &[&str]) -> Result<Run> {
        let line = ["run", "deploy-app.yml", "-i", "sandbox.yml"].iter().chain(options);
        println!("  $ IMAGE_TAG={tag} playbook {}\n", line.clone().copied().collect::<Vec<_>>().join(" "));
        let mut command = Command::new(playbook);
        command.args(line).current_dir(build::root()).env("IMAGE_TAG", tag);
        command.env("ANSIBLE_FORCE_COLOR", if std::io::stdout().is_terminal() { "true" } else { "false" });
        command.envs(aws::environment(&self.proxy.endpoint()));
        self.proxy.take_calls();
        let started = Instant::now();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().doing("running playbook")?;
        let mut text = String::new();
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).lines() {
                let line = line.doing("reading playbook's output")?;
                println!("  {line}");
                text.push_str(&line);
                text.push('\n');
            }
        }
        let status = child.wait().doing("waiting for playbook")?;
        let time = started.elapsed();
        let calls = self.proxy.take_calls();
        let writes = calls.iter().filter(|call| !call.is_read_only()).map(|call| call.name()).collect();
        let sums = recap::sums(&text);
        let ok = status.success() && sums.hosts > 0 && sums.failed == 0;
        Ok(Run { what, ok, changed: sums.changed, failed: sums.failed, time, calls: calls.len(), writes })
    }

    fn show_state(&self, postgres: &Postgres) -> Result<()> {
        let asked = json!({"cluster": format!("{APP}-cluster"), "services": [APP]});
        let services = Aws { port: self.proxy.port }.ecs("DescribeServices", &asked)?;
        let service = &services["services"][0];
        let asked = json!({"taskDefinition": service["taskDefinition"]});
        let definition = self.emulator.ecs("DescribeTaskDefinition", &asked)?;
        let image = &definition["taskDefinition"]["containerDefinitions"][0]["image"];
        println!(
            "  the service runs    {}/{} tasks of {}",
            service["runningCount"],
            service["desiredCount"],
            image.as_str().unwrap_or("?")
        );
        let tables = "select string_agg(tablename, ', ' order by tablename) from pg_tables where schemaname = 'public'";
        println!("  the database has    {}", postgres.sql(DATABASE, tables)?);
        Ok(())
    }

    fn dump(&self, postgres: &Postgres) -> Result<String> {
        xtask::postgres::dump(&postgres.bin, &postgres.url(DATABASE))
    }

    /// Keeps the servers running until Ctrl-C.
    fn keep_running(&self, playbook: &Path) -> ! {
        heading("The servers keep running until Ctrl-C. To deploy again, run in another terminal");
        for (name, value) in aws::environment(&self.proxy.endpoint()) {
            println!("  export {name}={value}");
        }
        println!("  export IMAGE_TAG=1.1.0");
        println!("  cd {}", build::root().display());
        println!("  {} run deploy-app.yml -i sandbox.yml", playbook.display());
        println!("\n  docs/deploying.md explains how to deploy your own application.");
        loop {
            std::thread::park();
        }
    }
}

/// Prints what a user can do after the demo.
fn show_next_step(done: bool) {
    heading("Next");
    if done {
        println!(
            "  cargo xtask demo --keep    runs the demo and keeps its servers running for your own changes"
        );
        println!("  docs/deploying.md          explains how to deploy your own application to AWS");
    } else {
        println!("  Correct the failure above and run `cargo xtask demo` again.");
    }
}

fn heading(text: &str) {
    println!("\n== {text}");
}
