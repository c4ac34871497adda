//! Reads files, but not devices and pipes, which may block or never end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// The device number of `/dev/null`: major 1, minor 3.
const NULL: u64 = 0x103;

/// Opens a file to read it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let metadata = std::fs::metadata(path)?;
    let what = match metadata.file_type() {
        // Playbooks use /dev/null as an empty file.
        kind if kind.is_char_device() && metadata.rdev() == NULL => return File::open(path),
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => return File::open(path),
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file")))
}

/// Reads a whole file.
pub(crate) fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Reads a whole file as text.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    let mut content = String::new();
    open(path)?.read_to_string(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_and_pipes_are_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(bytes(&pipe).unwrap_err().to_string(), "it is a named pipe, not a file");
        assert_eq!(text(Path::new("/dev/zero")).unwrap_err().to_string(), "it is a device, not a file");
        assert!(bytes(Path::new("/dev/null")).unwrap().is_empty());
        assert!(!bytes(Path::new("/proc/self/status")).unwrap().is_empty());
    }
}
