//! Settings of ansible-core that are read, checked and shown, but have no effect here, each with the reason.
//!
//! The table of docs/differences.md lists them by reason; a test compares it with this one.

use super::table::{Kind, Setting, accepted};

const CHANNEL: &str = "Has no effect: a connection is one ssh channel to a helper, with its own ControlPath; there are \
     no sftp, scp, sshpass and paramiko, and keys and agents are those of OpenSSH's configuration.";
const CORE: &str = "Has no effect: only ansible-core reads it, when it prepares or runs modules in Python.";
const COWS: &str = "Has no effect: headings have no cows.";
const GALAXY: &str = "Has no effect: only ansible-core's Galaxy client has it: certificates are always \
    checked, signatures \
     and caches are not supported.";
const GONE: &str = "Has no effect: it has no effect in ansible-core either.";
const NOTHING: &str = "Has no effect: the feature that it configures does not exist here.";
const PERSISTENT: &str =
    "Has no effect: only the connections of network devices have it, which are not supported.";
const PLUGINS: &str = "Has no effect: plugins of this kind are parts of the engine and are not loaded.";
const PROMPT: &str = "Has no effect: the prompt of the console is not colored.";
const TEMPLATES: &str =
    "Has no effect: templates are compiled, and text that a lookup returns is never a template.";
const TEMPORARY: &str =
    "Has no effect: the helper runs modules in memory, and leaves no files that another user has to read.";
const WINDOWS: &str = "Has no effect: Windows hosts are not supported.";
const WORKERS: &str = "Has no effect: there are no worker processes.";

accepted! {
    #[setting(ANSIBLE_PIPELINING, Bool, "false")]
    #[ini(defaults.pipelining, connection.pipelining, ssh_connection.pipelining)]
    #[env(ANSIBLE_PIPELINING, ANSIBLE_SSH_PIPELINING)]
    CHANNEL,

    #[setting(PARAMIKO_HOST_KEY_AUTO_ADD, Bool, "false")]
    #[ini(paramiko_connection.host_key_auto_add)]
    #[env(ANSIBLE_PARAMIKO_HOST_KEY_AUTO_ADD)]
    CHANNEL,

    #[setting(PARAMIKO_LOOK_FOR_KEYS, Bool, "true")]
    #[ini(paramiko_connection.look_for_keys)]
    #[env(ANSIBLE_PARAMIKO_LOOK_FOR_KEYS)]
    CHANNEL,

    #[setting(SCP_EXECUTABLE, Text, "scp")]
    #[ini(ssh_connection.scp_executable)]
    #[env(ANSIBLE_SCP_EXECUTABLE)]
    CHANNEL,

    #[setting(SCP_EXTRA_ARGS, Text, "")]
    #[ini(ssh_connection.scp_extra_args)]
    #[env(ANSIBLE_SCP_EXTRA_ARGS)]
    CHANNEL,

    #[setting(SFTP_BATCH_MODE, Bool, "true")]
    #[ini(ssh_connection.sftp_batch_mode)]
    #[env(ANSIBLE_SFTP_BATCH_MODE)]
    CHANNEL,

    #[setting(SFTP_EXECUTABLE, Text, "sftp")]
    #[ini(ssh_connection.sftp_executable)]
    #[env(ANSIBLE_SFTP_EXECUTABLE)]
    CHANNEL,

    #[setting(SFTP_EXTRA_ARGS, Text, "")]
    #[ini(ssh_connection.sftp_extra_args)]
    #[env(ANSIBLE_SFTP_EXTRA_ARGS)]
    CHANNEL,

    #[setting(SSHPASS_PROMPT, Text, "")]
    #[ini(ssh_connection.sshpass_prompt)]
    #[env(ANSIBLE_SSHPASS_PROMPT)]
    CHANNEL,

    #[setting(SSH_AGENT, Text, "none")]
    #[ini(connection.ssh_agent)]
    #[env(ANSIBLE_SSH_AGENT)]
    CHANNEL,

    #[setting(SSH_AGENT_EXECUTABLE, Text, "ssh-agent")]
    #[ini(connection.ssh_agent_executable)]
    #[env(ANSIBLE_SSH_AGENT_EXECUTABLE)]
    CHANNEL,

    #[setting(SSH_AGENT_KEY_LIFETIME, Int, "")]
    #[ini(connection.ssh_agent_key_lifetime)]
    #[env(ANSIBLE_SSH_AGENT_KEY_LIFETIME)]
    CHANNEL,

    #[setting(SSH_CONTROL_PATH, Text, "")]
    #[ini(ssh_connection.control_path)]
    #[env(ANSIBLE_SSH_CONTROL_PATH)]
    CHANNEL,

    #[setting(SSH_CONTROL_PATH_DIR, Path, "~/.ansible/cp")]
    #[ini(ssh_connection.control_path_dir)]
    #[env(ANSIBLE_SSH_CONTROL_PATH_DIR)]
    CHANNEL,

    #[setting(SSH_PASSWORD_MECHANISM, Text, "ssh_askpass")]
    #[ini(ssh_connection.password_mechanism)]
    #[env(ANSIBLE_SSH_PASSWORD_MECHANISM)]
    CHANNEL,

    #[setting(SSH_PKCS11_PROVIDER, Text, "")]
    #[ini(ssh_connection.pkcs11_provider)]
    #[env(ANSIBLE_PKCS11_PROVIDER)]
    CHANNEL,

    #[setting(SSH_PRIVATE_KEY_PASSPHRASE, Text, "")]
    #[env(ANSIBLE_PRIVATE_KEY_PASSPHRASE)]
    CHANNEL,

    #[setting(SSH_TRANSFER_METHOD, Text, "smart")]
    #[ini(ssh_connection.transfer_method)]
    #[env(ANSIBLE_SSH_TRANSFER_METHOD)]
    CHANNEL,

    #[setting(SSH_USETTY, Bool, "true")]
    #[ini(ssh_connection.usetty)]
    #[env(ANSIBLE_SSH_USETTY)]
    CHANNEL,

    #[setting(SUDO_BECOME_CHDIR, Text, "")]
    #[ini(sudo_become_plugin.chdir)]
    #[env(ANSIBLE_SUDO_CHDIR)]
    CHANNEL,

    #[setting(COVERAGE_REMOTE_OUTPUT, Text, "")]
    #[env(_ANSIBLE_COVERAGE_REMOTE_OUTPUT)]
    CORE,

    #[setting(COVERAGE_REMOTE_PATHS, Text, "*")]
    #[env(_ANSIBLE_COVERAGE_REMOTE_PATH_FILTER)]
    CORE,

    #[setting(DEFAULT_MODULE_COMPRESSION, Text, "ZIP_DEFLATED")]
    #[ini(defaults.module_compression)]
    CORE,

    #[setting(DEFAULT_MODULE_LANG, Text, "")]
    #[ini(defaults.module_lang)]
    #[env(ANSIBLE_MODULE_LANG)]
    CORE,

    #[setting(
        DEFAULT_MODULE_UTILS_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/module_utils:/usr/share/ansible/plugins/module_utils"
    )]
    #[ini(defaults.module_utils)]
    #[env(ANSIBLE_MODULE_UTILS)]
    CORE,

    #[setting(DEFAULT_SYSLOG_FACILITY, Text, "LOG_USER")]
    #[ini(defaults.syslog_facility)]
    #[env(ANSIBLE_SYSLOG_FACILITY)]
    CORE,

    #[setting(
        INTERPRETER_PYTHON_FALLBACK,
        List,
        "python3.13,python3.12,python3.11,python3.10,python3.9,python3.8,/usr/bin/python3,python3"
    )]
    CORE,

    #[setting(MODULE_STRICT_UTF8_RESPONSE, Bool, "true")]
    #[ini(defaults.module_strict_utf8_response)]
    #[env(ANSIBLE_MODULE_STRICT_UTF8_RESPONSE)]
    CORE,

    #[setting(PYTHON_MODULE_RLIMIT_NOFILE, Int, "0")]
    #[ini(defaults.python_module_rlimit_nofile)]
    #[env(ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE)]
    CORE,

    #[setting(
        ANSIBLE_COW_ACCEPTLIST,
        List,
        "bud-frogs,bunny,cheese,daemon,default,dragon,elephant-in-snake,elephant,eyes,hellokitty,\
         kitty,luke-koala,meow,milk,moofasa,moose,ren,sheep,small,stegosaurus,stimpy,supermilker,\
         three-eyes,turkey,turtle,tux,udder,vader-koala,vader,www"
    )]
    #[ini(defaults.cowsay_enabled_stencils)]
    #[env(ANSIBLE_COW_ACCEPTLIST)]
    COWS,

    #[setting(ANSIBLE_COW_PATH, Path, "")]
    #[ini(defaults.cowpath)]
    #[env(ANSIBLE_COW_PATH)]
    COWS,

    #[setting(ANSIBLE_COW_SELECTION, Text, "default")]
    #[ini(defaults.cow_selection)]
    #[env(ANSIBLE_COW_SELECTION)]
    COWS,

    #[setting(ANSIBLE_NOCOWS, Bool, "false")]
    #[ini(defaults.nocows)]
    #[env(ANSIBLE_NOCOWS)]
    COWS,

    #[setting(GALAXY_CACHE_DIR, Path, "{{ANSIBLE_HOME}}/galaxy_cache")]
    #[ini(galaxy.cache_dir)]
    #[env(ANSIBLE_GALAXY_CACHE_DIR)]
    GALAXY,

    #[setting(GALAXY_COLLECTIONS_PATH_WARNING, Bool, "true")]
    #[ini(galaxy.collections_path_warning)]
    #[env(ANSIBLE_GALAXY_COLLECTIONS_PATH_WARNING)]
    GALAXY,

    #[setting(GALAXY_COLLECTION_IMPORT_POLL_FACTOR, Text, "1.5")]
    #[env(ANSIBLE_GALAXY_COLLECTION_IMPORT_POLL_FACTOR)]
    GALAXY,

    #[setting(GALAXY_COLLECTION_IMPORT_POLL_INTERVAL, Text, "2.0")]
    #[env(ANSIBLE_GALAXY_COLLECTION_IMPORT_POLL_INTERVAL)]
    GALAXY,

    #[setting(GALAXY_COLLECTION_SKELETON, Path, "")]
    #[ini(galaxy.collection_skeleton)]
    #[env(ANSIBLE_GALAXY_COLLECTION_SKELETON)]
    GALAXY,

    #[setting(GALAXY_COLLECTION_SKELETON_IGNORE, List, "^.git$,^.*/.git_keep$")]
    #[ini(galaxy.collection_skeleton_ignore)]
    #[env(ANSIBLE_GALAXY_COLLECTION_SKELETON_IGNORE)]
    GALAXY,

    #[setting(GALAXY_DISABLE_GPG_VERIFY, Bool, "false")]
    #[ini(galaxy.disable_gpg_verify)]
    #[env(ANSIBLE_GALAXY_DISABLE_GPG_VERIFY)]
    GALAXY,

    #[setting(GALAXY_DISPLAY_PROGRESS, Bool, "")]
    #[ini(galaxy.display_progress)]
    #[env(ANSIBLE_GALAXY_DISPLAY_PROGRESS)]
    GALAXY,

    #[setting(GALAXY_GPG_KEYRING, Path, "")]
    #[ini(galaxy.gpg_keyring)]
    #[env(ANSIBLE_GALAXY_GPG_KEYRING)]
    GALAXY,

    #[setting(GALAXY_IGNORE_CERTS, Bool, "false")]
    #[ini(galaxy.ignore_certs)]
    #[env(ANSIBLE_GALAXY_IGNORE)]
    GALAXY,

    #[setting(GALAXY_REQUIRED_VALID_SIGNATURE_COUNT, Text, "1")]
    #[ini(galaxy.required_valid_signature_count)]
    #[env(ANSIBLE_GALAXY_REQUIRED_VALID_SIGNATURE_COUNT)]
    GALAXY,

    #[setting(GALAXY_ROLE_SKELETON, Path, "")]
    #[ini(galaxy.role_skeleton)]
    #[env(ANSIBLE_GALAXY_ROLE_SKELETON)]
    GALAXY,

    #[setting(GALAXY_ROLE_SKELETON_IGNORE, List, "^.git$,^.*/.git_keep$")]
    #[ini(galaxy.role_skeleton_ignore)]
    #[env(ANSIBLE_GALAXY_ROLE_SKELETON_IGNORE)]
    GALAXY,

    #[setting(GALAXY_SERVER_TIMEOUT, Int, "60")]
    #[ini(galaxy.server_timeout)]
    #[env(ANSIBLE_GALAXY_SERVER_TIMEOUT)]
    GALAXY,

    #[setting(GALAXY_TOKEN_PATH, Path, "{{ANSIBLE_HOME}}/galaxy_token")]
    #[ini(galaxy.token_path)]
    #[env(ANSIBLE_GALAXY_TOKEN_PATH)]
    GALAXY,

    #[setting(DEFAULT_JINJA2_NATIVE, Bool, "true")]
    #[ini(defaults.jinja2_native)]
    #[env(ANSIBLE_JINJA2_NATIVE)]
    GONE,

    #[setting(DEFAULT_NULL_REPRESENTATION, Text, "")]
    #[ini(defaults.null_representation)]
    #[env(ANSIBLE_NULL_REPRESENTATION)]
    GONE,

    #[setting(DEFAULT_SU, Bool, "false")]
    #[ini(defaults.su)]
    #[env(ANSIBLE_SU)]
    GONE,

    #[setting(DEFAULT_UNDEFINED_VAR_BEHAVIOR, Bool, "true")]
    #[ini(defaults.error_on_undefined_vars)]
    #[env(ANSIBLE_ERROR_ON_UNDEFINED_VARS)]
    GONE,

    #[setting(OLD_PLUGIN_CACHE_CLEARING, Bool, "false")]
    #[ini(defaults.old_plugin_cache_clear)]
    #[env(ANSIBLE_OLD_PLUGIN_CACHE_CLEAR)]
    GONE,

    #[setting(STRING_TYPE_FILTERS, List, "string,to_json,to_nice_json,to_yaml,to_nice_yaml,ppretty,json")]
    #[ini(jinja2.dont_type_filters)]
    #[env(ANSIBLE_STRING_TYPE_FILTERS)]
    GONE,

    #[setting(COLOR_DOC_CONSTANT, Text, "dark gray")]
    #[ini(colors.doc_constant)]
    #[env(ANSIBLE_COLOR_DOC_CONSTANT)]
    NOTHING,

    #[setting(COLOR_DOC_DEPRECATED, Text, "magenta")]
    #[ini(colors.doc_deprecated)]
    #[env(ANSIBLE_COLOR_DOC_DEPRECATED)]
    NOTHING,

    #[setting(COLOR_DOC_LINK, Text, "cyan")]
    #[ini(colors.doc_link)]
    #[env(ANSIBLE_COLOR_DOC_LINK)]
    NOTHING,

    #[setting(COLOR_DOC_MODULE, Text, "yellow")]
    #[ini(colors.doc_module)]
    #[env(ANSIBLE_COLOR_DOC_MODULE)]
    NOTHING,

    #[setting(COLOR_DOC_PLUGIN, Text, "yellow")]
    #[ini(colors.doc_plugin)]
    #[env(ANSIBLE_COLOR_DOC_PLUGIN)]
    NOTHING,

    #[setting(COLOR_DOC_REFERENCE, Text, "magenta")]
    #[ini(colors.doc_reference)]
    #[env(ANSIBLE_COLOR_DOC_REFERENCE)]
    NOTHING,

    #[setting(COLOR_HIGHLIGHT, Text, "white")]
    #[ini(colors.highlight)]
    #[env(ANSIBLE_COLOR_HIGHLIGHT)]
    NOTHING,

    #[setting(DEFAULT_INTERNAL_POLL_INTERVAL, Text, "0.001")]
    #[ini(defaults.internal_poll_interval)]
    NOTHING,

    #[setting(DEFAULT_LIBVIRT_LXC_NOSECLABEL, Bool, "false")]
    #[ini(selinux.libvirt_lxc_noseclabel)]
    #[env(ANSIBLE_LIBVIRT_LXC_NOSECLABEL)]
    NOTHING,

    #[setting(DEVEL_WARNING, Bool, "true")]
    #[ini(defaults.devel_warning)]
    #[env(ANSIBLE_DEVEL_WARNING)]
    NOTHING,

    #[setting(DISPLAY_TRACEBACK, List, "never")]
    #[ini(defaults.display_traceback)]
    #[env(ANSIBLE_DISPLAY_TRACEBACK)]
    NOTHING,

    #[setting(DOCSITE_ROOT_URL, Text, "https://docs.ansible.com/ansible-core/")]
    #[ini(defaults.docsite_root_url)]
    NOTHING,

    #[setting(PAGER, Text, "less")]
    #[ini(defaults.pager)]
    #[env(ANSIBLE_PAGER, PAGER)]
    NOTHING,

    #[setting(PLAYBOOK_VARS_ROOT, Text, "top")]
    #[ini(defaults.playbook_vars_root)]
    #[env(ANSIBLE_PLAYBOOK_VARS_ROOT)]
    #[choices("top", "bottom", "all")]
    NOTHING,

    #[setting(PLUGIN_FILTERS_CFG, Path, "")]
    #[ini(defaults.plugin_filters_cfg)]
    NOTHING,

    #[setting(SYSTEM_WARNINGS, Bool, "true")]
    #[ini(defaults.system_warnings)]
    #[env(ANSIBLE_SYSTEM_WARNINGS)]
    NOTHING,

    #[setting(ANSIBLE_CONNECTION_PATH, Path, "")]
    #[ini(persistent_connection.ansible_connection_path)]
    #[env(ANSIBLE_CONNECTION_PATH)]
    PERSISTENT,

    #[setting(NETCONF_SSH_CONFIG, Text, "")]
    #[ini(netconf_connection.ssh_config)]
    #[env(ANSIBLE_NETCONF_SSH_CONFIG)]
    PERSISTENT,

    #[setting(
        NETWORK_GROUP_MODULES,
        List,
        "eos,nxos,ios,iosxr,junos,enos,ce,vyos,sros,dellos9,dellos10,dellos6,asa,aruba,aireos,\
         bigip,ironware,onyx,netconf,exos,voss,slxos"
    )]
    #[ini(defaults.network_group_modules)]
    #[env(ANSIBLE_NETWORK_GROUP_MODULES)]
    PERSISTENT,

    #[setting(PERSISTENT_COMMAND_TIMEOUT, Int, "30")]
    #[ini(persistent_connection.command_timeout)]
    #[env(ANSIBLE_PERSISTENT_COMMAND_TIMEOUT)]
    PERSISTENT,

    #[setting(PERSISTENT_CONNECT_RETRY_TIMEOUT, Int, "15")]
    #[ini(persistent_connection.connect_retry_timeout)]
    #[env(ANSIBLE_PERSISTENT_CONNECT_RETRY_TIMEOUT)]
    PERSISTENT,

    #[setting(PERSISTENT_CONNECT_TIMEOUT, Int, "30")]
    #[ini(persistent_connection.connect_timeout)]
    #[env(ANSIBLE_PERSISTENT_CONNECT_TIMEOUT)]
    PERSISTENT,

    #[setting(PERSISTENT_CONTROL_PATH_DIR, Path, "{{ANSIBLE_HOME}}/pc")]
    #[ini(persistent_connection.control_path_dir)]
    #[env(ANSIBLE_PERSISTENT_CONTROL_PATH_DIR)]
    PERSISTENT,

    #[setting(USE_PERSISTENT_CONNECTIONS, Bool, "false")]
    #[ini(defaults.use_persistent_connections)]
    #[env(ANSIBLE_USE_PERSISTENT_CONNECTIONS)]
    PERSISTENT,

    #[setting(
        BECOME_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/become:/usr/share/ansible/plugins/become"
    )]
    #[ini(defaults.become_plugins)]
    #[env(ANSIBLE_BECOME_PLUGINS)]
    PLUGINS,

    #[setting(
        DEFAULT_CACHE_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/cache:/usr/share/ansible/plugins/cache"
    )]
    #[ini(defaults.cache_plugins)]
    #[env(ANSIBLE_CACHE_PLUGINS)]
    PLUGINS,

    #[setting(
        DEFAULT_CLICONF_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/cliconf:/usr/share/ansible/plugins/cliconf"
    )]
    #[ini(defaults.cliconf_plugins)]
    #[env(ANSIBLE_CLICONF_PLUGINS)]
    PLUGINS,

    #[setting(
        DEFAULT_HTTPAPI_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/httpapi:/usr/share/ansible/plugins/httpapi"
    )]
    #[ini(defaults.httpapi_plugins)]
    #[env(ANSIBLE_HTTPAPI_PLUGINS)]
    PLUGINS,

    #[setting(
        DEFAULT_NETCONF_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/netconf:/usr/share/ansible/plugins/netconf"
    )]
    #[ini(defaults.netconf_plugins)]
    #[env(ANSIBLE_NETCONF_PLUGINS)]
    PLUGINS,

    #[setting(
        DEFAULT_STRATEGY_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/strategy:/usr/share/ansible/plugins/strategy"
    )]
    #[ini(defaults.strategy_plugins)]
    #[env(ANSIBLE_STRATEGY_PLUGINS)]
    PLUGINS,

    #[setting(
        DEFAULT_TERMINAL_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/terminal:/usr/share/ansible/plugins/terminal"
    )]
    #[ini(defaults.terminal_plugins)]
    #[env(ANSIBLE_TERMINAL_PLUGINS)]
    PLUGINS,

    #[setting(
        DEFAULT_VARS_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/vars:/usr/share/ansible/plugins/vars"
    )]
    #[ini(defaults.vars_plugins)]
    #[env(ANSIBLE_VARS_PLUGINS)]
    PLUGINS,

    #[setting(
        DOC_FRAGMENT_PLUGIN_PATH,
        PathSpec,
        "{{ANSIBLE_HOME}}/plugins/doc_fragments:/usr/share/ansible/plugins/doc_fragments"
    )]
    #[ini(defaults.doc_fragment_plugins)]
    #[env(ANSIBLE_DOC_FRAGMENT_PLUGINS)]
    PLUGINS,

    #[setting(COLOR_CONSOLE_PROMPT, Text, "white")]
    #[ini(colors.console_prompt)]
    #[env(ANSIBLE_COLOR_CONSOLE_PROMPT)]
    PROMPT,

    #[setting(ALLOW_EMBEDDED_TEMPLATES, Bool, "true")]
    #[ini(defaults.allow_embedded_templates)]
    #[env(ANSIBLE_ALLOW_EMBEDDED_TEMPLATES)]
    TEMPLATES,

    #[setting(DEFAULT_ALLOW_UNSAFE_LOOKUPS, Bool, "false")]
    #[ini(defaults.allow_unsafe_lookups)]
    TEMPLATES,

    #[setting(DEFAULT_JINJA2_EXTENSIONS, List, "")]
    #[ini(defaults.jinja2_extensions)]
    #[env(ANSIBLE_JINJA2_EXTENSIONS)]
    TEMPLATES,

    #[setting(ADMIN_USERS, List, "root,toor")]
    #[ini(defaults.admin_users)]
    #[env(ANSIBLE_ADMIN_USERS)]
    TEMPORARY,

    #[setting(ALLOW_WORLD_READABLE_TMPFILES, Bool, "false")]
    #[ini(defaults.allow_world_readable_tmpfiles)]
    #[env(ANSIBLE_SHELL_ALLOW_WORLD_READABLE_TEMP)]
    TEMPORARY,

    #[setting(COMMON_REMOTE_GROUP, Text, "")]
    #[ini(defaults.common_remote_group)]
    #[env(ANSIBLE_COMMON_REMOTE_GROUP)]
    TEMPORARY,

    #[setting(SYSTEM_TMPDIRS, List, "/var/tmp,/tmp")]
    #[ini(defaults.system_tmpdirs)]
    #[env(ANSIBLE_SYSTEM_TMPDIRS)]
    TEMPORARY,

    #[setting(WIN_ASYNC_STARTUP_TIMEOUT, Int, "5")]
    #[ini(defaults.win_async_startup_timeout)]
    #[env(ANSIBLE_WIN_ASYNC_STARTUP_TIMEOUT)]
    WINDOWS,

    #[setting(WORKER_SHUTDOWN_POLL_COUNT, Int, "0")]
    #[env(ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT)]
    WORKERS,

    #[setting(WORKER_SESSION_ISOLATION, Bool, "true")]
    #[ini(defaults.worker_session_isolation)]
    #[env(ANSIBLE_WORKER_SESSION_ISOLATION)]
    WORKERS,

    #[setting(WORKER_SHUTDOWN_POLL_DELAY, Text, "0.1")]
    #[env(ANSIBLE_WORKER_SHUTDOWN_POLL_DELAY)]
    WORKERS,
}
