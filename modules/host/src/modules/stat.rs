//! `stat`: the attributes of a file.

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use nix::unistd::{AccessFlags, access};
use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value, map};

use crate::host::Host;
use crate::host::attributes::{group_name, user_name};
use crate::host::checksum::Algorithm;
use crate::host::errno::Doing;
use crate::host::flags;
use crate::host::path::HostPath;
use crate::host::process::{Program, which};

/// Returns the attributes of a file: its type, owner, mode, times, checksum and so on.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Stat {
    /// The path of the file.
    #[schemars(extend("aliases" = ["dest", "name"]))]
    path: HostPath,
    /// Whether to follow a symbolic link.
    #[serde(default)]
    follow: bool,
    /// Whether to return a checksum of a regular file.
    #[serde(default = "playbook_api::defaults::yes")]
    get_checksum: bool,
    /// The algorithm of the checksum.
    #[schemars(extend("aliases" = ["checksum", "checksum_algo"]))]
    #[serde(default)]
    checksum_algorithm: Algorithm,
    /// Whether to return the MIME type and encoding, by the program `file`.
    #[schemars(extend("aliases" = ["mime", "mime_type", "mime-type"]))]
    #[serde(default = "playbook_api::defaults::yes")]
    get_mime: bool,
    /// Whether to return the flags that `lsattr` shows.
    #[schemars(extend("aliases" = ["attr", "attributes"]))]
    #[serde(default = "playbook_api::defaults::yes")]
    get_attributes: bool,
    /// Whether to return the SELinux context.
    #[serde(default)]
    get_selinux_context: bool,
}

impl HostModule for Stat {
    const DOC: Doc = Doc {
        name: "stat",
        short: "Says what a file is",
        check_mode: "Full: it only reads.",
        returns: &[(
            "stat",
            "dict",
            "`exists`, and where it does, everything else that is known of the file.",
        )],
        examples: "- stat:\n    path: /etc/foo.conf\n  register: st\n- fail:\n    msg: owner has changed\n  when: st.stat.pw_name != 'root'\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let path = self.path.resolve(context);
        let found = if self.follow { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
        let found = match found {
            Ok(found) => found,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Outcome::default().with("stat", map! { "exists" => false }));
            }
            Err(e) => return Err(e).doing("could not stat", &path),
        };
        let mut stat = facts(&path, &found);
        stat.insert("exists".into(), true.into());
        add_access(&mut stat, &path);
        if found.is_symlink() {
            let target = fs::read_link(&path).doing("could not read the link", &path)?;
            let source = fs::canonicalize(&path).unwrap_or_else(|_| path.with_file_name(&target));
            stat.insert("lnk_source".into(), source.display().to_string().into());
            stat.insert("lnk_target".into(), target.display().to_string().into());
        }
        if self.get_checksum && found.is_file() && access(&path, AccessFlags::R_OK).is_ok() {
            let sum = self.checksum_algorithm.of_file(&path).doing("could not read", &path)?;
            stat.insert("checksum".into(), sum.into());
        }
        if self.get_mime {
            let (kind, charset) = mime(&path, context);
            stat.insert("mimetype".into(), kind.into());
            stat.insert("charset".into(), charset.into());
        }
        if self.get_attributes {
            let found = if found.is_symlink() { None } else { flags::read(&path) };
            let (letters, names) = flags::describe(found.map_or(0, |(flags, _)| flags));
            stat.insert("attr_flags".into(), letters.into());
            stat.insert("attributes".into(), names.into());
            stat.insert("version".into(), found.map(|(_, version)| version.to_string()).into());
        }
        if self.get_selinux_context {
            stat.insert("selinux_context".into(), crate::host::attributes::context(&path).into());
        }
        Ok(Outcome::default().with("stat", stat))
    }
}

/// Returns the attributes of the inode, by the names in the results of `stat` and `find`.
pub(crate) fn facts(path: &Path, stat: &Metadata) -> Map {
    let (mode, kind) = (stat.mode(), stat.file_type());
    let bit = |bit: u32| mode & bit != 0;
    let time = |seconds: i64, nanoseconds: i64| seconds as f64 + nanoseconds as f64 * 1e-9;
    let mut facts = map! {
        "path" => path.display().to_string(),
        "mode" => format!("{:04o}", mode & 0o7777),
        "isdir" => kind.is_dir(),
        "ischr" => kind.is_char_device(),
        "isblk" => kind.is_block_device(),
        "isreg" => kind.is_file(),
        "isfifo" => kind.is_fifo(),
        "islnk" => kind.is_symlink(),
        "issock" => kind.is_socket(),
        "uid" => stat.uid(),
        "gid" => stat.gid(),
        "size" => stat.size(),
        "inode" => stat.ino(),
        "dev" => stat.dev(),
        "nlink" => stat.nlink(),
        "atime" => time(stat.atime(), stat.atime_nsec()),
        "mtime" => time(stat.mtime(), stat.mtime_nsec()),
        "ctime" => time(stat.ctime(), stat.ctime_nsec()),
        "wusr" => bit(0o200), "rusr" => bit(0o400), "xusr" => bit(0o100),
        "wgrp" => bit(0o020), "rgrp" => bit(0o040), "xgrp" => bit(0o010),
        "woth" => bit(0o002), "roth" => bit(0o004), "xoth" => bit(0o001),
        "isuid" => bit(0o4000), "isgid" => bit(0o2000),
        "block_size" => stat.blksize(),
        "blocks" => stat.blocks(),
        "device_type" => stat.rdev(),
    };
    if let Some(name) = user_name(stat.uid()) {
        facts.insert("pw_name".into(), name.into());
    }
    if let Some(name) = group_name(stat.gid()) {
        facts.insert("gr_name".into(), name.into());
    }
    facts
}

fn add_access(stat: &mut Map, path: &Path) {
    for (name, flag) in
        [("readable", AccessFlags::R_OK), ("writeable", AccessFlags::W_OK), ("executable", AccessFlags::X_OK)]
    {
        stat.insert(name.into(), Value::Bool(access(path, flag).is_ok()));
    }
}

/// Returns the type of the content according to the program `file`.
fn mime(path: &Path, context: &Context) -> (String, String) {
    let unknown = || ("unknown".to_owned(), "unknown".to_owned());
    let Some(program) = which("file", context) else { return unknown() };
    let path = path.to_string_lossy();
    let program =
        Program::new([&*program.to_string_lossy(), "-b", "--mime-type", "--mime-encoding", "--", &path]);
    let Ok(output) = Host::new(context).try_query(&program) else { return unknown() };
    let said = output.out();
    match said.trim().split_once("; charset=") {
        Some((kind, charset)) if output.success() => (kind.to_owned(), charset.to_owned()),
        _ => unknown(),
    }
}
