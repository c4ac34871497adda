//! The release of ansible-core whose behavior the program has, and all that differs between releases.

use playbook_api::Value;

use super::table::Field;

/// A release of ansible-core. What differs between releases is asked here, one method for each difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// ansible-core 2.19.14.
    V2_19,
    /// ansible-core 2.21.5.
    #[default]
    V2_21,
}

impl Release {
    /// The version, and its numbers.
    pub fn version(self) -> (&'static str, i64, i64, i64) {
        match self {
            Release::V2_19 => ("2.19.14", 2, 19, 14),
            Release::V2_21 => ("2.21.5", 2, 21, 5),
        }
    }

    fn is_2_21(self) -> bool {
        self == Release::V2_21
    }

    /// What stands in front of the error of a task's condition, such as `when`.
    pub fn condition_failed(self, keyword: &str) -> Option<String> {
        let article = if keyword.starts_with(['a', 'e', 'i', 'o', 'u']) { "An" } else { "A" };
        self.is_2_21().then(|| format!("{article} '{keyword}' expression failed"))
    }

    /// Whether the error of a condition on a result stands behind that of the action (`Task failed: Action failed: …`),
    /// is the result's message if there is none, and keeps the action's own exception beside it.
    pub fn judges_within_the_action(self) -> bool {
        self.is_2_21()
    }

    /// The error of a task that its `failed_when` fails, where the action says nothing or `failed_when` comes first.
    pub fn failed_when_holds(self) -> &'static str {
        match self {
            Release::V2_19 => "Failed because of failed_when.",
            Release::V2_21 => "A 'failed_when' expression evaluated to 'True'.",
        }
    }

    /// The message of a command whose exit status is not 0; `None` is that of the module.
    pub fn command_failed(self) -> Option<&'static str> {
        self.is_2_21().then_some("The command exited with a non-zero return code.")
    }

    /// The error of an action whose name a template has and that does not exist; `None` is the general one.
    pub fn unknown_action(self, name: &str) -> Option<String> {
        self.is_2_21().then(|| format!("Cannot resolve '{name}' to an action or module."))
    }

    /// Whether a loop is ignored as soon as one of its failures is. In 2.19 each of them has to be.
    pub fn one_ignored_item_is_enough(self) -> bool {
        self.is_2_21()
    }

    /// Whether an `ignore_errors` that cannot be read, such as `ture`, ignores the failure that it is itself.
    pub fn broken_ignores_count(self) -> bool {
        !self.is_2_21()
    }

    /// Whether every result has `failed`, those of loops and of skipped tasks included, and `skipped` only if it holds.
    pub fn results_always_have_failed(self) -> bool {
        self.is_2_21()
    }

    /// Whether the verdicts of `changed_when` and `break_when` are part of the result.
    pub fn results_have_verdicts(self) -> bool {
        self.is_2_21()
    }

    /// Whether the items of a loop see in `ansible_facts` what earlier items gathered.
    pub fn items_see_facts_of_earlier_ones(self) -> bool {
        self.is_2_21()
    }

    /// Whether a loop over nothing has a `skip_reason`.
    pub fn empty_loops_have_a_skip_reason(self) -> bool {
        self.is_2_21()
    }

    /// Whether a label that cannot be rendered is a warning. In 2.19 it fails the item.
    pub fn broken_labels_are_warnings(self) -> bool {
        self.is_2_21()
    }

    /// How much lower the number of retries left is that a retry shows, and how much higher its `attempts`.
    pub fn retries_shown_ahead(self) -> u8 {
        u8::from(self.is_2_21())
    }

    /// Whether a task that has used up its retries has an error of its own above its result.
    pub fn exhausted_retries_are_errors(self) -> bool {
        !self.is_2_21()
    }

    /// Whether the report of `debug` leaves out a loop's variables whose names begin with an underscore.
    pub fn debug_hides_variables_of_loops(self) -> bool {
        self.is_2_21()
    }

    /// Whether `debug` leaves out a message that is null.
    pub fn debug_leaves_out_null(self) -> bool {
        self.is_2_21()
    }

    /// Whether the options of `include_vars` that are lists have to be lists. Text for `ignore_files` is deprecated.
    pub fn include_vars_takes_only_lists(self) -> bool {
        self.is_2_21()
    }

    /// Whether a play may have the keyword `validate_argspec`.
    pub fn validates_plays(self) -> bool {
        self.is_2_21()
    }

    /// Whether an `include_role` whose role is missing fails its task, and may say so itself (`rescuable`).
    pub fn missing_roles_are_rescuable(self) -> bool {
        self.is_2_21()
    }

    /// Whether the variable `vars` and facts as variables of their own are deprecated.
    pub fn deprecates_injected_variables(self) -> bool {
        self.is_2_21()
    }

    /// Whether results show the arguments of the module only with the setting `inject_invocation`.
    pub fn invocation_is_a_setting(self) -> bool {
        self.is_2_21()
    }

    /// Whether the filter `strftime` takes the directives of Python's dates, and fractions of a second.
    pub fn strftime_is_that_of_dates(self) -> bool {
        self.is_2_21()
    }

    /// Whether the given salt of a password's hash is only what libxcrypt makes the salt of, and rounds out of range are the
    /// next possible ones.
    pub fn passwords_are_hashed_by_libxcrypt(self) -> bool {
        self.is_2_21()
    }

    /// Whether `to_yaml` and `to_nice_yaml` decrypt what came out of a vault, unless `vault_behavior` says otherwise. In 2.19
    /// they keep it encrypted.
    pub fn to_yaml_has_vault_behavior(self) -> bool {
        self.is_2_21()
    }

    /// The error of an include whose file does not exist begins with this.
    pub fn missing_file(self) -> Option<&'static str> {
        self.is_2_21().then_some("Unable to retrieve file contents. ")
    }

    /// Whether the message of a missing file says what to do if the file is on the host.
    pub fn hints_are_part_of_messages(self) -> bool {
        !self.is_2_21()
    }

    /// Whether the error of a loop's value has `changed`.
    pub fn loops_that_fail_at_once_have_changed(self) -> bool {
        self.is_2_21()
    }

    /// The error of a role that is in none of the directories.
    pub fn missing_role(self, name: &str, directories: &str) -> String {
        match self {
            Release::V2_19 => format!("the role '{name}' was not found in {directories}"),
            Release::V2_21 => format!("The role '{name}' was not found in: {directories}"),
        }
    }

    /// Whether `tasks_from` and its like fail for a role that lacks the directory of the file.
    pub fn named_files_need_a_directory(self) -> bool {
        self.is_2_21()
    }

    /// Whether `stat` and `find` return `disk_usage_bytes`, and `find` the number of blocks.
    pub fn stat_has_disk_usage(self) -> bool {
        self.is_2_21()
    }

    /// Whether `user` returns the groups that the user has. In 2.19 it returns those that were asked for.
    pub fn user_returns_its_groups(self) -> bool {
        self.is_2_21()
    }

    /// Whether `user` fails for `append` without `groups`. In 2.19 it warns.
    pub fn appending_needs_groups(self) -> bool {
        self.is_2_21()
    }

    /// Whether a failed include says why in `msg`, whatever was missing, and its error stands above its result.
    pub fn failed_includes_have_a_message(self) -> bool {
        self.is_2_21()
    }

    /// Whether tags with a meaning of their own (`all`, `tagged`, `untagged`) are warned of on tasks.
    pub fn warns_of_reserved_tags(self) -> bool {
        self.is_2_21()
    }
}

impl Field for Release {
    fn take(value: &Value) -> Self {
        match value.as_str() {
            Some("2.19") => Release::V2_19,
            _ => Release::V2_21,
        }
    }
}
