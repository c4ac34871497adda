//! Text: case, padding, cutting, wrapping.

use playbook_api::{Error, Value};

use super::arguments::{flag, given, integer, number, size, text};
use super::wrap;
use crate::template::python::printf;
use crate::template::{Call, Function, budget};

pub(super) const FILTERS: &[Function] = &[
    Function::new("upper", upper),
    Function::new("lower", lower),
    Function::new("capitalize", capitalize),
    Function::new("title", title),
    Function::new("trim", trim),
    Function::new("replace", replace),
    Function::new("center", center),
    Function::new("indent", indent),
    Function::new("format", format),
    Function::new("string", string),
    Function::new("wordcount", wordcount),
    Function::new("wordwrap", wordwrap),
    Function::new("truncate", truncate),
    Function::new("split", split),
];

fn upper(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(call.input.to_text().to_uppercase().into())
}

fn lower(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(call.input.to_text().to_lowercase().into())
}

fn capitalize(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(capitalized(&call.input.to_text()).into())
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    first + &characters.as_str().to_lowercase()
}

/// Words begin after a space, a hyphen or an opening bracket.
fn title(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let text = call.input.to_text();
    let is_separator = |c: char| c.is_whitespace() || "-({[<".contains(c);
    Ok(text.split_inclusive(is_separator).map(capitalized).collect::<String>().into())
}

fn trim(call: &mut Call) -> Result<Value, Error> {
    let [characters] = call.bind(["chars"], 0)?;
    let text = call.input.to_text();
    Ok(match given(characters) {
        None => text.trim().into(),
        Some(set) => {
            let set = set.to_text();
            text.trim_matches(|c| set.contains(c)).into()
        }
    })
}

fn replace(call: &mut Call) -> Result<Value, Error> {
    let [old, new, count] = call.bind(["old", "new", "count"], 2)?;
    let (subject, old, new) = (call.input.to_text(), text(&old, ""), text(&new, ""));
    let count = number(&given(count), -1)?;
    budget::replace(&subject, &old, &new, usize::try_from(count).ok()).map(Value::from)
}

fn center(call: &mut Call) -> Result<Value, Error> {
    let [width] = call.bind(["width"], 0)?;
    let text = call.input.to_text();
    let width = size(&width, 80)?;
    let Some(padding) = width.checked_sub(text.chars().count()) else { return Ok(text.into()) };
    let left = padding / 2 + (padding & width & 1);
    Ok(format!("{}{text}{}", " ".repeat(left), " ".repeat(padding - left)).into())
}

/// Indents every line except the first one and empty ones, unless the options include them.
fn indent(call: &mut Call) -> Result<Value, Error> {
    let [width, first, blank] = call.bind(["width", "first", "blank"], 0)?;
    let text = match &call.input {
        Value::Str(text) => text.to_string(),
        other => {
            return Err(Error::new(format!(
                "unsupported operand type(s) for +=: '{}' and 'str'",
                other.type_name()
            )));
        }
    };
    let indention = match &width {
        Some(Value::Str(text)) => text.to_string(),
        width => " ".repeat(size(width, 4)?),
    };
    let blank = flag(&blank, false);
    let lines = text.matches('\n').count() + 1;
    budget::room(lines.saturating_mul(indention.len()).saturating_add(text.len()))?;
    let mut out = String::new();
    if flag(&first, false) {
        out.push_str(&indention);
    }
    for (at, line) in wrap::lines(&(text + "\n")).into_iter().enumerate() {
        if at > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&indention);
            }
        }
        out.push_str(line);
    }
    Ok(out.into())
}

fn format(call: &mut Call) -> Result<Value, Error> {
    let template = call.input.to_text().into_owned();
    if !call.args.is_empty() && !call.kwargs.is_empty() {
        return Err(Error::new("can't handle positional and keyword arguments at the same time"));
    }
    let operand = if call.kwargs.is_empty() {
        super::arguments::tuple(std::mem::take(&mut call.args))
    } else {
        Value::from(std::mem::take(&mut call.kwargs))
    };
    printf::format(&template, &operand)
}

fn string(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(match call.input() {
        text @ Value::Str(_) => text,
        other => other.to_text().into(),
    })
}

fn wordcount(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let text = call.input.to_text();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    Ok(text.split(|c| !is_word(c)).filter(|word| !word.is_empty()).count().into())
}

fn wordwrap(call: &mut Call) -> Result<Value, Error> {
    let [width, break_long, newline, on_hyphens] =
        call.bind(["width", "break_long_words", "wrapstring", "break_on_hyphens"], 0)?;
    let width = number(&width, 79)?;
    let width = usize::try_from(width)
        .ok()
        .filter(|width| *width > 0)
        .ok_or_else(|| Error::new(format!("invalid width {width} (must be > 0)")))?;
    let style =
        wrap::Style { width, break_long_words: flag(&break_long, true), on_hyphens: flag(&on_hyphens, true) };
    let newline = given(newline);
    let newline = text(&newline, "\n");
    let input = call.input.to_text();
    let lines: Vec<String> =
        wrap::lines(&input).iter().map(|line| wrap::wrap(line, style).join(&*newline)).collect();
    Ok(lines.join(&*newline).into())
}

fn truncate(call: &mut Call) -> Result<Value, Error> {
    let [length, kill_words, end, leeway] = call.bind(["length", "killwords", "end", "leeway"], 0)?;
    let (length, end) = (number(&length, 255)?, text(&end, "..."));
    let leeway = given(leeway).map_or(Ok(5), |n| integer(&n))?;
    let end_length = end.chars().count();
    let size = |n: i64| usize::try_from(n).unwrap_or(0);
    if size(length) < end_length {
        return Err(Error::new(format!("expected length >= {end_length}, got {length}")));
    }
    if leeway < 0 {
        return Err(Error::new(format!("expected leeway >= 0, got {leeway}")));
    }
    let text = call.input.to_text();
    if text.chars().count() <= size(length) + size(leeway) {
        return Ok(text.into());
    }
    let cut: String = text.chars().take(size(length) - end_length).collect();
    let kept =
        if flag(&kill_words, false) { &cut } else { cut.rsplit_once(' ').map_or(&*cut, |(kept, _)| kept) };
    Ok(format!("{kept}{end}").into())
}

/// Python's `str.split`.
fn split(call: &mut Call) -> Result<Value, Error> {
    let [separator, most] = call.bind(["sep", "maxsplit"], 0)?;
    let Value::Str(text) = &call.input else {
        return Err(Error::new(format!(
            "descriptor 'split' for 'str' objects doesn't apply to a '{}' object",
            call.input.type_name()
        )));
    };
    let most = usize::try_from(number(&most, -1)?).unwrap_or(usize::MAX - 1);
    let parts: Vec<&str> = match given(separator) {
        None => split_words(text, most),
        Some(Value::Str(separator)) if separator.is_empty() => return Err(Error::new("empty separator")),
        Some(Value::Str(separator)) => text.splitn(most.saturating_add(1), &*separator).collect(),
        Some(other) => {
            return Err(Error::new(format!("must be str or None, not {}", other.type_name())));
        }
    };
    Ok(Value::from(parts))
}

/// Splits at runs of white space, up to a limit. The rest keeps its white space.
pub(super) fn split_words(text: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest.trim_end());
            break;
        }
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        parts.push(word);
        rest = after.trim_start();
    }
    parts
}
