//! `package`: calls the module with the package manager that a variable names.

use playbook_api::{Doc, Failure, JsonSchema, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::template::{Renderer, Scope};

/// Installs and removes packages with the package manager of the host.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Package {
    /// The names of the packages.
    #[schemars(extend("aliases" = ["pkg"]))]
    #[serde(rename = "name")]
    _name: Option<Vec<String>>,
    /// The state of the packages: The state of the packages: `present`, `absent` or `latest`.
    #[serde(rename = "state")]
    _state: Option<String>,
    /// The module of the package manager. By default the variable `ansible_package_use` names it, or it is detected.
    #[serde(rename = "use", default = "auto")]
    manager: String,
}

fn auto() -> String {
    "auto".into()
}

impl Action for Package {
    const DOC: Doc = Doc {
        name: "package",
        short: "Manages packages with any package manager",
        check_mode: "Full: reports what would be installed and removed.",
        returns: &[("stdout", "str", "the output of the package manager")],
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
