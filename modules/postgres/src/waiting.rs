//! Finds the session that a statement waits for, to report it while it waits and if it fails.

use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use playbook_api::sync::lock;
use playbook_api::{Context, Error};
use tokio::sync::Mutex as AsyncMutex;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::connect;
use crate::row::row;
use crate::target::Target;

/// The time after which the server is asked whether a statement waits, and the interval between further requests.
const PATIENCE: Duration = Duration::from_secs(3);

/// Watches the statements of one session through a second one, which is opened when a statement takes long.
pub(crate) struct Watch {
    target: Target,
    context: Context,
    /// The server's process of the session, if it is known.
    process: Option<i32>,
    second: AsyncMutex<Option<Client>>,
    /// The holder of the lock when the server was last asked.
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

    /// Waits for a statement, and reports the session that it waits for.
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

    /// Returns the sessions that block the process: `process 4711 (psql, idle in transaction for 00:05:12) holds`.
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

    /// Adds the holder of the lock to an error about a lock timeout.
    pub(crate) fn explain(&self, error: Error, cause: &tokio_postgres::Error) -> Error {
        let holders = lock(&self.holders).clone();
        match (cause.code(), holders) {
            (Some(code), Some(holders)) if *code == SqlState::LOCK_NOT_AVAILABLE => error.with_help(format!(
                "It waited for a lock that {holders}. Run again when it is free, end that session with \
                pg_terminate_backend, or raise lock_timeout."
            )),
            _ => error,
        }
    }
}
