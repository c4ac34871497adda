//! What a setting is, and the macros that make a struct of the table of settings.

use std::path::PathBuf;

use playbook_api::Value;

/// The text that a setting accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true`, `yes`, `on`, `1` and the like; everything else is false.
    Bool,
    /// An integer.
    Int,
    /// Any text.
    Text,
    /// Items between commas.
    List,
    /// A path: `~`, variables and `{{CWD}}` are replaced, and a relative one starts at the file that names
    /// it.
    Path,
    /// A path on a host, which is not expanded.
    RemotePath,
    /// Paths between colons.
    PathSpec,
    /// Paths (or inventory sources) between commas.
    PathList,
}

/// One entry of the table.
#[derive(Debug)]
pub struct Setting {
    /// Ansible's name, as `lookup('config', …)` takes it.
    pub name: &'static str,
    /// The field of [`super::Settings`]; empty for a setting without effect.
    pub field: &'static str,
    /// The text that it accepts.
    pub kind: Kind,
    /// The default as it would be written; empty text is null.
    pub default: &'static str,
    /// `section.key` in ansible.cfg; the last that is set wins.
    pub ini: &'static [&'static str],
    /// Environment variables; the last that is set wins.
    pub env: &'static [&'static str],
    /// The possible values, if they are limited.
    pub choices: &'static [&'static str],
    /// A sentence that says what it is, or why it has no effect.
    pub about: &'static str,
}

/// Converts the value of an entry to the type of its field.
pub(super) trait Field: Sized {
    /// Converts a value.
    fn take(value: &Value) -> Self;
}

impl Field for bool {
    fn take(value: &Value) -> Self {
        value.is_true()
    }
}

impl Field for u64 {
    fn take(value: &Value) -> Self {
        value.as_i64().and_then(|n| n.try_into().ok()).unwrap_or(0)
    }
}

impl Field for usize {
    fn take(value: &Value) -> Self {
        value.as_i64().and_then(|n| n.try_into().ok()).unwrap_or(0)
    }
}

impl Field for String {
    fn take(value: &Value) -> Self {
        if value.is_null() { String::new() } else { value.to_text().into_owned() }
    }
}

impl Field for PathBuf {
    fn take(value: &Value) -> Self {
        String::take(value).into()
    }
}

impl<T: Field> Field for Option<T> {
    fn take(value: &Value) -> Self {
        (!value.is_null()).then(|| T::take(value))
    }
}

impl<T: Field> Field for Vec<T> {
    fn take(value: &Value) -> Self {
        value.as_list().unwrap_or_default().iter().map(T::take).collect()
    }
}

/// Makes `Settings` and `SETTINGS`: each entry is a field of the one and a row of the other.
///
/// `#[setting(NAME, Kind, DEFAULT)]` gives Ansible's name, what text is accepted, and the default as it would
/// be written; `ini` the keys in ansible.cfg and `env` the environment variables, of which the last that is
/// set wins; `choices` the possible values, if they are limited.
macro_rules! settings {
    ($(
        $(#[doc = $about:literal])+
        #[setting($name:ident, $kind:ident, $default:literal $(,)?)]
        $(#[ini($($section:ident.$key:ident),* $(,)?)])?
        $(#[env($($env:ident),* $(,)?)])?
        $(#[choices($($choice:literal),* $(,)?)])?
        pub $field:ident: $type:ty,
    )*) => {
        /// The settings of a run, under the names that they have in ansible.cfg.
        #[derive(Clone, Debug)]
        pub struct Settings {
            $($(#[doc = $about])+ pub $field: $type,)*
            /// The ansible.cfg that was read.
            pub config_file: Option<PathBuf>,
            /// The project around the current directory; none under the names of Ansible's programs.
            pub project: Option<super::Project>,
            /// Whether the program was called by its own name, under which its stricter rules apply.
            pub own_rules: bool,
            /// Every setting with its value and where that came from, in the order of [`SETTINGS`].
            pub(super) entries: Vec<super::Entry>,
        }

        /// Every setting that has an effect.
        pub static SETTINGS: &[Setting] = &[$(Setting {
            name: stringify!($name),
            field: stringify!($field),
            kind: Kind::$kind,
            default: $default,
            ini: &[$($(concat!(stringify!($section), ".", stringify!($key))),*)?],
            env: &[$($(stringify!($env)),*)?],
            choices: &[$($($choice),*)?],
            about: concat!($($about),+).trim_ascii(),
        },)*];

        impl Settings {
            pub(super) fn from_entries(entries: Vec<super::Entry>, config_file: Option<PathBuf>) -> Self {
                let mut values = entries.iter().map(|entry| &entry.value);
                let mut next = || values.next().unwrap_or(&playbook_api::Value::Null);
                Settings {
                    $($field: super::table::Field::take(next()),)*
                    config_file,
                    project: None,
                    own_rules: false,
                    entries,
                }
            }

            pub(super) fn take_field(&mut self, field: &str, value: &playbook_api::Value) {
                match field {
                    $(stringify!($field) => self.$field = super::table::Field::take(value),)*
                    _ => {}
                }
            }
        }
    };
}

/// Makes `ACCEPTED`: rows as in [`settings`], each with the reason why it has no effect in place of a field.
macro_rules! accepted {
    ($(
        #[setting($name:ident, $kind:ident, $default:literal $(,)?)]
        $(#[ini($($section:ident.$key:ident),* $(,)?)])?
        $(#[env($($env:ident),* $(,)?)])?
        $(#[choices($($choice:literal),* $(,)?)])?
        $reason:ident,
    )*) => {
        /// The settings without a field in [`super::Settings`].
        pub(super) static ACCEPTED: &[Setting] = &[$(Setting {
            name: stringify!($name),
            field: "",
            kind: Kind::$kind,
            default: $default,
            ini: &[$($(concat!(stringify!($section), ".", stringify!($key))),*)?],
            env: &[$($(stringify!($env)),*)?],
            choices: &[$($($choice),*)?],
            about: $reason,
        },)*];
    };
}

pub(super) use {accepted, settings};
