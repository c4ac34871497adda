//! Migrations of another tool: looks whether something is pending, and lets the tool do it.

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
use crate::login::Target;
use crate::session::{Session, not_there_yet};

/// What the tool would do, and the command that does it.
struct Pending {
    names: Vec<String>,
    command: Vec<String>,
    /// Whether the project's files told so, so that they can tell afterwards whether it was done.
    by_files: bool,
    warning: Option<String>,
}

/// What is known of what is pending.
enum Found {
    Pending(Pending),
    /// Only a command that check mode does not run could tell: why.
    Hidden(String),
}

struct Work<'a> {
    arguments: &'a DbMigrate,
    context: &'a Context,
    target: &'a Target,
    history: History,
    runner: Runner,
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
                .with_help("`alembic stamp` and `migrate --fake` do the like for their tools"));
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
    let folder = match (&arguments.chdir, &arguments.path) {
        (Some(folder), _) => Some(PathBuf::from(folder)),
        (None, Some(_)) => Some(arguments.folder(context)?),
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
            folder,
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

/// A command as text or as a list.
fn words(command: &Json) -> Result<Vec<String>, Error> {
    let words = match command {
        Json::String(text) => {
            shlex::split(text).ok_or_else(|| Error::new("command has a quote that is never closed"))?
        }
        Json::Array(items) => {
            items.iter().map(|item| Value::from_json(item.clone()).to_text().into_owned()).collect()
        }
        _ => return Err(Error::new("command is neither a text nor a list")),
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
            // The tool cannot be asked about a database that is not there.
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
                "{} is reached through a connection pooler, where no lock of a session's holds: two deployments at a time may both run the command",
                self.target.describe()
            ));
        } else {
            let limit = Duration::from_secs(self.arguments.wait_timeout);
            lock.acquire(&session, limit, self.context).await?;
        }
        // Another deployment may just have finished.
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
                "Check whether the command migrates this database (it is given its URL as {}) and records it in {}: table and schema name another. If the project's files do not show all, set detect: tool.",
                self.arguments.url_variable,
                self.history.name()
            )));
        }
        // Where the session is gone the lock is too.
        let _ = self.release(&lock, &session).await;
        Ok(outcome)
    }

    async fn release(&self, lock: &Lock, session: &Session) -> Result<(), Error> {
        if session.pooled { Ok(()) } else { lock.release(session).await }
    }

    /// A project may have its version table elsewhere.
    fn check_table(&self) -> Result<(), Error> {
        if self.arguments.tool != Tool::Alembic || self.arguments.path.is_none() {
            return Ok(());
        }
        let (table, schema) = alembic::version_table(&self.arguments.folder(self.context)?);
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

    /// What the version table says.
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

    /// Returns the command that migrates: the task's own, or the tool's usual one.
    fn command(&self, usual: &[&str]) -> Vec<String> {
        self.command.clone().unwrap_or_else(|| usual.iter().map(|w| (*w).to_owned()).collect())
    }

    /// The target in Alembic's own words.
    fn target(&self) -> Option<&str> {
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

    /// Whether `auto` asks Django: its command can be made a question, and does not take an ECS task.
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
            return Err(Error::new(format!("the project's files are not enough: {why}")).with_help(
                "Set detect: tool, which asks the tool itself; command has to be the tool's own then.",
            ));
        }
        if self.context.check && self.runner.ecs.is_some() {
            return Ok(Found::Hidden("asking takes an ECS task".into()));
        }
        let asked = match self.arguments.tool {
            Tool::Django => self.ask_django(self.django_command(), pooled).await,
            _ => self.ask_alembic(pooled).await,
        };
        asked.map(Found::Pending).map_err(|error| match why {
            Some(why) => {
                let help = error.help().map(str::to_owned);
                let error = error.context(format!(
                    "the project's files are not enough ({why}), and the tool cannot be asked"
                ));
                match help {
                    Some(help) => error.with_help(help),
                    None => error,
                }
            }
            None => error,
        })
    }

    /// What the project's files tell; none where they are not read.
    fn by_files(&self, applied: &[String]) -> Result<Option<Known<Pending>>, Error> {
        if self.arguments.path.is_none() && self.arguments.detect == Detect::Tool {
            return Ok(None);
        }
        let folder = self.arguments.folder(self.context)?;
        if self.arguments.tool == Tool::Django {
            let project = match django::Project::read(&folder)? {
                Known::Sure(project) => project,
                Known::Unsure(why) => return Ok(Some(Known::Unsure(why))),
            };
            let warning = (self.arguments.detect == Detect::Auto).then(|| {
                "the migrations of installed applications (auth, contenttypes, …) are not among the project's files: set detect: tool to ask Django for them".to_owned()
            });
            let pending = Pending {
                names: project.pending(applied),
                command: self.django_command(),
                by_files: true,
                warning,
            };
            return Ok(Some(Known::Sure(pending)));
        }
        let project = match alembic::Project::read(&folder)? {
            Known::Sure(project) => project,
            Known::Unsure(why) => return Ok(Some(Known::Unsure(why))),
        };
        let goal = self.target().unwrap_or("head");
        let (names, verb) = match project.way(applied, self.target())? {
            Known::Sure(Way::Up(names)) => (names, "upgrade"),
            Known::Sure(Way::Down(names)) => (names, "downgrade"),
            Known::Unsure(why) => return Ok(Some(Known::Unsure(why))),
        };
        // What is counted from where the database is cannot be told again afterwards.
        let by_files = !goal.starts_with(['+', '-']);
        Ok(Some(Known::Sure(Pending {
            names,
            command: self.command(&["alembic", verb, goal]),
            by_files,
            warning: None,
        })))
    }

    /// Asks Alembic where the database is and where the target is.
    async fn ask_alembic(&self, pooled: bool) -> Result<Pending, Error> {
        let goal = self.target().unwrap_or("head");
        let usual = self.command(&["alembic", "upgrade", goal]);
        let base: Vec<String> =
            usual.iter().take_while(|w| !matches!(w.as_str(), "upgrade" | "downgrade")).cloned().collect();
        if base.len() == usual.len() {
            return Err(Error::new(format!(
                "`{}` is not a command of Alembic's that can be made a question",
                usual.join(" ")
            ))
            .with_help("Give the command as `alembic upgrade head`, with what has to stand before it."));
        }
        let ask = async |more: &[&str]| Ok::<_, Error>(revisions(&self.ask(&base, more, pooled).await?));
        let current = ask(&["current"]).await?;
        let (names, verb) = match goal {
            "head" | "heads" => {
                let heads = ask(&["heads"]).await?;
                if heads.is_empty() {
                    return Err(Error::new("Alembic finds no revision in the project")
                        .with_help("Correct path or chdir, or create the first with `alembic revision`."));
                }
                (heads.into_iter().filter(|head| !current.contains(head)).collect(), "upgrade")
            }
            "base" => (current, "downgrade"),
            goal if goal.starts_with('-') => (vec![goal.to_owned()], "downgrade"),
            goal if goal.starts_with('+') => (vec![goal.to_owned()], "upgrade"),
            goal => {
                let before =
                    histories(&self.ask(&base, &["history", "-r", &format!("base:{goal}")], pooled).await?);
                match before.first() {
                    Some(target) if current.contains(target) && current.len() == 1 => (Vec::new(), "upgrade"),
                    Some(_) if current.iter().all(|id| before.contains(id)) => {
                        let at = before.iter().position(|id| current.contains(id)).unwrap_or(before.len());
                        let mut names = before[..at].to_vec();
                        names.reverse();
                        (names, "upgrade")
                    }
                    _ => (current.into_iter().filter(|id| !before.contains(id)).collect(), "downgrade"),
                }
            }
        };
        Ok(Pending { names, command: self.command(&["alembic", verb, goal]), by_files: false, warning: None })
    }

    async fn ask(&self, base: &[String], more: &[&str], pooled: bool) -> Result<String, Error> {
        let command: Vec<String> = base.iter().cloned().chain(more.iter().map(|w| (*w).to_owned())).collect();
        let ended = self.reader(pooled).run(&command, self.context).await?;
        if ended.rc != 0 {
            return Err(refused(&command, &ended));
        }
        Ok(ended.stdout)
    }

    /// `migrate --check` ends with 1 when something is pending, and also when it fails.
    async fn ask_django(&self, command: Vec<String>, pooled: bool) -> Result<Pending, Error> {
        if self.arguments.target.is_some() {
            return Err(Error::new("target is not for tool: django").with_help("Put it into command."));
        }
        let base: Vec<String> = command.iter().take_while(|w| *w != "migrate").cloned().collect();
        if base.len() == command.len() {
            return Err(Error::new(format!(
                "`{}` is not a command of Django's that can be made a question",
                command.join(" ")
            ))
            .with_help(
                "Give the command as `python manage.py migrate --noinput`, with what has to stand before it.",
            ));
        }
        let asked: Vec<String> =
            base.iter().cloned().chain(["migrate", "--check", "--noinput"].map(str::to_owned)).collect();
        let ended = self.reader(pooled).run(&asked, self.context).await?;
        let names = match ended.rc {
            0 => Vec::new(),
            1 if !ended.stderr.contains("Traceback") && !ended.stderr.contains("Error:") => {
                self.planned(&base, pooled).await
            }
            _ => return Err(refused(&asked, &ended)),
        };
        Ok(Pending { names, command, by_files: false, warning: None })
    }

    /// Returns the names of what Django would apply, as far as it tells them.
    async fn planned(&self, base: &[String], pooled: bool) -> Vec<String> {
        let plan = self.ask(base, &["showmigrations", "--plan"], pooled).await.unwrap_or_default();
        let open = |line: &str| {
            let name = line.trim().strip_prefix("[ ]")?.split_whitespace().next()?;
            Some(name.to_owned())
        };
        let names: Vec<String> = plan.lines().filter_map(open).collect();
        if names.is_empty() { vec!["what `migrate --check` found".into()] } else { names }
    }

    /// Returns the runner for commands that only ask. In check mode libpq itself asks for a session that reads, which a
    /// pooler does not pass on.
    fn reader(&self, pooled: bool) -> Runner {
        let mut env = self.runner.env.clone();
        if self.context.check && !pooled {
            env.push(("PGOPTIONS".into(), "-c default_transaction_read_only=on".into()));
        }
        Runner {
            container: self.runner.container.clone(),
            ecs: self.runner.ecs.clone(),
            folder: self.runner.folder.clone(),
            env,
            database: self.runner.database.clone(),
        }
    }

    /// Nothing to do, or nothing to be done in check mode.
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

fn refused(command: &[String], ended: &Ended) -> Error {
    let message = ended.own_message();
    Error::new(format!("`{}` failed with exit status {}: {message}", command.join(" "), ended.rc))
        .with_help("Correct command, chdir or env; detect: files compares the project's files with the version table instead.")
}

/// The ids in what `alembic heads` prints: `1975ea83b712 (head)`, between lines of its log.
fn revisions(output: &str) -> Vec<String> {
    let id = |line: &str| {
        let (id, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let plausible =
            !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        (plausible && (rest.is_empty() || rest.starts_with('('))).then(|| id.to_owned())
    };
    output.lines().filter_map(id).collect()
}

/// The ids in what `alembic history` prints, newest first: `1975ea83b712 -> ae1027a6acf (head), add users`, or
/// `<base> -> 1975ea83b712`.
fn histories(output: &str) -> Vec<String> {
    let id = |line: &str| {
        let after = line.split_once(" -> ")?.1;
        Some(after.split([' ', ',']).next()?.to_owned())
    };
    output.lines().filter_map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_between_the_log() {
        let output = "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.\n1975ea83b712 (head)\n\nae1027a6acf (branch) (effective head)\n001_initial\n";
        assert_eq!(revisions(output), ["1975ea83b712", "ae1027a6acf", "001_initial"]);
        let output = "INFO  [x] y\n1975 -> ae10 (head), add users\n<base> -> 1975, first\n";
        assert_eq!(histories(output), ["ae10", "1975"]);
    }
}
