//! Runs Alembic or Django to find out which migrations are pending.

use playbook_api::Error;

use super::command::{Ended, Runner};
use super::tool::{Pending, Work};

impl Work<'_> {
    /// Runs Alembic to find the database's revision and the target.
    pub(super) async fn ask_alembic(&self, pooled: bool) -> Result<Pending, Error> {
        let goal = self.target().unwrap_or("head");
        let usual = self.command(&["alembic", "upgrade", goal]);
        let base: Vec<String> =
            usual.iter().take_while(|w| !matches!(w.as_str(), "upgrade" | "downgrade")).cloned().collect();
        if base.len() == usual.len() {
            return Err(Error::new(format!(
                "`{}` is not an Alembic command from which `alembic current` can be derived",
                usual.join(" ")
            ))
            .with_help("Give the command as `alembic upgrade head`, with any prefix that it needs."));
        }
        let ask = async |more: &[&str]| Ok::<_, Error>(revisions(&self.ask(&base, more, pooled).await?));
        let current = ask(&["current"]).await?;
        let (names, verb) = match goal {
            "head" | "heads" => {
                let heads = ask(&["heads"]).await?;
                if heads.is_empty() {
                    return Err(Error::new("Alembic finds no revision in the project").with_help(
                        "Correct path or chdir, or create the first revision with `alembic revision`.",
                    ));
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

    /// Runs `migrate --check`, which exits with 1 if migrations are pending, but also if it fails.
    pub(super) async fn ask_django(&self, command: Vec<String>, pooled: bool) -> Result<Pending, Error> {
        if self.arguments.target.is_some() {
            return Err(Error::new("target is not for tool: django").with_help("Add it to command."));
        }
        let base: Vec<String> = command.iter().take_while(|w| *w != "migrate").cloned().collect();
        if base.len() == command.len() {
            return Err(Error::new(format!(
                "`{}` is not a Django command from which `migrate --check` can be derived",
                command.join(" ")
            ))
            .with_help(
                "Give the command as `python manage.py migrate --noinput`, with any prefix that it needs.",
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

    /// Returns the names of the migrations that Django would apply, if it prints them.
    async fn planned(&self, base: &[String], pooled: bool) -> Vec<String> {
        let plan = self.ask(base, &["showmigrations", "--plan"], pooled).await.unwrap_or_default();
        let open = |line: &str| {
            let name = line.trim().strip_prefix("[ ]")?.split_whitespace().next()?;
            Some(name.to_owned())
        };
        let names: Vec<String> = plan.lines().filter_map(open).collect();
        if names.is_empty() { vec!["what `migrate --check` found".into()] } else { names }
    }

    /// Returns the runner for commands that change nothing. In check mode PGOPTIONS makes their session read-only,
    /// which a pooler would not pass on.
    fn reader(&self, pooled: bool) -> Runner {
        let mut env = self.runner.env.clone();
        if self.context.check && !pooled {
            env.push(("PGOPTIONS".into(), "-c default_transaction_read_only=on".into()));
        }
        Runner { env, ..self.runner.clone() }
    }
}

fn refused(command: &[String], ended: &Ended) -> Error {
    let message = ended.own_message();
    Error::new(format!("`{}` failed with exit status {}: {message}", command.join(" "), ended.rc)).with_help(
        "Correct command, chdir or env, or set detect: files, which compares the project's \
            files with the version table.",
    )
}

/// Returns the ids in the output of `alembic heads`, such as `1975ea83b712 (head)`, which is mixed with log lines.
fn revisions(output: &str) -> Vec<String> {
    let id = |line: &str| {
        let (id, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let plausible =
            !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        (plausible && (rest.is_empty() || rest.starts_with('('))).then(|| id.to_owned())
    };
    output.lines().filter_map(id).collect()
}

/// Returns the ids in the output of `alembic history`, newest first: `1975ea83b712 -> ae1027a6acf (head), add users`,
/// or `<base> -> 1975ea83b712`.
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
        let output = "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.\n\
            1975ea83b712 (head)\n\nae1027a6acf (branch) (effective head)\n001_initial\n";
        assert_eq!(revisions(output), ["1975ea83b712", "ae1027a6acf", "001_initial"]);
        let output = "INFO  [x] y\n1975 -> ae10 (head), add users\n<base> -> 1975, first\n";
        assert_eq!(histories(output), ["ae10", "1975"]);
    }
}
