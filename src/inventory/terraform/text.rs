//! Reads the text of a state file.

use std::path::Path;

use playbook_api::{Error, ErrorKind};

use super::Source;
use crate::document::read;
use crate::paths::cannot_read;
use crate::vault::is_envelope;

/// Reads a file, which may be UTF-16, since that is what PowerShell redirects output in.
pub(super) fn text_of_file(source: &Source, path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|cause| {
        let error = cannot_read(path, cause);
        let help = "Run `terraform apply` first, or name a directory, a state file or s3://bucket/key.";
        if error.kind() == ErrorKind::NotFound { error.with_help(help) } else { error }
    })?;
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect()
    };
    let wide = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        _ if is_envelope(&bytes) => return read(path, source.loading.keyring),
        // `read` says where the text stops being UTF-8.
        _ => return String::from_utf8(bytes).or_else(|_| read(path, source.loading.keyring)),
    };
    String::from_utf16(&wide).map_err(|_| Error::new(format!("'{}' is not valid UTF-16", path.display())))
}
