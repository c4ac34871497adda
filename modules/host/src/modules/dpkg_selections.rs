//! `dpkg_selections`: dpkg's selection states of packages, such as `hold`.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::Host;
use crate::host::process::Program;

/// Holds packages, and sets dpkg's other selections.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DpkgSelections {
    /// The name of the package.
    name: String,
    /// The state that dpkg is to bring the package to.
    #[schemars(extend("enum" = ["install", "hold", "deinstall", "purge"]))]
    selection: String,
}

impl HostModule for DpkgSelections {
    const DOC: Doc = Doc {
        name: "dpkg_selections",
        short: "Holds packages",
        returns: &[
            ("before", "str", "The selection before."),
            ("after", "str", "The selection that was asked for."),
        ],
        examples: "- dpkg_selections:\n    name: python3\n    selection: hold\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let query = Program::new(["dpkg", "--get-selections", &self.name]).env("LC_ALL", "C");
        let output = host.query(&query)?;
        if output.err().contains("no packages found matching") {
            return Err(Failure::new(format!(
                "Failed to find package '{}' to perform selection '{}'.",
                self.name, self.selection
            )));
        }
        let said = output.out();
        let before = said.split_whitespace().nth(1).unwrap_or("not present").to_owned();
        let changed = before != self.selection;
        if changed {
            let line = format!("{} {}\n", self.name, self.selection).into_bytes();
            host.run_ok(&Program::new(["dpkg", "--set-selections"]).stdin(Some(line)))?;
        }
        Ok(Outcome::changed(changed).with("before", before).with("after", self.selection))
    }
}
