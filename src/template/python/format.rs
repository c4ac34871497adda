//! Python's `str.format` and its format specifications.

use num_bigint::Sign;
use playbook_api::{Error, Map, Value, python};

use super::access;
use super::printf::{self, MAX_WIDTH};
use crate::template::undefined;

/// `text.format(*args, **kwargs)`.
///
/// ```
/// use playbook::template::python::format::format;
/// use playbook_api::{Map, Value};
/// let text = format("{0:>4}|{0!r}", &[Value::from("a")], &Map::default()).unwrap();
/// assert_eq!(text, "   a|'a'".into());
/// ```
pub fn format(text: &str, args: &[Value], kwargs: &Map) -> Result<Value, Error> {
    let mut counter = 0;
    Ok(Value::from(fields(text, args, kwargs, &mut counter, 0)?))
}

fn fields(
    text: &str,
    args: &[Value],
    kwargs: &Map,
    counter: &mut usize,
    depth: usize,
) -> Result<String, Error> {
    if depth > 2 {
        return Err(Error::new("Max string recursion exceeded"));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find(['{', '}']) {
        out.push_str(&rest[..i]);
        let brace = &rest[i..=i];
        rest = &rest[i + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(Error::new("Single '}' encountered in format string"));
        }
        let end = closing(rest).ok_or_else(|| Error::new("expected '}' before end of string"))?;
        let field = &rest[..end];
        rest = &rest[end + 1..];
        let (field, spec) = match field.find(':') {
            Some(colon) => (&field[..colon], &field[colon + 1..]),
            None => (field, ""),
        };
        let (name, conversion) = match field.split_once('!') {
            Some((name, conversion)) => (name, Some(conversion)),
            None => (field, None),
        };
        let value = argument(name, args, kwargs, counter)?;
        undefined::check(&value)?;
        let spec = fields(spec, args, kwargs, counter, depth + 1)?;
        let value = match conversion {
            None => value,
            Some("s") => Value::from(value.to_text().into_owned()),
            Some("r" | "a") => Value::from(python::repr(&value)),
            Some(other) => {
                return Err(Error::new(format!("Unknown conversion specifier '{other}'")));
            }
        };
        out.push_str(&specified(&value, &spec)?);
    }
    out.push_str(rest);
    Ok(out)
}

/// Returns the end of a field, whose specification may contain braces.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    text.char_indices().find_map(|(i, c)| {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        (open == 0).then_some(i)
    })
}

fn argument(name: &str, args: &[Value], kwargs: &Map, counter: &mut usize) -> Result<Value, Error> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, mut path) = name.split_at(end);
    let position = |index: usize| {
        args.get(index).cloned().ok_or_else(|| {
            Error::new(format!("Replacement index {index} out of range for positional args tuple"))
        })
    };
    let mut value = if first.is_empty() {
        *counter += 1;
        position(*counter - 1)?
    } else if let Ok(index) = first.parse::<usize>() {
        position(index)?
    } else {
        kwargs.get(first).cloned().ok_or_else(|| Error::new(python::repr(&first.into())))?
    };
    while !path.is_empty() {
        if let Some(inner) = path.strip_prefix('[') {
            let (key, after) =
                inner.split_once(']').ok_or_else(|| Error::new("Missing ']' in format string"))?;
            let key = key.parse::<i64>().map_or_else(|_| Value::from(key), Value::Int);
            value = access::get_item(&value, &key)?;
            path = after;
        } else {
            let inner = &path[1..];
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            value = access::get_attribute(&value, &inner[..end])?;
            path = &inner[end..];
        }
    }
    Ok(value)
}

#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse(spec: &str) -> Result<Spec, Error> {
    let mut out = Spec::default();
    let mut chars = spec.chars().peekable();
    let is_align = |c: char| matches!(c, '<' | '>' | '=' | '^');
    let second = spec.chars().nth(1);
    if second.is_some_and(is_align) {
        out.fill = chars.next();
        out.align = chars.next();
    } else if chars.peek().copied().is_some_and(is_align) {
        out.align = chars.next();
    }
    out.sign = chars.next_if(|c| matches!(c, '+' | '-' | ' '));
    chars.next_if_eq(&'z');
    out.alternate = chars.next_if_eq(&'#').is_some();
    if chars.next_if_eq(&'0').is_some() && out.align.is_none() {
        out.fill = Some('0');
        out.align = Some('=');
    }
    let number = |chars: &mut std::iter::Peekable<std::str::Chars>| {
        let mut digits = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        digits.parse::<usize>().ok().map(|n| n.min(MAX_WIDTH))
    };
    out.width = number(&mut chars).unwrap_or(0);
    out.grouping = chars.next_if(|c| matches!(c, ',' | '_'));
    if chars.next_if_eq(&'.').is_some() {
        out.precision =
            Some(number(&mut chars).ok_or_else(|| Error::new("Format specifier missing precision"))?);
    }
    out.kind = chars.next();
    match chars.next() {
        None => Ok(out),
        Some(_) => Err(Error::new("Invalid format specifier")),
    }
}

/// Python's `format(value, spec)`.
pub fn specified(value: &Value, spec: &str) -> Result<String, Error> {
    if spec.is_empty() {
        return Ok(value.to_text().into_owned());
    }
    if let Some(text) = super::datetime::formatted(value, spec) {
        return text;
    }
    let spec = parse(spec)?;
    let unknown = |kind: char| {
        let name = value.type_name();
        Error::new(format!("Unknown format code '{kind}' for object of type '{name}'"))
    };
    match value {
        Value::Str(text) => {
            if let Some(kind) = spec.kind.filter(|kind| *kind != 's') {
                return Err(unknown(kind));
            }
            let text = match spec.precision {
                Some(precision) => text.chars().take(precision).collect(),
                None => text.to_string(),
            };
            Ok(pad("", text, &spec, '<'))
        }
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_)
            if spec.kind.is_none_or(|kind| matches!(kind, 'b' | 'c' | 'd' | 'o' | 'x' | 'X' | 'n')) =>
        {
            if matches!((value, spec.kind), (Value::Bool(_), None)) {
                return Ok(pad("", value.to_text().into_owned(), &spec, '<'));
            }
            let number = value.integer().map(|n| n.into_owned()).unwrap_or_default();
            let (radix, prefix) = match spec.kind {
                Some('b') => (2, "0b"),
                Some('o') => (8, "0o"),
                Some('x') => (16, "0x"),
                Some('X') => (16, "0X"),
                Some('c') => {
                    let code = value.as_i64().and_then(|n| u32::try_from(n).ok()).and_then(char::from_u32);
                    let code = code.ok_or_else(|| Error::new("%c arg not in range(0x110000)"))?;
                    return Ok(pad("", code.to_string(), &spec, '<'));
                }
                _ => (10, ""),
            };
            let mut digits = number.magnitude().to_str_radix(radix);
            if spec.kind == Some('X') {
                digits.make_ascii_uppercase();
            }
            let digits = group(&digits, spec.grouping, if radix == 10 { 3 } else { 4 });
            let sign = sign(number.sign() == Sign::Minus, &spec);
            let prefix = if spec.alternate { prefix } else { "" };
            Ok(pad(&format!("{sign}{prefix}"), digits, &spec, '>'))
        }
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            let number = value.as_f64().unwrap_or(f64::NAN);
            let size = number.abs();
            let body = match (spec.kind, spec.precision) {
                (None, None) => python::float(size),
                (None, Some(precision)) => {
                    let text = printf::float(size, 'g', precision, false);
                    if text.contains(['.', 'e', 'n']) { text } else { text + ".0" }
                }
                (Some('%'), precision) => {
                    printf::float(size * 100.0, 'f', precision.unwrap_or(6), false) + "%"
                }
                (Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G')), precision) => {
                    printf::float(size, kind, precision.unwrap_or(6), spec.alternate)
                }
                (Some('n'), precision) => printf::float(size, 'g', precision.unwrap_or(6), false),
                (Some(kind), _) => return Err(unknown(kind)),
            };
            let end = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
            let body = group(&body[..end], spec.grouping, 3) + &body[end..];
            let negative = number.is_sign_negative() && !number.is_nan();
            Ok(pad(sign(negative, &spec), body, &spec, '>'))
        }
        other => {
            let name = other.type_name();
            Err(Error::new(format!("unsupported format string passed to {name}.__format__")))
        }
    }
}

fn sign(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    }
}

fn group(digits: &str, separator: Option<char>, size: usize) -> String {
    let Some(separator) = separator else {
        return digits.to_owned();
    };
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(size) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

fn pad(prefix: &str, body: String, spec: &Spec, default: char) -> String {
    let length = prefix.chars().count() + body.chars().count();
    let missing = spec.width.saturating_sub(length);
    let fill = |count: usize| spec.fill.unwrap_or(' ').to_string().repeat(count);
    match spec.align.unwrap_or(default) {
        '<' => format!("{prefix}{body}{}", fill(missing)),
        '^' => format!("{}{prefix}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
        '=' => format!("{prefix}{}{body}", fill(missing)),
        _ => format!("{}{prefix}{body}", fill(missing)),
    }
}
