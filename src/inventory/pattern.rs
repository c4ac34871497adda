//! Host patterns: `web:&prod:!web1`, `~regex`, `www[0:2]`, `*.example.org`.

use std::path::Path;
use std::sync::Arc;

use fancy_regex::Regex;
use indexmap::IndexSet;
use playbook_api::{Error, Place};

use super::address;
use super::model::{Inventory, LOCALHOST};
use crate::paths::cannot_read;
use crate::settings::Settings;

/// Splits a list of patterns at commas, or else at colons that are not part of an address or a range.
///
/// ```
/// use playbook::inventory::split_pattern;
/// assert_eq!(split_pattern("web:&prod:!web[1:3]"), ["web", "&prod", "!web[1:3]"]);
/// assert_eq!(split_pattern("a, ::1"), ["a", "::1"]);
/// assert_eq!(split_pattern("fe80::1"), ["fe80::1"]);
/// ```
pub fn split_pattern(pattern: &str) -> Vec<String> {
    let parts: Vec<String> = if pattern.contains(',') {
        pattern.split(',').map(str::to_owned).collect()
    } else if address::split_port(pattern).is_some() {
        vec![pattern.to_owned()]
    } else {
        let mut parts = vec![String::new()];
        let mut inside = false;
        for c in pattern.chars() {
            match c {
                '[' => inside = true,
                ']' => inside = false,
                _ => {}
            }
            let ends = !inside && (c == ':' || c.is_whitespace());
            match parts.last_mut() {
                Some(part) if !ends => part.push(c),
                _ => parts.push(String::new()),
            }
        }
        parts
    };
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Returns the patterns of `--limit`. `@file` means the lines of a file.
pub(super) fn limit_patterns(limit: &str) -> Result<Vec<String>, Error> {
    let mut patterns = Vec::new();
    for part in split_pattern(limit) {
        let Some(file) = part.strip_prefix('@') else {
            patterns.push(part);
            continue;
        };
        let path = Path::new(file);
        if path.is_dir() {
            return Err(Error::new(format!(
                "Limit starting with \"@\" must be a file, not a directory: {file}"
            )));
        }
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::new(format!("Unable to find limit file {file}")).caused_by(cannot_read(path, e))
        })?;
        patterns.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(patterns)
}

impl Inventory {
    /// Returns the hosts that a pattern selects, in the inventory's order, each once, and warnings
    /// (`host_pattern_mismatch`). `@file` means the patterns in a file.
    pub fn select(&self, pattern: &str, settings: &Settings) -> Result<(Vec<Arc<str>>, Vec<String>), Error> {
        let patterns = limit_patterns(pattern)?;
        let mut selection = Selection { mismatch: &settings.host_pattern_mismatch, warnings: Vec::new() };
        let hosts = self.evaluate(&patterns, &mut selection)?;
        Ok((hosts, selection.warnings))
    }

    fn evaluate(&self, patterns: &[String], selection: &mut Selection) -> Result<Vec<Arc<str>>, Error> {
        let of = |sign: char| patterns.iter().filter_map(move |pattern| pattern.strip_prefix(sign));
        let mut regular: Vec<&str> =
            patterns.iter().map(String::as_str).filter(|p| !p.starts_with(['!', '&'])).collect();
        if regular.is_empty() {
            regular.push("all");
        }
        let mut hosts: IndexSet<Arc<str>> = IndexSet::new();
        for pattern in regular {
            match self.hosts.get_key_value(pattern) {
                Some((name, _)) => {
                    hosts.insert(name.clone());
                }
                None => hosts.extend(self.matches(pattern, selection)?),
            }
        }
        for pattern in of('&') {
            let that: IndexSet<Arc<str>> = self.matches(pattern.trim(), selection)?.into_iter().collect();
            hosts.retain(|host| that.contains(host));
        }
        for pattern in of('!') {
            let that: IndexSet<Arc<str>> = self.matches(pattern.trim(), selection)?.into_iter().collect();
            hosts.retain(|host| !that.contains(host));
        }
        Ok(hosts.into_iter().collect())
    }

    fn matches(&self, pattern: &str, selection: &mut Selection) -> Result<Vec<Arc<str>>, Error> {
        let (expression, subscript) = split_subscript(pattern);
        let hosts = self.enumerate(expression, selection)?;
        let Some(subscript) = subscript.filter(|_| !hosts.is_empty()) else { return Ok(hosts) };
        let count = hosts.len() as i64;
        let from_end = |index: i64| if index < 0 { index + count } else { index };
        let none = || Error::new(format!("No hosts matched the subscripted pattern '{pattern}'"));
        match subscript {
            Subscript::One(index) => {
                let index = usize::try_from(from_end(index)).map_err(|_| none())?;
                hosts.get(index).cloned().map(|host| vec![host]).ok_or_else(none)
            }
            Subscript::Range(start, end) => {
                let end = end.unwrap_or(hosts.len());
                Ok(hosts.into_iter().take(end.saturating_add(1)).skip(start).collect())
            }
        }
    }

    /// Returns the hosts of every matching group; if none matches, or the pattern is not a plain name, the
    /// matching hosts.
    fn enumerate(&self, pattern: &str, selection: &mut Selection) -> Result<Vec<Arc<str>>, Error> {
        let matcher = Matcher::new(pattern)?;
        let mut hosts: IndexSet<Arc<str>> = IndexSet::new();
        let groups: Vec<&Arc<str>> = match &matcher {
            Matcher::Name(name) => {
                self.groups.get_key_value(*name).map(|(name, _)| name).into_iter().collect()
            }
            matcher => self.groups.keys().filter(|name| matcher.matches(name)).collect(),
        };
        for group in &groups {
            hosts.extend(self.hosts_of(group));
        }
        match &matcher {
            Matcher::Name(name) if groups.is_empty() || name.contains('.') => {
                hosts.extend(self.hosts.get_key_value(*name).map(|(name, _)| name.clone()));
            }
            Matcher::Name(_) => {}
            matcher => hosts.extend(self.hosts.keys().filter(|name| matcher.matches(name)).cloned()),
        }
        if hosts.is_empty() && LOCALHOST.contains(&pattern) {
            hosts.extend(self.host(pattern).map(|host| host.name.clone()));
        }
        if hosts.is_empty() && groups.is_empty() && pattern != "all" {
            let message = format!("Could not match supplied host pattern, ignoring: {pattern}");
            match selection.mismatch {
                "error" => {
                    return Err(Error::new(message).with_help("Check the pattern against `--list-hosts`."));
                }
                "warning" if !selection.warnings.contains(&message) => selection.warnings.push(message),
                _ => {}
            }
        }
        Ok(hosts.into_iter().collect())
    }
}

/// The state of a match beside its result.
struct Selection<'a> {
    mismatch: &'a str,
    warnings: Vec<String>,
}

enum Subscript {
    One(i64),
    /// From one index to another, inclusive; without an end, to the last.
    Range(usize, Option<usize>),
}

/// Parses `web[1]`, `web[-1]`, `web[0:2]`, `web[2:]`. In a regular expression, brackets have another meaning.
fn split_subscript(pattern: &str) -> (&str, Option<Subscript>) {
    let split = || {
        let (name, inside) = pattern.strip_suffix(']')?.rsplit_once('[')?;
        let number = |text: &str| -> Option<usize> {
            text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
        };
        let subscript =
            match inside.split_once(':').or_else(|| inside.split_once('-').filter(|(a, _)| !a.is_empty())) {
                Some((start, "")) => Subscript::Range(number(start)?, None),
                Some((start, end)) => Subscript::Range(number(start)?, Some(number(end)?)),
                None => Subscript::One(inside.parse().ok().filter(|_| !inside.starts_with('+'))?),
            };
        (!name.is_empty()).then_some((name, Some(subscript)))
    };
    if pattern.starts_with('~') { (pattern, None) } else { split().unwrap_or((pattern, None)) }
}

enum Matcher<'a> {
    Name(&'a str),
    Expression(Box<Regex>),
}

impl Matcher<'_> {
    fn new(pattern: &str) -> Result<Matcher<'_>, Error> {
        let expression = match pattern.strip_prefix('~') {
            Some(expression) => format!("^(?:{expression})"),
            None if pattern.contains(['*', '?', '[']) => glob_expression(pattern),
            None => return Ok(Matcher::Name(pattern)),
        };
        Regex::new(&expression).map(|regex| Matcher::Expression(Box::new(regex))).map_err(|e| {
            Error::new(format!("Invalid host list pattern: {pattern}"))
                .caused_by(Error::new(e.to_string()))
                .at(&Place::file_only("<host pattern>"))
        })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Matcher::Name(wanted) => *wanted == name,
            Matcher::Expression(regex) => regex.is_match(name).unwrap_or(false),
        }
    }
}

/// Converts a shell pattern to a regular expression.
pub(super) fn glob_expression(pattern: &str) -> String {
    let mut out = String::from("(?s)^");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                // A `]` right behind the bracket (or its `!`) is a member.
                let skip = usize::from(rest.starts_with('!'));
                let member = usize::from(rest[skip..].starts_with(']'));
                match rest[skip + member..].find(']') {
                    Some(end) => {
                        let inside = &rest[skip..skip + member + end];
                        let inside = inside.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
                        let not = if skip == 1 { "^" } else { "" };
                        out.push_str(&format!("[{not}{inside}]"));
                        rest = &rest[skip + member + end + 1..];
                    }
                    None => out.push_str("\\["),
                }
            }
            c => out.push_str(&fancy_regex::escape(&c.to_string())),
        }
    }
    out + "$"
}
