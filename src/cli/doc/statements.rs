//! The documentation of statements that stand in a task's place but are not modules: imports and `meta`.

use std::sync::OnceLock;

use playbook_api::{Doc, JsonSchema, Spec, name};
use serde_json::Value as Json;

use crate::run::actions::include::RoleFiles;

/// A statement.
pub(super) struct Statement {
    /// Its name, summary and examples.
    pub doc: &'static Doc,
    /// Makes the JSON Schema of its arguments.
    pub schema: fn() -> Json,
    build: fn() -> Spec,
    spec: OnceLock<Spec>,
}

impl Statement {
    const fn of<T: JsonSchema>(doc: &'static Doc) -> Statement {
        Statement { doc, schema: Spec::schema::<T>, build: Spec::of::<T>, spec: OnceLock::new() }
    }

    /// Returns its arguments.
    pub(super) fn spec(&self) -> &Spec {
        self.spec.get_or_init(self.build)
    }
}

static ALL: [Statement; 4] = [
    Statement::of::<ImportPlaybook>(&IMPORT_PLAYBOOK),
    Statement::of::<ImportRole>(&IMPORT_ROLE),
    Statement::of::<ImportTasks>(&IMPORT_TASKS),
    Statement::of::<Meta>(&META),
];

/// Returns all statements.
pub(super) fn all() -> impl Iterator<Item = &'static Statement> {
    ALL.iter()
}

/// Returns the statement of a short or fully qualified name.
pub(super) fn find(name: &str) -> Option<&'static Statement> {
    let short = name::builtin(name);
    ALL.iter().find(|statement| statement.doc.name == short)
}

const CHECK_MODE: &str = "Full: it acts on the run alone.";

static IMPORT_PLAYBOOK: Doc = Doc {
    name: "import_playbook",
    short: "Inserts the plays of another playbook when the playbook is loaded",
    check_mode: CHECK_MODE,
    free_form: true,
    examples: "\
- import_playbook: database.yml
- import_playbook: web.yml
  vars:
    web_port: 8080
",
    ..Doc::BUILTIN
};

static IMPORT_ROLE: Doc = Doc {
    name: "import_role",
    short: "Inserts the tasks of a role when the playbook is loaded",
    check_mode: CHECK_MODE,
    examples: "\
- import_role:
    name: web
- import_role:
    name: database
    tasks_from: backup
",
    ..Doc::BUILTIN
};

static IMPORT_TASKS: Doc = Doc {
    name: "import_tasks",
    short: "Inserts the tasks of a file when the playbook is loaded",
    check_mode: CHECK_MODE,
    free_form: true,
    examples: "- import_tasks: install.yml\n",
    ..Doc::BUILTIN
};

static META: Doc = Doc {
    name: "meta",
    short: "Controls the run itself",
    check_mode: CHECK_MODE,
    free_form: true,
    examples: "\
- meta: flush_handlers
- meta: end_host
  when: not is_needed
",
    ..Doc::BUILTIN
};

/// Inserts the plays of another playbook in the place of a play. The name may use extra variables.
#[derive(JsonSchema)]
struct ImportPlaybook {
    /// The playbook, relative to the one that imports it, or NAMESPACE.COLLECTION.PLAYBOOK.
    #[serde(rename = "free-form")]
    _file: String,
}

/// Inserts the tasks of a role as if they were written in its place. Keywords and conditions of the import apply to
/// each of them.
#[derive(JsonSchema)]
struct ImportRole {
    /// The name of the role.
    #[serde(rename = "name")]
    _name: String,
    #[serde(flatten)]
    _files: RoleFiles,
    /// Whether the role may run more than once. The default is true.
    #[serde(rename = "allow_duplicates")]
    _allow_duplicates: Option<bool>,
    /// Whether the arguments of the role are validated. The default is true.
    #[serde(rename = "rolespec_validate")]
    _rolespec_validate: Option<bool>,
}

/// Inserts the tasks of a file as if they were written in its place. Keywords and conditions of the import apply to
/// each of them. The name may use extra variables.
#[derive(JsonSchema)]
struct ImportTasks {
    /// The file, relative to the one that imports it.
    #[serde(rename = "free-form")]
    _file: String,
}

/// Changes the state of the run.
#[derive(JsonSchema)]
struct Meta {
    /// The action on the run.
    #[serde(rename = "free-form")]
    _action: MetaAction,
}

/// The actions of `meta`.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum MetaAction {
    /// Deletes the facts of the hosts, and those in the cache.
    ClearFacts,
    /// Returns failed and unreachable hosts to the play.
    ClearHostErrors,
    /// Ends the batch of hosts without a failure.
    EndBatch,
    /// Ends the play for the host without a failure.
    EndHost,
    /// Ends the play without a failure.
    EndPlay,
    /// Ends the role for the host.
    EndRole,
    /// Runs the handlers that have been notified so far.
    FlushHandlers,
    /// Does nothing.
    Noop,
    /// Reads the inventory again.
    RefreshInventory,
    /// Closes the connection to the host, so that the next task opens a new one.
    ResetConnection,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meta_is_documented() {
        let spec = find("ansible.builtin.meta").unwrap().spec();
        let documented: Vec<&str> = spec.options["free-form"].choices.iter().map(String::as_str).collect();
        let mut known: Vec<&str> = crate::playbook::Meta::ALL.iter().map(|meta| meta.name()).collect();
        // The engine adds this one itself.
        known.retain(|name| *name != "role_complete");
        known.sort_unstable();
        assert_eq!(documented, known);
    }
}
