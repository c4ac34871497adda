//! `slurp`: returns a file's content.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, defaults};

use crate::host::errno::describe;
use crate::host::path::HostPath;
use crate::host::read;

/// Reads a file of the host and returns its content in base64.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Slurp {
    /// The file to read.
    #[schemars(extend("aliases" = ["path"]))]
    src: HostPath,
    /// Whether the content is encoded in base64. Without it, the file has to be text in UTF-8.
    #[serde(default = "defaults::yes")]
    armor: bool,
}

impl HostModule for Slurp {
    const DOC: Doc = Doc {
        name: "slurp",
        short: "Reads a file of the host",
        check_mode: "Full: it only reads.",
        returns: &[
            ("content", "str", "The content, encoded."),
            ("encoding", "str", "`base64`, or `utf-8` without `armor`."),
            ("source", "str", "The file."),
        ],
        examples: "- slurp:\n    src: /proc/mounts\n  register: mounts\n- debug:\n    msg: \"{{ mounts.content | b64decode }}\"\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let path = self.src.resolve(context);
        let shown = path.display().to_string();
        let content = read::bytes(&path).map_err(|e| {
            use std::io::ErrorKind;
            Failure::new(match e.kind() {
                ErrorKind::NotFound => format!("File not found: {shown}"),
                ErrorKind::PermissionDenied => format!("File is not readable: {shown}"),
                ErrorKind::IsADirectory => format!("Source is a directory and must be a file: {shown}"),
                _ => format!("Unable to slurp file {shown}: {}", describe(&e)),
            })
        })?;
        let (content, encoding) = if self.armor {
            (BASE64_STANDARD.encode(content), "base64")
        } else {
            let text = String::from_utf8(content).map_err(|_| {
                Failure::new(format!("the file {shown} is not text in UTF-8"))
                    .with_help("Leave out `armor: false` to get its content in base64.")
            })?;
            (text, "utf-8")
        };
        Ok(Outcome::default().with("content", content).with("source", shown).with("encoding", encoding))
    }
}
