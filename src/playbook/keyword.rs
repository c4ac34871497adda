//! The keywords that plays, roles, blocks and tasks have in common.

/// What a keyword's value is once it is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeywordKind {
    /// Yes or no.
    Boolean,
    /// An integer, or text that reads as one.
    Integer,
    /// Text; a list or dictionary is an error when the document is loaded.
    Text,
    /// Something with rules of its own, such as `environment`.
    Other,
}

macro_rules! keywords {
    ($($variant:ident = $name:literal: $kind:ident,)*) => {
        /// A keyword that tasks inherit from what encloses them, and that is rendered when a task runs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Keyword {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Keyword {
            /// All keywords, by name.
            pub const ALL: &[Keyword] = &[$(Keyword::$variant,)*];

            /// Returns the name that documents use.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Keyword::$variant => $name,)*
                }
            }

            /// Returns what the keyword's value is.
            pub const fn kind(self) -> KeywordKind {
                match self {
                    $(Keyword::$variant => KeywordKind::$kind,)*
                }
            }

            /// Returns the keyword of a name.
            pub fn named(name: &str) -> Option<Keyword> {
                match name {
                    $($name => Some(Keyword::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

keywords! {
    AnyErrorsFatal = "any_errors_fatal": Boolean,
    Become = "become": Boolean,
    BecomeExe = "become_exe": Text,
    BecomeFlags = "become_flags": Text,
    BecomeMethod = "become_method": Text,
    BecomeUser = "become_user": Text,
    CheckMode = "check_mode": Boolean,
    Collections = "collections": Other,
    Connection = "connection": Text,
    Debugger = "debugger": Text,
    DelegateFacts = "delegate_facts": Boolean,
    DelegateTo = "delegate_to": Text,
    Diff = "diff": Boolean,
    Environment = "environment": Other,
    IgnoreErrors = "ignore_errors": Boolean,
    IgnoreUnreachable = "ignore_unreachable": Boolean,
    ModuleDefaults = "module_defaults": Other,
    NoLog = "no_log": Boolean,
    Notify = "notify": Other,
    Port = "port": Integer,
    RemoteUser = "remote_user": Text,
    RunOnce = "run_once": Boolean,
    Throttle = "throttle": Integer,
    Timeout = "timeout": Integer,
}

#[cfg(test)]
mod tests {
    use super::Keyword;

    #[test]
    fn names_lead_back_to_their_keywords() {
        for keyword in Keyword::ALL {
            assert_eq!(Keyword::named(keyword.name()), Some(*keyword));
        }
        assert_eq!(Keyword::named("name"), None);
    }
}
