//! Playbooks and plays.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Place};

use super::{Frame, Handler, Item, Role};
use crate::document::Node;
use crate::inventory::Vars;

#[derive(Debug)]
pub struct Playbook {
    pub path: PathBuf,
    /// import_playbook is already resolved; a play knows its own file by its place.
    pub plays: Vec<Arc<Play>>,
}

/// A `vars_prompt` entry.
#[derive(Clone, Debug)]
pub struct Prompt {
    pub name: Arc<str>,
    pub prompt: Option<Node>,
    pub default: Option<Node>,
    pub private: bool,
    pub confirm: bool,
    pub encrypt: Option<Arc<str>>,
    pub salt_size: Option<u64>,
    pub salt: Option<Arc<str>>,
    pub unsafe_text: bool,
}

#[derive(Debug)]
pub struct Play {
    pub place: Place,
    /// The folder of the playbook the play was written in: `playbook_dir` is that of the playbook on the command
    /// line, files are looked for here too.
    pub folder: PathBuf,
    /// The outermost frame: the play's keywords, its vars among them.
    pub frame: Arc<Frame>,
    pub hosts: Node,
    pub gather_facts: Option<Node>,
    pub gather_subset: Option<Node>,
    pub gather_timeout: Option<Node>,
    pub fact_path: Option<Node>,
    pub vars_files: Vec<Node>,
    pub vars_prompt: Vec<Prompt>,
    pub serial: Option<Node>,
    pub strategy: Option<Node>,
    pub order: Option<Node>,
    pub max_fail_percentage: Option<Node>,
    pub force_handlers: Option<Node>,
    pub pre_tasks: Vec<Item>,
    /// The roles' tasks, dependencies first, each role one block in a frame of its own.
    pub roles: Vec<(Arc<Role>, Vec<Item>)>,
    pub tasks: Vec<Item>,
    pub post_tasks: Vec<Item>,
    /// The play's own handlers and its roles'.
    pub handlers: Vec<Arc<Handler>>,
    /// `vars` of the play.
    pub vars: Arc<Vars>,
}

impl Play {
    /// Why a keyword of the play has no value: as wrong as a document that cannot be loaded.
    pub fn refused(&self, keyword: &str, error: Error) -> Error {
        // A play without a name is called by its hosts, and that is what comes first.
        let keyword = if self.frame.keywords.name.is_some() { keyword } else { "name" };
        error.context(format!("Error processing keyword '{keyword}'")).with_kind(ErrorKind::Syntax)
    }
}
