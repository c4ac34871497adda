//! Numbers: conversions, rounding, logarithms, readable sizes.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Num, Signed};
use playbook_api::{Error, Value};

use super::arguments::{flag, given, number, text, truncate};
use crate::template::{Call, Computed, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("abs", abs),
    Function::new("int", int),
    Function::new("float", float).needing(Computed::Outside),
    Function::new("round", round),
    Function::new("filesizeformat", filesizeformat),
    Function::new("log", log),
    Function::new("pow", pow),
    Function::new("root", root),
    Function::new("human_readable", human_readable),
    Function::new("human_to_bytes", human_to_bytes),
];

fn abs(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    match &call.input {
        Value::Float(n) => Ok(Value::Float(n.abs())),
        value => match value.integer() {
            Some(n) => Ok(Value::big(n.abs())),
            None => Err(Error::new(format!("bad operand type for abs(): '{}'", value.type_name()))),
        },
    }
}

/// Parses an integer as Python's `int(text, base)` does, with sign, underscores, and a prefix that matches the base.
pub(super) fn parse_int(text: &str, base: u32) -> Option<Value> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    let prefixed = prefixes.iter().find_map(|(prefix, of)| Some((lower.strip_prefix(prefix)?, *of)));
    let (digits, base) = match (prefixed, base) {
        (Some((digits, of)), 0) => (digits.strip_prefix('_').unwrap_or(digits), of),
        (Some((digits, of)), base) if of == base => (digits.strip_prefix('_').unwrap_or(digits), base),
        (None, 0)
            if lower.len() > 1 && lower.starts_with('0') && lower.contains(|c| c != '0' && c != '_') =>
        {
            return None;
        }
        (_, 0) => (&*lower, 10),
        (_, base) => (&*lower, base),
    };
    // Python's own limit.
    if digits.len() > 4300 && !base.is_power_of_two() {
        return None;
    }
    if digits.is_empty() || digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    if !(2..=36).contains(&base) || digits.starts_with(['+', '-']) {
        return None;
    }
    let digits = format!("{sign}{}", digits.replace('_', ""));
    BigInt::from_str_radix(&digits, base).ok().map(Value::big)
}

/// Parses text as Python's `float()` does.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let bare = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    if matches!(bare.as_str(), "inf" | "infinity" | "nan") {
        return text.parse().ok();
    }
    let misplaced = bare.starts_with('_') || bare.ends_with('_') || bare.contains("__");
    let numeric = bare.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if misplaced || !numeric { None } else { text.replace('_', "").parse().ok() }
}

fn int(call: &mut Call) -> Result<Value, Error> {
    let [default, base] = call.bind(["default", "base"], 0)?;
    let base = u32::try_from(number(&base, 10)?).unwrap_or(10);
    let converted = match &call.input {
        Value::Str(text) => {
            parse_int(text, base).or_else(|| parse_float(text).and_then(|n| truncate(n).ok()))
        }
        Value::Float(n) => truncate(*n).ok(),
        value => value.integer().map(|n| Value::big(n.into_owned())),
    };
    Ok(converted.unwrap_or_else(|| default.unwrap_or(Value::Int(0))))
}

fn float(call: &mut Call) -> Result<Value, Error> {
    let [default] = call.bind(["default"], 0)?;
    let converted = match &call.input {
        Value::Str(text) => parse_float(text),
        value => value.as_f64(),
    };
    Ok(converted.map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
}

/// Rounds half to even by the exact decimal digits of the number, as Python does.
fn round_to(n: f64, precision: i64) -> f64 {
    if !n.is_finite() || precision > 300 {
        return n;
    }
    match usize::try_from(precision) {
        Ok(decimals) => format!("{n:.decimals$}").parse().unwrap_or(n),
        Err(_) => {
            let scale = 10f64.powi(i32::try_from(precision.saturating_neg()).unwrap_or(308).min(308));
            (n / scale).round_ties_even() * scale
        }
    }
}

fn round(call: &mut Call) -> Result<Value, Error> {
    let [precision, method] = call.bind(["precision", "method"], 0)?;
    let (precision, method) = (number(&precision, 0)?, text(&method, "common"));
    let step: fn(f64) -> f64 = match &*method {
        "common" => f64::from,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        _ => return Err(Error::new("method must be common, ceil or floor")),
    };
    if let (Some(n), "common") = (call.input.integer(), &*method) {
        return Ok(match u32::try_from(precision.saturating_neg()) {
            Ok(digits @ 1..=300) => {
                let scale = BigInt::from(10).pow(digits);
                Value::big(round_half_even(&n, &scale))
            }
            _ => Value::big(n.into_owned()),
        });
    }
    let n = call.input.as_f64().ok_or_else(|| match &*method {
        "common" => Error::new(format!("type {} doesn't define __round__ method", call.input.type_name())),
        _ => Error::new(format!("must be real number, not {}", call.input.type_name())),
    })?;
    if &*method == "common" {
        return Ok(Value::Float(round_to(n, precision)));
    }
    let scale = 10f64.powi(i32::try_from(precision.clamp(-300, 300)).unwrap_or(0));
    Ok(Value::Float(step(n * scale) / scale))
}

fn round_half_even(n: &BigInt, scale: &BigInt) -> BigInt {
    let two = BigInt::from(2);
    let (magnitude, negative) = (n.abs(), n.is_negative());
    let (quotient, rest) = (&magnitude / scale, &magnitude % scale);
    let double: BigInt = rest * &two;
    let up = double > *scale || (double == *scale && (&quotient % &two) == BigInt::from(1));
    let rounded = (quotient + BigInt::from(u8::from(up))) * scale;
    if negative { -rounded } else { rounded }
}

/// Jinja's form: `1.0 kB`, or `1.0 KiB` with binary units.
fn filesizeformat(call: &mut Call) -> Result<Value, Error> {
    let [binary] = call.bind(["binary"], 0)?;
    let binary = flag(&binary, false);
    let bytes = match &call.input {
        Value::Str(text) => parse_float(text)
            .ok_or_else(|| Error::new(format!("could not convert string to float: '{}'", text.as_str())))?,
        value => value.as_f64().ok_or_else(|| {
            Error::new(format!(
                "float() argument must be a string or a real number, not '{}'",
                value.type_name()
            ))
        })?,
    };
    let base = if binary { 1024.0 } else { 1000.0 };
    let prefixes: [&str; 8] = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    if bytes == 1.0 {
        return Ok("1 Byte".into());
    }
    if bytes < base {
        return Ok(format!("{} Bytes", bytes.trunc()).into());
    }
    let mut unit = base;
    for prefix in prefixes {
        unit *= base;
        if bytes < unit || prefix.starts_with('Y') {
            return Ok(format!("{:.1} {prefix}", base * bytes / unit).into());
        }
    }
    Ok(bytes.to_string().into())
}

fn real(function: &str, value: &Value) -> Result<f64, Error> {
    value.as_f64().ok_or_else(|| {
        Error::new(format!(
            "{function}() can only be used on numbers: must be real number, not {}",
            value.type_name()
        ))
    })
}

fn log(call: &mut Call) -> Result<Value, Error> {
    let [base] = call.bind(["base"], 0)?;
    let n = real("log", &call.input)?;
    let base = base.map_or(Ok(std::f64::consts::E), |base| real("log", &base))?;
    if n <= 0.0 || base <= 0.0 {
        return Err(Error::new("math domain error"));
    }
    if base == 1.0 {
        return Err(Error::new("float division by zero"));
    }
    Ok(Value::Float(if base == 10.0 {
        n.log10()
    } else if base == std::f64::consts::E {
        n.ln()
    } else {
        n.ln() / base.ln()
    }))
}

fn pow(call: &mut Call) -> Result<Value, Error> {
    let [exponent] = call.bind(["y"], 1)?;
    let n = real("pow", &call.input)?;
    let exponent = real("pow", &exponent.unwrap_or_default())?;
    let power = n.powf(exponent);
    match (power.is_finite(), n.is_finite() && exponent.is_finite()) {
        (false, true) if power.is_nan() || n == 0.0 => Err(Error::new("math domain error")),
        (false, true) => Err(Error::new("math range error")),
        _ => Ok(Value::Float(power)),
    }
}

fn root(call: &mut Call) -> Result<Value, Error> {
    let [base] = call.bind(["base"], 0)?;
    let n = real("root", &call.input)?;
    let base = base.map_or(Ok(2.0), |base| real("root", &base))?;
    if base == 0.0 {
        return Err(Error::new("division by zero"));
    }
    if base == 2.0 && n < 0.0 {
        return Err(Error::new("math domain error"));
    }
    Ok(Value::Float(if base == 2.0 { n.sqrt() } else { n.powf(1.0 / base) }))
}

const UNITS: &[(char, u32)] =
    &[('Y', 80), ('Z', 70), ('E', 60), ('P', 50), ('T', 40), ('G', 30), ('M', 20), ('K', 10), ('B', 0)];

const PREFIXES: &[&str] = &["yotta", "zetta", "exa", "peta", "tera", "giga", "mega", "kilo"];

fn human_readable(call: &mut Call) -> Result<Value, Error> {
    let [bits, unit] = call.bind(["isbits", "unit"], 0)?;
    let n = call.input.as_f64().ok_or_else(|| {
        Error::new(format!(
            "human_readable() failed on bad input: '>=' not supported between instances of '{}' and 'int'",
            call.input.type_name()
        ))
    })?;
    let bits = flag(&bits, false);
    let unit = given(unit).map(|unit| unit.to_text().to_uppercase());
    let limit = |power: u32| 2f64.powi(i32::try_from(power).unwrap_or(0));
    let chosen = UNITS.iter().find(|(suffix, power)| match &unit {
        None => n >= limit(*power),
        Some(unit) => unit.as_str() == suffix.encode_utf8(&mut [0; 4]),
    });
    let base = if bits { "bits" } else { "Bytes" };
    Ok(match chosen {
        Some((suffix, power)) if *suffix != 'B' => {
            format!("{:.2} {suffix}{}", n / limit(*power), if bits { 'b' } else { 'B' })
        }
        _ => format!("{n:.2} {base}"),
    }
    .into())
}

fn human_to_bytes(call: &mut Call) -> Result<Value, Error> {
    let [default, bits] = call.bind(["default_unit", "isbits"], 0)?;
    parse_size(&call.input.to_text(), given(default).as_ref(), flag(&bits, false))
        .map_err(|message| Error::new(format!("human_to_bytes() can't interpret the input: {message}")))
}

fn parse_size(text: &str, default: Option<&Value>, bits: bool) -> Result<Value, String> {
    let trimmed = text.trim_start();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (digits, rest) = trimmed.split_at(end);
    let rest = rest.trim();
    let word = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    let unreadable = || format!("human_to_bytes() can't interpret following string: {text}");
    let n: f64 = digits.parse().map_err(|_| unreadable())?;
    let named = (!word.is_empty()).then(|| word.to_owned());
    let Some(unit) = named.or_else(|| default.map(|unit| unit.to_text().into_owned())) else {
        return whole(n);
    };
    let first = unit.chars().next().map(|c| c.to_ascii_uppercase());
    let Some((suffix, power)) = UNITS.iter().find(|(suffix, _)| Some(*suffix) == first) else {
        let suffixes: Vec<String> = UNITS.iter().map(|(suffix, _)| suffix.to_string()).collect();
        return Err(format!(
            "human_to_bytes() failed to convert {text} (unit = {unit}). The suffix must be one of {}",
            suffixes.join(", ")
        ));
    };
    let (letter, class) = if bits { ('b', "bit") } else { ('B', "byte") };
    let prefix = PREFIXES.iter().find(|prefix| prefix.starts_with(suffix.to_ascii_lowercase())).copied();
    let short = if *suffix == 'B' { letter.to_string() } else { format!("{suffix}{letter}") };
    let long = format!("{}{class}", prefix.unwrap_or_default());
    if unit.chars().count() > 1 && unit != short && unit.to_lowercase() != long {
        let other = if *suffix == 'B' { class.to_owned() } else { suffix.to_string() };
        return Err(format!(
            "human_to_bytes() failed to convert {text}. Value is not a valid string (expect {short} or {other})"
        ));
    }
    whole(n * 2f64.powi(i32::try_from(*power).unwrap_or(0)))
}

fn whole(n: f64) -> Result<Value, String> {
    BigInt::from_f64(n.round_ties_even()).map(Value::big).ok_or_else(|| "not a number".into())
}
