//! The options of a run.

use std::path::PathBuf;

/// The options of a run: those of the command line, which win over the settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The playbooks.
    pub playbooks: Vec<PathBuf>,
    /// The inventory sources.
    pub inventory: Vec<String>,
    /// `--limit`: the pattern of the hosts to run on.
    pub limit: Option<String>,
    /// `--tags`.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// Whether it is a dry run.
    pub check: bool,
    /// Whether differences are shown.
    pub diff: bool,
    /// The number of tasks that run in parallel.
    pub forks: usize,
    /// The verbosity: the number of `-v`.
    pub verbosity: u8,
    /// The values of `-e`, as they were given.
    pub extra_vars: Vec<String>,
    /// `--start-at-task`: a name or pattern.
    pub start_at_task: Option<String>,
    /// `--step`: whether to ask before each task.
    pub step: bool,
    /// Whether failed hosts run the handlers that were notified.
    pub force_handlers: bool,
    /// Whether cached facts are removed first.
    pub flush_cache: bool,
    /// The user to connect as.
    pub user: Option<String>,
    /// The connection plugin.
    pub connection: Option<String>,
    /// The timeout of connections, in seconds.
    pub timeout: Option<u64>,
    /// The private key file to connect with.
    pub private_key: Option<PathBuf>,
    /// Whether to become another user.
    pub r#become: bool,
    /// The method to become another user.
    pub become_method: Option<String>,
    /// The user to become.
    pub become_user: Option<String>,
    /// The password to become another user.
    pub become_password: Option<String>,
    /// The password to connect with.
    pub connection_password: Option<String>,
    /// Whether to remove the helper from the hosts at the end.
    pub no_keep_remote: bool,
    /// Whether the report shows nothing of the values that a successful task returns.
    pub is_silent: bool,
    /// Whether the report shows the arguments of tasks.
    pub wants_arguments: bool,
}
