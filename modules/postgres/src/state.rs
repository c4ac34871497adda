//! The `state` of the modules that only create and remove: present or absent.

use playbook_api::{Deserialize, JsonSchema};

/// The state of what a module manages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It exists.
    #[default]
    Present,
    /// It does not exist.
    Absent,
}
