//! `config validate`: reports unknown names.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, ValueEnum};
use playbook_api::Error;

use super::Common;
use crate::cli::{Fault, complain};
use crate::paths::cannot_read;
use crate::settings::{Entry, Settings, parse_cfg};

#[derive(Args)]
pub(super) struct Validate {
    /// What to validate: the configuration file or the environment
    #[arg(short, long, value_enum, default_value_t = Form::Ini)]
    format: Form,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Form {
    Ini,
    Env,
}

impl Validate {
    /// Reports unknown names. The exit status is 1 if there are any.
    pub(super) fn run(&self, settings: &Settings) -> Result<u8, Fault> {
        let entries = self.common.entries(settings);
        let faults = match self.format {
            Form::Ini => in_file(settings, &entries)?,
            Form::Env => in_environment(&entries),
        };
        if faults.is_empty() {
            say!("All configurations seem valid!");
            return Ok(0);
        }
        faults.iter().for_each(complain);
        Ok(1)
    }
}

fn in_file(settings: &Settings, entries: &[&Entry]) -> Result<Vec<Error>, Error> {
    let Some(path) = &settings.config_file else { return Ok(Vec::new()) };
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (section, key) in entries.iter().flat_map(|e| e.setting.ini).filter_map(|name| name.split_once('.')) {
        known.entry(section).or_default().insert(key);
    }
    let text = std::fs::read_to_string(path).map_err(|e| cannot_read(path, e))?;
    let written: BTreeSet<String> = parse_cfg(&text, path)?.into_keys().collect();
    let shown = path.display();
    let mut unknown = BTreeSet::new();
    for name in &written {
        let (section, key) = name.split_once('.').unwrap_or((name, ""));
        match known.get(section) {
            None => unknown.insert(format!("Found unknown section '{section}' in '{shown}.")),
            Some(keys) if !keys.contains(key) => {
                unknown.insert(format!("Found unknown key '{key}' in section '{section}' in '{shown}."))
            }
            Some(_) => false,
        };
    }
    Ok(unknown.into_iter().map(Error::new).collect())
}

fn in_environment(entries: &[&Entry]) -> Vec<Error> {
    let known: BTreeSet<&str> = entries.iter().flat_map(|e| e.setting.env).copied().collect();
    let ours = |name: &String| {
        name.starts_with("ANSIBLE_")
            && !name.starts_with("ANSIBLE_TEST_")
            && !name.starts_with("ANSIBLE_LINT_")
            && !matches!(name.as_str(), "ANSIBLE_CONFIG" | "ANSIBLE_DEV_HOME")
    };
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let unknown: BTreeSet<String> =
        names.filter(ours).filter(|name| !known.contains(name.as_str())).collect();
    unknown
        .into_iter()
        .map(|name| Error::new(format!("Found unknown environment variable '{name}'.")))
        .collect()
}
