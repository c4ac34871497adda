//! The migrations of a Django project, read from its files.

use std::collections::BTreeMap;
use std::path::Path;

use playbook_api::Error;
use walkdir::WalkDir;

use super::alembic::quoted_texts;

/// The project's own migrations, as `app.name`, each with those it replaces. Applications that are installed as
/// packages (auth, contenttypes) are not among the files: asking the tool finds theirs too.
#[derive(Debug)]
pub struct Project(BTreeMap<String, Vec<String>>);

impl Project {
    pub fn read(path: &Path) -> Result<Project, Error> {
        let skipped = ["node_modules", "site-packages", "venv", "env", "__pycache__"];
        let walk = WalkDir::new(path).follow_links(true).into_iter().filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || !(name.starts_with('.') || skipped.contains(&&*name))
        });
        let mut migrations = BTreeMap::new();
        for entry in walk {
            let entry = entry.map_err(|e| Error::new(format!("cannot read {}: {e}", path.display())))?;
            let file = entry.path();
            let folder = file.parent();
            let is_migration =
                folder.is_some_and(|f| f.ends_with("migrations") && f.join("__init__.py").exists());
            let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            if !is_migration || file.extension().is_none_or(|e| e != "py") || name.starts_with(['_', '~']) {
                continue;
            }
            let app = folder.and_then(Path::parent).and_then(Path::file_name);
            let app = app.map(|a| a.to_string_lossy().into_owned()).unwrap_or_default();
            let text = std::fs::read_to_string(file)
                .map_err(|e| Error::io(&e, format!("cannot read {}", file.display())))?;
            migrations.insert(format!("{app}.{name}"), replaces(&text));
        }
        if migrations.is_empty() {
            return Err(Error::new(format!("{} has no Django migrations", path.display())).with_help(
                "path has to be the folder of manage.py; applications keep theirs in APP/migrations/",
            ));
        }
        Ok(Project(migrations))
    }

    /// What the table does not have. A squashed migration counts as applied when all it replaces are, and those
    /// count as applied when it is.
    pub fn pending(&self, applied: &[String]) -> Vec<String> {
        let has = |name: &String| applied.contains(name);
        let replaced: Vec<&String> = (self.0.iter())
            .filter(|(name, replaces)| has(name) || !replaces.iter().any(has))
            .flat_map(|(_, replaces)| replaces)
            .collect();
        let open = self.0.iter().filter(|(name, replaces)| {
            !has(name) && (replaces.is_empty() || !replaces.iter().all(has)) && !replaced.contains(name)
        });
        // Half of what it replaces is applied: Django goes on with those and leaves the squashed one alone.
        open.filter(|(_, replaces)| !replaces.iter().any(has)).map(|(name, _)| name.clone()).collect()
    }
}

/// `replaces = [('app', '0001_initial'), …]`
fn replaces(python: &str) -> Vec<String> {
    let list = python.lines().enumerate().find(|(_, l)| l.trim_start().starts_with("replaces ="));
    let Some((at, _)) = list else { return Vec::new() };
    let rest: Vec<&str> = python.lines().skip(at).collect();
    let rest = rest.join("\n");
    let inside =
        rest.split_once('[').and_then(|(_, after)| after.split_once(']')).map_or("", |(list, _)| list);
    quoted_texts(inside).chunks_exact(2).map(|pair| pair.join(".")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squashed_migrations_and_what_they_replace() {
        let squash = "class Migration(migrations.Migration):\n    replaces = [\n        ('shop', '0001_initial'),\n        ('shop', '0002_more'),\n    ]\n";
        assert_eq!(replaces(squash), ["shop.0001_initial", "shop.0002_more"]);
        let all = [
            ("shop.0001_initial", vec![]),
            ("shop.0001_squashed", replaces(squash)),
            ("shop.0002_more", vec![]),
            ("shop.0003_last", vec![]),
        ];
        let project = Project(all.map(|(name, replaces)| (name.to_owned(), replaces)).into_iter().collect());
        let pending =
            |applied: &[&str]| project.pending(&applied.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        assert_eq!(pending(&[]), ["shop.0001_squashed", "shop.0003_last"]);
        assert_eq!(pending(&["shop.0001_initial", "shop.0002_more"]), ["shop.0003_last"]);
        assert_eq!(pending(&["shop.0001_initial"]), ["shop.0002_more", "shop.0003_last"]);
        assert_eq!(pending(&["shop.0001_squashed", "shop.0003_last"]), Vec::<String>::new());
    }
}
