//! Lists of packages and repositories.

use playbook_api::{Failure, Value, map};

use super::Dnf;
use super::command::{Manager, Step, Verb};
use super::transaction::Transaction;
use crate::host::Host;

/// The fields of a package, with tabs between them.
const FIELDS: &str = "%{name}\t%{epoch}\t%{version}\t%{release}\t%{arch}\t%{repoid}";

impl Dnf {
    /// The packages or repositories that `list` asks for.
    pub(super) fn listed(&self, host: &Host, manager: Manager, what: &str) -> Result<Vec<Value>, Failure> {
        match what {
            "installed" => self.packages(host, manager, &["--installed"]),
            "updates" | "upgrades" => self.packages(host, manager, &["--upgrades"]),
            "available" => self.packages(host, manager, &["--available"]),
            "repos" | "repositories" => self.repositories(host, manager),
            spec => {
                let mut found = self.packages(host, manager, &["--installed", "--", spec])?;
                found.extend(self.packages(host, manager, &["--available", "--", spec])?);
                Ok(found)
            }
        }
    }

    fn packages(&self, host: &Host, manager: Manager, words: &[&str]) -> Result<Vec<Value>, Failure> {
        let newline = if manager.is_five() { "\n" } else { "" };
        let mut step = Step::new(Verb::Repoquery);
        step.words = vec!["--queryformat".into(), format!("{FIELDS}{newline}")];
        step.words.extend(words.iter().map(|word| (*word).to_owned()));
        let output = host.query(&self.program(manager, &step))?;
        if !output.success() {
            return Err(Transaction::read(&output).failure());
        }
        Ok(output.out().lines().filter_map(|line| package(line, manager)).collect())
    }

    fn repositories(&self, host: &Host, manager: Manager) -> Result<Vec<Value>, Failure> {
        let output = host.query(&self.program(manager, &Step::new(Verb::Repolist)))?;
        if !output.success() {
            return Err(Transaction::read(&output).failure());
        }
        let text = output.out();
        let rows = text.lines().skip_while(|line| !line.starts_with("repo id")).skip(1);
        let names = rows.filter_map(|line| line.split_whitespace().next());
        Ok(names.map(|name| map! { "repoid" => name, "state" => "enabled" }.into()).collect())
    }
}

fn package(line: &str, manager: Manager) -> Option<Value> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, epoch, version, release, arch, repo] = fields.as_slice() else { return None };
    let is_plain = matches!(*epoch, "0" | "" | "(none)");
    let shown = if is_plain { String::new() } else { format!("{epoch}:") };
    let nevra = format!("{name}-{shown}{version}-{release}.{arch}");
    let envra = match manager.is_five() {
        true => nevra.clone(),
        false => format!("{}:{name}-{version}-{release}.{arch}", if is_plain { "0" } else { epoch }),
    };
    let state = if *repo == "@System" { "installed" } else { "available" };
    Some(
        map! {
            "nevra" => nevra, "envra" => envra, "name" => *name, "arch" => *arch,
            "epoch" => if is_plain { "0" } else { *epoch }, "release" => *release, "version" => *version,
            "repo" => *repo, "yumstate" => state,
        }
        .into(),
    )
}
