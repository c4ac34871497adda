//! What the name of a migration's file says.

use std::collections::BTreeSet;

use super::version::Version;

/// What the name of a file says: `V1_2__add_users.sql`, `001_add_users.up.sql`.
#[derive(Debug, PartialEq)]
pub(super) enum Named {
    Up(Version, String),
    Down(Version, String),
    /// A file of Flyway's that is not a versioned migration: what it is.
    Flyway(&'static str),
    /// A name without a version.
    Unversioned,
}

/// The events that Flyway calls scripts for.
const CALLBACKS: [&str; 26] = [
    "afterbaseline",
    "afterbaselineerror",
    "afterclean",
    "aftercleanerror",
    "afterconnect",
    "aftereachmigrate",
    "aftereachmigrateerror",
    "aftereachmigratestatement",
    "aftereachundo",
    "afterinfo",
    "aftermigrate",
    "aftermigrateapplied",
    "aftermigrateerror",
    "afterrepair",
    "afterundo",
    "aftervalidate",
    "afterversioned",
    "beforebaseline",
    "beforeclean",
    "beforeconnect",
    "beforecreateschema",
    "beforeeachmigrate",
    "beforemigrate",
    "beforerepair",
    "beforerepeatables",
    "beforevalidate",
];

/// Returns a file's name without its extension, if that is the extension: `001_x` for `001_x.SQL`.
pub(super) fn without_extension<'a>(file: &'a str, extension: &str) -> Option<&'a str> {
    let (stem, found) = file.rsplit_once('.')?;
    found.eq_ignore_ascii_case(extension).then_some(stem)
}

/// Reads the name of a file, without its extension. `pairs` are the names that end in `-up` or `-down` and have a
/// counterpart.
pub(super) fn parse(stem: &str, pairs: &BTreeSet<String>) -> Named {
    let lower = stem.to_ascii_lowercase();
    let event = lower.split("__").next().unwrap_or_default();
    if CALLBACKS.contains(&event) {
        return Named::Flyway("a callback for Flyway");
    }
    let mut up = true;
    let mut stem = stem;
    for (suffix, is_up) in
        [(".up", true), (".down", false), (".rollback", false), (".undo", false), (".do", true)]
    {
        if lower.ends_with(suffix) {
            (stem, up) = (&stem[..stem.len() - suffix.len()], is_up);
            break;
        }
    }
    if pairs.contains(&lower) {
        up = lower.ends_with("up");
        stem = &stem[..stem.len() - if up { 3 } else { 5 }];
    }
    if let Some((prefix, rest)) = stem.split_at_checked(1)
        && let Some((version, name)) = rest.split_once("__")
    {
        let version = Version::parse(version);
        match (prefix, version) {
            ("R" | "r", _) if rest.starts_with("__") => {
                return Named::Flyway("a repeatable migration for Flyway");
            }
            ("B", Some(_)) => return Named::Flyway("a baseline migration for Flyway"),
            ("V" | "v", Some(version)) if up => return Named::Up(version, words(name)),
            ("V" | "v" | "U", Some(version)) => return Named::Down(version, words(name)),
            _ => {}
        }
    }
    let end = stem.find(|c: char| !c.is_ascii_digit()).unwrap_or(stem.len());
    let (version, mut rest) = stem.split_at(end);
    // Postgrator: `001.do.name`, `001.undo.name`
    for (infix, is_up) in [(".do.", true), (".undo.", false)] {
        if rest.to_ascii_lowercase().starts_with(infix) {
            (rest, up) = (&rest[infix.len() - 1..], is_up);
        }
    }
    let name = match rest.is_empty() {
        true => Some(rest),
        false => rest.strip_prefix(['_', '-', '.']),
    };
    match (Version::parse(version), name) {
        (Some(version), Some(name)) if up => Named::Up(version, words(name)),
        (Some(version), Some(name)) => Named::Down(version, words(name)),
        _ => Named::Unversioned,
    }
}

/// Returns the names among these that differ in `-up` and `-down` alone: `001-x-up` and `001-x-down`.
pub(super) fn pairs<'a>(stems: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let all: BTreeSet<String> = stems.map(str::to_ascii_lowercase).collect();
    let mut found = BTreeSet::new();
    for stem in &all {
        for (up, down) in [("-up", "-down"), ("_up", "_down")] {
            if let Some(base) = stem.strip_suffix(up)
                && let counterpart = format!("{base}{down}")
                && all.contains(&counterpart)
            {
                found.extend([stem.clone(), counterpart]);
            }
        }
    }
    found
}

fn words(name: &str) -> String {
    name.trim_start_matches('_').replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(file: &str) -> Named {
        let others = ["7-x-up", "7-x-down"];
        parse(without_extension(file, "sql").unwrap(), &pairs(others.into_iter()))
    }

    #[test]
    fn names_of_every_form() {
        let up = |v: &str, n: &str| Named::Up(Version::parse(v).unwrap(), n.into());
        let down = |v: &str, n: &str| Named::Down(Version::parse(v).unwrap(), n.into());
        assert_eq!(parsed("001_add_users.sql"), up("001", "add users"));
        assert_eq!(parsed("001_add_users.SQL"), up("001", "add users"));
        assert_eq!(parsed("V1_2__add_users.sql"), up("1_2", "add users"));
        assert_eq!(parsed("V2.1__x.Sql"), up("2.1", "x"));
        assert_eq!(parsed("001_x.up.sql"), up("001", "x"));
        assert_eq!(parsed("001_x.down.sql"), down("001", "x"));
        assert_eq!(parsed("001_x.DOWN.SQL"), down("001", "x"));
        assert_eq!(parsed("U2__x.sql"), down("2", "x"));
        assert_eq!(parsed("001.do.x.sql"), up("001", "x"));
        assert_eq!(parsed("001.undo.x.sql"), down("001", "x"));
        assert_eq!(parsed("001.undo.sql"), down("001", ""));
        assert_eq!(parsed("0001.x.rollback.sql"), down("0001", "x"));
        assert_eq!(parsed("7-x-up.sql"), up("7", "x"));
        assert_eq!(parsed("7-x-down.sql"), down("7", "x"));
        assert_eq!(parsed("8_scale_down.sql"), up("8", "scale down"));
        for file in ["seed.sql", "1x.sql", "up.sql", "Vx__y.sql"] {
            assert_eq!(parsed(file), Named::Unversioned, "{file}");
        }
        for file in ["R__view.sql", "B5__all.sql", "afterMigrate.sql", "beforeEachMigrate__vacuum.sql"] {
            assert!(matches!(parsed(file), Named::Flyway(_)), "{file}");
        }
    }
}
