//! The comments with which migration tools separate a file's up section from its down section, and set options.

use crate::sql::statement::Ends;

/// The direction of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

/// The meaning of a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// A section in this direction follows, in a transaction or not if the comment says so.
    Section(Way, Option<bool>),
    /// The file runs outside of a transaction.
    NoTransaction,
    /// The comment has no effect here.
    Harmless,
    /// The file asks for something that is not supported. Holds the reason and the help.
    Refused(String, String),
    /// The comment seems to begin the statements that undo the migration, in a form that no known tool defines. Holds the
    /// reason and the help, which apply if statements follow.
    Suspect(String, String),
}

/// The tool whose comments a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Liquibase, whose format is called formatted SQL.
    Liquibase,
    /// Any other tool, or none.
    Any,
}

/// Returns whether a comment is a directive of this program on how the file is run.
pub(super) fn is_own(comment: &str) -> bool {
    comment
        .strip_prefix("--")
        .is_some_and(|text| text.trim_start_matches('-').trim_start().starts_with("playbook:"))
}

impl Dialect {
    /// Recognizes the tool by the beginning of a file.
    pub(super) fn of(sql: &str) -> Dialect {
        let first =
            sql.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_ascii_lowercase();
        let words: Vec<&str> = first.trim_start_matches('-').split_whitespace().collect();
        match first.starts_with("--") && words.starts_with(&["liquibase", "formatted", "sql"]) {
            true => Dialect::Liquibase,
            false => Dialect::Any,
        }
    }

    /// Returns the meaning of a comment, if a tool defines it.
    pub(super) fn read(self, comment: &str) -> Option<Marker> {
        let Some(text) = comment.strip_prefix("--") else { return self.read_block(comment) };
        let text = text.trim_start_matches('-').trim();
        if let Some(own) = text.strip_prefix("playbook:") {
            return Some(match own.trim() {
                "no-transaction" => Marker::NoTransaction,
                other => Marker::Refused(
                    format!("unknown directive '{other}'"),
                    "The only directive is `-- playbook: no-transaction`.".into(),
                ),
            });
        }
        let text = text.to_ascii_lowercase();
        match self {
            Dialect::Liquibase => liquibase(&text),
            Dialect::Any => any(&text),
        }
    }

    /// Reads a comment between `/*` and `*/`, in which no known tool has markers.
    fn read_block(self, comment: &str) -> Option<Marker> {
        let text = comment.strip_prefix("/*")?.strip_suffix("*/")?.trim().to_ascii_lowercase();
        match (self, any(text.trim_matches(['*', '-']).trim())?) {
            (Dialect::Any, Marker::Section(Way::Down, _) | Marker::Suspect(..)) => Some(suspect(&text)),
            _ => None,
        }
    }

    /// Returns how a comment cuts the statements.
    pub(super) fn ends(self, comment: &str) -> Option<Ends> {
        Some(match self.read(comment)? {
            Marker::Section(..) => Ends::Statement,
            _ => Ends::Nothing,
        })
    }
}

fn any(text: &str) -> Option<Marker> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = *words.first()?;
    let section = |way| Some(Marker::Section(way, None));
    // goose, sql-migrate, micrate
    if let Some(tool) =
        first.strip_prefix('+').filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphabetic()))
    {
        return match (way_of(tool), words.len()) {
            (Some(way), 1) if tool != "do" => section(way),
            _ => plus(tool, &words[1..]),
        };
    }
    if let Some(directive) = first.strip_prefix("atlas:") {
        return atlas(directive, &words[1..]);
    }
    // dbmate: `migrate:up transaction:false`
    if let Some((tool, way)) = first.split_once(':')
        && !tool.is_empty()
        && let Some(way) = way_of(way)
    {
        let transaction =
            words.iter().find_map(|w| w.strip_prefix("transaction:")).map(|value| value != "false");
        return Some(Marker::Section(way, transaction));
    }
    match words.as_slice() {
        // node-pg-migrate
        ["up", "migration", ..] => section(Way::Up),
        ["down", "migration", ..] => section(Way::Down),
        ["rambler", "up"] => section(Way::Up),
        ["rambler", "down"] => section(Way::Down),
        // sqlx, graphile-migrate, tern, postgres-migrations, yoyo
        ["no-transaction"] | ["!", "no-transaction"] | ["!no-transaction"] => Some(Marker::NoTransaction),
        ["tern:", "disable-tx", ..] | ["postgres-migrations", "disable-transaction"] => {
            Some(Marker::NoTransaction)
        }
        ["transactional:", "false"] => Some(Marker::NoTransaction),
        // graphile-migrate
        ["!include", ..] => Some(Marker::Refused(
            "including other files is not supported".into(),
            "Put the content of that file here.".into(),
        )),
        // tern
        ["create", "above", "/", "drop", "below", ..] => section(Way::Down),
        // Play
        ["!ups"] => section(Way::Up),
        ["!downs"] => section(Way::Down),
        _ => alone(text),
    }
}

/// `+goose Up`, `+migrate Down notransaction`, `+goose NO TRANSACTION`
fn plus(tool: &str, words: &[&str]) -> Option<Marker> {
    let refused = |why: String, help: &str| Some(Marker::Refused(why, help.to_owned()));
    match words {
        ["up" | "down", rest @ ..] => {
            let way = way_of(words.first()?)?;
            Some(Marker::Section(way, rest.contains(&"notransaction").then_some(false)))
        }
        ["no", "transaction"] | ["notransaction"] => Some(Marker::NoTransaction),
        ["statementbegin" | "statementend"] | ["envsub", "off"] => Some(Marker::Harmless),
        ["envsub", ..] => refused(
            format!("+{tool} envsub substitutes environment variables, which is not supported"),
            "Write the values out, or render the file with the module template first.",
        ),
        _ if matches!(tool, "goose" | "migrate" | "micrate") => refused(
            format!("unknown directive '+{tool} {}'", words.join(" ")),
            "The directives are Up, Down, StatementBegin, StatementEnd and NO TRANSACTION.",
        ),
        _ => None,
    }
}

/// `atlas:txmode none`
fn atlas(directive: &str, words: &[&str]) -> Option<Marker> {
    match (directive, words) {
        ("txmode", ["none"]) => Some(Marker::NoTransaction),
        ("txmode", ["file" | "all"]) | ("nolint" | "import" | "sum", _) => Some(Marker::Harmless),
        _ => Some(Marker::Refused(
            format!("the directive 'atlas:{directive}' is not supported"),
            "Write the migration as plain SQL, or apply the directory with atlas.".into(),
        )),
    }
}

fn way_of(word: &str) -> Option<Way> {
    match word {
        "up" | "ups" | "do" => Some(Way::Up),
        "down" | "downs" | "undo" | "rollback" | "revert" => Some(Way::Down),
        _ => None,
    }
}

/// A comment that is a single word between signs: `//@UNDO` (dbdeploy, MyBatis), `==== DOWN ====` (shmig).
fn alone(text: &str) -> Option<Marker> {
    let word = text.trim_matches(|c: char| !c.is_alphanumeric());
    let Some(way) = way_of(word).filter(|_| word != "do") else { return looks_like_down(text) };
    let signs = text.replace(word, "");
    let signs = signs.trim();
    if signs.contains('@') || signs.contains("==") || signs.starts_with("//") {
        return Some(Marker::Section(way, None));
    }
    (way == Way::Down).then(|| suspect(word))
}

/// Recognizes a comment of no known tool that consists of such words only: `migrate down`, `Downgrade`, `begin of down`.
fn looks_like_down(text: &str) -> Option<Marker> {
    const DOWN: [&str; 12] = [
        "backward",
        "backwards",
        "down",
        "downgrade",
        "downs",
        "reverse",
        "revert",
        "rollback",
        "undo",
        "rollbacks",
        "teardown",
        "uninstall",
    ];
    const BESIDE: [&str; 17] = [
        "begin",
        "begins",
        "end",
        "here",
        "migrate",
        "migration",
        "migrations",
        "name",
        "of",
        "part",
        "script",
        "section",
        "sql",
        "start",
        "starts",
        "the",
        "up",
    ];
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let down = words.iter().any(|word| DOWN.contains(word));
    let only = words.iter().all(|word| DOWN.contains(word) || BESIDE.contains(word));
    (down && only).then(|| suspect(text))
}

fn suspect(text: &str) -> Marker {
    Marker::Suspect(
        format!("`{text}` seems to begin the statements that undo the migration"),
        "Write `-- migrate:up` and `-- migrate:down` before the two sections, move the second one to a \
        file that ends in .down.sql, or reword the comment."
            .into(),
    )
}

fn liquibase(text: &str) -> Option<Marker> {
    let refused = |why: &str, help: &str| Some(Marker::Refused(why.to_owned(), help.to_owned()));
    let word = text.split(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
    match word {
        "changeset" => {
            for attribute in text.split_whitespace().skip(2) {
                match attribute.split_once(':') {
                    Some(("runintransaction", "false")) => return Some(Marker::NoTransaction),
                    Some(("dbms", systems))
                        if !systems.split(',').any(|s| matches!(s.trim(), "postgresql" | "all")) =>
                    {
                        return refused(
                            "this changeset is for another database system",
                            "Move it to another file, outside of the directory.",
                        );
                    }
                    Some(("ignore", "true")) => {
                        return refused(
                            "this changeset is ignored by Liquibase",
                            "Remove it, or move it out of the directory.",
                        );
                    }
                    Some(("context" | "contextfilter" | "labels" | "runalways" | "runonchange", value))
                        if value != "false" =>
                    {
                        return refused(
                            &format!(
                                "the attribute '{attribute}', which decides when the changeset runs, is not supported"
                            ),
                            "Remove it, or move the changeset out of the directory.",
                        );
                    }
                    _ => {}
                }
            }
            Some(Marker::Harmless)
        }
        "ignorelines" => refused("ignoreLines is not supported", "Remove the lines."),
        _ if word.starts_with("precondition") => {
            refused("preconditions are not supported", "Write the condition as a DO block, or remove it.")
        }
        "property" => refused("properties are not supported", "Write the values out."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_s_markers() {
        let read = |comment: &str| Dialect::Any.read(comment);
        let (up, down) = (Some(Marker::Section(Way::Up, None)), Some(Marker::Section(Way::Down, None)));
        for comment in [
            "-- migrate:up",
            "--migrate:up",
            "-- +goose Up",
            "-- +migrate Up",
            "-- +micrate Up",
            "-- Up Migration",
            "-- rambler up",
            "--- !Ups",
            "-- ==== UP ====",
            "-- @up",
            "-- +up",
        ] {
            assert_eq!(read(comment), up, "{comment}");
        }
        for comment in [
            "-- migrate:down",
            "-- +goose Down",
            "--+goose down",
            "-- +migrate Down",
            "-- Down Migration",
            "--//@UNDO",
            "-- //@UNDO",
            "-- @UNDO",
            "-- rambler down",
            "--- !Downs",
            "-- ==== DOWN ====",
            "---- create above / drop below ----",
            "-- migrate:rollback",
            "-- +down",
        ] {
            assert_eq!(read(comment), down, "{comment}");
        }
        let without = |way| Some(Marker::Section(way, Some(false)));
        assert_eq!(read("-- migrate:up transaction:false"), without(Way::Up));
        assert_eq!(read("-- +migrate Down notransaction"), without(Way::Down));
        assert_eq!(read("-- migrate:up transaction:true"), Some(Marker::Section(Way::Up, Some(true))));
        for comment in [
            "-- +goose NO TRANSACTION",
            "-- playbook: no-transaction",
            "-- no-transaction",
            "--! no-transaction",
            "---- tern: disable-tx ----",
            "-- postgres-migrations disable-transaction",
            "-- atlas:txmode none",
            "-- transactional: false",
        ] {
            assert_eq!(read(comment), Some(Marker::NoTransaction), "{comment}");
        }
        assert_eq!(read("-- +goose StatementBegin"), Some(Marker::Harmless));
        assert_eq!(read("-- atlas:nolint destructive"), Some(Marker::Harmless));
        for comment in [
            "-- down",
            "-- DOWN:",
            "-- rollback",
            "-- [undo]",
            "-- migrate down",
            "-- migrate: down",
            "-- Migration Down",
            "-- Downgrade",
            "-- begin of the down section",
            "-- name: down",
            "-- ==== revert migration ====",
            "/* migrate:down */",
            "/* DOWN */",
            "/*** Rollback script ***/",
        ] {
            assert!(matches!(read(comment), Some(Marker::Suspect(..))), "{comment}");
        }
        for comment in [
            "-- +goose Envsub on",
            "-- +goose Upp",
            "-- playbook: no-transactoin",
            "-- atlas:txtar",
            "-- atlas:checkpoint",
            "--!include functions/f.sql",
        ] {
            assert!(matches!(read(comment), Some(Marker::Refused(..))), "{comment}");
        }
        for comment in [
            "-- shut it down",
            "-- up to here",
            "-- scale down",
            "-- + 5",
            "-- note: up",
            "-- undo the change of 003",
            "-- do",
            "-- tear down the old index",
            "/* migrate:up */",
            "/* scale down */",
            "-- rollback of order 5",
            "-- http://x",
            "-- up",
            "-- --",
        ] {
            assert_eq!(read(comment), None, "{comment}");
        }
    }

    #[test]
    fn liquibase_s_comments() {
        let sql =
            "--liquibase formatted sql\n--changeset a:1\nCREATE TABLE t ();\n--rollback DROP TABLE t;\n";
        assert_eq!(Dialect::of(sql), Dialect::Liquibase);
        assert_eq!(Dialect::of("-- x\n"), Dialect::Any);
        let read = |comment: &str| Dialect::Liquibase.read(comment);
        assert_eq!(read("--rollback DROP TABLE t;"), None);
        assert_eq!(read("--changeset a:1 splitStatements:false"), Some(Marker::Harmless));
        assert_eq!(read("--changeset a:1 runInTransaction:false"), Some(Marker::NoTransaction));
        assert_eq!(read("--changeset a:1 dbms:postgresql,h2"), Some(Marker::Harmless));
        for comment in [
            "--changeset a:1 dbms:mysql",
            "--changeset a:1 context:test",
            "--ignoreLines:1",
            "--preconditions onFail:HALT",
            "--property name=x value=y",
            "--changeset a:1 ignore:true",
            "--precondition-table-exists table:t",
        ] {
            assert!(matches!(read(comment), Some(Marker::Refused(..))), "{comment}");
        }
    }
}
