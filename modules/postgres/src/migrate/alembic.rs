//! The revisions of an Alembic project, read from its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use playbook_api::Error;

/// One file of the versions folder.
#[derive(Debug)]
struct Revision {
    file: String,
    /// What it comes after, and what else it needs.
    down: Vec<String>,
    depends: Vec<String>,
}

/// All of them, by their ids.
#[derive(Debug)]
pub struct Project {
    revisions: BTreeMap<String, Revision>,
    folder: PathBuf,
}

/// What leads from the database to the target, in order.
#[derive(Debug, PartialEq)]
pub enum Way {
    Up(Vec<String>),
    Down(Vec<String>),
}

impl Project {
    pub fn read(path: &Path) -> Result<Project, Error> {
        let folders = versions_folders(path)?;
        let folder = folders.first().cloned().unwrap_or_else(|| path.to_owned());
        let mut revisions: BTreeMap<String, Revision> = BTreeMap::new();
        let mut files = Vec::new();
        for folder in &folders {
            let entries = std::fs::read_dir(folder)
                .map_err(|e| Error::io(&e, format!("cannot read {}", folder.display())))?;
            files.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
        }
        files.retain(|f| {
            f.extension().is_some_and(|e| e == "py") && f.file_stem().is_some_and(|s| s != "__init__")
        });
        files.sort();
        for path in files {
            let shown = path.display();
            let text =
                std::fs::read_to_string(&path).map_err(|e| Error::io(&e, format!("cannot read {shown}")))?;
            let Some(id) = assigned(&text, "revision").and_then(|all| all.into_iter().next()) else {
                return Err(Error::new(format!("{shown} has no `revision = '…'`, which Alembic needs"))
                    .with_help("add it with down_revision beside it; `Revision ID:` in the docstring is only a comment"));
            };
            let down = assigned(&text, "down_revision").unwrap_or_default();
            let depends = assigned(&text, "depends_on").unwrap_or_default();
            let file = shown.to_string();
            if let Some(other) = revisions.insert(id.clone(), Revision { file, down, depends }) {
                return Err(Error::new(format!("{} and {shown} have the same revision '{id}'", other.file)));
            }
        }
        let project = Project { revisions, folder };
        for revision in project.revisions.values() {
            if let Some(gone) = revision.down.iter().find(|d| !project.revisions.contains_key(*d)) {
                return Err(Error::new(format!(
                    "{} comes after revision '{gone}', which no file has",
                    revision.file
                ))
                .with_help("restore that file, or correct down_revision"));
            }
        }
        Ok(project)
    }

    fn heads(&self) -> Vec<&str> {
        let followed: BTreeSet<&String> = self.revisions.values().flat_map(|r| &r.down).collect();
        self.revisions.keys().filter(|id| !followed.contains(id)).map(String::as_str).collect()
    }

    /// What has to be done to get from the revisions in the version table to the target.
    pub fn way(&self, current: &[String], target: Option<&str>) -> Result<Way, Error> {
        if let Some(unknown) = current.iter().find(|id| !self.revisions.contains_key(*id)) {
            return Err(Error::new(format!(
                "the database is at revision '{unknown}', which no file in {} has",
                self.folder.display()
            ))
            .with_help(
                "is an older version of the application being deployed, or another project's database?",
            ));
        }
        let goals: Vec<&str> = match target.map(str::trim) {
            None | Some("" | "head" | "latest") => match self.heads().as_slice() {
                heads @ ([] | [_]) => heads.to_vec(),
                heads => {
                    return Err(Error::new(format!("the project has several heads: {}", heads.join(", ")))
                        .with_help("merge them with `alembic merge heads`, or set target: heads"));
                }
            },
            Some("heads") => self.heads(),
            Some("base" | "zero" | "0") => Vec::new(),
            Some(text) => vec![self.find(text)?],
        };
        let have = self.with_ancestors(current.iter().map(String::as_str));
        let want = self.with_ancestors(goals.iter().copied());
        let up = self.in_order(want.difference(&have).copied().collect());
        let mut down = self.in_order(have.difference(&want).copied().collect());
        down.reverse();
        // A branch that the target does not name stays; only a target below the database leads down.
        let below = goals.iter().all(|goal| have.contains(goal));
        Ok(if up.is_empty() && below && target.is_some() { Way::Down(down) } else { Way::Up(up) })
    }

    /// A revision by its id or by the beginning of it.
    fn find(&self, text: &str) -> Result<&str, Error> {
        if let Some((id, _)) = self.revisions.get_key_value(text) {
            return Ok(id);
        }
        let found: Vec<&str> =
            self.revisions.keys().map(String::as_str).filter(|id| id.starts_with(text)).collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(Error::new(format!("target '{text}' is no revision in {}", self.folder.display()))
                .with_help(format!("the newest is {}", self.heads().join(", ")))),
            several => Err(Error::new(format!("target '{text}' may be any of {}", several.join(", ")))),
        }
    }

    fn with_ancestors<'a>(&'a self, from: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut all = BTreeSet::new();
        let mut open: Vec<&str> = from.collect();
        while let Some(id) = open.pop() {
            if all.insert(id)
                && let Some(revision) = self.revisions.get(id)
            {
                open.extend(revision.down.iter().chain(&revision.depends).map(String::as_str));
            }
        }
        all
    }

    /// Each behind what it comes after.
    fn in_order(&self, mut left: BTreeSet<&str>) -> Vec<String> {
        let mut order = Vec::new();
        while !left.is_empty() {
            let ready: Vec<&str> = left
                .iter()
                .filter(|id| {
                    let before = self.revisions.get(**id).map(|r| r.down.iter().chain(&r.depends));
                    before.is_none_or(|mut b| !b.any(|id| left.contains(id.as_str())))
                })
                .copied()
                .collect();
            if ready.is_empty() {
                // A circle: Alembic will say so itself.
                order.extend(left.iter().map(|id| (*id).to_owned()));
                break;
            }
            for id in ready {
                left.remove(id);
                order.push(id.to_owned());
            }
        }
        order
    }
}

/// The folders of revisions: what alembic.ini says, or where Alembic puts them.
fn versions_folders(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let ini = std::fs::read_to_string(path.join("alembic.ini")).unwrap_or_default();
    let setting = |name: &str| {
        // Relative to the file in any case: that is where the command runs.
        let line = ini.lines().find_map(|l| l.strip_prefix(name)?.trim_start().strip_prefix('='));
        line.map(|value| value.trim().replace("%(here)s", ".")).filter(|v| !v.is_empty())
    };
    if let Some(locations) = setting("version_locations") {
        let separators = |c: char| c.is_whitespace() || matches!(c, ',' | ';') || c == ':';
        return Ok(locations.split(separators).filter(|l| !l.is_empty()).map(|l| path.join(l)).collect());
    }
    let named = setting("script_location").map(|location| path.join(location).join("versions"));
    let usual = ["versions", "alembic/versions", "migrations/versions"].map(|folder| path.join(folder));
    if let Some(found) = named.into_iter().chain(usual).find(|folder| folder.is_dir()) {
        return Ok(vec![found]);
    }
    if path.file_name().is_some_and(|name| name == "versions") {
        return Ok(vec![path.to_owned()]);
    }
    Err(Error::new(format!("{} has no folder of Alembic revisions", path.display()))
        .with_help("path has to be the folder of alembic.ini, or the one that holds versions/"))
}

/// The texts assigned to a module's variable at its top level: `name = 'a'`, `name: str = ("a", 'b')`.
pub fn assigned(python: &str, name: &str) -> Option<Vec<String>> {
    let mut offset = 0;
    for line in python.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let Some(rest) = line.strip_prefix(name) else { continue };
        let annotated = rest.trim_start();
        let equals = match annotated.chars().next() {
            Some('=') if !annotated.starts_with("==") => rest.find('='),
            Some(':') => rest.find('='),
            _ => None,
        };
        let Some(equals) = equals else { continue };
        let value = python.get(start + name.len() + equals + 1..)?.trim_start();
        let end = match value.chars().next() {
            Some('(') => value.find(')'),
            Some('[') => value.find(']'),
            _ => value.find('\n'),
        };
        return Some(quoted_texts(value.get(..end.unwrap_or(value.len())).unwrap_or(value)));
    }
    None
}

/// The string literals in a piece of Python.
pub fn quoted_texts(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"', '#']) {
        let (quote, after) = rest[at..].split_at(1);
        rest = match quote {
            "#" => after.split_once('\n').map_or("", |(_, next)| next),
            _ => match after.split_once(quote) {
                Some((inside, next)) => {
                    found.push(inside.to_owned());
                    next
                }
                None => "",
            },
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(revisions: &[(&str, &[&str])]) -> Project {
        let revision = |(id, down): &(&str, &[&str])| {
            let down = down.iter().map(|d| (*d).to_owned()).collect();
            ((*id).to_owned(), Revision { file: format!("{id}.py"), down, depends: vec![] })
        };
        Project { revisions: revisions.iter().map(revision).collect(), folder: "versions".into() }
    }

    fn owned(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn assignments_in_every_style() {
        let text = "\"\"\"x\n\nRevision ID: zz\n\"\"\"\nrevision: str = 'ab' # 'no'\ndown_revision: Union[str, Sequence[str], None] = (\n  'x',  # the 'first\n  \"y\",\n)\nbranch_labels = None\n";
        assert_eq!(assigned(text, "revision"), Some(owned(&["ab"])));
        assert_eq!(assigned(text, "down_revision"), Some(owned(&["x", "y"])));
        assert_eq!(assigned(text, "branch_labels"), Some(vec![]));
        assert_eq!(assigned(text, "depends_on"), None);
        assert_eq!(assigned("revision == 'a'\n", "revision"), None);
    }

    #[test]
    fn the_way_follows_the_graph() {
        let all = project(&[("a", &[]), ("b1", &["a"]), ("b2", &["a"]), ("m", &["b1", "b2"])]);
        assert_eq!(all.way(&[], None).unwrap(), Way::Up(owned(&["a", "b1", "b2", "m"])));
        assert_eq!(all.way(&owned(&["b1"]), None).unwrap(), Way::Up(owned(&["b2", "m"])));
        assert_eq!(all.way(&owned(&["m"]), None).unwrap(), Way::Up(vec![]));
        assert_eq!(all.way(&owned(&["m"]), Some("a")).unwrap(), Way::Down(owned(&["m", "b2", "b1"])));
        assert_eq!(all.way(&owned(&["m"]), Some("base")).unwrap(), Way::Down(owned(&["m", "b2", "b1", "a"])));
        assert_eq!(all.way(&[], Some("b1")).unwrap(), Way::Up(owned(&["a", "b1"])));
        assert!(all.way(&owned(&["zz"]), None).unwrap_err().to_string().contains("at revision 'zz'"));
        assert!(all.way(&[], Some("b")).unwrap_err().to_string().contains("any of b1, b2"));
        let heads = project(&[("a", &[]), ("b1", &["a"]), ("b2", &["a"])]);
        assert!(heads.way(&[], None).unwrap_err().to_string().contains("several heads: b1, b2"));
        assert_eq!(heads.way(&owned(&["b1", "b2"]), Some("heads")).unwrap(), Way::Down(vec![]));
    }
}
