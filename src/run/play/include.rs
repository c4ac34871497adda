//! Loads the tasks of include_tasks and include_role.

use std::sync::Arc;

use playbook_api::{Error, Map};

use crate::document::Node;
use crate::playbook::{self, Frame, Item, Role, RoleSpec, Task};
use crate::run::call::effect::{Included, Inclusion};
use crate::run::call::state::PlayState;
use crate::vars::HostScope;

/// What an include loaded.
pub struct Loaded {
    /// The name for the report: the file or the role.
    pub name: String,
    /// The tasks and blocks.
    pub items: Vec<Item>,
    /// The role that is included.
    pub role: Option<Arc<Role>>,
    /// The handlers of an included role.
    pub handlers: Vec<Arc<Task>>,
    /// Roles whose variables the rest of the play sees.
    pub roles: Vec<Arc<Role>>,
}

/// Whether two hosts have the same include: then they share one load and run its tasks together.
pub fn same(a: &Inclusion, b: &Inclusion) -> bool {
    // The items of a loop differ, and paths take the longest to compare.
    a.item == b.item
        && a.vars.len() == b.vars.len()
        && a.what == b.what
        && a.vars.iter().zip(&b.vars).all(|((k, v), (l, w))| k == l && v.raw() == w.raw())
}

/// Loads an include for the hosts that have it.
pub fn load(
    play: &PlayState,
    inclusion: &Inclusion,
    task: &Arc<Task>,
    hosts: &[Arc<str>],
    handlers: bool,
    warn: &dyn Fn(Error),
) -> Result<Loaded, Error> {
    let scope = hosts.first().map(|host| HostScope::new(&play.base, host, Some(task), Default::default()));
    let render = |node: &Node, _: &Arc<Frame>| match &scope {
        Some(scope) => scope.renderer().value(node),
        None => Ok(node.raw()),
    };
    let loader = play.shared.loader(&render, warn).in_directory(&play.play.directory);
    match &inclusion.what {
        Included::Tasks { path, .. } => {
            let directory = path.parent().map(|p| p.to_owned()).unwrap_or_default();
            let frame = playbook::include_frame(task, directory, inclusion.vars.clone())?;
            let loaded = playbook::load_task_file(&loader, path, &frame, handlers)?;
            Ok(Loaded {
                name: path.to_string_lossy().into_owned(),
                items: loaded.items,
                role: None,
                handlers: loaded.handlers,
                roles: loaded.roles,
            })
        }
        Included::Role(arguments) => {
            let frame = playbook::include_frame(task, &play.play.directory, inclusion.vars.clone())?;
            let spec = role_spec(arguments, task)?;
            let found = playbook::load_role(&loader, &spec, &frame)?;
            let mut roles = found.tasks.roles;
            if found.role.public {
                roles.push(found.role.clone());
            }
            let role = Some(found.role);
            Ok(Loaded {
                name: spec.name,
                role,
                items: found.tasks.items,
                handlers: found.tasks.handlers,
                roles,
            })
        }
    }
}

/// Returns the use of a role that the arguments of include_role describe.
pub fn role_spec(arguments: &Map, task: &Task) -> Result<RoleSpec, Error> {
    let text = |name: &str| arguments.get(name).filter(|v| !v.is_null()).map(|v| v.to_text().into_owned());
    let flag = |name: &str, default: bool| match arguments.get(name) {
        Some(value) => playbook_api::arguments::to_bool(value).unwrap_or(default),
        None => default,
    };
    let name = text("name").or_else(|| text("role")).ok_or_else(|| {
        Error::new("'name' is a required field for include_role.")
            .at(&task.place)
            .with_help("say which role: `include_role: {name: …}`")
    })?;
    let written = task.action.args.get("name").or_else(|| task.action.args.get("role"));
    Ok(RoleSpec {
        name,
        tasks_from: text("tasks_from"),
        vars_from: text("vars_from"),
        defaults_from: text("defaults_from"),
        handlers_from: text("handlers_from"),
        allow_duplicates: flag("allow_duplicates", true),
        public: arguments.get("public").and_then(playbook_api::arguments::to_bool),
        rolespec_validate: flag("rolespec_validate", true),
        place: Some(written.map_or(&task.place, Node::place).clone()),
        ..RoleSpec::default()
    })
}
