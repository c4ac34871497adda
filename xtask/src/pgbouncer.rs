//! PgBouncer: the installed one, or one unpacked from Debian's package.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, cache, children};

/// A PgBouncer program.
pub struct PgBouncer {
    /// The path of the program.
    pub program: PathBuf,
    /// The directory of its libraries; `None` if it is installed.
    pub libraries: Option<PathBuf>,
}

impl PgBouncer {
    /// Finds the installed one, or downloads the package and what it depends on.
    pub fn find() -> Result<PgBouncer> {
        let installed = Path::new("/usr/sbin/pgbouncer");
        if installed.exists() {
            return Ok(PgBouncer { program: installed.into(), libraries: None });
        }
        // PgBouncer runs as a user that cannot access root's home directory.
        let directory = match crate::is_root() {
            true => PathBuf::from("/var/cache/playbook-xtask/pgbouncer"),
            false => cache::directory()?.join("pgbouncer"),
        };
        cache::once(&directory, |directory| {
            let depends =
                children::run("apt-cache depends", Command::new("apt-cache").args(["depends", "pgbouncer"]))?;
            let libraries = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
            let packages = ["pgbouncer"].into_iter().chain(libraries.filter(|name| name.starts_with("lib")));
            let archives = directory.join("archives");
            std::fs::create_dir_all(&archives)
                .map_err(|e| format!("creating {}: {e}", archives.display()))?;
            let mut download = Command::new("apt-get");
            children::run(
                "apt-get download",
                download.arg("download").args(packages).current_dir(&archives),
            )?;
            let entries =
                std::fs::read_dir(&archives).map_err(|e| format!("reading {}: {e}", archives.display()))?;
            for archive in entries.flatten() {
                let mut unpack = Command::new("dpkg-deb");
                children::run("dpkg-deb", unpack.arg("-x").arg(archive.path()).arg(directory.join("root")))?;
            }
            Ok(())
        })?;
        let root = directory.join("root");
        let libraries = root.join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
        Ok(PgBouncer { program: root.join("usr/sbin/pgbouncer"), libraries: Some(libraries) })
    }
}
