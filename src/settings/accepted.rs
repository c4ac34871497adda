//! Settings of ansible-core that nothing here needs: read, checked and shown, and without effect.

use super::table::{Kind, Setting};

const fn accepted(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    ini: &'static [&'static str],
    env: &'static [&'static str],
    about: &'static str,
) -> Setting {
    Setting { name, field: "", kind, default, ini, env, choices: &[], about }
}

const PLUGINS: &str = "Where such plugins are looked for.";
const PYTHON: &str = "Only for modules that are shipped as Python.";
const PERSISTENT: &str = "Only for the connections of network devices.";
const DOC: &str = "A colour of ansible-doc.";
const GALAXY: &str = "Only for ansible-core's own Galaxy client.";

/// They have no field in [`super::Settings`], only an entry.
pub static ACCEPTED: &[Setting] = &[
    accepted("ANSIBLE_CONNECTION_PATH", Kind::Path, "", &["persistent_connection.ansible_connection_path"], &["ANSIBLE_CONNECTION_PATH"], PERSISTENT),
    accepted("ANSIBLE_COW_ACCEPTLIST", Kind::List, "bud-frogs,bunny,cheese,daemon,default,dragon,elephant-in-snake,elephant,eyes,hellokitty,kitty,luke-koala,meow,milk,moofasa,moose,ren,sheep,small,stegosaurus,stimpy,supermilker,three-eyes,turkey,turtle,tux,udder,vader-koala,vader,www", &["defaults.cowsay_enabled_stencils"], &["ANSIBLE_COW_ACCEPTLIST"], "Which cows may be chosen."),
    accepted("BECOME_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/become:/usr/share/ansible/plugins/become", &["defaults.become_plugins"], &["ANSIBLE_BECOME_PLUGINS"], PLUGINS),
    accepted("COLLECTIONS_SCAN_SYS_PATH", Kind::Bool, "true", &["defaults.collections_scan_sys_path"], &["ANSIBLE_COLLECTIONS_SCAN_SYS_PATH"], "Look for collections beside Python's packages too."),
    accepted("COLOR_DOC_CONSTANT", Kind::Text, "dark gray", &["colors.doc_constant"], &["ANSIBLE_COLOR_DOC_CONSTANT"], DOC),
    accepted("COLOR_DOC_DEPRECATED", Kind::Text, "magenta", &["colors.doc_deprecated"], &["ANSIBLE_COLOR_DOC_DEPRECATED"], DOC),
    accepted("COLOR_DOC_LINK", Kind::Text, "cyan", &["colors.doc_link"], &["ANSIBLE_COLOR_DOC_LINK"], DOC),
    accepted("COLOR_DOC_MODULE", Kind::Text, "yellow", &["colors.doc_module"], &["ANSIBLE_COLOR_DOC_MODULE"], DOC),
    accepted("COLOR_DOC_PLUGIN", Kind::Text, "yellow", &["colors.doc_plugin"], &["ANSIBLE_COLOR_DOC_PLUGIN"], DOC),
    accepted("COLOR_DOC_REFERENCE", Kind::Text, "magenta", &["colors.doc_reference"], &["ANSIBLE_COLOR_DOC_REFERENCE"], DOC),
    accepted("COVERAGE_REMOTE_OUTPUT", Kind::Text, "", &[], &["_ANSIBLE_COVERAGE_REMOTE_OUTPUT"], PYTHON),
    accepted("COVERAGE_REMOTE_PATHS", Kind::Text, "*", &[], &["_ANSIBLE_COVERAGE_REMOTE_PATH_FILTER"], PYTHON),
    accepted("DEFAULT_CACHE_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/cache:/usr/share/ansible/plugins/cache", &["defaults.cache_plugins"], &["ANSIBLE_CACHE_PLUGINS"], PLUGINS),
    accepted("DEFAULT_CLICONF_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/cliconf:/usr/share/ansible/plugins/cliconf", &["defaults.cliconf_plugins"], &["ANSIBLE_CLICONF_PLUGINS"], PLUGINS),
    accepted("DEFAULT_CONNECTION_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/connection:/usr/share/ansible/plugins/connection", &["defaults.connection_plugins"], &["ANSIBLE_CONNECTION_PLUGINS"], PLUGINS),
    accepted("DEFAULT_HTTPAPI_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/httpapi:/usr/share/ansible/plugins/httpapi", &["defaults.httpapi_plugins"], &["ANSIBLE_HTTPAPI_PLUGINS"], PLUGINS),
    accepted("DEFAULT_INTERNAL_POLL_INTERVAL", Kind::Text, "0.001", &["defaults.internal_poll_interval"], &[], "How often results were asked for; nothing is polled here."),
    accepted("DEFAULT_LIBVIRT_LXC_NOSECLABEL", Kind::Bool, "false", &["selinux.libvirt_lxc_noseclabel"], &["ANSIBLE_LIBVIRT_LXC_NOSECLABEL"], "Start virsh without a security label."),
    accepted("DEFAULT_MODULE_COMPRESSION", Kind::Text, "ZIP_DEFLATED", &["defaults.module_compression"], &[], PYTHON),
    accepted("DEFAULT_NETCONF_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/netconf:/usr/share/ansible/plugins/netconf", &["defaults.netconf_plugins"], &["ANSIBLE_NETCONF_PLUGINS"], PLUGINS),
    accepted("DEFAULT_NULL_REPRESENTATION", Kind::Text, "", &["defaults.null_representation"], &["ANSIBLE_NULL_REPRESENTATION"], "Had an effect in old versions only."),
    accepted("DEFAULT_STRATEGY_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/strategy:/usr/share/ansible/plugins/strategy", &["defaults.strategy_plugins"], &["ANSIBLE_STRATEGY_PLUGINS"], PLUGINS),
    accepted("DEFAULT_SU", Kind::Bool, "false", &["defaults.su"], &["ANSIBLE_SU"], "Had an effect in old versions only."),
    accepted("DEFAULT_SYSLOG_FACILITY", Kind::Text, "LOG_USER", &["defaults.syslog_facility"], &["ANSIBLE_SYSLOG_FACILITY"], PYTHON),
    accepted("DEFAULT_TERMINAL_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/terminal:/usr/share/ansible/plugins/terminal", &["defaults.terminal_plugins"], &["ANSIBLE_TERMINAL_PLUGINS"], PLUGINS),
    accepted("DEFAULT_VARS_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/vars:/usr/share/ansible/plugins/vars", &["defaults.vars_plugins"], &["ANSIBLE_VARS_PLUGINS"], PLUGINS),
    accepted("DEVEL_WARNING", Kind::Bool, "true", &["defaults.devel_warning"], &["ANSIBLE_DEVEL_WARNING"], "Warn of versions that are not released."),
    accepted("DOCSITE_ROOT_URL", Kind::Text, "https://docs.ansible.com/ansible-core/", &["defaults.docsite_root_url"], &[], "Where documentation points to."),
    accepted("DOC_FRAGMENT_PLUGIN_PATH", Kind::PathSpec, "{{ANSIBLE_HOME}}/plugins/doc_fragments:/usr/share/ansible/plugins/doc_fragments", &["defaults.doc_fragment_plugins"], &["ANSIBLE_DOC_FRAGMENT_PLUGINS"], PLUGINS),
    accepted("GALAXY_COLLECTIONS_PATH_WARNING", Kind::Bool, "true", &["galaxy.collections_path_warning"], &["ANSIBLE_GALAXY_COLLECTIONS_PATH_WARNING"], GALAXY),
    accepted("GALAXY_COLLECTION_IMPORT_POLL_FACTOR", Kind::Text, "1.5", &[], &["ANSIBLE_GALAXY_COLLECTION_IMPORT_POLL_FACTOR"], GALAXY),
    accepted("GALAXY_COLLECTION_IMPORT_POLL_INTERVAL", Kind::Text, "2.0", &[], &["ANSIBLE_GALAXY_COLLECTION_IMPORT_POLL_INTERVAL"], GALAXY),
    accepted("GALAXY_COLLECTION_SKELETON", Kind::Path, "", &["galaxy.collection_skeleton"], &["ANSIBLE_GALAXY_COLLECTION_SKELETON"], GALAXY),
    accepted("GALAXY_COLLECTION_SKELETON_IGNORE", Kind::List, "^.git$,^.*/.git_keep$", &["galaxy.collection_skeleton_ignore"], &["ANSIBLE_GALAXY_COLLECTION_SKELETON_IGNORE"], GALAXY),
    accepted("GALAXY_DISABLE_GPG_VERIFY", Kind::Bool, "false", &["galaxy.disable_gpg_verify"], &["ANSIBLE_GALAXY_DISABLE_GPG_VERIFY"], GALAXY),
    accepted("GALAXY_DISPLAY_PROGRESS", Kind::Bool, "", &["galaxy.display_progress"], &["ANSIBLE_GALAXY_DISPLAY_PROGRESS"], GALAXY),
    accepted("GALAXY_GPG_KEYRING", Kind::Path, "", &["galaxy.gpg_keyring"], &["ANSIBLE_GALAXY_GPG_KEYRING"], GALAXY),
    accepted("GALAXY_REQUIRED_VALID_SIGNATURE_COUNT", Kind::Text, "1", &["galaxy.required_valid_signature_count"], &["ANSIBLE_GALAXY_REQUIRED_VALID_SIGNATURE_COUNT"], GALAXY),
    accepted("GALAXY_ROLE_SKELETON", Kind::Path, "", &["galaxy.role_skeleton"], &["ANSIBLE_GALAXY_ROLE_SKELETON"], GALAXY),
    accepted("GALAXY_ROLE_SKELETON_IGNORE", Kind::List, "^.git$,^.*/.git_keep$", &["galaxy.role_skeleton_ignore"], &["ANSIBLE_GALAXY_ROLE_SKELETON_IGNORE"], GALAXY),
    accepted("GALAXY_SERVER_TIMEOUT", Kind::Int, "60", &["galaxy.server_timeout"], &["ANSIBLE_GALAXY_SERVER_TIMEOUT"], GALAXY),
    accepted("GALAXY_TOKEN_PATH", Kind::Path, "{{ANSIBLE_HOME}}/galaxy_token", &["galaxy.token_path"], &["ANSIBLE_GALAXY_TOKEN_PATH"], GALAXY),
    accepted("INTERPRETER_PYTHON_FALLBACK", Kind::List, "python3.13,python3.12,python3.11,python3.10,python3.9,python3.8,/usr/bin/python3,python3", &[], &[], PYTHON),
    accepted("MODULE_STRICT_UTF8_RESPONSE", Kind::Bool, "true", &["defaults.module_strict_utf8_response"], &["ANSIBLE_MODULE_STRICT_UTF8_RESPONSE"], PYTHON),
    accepted("NETCONF_SSH_CONFIG", Kind::Text, "", &["netconf_connection.ssh_config"], &["ANSIBLE_NETCONF_SSH_CONFIG"], PERSISTENT),
    accepted("NETWORK_GROUP_MODULES", Kind::List, "eos,nxos,ios,iosxr,junos,enos,ce,vyos,sros,dellos9,dellos10,dellos6,asa,aruba,aireos,bigip,ironware,onyx,netconf,exos,voss,slxos", &["defaults.network_group_modules"], &["ANSIBLE_NETWORK_GROUP_MODULES"], PERSISTENT),
    accepted("OLD_PLUGIN_CACHE_CLEARING", Kind::Bool, "false", &["defaults.old_plugin_cache_clear"], &["ANSIBLE_OLD_PLUGIN_CACHE_CLEAR"], "Had an effect in old versions only."),
    accepted("PARAMIKO_HOST_KEY_AUTO_ADD", Kind::Bool, "false", &["paramiko_connection.host_key_auto_add"], &["ANSIBLE_PARAMIKO_HOST_KEY_AUTO_ADD"], "Only for the connection paramiko."),
    accepted("PARAMIKO_LOOK_FOR_KEYS", Kind::Bool, "true", &["paramiko_connection.look_for_keys"], &["ANSIBLE_PARAMIKO_LOOK_FOR_KEYS"], "Only for the connection paramiko."),
    accepted("PERSISTENT_COMMAND_TIMEOUT", Kind::Int, "30", &["persistent_connection.command_timeout"], &["ANSIBLE_PERSISTENT_COMMAND_TIMEOUT"], PERSISTENT),
    accepted("PERSISTENT_CONNECT_RETRY_TIMEOUT", Kind::Int, "15", &["persistent_connection.connect_retry_timeout"], &["ANSIBLE_PERSISTENT_CONNECT_RETRY_TIMEOUT"], PERSISTENT),
    accepted("PERSISTENT_CONNECT_TIMEOUT", Kind::Int, "30", &["persistent_connection.connect_timeout"], &["ANSIBLE_PERSISTENT_CONNECT_TIMEOUT"], PERSISTENT),
    accepted("PERSISTENT_CONTROL_PATH_DIR", Kind::Path, "{{ANSIBLE_HOME}}/pc", &["persistent_connection.control_path_dir"], &["ANSIBLE_PERSISTENT_CONTROL_PATH_DIR"], PERSISTENT),
    accepted("PLUGIN_FILTERS_CFG", Kind::Path, "", &["defaults.plugin_filters_cfg"], &[], "A file with plugins that must not be used."),
    accepted("PYTHON_MODULE_RLIMIT_NOFILE", Kind::Int, "0", &["defaults.python_module_rlimit_nofile"], &["ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE"], PYTHON),
    accepted("SSH_AGENT_KEY_LIFETIME", Kind::Int, "", &["connection.ssh_agent_key_lifetime"], &["ANSIBLE_SSH_AGENT_KEY_LIFETIME"], "Seconds that a key stays in the agent."),
    accepted("STRING_TYPE_FILTERS", Kind::List, "string,to_json,to_nice_json,to_yaml,to_nice_yaml,ppretty,json", &["jinja2.dont_type_filters"], &["ANSIBLE_STRING_TYPE_FILTERS"], "Had an effect in old versions only."),
    accepted("USE_PERSISTENT_CONNECTIONS", Kind::Bool, "false", &["defaults.use_persistent_connections"], &["ANSIBLE_USE_PERSISTENT_CONNECTIONS"], PERSISTENT),
    accepted("VALIDATE_ACTION_GROUP_METADATA", Kind::Bool, "true", &["defaults.validate_action_group_metadata"], &["ANSIBLE_VALIDATE_ACTION_GROUP_METADATA"], "Check what collections say about groups of actions."),
    accepted("WIN_ASYNC_STARTUP_TIMEOUT", Kind::Int, "5", &["defaults.win_async_startup_timeout"], &["ANSIBLE_WIN_ASYNC_STARTUP_TIMEOUT"], "Only for Windows."),
    accepted("WORKER_SHUTDOWN_POLL_COUNT", Kind::Int, "0", &[], &["ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT"], "Only for worker processes, which are threads here."),
    accepted("WORKER_SHUTDOWN_POLL_DELAY", Kind::Text, "0.1", &[], &["ANSIBLE_WORKER_SHUTDOWN_POLL_DELAY"], "Only for worker processes, which are threads here."),
];
