//! Whom a statement waits for: told while it waits, and where it waited for nothing.

use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use playbook_api::sync::lock;
use playbook_api::{Context, Error};
use tokio::sync::Mutex as AsyncMutex;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::connect;
use crate::login::Target;
use crate::session::row;

/// How long a statement runs before the server is asked whether it waits, and how often after that.
const PATIENCE: Duration = Duration::from_secs(3);

/// Watches over the statements of one session, by a second one that is opened when a statement takes long.
pub(crate) struct Watch {
    target: Target,
    context: Context,
    /// The server's process of the session, where it is known.
    process: Option<i32>,
    second: AsyncMutex<Option<Client>>,
    /// Who held the lock when the server was last asked.
    holders: Mutex<Option<String>>,
}

impl Watch {
    pub(crate) fn new(target: &Target, context: &Context) -> Watch {
        Watch {
            target: target.clone(),
            context: context.clone(),
            process: None,
            second: AsyncMutex::new(None),
            holders: Mutex::new(None),
        }
    }

    pub(crate) fn set_process(&mut self, process: Option<i32>) {
        self.process = process;
    }

    /// Waits for a statement, and says whom the statement waits for.
    pub(crate) async fn over<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        *lock(&self.holders) = None;
        let Some(process) = self.process else { return work.await };
        loop {
            tokio::select! {
                result = &mut work => return result,
                () = tokio::time::sleep(PATIENCE) => {}
            }
            tokio::select! {
                result = &mut work => return result,
                holders = tokio::time::timeout(PATIENCE, self.ask(process)) => {
                    let holders = holders.ok().flatten();
                    if let Some(holders) = &holders {
                        self.context.progress(format!("waiting for a lock that {holders}"));
                    }
                    *lock(&self.holders) = holders;
                }
            }
        }
    }

    /// Returns who blocks the process: `process 4711 (psql, idle in transaction for 00:05:12) holds`.
    async fn ask(&self, process: i32) -> Option<String> {
        let mut second = self.second.lock().await;
        if second.is_none() {
            *second = Some(connect::connect(&self.target, &self.context).await.ok()?.client);
        }
        let sql = format!(
            "SELECT 'process ' || pid || coalesce(' (' || concat_ws(', ', nullif(application_name, ''), usename,
                    state || ' for ' || date_trunc('second', clock_timestamp() - coalesce(state_change, backend_start)))
                    || ')', '')
             FROM pg_catalog.pg_stat_activity WHERE pid = ANY (pg_catalog.pg_blocking_pids({process})) ORDER BY pid"
        );
        let answer = second.as_ref()?.simple_query(&sql).await;
        let Ok(messages) = answer else {
            *second = None;
            return None;
        };
        let holders: Vec<String> =
            messages.iter().filter_map(row).filter_map(|row| row.into_iter().next().flatten()).collect();
        (!holders.is_empty()).then(|| format!("{} holds", holders.join(" and ")))
    }

    /// Adds who held the lock to an error that says it was not to be had.
    pub(crate) fn explain(&self, error: Error, cause: &tokio_postgres::Error) -> Error {
        let holders = lock(&self.holders).clone();
        match (cause.code(), holders) {
            (Some(code), Some(holders)) if *code == SqlState::LOCK_NOT_AVAILABLE => error.with_help(format!(
                "The lock is one that {holders}. Run again when it is free, end that session with pg_terminate_backend, or raise lock_timeout."
            )),
            _ => error,
        }
    }
}
