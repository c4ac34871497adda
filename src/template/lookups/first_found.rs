//! `first_found`: the first of several files that exists.

use playbook_api::{Error, ErrorKind, Map, Value};

use super::terms::flag;
use super::{Lookup, Undefined, search};
use crate::template::filters::paths;
use crate::template::{Deprecation, Renderer};

pub(super) const LOOKUPS: &[Lookup] =
    &[Lookup::new("first_found", first_found).taking(Undefined::Terms).with_lazy_terms()];

/// The directory of a role for an action's files, by the action's name.
fn directory_of(action: &str) -> &'static str {
    let directories = [("template", "templates"), ("var", "vars")];
    directories.iter().find(|(word, _)| action.contains(word)).map_or("files", |(_, directory)| directory)
}

/// A list of names, which may also be given as one text.
struct Names {
    /// The name of the list in messages.
    target: &'static str,
    separators: &'static [char],
    /// The separators, as Python prints them.
    shown: &'static str,
}

const TERMS: Names = Names { target: "files", separators: &[',', ';'], shown: "',;'" };
const FILES: Names = Names { target: "the 'files' option", ..TERMS };
const PATHS: Names = Names { target: "the \"paths\" option", separators: &[',', ':', ';'], shown: "',:;'" };

impl Names {
    fn split(&self, value: &Value, renderer: &Renderer, out: &mut Vec<String>) {
        match value {
            Value::List(items) | Value::Tuple(items) => {
                items.iter().for_each(|item| self.split(item, renderer, out));
            }
            Value::Str(text) => {
                if text.contains(self.separators) {
                    let Names { target, shown, .. } = self;
                    let what = format!("Automatic splitting of {target} on {shown} is deprecated.");
                    let help = format!("Provide a list of paths for {target} instead.");
                    let what = Error::new(what).with_help(help);
                    renderer.scope.deprecate(Deprecation::new(what, "2.23").of("lookup", "first_found"));
                }
                let names = text.split(self.separators).map(str::trim);
                out.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
            }
            Value::Null | Value::Undefined(_) => {}
            other => out.push(other.to_text().into_owned()),
        }
    }
}

/// Returns the names of a term, below each of its paths. Undefined names are skipped. A term that is a dict replaces
/// the options: for itself, for the terms behind it, and for what happens if there is no file.
fn collect(
    terms: &[Value],
    options: &mut Map,
    renderer: &Renderer,
    out: &mut Vec<String>,
) -> Result<(), Error> {
    for term in terms {
        let (files, kind) = match term {
            Value::Map(map) => {
                *options = (**map).clone();
                (map.get("files").cloned().unwrap_or_default(), FILES)
            }
            Value::Str(_) => (term.clone(), TERMS),
            Value::Undefined(_) => continue,
            Value::List(items) | Value::Tuple(items) => {
                collect(items, options, renderer, out)?;
                continue;
            }
            other => {
                return Err(Error::new(format!(
                    "Invalid term supplied. A string, dict or list is required, not '{}').",
                    other.type_name()
                )));
            }
        };
        let (mut names, mut directories) = (Vec::new(), Vec::new());
        kind.split(&files, renderer, &mut names);
        PATHS.split(options.get("paths").unwrap_or(&Value::Null), renderer, &mut directories);
        if directories.is_empty() {
            out.append(&mut names);
        } else {
            let below = |directory: &String| {
                names.iter().map(|name| paths::join(&[directory.clone(), name.clone()])).collect::<Vec<_>>()
            };
            out.extend(directories.iter().flat_map(below));
        }
    }
    Ok(())
}

fn first_found(terms: &[Value], options: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let mut names = Vec::new();
    let mut options = options.clone();
    match options.get("files").cloned() {
        Some(files) if terms.is_empty() => collect(&[files], &mut options, renderer, &mut names)?,
        _ => collect(terms, &mut options, renderer, &mut names)?,
    }
    let skip = flag("first_found", &options, "skip", false)?;
    let directory = directory_of(renderer.scope.action().unwrap_or_default());
    let found = names.iter().find_map(|name| search::find(renderer, directory, name));
    match found {
        Some(path) => Ok(vec![path.to_string_lossy().into_owned().into()]),
        None if skip => Ok(Vec::new()),
        None => Err(Error::new("No file was found when using first_found.")
            .with_kind(ErrorKind::NotFound)
            .with_help(format!(
                "It searched for {}. Set `skip: true` to get an empty result instead of an error.",
                if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
            ))),
    }
}
