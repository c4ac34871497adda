//! The results of a task: in check mode, and after the migrations ran.

use playbook_api::{Diff, Map, Outcome, Value, map};

use super::directory::Migration;
use super::plan::{Plan, Repair};
use super::script::Script;

/// Returns the migrations at these indices.
pub(crate) fn pick<'a>(
    migrations: &'a [Migration],
    places: &'a [usize],
) -> impl Iterator<Item = &'a Migration> {
    places.iter().filter_map(|i| migrations.get(*i))
}

/// Returns the outcome of a plan that is empty or not executed. `before` is the applied version.
pub(crate) fn preview(migrations: &[Migration], plan: &Plan, before: Value) -> Outcome {
    let described = |places: &[usize]| pick(migrations, places).map(describe).collect::<Vec<Value>>();
    let mut parts = Vec::new();
    for (what, list) in [("baseline", &plan.baseline), ("undo", &plan.down), ("apply", &plan.up)] {
        if !list.is_empty() {
            let files: Vec<&str> = pick(migrations, list).map(|m| m.up.file.as_str()).collect();
            parts.push(format!("{what} {}", files.join(", ")));
        }
    }
    if let Some(version) = &plan.baseline_without_file {
        parts.push(format!("baseline {version}"));
    }
    if !plan.repairs.is_empty() {
        parts.push(format!("repair {} entries of the history", plan.repairs.len()));
    }
    let message = match parts.as_slice() {
        [] => "nothing to migrate".to_owned(),
        parts => format!("would {}", parts.join("; ")),
    };
    let mut outcome = Outcome::changed(!plan.is_empty()).msg(message);
    outcome.values.extend(map! {
        "applied" => Vec::<Value>::new(),
        "reverted" => Vec::<Value>::new(),
        "baselined" => described(&plan.baseline),
        "repaired" => plan.repairs.iter().map(|r| describe_repair(migrations, r)).collect::<Vec<_>>(),
        "pending" => described(&plan.up),
        "reverting" => described(&plan.down),
        "version_before" => before.clone(),
        "version" => before,
    });
    outcome
}

/// Returns a diff for each migration, with the SQL that it executes.
pub(crate) fn diffs(migrations: &[Migration], plan: &Plan, database: &str) -> Vec<Diff> {
    let down = pick(migrations, &plan.down).filter_map(|m| m.down.as_ref());
    let up = pick(migrations, &plan.up).map(|m| &m.up);
    let diff = |script: &Script| {
        Diff::text("", script.sql.clone())
            .headers(format!("database {database}"), script.path.display().to_string())
    };
    let baseline = pick(migrations, &plan.baseline).map(|m| {
        Diff::text("", format!("{} recorded as applied\n", m.up.file)).headers("history", "history")
    });
    baseline.chain(down.chain(up).map(diff)).collect()
}

pub(crate) fn describe(migration: &Migration) -> Value {
    let file = migration.up.path.display().to_string();
    map! { "version" => migration.version.to_string(), "name" => migration.name.as_str(), "file" => file }
        .into()
}

pub(crate) fn with_duration(described: Value, duration: u128) -> Value {
    let mut map: Map = described.as_map().cloned().unwrap_or_default();
    map.insert("duration_ms".into(), Value::from(u64::try_from(duration).unwrap_or(u64::MAX)));
    map.into()
}

pub(crate) fn describe_repair(migrations: &[Migration], repair: &Repair) -> Value {
    let (version, name, action) = match repair {
        Repair::Forget(version, name) => (version.to_string(), name.clone(), "forgotten"),
        Repair::Realign(i) => match migrations.get(*i) {
            Some(m) => (m.version.to_string(), m.name.clone(), "checksum taken over"),
            None => return Value::Null,
        },
    };
    map! { "version" => version, "name" => name, "action" => action }.into()
}

/// The work done so far, which is also reported if the task fails.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) plan: Plan,
    pub(crate) applied: Vec<Value>,
    pub(crate) reverted: Vec<Value>,
    pub(crate) baselined: Vec<Value>,
    pub(crate) repaired: Vec<Value>,
}

impl Done {
    pub(crate) fn outcome(&self, before: Value, after: Value) -> Outcome {
        let lists = [&self.applied, &self.reverted, &self.baselined, &self.repaired];
        let mut outcome = Outcome::changed(lists.iter().any(|list| !list.is_empty()));
        outcome.values = map! {
            "applied" => self.applied.clone(),
            "reverted" => self.reverted.clone(),
            "baselined" => self.baselined.clone(),
            "repaired" => self.repaired.clone(),
            "pending" => Vec::<Value>::new(),
            "version_before" => before,
            "version" => after,
        };
        outcome
    }

    pub(crate) fn message(&self, version: &Value) -> String {
        let mut parts = Vec::new();
        for (list, what) in [
            (&self.repaired, "repaired"),
            (&self.baselined, "baselined"),
            (&self.reverted, "undone"),
            (&self.applied, "applied"),
        ] {
            if !list.is_empty() {
                parts.push(format!("{} {what}", list.len()));
            }
        }
        match parts.is_empty() {
            true => "nothing to migrate: another deployment has just done it".into(),
            false if version.is_null() => format!("{}; nothing is applied now", parts.join(", ")),
            false => format!("{}; the version is {version}", parts.join(", ")),
        }
    }
}
