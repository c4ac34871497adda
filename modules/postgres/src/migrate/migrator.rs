//! Migrations written in SQL: reads the directory, compares it with the history, and runs what is missing.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use playbook_api::{Context, Error, Failure, Outcome, Value, map};

use super::DbMigrate;
use super::directory::{self, Migration, Reading};
use super::history::History;
use super::lock::Lock;
use super::plan::{self, Applied, Goal, Plan, Wish};
use super::report::{self, Done, describe, describe_repair, pick};
use super::script::Script;
use super::step::{Next, Step};
use super::version::Version;
use crate::fault;
use crate::session::{LOCK_TIMEOUT, Session, ident, literal};
use crate::sql::effect;
use crate::sql::statement::Statement;
use crate::target::Target;

/// Migrates one database for one task.
struct Migrator<'a> {
    context: &'a Context,
    session: Session,
    history: History,
    migrations: Vec<Migration>,
    directory: PathBuf,
    goal: Goal,
    arguments: &'a DbMigrate,
}

/// The default `lock_timeout` of a statement outside of a transaction. It is long because an index that is built
/// concurrently waits for every older transaction.
const LOCK_TIMEOUT_OUTSIDE: &str = "10min";

/// Applies the migrations of a directory.
pub(super) async fn run(
    arguments: &DbMigrate,
    target: &Target,
    context: &Context,
) -> Result<Outcome, Failure> {
    let dir = arguments.directory(context)?;
    let mut reading = Reading { recursive: arguments.recursive, conforming_strings: true };
    let mut found = directory::read(&dir, reading)?;
    let goal = Goal::parse(arguments.target.as_deref())?;
    check_time("lock_timeout", arguments.lock_timeout.as_deref())?;
    check_time("statement_timeout", arguments.statement_timeout.as_deref())?;
    let Some(session) = Session::open_or_foresee(target, context).await? else {
        let wish = Wish { dir: &dir.display().to_string(), goal, ..Wish::default() };
        let plan = plan::plan(&found.migrations, &[], &wish)?;
        let mut outcome = report::preview(&found.migrations, &plan, Value::Null);
        outcome.diff = report::diffs(&found.migrations, &plan, target.dbname());
        outcome.warnings = found.warnings;
        return Ok(outcome.warn(format!("the database '{}' does not exist yet", target.dbname())));
    };
    if !session.conforming_strings {
        reading.conforming_strings = false;
        found = directory::read(&dir, reading)?;
    }
    let history = arguments.history();
    let migrator =
        Migrator { context, session, history, migrations: found.migrations, directory: dir, goal, arguments };
    let with_warnings = |mut outcome: Outcome| {
        outcome.warnings.splice(0..0, found.warnings.clone());
        outcome
    };
    match migrator.run().await {
        Ok(outcome) => Ok(with_warnings(outcome)),
        Err(failure) => Err(Failure { outcome: with_warnings(failure.outcome.clone()), ..failure }),
    }
}

/// Checks a time as PostgreSQL takes it.
fn check_time(name: &str, value: Option<&str>) -> Result<(), Error> {
    let Some(value) = value.map(str::trim) else { return Ok(()) };
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit()).trim();
    match value.starts_with(|c: char| c.is_ascii_digit())
        && matches!(unit, "" | "us" | "ms" | "s" | "min" | "h" | "d")
    {
        true => Ok(()),
        false => Err(Error::new(format!("{name} '{value}' is not a time")).with_help(
            "Write it as PostgreSQL does: 500ms, 5s, 2min; a number without a unit is in milliseconds.",
        )),
    }
}

impl Migrator<'_> {
    /// Returns the statements that reset what a migration set, and set the role and limits for the next one. With a
    /// pooler, parameters are set for the transaction only.
    fn settings(&self, transaction: bool) -> String {
        let local = if self.session.pooled { "LOCAL " } else { "" };
        let mut sql = "SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL".to_owned();
        if let Some(role) = self.arguments.role() {
            sql += &format!("; SET {local}ROLE {}", ident(role));
        }
        let limit = if transaction { LOCK_TIMEOUT } else { LOCK_TIMEOUT_OUTSIDE };
        let limit = self.arguments.lock_timeout.as_deref().or(self.session.waits_unlimited.then_some(limit));
        for (name, value) in
            [("lock_timeout", limit), ("statement_timeout", self.arguments.statement_timeout.as_deref())]
        {
            if let Some(value) = value {
                sql += &format!("; SET {local}{name} = {}", literal(value.trim()));
            }
        }
        sql
    }

    async fn run(&self) -> Result<Outcome, Failure> {
        let lock = Lock::of(&self.history.schema, &self.history.table);
        let timeout = Duration::from_secs(self.arguments.wait_timeout);
        let mut locked = false;
        let (applied, plan) = match self.look().await {
            // Another deployment may be in the middle of a migration outside of a transaction.
            Err(_) if !self.context.check && !self.session.pooled => {
                lock.acquire(&self.session, timeout, self.context).await?;
                locked = true;
                self.look().await?
            }
            looked => looked?,
        };
        let before = current(&applied);
        if self.session.pooled {
            self.check_pooler(&plan)?;
        }
        if self.context.check || plan.is_empty() {
            self.session.pause().await;
            let mut outcome = report::preview(&self.migrations, &plan, before);
            outcome.warnings = self.session.warnings();
            return Ok(self.with_diff(outcome, &plan));
        }
        let mut done = Done::default();
        let result = match self.session.pooled {
            true => self.migrate_through_pooler(&lock, timeout, &mut done).await,
            false => {
                if !locked {
                    lock.acquire(&self.session, timeout, self.context).await?;
                }
                self.migrate(&mut done).await
            }
        };
        let after = current(&self.history.read(&self.session).await.unwrap_or_default());
        let mut outcome = done.outcome(before, after.clone());
        outcome.warnings = self.session.warnings();
        if let Err(mut failure) = result {
            outcome.values.extend(std::mem::take(&mut failure.outcome.values));
            return Err(failure.outcome(outcome));
        }
        if !self.session.pooled {
            lock.release(&self.session).await?;
        }
        Ok(self.with_diff(outcome, &done.plan).msg(done.message(&after)))
    }

    /// Fails if a migration needs a session, since a pooler may run each transaction in another session.
    fn check_pooler(&self, plan: &Plan) -> Result<(), Error> {
        let up = pick(&self.migrations, &plan.up).map(|m| &m.up);
        let down = pick(&self.migrations, &plan.down).filter_map(|m| m.down.as_ref());
        let pooler = format!("{} is reached through a connection pooler", self.session.target.describe());
        if let Some(script) = down.chain(up).find(|script| !script.transaction) {
            return Err(Error::new(format!(
                "{} runs outside of a transaction, but {pooler}",
                script.path.display()
            ))
            .with_help(
                "Connect to the server directly: other clients of the pooler would get its \
                    lock and its parameters.",
            ));
        }
        if !plan.is_empty() {
            self.session.warn(format!(
                "{pooler}: each migration takes its lock in its own transaction. Connect to the server \
                directly for migrations that need a session"
            ));
        }
        Ok(())
    }

    fn with_diff(&self, mut outcome: Outcome, plan: &Plan) -> Outcome {
        if self.context.diff {
            outcome.diff = report::diffs(&self.migrations, plan, self.session.target.dbname());
        }
        outcome
    }

    async fn look(&self) -> Result<(Vec<Applied>, Plan), Error> {
        let applied = self.history.read(&self.session).await?;
        let baseline = match &self.arguments.baseline {
            Some(text) => Some(Version::parse(text.trim_start_matches(['V', 'v'])).ok_or_else(|| {
                Error::new(format!("baseline '{text}' is not a version"))
                    .with_help("Give the number of the last migration that the database already has.")
            })?),
            None => None,
        };
        let adopts =
            baseline.is_some() && applied.is_empty() && self.history.database_in_use(&self.session).await?;
        let wish = Wish {
            dir: &self.directory.display().to_string(),
            goal: self.goal.clone(),
            baseline: baseline.filter(|_| adopts),
            repair: self.arguments.repair,
            out_of_order: self.arguments.out_of_order,
        };
        let plan = plan::plan(&self.migrations, &applied, &wish)?;
        Ok((applied, plan))
    }

    /// Executes the plan under a session lock. The plan is recomputed, since another deployment may have just finished.
    async fn migrate(&self, done: &mut Done) -> Result<(), Failure> {
        self.history.create(&self.session).await?;
        let (applied, plan) = self.look().await?;
        done.plan = plan.clone();
        self.prepare(&applied, &plan, done).await?;
        for (i, next) in self.steps(&applied, &plan).into_iter().enumerate() {
            self.stop_if_interrupted(plan.down.len() + plan.up.len() - i)?;
            let duration = self.apply(next.script, &next.step).await?;
            next.record(done, duration);
        }
        Ok(())
    }

    /// Executes the plan where a session lock has no effect: each transaction takes the lock, recomputes the plan, and
    /// executes its first step.
    async fn migrate_through_pooler(
        &self,
        lock: &Lock,
        timeout: Duration,
        done: &mut Done,
    ) -> Result<(), Failure> {
        loop {
            lock.begin(&self.session, timeout, self.context).await?;
            let result = self.next_through_pooler(done).await;
            match result {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(failure) => {
                    self.session.rollback().await;
                    return Err(failure);
                }
            }
        }
    }

    /// Executes the next step in the open transaction, and ends it. Returns whether more steps may be left.
    async fn next_through_pooler(&self, done: &mut Done) -> Result<bool, Failure> {
        self.history.create(&self.session).await?;
        let (applied, plan) = self.look().await?;
        done.plan.merge(&plan);
        self.prepare(&applied, &plan, done).await?;
        let steps = self.steps(&applied, &plan);
        let count = steps.len();
        let Some(next) = steps.into_iter().next() else {
            self.session.commit(&[]).await.map_err(|e| fault::failure("cannot commit", &e))?;
            return Ok(false);
        };
        self.stop_if_interrupted(count)?;
        self.context.progress(format!("running {}", next.script.file));
        self.session.run(&self.settings(true)).await?;
        let statements = next.script.statements()?;
        for statement in &statements {
            if let Some(what) = effect::leaves_behind(statement.text) {
                self.session.warn(format!(
                    "{}:{}: {what} stays in the server's session, and the pooler's next client gets it",
                    next.script.path.display(),
                    statement.line
                ));
            }
        }
        let duration = self.in_transaction(next.script, &statements, &next.step, Instant::now()).await?;
        next.record(done, duration);
        Ok(count > 1)
    }

    /// Fails if the run was interrupted, so that no further migration begins.
    fn stop_if_interrupted(&self, left: usize) -> Result<(), Failure> {
        if !self.context.interrupt.is_set() && !self.context.cancel.is_set() {
            return Ok(());
        }
        let noun = if left == 1 { "migration is" } else { "migrations are" };
        Err(Failure::new(format!("interrupted: {left} {noun} still to be run"))
            .with_help("Run the playbook again: it continues where it stopped."))
    }

    /// Repairs the history, and records the migrations that a baseline covers.
    async fn prepare(&self, applied: &[Applied], plan: &Plan, done: &mut Done) -> Result<(), Failure> {
        for repair in &plan.repairs {
            let recorded = |version: &Version| recorded(applied, version);
            self.session.run(&self.history.repair(repair, &self.migrations, recorded)).await?;
            done.repaired.push(describe_repair(&self.migrations, repair));
        }
        let mut statements: Vec<String> = pick(&self.migrations, &plan.baseline)
            .map(|m| self.history.insert(m, "baseline", true, 0))
            .collect();
        statements.extend(plan.baseline_without_file.iter().map(|v| self.history.insert_baseline(v)));
        if !statements.is_empty() {
            self.session.run(&statements.join(";\n")).await?;
            done.baselined.extend(pick(&self.migrations, &plan.baseline).map(describe));
            done.baselined.extend(
                plan.baseline_without_file
                    .iter()
                    .map(|v| Value::from(map! { "version" => v.to_string(), "name" => "baseline" })),
            );
        }
        Ok(())
    }

    /// Returns the scripts that a plan runs, in order.
    fn steps(&self, applied: &[Applied], plan: &Plan) -> Vec<Next<'_>> {
        let mut steps = Vec::new();
        for migration in plan.down.iter().filter_map(|i| self.migrations.get(*i)) {
            if let Some(script) = &migration.down {
                steps.push(Next {
                    migration,
                    script,
                    step: Step::Down(recorded(applied, &migration.version)),
                });
            }
        }
        for migration in plan.up.iter().filter_map(|i| self.migrations.get(*i)) {
            steps.push(Next { migration, script: &migration.up, step: Step::Up(migration) });
        }
        steps
    }

    /// Runs one script and records it. Returns how many milliseconds it took.
    async fn apply(&self, script: &Script, step: &Step<'_>) -> Result<u128, Failure> {
        self.context.progress(format!("running {}", script.file));
        self.session.run(&self.settings(script.transaction)).await?;
        let statements = script.statements()?;
        let start = Instant::now();
        if script.transaction {
            self.session.begin().await?;
            let result = self.in_transaction(script, &statements, step, start).await;
            if result.is_err() {
                self.session.rollback().await;
            }
            return result;
        }
        self.session.run(&step.begin(&self.history)).await?;
        for (i, statement) in statements.iter().enumerate() {
            let Err(error) = self.send(statement).await else { continue };
            let failure = self.failed(script, statement, &error);
            // A failed concurrent index leaves an invalid index, even if it was the first statement.
            let nothing_done = i == 0 && !statement.text.to_ascii_uppercase().contains("CONCURRENTLY");
            if nothing_done {
                let _ = self.session.execute("ROLLBACK").await;
                self.session.run(&self.settings(false)).await?;
                self.session.run(&step.never_begun(&self.history)).await?;
                return Err(failure);
            }
            let help = format!(
                "{} of its {} statements were executed and are not rolled back: repair the rest by hand, \
                then run once with repair: true.",
                i,
                statements.len()
            );
            return Err(failure.with_help(help));
        }
        if self.session.value("SELECT now() = statement_timestamp()").await?.as_deref() != Some("t") {
            let _ = self.session.execute("ROLLBACK").await;
            return Err(Failure::new(format!(
                "{} begins a transaction and does not end it",
                script.path.display()
            ))
            .with_help("The transaction was rolled back: add the COMMIT, and run once with repair: true."));
        }
        let duration = start.elapsed().as_millis();
        self.session.run(&self.settings(false)).await?;
        self.session.run(&step.finish(&self.history, duration)).await?;
        Ok(duration)
    }

    /// Runs a script in the open transaction, records it, and commits.
    async fn in_transaction(
        &self,
        script: &Script,
        statements: &[Statement<'_>],
        step: &Step<'_>,
        start: Instant,
    ) -> Result<u128, Failure> {
        for statement in statements {
            if let Err(error) = self.send(statement).await {
                return Err(self.failed(script, statement, &error));
            }
        }
        let duration = start.elapsed().as_millis();
        let what = format!("{} failed when it was committed", script.path.display());
        if self.session.pooled {
            // Deferred triggers must run before the script's parameters are reset.
            let checked = self.session.execute("SET CONSTRAINTS ALL IMMEDIATE").await;
            checked.map_err(|e| fault::failure(&what, &e))?;
        }
        // The script may have switched to another role.
        self.session.run(&self.settings(true)).await?;
        self.session.run(&step.record(&self.history, duration)).await?;
        self.session.commit(&[]).await.map_err(|e| fault::failure(&what, &e))?;
        Ok(duration)
    }

    async fn send(&self, statement: &Statement<'_>) -> Result<(), tokio_postgres::Error> {
        match statement.rows {
            Some(rows) => self.session.copy(statement.text, rows).await.map(drop),
            None => self.session.execute(statement.text).await.map(drop),
        }
    }

    fn failed(&self, script: &Script, statement: &Statement, error: &tokio_postgres::Error) -> Failure {
        let line = statement.line + fault::line_offset(error, statement.text).unwrap_or(0);
        let path: &Path = &script.path;
        let failure = fault::failure(&format!("migration {}:{line} failed", path.display()), error);
        let failure = self.session.explain(failure, error);
        failure.with("file", path.display().to_string()).with("line", line).with("statement", statement.text)
    }
}

/// Returns the version as the history spells it.
fn recorded(applied: &[Applied], version: &Version) -> String {
    let row = applied.iter().find(|row| row.version == *version);
    row.map_or_else(|| version.to_string(), |row| row.version.to_string())
}

/// Returns the newest version that counts as applied.
fn current(applied: &[Applied]) -> Value {
    applied.iter().filter(|row| row.success).map(|row| &row.version).max().map(Version::to_string).into()
}
