//! One session in one database, which every module of this crate uses.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use playbook_api::sync::lock;
use playbook_api::{Context, Error, ErrorKind, Outcome};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::connect::{self, Route};
use crate::fault;
use crate::row::{Row, row};
use crate::target::Target;
use crate::waiting::Watch;

/// The access mode of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// All statements run in a READ ONLY transaction that is rolled back.
    Read,
    Write,
}

/// The lock_timeout if neither the task nor the server sets one.
pub(crate) const LOCK_TIMEOUT: &str = "60s";

/// A session. If a pooler shares its connection with other clients, settings last only until the end of a transaction.
pub(crate) struct Session {
    client: Arc<Client>,
    route: Route,
    context: Context,
    warnings: Arc<Mutex<Vec<String>>>,
    access: Access,
    /// The server's `standard_conforming_strings`.
    pub(crate) conforming_strings: bool,
    /// Whether the connection goes through a pooler, so that other clients may use the same session of the server.
    pub(crate) pooled: bool,
    /// Whether no lock_timeout is set for the session.
    pub(crate) waits_unlimited: bool,
    in_transaction: AtomicBool,
    /// Whether types were looked up, which leaves a prepared statement behind.
    prepared: AtomicBool,
    watch: Watch,
    pub(crate) target: Target,
}

impl Session {
    /// Opens a session, which is read-only in check mode.
    pub(crate) async fn open(target: &Target, context: &Context) -> Result<Session, Error> {
        let access = if context.check { Access::Read } else { Access::Write };
        Session::open_to(access, target, context).await
    }

    /// Opens a session for reading or for writing.
    pub(crate) async fn open_to(
        access: Access,
        target: &Target,
        context: &Context,
    ) -> Result<Session, Error> {
        let connected = connect::connect(target, context).await?;
        let client = Arc::new(connected.client);
        let mut session = Session {
            watch: Watch::new(target, context),
            client,
            route: connected.route,
            context: context.clone(),
            warnings: connected.warnings,
            access,
            conforming_strings: connected.conforming_strings,
            pooled: false,
            waits_unlimited: false,
            in_transaction: AtomicBool::new(false),
            prepared: AtomicBool::new(false),
            target: target.clone(),
        };
        let about = session
            .rows(
                "SELECT pg_catalog.pg_backend_pid(), source = 'default'
                 FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'",
            )
            .await?;
        if let Some([process, unset]) = about.first().map(Vec::as_slice) {
            let process = process.as_ref().and_then(|p| p.parse::<i32>().ok());
            session.waits_unlimited = unset.as_deref() == Some("t");
            session.pooled =
                process.is_some() && connect::announced_process(&session.client).await != process;
            session.watch.set_process(process.filter(|_| !session.pooled));
        }
        if access == Access::Write && !session.pooled {
            // The server's session ends with this one, and with it its settings.
            let settings = session.settings(target.role.as_deref(), "");
            if !settings.is_empty() {
                session.run(&settings).await?;
            }
        }
        Ok(session)
    }

    /// Opens a session. Returns `None` in check mode if the database does not exist, since an earlier task
    /// may create it.
    pub(crate) async fn open_or_foresee(
        target: &Target,
        context: &Context,
    ) -> Result<Option<Session>, Error> {
        match Session::open(target, context).await {
            Err(error) if context.check && error.kind() == ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// Returns the statements that give a session or (with `LOCAL `) a transaction its role and its limit.
    fn settings(&self, role: Option<&str>, local: &str) -> String {
        let limit = self.waits_unlimited.then(|| format!("SET {local}lock_timeout = '{LOCK_TIMEOUT}'"));
        let role = role.map(|role| format!("SET {local}ROLE {}", ident(role)));
        limit.into_iter().chain(role).collect::<Vec<_>>().join("; ")
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self) -> Result<(), Error> {
        let begin = match self.access {
            Access::Read => "BEGIN READ ONLY",
            Access::Write => "BEGIN",
        };
        let settings = match (self.access, self.pooled) {
            (Access::Write, false) => String::new(),
            _ => self.settings(self.target.role.as_deref(), "LOCAL "),
        };
        let sql = if settings.is_empty() { begin.to_owned() } else { format!("{begin}; {settings}") };
        // What was read before has opened one, of which the server would warn.
        self.rollback().await;
        self.in_transaction.store(true, Ordering::Relaxed);
        let begun = self.send(&sql).await;
        if begun.is_err() {
            self.rollback().await;
        }
        begun.map(drop).map_err(|e| fault::statement("the database refused", &e))
    }

    /// Commits the transaction. With a pooler, the parameters that its statements set are reset first; `None` in the
    /// list stands for all parameters.
    pub(crate) async fn commit(&self, set: &[Option<String>]) -> Result<(), tokio_postgres::Error> {
        if self.pooled {
            if !set.is_empty() {
                // Deferred triggers must run before the parameters are reset.
                self.send("SET CONSTRAINTS ALL IMMEDIATE").await?;
                self.send(&resets(set)).await?;
            }
            self.forget_prepared().await?;
        }
        self.send("COMMIT").await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Rolls back the transaction, if there is one.
    pub(crate) async fn rollback(&self) {
        if self.in_transaction.swap(false, Ordering::Relaxed) {
            // Without a connection there is nothing left to roll back.
            let _ = self.send("ROLLBACK").await;
        }
    }

    /// Removes the statements that the library prepares to look up types that are not built in. With a pooler, their
    /// names would collide with those of the next client.
    async fn forget_prepared(&self) -> Result<(), tokio_postgres::Error> {
        if !self.prepared.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let ours =
            "SELECT name FROM pg_catalog.pg_prepared_statements WHERE NOT from_sql AND name ~ '^s[0-9]+$'";
        for row in self.send(ours).await?.iter().filter_map(row) {
            if let Some(Some(name)) = row.first() {
                self.send(&format!("DEALLOCATE {}", ident(name))).await?;
            }
        }
        Ok(())
    }

    /// Runs statements. If the task is canceled, the server is told to cancel them.
    pub(crate) async fn execute(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>, tokio_postgres::Error> {
        let outside = !self.in_transaction.load(Ordering::Relaxed);
        match self.access {
            Access::Read => {
                if outside {
                    self.begin_reading().await?;
                }
                let result = self.send(sql).await;
                if result.is_err() {
                    // The following statements get another transaction.
                    self.rollback().await;
                }
                result
            }
            // One message is one transaction.
            Access::Write if outside && self.pooled && self.target.role.is_some() => {
                let settings = self.settings(self.target.role.as_deref(), "LOCAL ");
                self.send(&format!("{settings}; {sql}")).await
            }
            Access::Write => self.send(sql).await,
        }
    }

    async fn begin_reading(&self) -> Result<(), tokio_postgres::Error> {
        let settings = self.settings(self.target.role.as_deref(), "LOCAL ");
        self.in_transaction.store(true, Ordering::Relaxed);
        let begun = self.send(&format!("BEGIN READ ONLY; {settings}")).await.map(drop);
        if begun.is_err() {
            self.rollback().await;
        }
        begun
    }

    async fn send(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>, tokio_postgres::Error> {
        let work = self.route.cancellable(&self.client, self.client.simple_query(sql));
        self.watch.over(work).await
    }

    /// Sends a `COPY … FROM stdin` with its rows.
    pub(crate) async fn copy(&self, sql: &str, rows: &str) -> Result<u64, tokio_postgres::Error> {
        use futures::SinkExt;
        let work = async {
            let sink = self.client.copy_in(sql).await?;
            tokio::pin!(sink);
            let mut rest = rows.as_bytes();
            while !rest.is_empty() {
                let (part, after) = rest.split_at(rest.len().min(1 << 16));
                sink.send(bytes::Bytes::copy_from_slice(part)).await?;
                rest = after;
            }
            sink.finish().await
        };
        self.watch.over(self.route.cancellable(&self.client, work)).await
    }

    /// Runs statements whose rows do not matter.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), Error> {
        self.execute(sql).await.map(drop).map_err(|e| self.refused("the database refused", &e))
    }

    /// Returns the rows of a query.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<Row>, Error> {
        let messages = self.execute(sql).await.map_err(|e| self.refused("cannot read the database", &e))?;
        Ok(messages.iter().filter_map(row).collect())
    }

    /// Returns the first column of a query's first row.
    pub(crate) async fn value(&self, sql: &str) -> Result<Option<String>, Error> {
        Ok(self.rows(sql).await?.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    fn refused(&self, what: &str, error: &tokio_postgres::Error) -> Error {
        self.watch.explain(fault::statement(what, error), error)
    }

    /// Adds the holder of the lock to a failure, if the statement failed because it waited for a lock.
    pub(crate) fn explain(
        &self,
        mut failure: playbook_api::Failure,
        error: &tokio_postgres::Error,
    ) -> playbook_api::Failure {
        failure.error = self.watch.explain(failure.error, error);
        failure
    }

    /// Returns whether column types can be looked up. Outside of a transaction, a pooler may prepare a statement in one
    /// session of the server and use it in another.
    pub(crate) fn can_prepare(&self) -> bool {
        !self.pooled || self.access == Access::Read || self.in_transaction.load(Ordering::Relaxed)
    }

    /// Returns the names and types of a statement's columns, without running it.
    pub(crate) async fn columns(&self, sql: &str) -> Result<Vec<(String, Type)>, tokio_postgres::Error> {
        if self.access == Access::Read && !self.in_transaction.load(Ordering::Relaxed) {
            self.begin_reading().await?;
        }
        self.prepared.store(true, Ordering::Relaxed);
        let work = self.route.cancellable(&self.client, self.client.prepare(sql));
        match self.watch.over(work).await {
            Ok(statement) => {
                Ok(statement.columns().iter().map(|c| (c.name().to_owned(), c.type_().clone())).collect())
            }
            Err(error) => {
                if self.access == Access::Read {
                    self.rollback().await;
                }
                Err(error)
            }
        }
    }

    /// Ends the transaction of a read-only session, so that a pooler can give its connection to others.
    pub(crate) async fn pause(&self) {
        if self.access == Access::Read {
            if self.pooled {
                let _ = self.forget_prepared().await;
            }
            self.rollback().await;
        }
    }

    /// Returns the server's warnings so far.
    pub(crate) fn warnings(&self) -> Vec<String> {
        lock(&self.warnings).clone()
    }

    /// Adds a warning to those of the server.
    pub(crate) fn warn(&self, warning: impl Into<String>) {
        lock(&self.warnings).push(warning.into());
    }

    /// Hides the secrets in a text that is shown.
    pub(crate) fn shown(&self, text: &str) -> String {
        self.context.redactor.text(text)
    }

    /// Returns the server's version: 150004 for 15.4.
    pub(crate) async fn version(&self) -> Result<u32, Error> {
        let text = self.value("SHOW server_version_num").await?;
        Ok(text.and_then(|t| t.parse().ok()).unwrap_or_default())
    }
}

impl Drop for Session {
    /// Ends the transaction, since a pooler closes the server's session if a client disconnects within one.
    fn drop(&mut self) {
        if self.in_transaction.load(Ordering::Relaxed)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let client = self.client.clone();
            runtime.spawn(async move { client.simple_query("ROLLBACK").await.map(drop) });
        }
    }
}

/// Returns the statements that reset parameters.
fn resets(set: &[Option<String>]) -> String {
    if set.iter().any(Option::is_none) {
        return "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL".into();
    }
    let reset = |name: &String| match name.as_str() {
        "session_authorization" => "RESET SESSION AUTHORIZATION".to_owned(),
        name => format!("RESET {}", name.split('.').map(ident).collect::<Vec<_>>().join(".")),
    };
    set.iter().flatten().map(reset).collect::<Vec<_>>().join("; ")
}

/// Returns a module's outcome in check mode if the database does not exist yet.
pub(crate) fn not_there_yet(target: &Target) -> Outcome {
    let message = format!("the database '{}' does not exist yet", target.dbname());
    Outcome::changed(true).msg(message.clone()).warn(message)
}

/// Quotes a name.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a string literal, independently of `standard_conforming_strings`.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!(" E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}
