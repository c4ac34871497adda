//! The flags of a file that `lsattr` shows and `chattr` sets (immutable, append only, …).

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// The letter, the bit, and the name in the result of `stat`.
const FLAGS: &[(char, u32, &str)] = &[
    ('s', 0x0000_0001, "secure-deletion"),
    ('u', 0x0000_0002, "undelete"),
    ('S', 0x0000_0008, "synchronous-updates"),
    ('D', 0x0001_0000, "synchronous-directory-updates"),
    ('i', 0x0000_0010, "immutable"),
    ('a', 0x0000_0020, "append-only"),
    ('d', 0x0000_0040, "nodump"),
    ('A', 0x0000_0080, "noatime"),
    ('c', 0x0000_0004, "compressed"),
    ('j', 0x0000_4000, "journalled-data"),
    ('I', 0x0000_1000, "indexed"),
    ('t', 0x0000_8000, "notailmerging"),
    ('T', 0x0002_0000, "blocktype"),
    ('e', 0x0008_0000, "extents"),
    ('C', 0x0080_0000, "nocow"),
    ('N', 0x1000_0000, "inline_data"),
    ('P', 0x2000_0000, "project_hierarchy"),
    ('F', 0x4000_0000, "casefold"),
];

/// The flags that the kernel sets, and users cannot.
const KERNELS: u32 = 0x0008_0000 | 0x0000_1000 | 0x1000_0000;

/// Returns the flags and the version of a file, if its file system supports them.
pub(crate) fn read(path: &Path) -> Option<(u32, u32)> {
    let file = open(path)?;
    let (mut flags, mut version): (libc::c_long, libc::c_long) = (0, 0);
    // SAFETY: both requests write one integer, at most a long, into the place given; the file is open.
    let found = unsafe { libc::ioctl(file.as_raw_fd(), libc::FS_IOC_GETFLAGS, &raw mut flags) };
    if found != 0 {
        return None;
    }
    // SAFETY: as above.
    unsafe { libc::ioctl(file.as_raw_fd(), libc::FS_IOC_GETVERSION, &raw mut version) };
    Some((flags as u32, version as u32))
}

/// Only [`crate::host::Host`] calls this.
pub(crate) fn write(path: &Path, flags: u32) -> io::Result<()> {
    let file = File::open(path)?;
    let flags = libc::c_long::from(flags);
    // SAFETY: the request reads one integer, at most a long, from the place given; the file is open.
    match unsafe { libc::ioctl(file.as_raw_fd(), libc::FS_IOC_SETFLAGS, &raw const flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Devices and pipes are not opened, since that can have side effects.
fn open(path: &Path) -> Option<File> {
    let kind = std::fs::metadata(path).ok()?.file_type();
    if kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device() {
        return None;
    }
    File::open(path).ok()
}

/// `ie`, and `["immutable", "extents"]`.
pub(crate) fn describe(flags: u32) -> (String, Vec<&'static str>) {
    let set = FLAGS.iter().filter(|(_, bit, _)| flags & bit != 0);
    set.map(|(letter, _, name)| (*letter, *name)).unzip()
}

/// Applies `+i`, `-i`, `=ai` or `ai`. Returns an unknown letter as the error.
pub(crate) fn change(flags: u32, request: &str) -> Result<u32, char> {
    let (operator, letters) = match request.chars().next() {
        Some(c @ ('+' | '-' | '=')) => (c, &request[1..]),
        _ => ('=', request),
    };
    let mut bits = 0;
    for letter in letters.chars() {
        bits |= FLAGS.iter().find(|(l, _, _)| *l == letter).ok_or(letter)?.1;
    }
    Ok(match operator {
        '+' => flags | bits,
        '-' => flags & !bits,
        _ => bits | (flags & KERNELS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_change_the_flags() {
        assert_eq!(change(0x80000, "+i"), Ok(0x80010));
        assert_eq!(change(0x80010, "-i"), Ok(0x80000));
        assert_eq!(change(0x80010, "=a"), Ok(0x80020));
        assert_eq!(change(0, "+?"), Err('?'));
        assert_eq!(describe(0x80010), ("ie".to_owned(), vec!["immutable", "extents"]));
    }
}
