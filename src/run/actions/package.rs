//! `package`: which manager, as variables say it.

use playbook_api::{Doc, Failure, JsonSchema, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::template::{Renderer, Scope};

/// Installs and removes packages with the host's own manager.
#[derive(Deserialize, JsonSchema)]
pub struct Package {
    /// Packages.
    #[schemars(extend("aliases" = ["pkg"]))]
    #[serde(rename = "name")]
    _name: Option<Vec<String>>,
    /// `present`, `absent` or `latest`.
    #[serde(rename = "state")]
    _state: Option<String>,
    /// The manager: its module's name. Otherwise the variable `ansible_package_use` names it, or it is found out.
    #[serde(rename = "use", default = "auto")]
    manager: String,
}

fn auto() -> String {
    "auto".into()
}

impl Action for Package {
    const DOC: Doc = Doc {
        name: "package",
        short: "Manage packages, whatever the manager",
        check_mode: "Full: says what would be installed and removed.",
        returns: &[("stdout", "str", "what the manager said")],
        examples: "- package:\n    name: ntpdate\n    state: present\n",
        ..BUILTIN
    };
    const FREE: bool = true;
    const ASYNC: bool = true;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if self.manager == "auto"
            && let Some(named) = call.scope.get("ansible_package_use").transpose()?
        {
            call.args.values.insert("use".into(), Renderer::finalize(named)?);
        }
        call.module()
    }
}
