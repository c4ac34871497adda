//! The SQL scripts in a migration file: the whole file, or its up and down sections.

use std::path::{Path, PathBuf};

use playbook_api::Error;
use sha2::{Digest, Sha256};

use super::marker::{self, Dialect, Marker, Way};
use crate::sql::effect;
use crate::sql::psql;
use crate::sql::statement::{self, Piece, Statement};

/// The statements of a file that are run: all of them, or those of one direction.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The file's name inside the directory of the migrations.
    pub(super) file: String,
    pub(super) path: PathBuf,
    pub(super) sql: String,
    /// The SHA-256 checksum of the lines that reach the database: without directives on how the file is run, and without
    /// `\restrict` of psql, whose key differs in each dump. A byte order mark and the kind of line ends do not count.
    pub(super) checksum: String,
    /// The SHA-256 checksum of the whole file, which older histories contain.
    pub(super) whole: String,
    /// Whether it runs in one transaction, together with its row in the history.
    pub(super) transaction: bool,
    /// The direction of the sections that are run.
    way: Way,
    conforming: bool,
    /// Whether the file's own BEGIN and COMMIT around all statements are skipped in favor of the surrounding
    /// transaction.
    own_transaction: bool,
}

/// The scripts that were read from one file.
#[derive(Debug)]
pub(super) struct Scripts {
    /// The script for the direction in the file's name, or the up sections.
    pub(super) main: Script,
    /// The down sections of the file.
    pub(super) down: Option<Script>,
}

impl Script {
    /// Reads a file. `leads_back` says that it undoes a migration by its name, and `conforming` is the server's
    /// `standard_conforming_strings`.
    pub(super) fn read(
        file: &str,
        path: &Path,
        sql: &str,
        leads_back: bool,
        conforming: bool,
    ) -> Result<Scripts, Error> {
        let sql = sql.strip_prefix('\u{feff}').unwrap_or(sql).replace("\r\n", "\n");
        let mut main = Script {
            file: file.to_owned(),
            path: path.to_owned(),
            checksum: String::new(),
            whole: hex::encode(Sha256::digest(&sql)),
            sql,
            transaction: true,
            way: Way::Up,
            conforming,
            own_transaction: false,
        };
        let pieces = main.pieces()?;
        let (up, down, no_transaction) = main.sections(&pieces, leads_back)?;
        main.checksum = main.checksum_of_lines(&pieces);
        let finish = |way, transaction: Option<bool>| -> Result<Script, Error> {
            let mut script = main.clone();
            script.way = way;
            script.transaction = transaction.unwrap_or(!no_transaction);
            script.settle_transaction()?;
            Ok(script)
        };
        let down = down.map(|transaction| finish(Way::Down, transaction)).transpose()?;
        Ok(Scripts { main: finish(Way::Up, up)?, down })
    }

    /// Checks the file's markers. Returns what they say about the transaction of the up sections and of the down
    /// sections, if there are any, and whether the whole file runs without one.
    #[expect(clippy::type_complexity, reason = "the only caller destructures it at once")]
    fn sections(
        &self,
        pieces: &[Piece<'_>],
        leads_back: bool,
    ) -> Result<(Option<bool>, Option<Option<bool>>, bool), Error> {
        let (mut up, mut down, mut no_transaction) = (None, None, false);
        let mut first_statement: Option<usize> = None;
        let mut seen_section = false;
        let mut suspect: Option<(usize, &str, String, String)> = None;
        let dialect = Dialect::of(&self.sql);
        for piece in pieces.iter().copied() {
            match piece {
                Piece::Statement(statement) => {
                    if let Some((line, text, why, help)) = suspect.take() {
                        return Err(self.error(line, &format!("{why} (`{text}`)")).with_help(help));
                    }
                    first_statement.get_or_insert(statement.line);
                    if effect::copies_to_client(statement.text) {
                        return Err(self
                            .error(statement.line, "COPY … TO stdout is not supported")
                            .with_help(
                                "Remove it, or write to a file on the server with COPY … TO 'file'.",
                            ));
                    }
                }
                Piece::Command { text, .. } if psql::is_harmless(text) => {}
                Piece::Command { text, line } => {
                    let message = format!("{} is a command of psql, not SQL", psql::name(text));
                    return Err(self.error(line, &message).with_help(psql::advice(text)));
                }
                Piece::Marker { text, line } => match dialect.read(text) {
                    Some(Marker::Section(way, transaction)) => {
                        match (way, first_statement) {
                            (Way::Up, Some(first)) if !seen_section => {
                                return Err(self
                                    .error(
                                        first,
                                        &format!("this statement stands before `{text}` in line {line}"),
                                    )
                                    .with_help("Move it below the marker."));
                            }
                            (Way::Up, _) => up = transaction.or(up),
                            (Way::Down, _) => down = Some(transaction.or(down.flatten())),
                        }
                        seen_section = true;
                    }
                    Some(Marker::NoTransaction) => no_transaction = true,
                    Some(Marker::Refused(why, help)) => {
                        return Err(self.error(line, &format!("{why} (`{text}`)")).with_help(help));
                    }
                    // In a file with sections, the markers say which statements undo the migration.
                    Some(Marker::Suspect(why, help)) if !seen_section && !leads_back => {
                        suspect.get_or_insert((line, text, why, help));
                    }
                    Some(Marker::Suspect(..) | Marker::Harmless) | None => {}
                },
            }
        }
        Ok((up, down, no_transaction))
    }

    fn pieces(&self) -> Result<Vec<Piece<'_>>, Error> {
        let dialect = Dialect::of(&self.sql);
        statement::pieces(&self.sql, self.conforming, |comment| dialect.ends(comment)).map_err(|e| {
            let help = e.help().map(str::to_owned);
            let error = e.context(self.path.display().to_string());
            match help {
                Some(help) => error.with_help(help),
                None => error,
            }
        })
    }

    /// Returns the statements of its direction, in order. The text was already parsed when the file was read, so this
    /// does not fail.
    pub(super) fn statements(&self) -> Result<Vec<Statement<'_>>, Error> {
        let dialect = Dialect::of(&self.sql);
        // The down sections run in reverse order.
        let mut sections: Vec<Vec<Statement<'_>>> = vec![Vec::new()];
        let mut way = Way::Up;
        for piece in self.pieces()? {
            match piece {
                Piece::Statement(statement) if way == self.way => {
                    sections.last_mut().into_iter().for_each(|s| s.push(statement))
                }
                Piece::Marker { text, .. } => {
                    if let Some(Marker::Section(next, _)) = dialect.read(text) {
                        way = next;
                        sections.push(Vec::new());
                    }
                }
                _ => {}
            }
        }
        if self.way == Way::Down {
            sections.reverse();
        }
        let mut statements = sections.concat();
        if self.own_transaction && statements.len() >= 2 {
            statements.remove(0);
            statements.pop();
        }
        Ok(statements)
    }

    /// Decides whether it runs in a transaction, if the file does not say.
    fn settle_transaction(&mut self) -> Result<(), Error> {
        if !self.transaction {
            return Ok(());
        }
        let statements = self.statements()?;
        let controls: Vec<(usize, Control, &Statement<'_>)> =
            statements.iter().enumerate().filter_map(|(i, s)| Control::of(s).map(|c| (i, c, s))).collect();
        let last = statements.len().saturating_sub(1);
        match controls.as_slice() {
            [] => {}
            // The file's own transaction is replaced by the surrounding one.
            [(0, Control::Begin { plain: true }, _), (end, Control::Commit, _)] if *end == last => {
                self.own_transaction = true;
                return Ok(());
            }
            several => {
                let mut open = None;
                for (_, control, statement) in several {
                    match (control, open) {
                        (Control::Begin { .. }, None) => open = Some(statement),
                        (Control::Commit | Control::Rollback, Some(_)) => open = None,
                        _ => {
                            let word = statement.words(2).join(" ");
                            let message = format!("{word} in a migration that runs in a transaction already");
                            return Err(self.error(statement.line, &message).with_help(
                                "Remove it, pair each BEGIN with a COMMIT, or begin the file with `-- \
                                playbook: no-transaction`.",
                            ));
                        }
                    }
                }
                if let Some(statement) = open {
                    return Err(self.error(statement.line, "this transaction is not ended").with_help(
                        "Add the COMMIT, or remove the BEGIN: each migration runs in its own transaction.",
                    ));
                }
                self.transaction = false;
                return Ok(());
            }
        }
        let alone = statements.len() == 1;
        if let Some(statement) = statements.iter().find(|s| cannot_run_in_transaction(s)) {
            if !alone {
                let words = statement.words(2).join(" ");
                let message = format!(
                    "{words} … cannot run in a transaction, and this file's other statements would be in one"
                );
                return Err(self.error(statement.line, &message).with_help(
                    "Move the statement to another file, or begin this one with `-- playbook: \
                        no-transaction`.",
                ));
            }
            self.transaction = false;
        }
        Ok(())
    }

    /// Computes the checksum of the lines that reach the database.
    fn checksum_of_lines(&self, pieces: &[Piece<'_>]) -> String {
        let passed_over: Vec<usize> = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Marker { text, line } if marker::is_own(text) => Some(*line),
                Piece::Command { text, line } if psql::is_harmless(text) => Some(*line),
                _ => None,
            })
            .collect();
        let mut digest = Sha256::new();
        for (at, line) in self.sql.split_inclusive('\n').enumerate() {
            if !passed_over.contains(&(at + 1)) {
                digest.update(line);
            }
        }
        hex::encode(digest.finalize())
    }

    /// Returns whether the checksum in a history is the file's.
    pub(super) fn has_checksum(&self, sum: &str) -> bool {
        sum == self.checksum || sum == self.whole
    }

    /// Returns an error about a line of the file.
    pub(super) fn error(&self, line: usize, message: &str) -> Error {
        Error::new(format!("{}:{line}: {message}", self.path.display()))
    }
}

/// The effect of a statement on the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    /// Begins a transaction. `plain` means that the statement sets no properties of the transaction.
    Begin {
        plain: bool,
    },
    Commit,
    Rollback,
}

impl Control {
    fn of(statement: &Statement<'_>) -> Option<Control> {
        let words = statement.words(3);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["BEGIN"] | ["BEGIN", "WORK" | "TRANSACTION"] | ["START", "TRANSACTION"] => {
                Some(Control::Begin { plain: true })
            }
            ["BEGIN", ..] | ["START", "TRANSACTION", ..] => Some(Control::Begin { plain: false }),
            ["COMMIT" | "END"] | ["COMMIT" | "END", "WORK" | "TRANSACTION" | "AND", ..] => {
                Some(Control::Commit)
            }
            ["ABORT", ..] | ["ROLLBACK"] => Some(Control::Rollback),
            ["ROLLBACK", "WORK" | "TRANSACTION", "TO"] => None,
            ["ROLLBACK", "WORK" | "TRANSACTION" | "AND", ..] => Some(Control::Rollback),
            _ => None,
        }
    }
}

/// Returns whether the server rejects a statement in a transaction.
fn cannot_run_in_transaction(statement: &Statement<'_>) -> bool {
    let words = statement.words(12);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let concurrently = || words.iter().take(6).any(|w| *w == "CONCURRENTLY");
    match words.as_slice() {
        ["VACUUM", ..] | ["CREATE" | "DROP", "DATABASE" | "TABLESPACE", ..] => true,
        ["ALTER", "SYSTEM", ..]
        | ["DISCARD", "ALL"]
        | ["CLUSTER"]
        | ["COMMIT" | "ROLLBACK", "PREPARED", ..] => true,
        ["CREATE", "INDEX", "CONCURRENTLY", ..] | ["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", ..] => true,
        ["DROP", "INDEX", "CONCURRENTLY", ..] => true,
        ["REINDEX", "DATABASE" | "SYSTEM" | "SCHEMA", ..] => true,
        ["REINDEX", ..] => concurrently(),
        ["ALTER", "TABLE", ..] => {
            words.windows(2).any(|w| w[0] == "DETACH" && w[1] == "PARTITION")
                && words.contains(&"CONCURRENTLY")
        }
        ["ALTER", "DATABASE", ..] => words.windows(2).any(|w| w[0] == "SET" && w[1] == "TABLESPACE"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Result<Scripts, Error> {
        Script::read("1.sql", Path::new("m/1.sql"), sql, false, true)
    }

    fn texts(script: &Script) -> Vec<&str> {
        script.statements().unwrap().iter().map(|s| s.text).collect()
    }

    fn message(sql: &str) -> String {
        read(sql).unwrap_err().to_string()
    }

    #[test]
    fn each_way_has_its_own_statements() {
        for (up, down) in [
            ("-- migrate:up", "-- migrate:down"),
            ("-- +goose Up", "-- +goose Down"),
            ("-- +migrate Up", "-- +migrate Down"),
            ("-- Up Migration", "-- Down Migration"),
            ("-- rambler up", "-- rambler down"),
            ("# --- !Ups", "# --- !Downs"),
            ("-- first", "--//@UNDO"),
            ("", "---- create above / drop below ----"),
        ] {
            let sql = format!("{up}\nCREATE TABLE t (a text);\n\n{down}\nDROP TABLE t;\n");
            let scripts = read(&sql).unwrap();
            assert_eq!(texts(&scripts.main), ["CREATE TABLE t (a text)"], "{up}");
            assert_eq!(texts(&scripts.down.unwrap()), ["DROP TABLE t"], "{down}");
        }
        let several = "-- rambler up\nA;\n-- rambler down\nB;\n-- rambler up\nC;\n-- rambler down\nD; E;\n";
        let scripts = read(several).unwrap();
        assert_eq!(texts(&scripts.main), ["A", "C"]);
        assert_eq!(texts(&scripts.down.unwrap()), ["D", "E", "B"]);
        // Without a semicolon, and with text that only looks like a marker.
        let scripts =
            read("-- migrate:up\nSELECT $$\n-- migrate:down\n$$\n-- migrate:down\nDROP TABLE t").unwrap();
        assert_eq!(texts(&scripts.main), ["SELECT $$\n-- migrate:down\n$$"]);
        assert_eq!(texts(&scripts.down.unwrap()), ["DROP TABLE t"]);
        let liquibase =
            "--liquibase formatted sql\n--changeset a:1\nCREATE TABLE t ();\n--rollback DROP TABLE t;\n";
        let scripts = read(liquibase).unwrap();
        assert_eq!(texts(&scripts.main), ["CREATE TABLE t ()"]);
        assert!(scripts.down.is_none());
    }

    #[test]
    fn transactions_as_the_file_says() {
        let transaction = |sql: &str| {
            let scripts = read(sql).unwrap();
            (scripts.main.transaction, scripts.down.map(|d| d.transaction))
        };
        assert_eq!(transaction("SELECT 1; SELECT 2"), (true, None));
        assert_eq!(
            transaction("-- migrate:up transaction:false\nVACUUM;\n-- migrate:down\nSELECT 1;"),
            (false, Some(true))
        );
        assert_eq!(
            transaction("-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n-- +goose Down\nSELECT 1;"),
            (false, Some(false))
        );
        assert_eq!(transaction("-- playbook: no-transaction\nBEGIN; COMMIT;"), (false, None));
        for alone in [
            "CREATE INDEX CONCURRENTLY i ON t (a);",
            "create unique index concurrently if not exists i on t (a)",
            "DROP INDEX CONCURRENTLY i",
            "REINDEX (VERBOSE) INDEX CONCURRENTLY i",
            "VACUUM t",
            "ALTER SYSTEM SET work_mem = '8MB'",
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            "CREATE DATABASE d",
        ] {
            assert_eq!(transaction(alone), (false, None), "{alone}");
            let error = message(&format!("SELECT 1;\n{alone}"));
            assert!(
                error.starts_with("m/1.sql:2: ") && error.contains("cannot run in a transaction"),
                "{error}"
            );
        }
        assert_eq!(transaction("REFRESH MATERIALIZED VIEW CONCURRENTLY v; SELECT 1"), (true, None));
    }

    #[test]
    fn a_file_may_bring_its_own_transaction() {
        let scripts = read("BEGIN;\nCREATE TABLE a ();\nCOMMIT;\n").unwrap();
        assert!(scripts.main.transaction);
        assert_eq!(texts(&scripts.main), ["CREATE TABLE a ()"]);
        let scripts = read("START TRANSACTION; SELECT 1; END TRANSACTION;").unwrap();
        assert_eq!(texts(&scripts.main), ["SELECT 1"]);
        // Several of them run one after the other, as they stand.
        for sql in [
            "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;",
            "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;",
            "SELECT 1; BEGIN; SELECT 2; ROLLBACK;",
        ] {
            assert!(!read(sql).unwrap().main.transaction, "{sql}");
        }
        assert_eq!(
            message("SELECT 1;\nCOMMIT;"),
            "m/1.sql:2: COMMIT in a migration that runs in a transaction already"
        );
        assert_eq!(message("\nBEGIN;\nSELECT 1;"), "m/1.sql:2: this transaction is not ended");
        assert!(
            read("SAVEPOINT a; ROLLBACK TO SAVEPOINT a; ROLLBACK WORK TO a; RELEASE a;")
                .unwrap()
                .main
                .transaction
        );
    }

    #[test]
    fn scripts_are_checked_before_they_run() {
        assert_eq!(message("\\i other.sql"), "m/1.sql:1: \\i is a command of psql, not SQL");
        assert_eq!(
            message("COPY t (a) FROM stdin;\n1\n"),
            "m/1.sql: line 1: the rows of COPY … FROM stdin have no end"
        );
        assert_eq!(message("COPY t TO stdout;"), "m/1.sql:1: COPY … TO stdout is not supported");
        assert_eq!(
            message("-- playbook: no-transactoin"),
            "m/1.sql:1: unknown directive 'no-transactoin' (`-- playbook: no-transactoin`)"
        );
        assert_eq!(message("SELECT 1;\nSELECT 'x"), "m/1.sql: line 2: this string is never closed");
        assert_eq!(
            message("SELECT 1;\n-- down\nDROP TABLE t;"),
            "m/1.sql:2: `down` seems to begin the statements that undo the migration (`-- down`)"
        );
        // The way back as a comment, and in a file that has sections.
        for sql in [
            "SELECT 1;\n-- Rollback:\n-- DROP TABLE t;",
            "-- migrate:up\nSELECT 1;\n-- migrate:down\n-- undo\nSELECT 2;",
        ] {
            assert_eq!(texts(&read(sql).unwrap().main), ["SELECT 1"], "{sql}");
        }
        assert_eq!(
            message("SELECT 1;\n-- migrate:up\nSELECT 2;"),
            "m/1.sql:1: this statement stands before `-- migrate:up` in line 2"
        );
        let plain = read("SELECT 1;\nSELECT 2;\n").unwrap().main;
        for same in [
            "-- playbook: no-transaction\nSELECT 1;\nSELECT 2;\n",
            "\\restrict k\nSELECT 1;\nSELECT 2;\n\\unrestrict k\n",
        ] {
            let script = read(same).unwrap().main;
            assert!(script.has_checksum(&plain.checksum) && script.has_checksum(&script.whole), "{same}");
        }
        for other in
            ["-- a\nSELECT 1;\nSELECT 2;\n", "SELECT 1;\nSELECT '\n-- playbook: no-transaction\n';\n"]
        {
            assert_eq!(read(other).unwrap().main.checksum, read(other).unwrap().main.whole, "{other}");
        }
        assert_eq!(read("a\r\nb").unwrap().main.checksum, read("\u{feff}a\nb").unwrap().main.checksum);
        assert_eq!(texts(&read("\\restrict x'y\nSELECT 1;\n\\unrestrict x'y\n").unwrap().main), ["SELECT 1"]);
    }
}
