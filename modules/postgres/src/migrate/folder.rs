//! The migrations of a folder.

use std::path::{Path, PathBuf};

use playbook_api::Error;
use sha2::{Digest, Sha256};

use super::version::Version;
use crate::statement::{self, Statement};

/// One migration: what leads up to a version, and what leads back down, if anything.
#[derive(Clone, Debug)]
pub struct Migration {
    pub version: Version,
    /// The words of the file name: `add users`.
    pub name: String,
    pub up: Script,
    pub down: Option<Script>,
}

/// A file of SQL.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file's name without its folder.
    pub file: String,
    pub path: PathBuf,
    pub sql: String,
    /// SHA-256 of the text; line ends and a byte order mark do not count.
    pub checksum: String,
    /// Runs in one transaction, unless it begins with `-- playbook: no-transaction`.
    pub transaction: bool,
}

impl Script {
    pub fn new(file: &str, path: &Path, sql: &str) -> Result<Script, Error> {
        let sql = sql.strip_prefix('\u{feff}').unwrap_or(sql).replace("\r\n", "\n");
        let mut script = Script {
            file: file.to_owned(),
            path: path.to_owned(),
            checksum: hex::encode(Sha256::digest(&sql)),
            sql,
            transaction: true,
        };
        for (i, line) in script.sql.lines().enumerate() {
            let comment = line.trim_start().strip_prefix("--").map(str::trim_start);
            let Some(directive) = comment.and_then(|c| c.strip_prefix("playbook:")) else { continue };
            match directive.trim() {
                "no-transaction" => script.transaction = false,
                other => {
                    return Err(script
                        .error(i + 1, &format!("unknown directive '{other}'"))
                        .with_help("there is one: `-- playbook: no-transaction`"));
                }
            }
        }
        script.check()?;
        Ok(script)
    }

    /// The statements, in order. They were cut once when the script was read, so this cannot fail then.
    pub fn statements(&self) -> Result<Vec<Statement<'_>>, Error> {
        statement::split(&self.sql).map_err(|e| e.context(self.path.display().to_string()))
    }

    /// Finds what cannot work before anything is run.
    fn check(&self) -> Result<(), Error> {
        for statement in self.statements()? {
            if statement.text.starts_with('\\') {
                let command = statement.text.split_whitespace().next().unwrap_or("\\");
                return Err(self
                    .error(statement.line, &format!("{command} is a command of psql, not SQL"))
                    .with_help(
                        "take it out; a dump made with `pg_dump --inserts` has no COPY blocks either",
                    ));
            }
            let words = statement.words(2);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if words.first() == Some(&"COPY") && copies_from_stdin(statement.text) {
                return Err(self
                    .error(statement.line, "COPY … FROM STDIN has no input in a migration")
                    .with_help("write the rows as INSERT, as `pg_dump --inserts` does"));
            }
            let controls = match words.as_slice() {
                ["BEGIN" | "COMMIT" | "END" | "ABORT", ..] | ["START", "TRANSACTION"] => true,
                ["ROLLBACK", next] => *next != "TO",
                ["ROLLBACK"] => true,
                _ => false,
            };
            if self.transaction && controls {
                let word = words.join(" ");
                return Err(self
                    .error(
                        statement.line,
                        &format!("{word} in a migration that runs in a transaction already"),
                    )
                    .with_help("take it out, or begin the file with `-- playbook: no-transaction`"));
            }
        }
        Ok(())
    }

    fn error(&self, line: usize, message: &str) -> Error {
        Error::new(format!("{}:{line}: {message}", self.path.display()))
    }
}

fn copies_from_stdin(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|pair| pair == ["FROM", "STDIN"])
}

/// What a file name says: `V1_2__add_users.sql` and `001_add_users.up.sql`.
#[derive(Debug, PartialEq)]
enum Named {
    Up(String, String),
    Down(String, String),
}

fn parse_name(file: &str) -> Option<Named> {
    let stem = file.strip_suffix(".sql")?;
    let (stem, up) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
        (Some(stem), _) => (stem, true),
        (_, Some(stem)) => (stem, false),
        _ => (stem, true),
    };
    let flyway = stem.strip_prefix(['V', 'v']).map(|rest| (rest, up));
    let flyway = flyway.or_else(|| stem.strip_prefix('U').map(|rest| (rest, false)));
    let (version, name, up) = match flyway {
        Some((rest, up)) => {
            let (version, name) = rest.split_once("__")?;
            (version, name, up)
        }
        None => {
            let end = stem.find(|c: char| !c.is_ascii_digit()).unwrap_or(stem.len());
            let (version, rest) = stem.split_at(end);
            let name = if rest.is_empty() { rest } else { rest.strip_prefix(['_', '-', '.'])? };
            (version, name, up)
        }
    };
    let (version, name) = (version.to_owned(), name.trim_start_matches('_').replace(['_', '-'], " "));
    if version.is_empty() {
        return None;
    }
    Some(if up { Named::Up(version, name) } else { Named::Down(version, name) })
}

/// All migrations of a folder in their order. Files that do not end in `.sql` are left alone.
pub fn read(folder: &Path) -> Result<Vec<Migration>, Error> {
    let shown = folder.display();
    let entries = std::fs::read_dir(folder).map_err(|e| {
        Error::io(&e, format!("cannot read the migrations folder {shown}"))
            .with_help("path is relative to the folder playbook was started in; {{ playbook_dir }} helps")
    })?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::io(&e, format!("cannot read {shown}")))?.path();
        let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if file.ends_with(".sql") && !file.starts_with('.') {
            files.push((file, path));
        }
    }
    files.sort();
    let mut migrations: Vec<Migration> = Vec::new();
    let mut downs: Vec<(Version, Script)> = Vec::new();
    for (file, path) in files {
        let named = parse_name(&file);
        let (version, name, up) = match named {
            Some(Named::Up(version, name)) => (version, name, true),
            Some(Named::Down(version, name)) => (version, name, false),
            None => (String::new(), String::new(), true),
        };
        let Some(version) = Version::parse(&version) else {
            return Err(Error::new(format!("{}: the file name has no version", path.display())).with_help(
                "name it 001_name.sql, V1__name.sql or 001_name.up.sql, or move it out of the folder",
            ));
        };
        let text = std::fs::read(&path)
            .map_err(|e| Error::io(&e, format!("cannot read {}", path.display())))
            .and_then(|bytes| {
                String::from_utf8(bytes)
                    .map_err(|_| Error::new(format!("cannot read {}: it is not UTF-8", path.display())))
            })?;
        let script = Script::new(&file, &path, &text)?;
        let taken = match up {
            true => migrations.iter().find(|m| m.version == version).map(|m| m.up.file.clone()),
            false => downs.iter().find(|(v, _)| *v == version).map(|(_, s)| s.file.clone()),
        };
        if let Some(other) = taken {
            return Err(Error::new(format!("{shown}: {other} and {file} have the same version {version}"))
                .with_help("give one of them another number"));
        }
        match up {
            true => migrations.push(Migration { version, name, up: script, down: None }),
            false => downs.push((version, script)),
        }
    }
    for (version, script) in downs {
        match migrations.iter_mut().find(|m| m.version == version) {
            Some(migration) => migration.down = Some(script),
            None => {
                return Err(Error::new(format!(
                    "{}: there is no migration up to {version}",
                    script.path.display()
                ))
                .with_help("a .down.sql belongs to a migration of the same version"));
            }
        }
    }
    migrations.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(migrations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_three_forms() {
        let up = |v: &str, n: &str| Some(Named::Up(v.into(), n.into()));
        assert_eq!(parse_name("001_add_users.sql"), up("001", "add users"));
        assert_eq!(parse_name("V1_2__add_users.sql"), up("1_2", "add users"));
        assert_eq!(parse_name("001_x.up.sql"), up("001", "x"));
        assert_eq!(parse_name("001_x.down.sql"), Some(Named::Down("001".into(), "x".into())));
        assert_eq!(parse_name("U2__x.sql"), Some(Named::Down("2".into(), "x".into())));
        assert_eq!(parse_name("seed.sql"), None);
        assert_eq!(parse_name("1x.sql"), None);
    }

    #[test]
    fn scripts_are_checked_before_they_run() {
        let script = |sql: &str| Script::new("1.sql", Path::new("m/1.sql"), sql);
        let message = |sql: &str| script(sql).unwrap_err().to_string();
        assert!(message("SELECT 1;\nCOMMIT;").starts_with("m/1.sql:2: COMMIT in a migration"));
        assert!(message("\\i other.sql").contains("\\i is a command of psql"));
        assert!(message("COPY t (a) FROM stdin;\n1\n").contains("COPY"));
        assert!(message("-- playbook: no-transactoin").contains("unknown directive"));
        assert!(message("SELECT 1;\nSELECT 'x").contains("m/1.sql: line 2: this string is never closed"));
        assert!(!script("-- playbook: no-transaction\nBEGIN; COMMIT;").unwrap().transaction);
        assert_eq!(script("a\r\nb").unwrap().checksum, script("\u{feff}a\nb").unwrap().checksum);
    }
}
