//! `comment`: text as a comment of some language.

use playbook_api::{Error, Value};

use super::arguments::{given, number};
use crate::template::{Call, Function, budget};

pub(super) const FILTERS: &[Function] = &[Function::new("comment", comment)];

/// A style's decoration of lines, and its beginning and end.
fn style(name: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match name {
        "plain" => ("# ", "", ""),
        "erlang" => ("% ", "", ""),
        "c" => ("// ", "", ""),
        "cblock" => (" * ", "/*", " */"),
        "xml" => (" - ", "<!--", "-->"),
        _ => return None,
    })
}

fn comment(call: &mut Call) -> Result<Value, Error> {
    let name = match call.args.first() {
        Some(name) => name.to_text().into_owned(),
        None => call.take("style").map_or_else(|| "plain".into(), |name| name.to_text().into_owned()),
    };
    call.args.clear();
    let (decoration, beginning, end) =
        style(&name).ok_or_else(|| Error::new(format!("Invalid style '{name}'.")))?;
    let mut option = |name: &str| given(call.take(name)).map(|value| value.to_text().into_owned());
    let newline = option("newline").unwrap_or_else(|| "\n".into());
    let decoration = option("decoration").unwrap_or_else(|| decoration.into());
    let beginning = option("beginning").unwrap_or_else(|| beginning.into());
    let end = option("end").unwrap_or_else(|| end.into());
    let edge = |given: Option<String>| given.unwrap_or_else(|| decoration.trim_end().to_owned());
    let (prefix, postfix) = (edge(option("prefix")), edge(option("postfix")));
    let count = |call: &mut Call, name: &str| {
        let count = number(&given(call.take(name)), 1)?;
        Ok::<usize, Error>(usize::try_from(count).unwrap_or(0).min(10_000))
    };
    let (prefix_count, postfix_count) = (count(call, "prefix_count")?, count(call, "postfix_count")?);

    let text = call.input.to_text();
    let edges =
        (prefix.len() + newline.len()) * prefix_count + (postfix.len() + newline.len()) * postfix_count;
    let inside = if newline.is_empty() { text.len() + 1 } else { text.matches(&newline).count() + 1 };
    budget::room(text.len() + edges + inside.saturating_mul(decoration.len() + newline.len()))?;
    let opening = if beginning.is_empty() { String::new() } else { format!("{beginning}{newline}") };
    let before = match prefix.as_str() {
        "" => String::new(),
        prefix if prefix == newline => newline.repeat(prefix_count),
        prefix => format!("{prefix}{newline}").repeat(prefix_count),
    };
    let body = format!("{decoration}{}", text.replace(&newline, &format!("{newline}{decoration}")));
    // A line of nothing but decoration keeps no space at its end.
    let body =
        body.replace(&format!("{decoration}{newline}"), &format!("{}{newline}", decoration.trim_end()));
    let after = format!("{newline}{postfix}").repeat(postfix_count);
    let closing = if end.is_empty() { String::new() } else { format!("{newline}{end}") };
    Ok(format!("{opening}{before}{body}{after}{closing}").into())
}
