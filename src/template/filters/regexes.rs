//! Filters of regular expressions.

use playbook_api::{Error, Value};

use super::arguments::{flag, given, number, text, tuple};
use crate::template::regex::{self, Flags};
use crate::template::{Call, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("regex_search", regex_search),
    Function::new("regex_findall", regex_findall),
    Function::new("regex_replace", regex_replace),
    Function::new("regex_escape", regex_escape),
];

/// Returns the match, or the groups that are requested as `\1` or `\g<name>`; `none` without a match.
fn regex_search(call: &mut Call) -> Result<Value, Error> {
    let flags = Flags {
        ignore_case: flag(&call.take("ignorecase"), false),
        multiline: flag(&call.take("multiline"), false),
    };
    let subject = call.input.to_text().into_owned();
    let mut wanted = std::mem::take(&mut call.args).into_iter();
    let regex = match call.take("regex").or_else(|| wanted.next()) {
        Some(regex) => regex,
        None => return Err(Error::new("regex_search() missing 1 required positional argument: 'regex'")),
    };
    call.bind([], 0)?;
    let pattern = regex::compile(&regex.to_text(), flags)?;
    let mut groups = Vec::new();
    for group in wanted {
        let group = group.to_text();
        let name = group.strip_prefix("\\g<").and_then(|rest| rest.split_once('>')).map(|(name, _)| name);
        let digits =
            || group.strip_prefix('\\').map(|rest| rest.trim_end_matches(|c: char| !c.is_ascii_digit()));
        let name = name.or_else(digits).ok_or_else(|| Error::new("Unknown argument"))?;
        let number = name.parse().ok().or_else(|| pattern.group(name));
        groups.push(number.filter(|number| *number <= pattern.groups()));
    }
    let Some(captures) = pattern.search(&subject, 0)? else { return Ok(Value::Null) };
    let value = |number| captures.get(number).map_or(Value::Null, |group| group.as_str().into());
    if groups.is_empty() {
        return Ok(value(0));
    }
    groups
        .into_iter()
        .map(|group| group.map(value).ok_or_else(|| Error::new("no such group")))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::from)
}

/// Returns the matches; with one group, its texts; with several groups, tuples of their texts.
fn regex_findall(call: &mut Call) -> Result<Value, Error> {
    let [regex, multiline, ignore_case] = call.bind(["regex", "multiline", "ignorecase"], 1)?;
    let flags = Flags { ignore_case: flag(&ignore_case, false), multiline: flag(&multiline, false) };
    let pattern = regex::compile(&text(&regex, ""), flags)?;
    let subject = call.input.to_text();
    let found = pattern.matches(&subject)?;
    let group = |captures: &fancy_regex::Captures<str>, number: usize| {
        Value::from(captures.get(number).map_or("", |group| group.as_str()))
    };
    Ok(found
        .iter()
        .map(|captures| match pattern.groups() {
            0 => group(captures, 0),
            1 => group(captures, 1),
            many => tuple((1..=many).map(|number| group(captures, number)).collect()),
        })
        .collect())
}

fn regex_replace(call: &mut Call) -> Result<Value, Error> {
    let [regex, replacement, ignore_case, multiline, count, mandatory] =
        call.bind(["pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"], 0)?;
    let flags = Flags { ignore_case: flag(&ignore_case, false), multiline: flag(&multiline, false) };
    let regex = text(&regex, "");
    let count = usize::try_from(number(&given(count), 0)?).unwrap_or(0);
    let mandatory = usize::try_from(number(&given(mandatory), 0)?).unwrap_or(0);
    let subject = call.input.to_text();
    let (replaced, times) =
        regex::compile(&regex, flags)?.replace(&subject, &text(&replacement, ""), count)?;
    if mandatory != 0 && mandatory != times {
        return Err(Error::new(format!(
            "'{regex}' should match {mandatory} times, but matches {count} times in '{subject}'"
        )));
    }
    Ok(replaced.into())
}

fn regex_escape(call: &mut Call) -> Result<Value, Error> {
    let [kind] = call.bind(["re_type"], 0)?;
    let subject = call.input.to_text();
    match &*text(&kind, "python") {
        "python" => Ok(regex::escaped(&subject).into()),
        "posix_basic" => {
            let special = |c: char| "].[^$*\\".contains(c);
            let escape = |c: char| if special(c) { format!("\\{c}") } else { c.to_string() };
            Ok(subject.chars().map(escape).collect::<String>().into())
        }
        "posix_extended" => Err(Error::new("Regex type (posix_extended) not yet implemented")),
        other => Err(Error::new(format!("Invalid regex type ({other})"))),
    }
}
