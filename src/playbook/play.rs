//! Playbooks and plays.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Place};

use super::{Frame, Handler, Item, Role, Task};
use crate::document::Node;
use crate::inventory::Vars;

/// A loaded playbook.
#[derive(Debug)]
pub struct Playbook {
    /// The path of its file.
    pub path: PathBuf,
    /// The plays, with import_playbook resolved; the place of a play names its file.
    pub plays: Vec<Arc<Play>>,
}

/// A `vars_prompt` entry.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// The name of the variable.
    pub name: Arc<str>,
    /// The text of the prompt; the variable's name by default.
    pub prompt: Option<Node>,
    /// The value if the answer is empty.
    pub default: Option<Node>,
    /// Whether the answer is hidden while it is typed.
    pub private: bool,
    /// Whether the answer has to be typed twice.
    pub confirm: bool,
    /// The scheme to hash the answer with.
    pub encrypt: Option<Arc<str>>,
    /// The size of the salt of the hash.
    pub salt_size: Option<u64>,
    /// The salt of the hash.
    pub salt: Option<Arc<str>>,
    /// `unsafe`: whether the answer may contain what looks like a template.
    pub unsafe_text: bool,
}

/// A play, as written and checked.
#[derive(Debug)]
pub struct Play {
    /// Where it was written.
    pub place: Place,
    /// The directory of the playbook that the play was written in. `playbook_dir` is that of the playbook on the command
    /// line; files are searched here, too.
    pub directory: PathBuf,
    /// The outermost frame: the play's keywords, its vars among them.
    pub frame: Arc<Frame>,
    /// `hosts`: a pattern or a list of patterns.
    pub hosts: Node,
    /// The task that validates the play's variables (`validate_argspec`).
    pub validation: Option<Arc<Task>>,
    /// `gather_facts`.
    pub gather_facts: Option<Node>,
    /// `gather_subset`.
    pub gather_subset: Option<Node>,
    /// `gather_timeout`.
    pub gather_timeout: Option<Node>,
    /// `fact_path`.
    pub fact_path: Option<Node>,
    /// The entries of `vars_files`.
    pub vars_files: Vec<Node>,
    /// The entries of `vars_prompt`.
    pub vars_prompt: Vec<Prompt>,
    /// `serial`.
    pub serial: Option<Node>,
    /// `strategy`.
    pub strategy: Option<Node>,
    /// `order`.
    pub order: Option<Node>,
    /// `max_fail_percentage`.
    pub max_fail_percentage: Option<Node>,
    /// `force_handlers`.
    pub force_handlers: Option<Node>,
    /// The tasks of `pre_tasks`.
    pub pre_tasks: Vec<Item>,
    /// The roles' tasks, dependencies first, each role one block in a frame of its own.
    pub roles: Vec<(Arc<Role>, Vec<Item>)>,
    /// The tasks of `tasks`.
    pub tasks: Vec<Item>,
    /// The tasks of `post_tasks`.
    pub post_tasks: Vec<Item>,
    /// The play's own handlers and its roles'.
    pub handlers: Vec<Arc<Handler>>,
    /// `vars` of the play.
    pub vars: Arc<Vars>,
}

impl Play {
    /// Returns the error for a keyword of the play that cannot be rendered.
    pub fn refused(&self, keyword: &str, error: Error) -> Error {
        // A play without a name is named after its hosts, which are rendered first.
        let keyword = if self.frame.keywords.name.is_some() { keyword } else { "name" };
        error.context(format!("Error processing keyword '{keyword}'.")).with_kind(ErrorKind::Syntax)
    }
}
