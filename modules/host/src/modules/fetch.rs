//! `fetch`, the part that runs on the host: sends a file to the controller, unless it already has it.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::checksum::Algorithm;
use crate::host::errno::{Doing, describe};
use crate::host::path::HostPath;
use crate::host::read;

/// Sends a file of the host to the controller.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Fetch {
    /// The file to fetch.
    src: HostPath,
    /// The SHA-1 checksum of the file that the controller has already.
    #[serde(rename = "_checksum")]
    checksum: Option<String>,
}

impl HostModule for Fetch {
    const DOC: Doc = Doc {
        name: "fetch",
        short: "Sends a file of the host",
        check_mode: "Full: it only reads.",
        returns: &[("checksum", "str", "SHA-1 of the content, where it was not sent.")],
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let path = self.src.resolve(context);
        let shown = path.display().to_string();
        let mut file = read::open(&path).map_err(|e| {
            use std::io::ErrorKind;
            Failure::new(match e.kind() {
                ErrorKind::NotFound => format!("File not found: {shown}"),
                ErrorKind::PermissionDenied => format!("File is not readable: {shown}"),
                _ => format!("Unable to fetch {shown}: {}", describe(&e)),
            })
        })?;
        if path.is_dir() {
            return Err(Failure::new(format!("Source is a directory and must be a file: {shown}")));
        }
        if self.checksum.is_some() && self.checksum == Algorithm::Sha1.of_file(&path).ok() {
            return Ok(Outcome::changed(false).with("checksum", self.checksum));
        }
        let Some(sink) = &context.sink else {
            return Err(Failure::new("fetch was called without a receiver"));
        };
        sink.take(&mut file).doing("could not send", &path)?;
        Ok(Outcome::changed(true))
    }
}
