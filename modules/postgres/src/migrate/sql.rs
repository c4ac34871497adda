//! Migrations written in SQL: reads the folder, compares it with the history, and runs what is missing.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use playbook_api::{Context, Diff, Error, Failure, Map, Outcome, Value, map};

use super::DbMigrate;
use super::folder::{self, Migration, Script};
use super::history::History;
use super::lock::Lock;
use super::plan::{self, Applied, Goal, Plan, Repair, Wish};
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
    let migrator = Migrator {
        context,
        history: arguments.history(),
        migrations: folder::read(&folder)?,
        goal: Goal::parse(arguments.target.as_deref())?,
        settings: settings(arguments)?,
        session: Session::open(target, context).await?,
        folder,
        arguments,
    };
    migrator.run().await
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
                .help("write it as PostgreSQL does: 500ms, 5s, 2min; a bare number is milliseconds"));
        }
        sql += &format!("; SET {name} = {}", literal(value.trim()));
    }
    Ok(sql)
}

/// What was done so far, also when it ends in a failure.
#[derive(Default)]
struct Done {
    applied: Vec<Value>,
    reverted: Vec<Value>,
    baselined: Vec<Value>,
    repaired: Vec<Value>,
}

impl Done {
    fn changed(&self) -> bool {
        [&self.applied, &self.reverted, &self.baselined, &self.repaired].iter().any(|l| !l.is_empty())
    }
}

impl Migrator<'_> {
    async fn run(&self) -> Result<Outcome, Failure> {
        let (applied, plan) = self.look().await?;
        let before = current(&applied);
        if self.context.check || plan.is_empty() {
            return Ok(self.foreseen(&plan, before));
        }
        let lock = Lock::of(&self.history.schema, &self.history.table);
        lock.acquire(&self.session, Duration::from_secs(self.arguments.wait_timeout), self.context).await?;
        let mut done = Done::default();
        let result = self.migrate(&mut done).await;
        let after = current(&self.history.read(&self.session).await.unwrap_or_default());
        let mut outcome = Outcome::changed(done.changed());
        outcome.values = map! {
            "applied" => done.applied.clone(),
            "reverted" => done.reverted.clone(),
            "baselined" => done.baselined.clone(),
            "repaired" => done.repaired.clone(),
            "pending" => Vec::<Value>::new(),
            "version_before" => before,
            "version" => after.clone(),
        };
        outcome.warnings = self.session.warnings();
        if let Err(mut failure) = result {
            outcome.values.extend(std::mem::take(&mut failure.outcome.values));
            return Err(failure.outcome(outcome));
        }
        lock.release(&self.session).await?;
        if self.context.diff {
            outcome.diff = self.diffs(&plan);
        }
        let message = self.message(&done, after);
        Ok(outcome.msg(message))
    }

    async fn look(&self) -> Result<(Vec<Applied>, Plan), Error> {
        let applied = self.history.read(&self.session).await?;
        let baseline = match &self.arguments.baseline {
            Some(text) => Some(Version::parse(text.trim_start_matches(['V', 'v'])).ok_or_else(|| {
                Error::new(format!("baseline '{text}' is not a version"))
                    .help("give the number of the last migration that the database already has")
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

    /// Nothing to do, or nothing to be done in check mode.
    fn foreseen(&self, plan: &Plan, before: Value) -> Outcome {
        let pending: Vec<Value> = self.pick(&plan.up).map(describe).collect();
        let reverting: Vec<Value> = self.pick(&plan.down).map(describe).collect();
        let mut parts = Vec::new();
        for (what, list) in [("baseline", &plan.baseline), ("undo", &plan.down), ("apply", &plan.up)] {
            if !list.is_empty() {
                let files: Vec<&str> = self.pick(list).map(|m| m.up.file.as_str()).collect();
                parts.push(format!("{what} {}", files.join(", ")));
            }
        }
        if let Some(version) = &plan.baseline_without_file {
            parts.push(format!("baseline {version}"));
        }
        if !plan.repairs.is_empty() {
            parts.push(format!("repair {} entries of the history", plan.repairs.len()));
        }
        let message = match parts.as_slice() {
            [] => "nothing to migrate".to_owned(),
            parts => format!("would {}", parts.join("; ")),
        };
        let mut outcome = Outcome::changed(!plan.is_empty()).msg(message);
        outcome.values.extend(map! {
            "applied" => Vec::<Value>::new(),
            "reverted" => Vec::<Value>::new(),
            "baselined" => self.pick(&plan.baseline).map(describe).collect::<Vec<_>>(),
            "repaired" => plan.repairs.iter().map(|r| self.describe_repair(r)).collect::<Vec<_>>(),
            "pending" => pending,
            "reverting" => reverting,
            "version_before" => before.clone(),
            "version" => before,
        });
        if self.context.diff {
            outcome.diff = self.diffs(plan);
        }
        outcome
    }

    fn pick<'b>(&'b self, places: &'b [usize]) -> impl Iterator<Item = &'b Migration> {
        places.iter().filter_map(|i| self.migrations.get(*i))
    }

    /// Each pending migration as a file that comes, each undone one as a file that goes.
    fn diffs(&self, plan: &Plan) -> Vec<Diff> {
        let down = self.pick(&plan.down).filter_map(|m| m.down.as_ref());
        let up = self.pick(&plan.up).map(|m| &m.up);
        let header = self.session.target.dbname();
        let diff = |script: &Script| {
            Diff::text("", script.sql.clone())
                .headers(format!("database {header}"), script.path.display().to_string())
        };
        let baseline = self.pick(&plan.baseline).map(|m| {
            Diff::text("", format!("{} recorded as applied\n", m.up.file)).headers("history", "history")
        });
        baseline.chain(down.chain(up).map(diff)).collect()
    }

    /// Everything under the lock: looks again, since another deployment may just have finished.
    async fn migrate(&self, done: &mut Done) -> Result<(), Failure> {
        self.history.create(&self.session).await?;
        let (applied, plan) = self.look().await?;
        let recorded = |version: &Version| {
            let row = applied.iter().find(|row| row.version == *version);
            row.map_or_else(|| version.to_string(), |row| row.version.to_string())
        };
        for repair in &plan.repairs {
            self.session.run(&self.history.repair(repair, &self.migrations, recorded)).await?;
            done.repaired.push(self.describe_repair(repair));
        }
        let mut statements: Vec<String> =
            self.pick(&plan.baseline).map(|m| self.history.insert(m, "baseline", true, 0)).collect();
        statements.extend(plan.baseline_without_file.iter().map(|v| self.history.insert_baseline(v)));
        if !statements.is_empty() {
            self.session.run(&statements.join(";\n")).await?;
            done.baselined.extend(self.pick(&plan.baseline).map(describe));
            done.baselined.extend(
                plan.baseline_without_file
                    .iter()
                    .map(|v| Value::from(map! { "version" => v.to_string(), "name" => "baseline" })),
            );
        }
        for migration in self.pick(&plan.down) {
            if let Some(script) = &migration.down {
                let version = recorded(&migration.version);
                let duration = self.apply(script, Step::Down(&version)).await?;
                done.reverted.push(with_duration(describe(migration), duration));
            }
        }
        for migration in self.pick(&plan.up) {
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
            return Err(failure.help(help));
        }
        if self.session.value("SELECT now() = statement_timestamp()").await?.as_deref() != Some("t") {
            let _ = self.session.execute("ROLLBACK").await;
            return Err(Failure::new(format!(
                "{} begins a transaction and does not end it",
                script.path.display()
            ))
            .help("its work is rolled back: add the COMMIT, and run once with repair: true"));
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

    fn describe_repair(&self, repair: &Repair) -> Value {
        let (version, name, action) = match repair {
            Repair::Forget(version, name) => (version.to_string(), name.clone(), "forgotten"),
            Repair::Realign(i) => match self.migrations.get(*i) {
                Some(m) => (m.version.to_string(), m.name.clone(), "checksum taken over"),
                None => return Value::Null,
            },
        };
        map! { "version" => version, "name" => name, "action" => action }.into()
    }

    fn message(&self, done: &Done, version: Value) -> String {
        let mut parts = Vec::new();
        for (list, what) in [
            (&done.repaired, "repaired"),
            (&done.baselined, "baselined"),
            (&done.reverted, "undone"),
            (&done.applied, "applied"),
        ] {
            if !list.is_empty() {
                parts.push(format!("{} {what}", list.len()));
            }
        }
        match parts.is_empty() {
            true => "nothing to migrate: another deployment just did it".into(),
            false if version.is_null() => format!("{}; nothing is applied now", parts.join(", ")),
            false => format!("{}; the version is {version}", parts.join(", ")),
        }
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

fn describe(migration: &Migration) -> Value {
    let file = migration.up.path.display().to_string();
    map! { "version" => migration.version.to_string(), "name" => migration.name.as_str(), "file" => file }
        .into()
}

fn with_duration(described: Value, duration: u128) -> Value {
    let mut map: Map = described.as_map().cloned().unwrap_or_default();
    map.insert("duration_ms".into(), Value::from(u64::try_from(duration).unwrap_or(u64::MAX)));
    map.into()
}

fn failed(script: &Script, statement: &Statement, error: &tokio_postgres::Error) -> Failure {
    let line = statement.line + fault::line_offset(error, statement.text).unwrap_or(0);
    let path: &Path = &script.path;
    let failure = fault::failure(&format!("migration {}:{line} failed", path.display()), error);
    failure.with("file", path.display().to_string()).with("line", line).with("statement", statement.text)
}
