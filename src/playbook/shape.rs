//! Which keywords plays, blocks, tasks and the rest may have.

use super::Keyword;

/// What a written map is, and therefore which keywords it may hold.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// The name that messages use.
    pub(super) name: &'static str,
    /// Keywords that only this kind of map has.
    own: &'static [&'static str],
    /// Common keywords that it does not have.
    without: &'static [&'static str],
    /// Whether it is a task, which has the keywords of an action, a loop and a result.
    pub(super) task: bool,
    /// Whether it is a handler, which may `listen`.
    handler: bool,
}

/// Keywords that every kind of map has, beside those that are inherited.
const COMMON: &[&str] = &["name", "when", "tags", "vars"];

/// Keywords that every task has.
const OF_TASKS: &[&str] = &[
    "action",
    "local_action",
    "args",
    "async",
    "async_val",
    "changed_when",
    "delay",
    "failed_when",
    "loop",
    "loop_control",
    "poll",
    "register",
    "retries",
    "until",
];

const OTHER: Shape = Shape { name: "", own: &[], without: &[], task: false, handler: false };

pub(super) const PLAY: Shape = Shape {
    name: "Play",
    own: &[
        "fact_path",
        "force_handlers",
        "gather_facts",
        "gather_subset",
        "gather_timeout",
        "handlers",
        "hosts",
        "max_fail_percentage",
        "order",
        "post_tasks",
        "pre_tasks",
        "roles",
        "serial",
        "strategy",
        "tasks",
        "user",
        "validate_argspec",
        "vars_files",
        "vars_prompt",
    ],
    without: &["when", "notify", "delegate_to", "delegate_facts"],
    ..OTHER
};
pub(super) const BLOCK: Shape = Shape { name: "Block", own: &["block", "rescue", "always"], ..OTHER };
pub(super) const TASK: Shape = Shape { name: "Task", task: true, ..OTHER };
pub(super) const HANDLER: Shape = Shape { name: "Handler", handler: true, ..TASK };
pub(super) const INCLUDE: Shape = Shape { name: "TaskInclude", ..TASK };
pub(super) const HANDLER_INCLUDE: Shape = Shape { name: "HandlerTaskInclude", ..HANDLER };
pub(super) const INCLUDE_ROLE: Shape = Shape {
    name: "IncludeRole",
    own: &["public", "allow_duplicates", "rolespec_validate", "rescuable"],
    ..TASK
};
pub(super) const ROLE: Shape = Shape { name: "RoleInclude", own: &["role"], without: &["notify"], ..OTHER };
pub(super) const PLAYBOOK_INCLUDE: Shape = Shape {
    name: "PlaybookInclude",
    own: &["import_playbook"],
    without: &["notify", "delegate_to", "delegate_facts", "collections"],
    ..OTHER
};

/// What a dynamic include may say; the rest would be lost on it.
pub(super) const INCLUDE_KEYWORDS: &[&str] = &[
    "action",
    "args",
    "collections",
    "debugger",
    "ignore_errors",
    "listen",
    "local_action",
    "loop",
    "loop_control",
    "name",
    "no_log",
    "register",
    "run_once",
    "tags",
    "timeout",
    "vars",
    "when",
];

impl Shape {
    /// Whether the map may hold a keyword.
    pub(super) fn has(&self, keyword: &str) -> bool {
        self.all().any(|known| known == keyword)
    }

    /// Returns all keywords that the map may hold.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static str> {
        let tasks: &[&str] = if self.task { OF_TASKS } else { &[] };
        let handlers: &[&str] = if self.handler { &["listen"] } else { &[] };
        let others = COMMON.iter().chain(self.own).chain(tasks).chain(handlers).copied();
        let without = self.without;
        Keyword::ALL.iter().map(|k| k.name()).chain(others).filter(move |name| !without.contains(name))
    }
}

/// Returns the keywords of plays, blocks, tasks, handlers and imports.
pub fn all_keywords() -> impl Iterator<Item = &'static str> {
    let all = [PLAY, BLOCK, TASK, HANDLER, PLAYBOOK_INCLUDE]
        .into_iter()
        .flat_map(|shape| shape.all().collect::<Vec<_>>());
    // These are other names of keywords, or are never written.
    all.filter(|name| !matches!(*name, "async_val" | "user"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_listen_and_tasks_do_not() {
        let shapes = [TASK, INCLUDE, INCLUDE_ROLE, BLOCK, PLAY, ROLE, PLAYBOOK_INCLUDE];
        assert!(shapes.iter().all(|shape| !shape.has("listen")));
        assert!([HANDLER, HANDLER_INCLUDE].iter().all(|shape| shape.has("listen") && shape.has("until")));
    }

    #[test]
    fn a_role_is_included_by_a_task() {
        assert!(INCLUDE_ROLE.has("register") && INCLUDE_ROLE.has("public") && INCLUDE_ROLE.has("become"));
        assert!(!BLOCK.has("register") && !ROLE.has("notify") && !PLAY.has("when"));
    }
}
