//! Python's `%` formatting, and the number formats it shares with `str.format`.

use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;
use playbook_api::{Error, Value, python};

use crate::template::undefined;

/// Evaluates `format % arguments`: a tuple holds the arguments, a map is accessed by `%(name)s`, and any other value
/// is the only argument.
///
/// ```
/// use playbook::template::python::printf::format;
/// use playbook_api::Value;
/// assert_eq!(format("%05.1f", &Value::from(2.55)).unwrap(), "002.5".into());
/// ```
pub fn format(format: &str, arguments: &Value) -> Result<Value, Error> {
    let items: &[Value] = match arguments {
        Value::Tuple(items) => items,
        other => std::slice::from_ref(other),
    };
    let mut next = items.iter();
    let mut take = || next.next().ok_or_else(|| Error::new("not enough arguments for format string"));
    let mut used_name = false;
    let mut out = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(i) = rest.find('%') {
        out.push_str(&rest[..i]);
        rest = &rest[i + 1..];
        let mut named = None;
        if let Some(inner) = rest.strip_prefix('(') {
            let (name, after) = inner.split_once(')').ok_or_else(|| Error::new("incomplete format key"))?;
            let map = arguments.as_map().ok_or_else(|| Error::new("format requires a mapping"))?;
            let key = python::repr(&name.into());
            named = Some(map.get(name).ok_or_else(|| Error::new(key))?);
            used_name = true;
            rest = after;
        }
        let mut spec = Spec::default();
        let flags = rest.len() - rest.trim_start_matches(['-', '+', ' ', '#', '0']).len();
        for flag in rest[..flags].chars() {
            match flag {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                '#' => spec.alternate = true,
                _ => spec.zero = true,
            }
        }
        rest = &rest[flags..];
        let mut number = |rest: &mut &str| -> Result<Option<i64>, Error> {
            if let Some(after) = rest.strip_prefix('*') {
                *rest = after;
                let width = take()?;
                return width.as_i64().map(Some).ok_or_else(|| Error::new("* wants int"));
            }
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number = rest[..digits].parse().ok();
            *rest = &rest[digits..];
            Ok(number)
        };
        let width = number(&mut rest)?.unwrap_or(0);
        spec.left |= width < 0;
        spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(0).min(MAX_WIDTH);
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            let precision = number(&mut rest)?.unwrap_or(0).max(0);
            spec.precision = Some(usize::try_from(precision).unwrap_or(0).min(MAX_WIDTH));
        }
        rest = rest.trim_start_matches(['h', 'l', 'L']);
        let Some(kind) = rest.chars().next() else {
            return Err(Error::new("incomplete format"));
        };
        rest = &rest[kind.len_utf8()..];
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match named {
            Some(value) => value,
            None => take()?,
        };
        undefined::check(value)?;
        let index = format.chars().count() - rest.chars().count() - 1;
        out.push_str(&spec.convert(kind, value, index)?);
    }
    out.push_str(rest);
    let left_over =
        next.next().is_some() && !used_name && !matches!(arguments, Value::Map(_) | Value::List(_));
    if left_over {
        return Err(Error::new("not all arguments converted during string formatting"));
    }
    Ok(Value::from(out))
}

/// The upper bound of a field's width.
pub(super) const MAX_WIDTH: usize = 10_000_000;

#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

impl Spec {
    fn convert(&self, kind: char, value: &Value, index: usize) -> Result<String, Error> {
        let text = match kind {
            's' => value.to_text().into_owned(),
            'r' | 'a' => python::repr(value),
            'c' => match value {
                Value::Str(text) if text.chars().count() == 1 => text.to_string(),
                other => {
                    let code = other.as_i64().and_then(|n| u32::try_from(n).ok()).and_then(char::from_u32);
                    code.map(String::from).ok_or_else(|| Error::new("%c requires int or char"))?
                }
            },
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => return self.integer(kind, value),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let number = value
                    .as_f64()
                    .ok_or_else(|| Error::new(format!("must be real number, not {}", value.type_name())))?;
                let body = float(number.abs(), kind, self.precision.unwrap_or(6), self.alternate);
                let negative = number.is_sign_negative() && !number.is_nan();
                return Ok(self.signed(negative, "", &body));
            }
            other => {
                let code = u32::from(other);
                let message = format!("unsupported format character '{other}' (0x{code:x}) at index {index}");
                return Err(Error::new(message));
            }
        };
        let text = match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text,
        };
        Ok(self.pad(text))
    }

    fn integer(&self, kind: char, value: &Value) -> Result<String, Error> {
        let number = match value {
            Value::Float(n) if matches!(kind, 'd' | 'i' | 'u') && n.is_finite() => whole(*n),
            other => other.integer().map(|n| n.into_owned()).ok_or_else(|| {
                let wanted =
                    if matches!(kind, 'd' | 'i' | 'u') { "a real number is" } else { "an integer is" };
                Error::new(format!("%{kind} format: {wanted} required, not {}", other.type_name()))
            })?,
        };
        let (radix, prefix) = match kind {
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            'o' => (8, "0o"),
            _ => (10, ""),
        };
        let mut digits = number.magnitude().to_str_radix(radix);
        if kind == 'X' {
            digits.make_ascii_uppercase();
        }
        let least = self.precision.unwrap_or(0);
        let digits = format!("{}{digits}", "0".repeat(least.saturating_sub(digits.len())));
        Ok(self.signed(number.sign() == Sign::Minus, if self.alternate { prefix } else { "" }, &digits))
    }

    fn signed(&self, negative: bool, prefix: &str, body: &str) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let length = sign.len() + prefix.len() + body.len();
        if self.zero && !self.left && length < self.width {
            return format!("{sign}{prefix}{}{body}", "0".repeat(self.width - length));
        }
        self.pad(format!("{sign}{prefix}{body}"))
    }

    fn pad(&self, text: String) -> String {
        let blank = " ".repeat(self.width.saturating_sub(text.chars().count()));
        if self.left { text + &blank } else { blank + &text }
    }
}

/// Returns the integer part of a float.
pub(super) fn whole(n: f64) -> BigInt {
    num_traits::FromPrimitive::from_f64(n.trunc()).unwrap_or_default()
}

/// Formats a float without its sign, in one of the formats `f`, `e` and `g`, or their upper-case forms.
pub(super) fn float(n: f64, kind: char, precision: usize, alternate: bool) -> String {
    let text = if n.is_nan() {
        "nan".to_owned()
    } else if n.is_infinite() {
        "inf".to_owned()
    } else {
        match kind.to_ascii_lowercase() {
            'f' => fixed(n, precision),
            'e' => exponential(n, precision),
            _ => general(n, precision.max(1), alternate),
        }
    };
    if kind.is_ascii_uppercase() { text.to_ascii_uppercase() } else { text }
}

/// Further digits are zeros, and Rust prints at most 65535.
const DIGITS: usize = 1100;

fn fixed(n: f64, precision: usize) -> String {
    let shown = precision.min(DIGITS);
    format!("{n:.shown$}{}", "0".repeat(precision - shown))
}

fn exponential(n: f64, precision: usize) -> String {
    let shown = precision.min(DIGITS);
    let text = format!("{n:.shown$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = format!("{digits}{}", "0".repeat(precision - shown));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn general(n: f64, precision: usize, alternate: bool) -> String {
    let scientific = exponential(n, precision - 1);
    let exponent: i64 = scientific.rsplit('e').next().and_then(|e| e.parse().ok()).unwrap_or(0);
    let limit = precision.to_i64().unwrap_or(i64::MAX);
    let strip = |digits: &str| match digits.contains('.') && !alternate {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    if exponent < -4 || exponent >= limit {
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
        return format!("{}e{exponent}", strip(digits));
    }
    let decimals = usize::try_from(limit - 1 - exponent).unwrap_or(0);
    strip(&fixed(n, decimals))
}
