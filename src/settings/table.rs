//! What a setting is, and how the table of all of them becomes a struct.

use std::path::PathBuf;

use playbook_api::Value;

/// What text a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Text,
    /// Items between commas.
    List,
    /// A path: `~`, variables and `{{CWD}}` are replaced, and a relative one starts at the file that names it.
    Path,
    /// A path on a host, left as it is.
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
    /// The field of [`super::Settings`].
    pub field: &'static str,
    pub kind: Kind,
    /// The default as it would be written; nothing is null.
    pub default: &'static str,
    /// `section.key` in ansible.cfg; the last that is set wins.
    pub ini: &'static [&'static str],
    /// Environment variables; the last that is set wins.
    pub env: &'static [&'static str],
    pub choices: &'static [&'static str],
    /// One sentence.
    pub about: &'static str,
}

/// How a field takes its value out of the table's.
pub trait Field: Sized {
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

/// Each line is a field of `Settings` and an entry of `SETTINGS`.
macro_rules! settings {
    ($(
        #[doc = $about:literal]
        $field:ident: $type:ty = $name:ident $kind:ident $default:literal
        [$($section:ident.$key:ident)*] [$($env:ident)*] $([$($choice:literal)*])?;
    )*) => {
        /// The settings of a run, under the names they have in ansible.cfg.
        #[derive(Clone, Debug)]
        pub struct Settings {
            $(#[doc = $about] pub $field: $type,)*
            /// The ansible.cfg that was read.
            pub config_file: Option<PathBuf>,
            /// The project around, unless this is to be exactly Ansible.
            pub project: Option<super::Project>,
            /// Every setting with its value and where that came from, in the order of [`SETTINGS`].
            pub(super) entries: Vec<super::Entry>,
        }

        /// Every setting there is.
        pub static SETTINGS: &[Setting] = &[$(Setting {
            name: stringify!($name),
            field: stringify!($field),
            kind: Kind::$kind,
            default: $default,
            ini: &[$(concat!(stringify!($section), ".", stringify!($key))),*],
            env: &[$(stringify!($env)),*],
            choices: &[$($($choice),*)?],
            about: $about.trim_ascii(),
        },)*];

        impl Settings {
            pub(super) fn from_entries(entries: Vec<super::Entry>, config_file: Option<PathBuf>) -> Self {
                let mut values = entries.iter().map(|entry| &entry.value);
                let mut next = || values.next().unwrap_or(&playbook_api::Value::Null);
                Settings {
                    $($field: super::table::Field::take(next()),)*
                    config_file,
                    project: None,
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

pub(super) use settings;
