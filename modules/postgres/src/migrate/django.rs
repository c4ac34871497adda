//! The migrations of a Django project, read from its files.

use std::collections::BTreeMap;
use std::path::Path;

use playbook_api::Error;
use walkdir::WalkDir;

use super::alembic_config::Known;
use super::python::{Assigned, assigned, quoted_texts};

/// The project's own migrations, as `app.name`, each with those it replaces. Applications that are installed as
/// packages (auth, contenttypes) are not among the files: asking the tool finds theirs too.
#[derive(Debug)]
pub(super) struct Project(BTreeMap<String, Vec<String>>);

impl Project {
    /// Reads the project's files; they may not be enough.
    pub(super) fn read(path: &Path) -> Result<Known<Project>, Error> {
        let skipped = ["node_modules", "site-packages", "venv", "env", "__pycache__"];
        let walk = WalkDir::new(path).follow_links(true).into_iter().filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || !(name.starts_with('.') || skipped.contains(&&*name))
        });
        let mut migrations = BTreeMap::new();
        for entry in walk {
            let entry = entry.map_err(|e| Error::new(format!("cannot read {}: {e}", path.display())))?;
            let file = entry.path();
            let is_settings = file.file_stem().is_some_and(|s| s.to_string_lossy().contains("settings"))
                || file.parent().is_some_and(|d| d.ends_with("settings"));
            if is_settings && file.extension().is_some_and(|e| e == "py") {
                let text = std::fs::read_to_string(file).unwrap_or_default();
                if text.lines().any(|line| line.trim_start().starts_with("MIGRATION_MODULES")) {
                    return Ok(Known::Unsure(format!("{} sets MIGRATION_MODULES", file.display())));
                }
            }
            let folder = file.parent();
            let is_migration =
                folder.is_some_and(|f| f.ends_with("migrations") && f.join("__init__.py").exists());
            let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            if !is_migration || file.extension().is_none_or(|e| e != "py") || name.starts_with(['_', '~']) {
                continue;
            }
            let Some(app) = folder.and_then(Path::parent) else { continue };
            let app = match label(app) {
                Known::Sure(label) => label,
                Known::Unsure(why) => return Ok(Known::Unsure(why)),
            };
            let text = std::fs::read_to_string(file)
                .map_err(|e| Error::io(&e, format!("cannot read {}", file.display())))?;
            migrations.insert(format!("{app}.{name}"), replaces(&text));
        }
        if migrations.is_empty() {
            return Err(Error::new(format!("{} has no Django migrations", path.display())).with_help(
                "Give the directory of manage.py as path (applications keep their migrations in APP/migrations/), or set detect: tool, which asks Django itself.",
            ));
        }
        Ok(Known::Sure(Project(migrations)))
    }

    /// What the table does not have. A squashed migration counts as applied when all it replaces are, and those
    /// count as applied when it is.
    pub(super) fn pending(&self, applied: &[String]) -> Vec<String> {
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

/// Returns the label of an application: what its AppConfig says, or the name of its directory.
fn label(app: &Path) -> Known<String> {
    let name = app.file_name().map(|a| a.to_string_lossy().into_owned()).unwrap_or_default();
    let text = std::fs::read_to_string(app.join("apps.py")).unwrap_or_default();
    let mut labels = text
        .lines()
        .filter(|line| line.starts_with([' ', '\t']))
        .filter_map(|line| assigned(line.trim_start(), "label"));
    match (labels.next(), labels.next()) {
        (None, _) => Known::Sure(name),
        (Some(Assigned::Texts(label)), None) if label.len() == 1 => Known::Sure(label.concat()),
        _ => Known::Unsure(format!("{} does not say its label plainly", app.join("apps.py").display())),
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
    fn labels_come_from_apps_py() {
        let folder = tempfile::TempDir::new().unwrap();
        let app = folder.path().join("orders");
        std::fs::create_dir_all(app.join("migrations")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("orders/migrations/__init__.py", "");
        write("orders/migrations/0001_initial.py", "");
        let pending = || match Project::read(folder.path()).unwrap() {
            Known::Sure(project) => project.pending(&[]),
            Known::Unsure(why) => vec![why.replace(&folder.path().display().to_string(), "P")],
        };
        assert_eq!(pending(), ["orders.0001_initial"]);
        write(
            "orders/apps.py",
            "class OrdersConfig(AppConfig):\n    name = 'apps.orders'\n    label = 'sales'\n",
        );
        assert_eq!(pending(), ["sales.0001_initial"]);
        write("orders/apps.py", "class OrdersConfig(AppConfig):\n    label = make()\n");
        assert_eq!(pending(), ["P/orders/apps.py does not say its label plainly"]);
        write("orders/apps.py", "");
        write("settings.py", "MIGRATION_MODULES = {'orders': 'db.orders'}\n");
        assert_eq!(pending(), ["P/settings.py sets MIGRATION_MODULES"]);
    }

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
