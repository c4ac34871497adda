//! Python's `%` on text: `'%05.1f %(name)s' % …`.

use std::borrow::Cow;

use num_bigint::BigInt;
use num_traits::Signed;
use playbook_api::{Error, Value, python};

use super::arguments::truncate;

#[derive(Default)]
struct Directive {
    name: Option<String>,
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// The values a format takes from: a map for `%(name)s`, a tuple's items, or the one value.
struct Operand<'a> {
    value: &'a Value,
    next: usize,
    used_names: bool,
}

impl Operand<'_> {
    fn next(&mut self) -> Result<Value, Error> {
        let found = match self.value {
            Value::Tuple(items) => items.get(self.next).cloned(),
            value => (self.next == 0).then(|| value.clone()),
        };
        self.next += 1;
        found.ok_or_else(|| Error::new("not enough arguments for format string"))
    }

    fn named(&mut self, name: &str) -> Result<Value, Error> {
        self.used_names = true;
        match self.value {
            Value::Map(map) => map.get(name).cloned().ok_or_else(|| Error::new(format!("'{name}'"))),
            _ => Err(Error::new("format requires a mapping")),
        }
    }

    fn size(&mut self) -> Result<i64, Error> {
        self.next()?.as_i64().ok_or_else(|| Error::new("* wants int"))
    }

    /// Python minds values that are left over, except a map.
    fn is_exhausted(&self) -> bool {
        match self.value {
            Value::Tuple(items) => self.next >= items.len(),
            Value::Map(_) | Value::List(_) => true,
            _ => self.next > 0 || self.used_names,
        }
    }
}

/// `template % operand`.
pub fn format(template: &str, operand: &Value) -> Result<String, Error> {
    let mut operand = Operand { value: operand, next: 0, used_names: false };
    let mut out = String::new();
    let characters: Vec<char> = template.chars().collect();
    let mut at = 0;
    while let Some(c) = characters.get(at).copied() {
        at += 1;
        if c != '%' {
            out.push(c);
            continue;
        }
        let directive = directive(&characters, &mut at, &mut operand)?;
        let Some(kind) = characters.get(at).copied() else { return Err(Error::new("incomplete format")) };
        at += 1;
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match &directive.name {
            Some(name) => operand.named(name)?,
            None => operand.next()?,
        };
        convert(&mut out, &directive, kind, at - 1, &value)?;
    }
    if !operand.is_exhausted() {
        return Err(Error::new("not all arguments converted during string formatting"));
    }
    Ok(out)
}

fn directive(characters: &[char], at: &mut usize, operand: &mut Operand) -> Result<Directive, Error> {
    let mut directive = Directive::default();
    let peek = |at: usize| characters.get(at).copied();
    if peek(*at) == Some('(') {
        let mut depth = 1;
        let start = *at + 1;
        *at = start;
        while depth > 0 {
            match peek(*at) {
                Some('(') => depth += 1,
                Some(')') => depth -= 1,
                Some(_) => {}
                None => return Err(Error::new("incomplete format key")),
            }
            *at += 1;
        }
        directive.name = Some(characters[start..*at - 1].iter().collect());
    }
    while let Some(flag) = peek(*at) {
        match flag {
            '-' => directive.left = true,
            '+' => directive.plus = true,
            ' ' => directive.space = true,
            '0' => directive.zero = true,
            '#' => directive.alternate = true,
            _ => break,
        }
        *at += 1;
    }
    if let Some(width) = size(characters, at, operand)? {
        directive.left |= width < 0;
        directive.width = Some(checked_size(width)?);
    }
    if peek(*at) == Some('.') {
        *at += 1;
        directive.precision = Some(checked_size(size(characters, at, operand)?.unwrap_or(0).max(0))?);
    }
    while matches!(peek(*at), Some('h' | 'l' | 'L')) {
        *at += 1;
    }
    Ok(directive)
}

/// No sane format is wider than this; a template must not be able to take all memory.
fn checked_size(n: i64) -> Result<usize, Error> {
    usize::try_from(n.unsigned_abs())
        .ok()
        .filter(|n| *n <= 1_000_000)
        .ok_or_else(|| Error::new("width too big"))
}

fn size(characters: &[char], at: &mut usize, operand: &mut Operand) -> Result<Option<i64>, Error> {
    if characters.get(*at) == Some(&'*') {
        *at += 1;
        return operand.size().map(Some);
    }
    let mut number: Option<i64> = None;
    while let Some(digit) = characters.get(*at).and_then(|c| c.to_digit(10)) {
        number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit.into()));
        *at += 1;
    }
    Ok(number)
}

fn convert(
    out: &mut String,
    directive: &Directive,
    kind: char,
    at: usize,
    value: &Value,
) -> Result<(), Error> {
    if let Value::Undefined(reason) = value {
        return Err(Error::undefined(reason.to_string()));
    }
    let cut = |text: Cow<str>| match directive.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text.into_owned(),
    };
    match kind {
        's' => pad(out, directive, "", &cut(value.to_text()), false),
        'r' | 'a' => pad(out, directive, "", &cut(Cow::Owned(python::repr(value))), false),
        'c' => match value {
            Value::Str(text) if text.chars().count() == 1 => pad(out, directive, "", text, false),
            other => {
                let c = other.as_i64().and_then(|n| u32::try_from(n).ok()).and_then(char::from_u32);
                let c = c.ok_or_else(|| Error::new("%c requires int or char"))?;
                pad(out, directive, "", &c.to_string(), false);
            }
        },
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            let n = whole(kind, value)?;
            let magnitude = n.abs();
            let (prefix, digits) = match kind {
                'x' => ("0x", format!("{magnitude:x}")),
                'X' => ("0X", format!("{magnitude:X}")),
                'o' => ("0o", format!("{magnitude:o}")),
                _ => ("", magnitude.to_string()),
            };
            let zeros = "0".repeat(directive.precision.unwrap_or(0).saturating_sub(digits.len()));
            let prefix = if directive.alternate { prefix } else { "" };
            let sign = sign(directive, n.is_negative());
            pad(out, directive, &format!("{sign}{prefix}"), &(zeros + &digits), true);
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let n = value
                .as_f64()
                .ok_or_else(|| Error::new(format!("must be real number, not {}", value.type_name())))?;
            let text = float(n.abs(), kind, directive.precision.unwrap_or(6), directive.alternate);
            pad(out, directive, sign(directive, n.is_sign_negative()), &text, n.is_finite());
        }
        other => {
            return Err(Error::new(format!(
                "unsupported format character '{other}' (0x{:x}) at index {at}",
                other as u32
            )));
        }
    }
    Ok(())
}

fn whole(kind: char, value: &Value) -> Result<BigInt, Error> {
    let decimal = matches!(kind, 'd' | 'i' | 'u');
    match value {
        Value::Float(n) if decimal => match truncate(*n)?.integer() {
            Some(n) => Ok(n.into_owned()),
            None => Err(Error::new("not a number")),
        },
        value => value.integer().map(Cow::into_owned).ok_or_else(|| {
            let (wanted, kind) = if decimal { ("a real number", 'd') } else { ("an integer", kind) };
            Error::new(format!("%{kind} format: {wanted} is required, not {}", value.type_name()))
        }),
    }
}

fn sign(directive: &Directive, negative: bool) -> &'static str {
    match (negative, directive.plus, directive.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn pad(out: &mut String, directive: &Directive, sign: &str, text: &str, numeric: bool) {
    let length = sign.chars().count() + text.chars().count();
    let missing = directive.width.unwrap_or(0).saturating_sub(length);
    let (before, zeros, after) = match directive {
        Directive { left: true, .. } => (0, 0, missing),
        Directive { zero: true, .. } if numeric => (0, missing, 0),
        _ => (missing, 0, 0),
    };
    out.extend(std::iter::repeat_n(' ', before));
    out.push_str(sign);
    out.extend(std::iter::repeat_n('0', zeros));
    out.push_str(text);
    out.extend(std::iter::repeat_n(' ', after));
}

/// A non-negative float in C's `e`, `f` or `g` notation.
pub fn float(n: f64, kind: char, precision: usize, alternate: bool) -> String {
    let text = if !n.is_finite() {
        if n.is_nan() { "nan".to_owned() } else { "inf".to_owned() }
    } else {
        match kind.to_ascii_lowercase() {
            'f' => format!("{n:.precision$}"),
            'e' => scientific(n, precision),
            _ => {
                let precision = precision.max(1);
                let rounded = format!("{n:.*e}", precision - 1);
                let exponent: i64 = rounded.rsplit_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
                let wide = i64::try_from(precision).unwrap_or(i64::MAX);
                let text = if exponent < -4 || exponent >= wide {
                    scientific(n, precision - 1)
                } else {
                    let decimals = usize::try_from(wide - 1 - exponent).unwrap_or(0);
                    format!("{n:.decimals$}")
                };
                if alternate { text } else { without_trailing_zeros(&text) }
            }
        }
    };
    if kind.is_ascii_uppercase() { text.to_uppercase() } else { text }
}

fn scientific(n: f64, precision: usize) -> String {
    let text = format!("{n:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

fn without_trailing_zeros(text: &str) -> String {
    let (digits, exponent) = match text.split_once('e') {
        Some((digits, exponent)) => (digits, format!("e{exponent}")),
        None => (text, String::new()),
    };
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    format!("{digits}{exponent}")
}

#[cfg(test)]
mod tests {
    use playbook_api::map;

    use super::*;
    use crate::template::filters::arguments::tuple;

    #[test]
    fn directives_print_as_in_python() {
        let one =
            |template, value: Value| format(template, &tuple(vec![value])).unwrap_or_else(|e| e.to_string());
        assert_eq!(one("%05d|", 42.into()), "00042|");
        assert_eq!(one("%-5d|", 42.into()), "42   |");
        assert_eq!(one("%+.2f", Value::Float(1.005)), "+1.00");
        assert_eq!(one("%e", Value::Float(12345.678)), "1.234568e+04");
        assert_eq!(one("%g", Value::Float(0.0001)), "0.0001");
        assert_eq!(one("%g", Value::Float(1e-5)), "1e-05");
        assert_eq!(one("%#x", 255.into()), "0xff");
        assert_eq!(one("%08.3f", Value::Float(-2.5)), "-002.500");
        assert_eq!(one("%r", "a".into()), "'a'");
        assert_eq!(one("%.2s", "abc".into()), "ab");
        assert_eq!(one("%d", "a".into()), "%d format: a real number is required, not str");
        assert_eq!(one("%s %s", "a".into()), "not enough arguments for format string");
        assert_eq!(one("x", "a".into()), "not all arguments converted during string formatting");
        assert_eq!(
            format("%(a)s-%(b)d%%", &map! { "a" => "x", "b" => 2 }.into()).ok().as_deref(),
            Some("x-2%")
        );
    }
}
