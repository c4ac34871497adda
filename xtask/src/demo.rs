//! The reference deployment, from nothing to a rolled-out service, against a real PostgreSQL server and an AWS
//! emulator.

use std::io::{BufRead, BufReader, IsTerminal};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use xtask::aws::{self, Aws};
use xtask::children::Folder;
use xtask::moto::Moto;
use xtask::postgres::Postgres;
use xtask::proxy::Proxy;
use xtask::sandbox::{self, Database};
use xtask::{Doing, Result, build, recap};

use crate::preflight;

const APP: &str = "ecs-fargate-webapp";
const DATABASE: &str = "users_db";

pub fn run(arguments: &[String]) -> Result<bool> {
    let keep = match arguments {
        [] => false,
        [keep] if keep == "--keep" => true,
        _ => return Err("demo takes only --keep".into()),
    };
    preflight::sandbox()?;
    heading("Starting PostgreSQL and an AWS emulator on this machine");
    let postgres = Postgres::start()?;
    let moto = Moto::start()?;
    heading("Making what Terraform would have made, and its state");
    let demo = Demo::prepare(&postgres, &moto)?;
    heading("Building playbook (some minutes the first time)");
    let playbook = build::playbook(false)?;
    let done = demo.show(&playbook, &postgres)?;
    if keep && done {
        demo.wait_for_visitor();
    }
    Ok(done)
}

struct Demo {
    proxy: Proxy,
    emulator: Aws,
    _state: Folder,
}

/// How one run of the playbook went.
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
        let folder = Folder::new(build::root().join(".sandbox"));
        sandbox::write_state(&folder.0, &state)?;
        let names: Vec<&str> =
            state["outputs"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        println!("  .sandbox/terraform.tfstate has the outputs {}", names.join(", "));
        Ok(Demo { proxy: Proxy::start(moto.port)?, emulator, _state: folder })
    }

    fn show(&self, playbook: &PathBuf, postgres: &Postgres) -> Result<bool> {
        let before = self.dump(postgres)?;
        let mut untouched = true;
        let mut runs: Vec<Run> = Vec::new();
        for (what, title, tag, options) in [
            (
                "what would change",
                "What would a deployment change? Nothing is touched yet",
                "1.0.0",
                &["--check", "--diff"][..],
            ),
            ("first deployment", "Deploying", "1.0.0", &[]),
            ("the same again", "Deploying the same again: nothing to do", "1.0.0", &[]),
            ("a new image", "A new image", "1.1.0", &[]),
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
                "  {:<18} {verdict:<7} changed={:<3} failed={:<3} {:>5.1}s  {} AWS calls, {} of them writes",
                run.what,
                run.changed,
                run.failed,
                run.time.as_secs_f64(),
                run.calls,
                run.writes.len()
            );
        }
        self.tell_what_runs(postgres)?;
        let mut faults: Vec<String> = Vec::new();
        for run in runs.iter().filter(|run| !run.ok) {
            faults.push(format!("'{}' failed", run.what));
        }
        if !runs[0].writes.is_empty() || !untouched {
            faults.push(format!("the dry run changed something: {}", runs[0].writes.join(", ")));
        }
        for (run, idle) in runs.iter().zip([false, false, true, false]).filter(|(run, _)| run.ok) {
            if (run.changed == 0) != idle {
                faults.push(format!("'{}' says changed={}", run.what, run.changed));
            }
        }
        for fault in &faults {
            println!("  NOT AS IT SHOULD BE: {fault}");
        }
        Ok(faults.is_empty())
    }

    /// Runs the deployment as a user would, and shows its output as it comes.
    fn deploy(&self, playbook: &PathBuf, what: &'static str, tag: &str, options: &[&str]) -> Result<Run> {
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

    fn tell_what_runs(&self, postgres: &Postgres) -> Result<()> {
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

    /// Leaves the servers up for whoever wants to try more.
    fn wait_for_visitor(&self) {
        heading("Still running, until Ctrl-C. In another terminal");
        for (name, value) in aws::environment(&self.proxy.endpoint()) {
            println!("  export {name}={value}");
        }
        loop {
            std::thread::park();
        }
    }
}

fn heading(text: &str) {
    println!("\n== {text}");
}
