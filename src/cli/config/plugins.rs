//! The settings that belong to plugins, as ansible-core divides them.

use crate::settings::{Entry, Settings};

/// The settings of a type of plugin.
pub(super) struct Type<'s> {
    pub name: &'static str,
    /// The plugins, and their options by name.
    pub plugins: Vec<(&'static str, Vec<(&'static str, &'s Entry)>)>,
}

/// The type, the plugin, the name of its option, and the setting.
const OPTIONS: &[(&str, &str, &str, &str)] = &[
    ("become", "su", "become_exe", "SU_BECOME_EXE"),
    ("become", "su", "become_flags", "SU_BECOME_FLAGS"),
    ("become", "su", "become_user", "SU_BECOME_USER"),
    ("become", "su", "prompt_l10n", "SU_PROMPT_L10N"),
    ("become", "sudo", "become_exe", "SUDO_BECOME_EXE"),
    ("become", "sudo", "become_flags", "SUDO_BECOME_FLAGS"),
    ("become", "sudo", "become_user", "SUDO_BECOME_USER"),
    ("become", "sudo", "sudo_chdir", "SUDO_BECOME_CHDIR"),
    ("cache", "jsonfile", "_prefix", "CACHE_PLUGIN_PREFIX"),
    ("cache", "jsonfile", "_timeout", "CACHE_PLUGIN_TIMEOUT"),
    ("cache", "jsonfile", "_uri", "CACHE_PLUGIN_CONNECTION"),
    ("callback", "default", "check_mode_markers", "CHECK_MODE_MARKERS"),
    ("callback", "default", "display_failed_stderr", "DISPLAY_FAILED_STDERR"),
    ("callback", "default", "display_ok_hosts", "DISPLAY_OK_HOSTS"),
    ("callback", "default", "display_skipped_hosts", "DISPLAY_SKIPPED_HOSTS"),
    ("callback", "default", "pretty_results", "CALLBACK_FORMAT_PRETTY"),
    ("callback", "default", "result_format", "CALLBACK_RESULT_FORMAT"),
    ("callback", "default", "show_custom_stats", "SHOW_CUSTOM_STATS"),
    ("callback", "default", "show_per_host_start", "SHOW_PER_HOST_START"),
    ("callback", "default", "show_task_path_on_failure", "SHOW_TASK_PATH_ON_FAILURE"),
    ("callback", "junit", "output_dir", "JUNIT_OUTPUT_DIR"),
    ("connection", "local", "pipelining", "ANSIBLE_PIPELINING"),
    ("connection", "ssh", "control_path", "SSH_CONTROL_PATH"),
    ("connection", "ssh", "control_path_dir", "SSH_CONTROL_PATH_DIR"),
    ("connection", "ssh", "host_key_checking", "HOST_KEY_CHECKING"),
    ("connection", "ssh", "password_mechanism", "SSH_PASSWORD_MECHANISM"),
    ("connection", "ssh", "pipelining", "ANSIBLE_PIPELINING"),
    ("connection", "ssh", "pkcs11_provider", "SSH_PKCS11_PROVIDER"),
    ("connection", "ssh", "port", "DEFAULT_REMOTE_PORT"),
    ("connection", "ssh", "private_key", "SSH_PRIVATE_KEY"),
    ("connection", "ssh", "private_key_file", "DEFAULT_PRIVATE_KEY_FILE"),
    ("connection", "ssh", "private_key_passphrase", "SSH_PRIVATE_KEY_PASSPHRASE"),
    ("connection", "ssh", "reconnection_retries", "SSH_RETRIES"),
    ("connection", "ssh", "remote_user", "DEFAULT_REMOTE_USER"),
    ("connection", "ssh", "scp_executable", "SCP_EXECUTABLE"),
    ("connection", "ssh", "scp_extra_args", "SCP_EXTRA_ARGS"),
    ("connection", "ssh", "sftp_batch_mode", "SFTP_BATCH_MODE"),
    ("connection", "ssh", "sftp_executable", "SFTP_EXECUTABLE"),
    ("connection", "ssh", "sftp_extra_args", "SFTP_EXTRA_ARGS"),
    ("connection", "ssh", "ssh_args", "SSH_ARGS"),
    ("connection", "ssh", "ssh_common_args", "SSH_COMMON_ARGS"),
    ("connection", "ssh", "ssh_executable", "SSH_EXECUTABLE"),
    ("connection", "ssh", "ssh_extra_args", "SSH_EXTRA_ARGS"),
    ("connection", "ssh", "ssh_transfer_method", "SSH_TRANSFER_METHOD"),
    ("connection", "ssh", "sshpass_prompt", "SSHPASS_PROMPT"),
    ("connection", "ssh", "timeout", "SSH_TIMEOUT"),
    ("connection", "ssh", "use_tty", "SSH_USETTY"),
    ("inventory", "constructed", "use_extra_vars", "INVENTORY_USE_EXTRA_VARS"),
    ("inventory", "script", "always_show_stderr", "INVENTORY_SCRIPT_STDERR"),
    ("inventory", "yaml", "yaml_extensions", "YAML_FILENAME_EXTENSIONS"),
    ("shell", "sh", "admin_users", "ADMIN_USERS"),
    ("shell", "sh", "async_dir", "ASYNC_DIR"),
    ("shell", "sh", "common_remote_group", "COMMON_REMOTE_GROUP"),
    ("shell", "sh", "remote_tmp", "REMOTE_TMP"),
    ("shell", "sh", "system_tmpdirs", "SYSTEM_TMPDIRS"),
    ("shell", "sh", "world_readable_temp", "ALLOW_WORLD_READABLE_TMPFILES"),
    ("vars", "host_group_vars", "_valid_extensions", "YAML_FILENAME_EXTENSIONS"),
    ("vars", "host_group_vars", "stage", "VARS_PLUGIN_STAGE"),
];

/// The settings of plugins that are settings of the engine as well.
const SHARED: [&str; 9] = [
    "ANSIBLE_PIPELINING",
    "CACHE_PLUGIN_CONNECTION",
    "CACHE_PLUGIN_PREFIX",
    "CACHE_PLUGIN_TIMEOUT",
    "DEFAULT_PRIVATE_KEY_FILE",
    "DEFAULT_REMOTE_PORT",
    "DEFAULT_REMOTE_USER",
    "HOST_KEY_CHECKING",
    "SHOW_CUSTOM_STATS",
];

/// The settings that only this program has, or that ansible-core's modules read.
const OTHERS: [&str; 4] =
    ["DEFAULT_GATHER_SUBSET", "DEFAULT_GATHER_TIMEOUT", "DEFAULT_MODULE_LANG", "YAML_FILENAME_EXTENSIONS"];

/// Whether a setting belongs to a plugin and not to the engine.
pub(super) fn is_only_plugins(name: &str) -> bool {
    let of_plugin = OPTIONS.iter().any(|(_, _, _, setting)| *setting == name);
    of_plugin && !SHARED.contains(&name) && !OTHERS.contains(&name)
}

/// Returns the settings of a type of plugin: of all plugins, or of those that are named.
pub(super) fn of<'s>(name: &'static str, settings: &'s Settings, named: &[String]) -> Type<'s> {
    let mut plugins: Vec<(&'static str, Vec<(&'static str, &'s Entry)>)> = Vec::new();
    let wanted = |plugin: &str| named.is_empty() || named.iter().any(|name| name == plugin);
    for (_, plugin, option, setting) in
        OPTIONS.iter().filter(|(kind, plugin, _, _)| *kind == name && wanted(plugin))
    {
        let Some(entry) = settings.get(setting) else { continue };
        match plugins.last_mut() {
            Some((last, entries)) if last == plugin => entries.push((option, entry)),
            _ => plugins.push((plugin, vec![(option, entry)])),
        }
    }
    Type { name, plugins }
}
