//! The state of a machine, and what differs between two of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};
use xtask::fleet::Machine;

use crate::scene::Scene;

/// Directories and files that are not a playbook's: kernel file systems, the run's own files, and what a login writes.
const NOT_STATE: &[&str] = &[
    "/dev",
    "/proc",
    "/sys",
    // What package managers write when they are asked: caches, logs, and how their databases are read.
    "/root/.rpmdb/rpmdb.sqlite-shm",
    "/root/.rpmdb/rpmdb.sqlite-wal",
    "/var/cache/apt/pkgcache.bin",
    "/var/cache/apt/srcpkgcache.bin",
    "/var/cache/dnf",
    "/var/lib/dnf/history.sqlite",
    "/var/lib/dnf/history.sqlite-shm",
    "/var/lib/dnf/history.sqlite-wal",
    "/var/log/dnf.librepo.log",
    "/var/log/dnf.log",
    "/var/log/dnf.rpm.log",
    "/var/log/hawkey.log",
    "/root/.ansible/tmp",
    "/root/.ansible_async",
    "/run/lock/.playbook-0",
    "/run/sudo",
    "/run/utmp",
    "/srv/data",
    "/var/log/btmp",
    "/var/log/lastlog",
    "/var/log/wtmp",
];

/// A machine's files, processes, mounts and more; and the project's files.
pub struct State(BTreeMap<String, String>);

impl State {
    /// Describes a machine below these directories. The content of files that were not changed since `start` is left out.
    pub fn of(machine: &Machine, directories: &[&str], scene: &Scene, start: i64, more: &str) -> State {
        let mut all = BTreeMap::new();
        let root = machine.path("");
        for directory in directories {
            walk(&machine.path(directory), &root, start, "", &mut all);
        }
        let project = scene.path("");
        walk(&project, &project, start, "the project's ", &mut all);
        let facts =
            "hostname; cat /proc/mounts; { iptables-save; ip6tables-save; } 2>&1 | sed '/^#/d'; ip address";
        all.insert("the system".into(), machine.shell(facts).expect("facts"));
        // The session of a connection that has just been closed may still be ending.
        let mut processes = machine.processes();
        processes.retain(|process| !process.contains(" sshd: "));
        all.insert("the processes".into(), processes.join("\n"));
        for (number, line) in more.lines().enumerate() {
            all.insert(format!("line {number} of the database's state"), line.to_owned());
        }
        State(all)
    }

    /// Returns what differs after something. Unless `all` is set, a directory's times do not count, which change with a
    /// temporary file in it, and neither do git's own files, which it writes whenever it fetches.
    pub fn differences(&self, what: &str, after: &State, all: bool) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(after.0.keys()).collect();
        let names = names.into_iter().filter(|name| all || !name.contains(".git/"));
        let counts = |state: &State, name: &String| {
            let text = state.0.get(name)?.as_str();
            let is_directory = text.starts_with("directory");
            Some(text.split(" at ").next().filter(|_| !all && is_directory).unwrap_or(text).to_owned())
        };
        let differ = names.filter(|name| counts(self, name) != counts(after, name));
        let told =
            |state: &State, name: &String| state.0.get(name).cloned().unwrap_or_else(|| "nothing".into());
        let lines = differ.map(|name| {
            format!("{what} changed {name}:\n    - {}\n    + {}", told(self, name), told(after, name))
        });
        lines.take(40).collect()
    }
}

fn walk(path: &Path, root: &Path, start: i64, of: &str, all: &mut BTreeMap<String, String>) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    let name = format!("/{}", path.strip_prefix(root).unwrap_or(path).display());
    let own = ["/play.yml", "/stdout", "/stderr", "/.ssh", "/.ready"];
    if NOT_STATE.contains(&name.as_str()) || !of.is_empty() && own.contains(&name.as_str()) {
        return;
    }
    // What the run creates and removes again below changes the times of these directories.
    let passing = ["/", "/root", "/root/.ansible", "/run", "/run/lock", "/tmp", "/var/cache/apt"]
        .contains(&name.as_str());
    all.insert(format!("{of}{name}"), describe(path, &metadata, start, passing));
    if metadata.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            walk(&entry.path(), root, start, of, all);
        }
    }
}

fn describe(path: &Path, metadata: &Metadata, start: i64, passing: bool) -> String {
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => "directory".to_owned(),
        kind if kind.is_symlink() => format!("-> {}", fs::read_link(path).unwrap_or_default().display()),
        kind if kind.is_fifo() => "pipe".to_owned(),
        kind if kind.is_socket() => "socket".to_owned(),
        kind if kind.is_file() => format!("{} bytes", metadata.len()),
        _ => "device".to_owned(),
    };
    let mut text = format!("{kind} {:o} {}:{}", metadata.mode(), metadata.uid(), metadata.gid());
    if metadata.is_file() {
        text.push_str(&format!(" {} links", metadata.nlink()));
    }
    if !passing {
        text.push_str(&format!(" at {}.{:09}", metadata.mtime(), metadata.mtime_nsec()));
        text.push_str(&format!(", {}.{:09}", metadata.ctime(), metadata.ctime_nsec()));
    }
    // The kernel notes each change of what else there is to a file in its ctime.
    if metadata.ctime() + 60 >= start {
        if metadata.is_file() {
            // Reading must not change the access time.
            let mut content = Vec::new();
            let file = File::options().read(true).custom_flags(libc::O_NOATIME).open(path);
            file.and_then(|mut file| file.read_to_end(&mut content)).expect("a file's content");
            text.push_str(&format!(" sha256 {}", hex::encode(Sha256::digest(&content))));
        }
        text.push_str(&attributes(path));
    }
    text
}

/// Returns the names and values of a file's extended attributes, access control lists among them.
fn attributes(path: &Path) -> String {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return String::new() };
    let mut names = vec![0_u8; 4096];
    // SAFETY: the path ends with a zero byte, and the buffer has the length that is given.
    let length = unsafe { libc::llistxattr(path.as_ptr(), names.as_mut_ptr().cast(), names.len()) };
    names.truncate(usize::try_from(length).unwrap_or_default());
    let mut text = String::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let Ok(name) = CString::new(name) else { continue };
        let mut value = vec![0_u8; 4096];
        // SAFETY: both texts end with a zero byte, and the buffer has the length that is given.
        let length =
            unsafe { libc::lgetxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
        value.truncate(usize::try_from(length).unwrap_or_default());
        text.push_str(&format!(" {}={}", name.to_string_lossy(), hex::encode(value)));
    }
    text
}
