//! Facts that the host keeps itself: `*.fact` files.

use std::fs;
use std::path::Path;

use nix::unistd::{AccessFlags, access};
use playbook_api::{Context, Map, Value};

use crate::host::Host;
use crate::process::Program;

pub fn collect(folder: &Path, context: &Context, warnings: &mut Vec<String>) -> Map {
    let mut local = Map::default();
    for path in crate::glob::expand(&folder.join("*.fact")) {
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
    let runs = path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    let text = if runs {
        let output = Host::new(context).try_query(&Program::new([path.to_string_lossy()]));
        let output = output.map_err(|e| {
            format!("Could not execute fact script ({shown}): {}", crate::errno::describe(&e))
        })?;
        if !output.success() {
            let error = output.err();
            return Err(format!("Failure executing fact script ({shown}), rc: {}, err: {error}", output.rc));
        }
        output.out()
    } else {
        let bytes = fs::read(path)
            .map_err(|e| format!("Could not open fact file ({shown}): {}", crate::errno::describe(&e)))?;
        String::from_utf8(bytes)
            .map_err(|_| format!("error loading fact - output of running \"{shown}\" was not utf-8"))?
    };
    match serde_json::from_str(&text) {
        Ok(json) => Ok(Value::from_json(json)),
        Err(_) => ini(&text)
            .ok_or_else(|| format!("error loading facts as JSON or ini - please check content: {shown}")),
    }
}

/// Sections of `name = value`, all text, names in lower case.
fn ini(text: &str) -> Option<Value> {
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
        let (name, value) = line.split_once(['=', ':'])?;
        let (_, values) = current.as_mut()?;
        values.insert(name.trim().to_lowercase().into(), value.trim().into());
    }
    if let Some((name, values)) = current {
        sections.insert(name.into(), values.into());
    }
    Some(sections.into())
}
