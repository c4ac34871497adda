//! `tempfile`: a new file or directory with a new name.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::Host;
use crate::host::attributes::describe_file;
use crate::host::errno::Doing;
use crate::host::path::HostPath;

#[derive(Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    #[default]
    File,
    Directory,
}

/// Makes a temporary file or directory that only its owner may use. Removing it is the playbook's business.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Tempfile {
    /// Whether to create a file or a directory.
    #[serde(default)]
    state: State,
    /// The directory to create it in; the system's temporary directory if it is missing.
    path: Option<HostPath>,
    /// The start of its name.
    #[serde(default = "ansible")]
    prefix: String,
    /// The end of its name.
    #[serde(default)]
    suffix: String,
}

fn ansible() -> String {
    "ansible.".into()
}

impl HostModule for Tempfile {
    const DOC: Doc = Doc {
        name: "tempfile",
        short: "Creates a temporary file or directory",
        check_mode: "Full: makes nothing and returns a name that it could have had.",
        returns: &[("path", "str", "The new file.")],
        examples: "- tempfile:\n    state: directory\n    suffix: build\n  register: build\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        for (what, part) in [("prefix", &self.prefix), ("suffix", &self.suffix)] {
            if part.contains(['/', '\0']) {
                return Err(Failure::new(format!("{what} must be a valid file name component: {part}")));
            }
        }
        let directory = self.path.as_ref().map_or_else(std::env::temp_dir, |p| p.resolve(context));
        let path = Host::new(context)
            .create_temporary(&directory, &self.prefix, &self.suffix, self.state == State::Directory)
            .doing("could not make a temporary file in", &directory)?;
        Ok(describe_file(Outcome::changed(true).with("path", path.display().to_string()), &path))
    }
}
