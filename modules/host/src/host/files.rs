//! Changes to the host's files, which check mode turns off.
#![expect(clippy::disallowed_methods, reason = "files are changed here alone")]

use std::cell::Cell;
use std::fs::{self, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use md5::Md5;
use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use playbook_api::Failure;
use playbook_api::context::Source;
use sha1::{Digest, Sha1};

use crate::host::Host;
use crate::host::errno::Doing;
use crate::host::process::Program;

/// The way in which a file is replaced.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replace<'a> {
    /// The permissions from the beginning, for content that other users must never see.
    pub(crate) mode: Option<u32>,
    /// Whether to write in place if replacing is not possible (a file mounted into a container).
    pub(crate) unsafe_writes: bool,
    /// A command, with `%s` for the file with the new content, that must succeed before the file is replaced.
    pub(crate) validate: Option<&'a str>,
}

impl Host<'_> {
    /// Writes a whole file. A new file next to it replaces it atomically, with the mode, owner and extended attributes
    /// of the old one.
    pub(crate) fn write(&self, path: &Path, content: &[u8], how: &Replace) -> Result<(), Failure> {
        self.replace(path, how, |file| file.write_all(content))
    }

    /// Copies the content of one file of the host to another, without holding it in memory.
    pub(crate) fn copy(&self, from: &Path, to: &Path, how: &Replace) -> Result<(), Failure> {
        self.replace(to, how, |file| io::copy(&mut fs::File::open(from)?, file).map(drop))
    }

    /// Copies a file of the controller to a temporary file.
    pub(crate) fn receive(&self, source: &dyn Source, path: &Path) -> io::Result<()> {
        if self.check() {
            return Ok(());
        }
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
        pour(source, &mut file, false).map(drop)
    }

    /// Copies a file of the controller to its destination, as [`Host::write`] does. Returns its checksums if they are
    /// requested, unless nothing was written.
    pub(crate) fn write_from(
        &self,
        path: &Path,
        source: &dyn Source,
        how: &Replace,
        wanted: bool,
    ) -> Result<Option<Sums>, Failure> {
        let sums = Cell::new(None);
        self.replace(path, how, |file| {
            sums.set(pour(source, file, wanted)?);
            Ok(())
        })?;
        Ok(sums.into_inner())
    }

    fn replace(
        &self,
        path: &Path,
        how: &Replace,
        fill: impl Fn(&mut fs::File) -> io::Result<()>,
    ) -> Result<(), Failure> {
        if self.check() {
            return Ok(());
        }
        let in_place = || {
            fs::File::create(path)
                .and_then(|mut file| fill(&mut file))
                .doing("Could not write data to file", path)
        };
        let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let old = fs::metadata(path).ok();
        let first = if old.is_some() || how.mode.is_some() { 0o600 } else { 0o666 };
        let made = tempfile::Builder::new()
            .prefix(".ansible_tmp")
            .permissions(Permissions::from_mode(first))
            .tempfile_in(dir);
        let mut new = match made {
            Ok(new) => new,
            Err(_) if how.unsafe_writes && how.validate.is_none() => return in_place(),
            Err(e) => {
                return Err(e).doing("The destination directory is not writable by the current user", dir);
            }
        };
        fill(new.as_file_mut()).doing("Could not write data to file", path)?;
        let new = new.into_temp_path();
        crate::host::process::let_go();
        if let Some(command) = how.validate {
            self.validate(command, &new)?;
        }
        if let Some(old) = &old {
            inherit(&new, path, old).doing("could not keep the file's owner and mode", path)?;
        }
        if let Some(mode) = how.mode {
            fs::set_permissions(&new, Permissions::from_mode(mode)).doing("chmod failed", path)?;
        }
        match new.persist(path) {
            Ok(_) => Ok(()),
            Err(_) if how.unsafe_writes => in_place(),
            Err(e) => Err(e.error).doing("Could not replace file", path),
        }
    }

    fn validate(&self, command: &str, file: &Path) -> Result<(), Failure> {
        if !command.contains("%s") {
            return Err(Failure::new(format!("validate must contain %s: {command}")));
        }
        let argv = crate::host::words::split(&command.replace("%s", &file.to_string_lossy()))
            .map_err(|error| error.context("Invalid command syntax"))?;
        let output = self.run(&Program::new(argv))?;
        if output.success() {
            return Ok(());
        }
        let message = format!("failed to validate: rc:{} error:{}", output.rc, output.err());
        Err(Failure::new(message)
            .with("exit_status", output.rc)
            .with("stdout", output.out())
            .with("stderr", output.err()))
    }

    /// Copies a file to a backup whose name has the time: `hosts.1234.2030-01-31@10:00:00~`.
    pub(crate) fn backup(&self, path: &Path) -> Result<Option<String>, Failure> {
        if !path.exists() {
            return Ok(None);
        }
        let now = crate::host::clock::now().strftime("%Y-%m-%d@%H:%M:%S~").to_string();
        let backup = format!("{}.{}.{now}", path.display(), std::process::id());
        if self.check() {
            return Ok(Some(backup));
        }
        let to = Path::new(&backup);
        fs::copy(path, to).doing("Could not make backup of", path)?;
        let old = fs::metadata(path).doing("Could not make backup of", path)?;
        inherit(to, path, &old).doing("Could not make backup of", path)?;
        self.set_times(to, Some(times(&old).0), Some(times(&old).1), true)
            .doing("Could not make backup of", path)?;
        Ok(Some(backup))
    }

    /// Creates one directory, with the mode that the umask allows.
    pub(crate) fn create_directory(&self, path: &Path) -> io::Result<()> {
        if self.check() { Ok(()) } else { fs::create_dir(path) }
    }

    /// Creates an empty file if there is none.
    pub(crate) fn create_empty(&self, path: &Path) -> io::Result<()> {
        if self.check() {
            return Ok(());
        }
        fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o666).open(path).map(drop)
    }

    /// Creates a file or directory with a new name.
    pub(crate) fn create_temporary(
        &self,
        dir: &Path,
        prefix: &str,
        suffix: &str,
        directory: bool,
    ) -> io::Result<PathBuf> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix).suffix(suffix).rand_bytes(8);
        if self.check() {
            return builder
                .make_in(dir, |_| Ok(()))
                .and_then(|t| t.into_temp_path().keep().map_err(|e| e.error));
        }
        if directory {
            builder.permissions(Permissions::from_mode(0o700)).tempdir_in(dir).map(tempfile::TempDir::keep)
        } else {
            builder.tempfile_in(dir)?.into_temp_path().keep().map_err(|e| e.error)
        }
    }

    /// Writes all data of a reader to a temporary file.
    pub(crate) fn fill(&self, path: &Path, reader: &mut dyn io::Read) -> io::Result<()> {
        if self.check() { Ok(()) } else { io::copy(reader, &mut fs::File::create(path)?).map(drop) }
    }

    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        if self.check() {
            return Ok(());
        }
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
        }
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.check() { Ok(()) } else { fs::rename(from, to) }
    }

    /// Creates a symbolic link. It atomically replaces an existing file that is not a directory.
    pub(crate) fn symlink(&self, target: &Path, path: &Path) -> io::Result<()> {
        self.link(path, |at| symlink(target, at))
    }

    /// Creates a hard link to a file.
    pub(crate) fn hard_link(&self, target: &Path, path: &Path) -> io::Result<()> {
        self.link(path, |at| fs::hard_link(target, at))
    }

    fn link(&self, path: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
        if self.check() {
            return Ok(());
        }
        if fs::symlink_metadata(path).is_err() {
            return make(path);
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.ansible_tmp", std::process::id()));
        let beside = path.with_file_name(name);
        make(&beside)?;
        fs::rename(&beside, path).inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
    }

    pub(crate) fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        if self.check() { Ok(()) } else { fs::set_permissions(path, Permissions::from_mode(mode)) }
    }

    pub(crate) fn set_owner(
        &self,
        path: &Path,
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> io::Result<()> {
        match (self.check(), follow) {
            (true, _) => Ok(()),
            (_, true) => chown(path, uid, gid),
            (_, false) => lchown(path, uid, gid),
        }
    }

    /// Sets the access and modification times (seconds and nanoseconds).
    pub(crate) fn set_times(
        &self,
        path: &Path,
        accessed: Option<(i64, i64)>,
        modified: Option<(i64, i64)>,
        follow: bool,
    ) -> io::Result<()> {
        if self.check() {
            return Ok(());
        }
        let spec = |time: Option<(i64, i64)>| time.map_or(TimeSpec::UTIME_OMIT, |(s, n)| TimeSpec::new(s, n));
        let flag = if follow { UtimensatFlags::FollowSymlink } else { UtimensatFlags::NoFollowSymlink };
        utimensat(AT_FDCWD, path, &spec(accessed), &spec(modified), flag).map_err(io::Error::from)
    }

    /// Sets both times to now, which everyone with write permission may do, not only the owner.
    pub(crate) fn touch(&self, path: &Path, follow: bool) -> io::Result<()> {
        if self.check() {
            return Ok(());
        }
        let flag = if follow { UtimensatFlags::FollowSymlink } else { UtimensatFlags::NoFollowSymlink };
        utimensat(AT_FDCWD, path, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW, flag).map_err(io::Error::from)
    }

    pub(crate) fn set_xattr(&self, path: &Path, name: &str, value: &[u8]) -> io::Result<()> {
        if self.check() { Ok(()) } else { xattr::set(path, name, value) }
    }

    /// Sets the flags that `chattr` sets.
    pub(crate) fn set_flags(&self, path: &Path, flags: u32) -> io::Result<()> {
        if self.check() { Ok(()) } else { crate::host::flags::write(path, flags) }
    }

    /// Sets the host name of the running system.
    pub(crate) fn set_hostname(&self, name: &str) -> io::Result<()> {
        if self.check() { Ok(()) } else { nix::unistd::sethostname(name).map_err(io::Error::from) }
    }
}

/// The checksums of a file that was copied from the controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    pub sha1: String,
    pub md5: String,
}

/// Writes a file of the controller. Computes its checksums in the meantime if they are requested, since that takes
/// longer than the writing.
fn pour(source: &dyn Source, file: &mut fs::File, wanted: bool) -> io::Result<Option<Sums>> {
    let mut reader = source.open()?;
    let mut sums = wanted.then(|| (Sha1::new(), Md5::new()));
    loop {
        let piece = match reader.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            break;
        }
        if let Some((sha1, md5)) = &mut sums {
            sha1.update(piece);
            md5.update(piece);
        }
        file.write_all(piece)?;
        let count = piece.len();
        reader.consume(count);
    }
    Ok(sums.map(|(sha1, md5)| Sums { sha1: hex::encode(sha1.finalize()), md5: hex::encode(md5.finalize()) }))
}

/// Returns the access and modification times.
pub(crate) fn times(of: &Metadata) -> ((i64, i64), (i64, i64)) {
    ((of.atime(), of.atime_nsec()), (of.mtime(), of.mtime_nsec()))
}

/// Gives a new file the attributes of the one that it replaces. Only root can always keep the owner.
fn inherit(new: &Path, old_path: &Path, old: &Metadata) -> io::Result<()> {
    let now = fs::metadata(new)?;
    if (now.uid(), now.gid()) != (old.uid(), old.gid()) {
        match chown(new, Some(old.uid()), Some(old.gid())) {
            Err(e) if e.kind() != io::ErrorKind::PermissionDenied => return Err(e),
            _ => {}
        }
    }
    fs::set_permissions(new, Permissions::from_mode(old.mode() & 0o7777))?;
    // Access control lists and labels, if the file system supports them.
    if let Ok(names) = xattr::list(old_path) {
        for name in names {
            if let Ok(Some(value)) = xattr::get(old_path, &name) {
                let _ = xattr::set(new, &name, &value);
            }
        }
    }
    // The kernel's file times are coarse, but a file that is replaced immediately must still be newer.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map(TimeSpec::from);
    let now = now.unwrap_or(TimeSpec::UTIME_NOW);
    let _ = utimensat(AT_FDCWD, new, &now, &now, UtimensatFlags::FollowSymlink);
    Ok(())
}
