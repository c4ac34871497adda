//! What a plain scalar means: the YAML 1.1 rules that Ansible's loader follows.

use num_bigint::BigInt;
use num_traits::Num;
use playbook_api::Value;

/// The value of an unquoted scalar.
///
/// ```
/// use playbook::document::plain_scalar;
/// assert_eq!(plain_scalar("yes"), true.into());
/// assert_eq!(plain_scalar("0644"), 420.into());
/// assert_eq!(plain_scalar("1e3"), "1e3".into());
/// assert_eq!(plain_scalar("190:20:30"), 685230.into());
/// ```
pub fn plain_scalar(text: &str) -> Value {
    resolve(text).unwrap_or_else(|| Value::from(text))
}

/// Returns the value of an unquoted scalar, unless it is text.
pub(super) fn resolve(text: &str) -> Option<Value> {
    let first = text.bytes().next();
    match first {
        None => Some(Value::Null),
        Some(b'~' | b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O') => word(text),
        Some(b'+' | b'-' | b'.' | b'0'..=b'9') => {
            int(text).or_else(|| float(text)).or_else(|| timestamp(text))
        }
        _ => None,
    }
}

fn word(text: &str) -> Option<Value> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        _ => bool(text).map(Value::Bool),
    }
}

pub(super) fn bool(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn only(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(|b| b == b'_' || allowed(b))
}

fn number(digits: &str, radix: u32, negative: bool) -> Value {
    let digits = digits.replace('_', "");
    let n = if digits.is_empty() {
        BigInt::ZERO
    } else {
        BigInt::from_str_radix(&digits, radix).unwrap_or_default()
    };
    Value::big(if negative { -n } else { n })
}

pub(super) fn int(text: &str) -> Option<Value> {
    let (negative, digits) = signed(text);
    if let Some(binary) = digits.strip_prefix("0b") {
        return (!binary.is_empty() && only(binary, |b| matches!(b, b'0' | b'1')))
            .then(|| number(binary, 2, negative));
    }
    if let Some(hex) = digits.strip_prefix("0x") {
        return (!hex.is_empty() && only(hex, |b| b.is_ascii_hexdigit())).then(|| number(hex, 16, negative));
    }
    if digits == "0" {
        return Some(Value::Int(0));
    }
    if let Some(octal) = digits.strip_prefix('0') {
        return only(octal, |b| (b'0'..=b'7').contains(&b)).then(|| number(octal, 8, negative));
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if only(digits, |b| b.is_ascii_digit()) {
        return Some(match digits.parse::<i64>() {
            Ok(n) => Value::Int(if negative { -n } else { n }),
            Err(_) => number(digits, 10, negative),
        });
    }
    let (head, rest) = digits.split_once(':')?;
    if !only(head, |b| b.is_ascii_digit()) {
        return None;
    }
    let mut total: BigInt = head.replace('_', "").parse().ok()?;
    for part in rest.split(':') {
        total = total * 60 + sixty(part)?;
    }
    Some(Value::big(if negative { -total } else { total }))
}

/// One or two digits below sixty.
fn sixty(part: &str) -> Option<u32> {
    let valid = matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
    part.parse().ok().filter(|n| valid && *n < 60)
}

pub(super) fn float(text: &str) -> Option<Value> {
    let (negative, digits) = signed(text);
    let sign = if negative { -1.0 } else { 1.0 };
    match digits {
        ".inf" | ".Inf" | ".INF" => return Some(Value::Float(sign * f64::INFINITY)),
        ".nan" | ".NaN" | ".NAN" if digits.len() == text.len() => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    let (whole, fraction) = digits.split_once('.')?;
    if whole.contains(':') {
        return sexagesimal_float(whole, fraction).map(|n| Value::Float(sign * n));
    }
    if whole.is_empty() {
        // ".5" takes no sign, and needs a digit.
        if digits.len() != text.len() || !fraction.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
    } else if !whole.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (fraction, exponent) = match fraction.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (fraction, None),
    };
    let exponent_valid = exponent.is_none_or(|e| {
        e.strip_prefix(['-', '+']).is_some_and(|e| !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit()))
    });
    if !exponent_valid || !only(whole, |b| b.is_ascii_digit()) || !only(fraction, |b| b.is_ascii_digit()) {
        return None;
    }
    let text = format!("0{whole}.{fraction}0e{}", exponent.unwrap_or("0")).replace('_', "");
    text.parse().ok().map(|n: f64| Value::Float(sign * n))
}

fn sexagesimal_float(whole: &str, fraction: &str) -> Option<f64> {
    let (head, rest) = whole.split_once(':')?;
    let head_valid = head.starts_with(|c: char| c.is_ascii_digit()) && only(head, |b| b.is_ascii_digit());
    if !head_valid || !only(fraction, |b| b.is_ascii_digit()) {
        return None;
    }
    let mut total: f64 = head.replace('_', "").parse().ok()?;
    for part in rest.split(':') {
        total = total * 60.0 + f64::from(sixty(part)?);
    }
    let fraction: f64 = format!("0.{fraction}0").replace('_', "").parse().ok()?;
    Some(total + fraction)
}

/// A date or time becomes the text in which Python prints it; other values have no such type.
pub fn timestamp(text: &str) -> Option<Value> {
    let digits = |part: &str, lengths: &[usize]| -> Option<u32> {
        (lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse().ok())?
    };
    let date_end = text.find(['T', 't', ' ', '\t']).unwrap_or(text.len());
    let (date, rest) = text.split_at(date_end);
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    digits(year, &[4])?;
    if rest.is_empty() {
        digits(month, &[2])?;
        digits(day, &[2])?;
        return valid_date(year, month, day).then(|| Value::from(text));
    }
    let (month, day) = (digits(month, &[1, 2])?, digits(day, &[1, 2])?);
    let rest = match rest.strip_prefix(['T', 't']) {
        Some(rest) => rest,
        None => rest.trim_start_matches([' ', '\t']),
    };
    let zone_start = rest.find(['Z', '+', '-', ' ', '\t']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_start);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.splitn(3, ':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let (hour, minute, second) = (digits(hour, &[1, 2])?, digits(minute, &[2])?, digits(second, &[2])?);
    if !fraction.bytes().all(|b| b.is_ascii_digit()) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let zone = zone_text(zone.trim_matches([' ', '\t']))?;
    if !valid_date(year, &format!("{month:02}"), &format!("{day:02}")) {
        return None;
    }
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let fraction = if micros == "000000" { String::new() } else { format!(".{micros}") };
    Some(format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}{zone}").into())
}

fn valid_date(year: &str, month: &str, day: &str) -> bool {
    jiff::civil::Date::new(year.parse().unwrap_or(0), month.parse().unwrap_or(0), day.parse().unwrap_or(0))
        .is_ok()
}

/// `Z`, `-5`, `+01:30` or nothing, as Python prints the offset.
fn zone_text(zone: &str) -> Option<String> {
    match zone {
        "" => return Some(String::new()),
        "Z" => return Some("+00:00".into()),
        _ => {}
    }
    let sign = zone.chars().next().filter(|c| matches!(c, '+' | '-'))?;
    let (hours, minutes) = zone[1..].split_once(':').unwrap_or((&zone[1..], "00"));
    let valid = matches!(hours.len(), 1 | 2) && minutes.len() == 2;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (valid && hours < 24 && minutes < 60).then(|| format!("{sign}{hours:02}:{minutes:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_mean_what_yaml_1_1_says() {
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("NULL", Value::Null),
            ("nUll", "nUll".into()),
            ("on", true.into()),
            ("Off", false.into()),
            ("y", "y".into()),
            ("0", 0.into()),
            ("007", 7.into()),
            ("08", "08".into()),
            ("0o644", "0o644".into()),
            ("0x1F", 31.into()),
            ("-0b101", Value::Int(-5)),
            ("1_000", 1000.into()),
            ("+12", 12.into()),
            ("1:30", 90.into()),
            ("1:60", "1:60".into()),
            ("12:30:45.5", Value::Float(45045.5)),
            ("1.", Value::Float(1.0)),
            (".5", Value::Float(0.5)),
            ("-.5", "-.5".into()),
            ("1e3", "1e3".into()),
            ("1.5e3", "1.5e3".into()),
            ("1.5e+3", Value::Float(1500.0)),
            ("-.inf", Value::Float(f64::NEG_INFINITY)),
            ("-", "-".into()),
            (".", ".".into()),
            ("1.2.3", "1.2.3".into()),
            ("10.0.0.1", "10.0.0.1".into()),
            ("2001-12-14", "2001-12-14".into()),
            ("2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.100000-05:00".into()),
            ("2001-12-15T02:59:43.1Z", "2001-12-15 02:59:43.100000+00:00".into()),
        ] {
            assert_eq!(plain_scalar(text), value, "{text}");
        }
        let huge = plain_scalar("123456789012345678901234567890");
        assert_eq!(huge.to_string(), "123456789012345678901234567890");
    }
}
