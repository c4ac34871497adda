//! The migrations of a Django project, read from its files.

use std::collections::BTreeMap;
use std::path::Path;

use playbook_api::Error;
use walkdir::WalkDir;

use super::alembic_config::Known;
use super::python::{Assigned, assigned, quoted_texts};

/// The project's own migrations, as `app.name`, each with those it replaces. The files do not include those of
/// applications that are installed as packages (auth, contenttypes); running the tool finds these too.
#[derive(Debug)]
pub(super) struct Project(BTreeMap<String, Vec<String>>);

impl Project {
    /// Reads the project's files, which may not be sufficient.
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
            let directory = file.parent();
            let is_migration =
                directory.is_some_and(|f| f.ends_with("migrations") && f.join("__init__.py").exists());
            let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            if !is_migration || file.extension().is_none_or(|e| e != "py") || name.starts_with(['_', '~']) {
                continue;
            }
            let Some(app) = directory.and_then(Path::parent) else { continue };
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
                "Set path to the directory of manage.py (applications keep their migrations in \
                APP/migrations/), or set detect: tool, which runs Django.",
            ));
        }
        Ok(Known::Sure(Project(migrations)))
    }

    /// Returns the migrations that the table lacks. A squashed migration counts as applied if all that it replaces are,
    /// and these count as applied if it is.
    pub(super) fn pending(&self, applied: &[String]) -> Vec<String> {
        let has = |name: &String| applied.contains(name);
        let replaced: Vec<&String> = (self.0.iter())
            .filter(|(name, replaces)| has(name) || !replaces.iter().any(has))
            .flat_map(|(_, replaces)| replaces)
            .collect();
        let open = self.0.iter().filter(|(name, replaces)| {
            !has(name) && (replaces.is_empty() || !replaces.iter().all(has)) && !replaced.contains(name)
        });
        // Some of those that it replaces are applied: Django continues with these and ignores the squashed one.
        open.filter(|(_, replaces)| !replaces.iter().any(has)).map(|(name, _)| name.clone()).collect()
    }
}

/// Returns the label of an application: the one in its AppConfig, or the name of its directory.
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
        _ => Known::Unsure(format!("{} computes its label", app.join("apps.py").display())),
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
        let directory = tempfile::TempDir::new().unwrap();
        let app = directory.path().join("orders");
        std::fs::create_dir_all(app.join("migrations")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("orders/migrations/__init__.py", "");
        write("orders/migrations/0001_initial.py", "");
        let pending = || match Project::read(directory.path()).unwrap() {
            Known::Sure(project) => project.pending(&[]),
            Known::Unsure(why) => vec![why.replace(&directory.path().display().to_string(), "P")],
        };
        assert_eq!(pending(), ["orders.0001_initial"]);
        write(
            "orders/apps.py",
            "class OrdersConfig(AppConfig):\n    name = 'apps.orders'\n    label = 'sales'\n",
        );
        assert_eq!(pending(), ["sales.0001_initial"]);
        write("orders/apps.py", "class OrdersConfig(AppConfig):\n    label = make()\n");
        assert_eq!(pending(), ["P/orders/apps.py computes its label"]);
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
