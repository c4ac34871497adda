//! The `state` of most modules: present or absent.

use playbook_api::{Deserialize, JsonSchema};

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum State {
    Absent,
    #[default]
    Present,
}
