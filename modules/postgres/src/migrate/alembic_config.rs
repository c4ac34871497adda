//! Finds the revisions of an Alembic project through alembic.ini, pyproject.toml, or the default directories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use playbook_api::Error;

/// The locations of a project's revisions.
#[derive(Debug, PartialEq)]
pub(super) struct Locations {
    /// The directories of revisions.
    pub(super) directories: Vec<PathBuf>,
    /// Whether their subdirectories hold revisions as well.
    pub(super) recursive: bool,
    /// The directory of env.py, if it is known.
    pub(super) scripts: Option<PathBuf>,
}

/// What can be known from the files.
#[derive(Debug, PartialEq)]
pub(super) enum Known<T> {
    Sure(T),
    /// Only the tool can tell. Holds the reason.
    Unsure(String),
}

/// The settings of a project.
#[derive(Debug, Default)]
struct Settings {
    values: BTreeMap<String, String>,
    /// `version_locations` as a list, in pyproject.toml.
    listed: Option<Vec<String>>,
}

/// Finds the directories of revisions of a project.
pub(super) fn locate(path: &Path) -> Result<Known<Locations>, Error> {
    let settings = Settings::read(path)?;
    let get = |name: &str| settings.values.get(name).map(String::as_str).filter(|value| !value.is_empty());
    if get("sourceless").is_some_and(is_true) {
        return Ok(Known::Unsure("sourceless is set: revisions may be compiled files".into()));
    }
    let recursive = get("recursive_version_locations").is_some_and(is_true);
    let packages = Packages { root: path, settings: get("prepend_sys_path").unwrap_or(".") };
    let scripts = match get("script_location") {
        Some(location) => match packages.resolve(location) {
            Some(directory) => Some(directory),
            None => {
                return Ok(Known::Unsure(format!(
                    "script_location '{location}' is not a directory of the project"
                )));
            }
        },
        None => None,
    };
    let listed = match (get("version_locations"), &settings.listed) {
        (Some(text), _) => Some(split(text, get("path_separator").or(get("version_path_separator")))),
        (None, Some(list)) => Some(list.clone()),
        (None, None) => None,
    };
    if let Some(listed) = listed {
        let mut directories = Vec::new();
        for location in listed {
            match packages.resolve(&location) {
                Some(directory) => directories.push(directory),
                None => {
                    return Ok(Known::Unsure(format!(
                        "version_locations names '{location}', which is not a directory of the project"
                    )));
                }
            }
        }
        return Ok(Known::Sure(Locations { directories, recursive, scripts }));
    }
    let named = scripts.iter().map(|directory| directory.join("versions"));
    let usual = ["versions", "alembic/versions", "migrations/versions"].map(|directory| path.join(directory));
    if let Some(found) = named.chain(usual).find(|directory| directory.is_dir()) {
        let scripts = scripts.or_else(|| found.parent().map(Path::to_owned));
        return Ok(Known::Sure(Locations { directories: vec![found], recursive, scripts }));
    }
    if path.file_name().is_some_and(|name| name == "versions") {
        let scripts = path.parent().map(Path::to_owned);
        return Ok(Known::Sure(Locations { directories: vec![path.to_owned()], recursive, scripts }));
    }
    Err(Error::new(format!("{} has no directory of Alembic revisions", path.display())).with_help(
        "Set path to the directory of alembic.ini or the one that holds versions/, or set detect: tool, \
        which runs Alembic.",
    ))
}

impl Settings {
    fn read(path: &Path) -> Result<Settings, Error> {
        let mut settings = Settings::default();
        for file in ["alembic.ini", "migrations/alembic.ini"] {
            if let Some(text) = text_of(&path.join(file))? {
                settings.values = ini(&text);
                break;
            }
        }
        if let Some(text) = text_of(&path.join("pyproject.toml"))? {
            let file = path.join("pyproject.toml");
            let table: toml::Table = text
                .parse()
                .map_err(|e: toml::de::Error| Error::new(format!("{}: {}", file.display(), e.message())))?;
            let own = table.get("tool").and_then(|tool| tool.get("alembic")).and_then(toml::Value::as_table);
            for (name, value) in own.into_iter().flatten() {
                settings.take(name, value);
            }
        }
        Ok(settings)
    }

    /// Adds the settings of pyproject.toml that alembic.ini lacks.
    fn take(&mut self, name: &str, value: &toml::Value) {
        let texts =
            |items: &[toml::Value]| items.iter().filter_map(|i| i.as_str().map(here)).collect::<Vec<_>>();
        match value {
            toml::Value::Array(items) if name == "version_locations" => self.listed = Some(texts(items)),
            toml::Value::Array(items) => {
                self.values.entry(name.to_owned()).or_insert_with(|| texts(items).join(" "));
            }
            toml::Value::String(text) => {
                self.values.entry(name.to_owned()).or_insert_with(|| here(text));
            }
            toml::Value::Boolean(value) => {
                self.values.entry(name.to_owned()).or_insert_with(|| value.to_string());
            }
            _ => {}
        }
    }
}

fn text_of(file: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::new(format!("cannot read {}: {e}", file.display()))),
    }
}

fn is_true(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "1")
}

/// Replaces `%(here)s` in a setting with the project's directory, in which its commands also run.
fn here(text: &str) -> String {
    text.replace("%(here)s", ".").replace("%%", "%")
}

/// Reads the section `[alembic]` of an INI file as Python's configparser does.
fn ini(text: &str) -> BTreeMap<String, String> {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut inside = false;
    let mut last: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with(char::is_whitespace)
            && let Some(value) = last.as_ref().and_then(|name| values.get_mut(name))
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            inside = section.0 == "alembic";
            last = None;
            continue;
        }
        last = None;
        if inside && let Some(at) = trimmed.find(['=', ':']) {
            let name = trimmed[..at].trim().to_ascii_lowercase();
            values.insert(name.clone(), trimmed[at + 1..].trim().to_owned());
            last = Some(name);
        }
    }
    values.into_iter().map(|(name, value)| (name, here(value.trim()))).collect()
}

/// Splits a list of directories by the configured separator; the default is Alembic's, spaces and commas.
fn split(text: &str, separator: Option<&str>) -> Vec<String> {
    let separators: &[char] = match separator {
        Some("os" | ":") => &[':', '\n'],
        Some(";") => &[';', '\n'],
        Some("newline") => &['\n'],
        Some("space") => &[' ', '\n'],
        _ => &[' ', ',', '\n'],
    };
    text.split(separators).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The directories in which Python finds the packages of a project.
struct Packages<'a> {
    root: &'a Path,
    /// `prepend_sys_path`
    settings: &'a str,
}

impl Packages<'_> {
    /// Returns the directory of a location: a path, or a path inside a package (`app.db:migrations`).
    fn resolve(&self, location: &str) -> Option<PathBuf> {
        let plain = self.root.join(location);
        if plain.is_dir() {
            return Some(plain);
        }
        let (package, inside) = location.split_once(':')?;
        let package = package.replace('.', "/");
        let own = self.settings.split([' ', ',', ':', ';', '\n']).map(str::trim).filter(|p| !p.is_empty());
        own.chain([".", "src"])
            .map(|base| self.root.join(base).join(&package).join(inside))
            .find(|directory| directory.is_dir())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn located(files: &[(&str, &str)]) -> Result<String, String> {
        let dir = TempDir::new().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        match locate(dir.path()).unwrap() {
            Known::Sure(found) => {
                let inside = |d: &PathBuf| d.strip_prefix(dir.path()).unwrap().display().to_string();
                let all: Vec<String> = found.directories.iter().map(inside).collect();
                Ok(format!("{}{}", all.join(","), if found.recursive { " recursive" } else { "" }))
            }
            Known::Unsure(why) => Err(why),
        }
    }

    #[test]
    fn every_way_to_say_where_the_revisions_are() {
        for (settings, at, found) in [
            ("[alembic]\nscript_location = mig\n", "mig/versions/a.py", "mig/versions"),
            (
                "[alembic]\nscript_location = %(here)s/mig\nrecursive_version_locations = true\n",
                "mig/versions/2026/a.py",
                "./mig/versions recursive",
            ),
            (
                "[other]\nscript_location = no\n[alembic]\nscript_location: mig # x\n",
                "mig # x/versions/a.py",
                "mig # x/versions",
            ),
            (
                "[alembic]\nscript_location = app.db:mig\n",
                "app/db/mig/versions/a.py",
                "./app/db/mig/versions",
            ),
            ("[alembic]\nscript_location = app:mig\n", "src/app/mig/versions/a.py", "src/app/mig/versions"),
            (
                "[alembic]\npath_separator = newline\nversion_locations =\n    one two\n    three\n",
                "one two/a.py",
                "one two,three",
            ),
            ("[alembic]\nversion_locations = one, three\n", "one/a.py", "one,three"),
            ("[alembic]\npath_separator = os\nversion_locations = one:three\n", "one/a.py", "one,three"),
        ] {
            let found_now = located(&[("alembic.ini", settings), (at, ""), ("three/b.py", "")]).unwrap();
            assert_eq!(found_now.replace("./", ""), found.replace("./", ""), "{settings}");
        }
        let toml = "[tool.alembic]\nscript_location = \"%(here)s/mig\"\n\
            version_locations = [\"%(here)s/a\", \"b\"]\nrecursive_version_locations = true\n";
        let found =
            located(&[("pyproject.toml", toml), ("mig/env.py", ""), ("a/x.py", ""), ("b/x.py", "")]).unwrap();
        assert_eq!(found.replace("./", ""), "a,b recursive");
        let found = located(&[
            ("pyproject.toml", toml),
            ("alembic.ini", "[alembic]\nversion_locations = c\n"),
            ("mig/env.py", ""),
            ("c/x.py", ""),
        ]);
        assert_eq!(found.unwrap(), "c recursive");
        assert_eq!(located(&[("versions/a.py", "")]).unwrap(), "versions");
    }

    #[test]
    fn what_only_the_tool_can_tell() {
        let unsure = |ini: &str| located(&[("alembic.ini", ini), ("alembic/versions/a.py", "")]).unwrap_err();
        assert_eq!(
            unsure("[alembic]\nscript_location = installed:mig\n"),
            "script_location 'installed:mig' is not a directory of the project"
        );
        assert!(
            unsure("[alembic]\nversion_locations = %(elsewhere)s/x\n").contains("version_locations names")
        );
        assert!(unsure("[alembic]\nsourceless = true\n").contains("sourceless"));
    }
}
