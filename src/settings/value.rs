//! The settings of a run: one table of what there is, and the struct it fills.

use std::path::PathBuf;

use super::table::{Kind, Setting, settings};

settings! {
    /// Make a condition that is no boolean a warning instead of an error.
    allow_broken_conditionals: bool = ALLOW_BROKEN_CONDITIONALS Bool "false" [defaults.allow_broken_conditionals] [ANSIBLE_ALLOW_BROKEN_CONDITIONALS];
    /// Let text from trusted variables hold templates of its own.
    allow_embedded_templates: bool = ALLOW_EMBEDDED_TEMPLATES Bool "true" [defaults.allow_embedded_templates] [ANSIBLE_ALLOW_EMBEDDED_TEMPLATES];
    /// The folder of everything that is kept for the user.
    home: PathBuf = ANSIBLE_HOME Path "~/.ansible" [defaults.home] [ANSIBLE_HOME];
    /// Which cow says what happens.
    cow_selection: String = ANSIBLE_COW_SELECTION Text "default" [defaults.cow_selection] [ANSIBLE_COW_SELECTION];
    /// Colours even where the output is no terminal.
    force_color: bool = ANSIBLE_FORCE_COLOR Bool "false" [defaults.force_color] [ANSIBLE_FORCE_COLOR];
    /// No colours.
    nocolor: bool = ANSIBLE_NOCOLOR Bool "false" [defaults.nocolor] [ANSIBLE_NOCOLOR NO_COLOR];
    /// No cows.
    nocows: bool = ANSIBLE_NOCOWS Bool "false" [defaults.nocows] [ANSIBLE_NOCOWS];
    /// The cowsay program.
    cowpath: Option<PathBuf> = ANSIBLE_COW_PATH Path "" [defaults.cowpath] [ANSIBLE_COW_PATH];
    /// Run modules over the open connection instead of copying them first.
    pipelining: bool = ANSIBLE_PIPELINING Bool "false" [defaults.pipelining connection.pipelining ssh_connection.pipelining] [ANSIBLE_PIPELINING ANSIBLE_SSH_PIPELINING];
    /// End the play for all hosts when a task fails on one.
    any_errors_fatal: bool = ANY_ERRORS_FATAL Bool "false" [defaults.any_errors_fatal] [ANSIBLE_ANY_ERRORS_FATAL];
    /// Become a user even if that is the login user.
    become_allow_same_user: bool = BECOME_ALLOW_SAME_USER Bool "false" [privilege_escalation.become_allow_same_user] [ANSIBLE_BECOME_ALLOW_SAME_USER];
    /// A file with the password for becoming another user; run if it is a program.
    become_password_file: Option<PathBuf> = BECOME_PASSWORD_FILE Path "" [defaults.become_password_file] [ANSIBLE_BECOME_PASSWORD_FILE];
    /// The same password prompt for every become method.
    agnostic_become_prompt: bool = AGNOSTIC_BECOME_PROMPT Bool "true" [privilege_escalation.agnostic_become_prompt] [ANSIBLE_AGNOSTIC_BECOME_PROMPT];
    /// Where facts are kept between runs: memory or jsonfile.
    fact_caching: String = CACHE_PLUGIN Text "memory" [defaults.fact_caching] [ANSIBLE_CACHE_PLUGIN];
    /// The folder (or address) of the fact cache.
    fact_caching_connection: Option<String> = CACHE_PLUGIN_CONNECTION Text "" [defaults.fact_caching_connection] [ANSIBLE_CACHE_PLUGIN_CONNECTION];
    /// What the names in the fact cache begin with.
    fact_caching_prefix: String = CACHE_PLUGIN_PREFIX Text "ansible_facts" [defaults.fact_caching_prefix] [ANSIBLE_CACHE_PLUGIN_PREFIX];
    /// Seconds after which cached facts are stale; 0 means never.
    fact_caching_timeout: u64 = CACHE_PLUGIN_TIMEOUT Int "86400" [defaults.fact_caching_timeout] [ANSIBLE_CACHE_PLUGIN_TIMEOUT];
    /// Where collections are looked for.
    collections_path: Vec<PathBuf> = COLLECTIONS_PATHS PathSpec "{{ANSIBLE_HOME}}/collections:/usr/share/ansible/collections" [defaults.collections_path] [ANSIBLE_COLLECTIONS_PATH];
    /// What to do about a collection made for another version: error, warning or ignore.
    collections_on_ansible_version_mismatch: String = COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH Text "warning" [defaults.collections_on_ansible_version_mismatch] [ANSIBLE_COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH] ["error" "warning" "ignore"];
    /// Colour of what changed.
    color_changed: String = COLOR_CHANGED Text "yellow" [colors.changed] [ANSIBLE_COLOR_CHANGED];
    /// Colour of the console's prompt.
    color_console_prompt: String = COLOR_CONSOLE_PROMPT Text "white" [colors.console_prompt] [ANSIBLE_COLOR_CONSOLE_PROMPT];
    /// Colour of debug messages.
    color_debug: String = COLOR_DEBUG Text "dark gray" [colors.debug] [ANSIBLE_COLOR_DEBUG];
    /// Colour of deprecation warnings.
    color_deprecate: String = COLOR_DEPRECATE Text "purple" [colors.deprecate] [ANSIBLE_COLOR_DEPRECATE];
    /// Colour of added lines in a diff.
    color_diff_add: String = COLOR_DIFF_ADD Text "green" [colors.diff_add] [ANSIBLE_COLOR_DIFF_ADD];
    /// Colour of line numbers in a diff.
    color_diff_lines: String = COLOR_DIFF_LINES Text "cyan" [colors.diff_lines] [ANSIBLE_COLOR_DIFF_LINES];
    /// Colour of removed lines in a diff.
    color_diff_remove: String = COLOR_DIFF_REMOVE Text "red" [colors.diff_remove] [ANSIBLE_COLOR_DIFF_REMOVE];
    /// Colour of errors.
    color_error: String = COLOR_ERROR Text "red" [colors.error] [ANSIBLE_COLOR_ERROR];
    /// Colour of what is to be seen.
    color_highlight: String = COLOR_HIGHLIGHT Text "white" [colors.highlight] [ANSIBLE_COLOR_HIGHLIGHT];
    /// Colour of included files.
    color_included: String = COLOR_INCLUDED Text "cyan" [colors.included] [ANSIBLE_COLOR_INCLUDED];
    /// Colour of what is as it should be.
    color_ok: String = COLOR_OK Text "green" [colors.ok] [ANSIBLE_COLOR_OK];
    /// Colour of what was skipped.
    color_skip: String = COLOR_SKIP Text "cyan" [colors.skip] [ANSIBLE_COLOR_SKIP];
    /// Colour of hosts that cannot be reached.
    color_unreachable: String = COLOR_UNREACHABLE Text "bright red" [colors.unreachable] [ANSIBLE_COLOR_UNREACHABLE];
    /// Colour of what -v adds.
    color_verbose: String = COLOR_VERBOSE Text "blue" [colors.verbose] [ANSIBLE_COLOR_VERBOSE];
    /// Colour of warnings.
    color_warn: String = COLOR_WARN Text "bright purple" [colors.warn] [ANSIBLE_COLOR_WARN];
    /// A file with the connection's password; run if it is a program.
    connection_password_file: Option<PathBuf> = CONNECTION_PASSWORD_FILE Path "" [defaults.connection_password_file] [ANSIBLE_CONNECTION_PASSWORD_FILE];
    /// Show warnings that tasks bring back.
    action_warnings: bool = ACTION_WARNINGS Bool "true" [defaults.action_warnings] [ANSIBLE_ACTION_WARNINGS];
    /// Warn when the inventory has only the implicit localhost.
    localhost_warning: bool = LOCALHOST_WARNING Bool "true" [defaults.localhost_warning] [ANSIBLE_LOCALHOST_WARNING];
    /// Verbosity of the log file, if it differs from the terminal's.
    log_verbosity: Option<String> = LOG_VERBOSITY Text "" [defaults.log_verbosity] [ANSIBLE_LOG_VERBOSITY];
    /// Warn when no inventory could be read.
    inventory_unparsed_warning: bool = INVENTORY_UNPARSED_WARNING Bool "true" [inventory.inventory_unparsed_warning] [ANSIBLE_INVENTORY_UNPARSED_WARNING];
    /// Where action plugins are looked for.
    action_plugins: Vec<PathBuf> = DEFAULT_ACTION_PLUGIN_PATH PathSpec "{{ANSIBLE_HOME}}/plugins/action:/usr/share/ansible/plugins/action" [defaults.action_plugins] [ANSIBLE_ACTION_PLUGINS];
    /// Let lookups return text that may hold templates.
    allow_unsafe_lookups: bool = DEFAULT_ALLOW_UNSAFE_LOOKUPS Bool "false" [defaults.allow_unsafe_lookups] [];
    /// Ask for the connection's password.
    ask_pass: bool = DEFAULT_ASK_PASS Bool "false" [defaults.ask_pass] [ANSIBLE_ASK_PASS];
    /// Ask for the vault password.
    ask_vault_pass: bool = DEFAULT_ASK_VAULT_PASS Bool "false" [defaults.ask_vault_pass] [ANSIBLE_ASK_VAULT_PASS];
    /// Become another user for every task.
    become_default: bool = DEFAULT_BECOME Bool "false" [privilege_escalation.become] [ANSIBLE_BECOME];
    /// Ask for the password for becoming another user.
    become_ask_pass: bool = DEFAULT_BECOME_ASK_PASS Bool "false" [privilege_escalation.become_ask_pass] [ANSIBLE_BECOME_ASK_PASS];
    /// How to become another user: sudo, su, …
    become_method: String = DEFAULT_BECOME_METHOD Text "sudo" [privilege_escalation.become_method] [ANSIBLE_BECOME_METHOD];
    /// The program that makes another user of us.
    become_exe: Option<String> = DEFAULT_BECOME_EXE Text "" [privilege_escalation.become_exe] [ANSIBLE_BECOME_EXE];
    /// Options for that program.
    become_flags: Option<String> = DEFAULT_BECOME_FLAGS Text "" [privilege_escalation.become_flags] [ANSIBLE_BECOME_FLAGS];
    /// The user to become.
    become_user: String = DEFAULT_BECOME_USER Text "root" [privilege_escalation.become_user] [ANSIBLE_BECOME_USER];
    /// The user sudo becomes, if it differs.
    sudo_user: Option<String> = SUDO_BECOME_USER Text "" [sudo_become_plugin.user] [ANSIBLE_SUDO_USER];
    /// The sudo program.
    sudo_exe: Option<String> = SUDO_BECOME_EXE Text "" [sudo_become_plugin.executable] [ANSIBLE_SUDO_EXE];
    /// Options for sudo.
    sudo_flags: Option<String> = SUDO_BECOME_FLAGS Text "" [sudo_become_plugin.flags] [ANSIBLE_SUDO_FLAGS];
    /// The folder sudo changes into.
    sudo_chdir: Option<String> = SUDO_BECOME_CHDIR Text "" [sudo_become_plugin.chdir] [ANSIBLE_SUDO_CHDIR];
    /// The user su becomes, if it differs.
    su_user: Option<String> = SU_BECOME_USER Text "" [su_become_plugin.user] [ANSIBLE_SU_USER];
    /// The su program.
    su_exe: Option<String> = SU_BECOME_EXE Text "" [su_become_plugin.executable] [ANSIBLE_SU_EXE];
    /// Options for su.
    su_flags: Option<String> = SU_BECOME_FLAGS Text "" [su_become_plugin.flags] [ANSIBLE_SU_FLAGS];
    /// Other words for "Password" that su may ask with.
    su_prompts: Vec<String> = SU_PROMPT_L10N List "" [su_become_plugin.localized_prompts] [ANSIBLE_SU_PROMPT_L10N];
    /// Let `stdout_callback` and the reports beside it count for ad hoc commands too.
    bin_ansible_callbacks: bool = DEFAULT_LOAD_CALLBACK_PLUGINS Bool "false" [defaults.bin_ansible_callbacks] [ANSIBLE_LOAD_CALLBACK_PLUGINS];
    /// Where callback plugins are looked for.
    callback_plugins: Vec<PathBuf> = DEFAULT_CALLBACK_PLUGIN_PATH PathSpec "{{ANSIBLE_HOME}}/plugins/callback:/usr/share/ansible/plugins/callback" [defaults.callback_plugins] [ANSIBLE_CALLBACK_PLUGINS];
    /// Reports beside the one on the terminal: junit, timer, profile_tasks, …
    callbacks_enabled: Vec<String> = CALLBACKS_ENABLED List "" [defaults.callbacks_enabled] [ANSIBLE_CALLBACKS_ENABLED];
    /// Debug output of the engine itself.
    debug: bool = DEFAULT_DEBUG Bool "false" [defaults.debug] [ANSIBLE_DEBUG];
    /// The shell that runs commands.
    executable: String = DEFAULT_EXECUTABLE Text "/bin/sh" [defaults.executable] [ANSIBLE_EXECUTABLE];
    /// Where filter plugins are looked for.
    filter_plugins: Vec<PathBuf> = DEFAULT_FILTER_PLUGIN_PATH PathSpec "{{ANSIBLE_HOME}}/plugins/filter:/usr/share/ansible/plugins/filter" [defaults.filter_plugins] [ANSIBLE_FILTER_PLUGINS];
    /// Run notified handlers even on hosts where a task failed.
    force_handlers: bool = DEFAULT_FORCE_HANDLERS Bool "false" [defaults.force_handlers] [ANSIBLE_FORCE_HANDLERS];
    /// How many hosts are worked on at the same time.
    forks: usize = DEFAULT_FORKS Int "5" [defaults.forks] [ANSIBLE_FORKS];
    /// When facts are gathered: implicit, explicit or smart.
    gathering: String = DEFAULT_GATHERING Text "implicit" [defaults.gathering] [ANSIBLE_GATHERING] ["implicit" "explicit" "smart"];
    /// Which facts are gathered.
    gather_subset: Vec<String> = DEFAULT_GATHER_SUBSET List "" [defaults.gather_subset] [ANSIBLE_GATHER_SUBSET];
    /// Seconds a single fact may take.
    gather_timeout: u64 = DEFAULT_GATHER_TIMEOUT Int "10" [defaults.gather_timeout] [ANSIBLE_GATHER_TIMEOUT];
    /// Whether maps of the same name replace each other or are merged.
    hash_behaviour: String = DEFAULT_HASH_BEHAVIOUR Text "replace" [defaults.hash_behaviour] [ANSIBLE_HASH_BEHAVIOUR] ["replace" "merge"];
    /// The inventory, if none is given with -i.
    inventory: Vec<String> = DEFAULT_HOST_LIST PathList "/etc/ansible/hosts" [defaults.inventory] [ANSIBLE_INVENTORY];
    /// Where inventory plugins are looked for.
    inventory_plugins: Vec<PathBuf> = DEFAULT_INVENTORY_PLUGIN_PATH PathSpec "{{ANSIBLE_HOME}}/plugins/inventory:/usr/share/ansible/plugins/inventory" [defaults.inventory_plugins] [ANSIBLE_INVENTORY_PLUGINS];
    /// Folders of connection plugins.
    connection_plugins: Vec<PathBuf> = DEFAULT_CONNECTION_PLUGIN_PATH PathSpec "{{ANSIBLE_HOME}}/plugins/connection:/usr/share/ansible/plugins/connection" [defaults.connection_plugins] [ANSIBLE_CONNECTION_PLUGINS];
    /// Jinja extensions.
    jinja2_extensions: Vec<String> = DEFAULT_JINJA2_EXTENSIONS List "" [defaults.jinja2_extensions] [ANSIBLE_JINJA2_EXTENSIONS];
    /// Templates keep the types of their values; nothing else is possible any more.
    jinja2_native: bool = DEFAULT_JINJA2_NATIVE Bool "true" [defaults.jinja2_native] [ANSIBLE_JINJA2_NATIVE];
    /// Leave what was copied to hosts where it is.
    keep_remote_files: bool = DEFAULT_KEEP_REMOTE_FILES Bool "false" [defaults.keep_remote_files] [ANSIBLE_KEEP_REMOTE_FILES];
    /// Temporary files on this machine.
    local_tmp: PathBuf = DEFAULT_LOCAL_TMP Path "{{ANSIBLE_HOME}}/tmp" [defaults.local_tmp] [ANSIBLE_LOCAL_TEMP];
    /// A file that everything shown is written to as well.
    log_path: Option<PathBuf> = DEFAULT_LOG_PATH Path "" [defaults.log_path] [ANSIBLE_LOG_PATH];
    /// Names that stay out of the log.
    log_filter: Vec<String> = DEFAULT_LOG_FILTER List "" [defaults.log_filter] [ANSIBLE_LOG_FILTER];
    /// Where lookup plugins are looked for.
    lookup_plugins: Vec<PathBuf> = DEFAULT_LOOKUP_PLUGIN_PATH PathSpec "{{ANSIBLE_HOME}}/plugins/lookup:/usr/share/ansible/plugins/lookup" [defaults.lookup_plugins] [ANSIBLE_LOOKUP_PLUGINS];
    /// What the variable ansible_managed says.
    ansible_managed: String = DEFAULT_MANAGED_STR Text "Ansible managed" [defaults.ansible_managed] [];
    /// The language modules run under, if a task sets none.
    module_lang: Option<String> = DEFAULT_MODULE_LANG Text "" [defaults.module_lang] [ANSIBLE_MODULE_LANG];
    /// Arguments of an ad-hoc task that names none.
    module_args: Option<String> = DEFAULT_MODULE_ARGS Text "" [defaults.module_args] [ANSIBLE_MODULE_ARGS];
    /// The module of an ad-hoc task that names none.
    module_name: String = DEFAULT_MODULE_NAME Text "command" [defaults.module_name] [];
    /// Where modules are looked for.
    library: Vec<PathBuf> = DEFAULT_MODULE_PATH PathSpec "{{ANSIBLE_HOME}}/plugins/modules:/usr/share/ansible/plugins/modules" [defaults.library] [ANSIBLE_LIBRARY];
    /// Where the helpers of modules are looked for.
    module_utils: Vec<PathBuf> = DEFAULT_MODULE_UTILS_PATH PathSpec "{{ANSIBLE_HOME}}/plugins/module_utils:/usr/share/ansible/plugins/module_utils" [defaults.module_utils] [ANSIBLE_MODULE_UTILS];
    /// Show nothing of any task's arguments and results.
    no_log: bool = DEFAULT_NO_LOG Bool "false" [defaults.no_log] [ANSIBLE_NO_LOG];
    /// Modules write nothing to the host's system log.
    no_target_syslog: bool = DEFAULT_NO_TARGET_SYSLOG Bool "false" [defaults.no_target_syslog] [ANSIBLE_NO_TARGET_SYSLOG];
    /// Seconds between two looks at an asynchronous task.
    poll_interval: u64 = DEFAULT_POLL_INTERVAL Int "15" [defaults.poll_interval] [ANSIBLE_POLL_INTERVAL];
    /// The key for connections.
    private_key_file: Option<PathBuf> = DEFAULT_PRIVATE_KEY_FILE Path "" [defaults.private_key_file] [ANSIBLE_PRIVATE_KEY_FILE];
    /// Keep a role's variables inside the role.
    private_role_vars: bool = DEFAULT_PRIVATE_ROLE_VARS Bool "false" [defaults.private_role_vars] [ANSIBLE_PRIVATE_ROLE_VARS];
    /// The port for connections.
    remote_port: Option<u64> = DEFAULT_REMOTE_PORT Int "" [defaults.remote_port] [ANSIBLE_REMOTE_PORT];
    /// The login user.
    remote_user: Option<String> = DEFAULT_REMOTE_USER Text "" [defaults.remote_user] [ANSIBLE_REMOTE_USER];
    /// Where roles are looked for.
    roles_path: Vec<PathBuf> = DEFAULT_ROLES_PATH PathSpec "{{ANSIBLE_HOME}}/roles:/usr/share/ansible/roles:/etc/ansible/roles" [defaults.roles_path] [ANSIBLE_ROLES_PATH];
    /// File systems that know no SELinux context.
    special_context_filesystems: Vec<String> = DEFAULT_SELINUX_SPECIAL_FS List "fuse,nfs,vboxsf,ramfs,9p,vfat" [selinux.special_context_filesystems] [ANSIBLE_SELINUX_SPECIAL_FS];
    /// The report on the terminal.
    stdout_callback: String = DEFAULT_STDOUT_CALLBACK Text "default" [defaults.stdout_callback] [ANSIBLE_STDOUT_CALLBACK];
    /// The editor that opens vaults.
    editor: String = EDITOR Text "vi" [defaults.editor] [ANSIBLE_EDITOR EDITOR];
    /// Stop in the debugger when a task fails.
    enable_task_debugger: bool = ENABLE_TASK_DEBUGGER Bool "false" [defaults.enable_task_debugger] [ANSIBLE_ENABLE_TASK_DEBUGGER];
    /// Leave the debugger alone where errors are ignored.
    task_debugger_ignore_errors: bool = TASK_DEBUGGER_IGNORE_ERRORS Bool "true" [defaults.task_debugger_ignore_errors] [ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS];
    /// How the hosts of a play advance: linear, free, host_pinned.
    strategy: String = DEFAULT_STRATEGY Text "linear" [defaults.strategy] [ANSIBLE_STRATEGY];
    /// Where test plugins are looked for.
    test_plugins: Vec<PathBuf> = DEFAULT_TEST_PLUGIN_PATH PathSpec "{{ANSIBLE_HOME}}/plugins/test:/usr/share/ansible/plugins/test" [defaults.test_plugins] [ANSIBLE_TEST_PLUGINS];
    /// Seconds until a connection attempt is given up.
    timeout: u64 = DEFAULT_TIMEOUT Int "10" [defaults.timeout] [ANSIBLE_TIMEOUT];
    /// How hosts are reached.
    transport: String = DEFAULT_TRANSPORT Text "ssh" [defaults.transport] [ANSIBLE_TRANSPORT];
    /// An undefined variable in a template is an error.
    error_on_undefined_vars: bool = DEFAULT_UNDEFINED_VAR_BEHAVIOR Bool "true" [defaults.error_on_undefined_vars] [ANSIBLE_ERROR_ON_UNDEFINED_VARS];
    /// Open a vault only with the secret of its own id.
    vault_id_match: bool = DEFAULT_VAULT_ID_MATCH Bool "false" [defaults.vault_id_match] [ANSIBLE_VAULT_ID_MATCH];
    /// The id of vault secrets that name none.
    default_vault_id: Option<String> = DEFAULT_VAULT_IDENTITY Text "default" [defaults.vault_identity] [ANSIBLE_VAULT_IDENTITY];
    /// A salt for new vaults, to make them repeatable.
    vault_encrypt_salt: Option<String> = VAULT_ENCRYPT_SALT Text "" [defaults.vault_encrypt_salt] [ANSIBLE_VAULT_ENCRYPT_SALT];
    /// The id that new vaults are made with.
    vault_encrypt_identity: Option<String> = DEFAULT_VAULT_ENCRYPT_IDENTITY Text "" [defaults.vault_encrypt_identity] [ANSIBLE_VAULT_ENCRYPT_IDENTITY];
    /// Vault ids, each with its password file or prompt.
    vault_identity_list: Vec<String> = DEFAULT_VAULT_IDENTITY_LIST List "" [defaults.vault_identity_list] [ANSIBLE_VAULT_IDENTITY_LIST];
    /// The vault password file.
    vault_password_file: Option<PathBuf> = DEFAULT_VAULT_PASSWORD_FILE Path "" [defaults.vault_password_file] [ANSIBLE_VAULT_PASSWORD_FILE];
    /// How much is shown; as many as -v.
    verbosity: u64 = DEFAULT_VERBOSITY Int "0" [defaults.verbosity] [ANSIBLE_VERBOSITY];
    /// Warn of malformed metadata in a collection's action groups.
    validate_action_group_metadata: bool = VALIDATE_ACTION_GROUP_METADATA Bool "true" [defaults.validate_action_group_metadata] [ANSIBLE_VALIDATE_ACTION_GROUP_METADATA];
    /// Show deprecation warnings.
    deprecation_warnings: bool = DEPRECATION_WARNINGS Bool "true" [defaults.deprecation_warnings] [ANSIBLE_DEPRECATION_WARNINGS];
    /// Show what differs, always.
    diff_always: bool = DIFF_ALWAYS Bool "false" [diff.always] [ANSIBLE_DIFF_ALWAYS];
    /// Unchanged lines around a difference.
    diff_context: usize = DIFF_CONTEXT Int "3" [diff.context] [ANSIBLE_DIFF_CONTEXT];
    /// Show a task's arguments in its heading.
    display_args_to_stdout: bool = DISPLAY_ARGS_TO_STDOUT Bool "false" [defaults.display_args_to_stdout] [ANSIBLE_DISPLAY_ARGS_TO_STDOUT];
    /// Show hosts that a task was skipped on.
    display_skipped_hosts: bool = DISPLAY_SKIPPED_HOSTS Bool "true" [defaults.display_skipped_hosts] [ANSIBLE_DISPLAY_SKIPPED_HOSTS];
    /// Show hosts on which nothing had to be done.
    display_ok_hosts: bool = DISPLAY_OK_HOSTS Bool "true" [defaults.display_ok_hosts] [ANSIBLE_DISPLAY_OK_HOSTS];
    /// Failures go to the error output.
    display_failed_stderr: bool = DISPLAY_FAILED_STDERR Bool "false" [defaults.display_failed_stderr] [ANSIBLE_DISPLAY_FAILED_STDERR];
    /// Show tracebacks of errors, warnings, deprecations.
    display_traceback: Vec<String> = DISPLAY_TRACEBACK List "never" [defaults.display_traceback] [ANSIBLE_DISPLAY_TRACEBACK];
    /// What a duplicate key in YAML is: error, warn or ignore.
    duplicate_dict_key: String = DUPLICATE_YAML_DICT_KEY Text "warn" [defaults.duplicate_dict_key] [ANSIBLE_DUPLICATE_YAML_DICT_KEY] ["error" "warn" "ignore"];
    /// Notifying a handler that is not there is an error.
    error_on_missing_handler: bool = ERROR_ON_MISSING_HANDLER Bool "true" [defaults.error_on_missing_handler] [ANSIBLE_ERROR_ON_MISSING_HANDLER];
    /// The modules that gather facts.
    facts_modules: Vec<String> = FACTS_MODULES List "smart" [defaults.facts_modules] [ANSIBLE_FACTS_MODULES];
    /// Check the keys of SSH hosts.
    host_key_checking: bool = HOST_KEY_CHECKING Bool "true" [defaults.host_key_checking ssh_connection.host_key_checking] [ANSIBLE_HOST_KEY_CHECKING ANSIBLE_SSH_HOST_KEY_CHECKING];
    /// What a host pattern that matches nothing is: error, warning or ignore.
    host_pattern_mismatch: String = HOST_PATTERN_MISMATCH Text "warning" [inventory.host_pattern_mismatch] [ANSIBLE_HOST_PATTERN_MISMATCH] ["error" "warning" "ignore"];
    /// The Python of modules that need one.
    interpreter_python: String = INTERPRETER_PYTHON Text "auto" [defaults.interpreter_python] [ANSIBLE_PYTHON_INTERPRETER];
    /// Where a Python is looked for on hosts, for modules that are written in it.
    interpreter_python_fallback: Vec<String> = INTERPRETER_PYTHON_FALLBACK List "python3.14,python3.13,python3.12,python3.11,python3.10,python3.9,python3.8,/usr/bin/python3,python3" [] [];
    /// The Python with ansible-core that runs plugins and prepares modules written in Python; where unset, one is looked for.
    plugin_python: Option<PathBuf> = PLUGIN_PYTHON Path "" [defaults.plugin_python] [PLAYBOOK_PYTHON];
    /// Replace characters in group names that variables cannot have: always, never, ignore, silently.
    force_valid_group_names: String = TRANSFORM_INVALID_GROUP_CHARS Text "never" [defaults.force_valid_group_names] [ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS] ["always" "never" "ignore" "silently"];
    /// An unknown keyword of a task is an error.
    invalid_task_attribute_failed: bool = INVALID_TASK_ATTRIBUTE_FAILED Bool "true" [defaults.invalid_task_attribute_failed] [ANSIBLE_INVALID_TASK_ATTRIBUTE_FAILED];
    /// One inventory source that cannot be read is an error.
    inventory_any_unparsed_is_failed: bool = INVENTORY_ANY_UNPARSED_IS_FAILED Bool "false" [inventory.any_unparsed_is_failed] [ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED];
    /// The inventory plugins that are tried, in order.
    inventory_enabled: Vec<String> = INVENTORY_ENABLED List "host_list,script,auto,yaml,ini,toml" [inventory.enable_plugins] [ANSIBLE_INVENTORY_ENABLED];
    /// `inventory --list` prints for export: each variable once, where it was written.
    inventory_export: bool = INVENTORY_EXPORT Bool "false" [inventory.export] [ANSIBLE_INVENTORY_EXPORT];
    /// Endings of files in an inventory folder that are no inventory.
    inventory_ignore_extensions: Vec<String> = INVENTORY_IGNORE_EXTS List ".pyc,.pyo,.swp,.bak,~,.rpm,.md,.txt,.rst,.orig,.cfg,.retry" [defaults.inventory_ignore_extensions inventory.ignore_extensions] [ANSIBLE_INVENTORY_IGNORE];
    /// Regular expressions for files in an inventory folder that are no inventory.
    inventory_ignore_patterns: Vec<String> = INVENTORY_IGNORE_PATTERNS List "" [defaults.inventory_ignore_patterns inventory.ignore_patterns] [ANSIBLE_INVENTORY_IGNORE_REGEX];
    /// No inventory source at all that can be read is an error.
    inventory_unparsed_is_failed: bool = INVENTORY_UNPARSED_IS_FAILED Bool "false" [inventory.unparsed_is_failed] [ANSIBLE_INVENTORY_UNPARSED_FAILED];
    /// Pass on what inventory scripts write to their error output.
    inventory_script_stderr: bool = INVENTORY_SCRIPT_STDERR Bool "true" [inventory_plugin_script.always_show_stderr] [ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR];
    /// Constructed inventories see extra variables.
    inventory_use_extra_vars: bool = INVENTORY_USE_EXTRA_VARS Bool "false" [inventory_plugins.use_extra_vars] [ANSIBLE_INVENTORY_USE_EXTRA_VARS];
    /// Bytes up to which a file is shown in a diff.
    max_diff_size: usize = MAX_FILE_SIZE_FOR_DIFF Int "104448" [defaults.max_diff_size] [ANSIBLE_MAX_DIFF_SIZE];
    /// Facts are variables too (ansible_hostname), not only members of ansible_facts.
    inject_facts_as_vars: bool = INJECT_FACTS_AS_VARS Bool "true" [defaults.inject_facts_as_vars] [ANSIBLE_INJECT_FACT_VARS];
    /// Endings of files in module folders that are no modules.
    module_ignore_exts: Vec<String> = MODULE_IGNORE_EXTS List ".pyc,.pyo,.swp,.bak,~,.rpm,.md,.txt,.rst,.yaml,.yml,.ini" [defaults.module_ignore_exts] [ANSIBLE_MODULE_IGNORE_EXTS];
    /// The program that shows long texts.
    pager: String = PAGER Text "less" [defaults.pager] [ANSIBLE_PAGER PAGER];
    /// The folder taken for the playbook's by commands that have none.
    playbook_dir: Option<PathBuf> = PLAYBOOK_DIR Path "" [defaults.playbook_dir] [ANSIBLE_PLAYBOOK_DIR];
    /// Which playbook's group_vars and host_vars count: top, bottom or all.
    playbook_vars_root: String = PLAYBOOK_VARS_ROOT Text "top" [defaults.playbook_vars_root] [ANSIBLE_PLAYBOOK_VARS_ROOT] ["top" "bottom" "all"];
    /// Write a file of failed hosts.
    retry_files_enabled: bool = RETRY_FILES_ENABLED Bool "false" [defaults.retry_files_enabled] [ANSIBLE_RETRY_FILES_ENABLED];
    /// Where those files go.
    retry_files_save_path: Option<PathBuf> = RETRY_FILES_SAVE_PATH Path "" [defaults.retry_files_save_path] [ANSIBLE_RETRY_FILES_SAVE_PATH];
    /// When vars plugins run: on demand, or at the start.
    run_vars_plugins: String = RUN_VARS_PLUGINS Text "demand" [defaults.run_vars_plugins] [ANSIBLE_RUN_VARS_PLUGINS] ["demand" "start"];
    /// Show what set_stats collected.
    show_custom_stats: bool = SHOW_CUSTOM_STATS Bool "false" [defaults.show_custom_stats] [ANSIBLE_SHOW_CUSTOM_STATS];
    /// Say so in headings when a run is in check mode.
    check_mode_markers: bool = CHECK_MODE_MARKERS Bool "false" [defaults.check_mode_markers] [ANSIBLE_CHECK_MODE_MARKERS];
    /// Say when a task starts on a host.
    show_per_host_start: bool = SHOW_PER_HOST_START Bool "false" [defaults.show_per_host_start] [ANSIBLE_SHOW_PER_HOST_START];
    /// Show file and line of a task that fails.
    show_task_path_on_failure: bool = SHOW_TASK_PATH_ON_FAILURE Bool "false" [defaults.show_task_path_on_failure] [ANSIBLE_SHOW_TASK_PATH_ON_FAILURE];
    /// How results are shown: json or yaml.
    result_format: String = CALLBACK_RESULT_FORMAT Text "json" [defaults.callback_result_format] [ANSIBLE_CALLBACK_RESULT_FORMAT] ["json" "yaml"];
    /// Show results over several lines; where unset, only when there is more room for it.
    callback_format_pretty: Option<bool> = CALLBACK_FORMAT_PRETTY Bool "" [defaults.callback_format_pretty] [ANSIBLE_CALLBACK_FORMAT_PRETTY];
    /// Show warnings about the system.
    system_warnings: bool = SYSTEM_WARNINGS Bool "true" [defaults.system_warnings] [ANSIBLE_SYSTEM_WARNINGS];
    /// Tags to run, if -t names none.
    run_tags: Vec<String> = TAGS_RUN List "" [tags.run] [ANSIBLE_RUN_TAGS];
    /// Tags to skip.
    skip_tags: Vec<String> = TAGS_SKIP List "" [tags.skip] [ANSIBLE_SKIP_TAGS];
    /// Text that modules put into the host's system log.
    target_log_info: Option<String> = TARGET_LOG_INFO Text "" [defaults.target_log_info] [ANSIBLE_TARGET_LOG_INFO];
    /// Seconds a task may take; 0 means any.
    task_timeout: u64 = TASK_TIMEOUT Int "0" [defaults.task_timeout] [ANSIBLE_TASK_TIMEOUT];
    /// The vars plugins that are used.
    vars_plugins_enabled: Vec<String> = VARIABLE_PLUGINS_ENABLED List "host_group_vars" [defaults.vars_plugins_enabled] [ANSIBLE_VARS_ENABLED];
    /// When host_group_vars runs: after the inventory is read, at a task, or both.
    vars_stage: Option<String> = VARS_PLUGIN_STAGE Text "" [vars_host_group_vars.stage] [ANSIBLE_VARS_PLUGIN_STAGE];
    /// The order in which group variables override each other.
    precedence: Vec<String> = VARIABLE_PRECEDENCE List "all_inventory,groups_inventory,all_plugins_inventory,all_plugins_play,groups_plugins_inventory,groups_plugins_play" [defaults.precedence] [ANSIBLE_PRECEDENCE];
    /// Endings of YAML files.
    yaml_valid_extensions: Vec<String> = YAML_FILENAME_EXTENSIONS List ".yml,.yaml,.json" [defaults.yaml_valid_extensions] [ANSIBLE_YAML_FILENAME_EXT];
    /// What -v adds goes to the error output.
    verbose_to_stderr: bool = VERBOSE_TO_STDERR Bool "false" [defaults.verbose_to_stderr] [ANSIBLE_VERBOSE_TO_STDERR];
    /// Temporary files on hosts.
    remote_tmp: PathBuf = REMOTE_TMP RemotePath "~/.ansible/tmp" [defaults.remote_tmp] [ANSIBLE_REMOTE_TEMP ANSIBLE_REMOTE_TMP];
    /// A group that the login user and the become user share.
    common_remote_group: Option<String> = COMMON_REMOTE_GROUP Text "" [defaults.common_remote_group] [ANSIBLE_COMMON_REMOTE_GROUP];
    /// Temporary folders of hosts that every user may write to.
    system_tmpdirs: Vec<String> = SYSTEM_TMPDIRS List "/var/tmp,/tmp" [defaults.system_tmpdirs] [ANSIBLE_SYSTEM_TMPDIRS];
    /// Where asynchronous tasks keep their results on hosts.
    async_dir: PathBuf = ASYNC_DIR RemotePath "~/.ansible_async" [defaults.async_dir] [ANSIBLE_ASYNC_DIR];
    /// Users that may do what root may.
    admin_users: Vec<String> = ADMIN_USERS List "root,toor" [defaults.admin_users] [ANSIBLE_ADMIN_USERS];
    /// Let temporary files be readable by all, where nothing else helps.
    allow_world_readable_tmpfiles: bool = ALLOW_WORLD_READABLE_TMPFILES Bool "false" [defaults.allow_world_readable_tmpfiles] [ANSIBLE_SHELL_ALLOW_WORLD_READABLE_TEMP];
    /// Options for every ssh, in place of the built-in ones.
    ssh_args: String = SSH_ARGS Text "-C -o ControlMaster=auto -o ControlPersist=60s" [ssh_connection.ssh_args] [ANSIBLE_SSH_ARGS];
    /// More options for ssh, sftp and scp.
    ssh_common_args: String = SSH_COMMON_ARGS Text "" [ssh_connection.ssh_common_args] [ANSIBLE_SSH_COMMON_ARGS];
    /// More options for ssh alone.
    ssh_extra_args: String = SSH_EXTRA_ARGS Text "" [ssh_connection.ssh_extra_args] [ANSIBLE_SSH_EXTRA_ARGS];
    /// More options for scp alone.
    scp_extra_args: String = SCP_EXTRA_ARGS Text "" [ssh_connection.scp_extra_args] [ANSIBLE_SCP_EXTRA_ARGS];
    /// More options for sftp alone.
    sftp_extra_args: String = SFTP_EXTRA_ARGS Text "" [ssh_connection.sftp_extra_args] [ANSIBLE_SFTP_EXTRA_ARGS];
    /// The ssh program.
    ssh_executable: String = SSH_EXECUTABLE Text "ssh" [ssh_connection.ssh_executable] [ANSIBLE_SSH_EXECUTABLE];
    /// The sftp program.
    sftp_executable: String = SFTP_EXECUTABLE Text "sftp" [ssh_connection.sftp_executable] [ANSIBLE_SFTP_EXECUTABLE];
    /// The scp program.
    scp_executable: String = SCP_EXECUTABLE Text "scp" [ssh_connection.scp_executable] [ANSIBLE_SCP_EXECUTABLE];
    /// How a password reaches ssh: ssh_askpass, sshpass or disable.
    ssh_password_mechanism: String = SSH_PASSWORD_MECHANISM Text "ssh_askpass" [ssh_connection.password_mechanism] [ANSIBLE_SSH_PASSWORD_MECHANISM];
    /// The prompt sshpass waits for.
    sshpass_prompt: String = SSHPASS_PROMPT Text "" [ssh_connection.sshpass_prompt] [ANSIBLE_SSHPASS_PROMPT];
    /// How often a connection attempt is repeated.
    ssh_retries: u64 = SSH_RETRIES Int "0" [connection.retries ssh_connection.retries] [ANSIBLE_SSH_RETRIES];
    /// Seconds until an ssh connection attempt is given up, if it differs.
    ssh_timeout: Option<u64> = SSH_TIMEOUT Int "" [ssh_connection.timeout] [ANSIBLE_SSH_TIMEOUT];
    /// The socket of a shared ssh connection.
    control_path: Option<String> = SSH_CONTROL_PATH Text "" [ssh_connection.control_path] [ANSIBLE_SSH_CONTROL_PATH];
    /// The folder of those sockets.
    control_path_dir: PathBuf = SSH_CONTROL_PATH_DIR Path "~/.ansible/cp" [ssh_connection.control_path_dir] [ANSIBLE_SSH_CONTROL_PATH_DIR];
    /// How files reach hosts: smart, sftp, scp or piped.
    ssh_transfer_method: String = SSH_TRANSFER_METHOD Text "smart" [ssh_connection.transfer_method] [ANSIBLE_SSH_TRANSFER_METHOD];
    /// Give ssh commands a terminal.
    ssh_usetty: bool = SSH_USETTY Bool "true" [ssh_connection.usetty] [ANSIBLE_SSH_USETTY];
    /// Run sftp in batch mode.
    sftp_batch_mode: bool = SFTP_BATCH_MODE Bool "true" [ssh_connection.sftp_batch_mode] [ANSIBLE_SFTP_BATCH_MODE];
    /// The PKCS#11 library ssh takes keys from.
    ssh_pkcs11_provider: String = SSH_PKCS11_PROVIDER Text "" [ssh_connection.pkcs11_provider] [ANSIBLE_PKCS11_PROVIDER];
    /// The private key for connections, as text.
    private_key: Option<String> = SSH_PRIVATE_KEY Text "" [] [ANSIBLE_PRIVATE_KEY];
    /// The passphrase of the private key.
    private_key_passphrase: Option<String> = SSH_PRIVATE_KEY_PASSPHRASE Text "" [] [ANSIBLE_PRIVATE_KEY_PASSPHRASE];
    /// Which ssh agent to use: none, auto or a socket.
    ssh_agent: String = SSH_AGENT Text "none" [connection.ssh_agent] [ANSIBLE_SSH_AGENT];
    /// The ssh-agent program.
    ssh_agent_executable: String = SSH_AGENT_EXECUTABLE Text "ssh-agent" [connection.ssh_agent_executable] [ANSIBLE_SSH_AGENT_EXECUTABLE];
    /// Galaxy servers, in the order they are asked.
    galaxy_server_list: Vec<String> = GALAXY_SERVER_LIST List "" [galaxy.server_list] [ANSIBLE_GALAXY_SERVER_LIST];
    /// The Galaxy server.
    galaxy_server: String = GALAXY_SERVER Text "https://galaxy.ansible.com" [galaxy.server] [ANSIBLE_GALAXY_SERVER];
    /// Accept any certificate of a Galaxy server.
    galaxy_ignore_certs: bool = GALAXY_IGNORE_CERTS Bool "false" [galaxy.ignore_certs] [ANSIBLE_GALAXY_IGNORE];
    /// What Galaxy downloads are kept in.
    galaxy_cache_dir: PathBuf = GALAXY_CACHE_DIR Path "{{ANSIBLE_HOME}}/galaxy_cache" [galaxy.cache_dir] [ANSIBLE_GALAXY_CACHE_DIR];
    /// The folder JUnit reports are written to.
    junit_output_dir: PathBuf = JUNIT_OUTPUT_DIR Path "~/.ansible.log" [] [JUNIT_OUTPUT_DIR];
    /// JUnit classes are files, without lines.
    junit_task_class: bool = JUNIT_TASK_CLASS Bool "false" [] [JUNIT_TASK_CLASS];
    /// The folder that JUnit classes are relative to.
    junit_task_relative_path: String = JUNIT_TASK_RELATIVE_PATH Text "" [] [JUNIT_TASK_RELATIVE_PATH];
    /// What stands for the folder of a JUnit class outside of that one.
    junit_replace_out_of_tree_path: Option<String> = JUNIT_REPLACE_OUT_OF_TREE_PATH Text "" [] [JUNIT_REPLACE_OUT_OF_TREE_PATH];
    /// A task that changes something fails in JUnit reports.
    junit_fail_on_change: bool = JUNIT_FAIL_ON_CHANGE Bool "false" [] [JUNIT_FAIL_ON_CHANGE];
    /// A task whose failure is ignored fails in JUnit reports.
    junit_fail_on_ignore: bool = JUNIT_FAIL_ON_IGNORE Bool "false" [] [JUNIT_FAIL_ON_IGNORE];
    /// Tasks that gather facts are in JUnit reports.
    junit_include_setup_tasks: bool = JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT Bool "true" [] [JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT];
    /// Tasks' arguments are not in JUnit reports.
    junit_hide_task_arguments: bool = JUNIT_HIDE_TASK_ARGUMENTS Bool "false" [] [JUNIT_HIDE_TASK_ARGUMENTS];
    /// Only tasks whose name begins so, and those that fail, are in JUnit reports.
    junit_test_case_prefix: String = JUNIT_TEST_CASE_PREFIX Text "" [] [JUNIT_TEST_CASE_PREFIX];
    /// How many tasks profile_tasks lists: a number, or all.
    profile_tasks_output_limit: String = PROFILE_TASKS_OUTPUT_LIMIT Text "20" [callback_profile_tasks.task_output_limit] [PROFILE_TASKS_TASK_OUTPUT_LIMIT];
    /// How profile_tasks sorts them: descending, ascending or none.
    profile_tasks_sort_order: String = PROFILE_TASKS_SORT_ORDER Text "descending" [callback_profile_tasks.sort_order] [PROFILE_TASKS_SORT_ORDER] ["descending" "ascending" "none"];
    /// profile_tasks says nothing before the end.
    profile_tasks_summary_only: bool = PROFILE_TASKS_SUMMARY_ONLY Bool "false" [callback_profile_tasks.summary_only] [PROFILE_TASKS_SUMMARY_ONLY];
    /// How profile_tasks writes dates.
    profile_tasks_datetime_format: String = PROFILE_TASKS_DATETIME_FORMAT Text "%A %d %B %Y  %H:%M:%S %z" [callback_profile_tasks.datetime_format] [PROFILE_TASKS_DATETIME_FORMAT];
    /// The folder of the tree callback.
    callback_tree_dir: PathBuf = CALLBACK_TREE_DIR Path "~/.ansible/tree" [callback_tree.directory] [ANSIBLE_CALLBACK_TREE_DIR];
}
