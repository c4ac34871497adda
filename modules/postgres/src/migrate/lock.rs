//! The lock that lets only one deployment at a time migrate a database.

use std::time::{Duration, Instant};

use playbook_api::{Context, Error};
use sha2::{Digest, Sha256};

use crate::session::Session;

/// An advisory lock on the database, named after the history table. The session that migrates holds it, and the
/// server releases it when the session ends.
///
/// It is polled: a session that waits in `pg_advisory_lock` holds a snapshot, which CREATE INDEX CONCURRENTLY in
/// the session that has the lock would wait for, and the two would deadlock.
#[derive(Debug)]
pub(crate) struct Lock(i64);

impl Lock {
    pub(crate) fn of(schema: &str, table: &str) -> Lock {
        let hash = Sha256::digest(format!("playbook db_migrate\0{schema}\0{table}"));
        let bytes: [u8; 8] = std::array::from_fn(|i| hash[i]);
        Lock(i64::from_be_bytes(bytes))
    }

    /// Acquires the lock for the session, or waits until another deployment releases it.
    pub(super) async fn acquire(
        &self,
        session: &Session,
        limit: Duration,
        context: &Context,
    ) -> Result<(), Error> {
        let mut wait = Wait::new(limit);
        let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({})", self.0);
        while session.value(&sql).await?.as_deref() != Some("t") {
            wait.once(self, session, context).await?;
        }
        Ok(())
    }

    /// Begins a transaction that holds the lock until its end. A pooler may run each transaction in another session of
    /// the server, so a session lock would have no effect.
    pub(super) async fn begin(
        &self,
        session: &Session,
        limit: Duration,
        context: &Context,
    ) -> Result<(), Error> {
        let mut wait = Wait::new(limit);
        let sql = format!("SELECT pg_catalog.pg_try_advisory_xact_lock({})", self.0);
        loop {
            session.begin().await?;
            if session.value(&sql).await?.as_deref() == Some("t") {
                return Ok(());
            }
            session.rollback().await;
            wait.once(self, session, context).await?;
        }
    }

    /// Releases the session's lock.
    pub(super) async fn release(&self, session: &Session) -> Result<(), Error> {
        session.rows(&format!("SELECT pg_catalog.pg_advisory_unlock({})", self.0)).await.map(drop)
    }

    /// Describes the session that holds the lock: ` (process 4711, playbook from 10.0.0.7)`.
    async fn holder(&self, session: &Session) -> Result<String, Error> {
        let rows = session
            .rows(&format!(
                "SELECT a.pid, a.application_name, coalesce(host(a.client_addr), 'the server itself')
                 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                   AND (l.classid::bigint << 32 | l.objid::bigint) = {}",
                self.0
            ))
            .await?;
        let text = |column: &Option<String>| column.clone().unwrap_or_default();
        Ok(match rows.first().map(Vec::as_slice) {
            Some([pid, name, from]) => {
                format!(" (process {}, {} from {})", text(pid), text(name), text(from))
            }
            _ => String::new(),
        })
    }
}

/// The wait for a lock that another deployment holds.
struct Wait {
    start: Instant,
    limit: Duration,
    pause: Duration,
}

impl Wait {
    fn new(limit: Duration) -> Wait {
        Wait { start: Instant::now(), limit, pause: Duration::from_millis(50) }
    }

    /// Waits before the next attempt, and reports the session that holds the lock.
    async fn once(&mut self, lock: &Lock, session: &Session, context: &Context) -> Result<(), Error> {
        let holder = lock.holder(session).await?;
        let waited = self.start.elapsed();
        if waited >= self.limit {
            return Err(Error::new(format!(
                "another migration of {} still runs after {}{holder}",
                session.target.describe(),
                playbook_api::time::in_words(self.limit.as_secs())
            ))
            .with_help("Wait for it, end that session with pg_terminate_backend, or raise wait_timeout."));
        }
        if context.cancel.is_set() || context.interrupt.is_set() {
            return Err(Error::new("interrupted while waiting for another migration"));
        }
        context.progress(format!("waiting for another migration of {}{holder}", session.target.dbname()));
        tokio::time::sleep(self.pause.min(self.limit.saturating_sub(waited))).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(1));
        Ok(())
    }
}
