//! Runs a migration tool's command: on the controller, in a container, or as a task of Amazon ECS.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use playbook_api::{Context, Deserialize, Error, JsonSchema, Map, Value};

use crate::connect::cancelled;
use crate::login::Login;
use crate::target::Target;

/// A container for the command.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(crate) struct Container {
    /// The image of the container.
    image: String,
    /// The network of the container: `host`, or a name. By default the engine chooses it.
    network: Option<String>,
    /// Further options for `docker run`.
    #[serde(default)]
    options: Vec<String>,
    /// The program that runs containers, `docker` by default.
    #[serde(default = "docker")]
    engine: String,
}

fn docker() -> String {
    "docker".into()
}

/// Where and with which variables commands run.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) container: Option<Container>,
    pub(crate) ecs: Option<Map>,
    pub(crate) directory: Option<PathBuf>,
    /// The task's own variables.
    pub(crate) env: Vec<(String, String)>,
    /// The variables with the database's address and password, for all but an ECS task. They are passed in the
    /// environment, which the process list does not show.
    pub(crate) database: Vec<(String, String)>,
}

/// What a command returned.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) rc: i64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Returns the program's error message: Python's exception without the stack frames, a line that names an error, or
    /// the last lines of its output.
    pub(super) fn own_message(&self) -> String {
        let output = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let lines: Vec<&str> = output.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let traceback = lines.iter().rposition(|line| line.starts_with("Traceback (most recent call last)"));
        let is_frame = |line: &&str| line.starts_with(' ') || line.starts_with("Traceback");
        let from = match traceback {
            Some(at) => lines[at..].iter().position(|line| !is_frame(line)).map(|n| at + n),
            None => lines.iter().position(|line| names_an_error(line)),
        };
        let from = from.unwrap_or_else(|| lines.len().saturating_sub(5));
        let message: Vec<&str> = lines[from..]
            .iter()
            .map(|line| line.trim())
            .filter(|line| !line.starts_with("(Background on this error at"))
            .take(12)
            .collect();
        match message.is_empty() {
            true => "it wrote nothing".into(),
            false => message.join("\n"),
        }
    }
}

/// `FAILED: …`, `CommandError: …`, `ERROR [alembic.util.messaging] …`, `error: …`
fn names_an_error(line: &str) -> bool {
    let line = line.trim_start();
    let first = line.split([' ', ':']).next().unwrap_or_default();
    matches!(first.to_ascii_lowercase().as_str(), "failed" | "error" | "fatal")
        || first.ends_with("Error") && line.contains(": ")
}

impl Runner {
    pub(crate) async fn run(&self, command: &[String], context: &Context) -> Result<Ended, Error> {
        context.progress(format!("running {}", command.join(" ")));
        if let Some(options) = &self.ecs {
            return self.run_task(command, options, context).await;
        }
        let variables: Vec<&(String, String)> = self.database.iter().chain(&self.env).collect();
        let mut words: Vec<String> = Vec::new();
        if let Some(container) = &self.container {
            words.extend([container.engine.clone(), "run".into(), "--rm".into()]);
            words.extend(container.network.iter().flat_map(|n| ["--network".to_owned(), n.clone()]));
            // Only the name: the container engine takes the value from its own environment.
            words.extend(variables.iter().flat_map(|(name, _)| ["-e".to_owned(), name.clone()]));
            words.extend(container.options.iter().cloned());
            words.push(container.image.clone());
        }
        words.extend(command.iter().cloned());
        let Some((program, arguments)) = words.split_first() else {
            return Err(Error::new("command is empty"));
        };
        let mut process = tokio::process::Command::new(program);
        process
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        process.envs(context.environment.iter().map(|(n, v)| (n, v)));
        process.envs(variables.into_iter().map(|(n, v)| (n, v)));
        if let Some(directory) = &self.directory {
            process.current_dir(directory);
        }
        let child = process.spawn().map_err(|e| {
            let help = match e.kind() {
                std::io::ErrorKind::NotFound => format!("Install {program}, or set command."),
                _ => "Make the program executable for this user.".into(),
            };
            Error::io(&e, format!("cannot run {program}")).with_help(help)
        })?;
        let id = child.id();
        let output = child.wait_with_output();
        tokio::pin!(output);
        let output = tokio::select! {
            output = &mut output => {
                output.map_err(|e| Error::io(&e, format!("cannot read the output of {program}")))?
            }
            () = cancelled(context) => {
                // SIGTERM lets the program roll back its transaction, and a container engine stop its container.
                if let Some(id) = id.and_then(|id| i32::try_from(id).ok()) {
                    let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
                }
                let _ = tokio::time::timeout(Duration::from_secs(10), &mut output).await;
                return Err(Error::new(format!("interrupted while {program} ran")));
            }
        };
        let text = |bytes: &[u8]| context.redactor.text(&String::from_utf8_lossy(bytes));
        Ok(Ended {
            rc: output.status.code().map_or(-1, i64::from),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }

    async fn run_task(&self, command: &[String], options: &Map, context: &Context) -> Result<Ended, Error> {
        let runner = context.registry.task_runner("ecs").ok_or_else(|| {
            Error::new("ecs: this build cannot run ECS tasks").with_help("Build with the feature `aws`.")
        })?;
        let (rc, log) = runner.run(command, options, context).await?;
        Ok(Ended { rc, stdout: context.redactor.text(&log), stderr: String::new() })
    }
}

/// Returns the database as environment variables: the URL under its configured name, and libpq's variables.
pub(crate) fn variables(target: &Target, url_variable: &str) -> Vec<(String, String)> {
    let url = &target.url;
    let mut all = vec![(url_variable.to_owned(), url.to_text())];
    let (host, port) = url.hosts.first().map_or((None, None), |(host, port)| (Some(host.clone()), *port));
    for (name, value) in [
        ("PGHOST", host),
        ("PGPORT", port.map(|p| p.to_string())),
        ("PGUSER", url.user.clone()),
        ("PGPASSWORD", url.password.clone()),
        ("PGDATABASE", url.dbname.clone()),
        ("PGSSLMODE", url.param("sslmode").map(str::to_owned)),
    ] {
        all.extend(value.map(|value| (name.to_owned(), value)));
    }
    all
}

/// Returns the options of the ECS runner, with the task's variables and AWS connection unless the options name others.
pub(crate) fn ecs_options(given: &Map, env: &[(String, String)], login: &Login) -> Map {
    let mut options = given.clone();
    if !env.is_empty() {
        let mut environment: Map = env.iter().map(|(n, v)| (Value::from(n), Value::from(v))).collect();
        environment.extend(given.get("environment").and_then(Value::as_map).cloned().unwrap_or_default());
        options.insert("environment".into(), environment.into());
    }
    for (name, value) in login.aws() {
        options.entry(name.into()).or_insert_with(|| value.into());
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(stderr: &str) -> String {
        Ended { rc: 1, stdout: "out".into(), stderr: stderr.into() }.own_message()
    }

    #[test]
    fn the_tool_s_own_message_is_found() {
        let alembic = "INFO  [alembic] Running upgrade a -> b\nTraceback (most recent call last):\n  File \"x.py\", line 1, in f\n    g()\npsycopg2.errors.UndefinedTable: relation \"x\" does not exist\n\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"y.py\", line 2, in h\n    i()\nsqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedTable) relation \"x\" does not exist\n\n[SQL: DROP TABLE x]\n(Background on this error at: https://sqlalche.me/e/21/f405)\n";
        assert_eq!(
            message(alembic),
            "sqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedTable) relation \"x\" does not exist\n[SQL: DROP TABLE x]"
        );
        assert_eq!(message("INFO  [alembic] x\nFAILED: No config file\n"), "FAILED: No config file");
        assert_eq!(
            message("Loading\nCommandError: Conflicting migrations\n  see them\n"),
            "CommandError: Conflicting migrations\nsee them"
        );
        assert_eq!(message("one\ntwo\n"), "one\ntwo");
        assert_eq!(message(""), "out");
        assert_eq!(Ended::default().own_message(), "it wrote nothing");
    }
}
