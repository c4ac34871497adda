//! Descriptions of tasks for reports and variables.

use std::sync::Arc;

use playbook_api::{Error, Map, Value};

use super::keyword;
use super::state::PlayState;
use crate::document::Node;
use crate::jinja::Template;
use crate::playbook::Task;
use crate::report::{RoleInfo, TaskInfo, TaskKind};
use crate::template::Renderer;
use crate::vars::HostScope;

/// Returns what reports know about a task, with its name rendered for the first of its hosts if that is possible, and
/// what is undefined in the name.
pub(crate) fn task(
    play: &PlayState,
    task: &Task,
    handler: bool,
    scope: &Arc<HostScope>,
) -> (TaskInfo, Option<Error>) {
    let renderer = scope.renderer();
    // A value that is not a boolean hides the arguments: it is the safe reading.
    let no_log = keyword::of(task, &renderer)
        .no_log()
        .map_or(true, |no_log| no_log.unwrap_or(play.shared.settings.no_log));
    let check = keyword::of(task, &renderer).check_mode().ok().flatten();
    let args = if play.shared.options.wants_arguments && !no_log {
        task.action.args.iter().map(|(name, node)| (Value::from(name.clone()), node.raw())).collect()
    } else {
        Map::default()
    };
    let (name, undefined) = named(task, scope);
    let info = TaskInfo {
        id: task.id,
        kind: if handler { TaskKind::Handler } else { TaskKind::Task },
        name,
        role: task.frame.role().map(|role| RoleInfo {
            name: role.name.clone(),
            full_name: role.full_name.clone(),
            path: role.path.clone(),
        }),
        action: task.action.name.to_string(),
        place: task.place.clone(),
        check: check.unwrap_or(play.shared.options.check),
        no_log,
        args,
        release: scope.release(),
    };
    (info, undefined)
}

/// Returns the name of a task: `role : name`, with the action if the task has no name. `include_role` names the role
/// that it includes and not the one around it.
pub(crate) fn name(task: &Task, scope: &Arc<HostScope>) -> String {
    named(task, scope).0
}

/// Returns the name of a task, and what is undefined in it.
fn named(task: &Task, scope: &Arc<HostScope>) -> (String, Option<Error>) {
    let renderer = scope.renderer();
    let mut undefined = None;
    let rendered = task.keywords.name.as_ref().map(|node| match renderer.value(node) {
        Ok(name) => name.to_text().into_owned(),
        Err(_) => match in_parts(node, &renderer) {
            Some((name, errors)) => {
                undefined = Some(of_parts(&errors).at(node.place()));
                name
            }
            None => node.raw().to_text().into_owned(),
        },
    });
    let own = match rendered.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => match (task.action_name(), task.action.args.get("name")) {
            ("include_role" | "import_role", Some(role)) => {
                let role = renderer.value(role).unwrap_or_else(|_| role.raw());
                format!("{} : {}", task.action.name, role.to_text())
            }
            _ => task.action.name.to_string(),
        },
    };
    let name = match task.frame.role() {
        Some(role) if task.action_name() != "include_role" => format!("{} : {own}", role.full_name),
        _ => own,
    };
    (name, undefined)
}

/// Returns the error of a name some parts of which are undefined.
fn of_parts(errors: &[String]) -> Error {
    let plural = if errors.len() == 1 { "" } else { "s" };
    let mut message = format!("Encountered {} template error{plural}.", errors.len());
    for (number, error) in (1..).zip(errors) {
        message += &format!("\nerror {number} - {error}");
    }
    Error::new(message)
}

/// Renders each part of a text of its own. An undefined one becomes the number and the message of its error. Returns
/// nothing for a text with statements, or if a part has another error.
fn in_parts(node: &Node, renderer: &Renderer) -> Option<(String, Vec<String>)> {
    let source = node.source().filter(|source| !source.contains("{%") && !source.contains("{#"))?;
    let (mut text, mut errors) = (String::new(), Vec::new());
    let mut rest = source;
    while let Some((before, part)) = rest.split_once("{{") {
        let (part, behind) = part.split_once("}}")?;
        text += before;
        let template = Template::new(format!("{{{{{part}}}}}"), node.place().clone());
        match renderer.render(&template) {
            Ok(value) => text += &value.to_text(),
            Err(e) if e.is_undefined() => {
                errors.push(e.to_string());
                text += &format!("<< error {} - {e} >>", errors.len());
            }
            Err(_) => return None,
        }
        rest = behind;
    }
    Some((text + rest, errors)).filter(|(_, errors)| !errors.is_empty())
}

/// Formats an error as a warning with its place.
pub(crate) fn warning(error: &playbook_api::Error) -> String {
    crate::report::format_error(error).trim_end().to_owned()
}
