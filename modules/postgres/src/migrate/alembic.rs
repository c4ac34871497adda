//! The revisions of an Alembic project, read from its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use playbook_api::Error;
use walkdir::WalkDir;

use super::alembic_config::{self, Known, Locations};
use super::python::{Assigned, assigned};

/// One file of the versions directory.
#[derive(Debug)]
struct Revision {
    file: String,
    /// The revisions before it, and others that it depends on.
    down: Vec<String>,
    depends: Vec<String>,
}

/// The revisions of a project, by their ids.
#[derive(Debug)]
pub(super) struct Project {
    revisions: BTreeMap<String, Revision>,
    directory: PathBuf,
}

/// The steps from the database's revision to the target, in order.
#[derive(Debug, PartialEq)]
pub(super) enum Way {
    Up(Vec<String>),
    Down(Vec<String>),
}

impl Project {
    /// Reads the project's files, which may not be sufficient.
    pub(super) fn read(path: &Path) -> Result<Known<Project>, Error> {
        let locations = match alembic_config::locate(path)? {
            Known::Sure(locations) => locations,
            Known::Unsure(why) => return Ok(Known::Unsure(why)),
        };
        let dir = locations.directories.first().cloned().unwrap_or_else(|| path.to_owned());
        let mut revisions: BTreeMap<String, Revision> = BTreeMap::new();
        for path in files(&locations)? {
            let shown = path.display();
            let text =
                std::fs::read_to_string(&path).map_err(|e| Error::io(&e, format!("cannot read {shown}")))?;
            let computed = |name: &str| format!("{shown} computes its {name}");
            let id = match assigned(&text, "revision") {
                Some(Assigned::Texts(ids)) if !ids.is_empty() => ids.into_iter().next().unwrap_or_default(),
                Some(_) => return Ok(Known::Unsure(computed("revision"))),
                None => {
                    return Err(Error::new(format!("{shown} has no `revision = '…'`, which Alembic needs")).with_help(
                        "Add it with down_revision beside it; `Revision ID:` in the docstring is only a comment.",
                    ));
                }
            };
            let (mut down, mut depends) = (Vec::new(), Vec::new());
            for (name, list) in [("down_revision", &mut down), ("depends_on", &mut depends)] {
                match assigned(&text, name) {
                    None | Some(Assigned::Nothing) => {}
                    Some(Assigned::Texts(ids)) => *list = ids,
                    Some(Assigned::Computed) => return Ok(Known::Unsure(computed(name))),
                }
            }
            let file = shown.to_string();
            if let Some(other) = revisions.insert(id.clone(), Revision { file, down, depends }) {
                return Err(Error::new(format!("{} and {shown} have the same revision '{id}'", other.file))
                    .with_help("Give one of them another id, with `alembic revision`."));
            }
        }
        if revisions.is_empty() {
            return Err(Error::new(format!("there is no Alembic revision in {}", dir.display())).with_help(
                "Create the first with `alembic revision`, correct path, or set detect: tool, which runs Alembic.",
            ));
        }
        let project = Project { revisions, directory: dir };
        for revision in project.revisions.values() {
            if let Some(gone) = revision.down.iter().find(|d| !project.revisions.contains_key(*d)) {
                return Err(Error::new(format!(
                    "{} follows revision '{gone}', which is not in any file",
                    revision.file
                ))
                .with_help(
                    "Restore that file, correct down_revision, or set detect: tool, which runs Alembic.",
                ));
            }
        }
        Ok(Known::Sure(project))
    }

    fn heads(&self) -> Vec<&str> {
        let followed: BTreeSet<&String> = self.revisions.values().flat_map(|r| &r.down).collect();
        self.revisions.keys().filter(|id| !followed.contains(id)).map(String::as_str).collect()
    }

    /// Returns the steps from the revisions in the version table to the target.
    pub(super) fn way(&self, current: &[String], target: Option<&str>) -> Result<Known<Way>, Error> {
        if let Some(unknown) = current.iter().find(|id| !self.revisions.contains_key(*id)) {
            return Err(Error::new(format!(
                "the database is at revision '{unknown}', which is not in any file in {}",
                self.directory.display()
            ))
            .with_help(
                "Check whether an older version of the application is being deployed, or whether this is \
                another project's database; detect: tool runs Alembic instead.",
            ));
        }
        let goals: Vec<&str> = match target {
            None | Some("head") => match self.heads().as_slice() {
                heads @ ([] | [_]) => heads.to_vec(),
                heads => {
                    return Err(Error::new(format!("the project has several heads: {}", heads.join(", ")))
                        .with_help("Merge them with `alembic merge heads`, or set target: heads."));
                }
            },
            Some("heads") => self.heads(),
            Some("base") => Vec::new(),
            Some(text) if text.starts_with(['+', '-']) => return self.steps(current, text),
            // The label of a branch, or a revision relative to another one.
            Some(text) if text.contains(['@', '+', ':']) => {
                return Ok(Known::Unsure(format!("target '{text}' is not the id of a revision")));
            }
            Some(text) => match self.find(text)? {
                Some(id) => vec![id],
                None => return Ok(Known::Unsure(format!("target '{text}' is not the id of a revision"))),
            },
        };
        let have = self.with_ancestors(current.iter().map(String::as_str));
        let want = self.with_ancestors(goals.iter().copied());
        let up = self.in_order(want.difference(&have).copied().collect());
        let mut down = self.in_order(have.difference(&want).copied().collect());
        down.reverse();
        // Branches that the target does not name are not changed; only a target below the database's
        // revision leads down.
        let below = goals.iter().all(|goal| have.contains(goal));
        Ok(Known::Sure(if up.is_empty() && below && target.is_some() {
            Way::Down(down)
        } else {
            Way::Up(up)
        }))
    }

    /// Resolves a relative target such as `+2` or `-1`: a number of revisions up or down from the database's.
    fn steps(&self, current: &[String], text: &str) -> Result<Known<Way>, Error> {
        let unsure = || Known::Unsure(format!("target '{text}' leads to more than one revision"));
        let (up, count) = (text.starts_with('+'), text[1..].parse::<usize>());
        let Ok(count) = count else {
            return Err(Error::new(format!("target '{text}' is not a number of revisions"))
                .with_help("Write it as +1 or -1, in quotes."));
        };
        let mut at: Vec<String> = current.to_vec();
        let mut passed = Vec::new();
        for _ in 0..count {
            let from = match at.as_slice() {
                [] => None,
                [one] => Some(one.clone()),
                _ => return Ok(unsure()),
            };
            let next: Vec<String> = match (up, &from) {
                (true, from) => (self.revisions.iter())
                    .filter(|(_, r)| from.as_ref().map_or(r.down.is_empty(), |from| r.down.contains(from)))
                    .map(|(id, _)| id.clone())
                    .collect(),
                (false, Some(from)) => self.revisions.get(from).map(|r| r.down.clone()).unwrap_or_default(),
                (false, None) => Vec::new(),
            };
            match (up, next.as_slice(), from) {
                (true, [one], _) => passed.push(one.clone()),
                (false, [] | [_], Some(from)) => passed.push(from),
                (_, [] | [_], _) => {
                    return Err(Error::new(format!("target '{text}' leads beyond the project's revisions")));
                }
                _ => return Ok(unsure()),
            }
            at = next;
        }
        Ok(Known::Sure(if up { Way::Up(passed) } else { Way::Down(passed) }))
    }

    /// Returns a revision by its id or a prefix of it, or `None` if there is none.
    fn find(&self, text: &str) -> Result<Option<&str>, Error> {
        if let Some((id, _)) = self.revisions.get_key_value(text) {
            return Ok(Some(id));
        }
        let found: Vec<&str> =
            self.revisions.keys().map(String::as_str).filter(|id| id.starts_with(text)).collect();
        match found.as_slice() {
            [one] => Ok(Some(one)),
            [] => Ok(None),
            several => Err(Error::new(format!(
                "target '{text}' is ambiguous, it may be any of {}",
                several.join(", ")
            ))
            .with_help("Write more of its id.")),
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

    /// Sorts revisions so that each follows those that it depends on.
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
                // A cycle, which Alembic reports.
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

/// Returns the files of revisions.
fn files(locations: &Locations) -> Result<Vec<PathBuf>, Error> {
    let depth = if locations.recursive { usize::MAX } else { 1 };
    let mut files = Vec::new();
    for directory in &locations.directories {
        let walk = WalkDir::new(directory).follow_links(true).min_depth(1).max_depth(depth).into_iter();
        for entry in walk.filter_entry(|e| e.file_name() != "__pycache__") {
            let entry = entry.map_err(|e| Error::new(format!("cannot read {}: {e}", directory.display())))?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy();
            if entry.file_type().is_file()
                && name.ends_with(".py")
                && name != "__init__.py"
                && !name.starts_with(".#")
            {
                files.push(path.to_owned());
            }
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// Returns the version table and its schema if env.py names them as literals.
pub(super) fn version_table(path: &Path) -> (Option<String>, Option<String>) {
    let Ok(Known::Sure(Locations { scripts: Some(scripts), .. })) = alembic_config::locate(path) else {
        return (None, None);
    };
    let text = std::fs::read_to_string(scripts.join("env.py")).unwrap_or_default();
    let named = |name: &str| {
        text.lines().filter(|line| !line.trim_start().starts_with('#')).find_map(|line| {
            let rest = line.split_once(name)?.1.trim_start().strip_prefix(['=', ':'])?.trim_start();
            let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
            Some(rest[1..].split_once(quote)?.0.to_owned())
        })
    };
    (named("version_table"), named("version_table_schema"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(revisions: &[(&str, &[&str])]) -> Project {
        let revision = |(id, down): &(&str, &[&str])| {
            let down = down.iter().map(|d| (*d).to_owned()).collect();
            ((*id).to_owned(), Revision { file: format!("{id}.py"), down, depends: vec![] })
        };
        Project { revisions: revisions.iter().map(revision).collect(), directory: "versions".into() }
    }

    fn owned(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn way(project: &Project, current: &[&str], target: Option<&str>) -> Way {
        match project.way(&owned(current), target).unwrap() {
            Known::Sure(way) => way,
            Known::Unsure(why) => panic!("{why}"),
        }
    }

    #[test]
    fn the_way_follows_the_graph() {
        let all = project(&[("a", &[]), ("b1", &["a"]), ("b2", &["a"]), ("m", &["b1", "b2"])]);
        assert_eq!(way(&all, &[], None), Way::Up(owned(&["a", "b1", "b2", "m"])));
        assert_eq!(way(&all, &["b1"], None), Way::Up(owned(&["b2", "m"])));
        assert_eq!(way(&all, &["m"], None), Way::Up(vec![]));
        assert_eq!(way(&all, &["m"], Some("a")), Way::Down(owned(&["m", "b2", "b1"])));
        assert_eq!(way(&all, &["m"], Some("base")), Way::Down(owned(&["m", "b2", "b1", "a"])));
        assert_eq!(way(&all, &[], Some("b1")), Way::Up(owned(&["a", "b1"])));
        assert!(all.way(&owned(&["zz"]), None).unwrap_err().to_string().contains("at revision 'zz'"));
        assert!(all.way(&[], Some("b")).unwrap_err().to_string().contains("any of b1, b2"));
        let heads = project(&[("a", &[]), ("b1", &["a"]), ("b2", &["a"])]);
        assert!(heads.way(&[], None).unwrap_err().to_string().contains("several heads: b1, b2"));
        assert_eq!(way(&heads, &["b1", "b2"], Some("heads")), Way::Down(vec![]));
        for unsure in ["web@head", "zz", "a+1"] {
            assert!(matches!(all.way(&[], Some(unsure)).unwrap(), Known::Unsure(_)), "{unsure}");
        }
    }

    #[test]
    fn steps_from_where_the_database_is() {
        let line = project(&[("a", &[]), ("b", &["a"]), ("c", &["b"])]);
        assert_eq!(way(&line, &["a"], Some("+1")), Way::Up(owned(&["b"])));
        assert_eq!(way(&line, &[], Some("+2")), Way::Up(owned(&["a", "b"])));
        assert_eq!(way(&line, &["c"], Some("-1")), Way::Down(owned(&["c"])));
        assert_eq!(way(&line, &["b"], Some("-2")), Way::Down(owned(&["b", "a"])));
        for beyond in ["+3", "-2"] {
            let error = line.way(&owned(&["a"]), Some(beyond)).unwrap_err().to_string();
            assert_eq!(error, format!("target '{beyond}' leads beyond the project's revisions"));
        }
        let fork = project(&[("a", &[]), ("b1", &["a"]), ("b2", &["a"])]);
        assert!(matches!(fork.way(&owned(&["a"]), Some("+1")).unwrap(), Known::Unsure(_)));
    }
}
