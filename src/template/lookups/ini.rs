//! `ini`: values of ini and properties files.

use indexmap::IndexMap;
use playbook_api::{Error, ErrorKind, Map, Value};

use super::terms::{self, Options};
use super::{Lookup, files, search};
use crate::template::Renderer;
use crate::template::filters::Codec;
use crate::template::regex::{Flags, compile};

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("ini", ini)];

const OPTIONS: &[&str] = &[
    "type",
    "file",
    "section",
    "re",
    "encoding",
    "default",
    "case_sensitive",
    "allow_no_value",
    "allow_none",
    "interpolation",
];

/// The keys of a section; a key may have no value.
type Section = IndexMap<String, Option<String>>;

fn ini(terms: &[Value], call: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for term in terms {
        let text = term.to_text();
        let (key, inline) =
            if text.contains('=') { terms::parse(&text)? } else { (text.trim().to_owned(), Map::default()) };
        let options = Options { lookup: "ini", inline, call };
        options.check(OPTIONS).map_err(|e| Error::new(format!("{}.", e.message())))?;
        if key.is_empty() {
            return Err(Error::new(
                "No key to look up was provided as first term within string inline options",
            ));
        }
        match lookup(&key, &options, renderer)? {
            Some(Value::List(values)) => found.extend(values.iter().cloned()),
            Some(value) => found.push(value),
            None => {}
        }
    }
    Ok(found)
}

fn lookup(key: &str, options: &Options, renderer: &Renderer) -> Result<Option<Value>, Error> {
    let file = options.text("file").unwrap_or_else(|| "ansible.ini".into());
    let path = search::find(renderer, "files", &file)
        .ok_or_else(|| Error::new(format!("Invalid filename: '{file}'")).with_kind(ErrorKind::NotFound))?;
    let codec = Codec::find(&options.text("encoding").unwrap_or_else(|| "utf-8".into()))?;
    let text = codec.decode(&files::read(renderer, &path)?.0);
    let properties = match options.text("type").as_deref() {
        None | Some("ini") => false,
        Some("properties") => true,
        Some(other) => return Err(Error::new(format!("type must be ini or properties, not '{other}'"))),
    };
    let reader = Reader {
        file: path.to_string_lossy().into_owned(),
        case_sensitive: options.flag("case_sensitive", false)?,
        allow_no_value: options.flag("allow_no_value", false)? || options.flag("allow_none", false)?,
    };
    let (text, section) = if properties {
        (format!("[java_properties]\n{text}"), "java_properties".to_owned())
    } else {
        (text, options.text("section").unwrap_or_else(|| "global".into()))
    };
    let sections = reader.read(&text)?;
    let interpolate = options.flag("interpolation", true)?;
    let missing = || Error::new(format!("No section '{section}' in '{file}'."));
    let empty = Section::new();
    let defaults = sections.get("DEFAULT").unwrap_or(&empty);
    let value = |section: &Section, key: &str| match section.get(key).or_else(|| defaults.get(key)) {
        Some(Some(value)) if interpolate => {
            interpolated(value, section, defaults, 0).map(|value| Some(value.into()))
        }
        Some(value) => Ok(Some(value.clone().map_or(Value::from(Vec::<Value>::new()), Value::from))),
        None => Ok(None),
    };
    if options.flag("re", false)? {
        let pattern = compile(key, Flags { ignore_case: !reader.case_sensitive, multiline: false })?;
        let mut values = Vec::new();
        if let Some(section) = sections.get(&section) {
            for name in section.keys().chain(defaults.keys()) {
                if pattern
                    .search(name, 0)?
                    .is_some_and(|found| found.get(0).is_some_and(|found| found.start() == 0))
                {
                    values.extend(value(section, name)?);
                }
            }
        }
        return Ok(Some(values.into()));
    }
    let section = sections.get(&section).ok_or_else(missing)?;
    let key = if reader.case_sensitive { key.to_owned() } else { key.to_lowercase() };
    Ok(match value(section, &key)? {
        Some(value) => Some(value),
        None => Some(options.get("default").cloned().unwrap_or_else(|| "".into())),
    })
}

/// Replaces `%(name)s` with other values of the section.
fn interpolated(text: &str, section: &Section, defaults: &Section, depth: usize) -> Result<String, Error> {
    if depth > 10 {
        return Err(Error::new(format!("the interpolation of '{text}' nests too deeply")));
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix('(').and_then(|after| after.split_once(")s")) {
            let name = name.to_lowercase();
            let value = section.get(&name).or_else(|| defaults.get(&name)).and_then(Option::as_ref);
            let value = value.ok_or_else(|| {
                Error::new(format!("Bad value substitution: '{text}' names '{name}', which does not exist"))
            })?;
            out.push_str(&interpolated(value, section, defaults, depth + 1)?);
            rest = after;
        } else {
            return Err(Error::new(format!("'%' must be followed by '%' or '(', found: '%{after}'")));
        }
    }
    Ok(out + rest)
}

struct Reader {
    file: String,
    case_sensitive: bool,
    allow_no_value: bool,
}

impl Reader {
    /// Parses the format of Python's `configparser`: indented lines continue a value.
    fn read(&self, text: &str) -> Result<IndexMap<String, Section>, Error> {
        let mut sections: IndexMap<String, Section> = IndexMap::new();
        let mut current: Option<String> = None;
        let mut last: Option<(String, usize)> = None;
        for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let number = at + 1;
            let trimmed = line.trim();
            if trimmed.starts_with(['#', ';']) {
                continue;
            }
            let indent = line.len() - line.trim_start().len();
            let section = current.as_ref().and_then(|name| sections.get_mut(name));
            if let (Some((key, depth)), Some(section)) = (&last, section)
                && (trimmed.is_empty() || indent > *depth)
            {
                if let Some(Some(value)) = section.get_mut(key) {
                    value.push('\n');
                    value.push_str(trimmed);
                }
                continue;
            }
            if trimmed.is_empty() {
                continue;
            }
            last = None;
            if let Some(name) =
                trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name)
            {
                if sections.contains_key(name) && name != "DEFAULT" {
                    return Err(Error::new(format!(
                        "While reading from '{}' [line {number:2}]: section '{name}' already exists",
                        self.file
                    )));
                }
                sections.entry(name.to_owned()).or_default();
                current = Some(name.to_owned());
                continue;
            }
            let Some(section) = current.as_ref().and_then(|name| Some((name, sections.get_mut(name)?)))
            else {
                return Err(Error::new(format!(
                    "File contains no section headers.\nfile: '{}', line: {number}\n'{trimmed}'",
                    self.file
                )));
            };
            let (name, section) = section;
            let (key, value) = match trimmed.split_once(['=', ':']) {
                Some((key, value)) => (key.trim_end(), Some(value.trim().to_owned())),
                None if self.allow_no_value => (trimmed, None),
                None => {
                    return Err(Error::new(format!(
                        "Source contains parsing errors: '{}' [line {number:2}]: '{trimmed}'",
                        self.file
                    )));
                }
            };
            let key = if self.case_sensitive { key.to_owned() } else { key.to_lowercase() };
            if section.contains_key(&key) {
                return Err(Error::new(format!(
                    "Duplicate option in '{}': option '{key}' in section '{name}' already exists (line {number})",
                    self.file
                )));
            }
            section.insert(key.clone(), value);
            last = Some((key, indent));
        }
        for value in sections.values_mut().flat_map(Section::values_mut).flatten() {
            *value = value.trim_end().to_owned();
        }
        Ok(sections)
    }
}
