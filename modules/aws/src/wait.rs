//! Waiting for a state in AWS.

use std::future::Future;
use std::time::{Duration, Instant};

use playbook_api::{Context, Error};

/// Calls a function until it returns something or the timeout expires (`None`). Ctrl-C ends the wait within half a second.
pub(crate) async fn until<T, F>(
    context: &Context,
    timeout: Duration,
    interval: Duration,
    mut look: impl FnMut() -> F,
) -> Result<Option<T>, Error>
where
    F: Future<Output = Result<Option<T>, Error>>,
{
    let end = Instant::now() + timeout;
    loop {
        if let Some(found) = look().await? {
            return Ok(Some(found));
        }
        if Instant::now() + interval > end {
            return Ok(None);
        }
        pause(context, interval).await?;
    }
}

/// Sleeps. Ctrl-C ends the sleep within half a second, with an error.
pub(crate) async fn pause(context: &Context, interval: Duration) -> Result<(), Error> {
    let end = Instant::now() + interval;
    loop {
        if context.cancel.is_set() {
            return Err(Error::new("interrupted while waiting"));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        tokio::time::sleep(left.min(Duration::from_millis(500))).await;
    }
}

/// Returns a number of seconds as a duration, clamped to between zero and ten years.
pub(crate) fn seconds(given: Option<i64>, default: u64) -> Duration {
    const MOST: u64 = 10 * 365 * 24 * 3600;
    Duration::from_secs(given.map_or(default, |n| u64::try_from(n).unwrap_or(0)).min(MOST))
}
