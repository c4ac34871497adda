//! The methods of text.

use playbook_api::{Error, Value};

use super::super::{format, operators, printf};
use super::Args;
use super::list::bounded;
use crate::template::budget;

pub(super) const NAMES: [&str; 45] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
];

/// Calls a method of text.
pub(super) fn call(text: &str, args: &Args) -> Result<Value, Error> {
    for family in [case, pieces, search, padding, formats, question] {
        if let Some(value) = family(text, args)? {
            return Ok(value);
        }
    }
    Err(Error::new(format!("str.{}() is not supported", args.name)))
}

/// Calls a method that changes the case.
fn case(text: &str, args: &Args) -> Result<Option<Value>, Error> {
    Ok(Some(match args.name {
        "upper" => text.to_uppercase().into(),
        "lower" => text.to_lowercase().into(),
        "casefold" => text.to_lowercase().replace('ß', "ss").into(),
        "title" => title(text).into(),
        "capitalize" => {
            let mut chars = text.chars();
            let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
            (first + &chars.as_str().to_lowercase()).into()
        }
        "swapcase" => text
            .chars()
            .flat_map(|c| match c.is_uppercase() {
                true => c.to_lowercase().collect::<Vec<_>>(),
                false => c.to_uppercase().collect(),
            })
            .collect::<String>()
            .into(),
        _ => return Ok(None),
    }))
}

/// Calls a method that splits, joins or strips.
fn pieces(text: &str, args: &Args) -> Result<Option<Value>, Error> {
    Ok(Some(match args.name {
        "strip" => strip(text, args, true, true)?.into(),
        "lstrip" => strip(text, args, true, false)?.into(),
        "rstrip" => strip(text, args, false, true)?.into(),
        "split" => split(text, args)?,
        "rsplit" => rsplit(text, args)?,
        "splitlines" => lines(text, args.get(0, "keepends").is_some_and(Value::is_true)).into(),
        "join" => join(text, args)?,
        "replace" => {
            let (old, new) = (args.required_text(0)?, args.required_text(1)?);
            let count = args.integer(2, "count")?.and_then(|count| usize::try_from(count).ok());
            budget::replace(text, old, new, count)?.into()
        }
        "removeprefix" => {
            let prefix = args.required_text(0)?;
            text.strip_prefix(prefix).unwrap_or(text).into()
        }
        "removesuffix" => {
            let suffix = args.required_text(0)?;
            text.strip_suffix(suffix).unwrap_or(text).into()
        }
        _ => return Ok(None),
    }))
}

/// Calls a method that searches.
fn search(text: &str, args: &Args) -> Result<Option<Value>, Error> {
    Ok(Some(match args.name {
        "startswith" => affix(text, args, |text, part| text.starts_with(part))?,
        "endswith" => affix(text, args, |text, part| text.ends_with(part))?,
        "find" | "index" | "rfind" | "rindex" => find(text, args)?,
        "count" => {
            let (range, _) = range(text, args)?;
            let part = args.required_text(0)?;
            match part {
                "" => Value::from(range.chars().count() + 1),
                part => Value::from(range.matches(part).count()),
            }
        }
        "partition" => {
            let separator = separator(args)?;
            match text.split_once(separator) {
                Some((before, after)) => tuple([before, separator, after]),
                None => tuple([text, "", ""]),
            }
        }
        "rpartition" => {
            let separator = separator(args)?;
            match text.rsplit_once(separator) {
                Some((before, after)) => tuple([before, separator, after]),
                None => tuple(["", "", text]),
            }
        }
        _ => return Ok(None),
    }))
}

/// Calls a method that pads.
fn padding(text: &str, args: &Args) -> Result<Option<Value>, Error> {
    Ok(Some(match args.name {
        "zfill" => {
            let missing = missing(text, args)?;
            let signed = text.starts_with(['+', '-']);
            let (sign, digits) = text.split_at(usize::from(signed));
            format!("{sign}{}{digits}", "0".repeat(missing)).into()
        }
        "ljust" => format!("{text}{}", fill(args, missing(text, args)?)?).into(),
        "rjust" => format!("{}{text}", fill(args, missing(text, args)?)?).into(),
        "center" => {
            let missing = missing(text, args)?;
            let width = missing + text.chars().count();
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", fill(args, left)?, fill(args, missing - left)?).into()
        }
        "expandtabs" => expand_tabs(text, args)?.into(),
        _ => return Ok(None),
    }))
}

/// Calls a method that encodes or formats.
fn formats(text: &str, args: &Args) -> Result<Option<Value>, Error> {
    Ok(Some(match args.name {
        "encode" => Value::Bytes(text.as_bytes().into()),
        "format" => format::format(text, args.args, args.kwargs)?,
        "format_map" => {
            let map = args.required(0)?;
            let map = map.as_map().ok_or_else(|| args.wrong("a mapping", map))?;
            format::format(text, &[], map)?
        }
        _ => return Ok(None),
    }))
}

/// Calls a method that tests the characters.
fn question(text: &str, args: &Args) -> Result<Option<Value>, Error> {
    let all = |is: fn(char) -> bool| !text.is_empty() && text.chars().all(is);
    Ok(Some(Value::Bool(match args.name {
        "isidentifier" => {
            let mut chars = text.chars();
            let starts = chars.next().is_some_and(|c| c == '_' || c.is_alphabetic());
            starts && chars.all(|c| c == '_' || c.is_alphanumeric())
        }
        "isascii" => text.is_ascii(),
        "isprintable" => !text.chars().any(char::is_control),
        "islower" => cased(text, char::is_lowercase, char::is_uppercase),
        "isupper" => cased(text, char::is_uppercase, char::is_lowercase),
        "istitle" => text.chars().any(char::is_alphabetic) && title(text) == text,
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isspace" => all(char::is_whitespace),
        "isnumeric" => all(char::is_numeric),
        "isdigit" | "isdecimal" => all(|c| c.is_ascii_digit()),
        _ => return Ok(None),
    })))
}

/// Methods of bytes.
pub(super) fn bytes(bytes: &[u8], args: &Args) -> Result<Value, Error> {
    match args.name {
        "hex" => Ok(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>().into()),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(Error::new("'utf-8' codec can't decode the bytes")),
        },
    }
}

fn tuple<const N: usize>(parts: [&str; N]) -> Value {
    Value::Tuple(parts.into_iter().map(Value::from).collect())
}

fn cased(text: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(other)
}

fn title(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

fn strip<'t>(text: &'t str, args: &Args, start: bool, end: bool) -> Result<&'t str, Error> {
    let chars = args.text(0, "chars")?;
    let strips = |c: char| chars.map_or(c.is_whitespace(), |chars| chars.contains(c));
    let text = if start { text.trim_start_matches(strips) } else { text };
    Ok(if end { text.trim_end_matches(strips) } else { text })
}

fn separator<'a>(args: &Args<'a>) -> Result<&'a str, Error> {
    match args.required_text(0)? {
        "" => Err(Error::new("empty separator")),
        separator => Ok(separator),
    }
}

/// The largest number of pieces; `None` if there is no limit.
fn most(args: &Args) -> Result<Option<usize>, Error> {
    Ok(args.integer(1, "maxsplit")?.and_then(|n| usize::try_from(n).ok()))
}

fn split(text: &str, args: &Args) -> Result<Value, Error> {
    let most = most(args)?;
    let parts: Vec<&str> = match (args.text(0, "sep")?, most) {
        (Some(""), _) => return Err(Error::new("empty separator")),
        (Some(separator), None) => text.split(separator).collect(),
        (Some(separator), Some(most)) => text.splitn(most + 1, separator).collect(),
        (None, None) => text.split_whitespace().collect(),
        (None, Some(most)) => {
            let mut parts = Vec::new();
            let mut rest = text.trim_start();
            while !rest.is_empty() && parts.len() < most {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                parts.push(&rest[..end]);
                rest = rest[end..].trim_start();
            }
            if !rest.is_empty() {
                parts.push(rest);
            }
            parts
        }
    };
    Ok(parts.into())
}

fn rsplit(text: &str, args: &Args) -> Result<Value, Error> {
    let Some(most) = most(args)? else {
        return split(text, args);
    };
    let mut parts: Vec<&str> = match args.text(0, "sep")? {
        Some("") => return Err(Error::new("empty separator")),
        Some(separator) => text.rsplitn(most + 1, separator).collect(),
        None => {
            let mut parts = Vec::new();
            let mut rest = text.trim_end();
            while !rest.is_empty() && parts.len() < most {
                let start = rest.rfind(char::is_whitespace);
                let start = start.map_or(0, |i| i + rest[i..].chars().next().map_or(1, char::len_utf8));
                parts.push(&rest[start..]);
                rest = rest[..start].trim_end();
            }
            if !rest.is_empty() {
                parts.push(rest);
            }
            parts
        }
    };
    parts.reverse();
    Ok(parts.into())
}

fn lines(text: &str, keep: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']);
        let Some(end) = end else {
            lines.push(rest);
            break;
        };
        let width = match rest[end..].starts_with("\r\n") {
            true => 2,
            false => rest[end..].chars().next().map_or(1, char::len_utf8),
        };
        lines.push(&rest[..if keep { end + width } else { end }]);
        rest = &rest[end + width..];
    }
    lines
}

fn join(text: &str, args: &Args) -> Result<Value, Error> {
    let items = operators::iterate(args.required(0)?)?;
    let mut out = String::new();
    for (i, item) in items.iter().enumerate() {
        let Value::Str(item) = item else {
            let name = item.type_name();
            return Err(Error::new(format!("sequence item {i}: expected str instance, {name} found")));
        };
        let before = out.len();
        if i > 0 {
            out.push_str(text);
        }
        out.push_str(item);
        budget::grown(before, out.len())?;
    }
    Ok(out.into())
}

fn affix(text: &str, args: &Args, has: fn(&str, &str) -> bool) -> Result<Value, Error> {
    let (text, _) = range(text, args)?;
    let wanted = args.required(0)?;
    Ok(Value::Bool(match wanted {
        Value::Str(part) => has(text, part),
        Value::Tuple(parts) => parts.iter().filter_map(Value::as_str).any(|part| has(text, part)),
        other => {
            let (method, name) = (args.name, other.type_name());
            return Err(Error::new(format!("{method} first arg must be str or a tuple of str, not {name}")));
        }
    }))
}

/// Returns the part of the text between the optional second and third arguments, and the number of characters before
/// it.
fn range<'t>(text: &'t str, args: &Args) -> Result<(&'t str, usize), Error> {
    if args.args.len() < 2 {
        return Ok((text, 0));
    }
    let length = text.chars().count();
    let start = args.integer(1, "start")?.map_or(0, |i| bounded(i, length));
    let stop = args.integer(2, "end")?.map_or(length, |i| bounded(i, length));
    let offset = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(i, _)| i);
    Ok((text.get(offset(start)..offset(stop)).unwrap_or(""), start))
}

fn find(text: &str, args: &Args) -> Result<Value, Error> {
    let (range, before) = range(text, args)?;
    let part = args.required_text(0)?;
    let found = if args.name.starts_with('r') { range.rfind(part) } else { range.find(part) };
    match found {
        Some(i) => Ok(Value::from(before + range[..i].chars().count())),
        None if args.name.ends_with("index") => Err(Error::new("substring not found")),
        None => Ok(Value::Int(-1)),
    }
}

fn missing(text: &str, args: &Args) -> Result<usize, Error> {
    let width = args.integer(0, "width")?.ok_or_else(|| Error::new("a width is needed"))?;
    let width = usize::try_from(width).unwrap_or(0).min(printf::MAX_WIDTH);
    Ok(width.saturating_sub(text.chars().count()))
}

fn fill(args: &Args, count: usize) -> Result<String, Error> {
    let fill = args.text(1, "fillchar")?.unwrap_or(" ");
    if fill.chars().count() != 1 {
        return Err(Error::new("The fill character must be exactly one character long"));
    }
    Ok(fill.repeat(count))
}

fn expand_tabs(text: &str, args: &Args) -> Result<String, Error> {
    let size = usize::try_from(args.integer(0, "tabsize")?.unwrap_or(8)).unwrap_or(0).min(1000);
    let mut column = 0;
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let blank = size - column % size;
                out.extend(std::iter::repeat_n(' ', blank));
                column += blank;
            }
            '\t' => {}
            c => {
                out.push(c);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(out)
}
