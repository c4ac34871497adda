//! Local facts of the host: `*.fact` files.

use std::fs;
use std::path::Path;

use nix::unistd::{AccessFlags, access};
use playbook_api::{Context, Map, Value};

use crate::host::Host;
use crate::host::process::Program;

pub(crate) fn collect(directory: &Path, context: &Context, warnings: &mut Vec<String>) -> Map {
    let mut local = Map::default();
    for path in crate::host::glob::expand(&directory.join("*.fact")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let value = one(&path, context).unwrap_or_else(|problem| {
            warnings.push(problem.clone());
            problem.into()
        });
        local.insert(name.into(), value);
    }
    local
}

fn one(path: &Path, context: &Context) -> Result<Value, String> {
    let shown = path.display();
    if let Err(e) = fs::metadata(path) {
        return Err(format!("Could not stat fact ({shown}): {}", crate::host::errno::describe(&e)));
    }
    let runs = path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    let text = if runs {
        let output = Host::new(context).try_query(&Program::new([path.to_string_lossy()]));
        let output = output.map_err(|e| {
            format!("Could not execute fact script ({shown}): {}", crate::host::errno::describe(&e))
        })?;
        if !output.success() {
            let error = output.err();
            return Err(format!("Failure executing fact script ({shown}), rc: {}, err: {error}", output.rc));
        }
        output.out()
    } else {
        let bytes = fs::read(path).map_err(|e| {
            format!("Could not open fact file ({shown}): {}", crate::host::errno::describe(&e))
        })?;
        String::from_utf8(bytes)
            .map_err(|_| format!("error loading fact - output of running \"{shown}\" was not utf-8"))?
    };
    match serde_json::from_str(&text) {
        Ok(json) => Ok(Value::from_json(json)),
        Err(_) => match ini(&text) {
            Ini::Facts(facts) => Ok(facts.into()),
            Ini::BadValue => Err(format!("error loading facts as ini - please check content: {shown}")),
            Ini::Not => Err(format!("error loading facts as JSON or ini - please check content: {shown}")),
        },
    }
}

/// Parses a text as INI.
enum Ini {
    Facts(Map),
    /// A single `%`, which the format reserves for references.
    BadValue,
    Not,
}

/// Sections of `name = value`. All values are text, and names are in lower case.
fn ini(text: &str) -> Ini {
    let mut sections = Map::default();
    let mut current: Option<(String, Map)> = None;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            if let Some((name, values)) = current.replace((name.to_owned(), Map::default())) {
                sections.insert(name.into(), values.into());
            }
            continue;
        }
        let (Some((name, value)), Some((_, values))) = (line.split_once(['=', ':']), current.as_mut()) else {
            return Ini::Not;
        };
        let value = value.trim();
        if value.replace("%%", "").contains('%') {
            return Ini::BadValue;
        }
        values.insert(name.trim().to_lowercase().into(), value.replace("%%", "%").into());
    }
    if let Some((name, values)) = current {
        sections.insert(name.into(), values.into());
    }
    Ini::Facts(sections)
}
