//! The host's clock.

use jiff::{Zoned, tz::TimeZone};
use playbook_api::{Context, Map, map};

use super::put;

pub(crate) fn collect(_: &Context, facts: &mut Map) {
    let now = Zoned::now();
    let utc = now.with_time_zone(TimeZone::UTC);
    let local = |format: &str| now.strftime(format).to_string();
    let epoch = now.timestamp().as_second();
    let other = |month: i8| {
        let in_month = now.date().with().month(month).day(1).build().ok();
        in_month.and_then(|d| d.to_zoned(now.time_zone().clone()).ok())
    };
    // The zone's name in summer, if it has one.
    let summer = [1, 7]
        .into_iter()
        .filter_map(other)
        .find(|t| t.time_zone().to_offset_info(t.timestamp()).dst().is_dst());
    let daylight = summer.map_or_else(|| local("%Z"), |t| t.strftime("%Z").to_string());
    put(
        facts,
        "date_time",
        map! {
            "year" => local("%Y"),
            "month" => local("%m"),
            "weekday" => local("%A"),
            "weekday_number" => local("%w"),
            "weeknumber" => local("%W"),
            "day" => local("%d"),
            "hour" => local("%H"),
            "minute" => local("%M"),
            "second" => local("%S"),
            "epoch" => epoch.to_string(),
            "epoch_int" => epoch.to_string(),
            "date" => local("%Y-%m-%d"),
            "time" => local("%H:%M:%S"),
            "iso8601_micro" => utc.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            "iso8601" => utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "iso8601_basic" => local("%Y%m%dT%H%M%S%6f"),
            "iso8601_basic_short" => local("%Y%m%dT%H%M%S"),
            "tz" => local("%Z"),
            "tz_dst" => daylight,
            "tz_offset" => local("%z"),
        },
    );
}
