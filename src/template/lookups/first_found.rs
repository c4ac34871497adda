//! `first_found`: the first of several files that exists.

use playbook_api::{Error, ErrorKind, Map, Value};

use super::terms::flag;
use super::{Lookup, Undefined, search};
use crate::template::Renderer;
use crate::template::filters::paths;

pub const LOOKUPS: &[Lookup] =
    &[Lookup::new("first_found", first_found).taking(Undefined::Terms).with_lazy_terms().with_directory()];

/// The option by which a loop says in which folder of a role its action's files are.
pub const FOLDER: &str = "_folder";

/// Lists of names, which may also be written in one text.
fn split(value: &Value, separators: &[char], out: &mut Vec<String>) {
    match value {
        Value::List(items) | Value::Tuple(items) => {
            items.iter().for_each(|item| split(item, separators, out))
        }
        Value::Str(text) => {
            out.extend(
                text.split(separators).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned),
            );
        }
        Value::Null | Value::Undefined(_) => {}
        other => out.push(other.to_text().into_owned()),
    }
}

/// The names a term stands for, each below each of its paths. Undefined names are passed over.
fn collect(terms: &[Value], options: &Map, out: &mut Vec<String>, skip: &mut bool) -> Result<(), Error> {
    for term in terms {
        let (files, own) = match term {
            Value::Map(map) => (map.get("files").cloned().unwrap_or_default(), Some(&**map)),
            Value::Str(_) => (term.clone(), None),
            Value::Undefined(_) => continue,
            Value::List(items) | Value::Tuple(items) => {
                collect(items, options, out, skip)?;
                continue;
            }
            other => {
                return Err(Error::new(format!(
                    "Invalid term supplied. A string, dict or list is required, not '{}').",
                    other.type_name()
                )));
            }
        };
        let option = |name: &str| own.and_then(|own| own.get(name)).or_else(|| options.get(name));
        let (mut names, mut folders) = (Vec::new(), Vec::new());
        split(&files, &[',', ';'], &mut names);
        split(option("paths").unwrap_or(&Value::Null), &[',', ':', ';'], &mut folders);
        *skip |= flag("first_found", own.unwrap_or(options), "skip", false)?;
        if folders.is_empty() {
            out.append(&mut names);
        } else {
            let below = |folder: &String| {
                names.iter().map(|name| paths::join(&[folder.clone(), name.clone()])).collect::<Vec<_>>()
            };
            out.extend(folders.iter().flat_map(below));
        }
    }
    Ok(())
}

fn first_found(terms: &[Value], options: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let mut names = Vec::new();
    let mut skip = flag("first_found", options, "skip", false)?;
    if let Some(files) = options.get("files") {
        let term = Value::from(playbook_api::map! { "files" => files.clone() });
        collect(&[term], options, &mut names, &mut skip)?;
    }
    collect(terms, options, &mut names, &mut skip)?;
    let folder = options.get(FOLDER).map_or_else(|| "files".into(), Value::to_text);
    let found = names.iter().find_map(|name| search::find(renderer, &folder, name));
    match found {
        Some(path) => Ok(vec![path.to_string_lossy().into_owned().into()]),
        None if skip => Ok(Vec::new()),
        None => Err(Error::new("No file was found when using first_found.")
            .with_kind(ErrorKind::NotFound)
            .with_help(format!(
                "It looked for {}; skip: true makes a missing file an empty result.",
                if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
            ))),
    }
}
