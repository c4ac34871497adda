//! Migrations written in SQL: reads the folder, compares it with the history, and runs what is missing.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use playbook_api::{Context, Error, Failure, Outcome, Value, map};

use super::DbMigrate;
use super::folder::{self, Migration, Script};
use super::history::History;
use super::lock::Lock;
use super::plan::{self, Applied, Goal, Plan, Wish};
use super::report::{self, Done, describe, describe_repair, pick, with_duration};
use super::version::Version;
use crate::fault;
use crate::login::Target;
use crate::session::{Session, ident, literal};
use crate::statement::Statement;

/// One task's work on one database.
struct Migrator<'a> {
    context: &'a Context,
    session: Session,
    history: History,
    migrations: Vec<Migration>,
    folder: PathBuf,
    goal: Goal,
    /// What every migration finds set, whatever the one before it set.
    settings: String,
    arguments: &'a DbMigrate,
}

pub async fn run(arguments: &DbMigrate, target: &Target, context: &Context) -> Result<Outcome, Failure> {
    let folder = arguments.folder(context)?;
    let migrations = folder::read(&folder)?;
    let goal = Goal::parse(arguments.target.as_deref())?;
    let settings = settings(arguments)?;
    let Some(session) = Session::open_or_foresee(target, context).await? else {
        let wish = Wish { folder: &folder.display().to_string(), goal, ..Wish::default() };
        let plan = plan::plan(&migrations, &[], &wish)?;
        let mut outcome = report::preview(&migrations, &plan, Value::Null);
        outcome.diff = report::diffs(&migrations, &plan, target.dbname());
        return Ok(outcome.warn(format!("the database '{}' does not exist yet", target.dbname())));
    };
    let history = arguments.history();
    Migrator { context, session, history, migrations, folder, goal, settings, arguments }.run().await
}

fn settings(arguments: &DbMigrate) -> Result<String, Error> {
    let mut sql = "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; RESET ROLE".to_owned();
    if let Some(role) = arguments.role() {
        sql += &format!("; SET ROLE {}", ident(role));
    }
    for (name, value) in
        [("lock_timeout", &arguments.lock_timeout), ("statement_timeout", &arguments.statement_timeout)]
    {
        let Some(value) = value else { continue };
        let unit = value.trim().trim_start_matches(|c: char| c.is_ascii_digit()).trim();
        if !value.trim().starts_with(|c: char| c.is_ascii_digit())
            || !matches!(unit, "" | "us" | "ms" | "s" | "min" | "h" | "d")
        {
            return Err(Error::new(format!("{name} '{value}' is not a time"))
                .with_help("write it as PostgreSQL does: 500ms, 5s, 2min; a bare number is milliseconds"));
        }
        sql += &format!("; SET {name} = {}", literal(value.trim()));
    }
    Ok(sql)
}

impl Migrator<'_> {
    async fn run(&self) -> Result<Outcome, Failure> {
        let (applied, plan) = self.look().await?;
        let before = current(&applied);
        if self.context.check || plan.is_empty() {
            let outcome = report::preview(&self.migrations, &plan, before);
            return Ok(self.with_diff(outcome, &plan));
        }
        let lock = Lock::of(&self.history.schema, &self.history.table);
        lock.acquire(&self.session, Duration::from_secs(self.arguments.wait_timeout), self.context).await?;
        let mut done = Done::default();
        let result = self.migrate(&mut done).await;
        let after = current(&self.history.read(&self.session).await.unwrap_or_default());
        let mut outcome = done.outcome(before, after.clone());
        outcome.warnings = self.session.warnings();
        if let Err(mut failure) = result {
            outcome.values.extend(std::mem::take(&mut failure.outcome.values));
            return Err(failure.outcome(outcome));
        }
        lock.release(&self.session).await?;
        Ok(self.with_diff(outcome, &done.plan).msg(done.message(&after)))
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
                    .with_help("give the number of the last migration that the database already has")
            })?),
            None => None,
        };
        let adopts =
            baseline.is_some() && applied.is_empty() && self.history.database_in_use(&self.session).await?;
        let wish = Wish {
            folder: &self.folder.display().to_string(),
            goal: self.goal.clone(),
            baseline: baseline.filter(|_| adopts),
            repair: self.arguments.repair,
            out_of_order: self.arguments.out_of_order,
        };
        let plan = plan::plan(&self.migrations, &applied, &wish)?;
        Ok((applied, plan))
    }

    /// Everything under the lock: looks again, since another deployment may just have finished.
    async fn migrate(&self, done: &mut Done) -> Result<(), Failure> {
        self.history.create(&self.session).await?;
        let (applied, plan) = self.look().await?;
        done.plan = plan.clone();
        let recorded = |version: &Version| {
            let row = applied.iter().find(|row| row.version == *version);
            row.map_or_else(|| version.to_string(), |row| row.version.to_string())
        };
        for repair in &plan.repairs {
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
        for migration in pick(&self.migrations, &plan.down) {
            if let Some(script) = &migration.down {
                let version = recorded(&migration.version);
                let duration = self.apply(script, Step::Down(&version)).await?;
                done.reverted.push(with_duration(describe(migration), duration));
            }
        }
        for migration in pick(&self.migrations, &plan.up) {
            let duration = self.apply(&migration.up, Step::Up(migration)).await?;
            done.applied.push(with_duration(describe(migration), duration));
        }
        Ok(())
    }

    /// Runs one script and records it; answers how many milliseconds it took.
    async fn apply(&self, script: &Script, step: Step<'_>) -> Result<u128, Failure> {
        self.context.progress(format!("running {}", script.file));
        self.session.run(&self.settings).await?;
        let statements = script.statements()?;
        let start = Instant::now();
        if script.transaction {
            self.session.run("BEGIN").await?;
            let result = self.in_transaction(script, &statements, &step, start).await;
            if result.is_err() {
                // Without a connection there is nothing left to roll back.
                let _ = self.session.execute("ROLLBACK").await;
            }
            return result;
        }
        self.session.run(&step.begin(&self.history)).await?;
        for (i, statement) in statements.iter().enumerate() {
            let Err(error) = self.session.execute(statement.text).await else { continue };
            let failure = failed(script, statement, &error);
            // A concurrent index leaves something behind even when it is the first to fail.
            let nothing_done = i == 0 && !statement.text.to_ascii_uppercase().contains("CONCURRENTLY");
            if nothing_done {
                let _ = self.session.execute("ROLLBACK").await;
                self.session.run(&self.settings).await?;
                self.session.run(&step.never_begun(&self.history)).await?;
                return Err(failure);
            }
            let help = format!(
                "{} of its {} statements are done and stay done: put right what is half done by hand, then run once with repair: true",
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
            .with_help("its work is rolled back: add the COMMIT, and run once with repair: true"));
        }
        let duration = start.elapsed().as_millis();
        self.session.run(&self.settings).await?;
        self.session.run(&step.finish(&self.history, duration)).await?;
        Ok(duration)
    }

    async fn in_transaction(
        &self,
        script: &Script,
        statements: &[Statement<'_>],
        step: &Step<'_>,
        start: Instant,
    ) -> Result<u128, Failure> {
        for statement in statements {
            if let Err(error) = self.session.execute(statement.text).await {
                return Err(failed(script, statement, &error));
            }
        }
        let duration = start.elapsed().as_millis();
        // The script may have taken on another role.
        self.session.run(&self.settings).await?;
        self.session.run(&step.record(&self.history, duration)).await?;
        let what = format!("{} failed when it was committed", script.path.display());
        self.session.execute("COMMIT").await.map_err(|e| fault::failure(&what, &e))?;
        Ok(duration)
    }
}

/// Which way a script leads, and what the history says of it meanwhile.
enum Step<'a> {
    Up(&'a Migration),
    Down(&'a str),
}

impl Step<'_> {
    /// In the script's own transaction.
    fn record(&self, history: &History, duration: u128) -> String {
        match self {
            Step::Up(migration) => history.insert(migration, "migration", true, duration),
            Step::Down(version) => history.delete(version),
        }
    }

    /// Before a script without a transaction.
    fn begin(&self, history: &History) -> String {
        match self {
            Step::Up(migration) => history.insert(migration, "migration", false, 0),
            Step::Down(version) => history.begin_undo(version),
        }
    }

    /// After it.
    fn finish(&self, history: &History, duration: u128) -> String {
        match self {
            Step::Up(migration) => history.finish(&migration.version, duration),
            Step::Down(version) => history.delete(version),
        }
    }

    /// After it failed without having done anything.
    fn never_begun(&self, history: &History) -> String {
        match self {
            Step::Up(migration) => history.delete(&migration.version.to_string()),
            Step::Down(version) => {
                format!("UPDATE {} SET success = true WHERE version = {}", history.name(), literal(version))
            }
        }
    }
}

/// The newest version that counts as applied.
fn current(applied: &[Applied]) -> Value {
    applied.iter().filter(|row| row.success).map(|row| &row.version).max().map(Version::to_string).into()
}

fn failed(script: &Script, statement: &Statement, error: &tokio_postgres::Error) -> Failure {
    let line = statement.line + fault::line_offset(error, statement.text).unwrap_or(0);
    let path: &Path = &script.path;
    let failure = fault::failure(&format!("migration {}:{line} failed", path.display()), error);
    failure.with("file", path.display().to_string()).with("line", line).with("statement", statement.text)
}
