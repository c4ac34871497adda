//! The settings that have an effect: one table of what there is, and the struct that it fills.

use std::path::PathBuf;

use super::release::Release;
use super::table::{Kind, Setting, settings};

settings! {
    /// Whether a condition that is not a boolean is a warning instead of an error.
    #[setting(ALLOW_BROKEN_CONDITIONALS, Bool, "false")]
    #[ini(defaults.allow_broken_conditionals)]
    #[env(ANSIBLE_ALLOW_BROKEN_CONDITIONALS)]
    pub allow_broken_conditionals: bool,

    /// The directory for everything that is kept for the user.
    #[setting(ANSIBLE_HOME, Path, "~/.ansible")]
    #[ini(defaults.home)]
    #[env(ANSIBLE_HOME)]
    pub home: PathBuf,

    /// Whether to use colors even if the output is not a terminal.
    #[setting(ANSIBLE_FORCE_COLOR, Bool, "false")]
    #[ini(defaults.force_color)]
    #[env(ANSIBLE_FORCE_COLOR)]
    pub force_color: bool,

    /// Whether to use no colors.
    #[setting(ANSIBLE_NOCOLOR, Bool, "false")]
    #[ini(defaults.nocolor)]
    #[env(ANSIBLE_NOCOLOR, NO_COLOR)]
    pub nocolor: bool,

    /// Whether a failed task on one host ends the play for all hosts.
    #[setting(ANY_ERRORS_FATAL, Bool, "false")]
    #[ini(defaults.any_errors_fatal)]
    #[env(ANSIBLE_ANY_ERRORS_FATAL)]
    pub any_errors_fatal: bool,

    /// Whether to become a user even if that is the login user.
    #[setting(BECOME_ALLOW_SAME_USER, Bool, "false")]
    #[ini(privilege_escalation.become_allow_same_user)]
    #[env(ANSIBLE_BECOME_ALLOW_SAME_USER)]
    pub become_allow_same_user: bool,

    /// A file with the password for becoming another user. An executable file is run, and prints the
    /// password.
    #[setting(BECOME_PASSWORD_FILE, Path, "")]
    #[ini(defaults.become_password_file)]
    #[env(ANSIBLE_BECOME_PASSWORD_FILE)]
    pub become_password_file: Option<PathBuf>,

    /// Whether the prompt for the become password is the same for every become method.
    #[setting(AGNOSTIC_BECOME_PROMPT, Bool, "true")]
    #[ini(privilege_escalation.agnostic_become_prompt)]
    #[env(ANSIBLE_AGNOSTIC_BECOME_PROMPT)]
    pub agnostic_become_prompt: bool,

    /// Where facts are kept between runs: `memory` or `jsonfile`.
    #[setting(CACHE_PLUGIN, Text, "memory")]
    #[ini(defaults.fact_caching)]
    #[env(ANSIBLE_CACHE_PLUGIN)]
    pub fact_caching: String,

    /// The directory of the fact cache.
    #[setting(CACHE_PLUGIN_CONNECTION, Text, "")]
    #[ini(defaults.fact_caching_connection)]
    #[env(ANSIBLE_CACHE_PLUGIN_CONNECTION)]
    pub fact_caching_connection: Option<String>,

    /// The prefix of the names in the fact cache.
    #[setting(CACHE_PLUGIN_PREFIX, Text, "ansible_facts")]
    #[ini(defaults.fact_caching_prefix)]
    #[env(ANSIBLE_CACHE_PLUGIN_PREFIX)]
    pub fact_caching_prefix: String,

    /// The number of seconds after which cached facts are stale. 0 means never.
    #[setting(CACHE_PLUGIN_TIMEOUT, Int, "86400")]
    #[ini(defaults.fact_caching_timeout)]
    #[env(ANSIBLE_CACHE_PLUGIN_TIMEOUT)]
    pub fact_caching_timeout: u64,

    /// The directories in which collections are installed.
    #[setting(COLLECTIONS_PATHS, PathSpec, "{{ANSIBLE_HOME}}/collections:/usr/share/ansible/collections")]
    #[ini(defaults.collections_path)]
    #[env(ANSIBLE_COLLECTIONS_PATH)]
    pub collections_path: Vec<PathBuf>,

    /// Whether collections among the packages of the Python with ansible-core count too.
    #[setting(COLLECTIONS_SCAN_SYS_PATH, Bool, "true")]
    #[ini(defaults.collections_scan_sys_path)]
    #[env(ANSIBLE_COLLECTIONS_SCAN_SYS_PATH)]
    pub collections_scan_sys_path: bool,

    /// Collections whose modules replace this program's own of the same full name; `all` means every one.
    #[setting(PREFER_COLLECTIONS, List, "")]
    #[ini(defaults.prefer_collections)]
    #[env(PLAYBOOK_PREFER_COLLECTIONS)]
    pub prefer_collections: Vec<String>,

    /// The release of ansible-core whose behavior the program has.
    #[setting(CORE, Text, "2.21")]
    #[ini(playbook.core)]
    #[env(PLAYBOOK_CORE)]
    #[choices("2.19", "2.21")]
    pub core: Release,

    /// What a collection that does not support this version of the language is.
    #[setting(COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH, Text, "warning")]
    #[ini(defaults.collections_on_ansible_version_mismatch)]
    #[env(ANSIBLE_COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH)]
    #[choices("error", "warning", "ignore")]
    pub collections_on_ansible_version_mismatch: String,

    /// The color of changed results.
    #[setting(COLOR_CHANGED, Text, "yellow")]
    #[ini(colors.changed)]
    #[env(ANSIBLE_COLOR_CHANGED)]
    pub color_changed: String,

    /// The color of debug messages.
    #[setting(COLOR_DEBUG, Text, "dark gray")]
    #[ini(colors.debug)]
    #[env(ANSIBLE_COLOR_DEBUG)]
    pub color_debug: String,

    /// The color of deprecation warnings.
    #[setting(COLOR_DEPRECATE, Text, "purple")]
    #[ini(colors.deprecate)]
    #[env(ANSIBLE_COLOR_DEPRECATE)]
    pub color_deprecate: String,

    /// The color of added lines in a diff.
    #[setting(COLOR_DIFF_ADD, Text, "green")]
    #[ini(colors.diff_add)]
    #[env(ANSIBLE_COLOR_DIFF_ADD)]
    pub color_diff_add: String,

    /// The color of line numbers in a diff.
    #[setting(COLOR_DIFF_LINES, Text, "cyan")]
    #[ini(colors.diff_lines)]
    #[env(ANSIBLE_COLOR_DIFF_LINES)]
    pub color_diff_lines: String,

    /// The color of removed lines in a diff.
    #[setting(COLOR_DIFF_REMOVE, Text, "red")]
    #[ini(colors.diff_remove)]
    #[env(ANSIBLE_COLOR_DIFF_REMOVE)]
    pub color_diff_remove: String,

    /// The color of errors.
    #[setting(COLOR_ERROR, Text, "red")]
    #[ini(colors.error)]
    #[env(ANSIBLE_COLOR_ERROR)]
    pub color_error: String,

    /// The color of included files.
    #[setting(COLOR_INCLUDED, Text, "cyan")]
    #[ini(colors.included)]
    #[env(ANSIBLE_COLOR_INCLUDED)]
    pub color_included: String,

    /// The color of results without a change.
    #[setting(COLOR_OK, Text, "green")]
    #[ini(colors.ok)]
    #[env(ANSIBLE_COLOR_OK)]
    pub color_ok: String,

    /// The color of skipped results.
    #[setting(COLOR_SKIP, Text, "cyan")]
    #[ini(colors.skip)]
    #[env(ANSIBLE_COLOR_SKIP)]
    pub color_skip: String,

    /// The color of unreachable hosts.
    #[setting(COLOR_UNREACHABLE, Text, "bright red")]
    #[ini(colors.unreachable)]
    #[env(ANSIBLE_COLOR_UNREACHABLE)]
    pub color_unreachable: String,

    /// The color of what `-v` adds.
    #[setting(COLOR_VERBOSE, Text, "blue")]
    #[ini(colors.verbose)]
    #[env(ANSIBLE_COLOR_VERBOSE)]
    pub color_verbose: String,

    /// The color of warnings.
    #[setting(COLOR_WARN, Text, "bright purple")]
    #[ini(colors.warn)]
    #[env(ANSIBLE_COLOR_WARN)]
    pub color_warn: String,

    /// A file with the connection's password. An executable file is run, and prints the password.
    #[setting(CONNECTION_PASSWORD_FILE, Path, "")]
    #[ini(defaults.connection_password_file)]
    #[env(ANSIBLE_CONNECTION_PASSWORD_FILE)]
    pub connection_password_file: Option<PathBuf>,

    /// Whether results have the arguments that their modules were called with. In the behavior of ansible-core 2.19 they
    /// do from `-vvv` on.
    #[setting(INJECT_INVOCATION, Bool, "false")]
    #[ini(defaults.inject_invocation)]
    #[env(ANSIBLE_INJECT_INVOCATION)]
    pub inject_invocation: bool,

    /// Whether to show warnings that tasks return.
    #[setting(ACTION_WARNINGS, Bool, "true")]
    #[ini(defaults.action_warnings)]
    #[env(ANSIBLE_ACTION_WARNINGS)]
    pub action_warnings: bool,

    /// Whether to warn if the inventory has only the implicit localhost.
    #[setting(LOCALHOST_WARNING, Bool, "true")]
    #[ini(defaults.localhost_warning)]
    #[env(ANSIBLE_LOCALHOST_WARNING)]
    pub localhost_warning: bool,

    /// The verbosity of the log file, if it differs from the terminal's.
    #[setting(LOG_VERBOSITY, Text, "")]
    #[ini(defaults.log_verbosity)]
    #[env(ANSIBLE_LOG_VERBOSITY)]
    pub log_verbosity: Option<String>,

    /// Whether to warn if no inventory could be read.
    #[setting(INVENTORY_UNPARSED_WARNING, Bool, "true")]
    #[ini(inventory.inventory_unparsed_warning)]
    #[env(ANSIBLE_INVENTORY_UNPARSED_WARNING)]
    pub inventory_unparsed_warning: bool,

    /// The directories in which action plugins are looked for.
    #[setting(
        DEFAULT_ACTION_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/action:/usr/share/ansible/plugins/action"
    )]
    #[ini(defaults.action_plugins)]
    #[env(ANSIBLE_ACTION_PLUGINS)]
    pub action_plugins: Vec<PathBuf>,

    /// Whether to ask for the connection's password.
    #[setting(DEFAULT_ASK_PASS, Bool, "false")]
    #[ini(defaults.ask_pass)]
    #[env(ANSIBLE_ASK_PASS)]
    pub ask_pass: bool,

    /// Whether to ask for the vault password.
    #[setting(DEFAULT_ASK_VAULT_PASS, Bool, "false")]
    #[ini(defaults.ask_vault_pass)]
    #[env(ANSIBLE_ASK_VAULT_PASS)]
    pub ask_vault_pass: bool,

    /// Whether every task becomes another user.
    #[setting(DEFAULT_BECOME, Bool, "false")]
    #[ini(privilege_escalation.become)]
    #[env(ANSIBLE_BECOME)]
    pub become_default: bool,

    /// Whether to ask for the password for becoming another user.
    #[setting(DEFAULT_BECOME_ASK_PASS, Bool, "false")]
    #[ini(privilege_escalation.become_ask_pass)]
    #[env(ANSIBLE_BECOME_ASK_PASS)]
    pub become_ask_pass: bool,

    /// How to become another user: `sudo`, `su`, `doas` or a plugin's name.
    #[setting(DEFAULT_BECOME_METHOD, Text, "sudo")]
    #[ini(privilege_escalation.become_method)]
    #[env(ANSIBLE_BECOME_METHOD)]
    pub become_method: String,

    /// The program that starts commands as another user.
    #[setting(DEFAULT_BECOME_EXE, Text, "")]
    #[ini(privilege_escalation.become_exe)]
    #[env(ANSIBLE_BECOME_EXE)]
    pub become_exe: Option<String>,

    /// The options of that program.
    #[setting(DEFAULT_BECOME_FLAGS, Text, "")]
    #[ini(privilege_escalation.become_flags)]
    #[env(ANSIBLE_BECOME_FLAGS)]
    pub become_flags: Option<String>,

    /// The user to become.
    #[setting(DEFAULT_BECOME_USER, Text, "root")]
    #[ini(privilege_escalation.become_user)]
    #[env(ANSIBLE_BECOME_USER)]
    pub become_user: String,

    /// The user that sudo becomes, if it differs.
    #[setting(SUDO_BECOME_USER, Text, "")]
    #[ini(sudo_become_plugin.user)]
    #[env(ANSIBLE_SUDO_USER)]
    pub sudo_user: Option<String>,

    /// The sudo program.
    #[setting(SUDO_BECOME_EXE, Text, "")]
    #[ini(sudo_become_plugin.executable)]
    #[env(ANSIBLE_SUDO_EXE)]
    pub sudo_exe: Option<String>,

    /// The options of sudo.
    #[setting(SUDO_BECOME_FLAGS, Text, "")]
    #[ini(sudo_become_plugin.flags)]
    #[env(ANSIBLE_SUDO_FLAGS)]
    pub sudo_flags: Option<String>,

    /// The user that su becomes, if it differs.
    #[setting(SU_BECOME_USER, Text, "")]
    #[ini(su_become_plugin.user)]
    #[env(ANSIBLE_SU_USER)]
    pub su_user: Option<String>,

    /// The su program.
    #[setting(SU_BECOME_EXE, Text, "")]
    #[ini(su_become_plugin.executable)]
    #[env(ANSIBLE_SU_EXE)]
    pub su_exe: Option<String>,

    /// The options of su.
    #[setting(SU_BECOME_FLAGS, Text, "")]
    #[ini(su_become_plugin.flags)]
    #[env(ANSIBLE_SU_FLAGS)]
    pub su_flags: Option<String>,

    /// Translations of "Password" with which su may ask.
    #[setting(SU_PROMPT_L10N, List, "")]
    #[ini(su_become_plugin.localized_prompts)]
    #[env(ANSIBLE_SU_PROMPT_L10N)]
    pub su_prompts: Vec<String>,

    /// Whether `stdout_callback` and the other callbacks count for ad hoc commands too.
    #[setting(DEFAULT_LOAD_CALLBACK_PLUGINS, Bool, "false")]
    #[ini(defaults.bin_ansible_callbacks)]
    #[env(ANSIBLE_LOAD_CALLBACK_PLUGINS)]
    pub bin_ansible_callbacks: bool,

    /// The directories in which callback plugins are looked for.
    #[setting(
        DEFAULT_CALLBACK_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/callback:/usr/share/ansible/plugins/callback"
    )]
    #[ini(defaults.callback_plugins)]
    #[env(ANSIBLE_CALLBACK_PLUGINS)]
    pub callback_plugins: Vec<PathBuf>,

    /// The callbacks beside the one on the terminal: `junit`, `timer`, `profile_tasks`, `tree` or plugins.
    #[setting(CALLBACKS_ENABLED, List, "")]
    #[ini(defaults.callbacks_enabled)]
    #[env(ANSIBLE_CALLBACKS_ENABLED)]
    pub callbacks_enabled: Vec<String>,

    /// Whether modules in Python report what they do.
    #[setting(DEFAULT_DEBUG, Bool, "false")]
    #[ini(defaults.debug)]
    #[env(ANSIBLE_DEBUG)]
    pub debug: bool,

    /// The shell that runs commands.
    #[setting(DEFAULT_EXECUTABLE, Text, "/bin/sh")]
    #[ini(defaults.executable)]
    #[env(ANSIBLE_EXECUTABLE)]
    pub executable: String,

    /// The directories in which filter plugins are looked for.
    #[setting(
        DEFAULT_FILTER_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/filter:/usr/share/ansible/plugins/filter"
    )]
    #[ini(defaults.filter_plugins)]
    #[env(ANSIBLE_FILTER_PLUGINS)]
    pub filter_plugins: Vec<PathBuf>,

    /// Whether to run notified handlers even on hosts where a task failed.
    #[setting(DEFAULT_FORCE_HANDLERS, Bool, "false")]
    #[ini(defaults.force_handlers)]
    #[env(ANSIBLE_FORCE_HANDLERS)]
    pub force_handlers: bool,

    /// The number of hosts on which tasks run at the same time.
    #[setting(DEFAULT_FORKS, Int, "5")]
    #[ini(defaults.forks)]
    #[env(ANSIBLE_FORKS)]
    pub forks: usize,

    /// When facts are gathered.
    #[setting(DEFAULT_GATHERING, Text, "implicit")]
    #[ini(defaults.gathering)]
    #[env(ANSIBLE_GATHERING)]
    #[choices("implicit", "explicit", "smart")]
    pub gathering: String,

    /// The subsets of facts that are gathered.
    #[setting(DEFAULT_GATHER_SUBSET, List, "")]
    #[ini(defaults.gather_subset)]
    #[env(ANSIBLE_GATHER_SUBSET)]
    pub gather_subset: Vec<String>,

    /// The number of seconds that a single fact may take.
    #[setting(DEFAULT_GATHER_TIMEOUT, Int, "10")]
    #[ini(defaults.gather_timeout)]
    #[env(ANSIBLE_GATHER_TIMEOUT)]
    pub gather_timeout: u64,

    /// Whether maps of the same name replace each other or are merged.
    #[setting(DEFAULT_HASH_BEHAVIOUR, Text, "replace")]
    #[ini(defaults.hash_behaviour)]
    #[env(ANSIBLE_HASH_BEHAVIOUR)]
    #[choices("replace", "merge")]
    pub hash_behaviour: String,

    /// The inventory sources, if none is given with `-i`.
    #[setting(DEFAULT_HOST_LIST, PathList, "/etc/ansible/hosts")]
    #[ini(defaults.inventory)]
    #[env(ANSIBLE_INVENTORY)]
    pub inventory: Vec<String>,

    /// The directories in which inventory plugins are looked for.
    #[setting(
        DEFAULT_INVENTORY_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/inventory:/usr/share/ansible/plugins/inventory"
    )]
    #[ini(defaults.inventory_plugins)]
    #[env(ANSIBLE_INVENTORY_PLUGINS)]
    pub inventory_plugins: Vec<PathBuf>,

    /// The directories in which connection plugins are looked for.
    #[setting(
        DEFAULT_CONNECTION_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/connection:/usr/share/ansible/plugins/connection"
    )]
    #[ini(defaults.connection_plugins)]
    #[env(ANSIBLE_CONNECTION_PLUGINS)]
    pub connection_plugins: Vec<PathBuf>,

    /// Whether to keep the files that were copied to hosts to run a module.
    #[setting(DEFAULT_KEEP_REMOTE_FILES, Bool, "false")]
    #[ini(defaults.keep_remote_files)]
    #[env(ANSIBLE_KEEP_REMOTE_FILES)]
    pub keep_remote_files: bool,

    /// The directory for temporary files of the controller.
    #[setting(DEFAULT_LOCAL_TMP, Path, "{{ANSIBLE_HOME}}/tmp")]
    #[ini(defaults.local_tmp)]
    #[env(ANSIBLE_LOCAL_TEMP)]
    pub local_tmp: PathBuf,

    /// A file to which everything that is shown is written as well.
    #[setting(DEFAULT_LOG_PATH, Path, "")]
    #[ini(defaults.log_path)]
    #[env(ANSIBLE_LOG_PATH)]
    pub log_path: Option<PathBuf>,

    /// The names whose messages are not written to the log file.
    #[setting(DEFAULT_LOG_FILTER, List, "")]
    #[ini(defaults.log_filter)]
    #[env(ANSIBLE_LOG_FILTER)]
    pub log_filter: Vec<String>,

    /// The directories in which lookup plugins are looked for.
    #[setting(
        DEFAULT_LOOKUP_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/lookup:/usr/share/ansible/plugins/lookup"
    )]
    #[ini(defaults.lookup_plugins)]
    #[env(ANSIBLE_LOOKUP_PLUGINS)]
    pub lookup_plugins: Vec<PathBuf>,

    /// The value of the variable `ansible_managed`.
    #[setting(DEFAULT_MANAGED_STR, Text, "Ansible managed")]
    #[ini(defaults.ansible_managed)]
    pub ansible_managed: String,

    /// The arguments of an ad hoc task, if none are given.
    #[setting(DEFAULT_MODULE_ARGS, Text, "")]
    #[ini(defaults.module_args)]
    #[env(ANSIBLE_MODULE_ARGS)]
    pub module_args: Option<String>,

    /// The module of an ad hoc task, if none is given.
    #[setting(DEFAULT_MODULE_NAME, Text, "command")]
    #[ini(defaults.module_name)]
    pub module_name: String,

    /// The directories in which modules are looked for.
    #[setting(
        DEFAULT_MODULE_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/modules:/usr/share/ansible/plugins/modules"
    )]
    #[ini(defaults.library)]
    #[env(ANSIBLE_LIBRARY)]
    pub library: Vec<PathBuf>,

    /// Whether to hide the arguments and results of all tasks.
    #[setting(DEFAULT_NO_LOG, Bool, "false")]
    #[ini(defaults.no_log)]
    #[env(ANSIBLE_NO_LOG)]
    pub no_log: bool,

    /// Whether modules write nothing to the host's system log.
    #[setting(DEFAULT_NO_TARGET_SYSLOG, Bool, "false")]
    #[ini(defaults.no_target_syslog)]
    #[env(ANSIBLE_NO_TARGET_SYSLOG)]
    pub no_target_syslog: bool,

    /// The number of seconds between two polls of an asynchronous task.
    #[setting(DEFAULT_POLL_INTERVAL, Int, "15")]
    #[ini(defaults.poll_interval)]
    #[env(ANSIBLE_POLL_INTERVAL)]
    pub poll_interval: u64,

    /// The private key for connections.
    #[setting(DEFAULT_PRIVATE_KEY_FILE, Path, "")]
    #[ini(defaults.private_key_file)]
    #[env(ANSIBLE_PRIVATE_KEY_FILE)]
    pub private_key_file: Option<PathBuf>,

    /// Whether a role's variables are visible only in the role.
    #[setting(DEFAULT_PRIVATE_ROLE_VARS, Bool, "false")]
    #[ini(defaults.private_role_vars)]
    #[env(ANSIBLE_PRIVATE_ROLE_VARS)]
    pub private_role_vars: bool,

    /// The port for connections.
    #[setting(DEFAULT_REMOTE_PORT, Int, "")]
    #[ini(defaults.remote_port)]
    #[env(ANSIBLE_REMOTE_PORT)]
    pub remote_port: Option<u64>,

    /// The login user.
    #[setting(DEFAULT_REMOTE_USER, Text, "")]
    #[ini(defaults.remote_user)]
    #[env(ANSIBLE_REMOTE_USER)]
    pub remote_user: Option<String>,

    /// The directories in which roles are looked for.
    #[setting(
        DEFAULT_ROLES_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/roles:/usr/share/ansible/roles:/etc/ansible/roles"
    )]
    #[ini(defaults.roles_path)]
    #[env(ANSIBLE_ROLES_PATH)]
    pub roles_path: Vec<PathBuf>,

    /// The file systems that have no SELinux context of their own.
    #[setting(DEFAULT_SELINUX_SPECIAL_FS, List, "fuse,nfs,vboxsf,ramfs,9p,vfat")]
    #[ini(selinux.special_context_filesystems)]
    #[env(ANSIBLE_SELINUX_SPECIAL_FS)]
    pub special_context_filesystems: Vec<String>,

    /// The callback that writes the report on the terminal.
    #[setting(DEFAULT_STDOUT_CALLBACK, Text, "default")]
    #[ini(defaults.stdout_callback)]
    #[env(ANSIBLE_STDOUT_CALLBACK)]
    pub stdout_callback: String,

    /// The editor that opens vaults.
    #[setting(EDITOR, Text, "vi")]
    #[ini(defaults.editor)]
    #[env(ANSIBLE_EDITOR, EDITOR)]
    pub editor: String,

    /// Whether to start the debugger when a task fails.
    #[setting(ENABLE_TASK_DEBUGGER, Bool, "false")]
    #[ini(defaults.enable_task_debugger)]
    #[env(ANSIBLE_ENABLE_TASK_DEBUGGER)]
    pub enable_task_debugger: bool,

    /// Whether not to start the debugger for failures that are ignored.
    #[setting(TASK_DEBUGGER_IGNORE_ERRORS, Bool, "true")]
    #[ini(defaults.task_debugger_ignore_errors)]
    #[env(ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS)]
    pub task_debugger_ignore_errors: bool,

    /// How the hosts of a play advance: `linear`, `free` or `host_pinned`.
    #[setting(DEFAULT_STRATEGY, Text, "linear")]
    #[ini(defaults.strategy)]
    #[env(ANSIBLE_STRATEGY)]
    pub strategy: String,

    /// The directories in which test plugins are looked for.
    #[setting(
        DEFAULT_TEST_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/test:/usr/share/ansible/plugins/test"
    )]
    #[ini(defaults.test_plugins)]
    #[env(ANSIBLE_TEST_PLUGINS)]
    pub test_plugins: Vec<PathBuf>,

    /// The number of seconds after which a connection attempt is given up.
    #[setting(DEFAULT_TIMEOUT, Int, "10")]
    #[ini(defaults.timeout)]
    #[env(ANSIBLE_TIMEOUT)]
    pub timeout: u64,

    /// The connection to hosts.
    #[setting(DEFAULT_TRANSPORT, Text, "ssh")]
    #[ini(defaults.transport)]
    #[env(ANSIBLE_TRANSPORT)]
    pub transport: String,

    /// Whether a vault is opened only with the secret of its own id.
    #[setting(DEFAULT_VAULT_ID_MATCH, Bool, "false")]
    #[ini(defaults.vault_id_match)]
    #[env(ANSIBLE_VAULT_ID_MATCH)]
    pub vault_id_match: bool,

    /// The id of vault secrets that have none.
    #[setting(DEFAULT_VAULT_IDENTITY, Text, "default")]
    #[ini(defaults.vault_identity)]
    #[env(ANSIBLE_VAULT_IDENTITY)]
    pub default_vault_id: Option<String>,

    /// A salt for new vaults, to make them reproducible.
    #[setting(VAULT_ENCRYPT_SALT, Text, "")]
    #[ini(defaults.vault_encrypt_salt)]
    #[env(ANSIBLE_VAULT_ENCRYPT_SALT)]
    pub vault_encrypt_salt: Option<String>,

    /// The id that new vaults are encrypted with.
    #[setting(DEFAULT_VAULT_ENCRYPT_IDENTITY, Text, "")]
    #[ini(defaults.vault_encrypt_identity)]
    #[env(ANSIBLE_VAULT_ENCRYPT_IDENTITY)]
    pub vault_encrypt_identity: Option<String>,

    /// The vault ids, each with its password file or prompt.
    #[setting(DEFAULT_VAULT_IDENTITY_LIST, List, "")]
    #[ini(defaults.vault_identity_list)]
    #[env(ANSIBLE_VAULT_IDENTITY_LIST)]
    pub vault_identity_list: Vec<String>,

    /// The vault password file.
    #[setting(DEFAULT_VAULT_PASSWORD_FILE, Path, "")]
    #[ini(defaults.vault_password_file)]
    #[env(ANSIBLE_VAULT_PASSWORD_FILE)]
    pub vault_password_file: Option<PathBuf>,

    /// How much is shown: the number of `-v` flags.
    #[setting(DEFAULT_VERBOSITY, Int, "0")]
    #[ini(defaults.verbosity)]
    #[env(ANSIBLE_VERBOSITY)]
    pub verbosity: u64,

    /// Whether to warn of malformed metadata in a collection's action groups.
    #[setting(VALIDATE_ACTION_GROUP_METADATA, Bool, "true")]
    #[ini(defaults.validate_action_group_metadata)]
    #[env(ANSIBLE_VALIDATE_ACTION_GROUP_METADATA)]
    pub validate_action_group_metadata: bool,

    /// Whether to show deprecation warnings.
    #[setting(DEPRECATION_WARNINGS, Bool, "true")]
    #[ini(defaults.deprecation_warnings)]
    #[env(ANSIBLE_DEPRECATION_WARNINGS)]
    pub deprecation_warnings: bool,

    /// Whether to show differences even without `--diff`.
    #[setting(DIFF_ALWAYS, Bool, "false")]
    #[ini(diff.always)]
    #[env(ANSIBLE_DIFF_ALWAYS)]
    pub diff_always: bool,

    /// The number of unchanged lines around a difference.
    #[setting(DIFF_CONTEXT, Int, "3")]
    #[ini(diff.context)]
    #[env(ANSIBLE_DIFF_CONTEXT)]
    pub diff_context: usize,

    /// Whether to show a task's arguments in its heading.
    #[setting(DISPLAY_ARGS_TO_STDOUT, Bool, "false")]
    #[ini(defaults.display_args_to_stdout)]
    #[env(ANSIBLE_DISPLAY_ARGS_TO_STDOUT)]
    pub display_args_to_stdout: bool,

    /// Whether to show hosts on which a task was skipped.
    #[setting(DISPLAY_SKIPPED_HOSTS, Bool, "true")]
    #[ini(defaults.display_skipped_hosts)]
    #[env(ANSIBLE_DISPLAY_SKIPPED_HOSTS)]
    pub display_skipped_hosts: bool,

    /// Whether to show hosts on which nothing was changed.
    #[setting(DISPLAY_OK_HOSTS, Bool, "true")]
    #[ini(defaults.display_ok_hosts)]
    #[env(ANSIBLE_DISPLAY_OK_HOSTS)]
    pub display_ok_hosts: bool,

    /// Whether to write failures to standard error.
    #[setting(DISPLAY_FAILED_STDERR, Bool, "false")]
    #[ini(defaults.display_failed_stderr)]
    #[env(ANSIBLE_DISPLAY_FAILED_STDERR)]
    pub display_failed_stderr: bool,

    /// What a duplicate key in YAML is.
    #[setting(DUPLICATE_YAML_DICT_KEY, Text, "warn")]
    #[ini(defaults.duplicate_dict_key)]
    #[env(ANSIBLE_DUPLICATE_YAML_DICT_KEY)]
    #[choices("error", "warn", "ignore")]
    pub duplicate_dict_key: String,

    /// Whether notifying a missing handler is an error.
    #[setting(ERROR_ON_MISSING_HANDLER, Bool, "true")]
    #[ini(defaults.error_on_missing_handler)]
    #[env(ANSIBLE_ERROR_ON_MISSING_HANDLER)]
    pub error_on_missing_handler: bool,

    /// The modules that gather facts.
    #[setting(FACTS_MODULES, List, "smart")]
    #[ini(defaults.facts_modules)]
    #[env(ANSIBLE_FACTS_MODULES)]
    pub facts_modules: Vec<String>,

    /// Whether to check the host keys of SSH servers.
    #[setting(HOST_KEY_CHECKING, Bool, "true")]
    #[ini(defaults.host_key_checking, ssh_connection.host_key_checking)]
    #[env(ANSIBLE_HOST_KEY_CHECKING, ANSIBLE_SSH_HOST_KEY_CHECKING)]
    pub host_key_checking: bool,

    /// What a host pattern without a matching host is.
    #[setting(HOST_PATTERN_MISMATCH, Text, "warning")]
    #[ini(inventory.host_pattern_mismatch)]
    #[env(ANSIBLE_HOST_PATTERN_MISMATCH)]
    #[choices("error", "warning", "ignore")]
    pub host_pattern_mismatch: String,

    /// The interpreter of modules in Python on hosts.
    #[setting(INTERPRETER_PYTHON, Text, "auto")]
    #[ini(defaults.interpreter_python)]
    #[env(ANSIBLE_PYTHON_INTERPRETER)]
    pub interpreter_python: String,

    /// The interpreters that are tried on hosts, for modules in Python.
    #[setting(
        INTERPRETER_PYTHON_FALLBACK,
        List,
        "python3.14,python3.13,python3.12,python3.11,python3.10,python3.9,python3.8,\
         /usr/bin/python3,python3"
    )]
    pub interpreter_python_fallback: Vec<String>,

    /// The Python with ansible-core that runs plugins and prepares modules in Python. If unset, one is
    /// looked for.
    #[setting(PLUGIN_PYTHON, Path, "")]
    #[ini(defaults.plugin_python)]
    #[env(PLAYBOOK_PYTHON)]
    pub plugin_python: Option<PathBuf>,

    /// When characters of group names that variables cannot have are replaced.
    #[setting(TRANSFORM_INVALID_GROUP_CHARS, Text, "never")]
    #[ini(defaults.force_valid_group_names)]
    #[env(ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS)]
    #[choices("always", "never", "ignore", "silently")]
    pub force_valid_group_names: String,

    /// Whether an unknown keyword of a task is an error. Otherwise it is a warning.
    #[setting(INVALID_TASK_ATTRIBUTE_FAILED, Bool, "true")]
    #[ini(defaults.invalid_task_attribute_failed)]
    #[env(ANSIBLE_INVALID_TASK_ATTRIBUTE_FAILED)]
    pub invalid_task_attribute_failed: bool,

    /// Whether a single inventory source that cannot be read is an error.
    #[setting(INVENTORY_ANY_UNPARSED_IS_FAILED, Bool, "false")]
    #[ini(inventory.any_unparsed_is_failed)]
    #[env(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED)]
    pub inventory_any_unparsed_is_failed: bool,

    /// The inventory plugins that are tried, in order.
    #[setting(INVENTORY_ENABLED, List, "host_list,script,auto,yaml,ini,toml")]
    #[ini(inventory.enable_plugins)]
    #[env(ANSIBLE_INVENTORY_ENABLED)]
    pub inventory_enabled: Vec<String>,

    /// Whether `inventory --list` prints each variable once, where it was written.
    #[setting(INVENTORY_EXPORT, Bool, "false")]
    #[ini(inventory.export)]
    #[env(ANSIBLE_INVENTORY_EXPORT)]
    pub inventory_export: bool,

    /// Extensions of files in an inventory directory that are not inventories.
    #[setting(INVENTORY_IGNORE_EXTS, List, ".pyc,.pyo,.swp,.bak,~,.rpm,.md,.txt,.rst,.orig,.cfg,.retry")]
    #[ini(defaults.inventory_ignore_extensions, inventory.ignore_extensions)]
    #[env(ANSIBLE_INVENTORY_IGNORE)]
    pub inventory_ignore_extensions: Vec<String>,

    /// Regular expressions for files in an inventory directory that are not inventories.
    #[setting(INVENTORY_IGNORE_PATTERNS, List, "")]
    #[ini(defaults.inventory_ignore_patterns, inventory.ignore_patterns)]
    #[env(ANSIBLE_INVENTORY_IGNORE_REGEX)]
    pub inventory_ignore_patterns: Vec<String>,

    /// Whether it is an error if no inventory source can be read.
    #[setting(INVENTORY_UNPARSED_IS_FAILED, Bool, "false")]
    #[ini(inventory.unparsed_is_failed)]
    #[env(ANSIBLE_INVENTORY_UNPARSED_FAILED)]
    pub inventory_unparsed_is_failed: bool,

    /// Whether to show what inventory scripts write to standard error.
    #[setting(INVENTORY_SCRIPT_STDERR, Bool, "true")]
    #[ini(inventory_plugin_script.always_show_stderr)]
    #[env(ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR)]
    pub inventory_script_stderr: bool,

    /// Whether constructed inventories see extra variables.
    #[setting(INVENTORY_USE_EXTRA_VARS, Bool, "false")]
    #[ini(inventory_plugins.use_extra_vars)]
    #[env(ANSIBLE_INVENTORY_USE_EXTRA_VARS)]
    pub inventory_use_extra_vars: bool,

    /// The largest size of a file that is shown in a diff, in bytes. 0 means any.
    #[setting(MAX_FILE_SIZE_FOR_DIFF, Int, "104448")]
    #[ini(defaults.max_diff_size)]
    #[env(ANSIBLE_MAX_DIFF_SIZE)]
    pub max_diff_size: usize,

    /// Whether facts are variables too (`ansible_hostname`), not only members of `ansible_facts`.
    #[setting(INJECT_FACTS_AS_VARS, Bool, "true")]
    #[ini(defaults.inject_facts_as_vars)]
    #[env(ANSIBLE_INJECT_FACT_VARS)]
    pub inject_facts_as_vars: bool,

    /// Extensions of files in module directories that are not modules.
    #[setting(MODULE_IGNORE_EXTS, List, ".pyc,.pyo,.swp,.bak,~,.rpm,.md,.txt,.rst,.yaml,.yml,.ini")]
    #[ini(defaults.module_ignore_exts)]
    #[env(ANSIBLE_MODULE_IGNORE_EXTS)]
    pub module_ignore_exts: Vec<String>,

    /// The directory of the playbook, for commands that have none.
    #[setting(PLAYBOOK_DIR, Path, "")]
    #[ini(defaults.playbook_dir)]
    #[env(ANSIBLE_PLAYBOOK_DIR)]
    pub playbook_dir: Option<PathBuf>,

    /// Whether to write a file with the names of failed hosts.
    #[setting(RETRY_FILES_ENABLED, Bool, "false")]
    #[ini(defaults.retry_files_enabled)]
    #[env(ANSIBLE_RETRY_FILES_ENABLED)]
    pub retry_files_enabled: bool,

    /// The directory of that file.
    #[setting(RETRY_FILES_SAVE_PATH, Path, "")]
    #[ini(defaults.retry_files_save_path)]
    #[env(ANSIBLE_RETRY_FILES_SAVE_PATH)]
    pub retry_files_save_path: Option<PathBuf>,

    /// When vars plugins run: on demand, or after the inventory is read.
    #[setting(RUN_VARS_PLUGINS, Text, "demand")]
    #[ini(defaults.run_vars_plugins)]
    #[env(ANSIBLE_RUN_VARS_PLUGINS)]
    #[choices("demand", "start")]
    pub run_vars_plugins: String,

    /// Whether to show what `set_stats` collected.
    #[setting(SHOW_CUSTOM_STATS, Bool, "false")]
    #[ini(defaults.show_custom_stats)]
    #[env(ANSIBLE_SHOW_CUSTOM_STATS)]
    pub show_custom_stats: bool,

    /// Whether headings say that a run is in check mode.
    #[setting(CHECK_MODE_MARKERS, Bool, "false")]
    #[ini(defaults.check_mode_markers)]
    #[env(ANSIBLE_CHECK_MODE_MARKERS)]
    pub check_mode_markers: bool,

    /// Whether to show when a task starts on a host.
    #[setting(SHOW_PER_HOST_START, Bool, "false")]
    #[ini(defaults.show_per_host_start)]
    #[env(ANSIBLE_SHOW_PER_HOST_START)]
    pub show_per_host_start: bool,

    /// Whether to show file and line of a failed task.
    #[setting(SHOW_TASK_PATH_ON_FAILURE, Bool, "false")]
    #[ini(defaults.show_task_path_on_failure)]
    #[env(ANSIBLE_SHOW_TASK_PATH_ON_FAILURE)]
    pub show_task_path_on_failure: bool,

    /// The format of results.
    #[setting(CALLBACK_RESULT_FORMAT, Text, "json")]
    #[ini(defaults.callback_result_format)]
    #[env(ANSIBLE_CALLBACK_RESULT_FORMAT)]
    #[choices("json", "yaml")]
    pub result_format: String,

    /// Whether to show results on several lines. If unset, that depends on the verbosity.
    #[setting(CALLBACK_FORMAT_PRETTY, Bool, "")]
    #[ini(defaults.callback_format_pretty)]
    #[env(ANSIBLE_CALLBACK_FORMAT_PRETTY)]
    pub callback_format_pretty: Option<bool>,

    /// The tags to run, if `-t` names none.
    #[setting(TAGS_RUN, List, "")]
    #[ini(tags.run)]
    #[env(ANSIBLE_RUN_TAGS)]
    pub run_tags: Vec<String>,

    /// The tags to skip.
    #[setting(TAGS_SKIP, List, "")]
    #[ini(tags.skip)]
    #[env(ANSIBLE_SKIP_TAGS)]
    pub skip_tags: Vec<String>,

    /// Text that modules add to what they write to the host's system log.
    #[setting(TARGET_LOG_INFO, Text, "")]
    #[ini(defaults.target_log_info)]
    #[env(ANSIBLE_TARGET_LOG_INFO)]
    pub target_log_info: Option<String>,

    /// The number of seconds that a task may take. 0 means any.
    #[setting(TASK_TIMEOUT, Int, "0")]
    #[ini(defaults.task_timeout)]
    #[env(ANSIBLE_TASK_TIMEOUT)]
    pub task_timeout: u64,

    /// The vars plugins that are used.
    #[setting(VARIABLE_PLUGINS_ENABLED, List, "host_group_vars")]
    #[ini(defaults.vars_plugins_enabled)]
    #[env(ANSIBLE_VARS_ENABLED)]
    pub vars_plugins_enabled: Vec<String>,

    /// When host_group_vars runs: after the inventory is read, at each task, or both.
    #[setting(VARS_PLUGIN_STAGE, Text, "")]
    #[ini(vars_host_group_vars.stage)]
    #[env(ANSIBLE_VARS_PLUGIN_STAGE)]
    pub vars_stage: Option<String>,

    /// The order in which group variables override each other.
    #[setting(
        VARIABLE_PRECEDENCE,
        List,
        "all_inventory,groups_inventory,all_plugins_inventory,all_plugins_play,\
         groups_plugins_inventory,groups_plugins_play"
    )]
    #[ini(defaults.precedence)]
    #[env(ANSIBLE_PRECEDENCE)]
    pub precedence: Vec<String>,

    /// Extensions of YAML files.
    #[setting(YAML_FILENAME_EXTENSIONS, List, ".yml,.yaml,.json")]
    #[ini(defaults.yaml_valid_extensions)]
    #[env(ANSIBLE_YAML_FILENAME_EXT)]
    pub yaml_valid_extensions: Vec<String>,

    /// Whether what `-v` adds is written to standard error.
    #[setting(VERBOSE_TO_STDERR, Bool, "false")]
    #[ini(defaults.verbose_to_stderr)]
    #[env(ANSIBLE_VERBOSE_TO_STDERR)]
    pub verbose_to_stderr: bool,

    /// The directory for temporary files on hosts.
    #[setting(REMOTE_TMP, RemotePath, "~/.ansible/tmp")]
    #[ini(defaults.remote_tmp)]
    #[env(ANSIBLE_REMOTE_TEMP, ANSIBLE_REMOTE_TMP)]
    pub remote_tmp: PathBuf,

    /// The directory on hosts in which asynchronous tasks keep their results.
    #[setting(ASYNC_DIR, RemotePath, "~/.ansible_async")]
    #[ini(defaults.async_dir)]
    #[env(ANSIBLE_ASYNC_DIR)]
    pub async_dir: PathBuf,

    /// Options for every ssh, in place of the built-in ones.
    #[setting(SSH_ARGS, Text, "-C -o ControlMaster=auto -o ControlPersist=60s")]
    #[ini(ssh_connection.ssh_args)]
    #[env(ANSIBLE_SSH_ARGS)]
    pub ssh_args: String,

    /// More options for every ssh.
    #[setting(SSH_COMMON_ARGS, Text, "")]
    #[ini(ssh_connection.ssh_common_args)]
    #[env(ANSIBLE_SSH_COMMON_ARGS)]
    pub ssh_common_args: String,

    /// More options for ssh.
    #[setting(SSH_EXTRA_ARGS, Text, "")]
    #[ini(ssh_connection.ssh_extra_args)]
    #[env(ANSIBLE_SSH_EXTRA_ARGS)]
    pub ssh_extra_args: String,

    /// The ssh program.
    #[setting(SSH_EXECUTABLE, Text, "ssh")]
    #[ini(ssh_connection.ssh_executable)]
    #[env(ANSIBLE_SSH_EXECUTABLE)]
    pub ssh_executable: String,

    /// The number of times that a failed connection attempt is repeated.
    #[setting(SSH_RETRIES, Int, "0")]
    #[ini(connection.retries, ssh_connection.retries)]
    #[env(ANSIBLE_SSH_RETRIES)]
    pub ssh_retries: u64,

    /// The number of seconds after which an ssh connection attempt is given up, if it differs.
    #[setting(SSH_TIMEOUT, Int, "")]
    #[ini(ssh_connection.timeout)]
    #[env(ANSIBLE_SSH_TIMEOUT)]
    pub ssh_timeout: Option<u64>,

    /// The private key for connections, as text.
    #[setting(SSH_PRIVATE_KEY, Text, "")]
    #[env(ANSIBLE_PRIVATE_KEY)]
    pub private_key: Option<String>,

    /// The names of the Galaxy servers, in the order in which they are asked.
    #[setting(GALAXY_SERVER_LIST, List, "")]
    #[ini(galaxy.server_list)]
    #[env(ANSIBLE_GALAXY_SERVER_LIST)]
    pub galaxy_server_list: Vec<String>,

    /// The Galaxy server.
    #[setting(GALAXY_SERVER, Text, "https://galaxy.ansible.com")]
    #[ini(galaxy.server)]
    #[env(ANSIBLE_GALAXY_SERVER)]
    pub galaxy_server: String,

    /// The directory of JUnit reports.
    #[setting(JUNIT_OUTPUT_DIR, Path, "~/.ansible.log")]
    #[env(JUNIT_OUTPUT_DIR)]
    pub junit_output_dir: PathBuf,

    /// Whether JUnit classes are files, without lines.
    #[setting(JUNIT_TASK_CLASS, Bool, "false")]
    #[env(JUNIT_TASK_CLASS)]
    pub junit_task_class: bool,

    /// The directory that JUnit classes are relative to.
    #[setting(JUNIT_TASK_RELATIVE_PATH, Text, "")]
    #[env(JUNIT_TASK_RELATIVE_PATH)]
    pub junit_task_relative_path: String,

    /// The text that replaces the directory of a JUnit class outside of that one.
    #[setting(JUNIT_REPLACE_OUT_OF_TREE_PATH, Text, "")]
    #[env(JUNIT_REPLACE_OUT_OF_TREE_PATH)]
    pub junit_replace_out_of_tree_path: Option<String>,

    /// Whether a task that changes something fails in JUnit reports.
    #[setting(JUNIT_FAIL_ON_CHANGE, Bool, "false")]
    #[env(JUNIT_FAIL_ON_CHANGE)]
    pub junit_fail_on_change: bool,

    /// Whether a task whose failure is ignored fails in JUnit reports.
    #[setting(JUNIT_FAIL_ON_IGNORE, Bool, "false")]
    #[env(JUNIT_FAIL_ON_IGNORE)]
    pub junit_fail_on_ignore: bool,

    /// Whether JUnit reports contain tasks that gather facts.
    #[setting(JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT, Bool, "true")]
    #[env(JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT)]
    pub junit_include_setup_tasks: bool,

    /// Whether JUnit reports leave out the arguments of tasks.
    #[setting(JUNIT_HIDE_TASK_ARGUMENTS, Bool, "false")]
    #[env(JUNIT_HIDE_TASK_ARGUMENTS)]
    pub junit_hide_task_arguments: bool,

    /// The prefix of the names of tasks that JUnit reports contain, beside those that fail.
    #[setting(JUNIT_TEST_CASE_PREFIX, Text, "")]
    #[env(JUNIT_TEST_CASE_PREFIX)]
    pub junit_test_case_prefix: String,

    /// The number of tasks that profile_tasks lists, or `all`.
    #[setting(PROFILE_TASKS_OUTPUT_LIMIT, Text, "20")]
    #[ini(callback_profile_tasks.task_output_limit)]
    #[env(PROFILE_TASKS_TASK_OUTPUT_LIMIT)]
    pub profile_tasks_output_limit: String,

    /// The order in which profile_tasks lists tasks.
    #[setting(PROFILE_TASKS_SORT_ORDER, Text, "descending")]
    #[ini(callback_profile_tasks.sort_order)]
    #[env(PROFILE_TASKS_SORT_ORDER)]
    #[choices("descending", "ascending", "none")]
    pub profile_tasks_sort_order: String,

    /// Whether profile_tasks prints only its summary.
    #[setting(PROFILE_TASKS_SUMMARY_ONLY, Bool, "false")]
    #[ini(callback_profile_tasks.summary_only)]
    #[env(PROFILE_TASKS_SUMMARY_ONLY)]
    pub profile_tasks_summary_only: bool,

    /// The format in which profile_tasks writes dates.
    #[setting(PROFILE_TASKS_DATETIME_FORMAT, Text, "%A %d %B %Y  %H:%M:%S %z")]
    #[ini(callback_profile_tasks.datetime_format)]
    #[env(PROFILE_TASKS_DATETIME_FORMAT)]
    pub profile_tasks_datetime_format: String,

    /// The directory of the tree callback.
    #[setting(CALLBACK_TREE_DIR, Path, "~/.ansible/tree")]
    #[ini(callback_tree.directory)]
    #[env(ANSIBLE_CALLBACK_TREE_DIR)]
    pub callback_tree_dir: PathBuf,
}
