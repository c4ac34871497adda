//! Points in time and the spans between them, which `now()` and `to_datetime` return.

use std::cmp::Ordering;

use jiff::civil;
use jiff::fmt::strtime::BrokenDownTime;
use playbook_api::{Error, Map, Value};

use crate::jinja::program::Operator;
use crate::template::object::{Behavior, Native, downcast};

/// Python's `datetime`, without a time zone unless an offset is known.
#[derive(Clone, Debug)]
pub struct DateTime {
    /// Date and time of day.
    pub civil: civil::DateTime,
    /// Seconds east of UTC.
    pub offset: Option<i32>,
}

/// Python's `timedelta`, in microseconds.
#[derive(Clone, Debug)]
pub struct TimeDelta(pub i128);

impl DateTime {
    /// Creates a value without a time zone.
    pub fn value(civil: civil::DateTime) -> Value {
        Native::value(DateTime { civil, offset: None })
    }

    /// Returns the microseconds since 1970, in UTC if the offset is known.
    fn micros(&self) -> i128 {
        let epoch = civil::date(1970, 1, 1).at(0, 0, 0, 0);
        let micros = self.civil.duration_since(epoch).as_nanos() / 1000;
        micros - i128::from(self.offset.unwrap_or(0)) * 1_000_000
    }

    /// Python's `strftime`.
    pub fn strftime(&self, format: &str) -> Result<String, Error> {
        let micros = format!("{:06}", self.civil.subsec_nanosecond() / 1000);
        let seconds = self.micros().div_euclid(1_000_000).to_string();
        let offset = self.offset.map(offset_text).unwrap_or_default();
        let zone = if self.offset == Some(0) { "UTC" } else { "" };
        let mut translated = String::with_capacity(format.len());
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                translated.push(c);
                continue;
            }
            match chars.next() {
                Some('f') => translated.push_str(&micros),
                Some('s') => translated.push_str(&seconds),
                Some('z') => translated.push_str(&offset),
                Some('Z') => translated.push_str(zone),
                Some('c') => translated.push_str("%a %b %e %H:%M:%S %Y"),
                Some('x') => translated.push_str("%m/%d/%y"),
                Some('X') => translated.push_str("%H:%M:%S"),
                Some(other) => translated.extend(['%', other]),
                None => translated.push_str("%%"),
            }
        }
        let time = BrokenDownTime::from(self.civil);
        time.to_string(&translated).map_err(|e| Error::new(format!("strftime: {e}")))
    }

    fn isoformat(&self, separator: char) -> String {
        let (date, time) = (self.civil.date(), self.civil.time());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        let mut text = format!("{date}{separator}{hour:02}:{minute:02}:{second:02}");
        let micros = self.civil.subsec_nanosecond() / 1000;
        if micros != 0 {
            text += &format!(".{micros:06}");
        }
        if let Some(offset) = self.offset {
            let digits = offset_text(offset);
            text += &format!("{}:{}", &digits[..3], &digits[3..]);
        }
        text
    }
}

fn offset_text(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}

impl Behavior for DateTime {
    fn type_name(&self) -> &'static str {
        "datetime"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let time = self.civil;
        Some(match name {
            "year" => Value::Int(time.year().into()),
            "month" => Value::Int(time.month().into()),
            "day" => Value::Int(time.day().into()),
            "hour" => Value::Int(time.hour().into()),
            "minute" => Value::Int(time.minute().into()),
            "second" => Value::Int(time.second().into()),
            "microsecond" => Value::Int((time.subsec_nanosecond() / 1000).into()),
            "tzinfo" => Value::Null,
            _ => return None,
        })
    }

    fn method(&self, name: &str, args: &[Value], kwargs: &Map) -> Option<Result<Value, Error>> {
        let monday_zero = i64::from(self.civil.weekday().to_monday_zero_offset());
        Some(match name {
            "strftime" => match args.first().and_then(Value::as_str) {
                Some(format) => self.strftime(format).map(Value::from),
                None => Err(Error::new("strftime() argument 1 must be str")),
            },
            "isoformat" => {
                let separator = args.first().or_else(|| kwargs.get("sep")).and_then(Value::as_str);
                Ok(self.isoformat(separator.and_then(|s| s.chars().next()).unwrap_or('T')).into())
            }
            "timestamp" => {
                let local = match self.offset {
                    Some(_) => self.micros(),
                    None => match self.civil.to_zoned(jiff::tz::TimeZone::system()) {
                        Ok(zoned) => i128::from(zoned.timestamp().as_microsecond()),
                        Err(e) => return Some(Err(Error::new(e.to_string()))),
                    },
                };
                Ok(Value::Float(local as f64 / 1e6))
            }
            "date" => Ok(DateTime::value(self.civil.date().at(0, 0, 0, 0))),
            "weekday" => Ok(Value::Int(monday_zero)),
            "isoweekday" => Ok(Value::Int(monday_zero + 1)),
            "toordinal" => {
                let first = civil::date(1, 1, 1).at(0, 0, 0, 0);
                Ok(Value::Int(self.civil.duration_since(first).as_secs() / 86_400 + 1))
            }
            "replace" => self.replace(kwargs),
            _ => return None,
        })
    }

    fn text(&self) -> Option<String> {
        Some(self.isoformat(' '))
    }

    fn plain(&self) -> Option<Value> {
        Some(self.isoformat('T').into())
    }
}

impl DateTime {
    fn replace(&self, parts: &Map) -> Result<Value, Error> {
        let part = |name: &str, old: i64| parts.get(name).and_then(Value::as_i64).unwrap_or(old);
        let time = self.civil;
        let small = |n: i64| i8::try_from(n).unwrap_or(-1);
        let micros = part("microsecond", (time.subsec_nanosecond() / 1000).into());
        let civil = civil::DateTime::new(
            i16::try_from(part("year", time.year().into())).unwrap_or(-1),
            small(part("month", time.month().into())),
            small(part("day", time.day().into())),
            small(part("hour", time.hour().into())),
            small(part("minute", time.minute().into())),
            small(part("second", time.second().into())),
            i32::try_from(micros.saturating_mul(1000)).unwrap_or(-1),
        );
        let civil = civil.map_err(|e| Error::new(e.to_string()))?;
        Ok(Native::value(DateTime { civil, offset: self.offset }))
    }
}

impl TimeDelta {
    fn parts(&self) -> (i128, i128, i128) {
        let day = 86_400_000_000;
        let rest = self.0.rem_euclid(day);
        (self.0.div_euclid(day), rest / 1_000_000, rest % 1_000_000)
    }
}

impl Behavior for TimeDelta {
    fn type_name(&self) -> &'static str {
        "timedelta"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let (days, seconds, micros) = self.parts();
        let number = |n: i128| Value::big(n.into());
        match name {
            "days" => Some(number(days)),
            "seconds" => Some(number(seconds)),
            "microseconds" => Some(number(micros)),
            _ => None,
        }
    }

    fn method(&self, name: &str, _: &[Value], _: &Map) -> Option<Result<Value, Error>> {
        (name == "total_seconds").then(|| Ok(Value::Float(self.0 as f64 / 1e6)))
    }

    fn text(&self) -> Option<String> {
        let (days, seconds, micros) = self.parts();
        let mut text = match days {
            0 => String::new(),
            1 | -1 => format!("{days} day, "),
            _ => format!("{days} days, "),
        };
        text += &format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        if micros != 0 {
            text += &format!(".{micros:06}");
        }
        Some(text)
    }

    fn plain(&self) -> Option<Value> {
        self.text().map(Value::from)
    }
}

/// Computes with points in time and spans. Returns `None` for other operands.
pub(super) fn binary(operator: Operator, left: &Value, right: &Value) -> Option<Result<Value, Error>> {
    let spans = downcast::<TimeDelta>(left).zip(downcast::<TimeDelta>(right));
    if let Some((a, b)) = spans {
        return match operator {
            Operator::Add => Some(Ok(Native::value(TimeDelta(a.0 + b.0)))),
            Operator::Subtract => Some(Ok(Native::value(TimeDelta(a.0 - b.0)))),
            Operator::Divide if b.0 != 0 => Some(Ok(Value::Float(a.0 as f64 / b.0 as f64))),
            _ => None,
        };
    }
    let time = downcast::<DateTime>(left)?;
    if let Some(other) = downcast::<DateTime>(right) {
        let span = || Native::value(TimeDelta(time.micros() - other.micros()));
        return (operator == Operator::Subtract).then(|| Ok(span()));
    }
    let span = downcast::<TimeDelta>(right)?.0;
    let span = match operator {
        Operator::Add => span,
        Operator::Subtract => -span,
        _ => return None,
    };
    let span = jiff::SignedDuration::from_micros(i64::try_from(span).unwrap_or(i64::MAX));
    let civil = time.civil.checked_add(span).map_err(|e| Error::new(e.to_string()));
    Some(civil.map(|civil| Native::value(DateTime { civil, offset: time.offset })))
}

/// Returns the order of two points in time, or of two spans.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    if let Some((a, b)) = downcast::<DateTime>(left).zip(downcast::<DateTime>(right)) {
        return Some(a.micros().cmp(&b.micros()));
    }
    let (a, b) = downcast::<TimeDelta>(left).zip(downcast::<TimeDelta>(right))?;
    Some(a.0.cmp(&b.0))
}

/// `'{:%Y}'.format(time)`.
pub(super) fn formatted(value: &Value, format: &str) -> Option<Result<String, Error>> {
    downcast::<DateTime>(value).map(|time| time.strftime(format))
}
