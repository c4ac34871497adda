//! Dynamic includes: their options, and the frame around the included tasks.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::{Error, nearest};

use super::action::Parsed;
use super::fields::{parser_error, type_name};
use crate::document::Node;
use crate::inventory::Vars;
use crate::playbook::shape::{BLOCK, INCLUDE_KEYWORDS, Shape};
use crate::playbook::{Frame, FrameKind, Task};
use crate::settings::Release;

/// Returns the frame of the tasks of an `include_tasks` or `include_role`: they inherit the include's variables and
/// `apply`, and everything that encloses the include, but none of its other keywords.
///
/// `directory` is that of the included file; `more` are variables on top of the include's own (loop variables).
pub fn include_frame(task: &Task, directory: impl Into<PathBuf>, more: Vars) -> Result<Arc<Frame>, Error> {
    let mut vars = (*task.keywords.vars).clone();
    let mut keywords = match task.action.args.get("apply") {
        Some(apply) => BLOCK.keywords(apply, |_| false, &Err)?,
        None => Default::default(),
    };
    vars.extend(keywords.vars.iter().map(|(k, v)| (k.clone(), v.clone())));
    vars.extend(more);
    keywords.vars = Arc::new(vars);
    let kind = FrameKind::Include { dynamic: true, directory: directory.into() };
    Ok(Frame::new(kind, keywords, Some(&task.frame)))
}

/// Rejects keywords that would have no effect on a dynamic include.
pub(super) fn include_keywords(entry: &Node, parsed: &Parsed, shape: &Shape) -> Result<(), Error> {
    for key in entry.as_map().into_iter().flatten().map(|(key, _)| key.to_text()) {
        let fine = INCLUDE_KEYWORDS.contains(&&*key) || key.starts_with("with_");
        if !fine && shape.has(&key) && parsed.key.as_deref() != Some(&*key) {
            let message = format!("'{key}' is not a valid attribute for a {}", shape.name);
            return Err(parser_error(message, entry.place()).with_help(
                "Give it to the included tasks with `apply`, or put the include into a block that has it.",
            ));
        }
    }
    Ok(())
}

/// Moves the file of `include_tasks` and `import_tasks`, which may be written as `file`, to `_raw_params`.
pub(super) fn with_file(mut task: Task) -> Result<Task, Error> {
    let name = task.action.name.clone();
    let bad: Vec<&str> = task
        .action
        .args
        .keys()
        .map(|k| &**k)
        .filter(|k| !matches!(*k, "file" | "_raw_params" | "apply"))
        .collect();
    if !bad.is_empty() {
        let message = format!("Invalid options for {name}: {}", bad.join(","));
        return Err(parser_error(message, &task.place));
    }
    let args = &mut task.action.args;
    let file = args.remove("file");
    let raw = args.remove("_raw_params").or_else(|| task.action.variable_args.take());
    let given = |node: &Node| !node.is_null() && node.source() != Some("");
    match raw.filter(given).or(file.filter(given)) {
        Some(file) => args.insert("_raw_params".into(), file),
        None => return Err(parser_error(format!("No file specified for {name}"), &task.place)),
    };
    check_apply(&task, "include_tasks")?;
    Ok(task)
}

fn check_apply(task: &Task, allowed: &str) -> Result<(), Error> {
    let Some(apply) = task.action.args.get("apply") else { return Ok(()) };
    let name = &task.action.name;
    match apply.as_map() {
        Some(map) if !map.is_empty() && task.action_name() != allowed => {
            Err(parser_error(format!("Invalid options for {name}: apply"), &task.place))
        }
        Some(_) => BLOCK.keywords(apply, |_| false, &Err).map(|_| ()),
        None if apply.is_null() => Ok(()),
        None => {
            let found = type_name(apply);
            let message = format!("Expected a dict for apply but got <class '{found}'> instead");
            Err(parser_error(message, &task.place))
        }
    }
}

pub(super) fn check_role_options(task: &Task, release: Release) -> Result<(), Error> {
    const FROM: [&str; 4] = ["tasks_from", "vars_from", "defaults_from", "handlers_from"];
    const OTHER: [&str; 7] =
        ["name", "role", "apply", "public", "allow_duplicates", "rolespec_validate", "rescuable"];
    let (name, args) = (&task.action.name, &task.action.args);
    let is_include = task.action_name() == "include_role";
    if !args.contains_key("name") && !args.contains_key("role") && task.action.variable_args.is_none() {
        return Err(parser_error(format!("'name' is a required field for {name}."), &task.place));
    }
    let lacks = |key: &str| key == "rescuable" && (!release.missing_roles_are_rescuable() || !is_include);
    let known = |key: &str| (FROM.contains(&key) || OTHER.contains(&key)) && !lacks(key);
    let bad: Vec<&str> = args.keys().map(|k| &**k).filter(|k| !known(k)).collect();
    if !bad.is_empty() {
        let message = format!("Invalid options for {name}: {}", bad.join(","));
        let near = nearest(bad[0], FROM.into_iter().chain(OTHER));
        let error = parser_error(message, &task.place);
        return Err(near.map(|n| format!("Did you mean '{n}'?")).into_iter().fold(error, Error::with_help));
    }
    for key in FROM {
        if let Some(node) = args.get(key).filter(|node| node.source().is_none()) {
            let message =
                format!("Expected a string for {key} but got <class '{}'> instead", type_name(node));
            return Err(parser_error(message, node.place()));
        }
    }
    check_apply(task, "include_role")
}
