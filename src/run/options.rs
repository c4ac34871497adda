//! What a run was asked to do.

use std::path::PathBuf;

/// What a run was asked to do: the command line of `playbook run`, over the settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub playbooks: Vec<PathBuf>,
    pub inventory: Vec<String>,
    pub limit: Option<String>,
    pub tags: Vec<String>,
    pub skip_tags: Vec<String>,
    pub check: bool,
    pub diff: bool,
    pub forks: usize,
    pub verbosity: u8,
    /// Each as given to `-e`.
    pub extra_vars: Vec<String>,
    pub start_at_task: Option<String>,
    pub step: bool,
    pub force_handlers: bool,
    pub flush_cache: bool,
    pub user: Option<String>,
    pub connection: Option<String>,
    pub timeout: Option<u64>,
    pub private_key: Option<PathBuf>,
    pub r#become: bool,
    pub become_method: Option<String>,
    pub become_user: Option<String>,
    pub become_password: Option<String>,
    pub connection_password: Option<String>,
    /// Remove the helper from the hosts at the end.
    pub no_keep_remote: bool,
    /// Whether the report shows nothing of what a task returns that goes well.
    pub is_silent: bool,
    /// Whether the report shows the arguments of tasks.
    pub wants_arguments: bool,
}
