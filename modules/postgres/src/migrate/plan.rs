//! Computes what has to be done from the migration files and the recorded migrations. Does no I/O.

use playbook_api::Error;

use super::directory::Migration;
use super::version::Version;

/// A row of the history table.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) version: Version,
    pub(crate) name: String,
    /// None for a baseline without a file.
    pub(crate) checksum: Option<String>,
    pub(crate) baseline: bool,
    /// False for a migration outside a transaction that failed half-way.
    pub(crate) success: bool,
    pub(crate) at: String,
}

/// The version to migrate to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Goal {
    #[default]
    Latest,
    /// The state before the first migration.
    Zero,
    At(Version),
}

impl Goal {
    pub(crate) fn parse(text: Option<&str>) -> Result<Goal, Error> {
        match text.map(str::trim) {
            None | Some("" | "latest" | "head") => Ok(Goal::Latest),
            Some("zero" | "base") => Ok(Goal::Zero),
            Some(text) => match Version::parse(text.trim_start_matches(['V', 'v'])) {
                Some(version) if version == Version::parse("0").unwrap_or_else(|| version.clone()) => {
                    Ok(Goal::Zero)
                }
                Some(version) => Ok(Goal::At(version)),
                None => Err(Error::new(format!("target '{text}' is not a version")).with_help(
                    "Give the number that a migration's file name begins with, 'latest' or 'zero'.",
                )),
            },
        }
    }

    fn includes(&self, version: &Version) -> bool {
        match self {
            Goal::Latest => true,
            Goal::Zero => false,
            Goal::At(goal) => version <= goal,
        }
    }
}

/// A change that `repair` makes to the history table. It never changes anything else.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Repair {
    /// Remove a migration whose file is missing, or that failed half-way.
    Forget(Version, String),
    /// Record the file's checksum and name.
    Realign(usize),
}

/// What has to be done, in this order. Numbers are indices into the list of migrations.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) repairs: Vec<Repair>,
    /// Migrations to record as applied without running them.
    pub(crate) baseline: Vec<usize>,
    /// A baseline for which there is no file.
    pub(crate) baseline_without_file: Option<Version>,
    pub(crate) down: Vec<usize>,
    pub(crate) up: Vec<usize>,
}

impl Plan {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Plan::default()
    }

    /// Takes over a plan that was made later, if this one is empty. Otherwise this one already covers it.
    pub(crate) fn merge(&mut self, later: &Plan) {
        if self.is_empty() {
            *self = later.clone();
        }
    }
}

/// What the task asks for.
#[derive(Debug, Default)]
pub(crate) struct Wish<'a> {
    pub(crate) dir: &'a str,
    pub(crate) goal: Goal,
    /// The baseline, if it applies: the database is in use and has no history.
    pub(crate) baseline: Option<Version>,
    pub(crate) repair: bool,
    pub(crate) out_of_order: bool,
}

pub(crate) fn plan(migrations: &[Migration], applied: &[Applied], wish: &Wish) -> Result<Plan, Error> {
    let mut plan = Plan::default();
    let mut current: Vec<Version> = Vec::new();
    for row in applied {
        let position = migrations.iter().position(|m| m.version == row.version);
        if !row.success && !wish.repair {
            return Err(half_way(row));
        }
        match position.and_then(|i| migrations.get(i).map(|m| (i, m))) {
            _ if !row.success => plan.repairs.push(Repair::Forget(row.version.clone(), row.name.clone())),
            Some((i, migration)) => {
                if row.checksum.as_ref().is_some_and(|sum| !migration.up.has_checksum(sum)) {
                    match wish.repair {
                        true => plan.repairs.push(Repair::Realign(i)),
                        false => return Err(edited(row, migration)),
                    }
                }
                current.push(row.version.clone());
            }
            None if row.baseline => current.push(row.version.clone()),
            None if wish.repair => plan.repairs.push(Repair::Forget(row.version.clone(), row.name.clone())),
            None => return Err(missing(row, wish.dir)),
        }
    }
    if let Some(baseline) = &wish.baseline {
        let covered = migrations.iter().enumerate().filter(|(_, m)| m.version <= *baseline);
        plan.baseline =
            covered.map(|(i, _)| i).filter(|i| !current.contains(&migrations[*i].version)).collect();
        current.extend(plan.baseline.iter().filter_map(|i| migrations.get(*i)).map(|m| m.version.clone()));
        if !current.contains(baseline) {
            plan.baseline_without_file = Some(baseline.clone());
            current.push(baseline.clone());
        }
    }
    if let Goal::At(goal) = &wish.goal
        && !migrations.iter().any(|m| m.version == *goal)
        && !current.contains(goal)
    {
        let last = migrations.last().map(|m| format!("; the last one is {}", m.version)).unwrap_or_default();
        return Err(Error::new(format!("target {goal} is not among the migrations in {}{last}", wish.dir)));
    }
    for (i, migration) in migrations.iter().enumerate().rev() {
        if current.contains(&migration.version) && !wish.goal.includes(&migration.version) {
            if migration.down.is_none() {
                return Err(no_way_down(migration, &wish.goal));
            }
            plan.down.push(i);
        }
    }
    current.retain(|v| wish.goal.includes(v));
    let newest = current.iter().max();
    for (i, migration) in migrations.iter().enumerate() {
        if current.contains(&migration.version) || !wish.goal.includes(&migration.version) {
            continue;
        }
        if let Some(newest) = newest.filter(|n| **n > migration.version && !wish.out_of_order) {
            return Err(out_of_order(migration, newest));
        }
        plan.up.push(i);
    }
    Ok(plan)
}

fn half_way(row: &Applied) -> Error {
    let Applied { version, name, at, .. } = row;
    Error::new(format!("migration {version} ({name}) failed half-way on {at}, outside a transaction"))
        .with_help(
            "Repair what it left behind (for example an INVALID index), then run once with repair: true, \
        which lets it run again.",
        )
}

fn edited(row: &Applied, migration: &Migration) -> Error {
    let path = migration.up.path.display();
    Error::new(format!("migration {} was edited after it was applied on {}: {path}", row.version, row.at)).with_help(
        "Restore the file and put the change into a new migration; if only a comment was edited, run once \
        with repair: true.",
    )
}

fn missing(row: &Applied, dir: &str) -> Error {
    let Applied { version, name, at, .. } = row;
    Error::new(format!(
        "migration {version} ({name}) was applied on {at}, but its file is missing from {dir}"
    ))
    .with_help(
        "Restore the file (is an older version being deployed?); if it was removed on purpose, \
            run once with repair: true.",
    )
}

fn out_of_order(migration: &Migration, newest: &Version) -> Error {
    let path = migration.up.path.display();
    Error::new(format!(
        "migration {} is out of order: the newer {newest} is already applied: {path}",
        migration.version
    ))
    .with_help(format!("Give it a number above {newest}, or allow it with out_of_order: true."))
}

fn no_way_down(migration: &Migration, goal: &Goal) -> Error {
    let goal = match goal {
        Goal::At(version) => format!("to {version}"),
        _ => "to the beginning".into(),
    };
    Error::new(format!("cannot migrate down {goal}: {} has no file that undoes it", migration.up.file))
        .with_help("Add a file with the same version whose name ends in .down.sql.")
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;
    use std::path::Path;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    fn migration(number: &str, down: bool) -> Migration {
        let script = |kind: &str| {
            let file = format!("{number}_x{kind}.sql");
            Script::read(&file, Path::new(&file), &format!("SELECT {number}"), false, true).unwrap().main
        };
        Migration {
            version: version(number),
            name: "x".into(),
            up: script(""),
            down: down.then(|| script(".down")),
        }
    }

    fn applied(migration: &Migration) -> Applied {
        Applied {
            version: migration.version.clone(),
            name: "x".into(),
            checksum: Some(migration.up.checksum.clone()),
            baseline: false,
            success: true,
            at: "2024-01-01".into(),
        }
    }

    fn wish(target: &str) -> Wish<'static> {
        Wish {
            dir: "m",
            goal: Goal::parse(Some(target)).unwrap(),
            baseline: None,
            repair: false,
            out_of_order: false,
        }
    }

    #[test]
    fn up_to_a_target_and_down_to_it() {
        let all = [migration("1", true), migration("2", true), migration("3", true)];
        let rows: Vec<_> = all[..2].iter().map(applied).collect();
        assert_eq!(plan(&all, &[], &wish("latest")).unwrap().up, [0, 1, 2]);
        assert_eq!(plan(&all, &rows, &wish("latest")).unwrap().up, [2]);
        assert_eq!(plan(&all, &[], &wish("2")).unwrap().up, [0, 1]);
        assert_eq!(plan(&all, &rows, &wish("zero")).unwrap().down, [1, 0]);
        let back = plan(&all, &rows, &wish("001")).unwrap();
        assert_eq!((back.down, back.up), (vec![1], vec![]));
        assert!(plan(&all, &rows, &wish("2")).unwrap().is_empty());
        let error = plan(&all, &rows, &wish("9")).unwrap_err().to_string();
        assert_eq!(error, "target 9 is not among the migrations in m; the last one is 3");
    }

    #[test]
    fn edited_missing_and_out_of_order_are_errors() {
        let all = [migration("1", false), migration("2", false)];
        let mut rows: Vec<_> = all.iter().map(applied).collect();
        assert!(
            plan(&all, &rows, &wish("1"))
                .unwrap_err()
                .to_string()
                .contains("2_x.sql has no file that undoes it")
        );
        let error = plan(&all, &rows[1..], &wish("latest")).unwrap_err();
        assert_eq!(error.to_string(), "migration 1 is out of order: the newer 2 is already applied: 1_x.sql");
        let allowed = Wish { out_of_order: true, ..wish("latest") };
        assert_eq!(plan(&all, &rows[1..], &allowed).unwrap().up, [0]);
        assert!(plan(&all[1..], &rows, &wish("latest")).unwrap_err().to_string().contains("missing from m"));
        rows[0].checksum = Some("other".into());
        assert!(plan(&all, &rows, &wish("latest")).unwrap_err().to_string().contains("was edited after"));
        let repair = Wish { repair: true, ..wish("latest") };
        assert_eq!(plan(&all, &rows, &repair).unwrap().repairs, [Repair::Realign(0)]);
        rows[1].success = false;
        assert!(plan(&all, &rows[1..], &wish("latest")).unwrap_err().to_string().contains("failed half-way"));
        let plan = plan(&all, &rows[1..], &repair).unwrap();
        assert_eq!(plan.repairs, [Repair::Forget(version("2"), "x".into())]);
        assert_eq!(plan.up, [0, 1]);
    }

    #[test]
    fn a_baseline_covers_what_is_older() {
        let all = [migration("1", false), migration("2", false), migration("3", false)];
        let at = |text| Wish { baseline: Some(version(text)), ..wish("latest") };
        let found = plan(&all, &[], &at("2")).unwrap();
        assert_eq!((found.baseline, found.up, found.baseline_without_file), (vec![0, 1], vec![2], None));
        let found = plan(&all[1..], &[], &at("1")).unwrap();
        assert_eq!((found.baseline_without_file, found.up), (Some(version("1")), vec![0, 1]));
    }
}
