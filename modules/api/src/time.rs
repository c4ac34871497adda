//! Durations from numbers that users write.

use std::time::{Duration, Instant};

use crate::Error;

/// The longest duration that is taken as it is; anything longer is an error rather than an overflow.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// Converts a number of seconds into a duration.
///
/// # Errors
///
/// A number that is negative, not finite, or longer than a hundred years.
///
/// ```
/// use playbook_api::time::seconds;
/// assert_eq!(seconds(1.5).unwrap().as_millis(), 1500);
/// assert!(seconds(f64::INFINITY).is_err());
/// assert!(seconds(-1.0).is_err());
/// ```
pub fn seconds(number: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(number)
        .ok()
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| Error::new(format!("{number} is not a valid number of seconds")))
}

/// Returns a number of seconds in words: `1 second`, `30 seconds`.
///
/// ```
/// use playbook_api::time::in_words;
/// assert_eq!(in_words(1), "1 second");
/// assert_eq!(in_words(30), "30 seconds");
/// ```
pub fn in_words(seconds: u64) -> String {
    format!("{seconds} second{}", if seconds == 1 { "" } else { "s" })
}

/// Returns the point in time that lies `duration` from now. A duration beyond what the clock can represent is
/// shortened to a hundred years.
pub fn deadline(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration.min(LONGEST)).unwrap_or(now)
}
