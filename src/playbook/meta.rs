//! What a `meta` task does.

use super::Task;

macro_rules! metas {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a `meta` task does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Meta {
            $($(#[$doc])* $variant,)*
        }

        impl Meta {
            /// All of them, by name.
            pub const ALL: &[Meta] = &[$(Meta::$variant,)*];

            /// Returns the name that documents use.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Meta::$variant => $name,)*
                }
            }
        }
    };
}

metas! {
    /// Forgets the facts of the play's hosts.
    ClearFacts = "clear_facts",
    /// Brings failed and unreachable hosts back into the play.
    ClearHostErrors = "clear_host_errors",
    /// Ends the batch for all of its hosts.
    EndBatch = "end_batch",
    /// Ends the play for one host.
    EndHost = "end_host",
    /// Ends the play for all hosts.
    EndPlay = "end_play",
    /// Skips the rest of the role.
    EndRole = "end_role",
    /// Runs the handlers that were notified so far.
    FlushHandlers = "flush_handlers",
    /// Does nothing.
    Noop = "noop",
    /// Reads the inventory again.
    RefreshInventory = "refresh_inventory",
    /// Ends the host's connection, so that the next task makes a new one.
    ResetConnection = "reset_connection",
    /// Marks the end of a role: the host has been through it. The engine puts it there.
    RoleComplete = "role_complete",
}

impl Meta {
    /// Returns what a `meta` task does, or the name that it gives if there is nothing of that name.
    pub fn of(task: &Task) -> Result<Meta, String> {
        let name = task.action.args.get("_raw_params").map(|node| node.raw().to_text().trim().to_owned());
        let name = name.unwrap_or_default();
        Meta::ALL.iter().find(|meta| meta.name() == name).copied().ok_or(name)
    }

    /// Whether `when` has no effect on it.
    pub fn is_unconditional(self) -> bool {
        matches!(self, Meta::Noop | Meta::RefreshInventory | Meta::ResetConnection)
    }

    /// Whether it counts for all hosts of a batch when it runs for one of them.
    pub fn is_for_all(self) -> bool {
        matches!(
            self,
            Meta::ClearFacts
                | Meta::ClearHostErrors
                | Meta::RefreshInventory
                | Meta::EndPlay
                | Meta::EndBatch
        )
    }
}
