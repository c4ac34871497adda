//! The migrations of a directory.

use std::path::{Path, PathBuf};

use playbook_api::Error;
use walkdir::WalkDir;

use super::name::{self, Named};
use super::script::Script;
use super::version::Version;

/// One migration: the script that migrates up to a version, and the one that undoes it, if there is one.
#[derive(Clone, Debug)]
pub(super) struct Migration {
    pub(super) version: Version,
    /// The words of the file name: `add users`.
    pub(super) name: String,
    pub(super) up: Script,
    pub(super) down: Option<Script>,
}

/// What was found in a directory.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The migrations in the order of their versions.
    pub(super) migrations: Vec<Migration>,
    /// Warnings about files that were ignored but may have been meant as migrations.
    pub(super) warnings: Vec<String>,
}

/// How to read a directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Whether subdirectories hold migrations as well.
    pub(super) recursive: bool,
    /// The server's `standard_conforming_strings`.
    pub(super) conforming_strings: bool,
}

/// The extensions of other languages in which migrations are written.
const OTHER_LANGUAGES: [&str; 14] =
    ["cjs", "cs", "exs", "go", "groovy", "java", "js", "kt", "mjs", "php", "py", "rb", "rs", "ts"];

/// Reads all migrations of a directory.
pub(super) fn read(directory: &Path, reading: Reading) -> Result<Found, Error> {
    let mut found = Found::default();
    let files = files(directory, &mut found)?;
    let is_sql = |file: &str| name::without_extension(file, "sql").is_some();
    let (own, below): (Vec<_>, Vec<_>) = files.iter().partition(|f| reading.recursive || f.depth == 1);
    let scripts: Vec<&File> = own.into_iter().filter(|f| is_sql(&f.name)).collect();
    tell_of_subdirectories(
        directory,
        &scripts,
        &below.into_iter().filter(|f| is_sql(&f.name)).collect::<Vec<_>>(),
        &mut found,
    )?;
    let pairs = name::pairs(scripts.iter().filter_map(|f| name::without_extension(f.base(), "sql")));
    let mut downs: Vec<(Version, Script)> = Vec::new();
    for file in &scripts {
        let stem = name::without_extension(file.base(), "sql").unwrap_or(&file.name);
        let shown = file.path.display();
        let (version, words, up) = match name::parse(stem, &pairs) {
            Named::Up(version, words) => (version, words, true),
            Named::Down(version, words) => (version, words, false),
            Named::Flyway(what) => {
                return Err(Error::new(format!("{shown} is {what}, which db_migrate does not run"))
                    .with_help(
                        "Turn it into a migration with a version, or move the file out of the directory.",
                    ));
            }
            Named::Unversioned => {
                return Err(Error::new(format!("{shown}: the file name has no version")).with_help(
                    "Name it 001_name.sql, V1__name.sql or 001_name.up.sql, or move it out of the directory.",
                ));
            }
        };
        let mut scripts =
            Script::read(&file.name, &file.path, &text(&file.path)?, !up, reading.conforming_strings)?;
        if !executed_in_transaction(&file.path)? {
            scripts.main.transaction = false;
        }
        let same = match up {
            true => found.migrations.iter().find(|m| m.version == version).map(|m| m.up.file.clone()),
            false => downs.iter().find(|(v, _)| *v == version).map(|(_, s)| s.file.clone()),
        };
        if let Some(other) = same {
            let shown = directory.display();
            return Err(Error::new(format!(
                "{shown}: {other} and {} have the same version {version}",
                file.name
            ))
            .with_help("Give one of them another number."));
        }
        match (up, scripts.down) {
            (true, down) => found.migrations.push(Migration { version, name: words, up: scripts.main, down }),
            (false, None) => downs.push((version, scripts.main)),
            // Its marker says the same as its name.
            (false, Some(down)) if scripts.main.statements()?.is_empty() => downs.push((version, down)),
            (false, Some(_)) => {
                return Err(Error::new(format!(
                    "{shown}: the name says that the file undoes a migration, but it has up and down markers"
                ))
                .with_help(
                    "Remove the markers, or keep both directions in one file without .down in its name.",
                ));
            }
        }
    }
    for (version, script) in downs {
        let shown = script.path.display().to_string();
        match found.migrations.iter_mut().find(|m| m.version == version) {
            Some(Migration { down: Some(_), up, .. }) => {
                return Err(Error::new(format!("{shown}: {} already has a down section", up.file))
                    .with_help("Keep one of the two."));
            }
            Some(migration) => migration.down = Some(script),
            None => {
                return Err(Error::new(format!(
                    "{shown}: there is no migration {version} that it could undo"
                ))
                .with_help("A .down.sql belongs to a migration of the same version."));
            }
        }
    }
    found.migrations.sort_by(|a, b| a.version.cmp(&b.version));
    refuse_other_languages(&files, reading, &found)?;
    if found.migrations.is_empty() {
        found.warnings.push(format!(
            "there are no migrations in {}: files are named 001_name.sql, V1__name.sql or 001_name.up.sql",
            directory.display()
        ));
    }
    Ok(found)
}

/// A file below the directory.
struct File {
    /// Its path inside the directory.
    name: String,
    path: PathBuf,
    depth: usize,
}

impl File {
    /// Returns its name without its directories.
    fn base(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

fn files(directory: &Path, found: &mut Found) -> Result<Vec<File>, Error> {
    let is_hidden =
        |name: Option<&std::ffi::OsStr>| name.is_some_and(|n| n.to_string_lossy().starts_with('.'));
    let hidden = |entry: &walkdir::DirEntry| entry.depth() > 0 && is_hidden(Some(entry.file_name()));
    let walk = WalkDir::new(directory).follow_links(true).max_depth(8).sort_by_file_name();
    let mut files = Vec::new();
    for entry in walk.into_iter().filter_entry(|entry| !hidden(entry)) {
        let entry = match entry {
            Err(e) if e.depth() > 0 && points_to_nothing(&e) => {
                // An editor marks a file that it has open with such a link.
                if let Some(path) = e.path().filter(|path| !is_hidden(path.file_name())) {
                    let path = path.display();
                    found
                        .warnings
                        .push(format!("{path} is a link to a file that does not exist, and is left out"));
                }
                continue;
            }
            entry => entry.map_err(|e| Error::new(format!("cannot read {}: {e}", directory.display())))?,
        };
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(directory).unwrap_or(entry.path());
            files.push(File {
                name: name.to_string_lossy().into_owned(),
                path: entry.path().to_owned(),
                depth: entry.depth(),
            });
        }
    }
    Ok(files)
}

/// Whether an entry could not be read because it is a symbolic link whose target does not exist.
fn points_to_nothing(error: &walkdir::Error) -> bool {
    let is_missing = error.io_error().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound);
    is_missing && error.path().is_some_and(Path::is_symlink)
}

/// Warns about migrations in subdirectories that are not searched, or fails if there are no others.
fn tell_of_subdirectories(
    directory: &Path,
    own: &[&File],
    below: &[&File],
    found: &mut Found,
) -> Result<(), Error> {
    if below.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> = below.iter().take(3).map(|f| f.name.clone()).collect();
    if below.len() > names.len() {
        names.push(format!("{} more", below.len() - names.len()));
    }
    let shown = directory.display();
    if own.is_empty() {
        return Err(Error::new(format!(
            "{shown} has no migrations, but its subdirectories have: {}",
            names.join(", ")
        ))
        .with_help("Give the directory that holds them as path, or set recursive: true."));
    }
    found.warnings.push(format!(
        "subdirectories of {shown} are not searched, but contain {}: set recursive: true if they are migrations",
        names.join(", ")
    ));
    Ok(())
}

/// Fails if a migration is written in another language, since it would be missing between the others.
fn refuse_other_languages(files: &[File], reading: Reading, found: &Found) -> Result<(), Error> {
    for file in files.iter().filter(|f| reading.recursive || f.depth == 1) {
        let Some(stem) =
            OTHER_LANGUAGES.iter().find_map(|extension| name::without_extension(file.base(), extension))
        else {
            continue;
        };
        if let Named::Up(version, _) = name::parse(stem, &Default::default())
            && !found.migrations.iter().any(|m| m.version == version)
        {
            return Err(Error::new(format!(
                "{} is not SQL, and db_migrate runs only SQL",
                file.path.display()
            ))
            .with_help(
                "Write it in SQL, run its tool with the module command, or move it out of the directory.",
            ));
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, Error> {
    let bytes =
        std::fs::read(path).map_err(|e| Error::new(format!("cannot read {}: {e}", path.display())))?;
    String::from_utf8(bytes)
        .map_err(|_| Error::new(format!("cannot read {}: it is not UTF-8", path.display())))
}

/// Reads Flyway's settings for one script from the file next to it: `V1__x.sql.conf`.
fn executed_in_transaction(script: &Path) -> Result<bool, Error> {
    let path = PathBuf::from(format!("{}.conf", script.display()));
    if !path.is_file() {
        return Ok(true);
    }
    let mut in_transaction = true;
    for (i, line) in text(&path)?.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
            Some(("executeInTransaction", value)) => in_transaction = !value.eq_ignore_ascii_case("false"),
            _ => {
                return Err(Error::new(format!(
                    "{}:{}: the setting '{line}' is not supported",
                    path.display(),
                    i + 1
                ))
                .with_help("Remove it; only executeInTransaction is supported."));
            }
        }
    }
    Ok(in_transaction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn directory(files: &[(&str, &str)]) -> TempDir {
        let dir = TempDir::new().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    fn read_all(files: &[(&str, &str)], recursive: bool) -> Result<Found, String> {
        let dir = directory(files);
        let reading = Reading { recursive, conforming_strings: true };
        let root = format!("{}", dir.path().display());
        read(dir.path(), reading).map_err(|e| e.to_string().replace(&root, "m"))
    }

    #[test]
    fn nothing_is_passed_over_in_silence() {
        let found = read_all(&[], false).unwrap();
        assert!(found.warnings[0].starts_with("there are no migrations in "), "{:?}", found.warnings);
        let error = read_all(&[("2024/V1__a.sql", "SELECT 1")], false).unwrap_err();
        assert_eq!(error, "m has no migrations, but its subdirectories have: 2024/V1__a.sql");
        let found = read_all(&[("V1__a.sql", "SELECT 1"), ("old/V0__a.sql", "SELECT 1")], false).unwrap();
        assert!(
            found.warnings[0].contains("not searched, but contain old/V0__a.sql"),
            "{:?}",
            found.warnings
        );
        let nested = [("a/V2__a.sql", "SELECT 1"), ("b/c/V1__b.sql", "SELECT 1"), ("V3__c.SQL", "SELECT 1")];
        let found = read_all(&nested, true).unwrap();
        let versions: Vec<String> = found.migrations.iter().map(|m| m.version.to_string()).collect();
        assert_eq!(versions, ["1", "2", "3"]);
        for (file, what) in [
            (
                "R__view.sql",
                "m/R__view.sql is a repeatable migration for Flyway, which db_migrate does not run",
            ),
            (
                "B3__all.sql",
                "m/B3__all.sql is a baseline migration for Flyway, which db_migrate does not run",
            ),
            (
                "afterMigrate.sql",
                "m/afterMigrate.sql is a callback for Flyway, which db_migrate does not run",
            ),
            ("seed.sql", "m/seed.sql: the file name has no version"),
            ("002_more.go", "m/002_more.go is not SQL, and db_migrate runs only SQL"),
            ("V2__More.java", "m/V2__More.java is not SQL, and db_migrate runs only SQL"),
        ] {
            assert_eq!(read_all(&[("001_a.sql", "SELECT 1"), (file, "x")], false).unwrap_err(), what);
        }
        // A tool's own file beside its SQL, a seed of the application's.
        read_all(
            &[("001_a.sql", "SELECT 1"), ("001_a.js", "x"), ("seed.py", "x"), ("README.md", "x")],
            false,
        )
        .unwrap();
    }

    #[test]
    fn links_to_nothing_are_left_out() {
        let folder = directory(&[("V1__a.sql", "SELECT 1"), ("sub/V2__b.sql", "SELECT 1")]);
        for name in [".#V1__a.sql", "sub/V3__c.sql", "sub/old"] {
            std::os::unix::fs::symlink("nowhere", folder.path().join(name)).unwrap();
        }
        let found = read(folder.path(), Reading { recursive: true, conforming_strings: true }).unwrap();
        let root = folder.path().display();
        let told = ["V3__c.sql", "old"].map(|name| {
            format!("{root}/sub/{name} is a link to a file that does not exist, and is left out")
        });
        assert_eq!((found.migrations.len(), found.warnings), (2, told.to_vec()));
    }

    #[test]
    fn ways_come_together() {
        let found = read_all(
            &[
                ("1-a-up.sql", "SELECT 1"),
                ("1-a-down.sql", "SELECT 2"),
                ("002.do.b.sql", "SELECT 1"),
                ("002.undo.b.sql", "SELECT 2"),
                ("003_c.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;"),
                ("V4__d.sql", "SELECT 1; SELECT 2"),
                ("V4__d.sql.conf", "executeInTransaction=false\n"),
            ],
            false,
        )
        .unwrap();
        let seen: Vec<(bool, bool)> =
            found.migrations.iter().map(|m| (m.down.is_some(), m.up.transaction)).collect();
        assert_eq!(seen, [(true, true), (true, true), (true, true), (false, false)]);
        // A way back by its name may say so in a comment as well.
        let found = read_all(
            &[
                ("1_a.up.sql", "SELECT 1"),
                ("1_a.down.sql", "-- Rollback script\nSELECT 2;"),
                ("2_b.up.sql", "-- Up Migration\nSELECT 1"),
                ("2_b.down.sql", "-- Down Migration\nSELECT 2; SELECT 3;"),
            ],
            false,
        )
        .unwrap();
        let downs: Vec<usize> =
            found.migrations.iter().map(|m| m.down.as_ref().unwrap().statements().unwrap().len()).collect();
        assert_eq!(downs, [1, 2]);
        let both = [
            ("1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;"),
            ("1_a.down.sql", "SELECT 3"),
        ];
        assert_eq!(read_all(&both, false).unwrap_err(), "m/1_a.down.sql: 1_a.sql already has a down section");
        let error =
            read_all(&[("V1__a.sql", "SELECT 1"), ("V1__a.sql.conf", "encoding=x\n")], false).unwrap_err();
        assert_eq!(error, "m/V1__a.sql.conf:1: the setting 'encoding=x' is not supported");
    }
}
