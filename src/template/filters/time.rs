//! Converts points in time to text, and text to points in time.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use playbook_api::{Error, Value};

use super::arguments::{flag, given, text};
use super::numbers::parse_float;
use crate::template::python::datetime;
use crate::template::{Call, Function, purity};

pub(super) const FILTERS: &[Function] =
    &[Function::new("strftime", strftime), Function::new("to_datetime", to_datetime)];

/// Returns the current time, or a time in seconds since 1970, in the system's time zone or UTC.
fn strftime(call: &mut Call) -> Result<Value, Error> {
    let [second, utc] = call.bind(["second", "utc"], 0)?;
    let zone = if flag(&utc, false) { TimeZone::UTC } else { TimeZone::system() };
    let of_dates = call.renderer.release().strftime_is_that_of_dates();
    let time = match given(second) {
        None => {
            purity::taint();
            Timestamp::now()
        }
        Some(second) => {
            let seconds = match &second {
                Value::Str(text) => parse_float(text),
                other => other.as_f64(),
            };
            let invalid = || Error::new(format!("Invalid value for epoch value ({second})"));
            let seconds = seconds.filter(|seconds| seconds.is_finite()).ok_or_else(invalid)?;
            if of_dates {
                Timestamp::from_microsecond((seconds * 1e6).round() as i64).map_err(|_| invalid())?
            } else {
                Timestamp::from_second(seconds.floor() as i64).map_err(|_| invalid())?
            }
        }
    };
    format_zoned(&call.input.to_text(), &time.to_zoned(zone), of_dates).map(Value::from)
}

const DIRECTIVES: &str = "aAbBCdDeFgGHIjklmMnpPRsStTuUVwWyYzZ%";

/// Expands C's directives in the C locale. Unknown ones stay unchanged. `of_dates` adds those of Python's dates.
fn format_zoned(format: &str, time: &Zoned, of_dates: bool) -> Result<String, Error> {
    let mut out = String::new();
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let directive = match characters.next() {
            None => "%%".to_owned(),
            Some('c') => "%a %b %e %H:%M:%S %Y".into(),
            Some('x') => "%m/%d/%y".into(),
            Some('X') => "%H:%M:%S".into(),
            Some('f') if of_dates => {
                out.push_str(&format!("{:06}", time.subsec_nanosecond() / 1000));
                continue;
            }
            Some(':') if of_dates && characters.as_str().starts_with('z') => {
                characters.next();
                "%:z".into()
            }
            Some('f') => "%%f".into(),
            Some('h') => "%b".into(),
            Some('r') => "%I:%M:%S %p".into(),
            Some(flag @ ('-' | '_' | '0' | '^' | '#')) => {
                format!("%{flag}{}", characters.next().map(String::from).unwrap_or_default())
            }
            Some(letter) if DIRECTIVES.contains(letter) => format!("%{letter}"),
            Some(other) => {
                out.extend(['%', other]);
                continue;
            }
        };
        out.push_str(&strtime::format(&directive, time).unwrap_or(directive));
    }
    Ok(out)
}

fn to_datetime(call: &mut Call) -> Result<Value, Error> {
    let [format] = call.bind(["format"], 0)?;
    let format = text(&format, "%Y-%m-%d %H:%M:%S");
    let Some(input) = call.input.as_str() else {
        return Err(Error::new(format!("strptime() argument 1 must be str, not {}", call.input.type_name())));
    };
    let mismatch = || Error::new(format!("time data '{input}' does not match format '{format}'"));
    let parsed = strtime::parse(&*format, input).map_err(|_| mismatch())?;
    let offset = parsed.offset().map(|offset| offset.seconds());
    let civil = parsed
        .to_datetime()
        .or_else(|_| parsed.to_date().map(|date| date.at(0, 0, 0, 0)))
        .or_else(|_| parsed.to_time().map(|time| DateTime::from_parts(jiff::civil::date(1900, 1, 1), time)))
        .or_else(|_| partial(&parsed))
        .map_err(|_| mismatch())?;
    let value = datetime::DateTime { civil, offset };
    Ok(crate::template::object::Native::value(value))
}

/// A year alone, or with a month: the missing parts are 1.
fn partial(parsed: &strtime::BrokenDownTime) -> Result<DateTime, jiff::Error> {
    let date = jiff::civil::Date::new(
        parsed.year().unwrap_or(1900),
        parsed.month().unwrap_or(1),
        parsed.day().unwrap_or(1),
    )?;
    Ok(date.at(parsed.hour().unwrap_or(0), parsed.minute().unwrap_or(0), parsed.second().unwrap_or(0), 0))
}
