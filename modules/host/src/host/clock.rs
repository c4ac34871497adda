//! The host's local time.

use std::sync::OnceLock;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Returns the host's local time. The zone has no name, since finding it would require reading hundreds of files.
pub(crate) fn now() -> Zoned {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let zone = ZONE.get_or_init(|| {
        let named = std::env::var_os("TZ").is_some();
        let rules = if named { None } else { std::fs::read("/etc/localtime").ok() };
        let zone = rules.and_then(|rules| TimeZone::tzif("local", &rules).ok());
        zone.unwrap_or_else(TimeZone::system)
    });
    Timestamp::now().to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_the_systems_time() {
        let (ours, systems) = (super::now(), jiff::Zoned::now());
        assert_eq!(ours.offset(), systems.offset());
    }
}
