//! Finds the package directories of a Python from files, since starting it takes longer than a whole listing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::paths::home;
use crate::settings::variable;

/// The oldest ansible-core whose modules and plugins can be run.
const OLDEST: (u64, u64) = (2, 19);

/// The directories in which a Python looks for packages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Site {
    paths: Vec<PathBuf>,
}

impl Site {
    /// Returns the directories of an interpreter.
    pub(super) fn of(executable: &Path) -> Site {
        let given = variable("PYTHONPATH").unwrap_or_default();
        let mut paths: Vec<PathBuf> = std::env::split_paths(&given).filter(|path| path.is_dir()).collect();
        paths.extend(packages(executable, 0));
        let more: Vec<PathBuf> = paths.iter().flat_map(|path| path_files(path)).collect();
        paths.extend(more);
        Site { paths }
    }

    /// Returns the directories that hold collections.
    pub(super) fn collections(&self) -> Vec<PathBuf> {
        let roots = self.paths.iter().map(|path| path.join("ansible_collections"));
        roots.filter(|root| root.is_dir()).collect()
    }

    /// Returns the directory of ansible-core, if it is there and not too old.
    pub(super) fn core(&self) -> Option<PathBuf> {
        let core = self.paths.iter().map(|path| path.join("ansible")).find(|core| is_core(core))?;
        let text = std::fs::read_to_string(core.join("release.py")).ok()?;
        (version(&text)? >= OLDEST).then_some(core)
    }
}

fn is_core(directory: &Path) -> bool {
    directory.join("release.py").is_file()
}

/// The major and minor version that `release.py` names.
fn version(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().find_map(|line| line.strip_prefix("__version__"))?;
    let mut parts = line.trim_start_matches([' ', '=', '\'', '"']).split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The directories with packages of an interpreter.
fn packages(executable: &Path, depth: usize) -> Vec<PathBuf> {
    let Some(beside) = executable.parent() else { return Vec::new() };
    let prefixes = [beside, beside.parent().unwrap_or(beside)];
    let environment = prefixes
        .iter()
        .find_map(|prefix| Some((*prefix, std::fs::read_to_string(prefix.join("pyvenv.cfg")).ok()?)));
    if let Some((prefix, configuration)) = environment {
        let mut paths = below(prefix, "site-packages");
        let value = |name: &str| {
            let lines = configuration.lines().filter_map(|line| line.split_once('='));
            lines.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name)
        };
        let shares = value("include-system-site-packages").is_some_and(|(_, value)| value == "true");
        if let Some((_, home)) = value("home").filter(|_| shares && depth < 4) {
            let name = executable.file_name().unwrap_or(OsStr::new("python3"));
            paths.extend(packages(&Path::new(home).join(name), depth + 1));
        }
        return paths;
    }
    let Ok(real) = std::fs::canonicalize(executable) else { return Vec::new() };
    let is_script = std::fs::File::open(&real).is_ok_and(|mut file| {
        let mut start = [0; 2];
        std::io::Read::read_exact(&mut file, &mut start).is_ok() && &start == b"#!"
    });
    if is_script {
        return asked(executable);
    }
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(prefix) = real.parent().and_then(Path::parent) else { return Vec::new() };
    let mut paths = Vec::new();
    if variable("PYTHONNOUSERSITE").is_none_or(|value| value.is_empty())
        && let Some(home) = home("", variable("HOME").as_deref())
    {
        paths.push(home.join(".local/lib").join(&name).join("site-packages"));
    }
    let roots =
        if prefix == Path::new("/usr") { vec![Path::new("/usr/local"), prefix] } else { vec![prefix] };
    for root in roots {
        for library in ["lib", "lib64"] {
            paths.push(root.join(library).join(&name).join("site-packages"));
            paths.push(root.join(library).join(&name).join("dist-packages"));
            paths.push(root.join(library).join("python3/dist-packages"));
        }
    }
    paths.retain(|path| path.is_dir());
    paths
}

/// The directories of a name in an environment's `lib/python3.X`.
fn below(prefix: &Path, name: &str) -> Vec<PathBuf> {
    let entries = |library: &str| std::fs::read_dir(prefix.join(library)).into_iter().flatten().flatten();
    let found = ["lib", "lib64"].into_iter().flat_map(entries).map(|entry| entry.path().join(name));
    let mut found: Vec<PathBuf> = found.filter(|path| path.is_dir()).collect();
    found.sort();
    found.dedup_by(|a, b| std::fs::canonicalize(a).ok() == std::fs::canonicalize(b).ok());
    found
}

/// The directories that `.pth` files add.
fn path_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path()).filter(|path| path.extension() == Some(OsStr::new("pth")));
    let texts = files.filter_map(|path| std::fs::read_to_string(path).ok());
    let lines = texts.flat_map(|text| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>());
    let named =
        lines.filter(|line| !line.is_empty() && !line.starts_with("import ") && !line.starts_with('#'));
    named.map(|line| directory.join(line)).filter(|path| path.is_dir()).collect()
}

/// Asks an interpreter that is a script which starts another one.
fn asked(executable: &Path) -> Vec<PathBuf> {
    let mut command = Command::new(executable);
    command
        .args(["-c", "import sys; print('\\n'.join(sys.path))"])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let Ok(output) = command.output() else { return Vec::new() };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(PathBuf::from).filter(|path| path.is_absolute() && path.is_dir()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn an_environment_has_its_packages_below_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        put(root, "base/bin/python3", "\u{7f}ELF");
        put(root, "base/lib/python3/site-packages/ansible_collections/a/b/x", "");
        put(root, "venv/bin/python3", "\u{7f}ELF");
        let home = root.join("base/bin");
        put(
            root,
            "venv/pyvenv.cfg",
            &format!("home = {}\ninclude-system-site-packages = false\n", home.display()),
        );
        put(root, "venv/lib/python3.12/site-packages/ansible/release.py", "__version__ = '2.19.14'\n");
        put(root, "venv/lib/python3.12/site-packages/more.pth", "import x\n../../../../else\n");
        put(root, "else/ansible_collections/c/d/x", "");
        let site = Site::of(&root.join("venv/bin/python3"));
        let packages = root.join("venv/lib/python3.12/site-packages");
        assert_eq!(site.core(), Some(packages.join("ansible")));
        assert_eq!(site.collections(), [packages.join("../../../../else/ansible_collections")]);
        let shared = format!("home = {}\ninclude-system-site-packages = true\n", home.display());
        put(root, "venv/pyvenv.cfg", &shared);
        let base = root.join("base/lib/python3/site-packages/ansible_collections");
        assert!(
            Site::of(&root.join("venv/bin/python3"))
                .collections()
                .contains(&std::fs::canonicalize(base).unwrap())
        );
    }

    #[test]
    fn old_versions_are_not_taken() {
        assert_eq!(version("# x\n__version__ = '2.21.5'\n"), Some((2, 21)));
        assert_eq!(version("__version__ = \"2.9.27\"\n"), Some((2, 9)));
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "ansible/release.py", "__version__ = '2.18.1'\n");
        assert_eq!(Site { paths: vec![root.path().to_owned()] }.core(), None);
    }
}
