//! Migrations of another tool: looks whether something is pending, and lets the tool do it.

use std::path::PathBuf;
use std::time::Duration;

use playbook_api::{Context, Diff, Error, Failure, Map, Outcome, Value, map};
use serde_json::Value as Json;

use super::alembic::{self, Way};
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
}

struct Work<'a> {
    arguments: &'a DbMigrate,
    context: &'a Context,
    target: &'a Target,
    history: History,
    runner: Runner,
    command: Option<Vec<String>>,
}

pub async fn run(arguments: &DbMigrate, target: &Target, context: &Context) -> Result<Outcome, Failure> {
    for (name, given) in [("baseline", arguments.baseline.is_some()), ("repair", arguments.repair)] {
        if given {
            return Err(Failure::new(format!("{name} is for tool: sql"))
                .with_help("`alembic stamp` and `migrate --fake` do the like for their tools"));
        }
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
        let asks = self.arguments.detect == Detect::Tool;
        if self.context.check && asks && self.runner.ecs.is_some() {
            let message = "cannot tell what is pending in check mode: asking takes an ECS task";
            return Ok(Outcome::default().msg(message).warn(message));
        }
        let Some(session) = Session::open_or_foresee(self.target, self.context).await? else {
            if asks {
                return Ok(not_there_yet(self.target));
            }
            let outcome = self.foreseen(&self.pending(&[]).await?, &[]);
            return Ok(outcome.warn(format!("the database '{}' does not exist yet", self.target.dbname())));
        };
        let before = self.rows(&session).await?;
        let pending = self.pending(&before).await?;
        if self.context.check || pending.names.is_empty() {
            return Ok(self.foreseen(&pending, &before));
        }
        let lock = Lock::of(&self.history.schema, &self.history.table);
        lock.acquire(&session, Duration::from_secs(self.arguments.wait_timeout), self.context).await?;
        // Another deployment may just have finished.
        let before = self.rows(&session).await?;
        let pending = self.pending(&before).await?;
        if pending.names.is_empty() {
            lock.release(&session).await?;
            return Ok(self.foreseen(&pending, &before));
        }
        let ended = self.runner.run(&pending.command, self.context).await?;
        let after = match self.rows(&session).await {
            Ok(rows) => rows,
            // A long command may outlive an idle connection.
            Err(_) => self.rows(&Session::open(self.target, self.context).await?).await?,
        };
        let outcome = self.outcome(&pending, &before, &after, &ended);
        if ended.rc != 0 {
            let output = if ended.stderr.trim().is_empty() { &ended.stdout } else { &ended.stderr };
            let last = output.trim_end().lines().last().unwrap_or("it wrote nothing");
            let message = format!("`{}` failed with code {}: {last}", pending.command.join(" "), ended.rc);
            return Err(Failure::new(self.context.redactor.text(&message)).outcome(outcome));
        }
        if !asks {
            let left = self.pending(&after).await?.names;
            if !left.is_empty() {
                let message = format!(
                    "`{}` ended well, but {} is still pending in {}",
                    pending.command.join(" "),
                    left.join(", "),
                    self.target.describe()
                );
                return Err(Failure::new(message).outcome(outcome).with_help(format!(
                    "does the command migrate another database? It is given this one's URL as {}",
                    self.arguments.url_variable
                )));
            }
        }
        // Where the session is gone the lock is too.
        let _ = lock.release(&session).await;
        Ok(outcome)
    }

    /// What the version table says.
    async fn rows(&self, session: &Session) -> Result<Vec<String>, Error> {
        if !self.history.exists(session).await? {
            return Ok(Vec::new());
        }
        let column = match self.arguments.tool {
            Tool::Django => "app || '.' || name",
            _ => "version_num",
        };
        let rows = session.rows(&format!("SELECT {column} FROM {} ORDER BY 1", self.history.name())).await?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    async fn pending(&self, applied: &[String]) -> Result<Pending, Error> {
        let target = self.arguments.target.as_deref();
        let given = |default: &[&str]| {
            self.command.clone().unwrap_or_else(|| default.iter().map(|w| (*w).to_owned()).collect())
        };
        match (self.arguments.tool, self.arguments.detect) {
            (Tool::Django, detect) => {
                if target.is_some() {
                    return Err(Error::new("target is not for tool: django").with_help("put it in command"));
                }
                let command = given(&["python", "manage.py", "migrate", "--noinput"]);
                let names = match detect {
                    Detect::Files => {
                        django::Project::read(&self.arguments.folder(self.context)?)?.pending(applied)
                    }
                    Detect::Tool => self.ask_django(&command).await?,
                };
                Ok(Pending { names, command })
            }
            (_, Detect::Files) => {
                let project = alembic::Project::read(&self.arguments.folder(self.context)?)?;
                let goal = target.unwrap_or("head");
                Ok(match project.way(applied, target)? {
                    Way::Up(names) => Pending { names, command: given(&["alembic", "upgrade", goal]) },
                    Way::Down(names) => Pending { names, command: given(&["alembic", "downgrade", goal]) },
                })
            }
            (_, Detect::Tool) => {
                let command = given(&["alembic", "upgrade", target.unwrap_or("head")]);
                let names = self.ask_alembic(&command).await?;
                Ok(Pending { names, command })
            }
        }
    }

    /// The heads that `alembic current` does not name.
    async fn ask_alembic(&self, command: &[String]) -> Result<Vec<String>, Error> {
        let base: Vec<String> = command.iter().take_while(|w| *w != "upgrade").cloned().collect();
        let current = revisions(&self.ask(&base, &["current"]).await?);
        let heads = revisions(&self.ask(&base, &["heads"]).await?);
        Ok(heads.into_iter().filter(|head| !current.contains(head)).collect())
    }

    async fn ask(&self, base: &[String], more: &[&str]) -> Result<String, Error> {
        let command: Vec<String> = base.iter().cloned().chain(more.iter().map(|w| (*w).to_owned())).collect();
        let ended = self.reader().run(&command, self.context).await?;
        if ended.rc != 0 {
            return Err(refused(&command, &ended));
        }
        Ok(ended.stdout)
    }

    /// `migrate --check` ends with 1 when something is pending, and also when it falls over.
    async fn ask_django(&self, command: &[String]) -> Result<Vec<String>, Error> {
        let mut asked: Vec<String> = command.iter().take_while(|w| *w != "migrate").cloned().collect();
        asked.extend(["migrate", "--check", "--noinput"].map(str::to_owned));
        let ended = self.reader().run(&asked, self.context).await?;
        match ended.rc {
            0 => Ok(Vec::new()),
            1 if !ended.stderr.contains("Traceback") && !ended.stderr.contains("Error:") => {
                Ok(vec!["what `migrate --check` found".into()])
            }
            _ => Err(refused(&asked, &ended)),
        }
    }

    /// The runner for commands that only ask; in check mode libpq itself asks for a read-only session.
    fn reader(&self) -> Runner {
        let mut env = self.runner.env.clone();
        if self.context.check {
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
        let Pending { names, command } = pending;
        let message = match names.is_empty() {
            true => "nothing to migrate".to_owned(),
            false => format!("would run `{}` for {}", command.join(" "), names.join(", ")),
        };
        let mut outcome = Outcome::changed(!names.is_empty()).msg(self.context.redactor.text(&message));
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
    let output = if ended.stderr.trim().is_empty() { &ended.stdout } else { &ended.stderr };
    let last = output.trim_end().lines().last().unwrap_or("it wrote nothing");
    Error::new(format!("`{}` failed with code {}: {last}", command.join(" "), ended.rc))
        .with_help("detect: files compares the project's files with the version table instead")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_between_the_log() {
        let output = "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.\n1975ea83b712 (head)\n\nae1027a6acf (branch) (effective head)\n001_initial\n";
        assert_eq!(revisions(output), ["1975ea83b712", "ae1027a6acf", "001_initial"]);
    }
}
