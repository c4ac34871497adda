//! Descriptions of tasks for reports and variables.

use std::sync::Arc;

use playbook_api::{Map, Value};

use super::keyword;
use super::state::PlayState;
use crate::playbook::Task;
use crate::report::{RoleInfo, TaskInfo, TaskKind};
use crate::vars::HostScope;

/// Returns what reports know about a task, with its name rendered for the first of its hosts if that is possible.
pub(crate) fn task(play: &PlayState, task: &Task, handler: bool, scope: &Arc<HostScope>) -> TaskInfo {
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
    TaskInfo {
        id: task.id,
        kind: if handler { TaskKind::Handler } else { TaskKind::Task },
        name: name(task, scope),
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
    }
}

/// Returns the name of a task: `role : name`, with the action if the task has no name. `include_role` names the role
/// that it includes and not the one around it.
pub(crate) fn name(task: &Task, scope: &Arc<HostScope>) -> String {
    let renderer = scope.renderer();
    let rendered = task.keywords.name.as_ref().map(|node| match renderer.value(node) {
        Ok(name) => name.to_text().into_owned(),
        Err(_) => node.raw().to_text().into_owned(),
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
    match task.frame.role() {
        Some(role) if task.action_name() != "include_role" => format!("{} : {own}", role.full_name),
        _ => own,
    }
}

/// Formats an error as a warning with its place.
pub(crate) fn warning(error: &playbook_api::Error) -> String {
    crate::report::format_error(error).trim_end().to_owned()
}
