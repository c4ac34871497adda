//! Migrations of another tool: finds out whether any are pending, and runs the tool's command.

use std::path::PathBuf;
use std::time::Duration;

use playbook_api::{Context, Diff, Error, Failure, Map, Outcome, Value, map};
use serde_json::Value as Json;

use super::alembic::{self, Way};
use super::alembic_config::Known;
use super::command::{self, Ended, Runner};
use super::history::History;
use super::lock::Lock;
use super::{DbMigrate, Detect, Tool, django};
use crate::session::{Session, not_there_yet};
use crate::target::Target;

/// The migrations that the tool would run, and its command.
pub(super) struct Pending {
    pub(super) names: Vec<String>,
    pub(super) command: Vec<String>,
    /// Whether they were found in the project's files, which then also show afterwards whether they were run.
    pub(super) by_files: bool,
    pub(super) warning: Option<String>,
}

/// What is known about the pending migrations.
enum Found {
    Pending(Pending),
    /// Only a command that check mode does not run could tell. Holds the reason.
    Hidden(String),
}

/// Migrates one database for one task.
pub(super) struct Work<'a> {
    pub(super) arguments: &'a DbMigrate,
    pub(super) context: &'a Context,
    target: &'a Target,
    history: History,
    pub(super) runner: Runner,
    command: Option<Vec<String>>,
}

pub(crate) async fn run(
    arguments: &DbMigrate,
    target: &Target,
    context: &Context,
) -> Result<Outcome, Failure> {
    for (name, given) in [("baseline", arguments.baseline.is_some()), ("repair", arguments.repair)] {
        if given {
            return Err(Failure::new(format!("{name} is for tool: sql"))
                .with_help("Use `alembic stamp` or `migrate --fake` instead."));
        }
    }
    if arguments.ecs.is_none() && context.host.is_some() {
        check_reach(target)?;
    }
    let env: Vec<(String, String)> = arguments
        .env
        .iter()
        .flatten()
        .map(|(name, value)| (name.clone(), Value::from_json(value.clone()).to_text().into_owned()))
        .collect();
    let ecs = arguments.ecs.as_ref().map(|options| {
        let given: Map = options.iter().map(|(n, v)| (Value::from(n), Value::from_json(v.clone()))).collect();
        command::ecs_options(&given, &env, &arguments.login)
    });
    let directory = match (&arguments.chdir, &arguments.path) {
        (Some(directory), _) => Some(PathBuf::from(directory)),
        (None, Some(_)) => Some(arguments.directory(context)?),
        (None, None) => None,
    };
    let work = Work {
        arguments,
        context,
        target,
        history: arguments.history(),
        runner: Runner {
            container: arguments.container.clone(),
            ecs,
            directory,
            env,
            database: command::variables(target, &arguments.url_variable),
        },
        command: arguments.command.as_ref().map(words).transpose()?,
    };
    work.run().await
}

/// Fails if the command, which runs on the controller, would reach another database than the managed host does.
fn check_reach(target: &Target) -> Result<(), Error> {
    let own = |host: &str| host.starts_with('/') || matches!(host, "localhost" | "127.0.0.1" | "::1");
    let Some((host, _)) = target.url.hosts.iter().find(|(host, _)| own(host)) else { return Ok(()) };
    Err(Error::new(format!(
        "the command of `tool` runs on the controller, where '{host}' is not the managed host's database"
    ))
    .with_help("Give a host name that both reach, or delegate the task to the host that runs the command."))
}

/// Reads a command that is a string or a list.
fn words(command: &Json) -> Result<Vec<String>, Error> {
    let words = match command {
        Json::String(text) => {
            shlex::split(text).ok_or_else(|| Error::new("command has an unclosed quote"))?
        }
        Json::Array(items) => {
            items.iter().map(|item| Value::from_json(item.clone()).to_text().into_owned()).collect()
        }
        _ => return Err(Error::new("command is neither a string nor a list")),
    };
    if words.is_empty() {
        return Err(Error::new("command is empty"));
    }
    Ok(words)
}

impl Work<'_> {
    async fn run(&self) -> Result<Outcome, Failure> {
        self.check_table()?;
        let Some(session) = Session::open_or_foresee(self.target, self.context).await? else {
            let missing = format!("the database '{}' does not exist yet", self.target.dbname());
            // The tool cannot inspect a database that does not exist.
            let asks = self.arguments.detect == Detect::Tool
                || self.arguments.tool == Tool::Django && self.is_asked();
            let by_files = if asks { None } else { self.by_files(&[])? };
            return Ok(match by_files {
                Some(Known::Sure(pending)) => self.foreseen(&pending, &[]).warn(missing),
                _ => not_there_yet(self.target),
            });
        };
        let pooled = session.pooled;
        let before = self.rows(&session).await?;
        let pending = match self.pending(&before, pooled).await? {
            Found::Pending(pending) => pending,
            Found::Hidden(why) => {
                let message = format!("cannot tell what is pending in check mode: {why}");
                return Ok(Outcome::default().msg(message.clone()).warn(message));
            }
        };
        if self.context.check || pending.names.is_empty() {
            return Ok(self.foreseen(&pending, &before));
        }
        if self.context.interrupt.is_set() {
            return Err(Failure::new(format!("interrupted before `{}` was run", pending.command.join(" "))));
        }
        let lock = Lock::of(&self.history.schema, &self.history.table);
        if pooled {
            session.warn(format!(
                "{} is reached through a connection pooler, where session locks have no effect: two \
                simultaneous deployments may both run the command",
                self.target.describe()
            ));
        } else {
            let limit = Duration::from_secs(self.arguments.wait_timeout);
            lock.acquire(&session, limit, self.context).await?;
        }
        // Another deployment may have finished in the meantime.
        let before = self.rows(&session).await?;
        let pending = match self.pending(&before, pooled).await? {
            Found::Pending(pending) => pending,
            Found::Hidden(why) => return Err(Failure::new(why)),
        };
        if pending.names.is_empty() {
            self.release(&lock, &session).await?;
            return Ok(self.foreseen(&pending, &before));
        }
        let ended = self.runner.run(&pending.command, self.context).await?;
        let after = match self.rows(&session).await {
            Ok(rows) => rows,
            // A long command may outlive an idle connection.
            Err(_) => self.rows(&Session::open(self.target, self.context).await?).await?,
        };
        let mut outcome = self.outcome(&pending, &before, &after, &ended);
        outcome.warnings.extend(session.warnings());
        if ended.rc != 0 {
            let message = format!(
                "`{}` failed with exit status {}: {}",
                pending.command.join(" "),
                ended.rc,
                ended.own_message()
            );
            return Err(Failure::new(self.context.redactor.text(&message)).outcome(outcome));
        }
        if pending.by_files
            && let Some(Known::Sure(left)) = self.by_files(&after)?
            && !left.names.is_empty()
        {
            let message = format!(
                "`{}` succeeded, but {} is still pending in {}",
                pending.command.join(" "),
                left.names.join(", "),
                self.target.describe()
            );
            return Err(Failure::new(message).outcome(outcome).with_help(format!(
                "Check that the command migrates this database (its URL is in {}) and records it in {}; \
                table and schema choose another table. If the project's files do not show every \
                migration, set detect: tool.",
                self.arguments.url_variable,
                self.history.name()
            )));
        }
        // If the session has ended, so has the lock.
        let _ = self.release(&lock, &session).await;
        Ok(outcome)
    }

    async fn release(&self, lock: &Lock, session: &Session) -> Result<(), Error> {
        if session.pooled { Ok(()) } else { lock.release(session).await }
    }

    /// Fails if the project's env.py names another version table than the task.
    fn check_table(&self) -> Result<(), Error> {
        if self.arguments.tool != Tool::Alembic || self.arguments.path.is_none() {
            return Ok(());
        }
        let (table, schema) = alembic::version_table(&self.arguments.directory(self.context)?);
        for (option, named, used) in
            [("table", table, &self.history.table), ("schema", schema, &self.history.schema)]
        {
            if let Some(named) = named.filter(|named| named != used) {
                return Err(Error::new(format!(
                    "the project's env.py names the {option} '{named}' for its versions, not '{used}'"
                ))
                .with_help(format!("Set {option}: {named}.")));
            }
        }
        Ok(())
    }

    /// Returns the contents of the version table.
    async fn rows(&self, session: &Session) -> Result<Vec<String>, Error> {
        if !self.history.exists(session).await? {
            session.pause().await;
            return Ok(Vec::new());
        }
        let column = match self.arguments.tool {
            Tool::Django => "app || '.' || name",
            _ => "version_num",
        };
        let rows = session.rows(&format!("SELECT {column} FROM {} ORDER BY 1", self.history.name())).await?;
        // The tool may need the pooler's connection.
        session.pause().await;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    /// Returns the command that migrates: the task's, or the tool's default.
    pub(super) fn command(&self, usual: &[&str]) -> Vec<String> {
        self.command.clone().unwrap_or_else(|| usual.iter().map(|w| (*w).to_owned()).collect())
    }

    /// Returns the target as Alembic spells it.
    pub(super) fn target(&self) -> Option<&str> {
        match self.arguments.target.as_deref().map(str::trim) {
            None | Some("") => None,
            Some("latest") => Some("head"),
            Some("zero" | "0") => Some("base"),
            other => other,
        }
    }

    fn django_command(&self) -> Vec<String> {
        self.command(&["python", "manage.py", "migrate", "--noinput"])
    }

    /// Whether `auto` runs Django to find what is pending: its command contains `migrate` and is not an ECS task.
    fn is_asked(&self) -> bool {
        self.arguments.detect == Detect::Auto
            && self.runner.ecs.is_none()
            && self.django_command().iter().any(|word| word == "migrate")
    }

    async fn pending(&self, applied: &[String], pooled: bool) -> Result<Found, Error> {
        let asks =
            self.arguments.detect == Detect::Tool || self.arguments.tool == Tool::Django && self.is_asked();
        let why = if asks {
            None
        } else {
            match self.by_files(applied)? {
                Some(Known::Sure(pending)) => return Ok(Found::Pending(pending)),
                Some(Known::Unsure(why)) => Some(why),
                None => None,
            }
        };
        let can_ask = self.arguments.detect != Detect::Files
            && (self.arguments.tool != Tool::Django
                || self.django_command().iter().any(|word| word == "migrate"));
        if let Some(why) = why.as_ref().filter(|_| !can_ask) {
            return Err(Error::new(format!("the project's files are not sufficient: {why}")).with_help(
                "Set detect: tool, which runs the tool; command must then call the tool directly.",
            ));
        }
        if self.context.check && self.runner.ecs.is_some() {
            return Ok(Found::Hidden("it would have to run an ECS task".into()));
        }
        let asked = match self.arguments.tool {
            Tool::Django => self.ask_django(self.django_command(), pooled).await,
            _ => self.ask_alembic(pooled).await,
        };
        asked.map(Found::Pending).map_err(|error| match why {
            Some(why) => {
                let help = error.help().map(str::to_owned);
                let error = error.context(format!(
                    "the project's files are not sufficient ({why}), and running the tool failed"
                ));
                match help {
                    Some(help) => error.with_help(help),
                    None => error,
                }
            }
            None => error,
        })
    }

    /// Returns what the project's files show; `None` if they are not read.
    fn by_files(&self, applied: &[String]) -> Result<Option<Known<Pending>>, Error> {
        if self.arguments.path.is_none() && self.arguments.detect == Detect::Tool {
            return Ok(None);
        }
        let directory = self.arguments.directory(self.context)?;
        if self.arguments.tool == Tool::Django {
            let project = match django::Project::read(&directory)? {
                Known::Sure(project) => project,
                Known::Unsure(why) => return Ok(Some(Known::Unsure(why))),
            };
            let warning = (self.arguments.detect == Detect::Auto).then(|| {
                "the project's files do not include the migrations of installed applications (auth, \
                contenttypes, …): set detect: tool to find them with Django"
                    .to_owned()
            });
            let pending = Pending {
                names: project.pending(applied),
                command: self.django_command(),
                by_files: true,
                warning,
            };
            return Ok(Some(Known::Sure(pending)));
        }
        let project = match alembic::Project::read(&directory)? {
            Known::Sure(project) => project,
            Known::Unsure(why) => return Ok(Some(Known::Unsure(why))),
        };
        let goal = self.target().unwrap_or("head");
        let (names, verb) = match project.way(applied, self.target())? {
            Known::Sure(Way::Up(names)) => (names, "upgrade"),
            Known::Sure(Way::Down(names)) => (names, "downgrade"),
            Known::Unsure(why) => return Ok(Some(Known::Unsure(why))),
        };
        // A relative target cannot be checked afterwards, since the database has moved.
        let by_files = !goal.starts_with(['+', '-']);
        Ok(Some(Known::Sure(Pending {
            names,
            command: self.command(&["alembic", verb, goal]),
            by_files,
            warning: None,
        })))
    }

    /// Returns the outcome if nothing is pending, or in check mode.
    fn foreseen(&self, pending: &Pending, before: &[String]) -> Outcome {
        let Pending { names, command, warning, .. } = pending;
        let message = match names.is_empty() {
            true => "nothing to migrate".to_owned(),
            false => format!("would run `{}` for {}", command.join(" "), names.join(", ")),
        };
        let mut outcome = Outcome::changed(!names.is_empty()).msg(self.context.redactor.text(&message));
        outcome.warnings.extend(warning.clone());
        outcome.values.extend(map! {
            "pending" => names.clone(),
            "applied" => Vec::<Value>::new(),
            "version_before" => before.to_vec(),
            "version" => before.to_vec(),
        });
        if self.context.diff && !names.is_empty() {
            let lines = |names: &[String]| names.iter().map(|n| format!("{n}\n")).collect::<String>();
            let name = format!("{} in {}", self.history.table, self.target.dbname());
            let after = [before, names].concat();
            outcome.diff = vec![Diff::text(lines(before), lines(&after)).headers(name.clone(), name)];
        }
        outcome
    }

    fn outcome(&self, pending: &Pending, before: &[String], after: &[String], ended: &Ended) -> Outcome {
        let command: Vec<String> = pending.command.iter().map(|w| self.context.redactor.text(w)).collect();
        let mut outcome = Outcome::changed(before != after);
        outcome.warnings.extend(pending.warning.clone());
        outcome.values = map! {
            "applied" => if before == after { Vec::new() } else { pending.names.clone() },
            "pending" => Vec::<Value>::new(),
            "version_before" => before.to_vec(),
            "version" => after.to_vec(),
            "cmd" => command,
            "rc" => ended.rc,
            "stdout" => ended.stdout.as_str(),
            "stderr" => ended.stderr.as_str(),
            "stdout_lines" => ended.stdout.lines().map(Value::from).collect::<Vec<_>>(),
            "stderr_lines" => ended.stderr.lines().map(Value::from).collect::<Vec<_>>(),
        };
        outcome
    }
}
