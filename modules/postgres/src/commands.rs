//! Executes the statements of a task, or records them in check mode.

use playbook_api::{Context, Diff, Failure, Outcome};

use crate::fault;
use crate::session::{Session, literal};

/// Executes statements, or only records them in check mode.
pub(crate) struct Commands<'a> {
    session: &'a Session,
    context: &'a Context,
    /// The statements so far, without secrets.
    run: Vec<String>,
    warnings: Vec<String>,
}

impl<'a> Commands<'a> {
    pub(crate) fn new(session: &'a Session, context: &'a Context) -> Self {
        Commands { session, context, run: Vec::new(), warnings: Vec::new() }
    }

    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.run_shown_as(sql, sql).await
    }

    /// Executes a statement that holds a password, and records it as `shown`.
    pub(crate) async fn run_shown_as(&mut self, sql: &str, shown: &str) -> Result<(), Failure> {
        let shown = self.context.redactor.text(shown);
        if !self.context.check {
            let done = self.session.execute(sql).await;
            done.map_err(|e| fault::failure(&format!("cannot execute SQL '{shown}'"), &e))?;
        }
        self.run.push(shown);
        Ok(())
    }

    /// In check mode, warns if a query finds no row: what the task needs may be made by an earlier task of the run.
    pub(crate) async fn expect(&mut self, what: &str, query: &str) -> Result<(), Failure> {
        if self.context.check && self.session.value(query).await?.is_none() {
            self.warnings.push(format!("{what} does not exist yet: a run fails unless it is created before"));
        }
        Ok(())
    }

    /// In check mode, warns if the role that is to own something does not exist.
    pub(crate) async fn expect_owner(&mut self, owner: Option<&str>) -> Result<(), Failure> {
        let Some(owner) = owner else { return Ok(()) };
        let query = format!("SELECT 1 FROM pg_roles WHERE rolname = {}", literal(owner));
        self.expect(&format!("the role '{owner}'"), &query).await
    }

    /// Returns the outcome. `name` is the returned value that lists the statements.
    pub(crate) fn outcome(self, name: &str) -> Outcome {
        let mut outcome = Outcome::changed(!self.run.is_empty());
        if self.context.diff && !self.run.is_empty() {
            let lines: String = self.run.iter().map(|sql| format!("{sql};\n")).collect();
            outcome = outcome.diff(Diff::text("", lines).headers("", self.session.target.describe()));
        }
        outcome.warnings = self.session.warnings();
        outcome.warnings.extend(self.warnings);
        outcome.with(name, self.run)
    }
}
