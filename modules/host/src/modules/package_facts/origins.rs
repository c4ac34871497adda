//! Where apt has installed packages from.

use std::collections::HashMap;

use playbook_api::Failure;

use crate::host::Host;
use crate::host::process::{Program, which};

/// The origins of installed packages, as the repositories' release files name them (`Debian`).
#[derive(Debug, Default)]
pub(super) struct Origins(HashMap<(String, String), String>);

impl Origins {
    /// The origin of a version of a package; empty if no repository has it.
    pub(super) fn of(&self, name: &str, version: &str) -> &str {
        self.0.get(&(name.to_owned(), version.to_owned())).map_or("", String::as_str)
    }

    /// Reads the releases that `apt-cache policy` lists, and the policies of packages.
    fn parse(releases: &str, policies: &str) -> Origins {
        // Each release stands on two lines: its source, and its attributes.
        let mut origins: HashMap<&str, &str> = HashMap::new();
        let mut source = None;
        for line in releases.lines() {
            if let Some(attributes) = line.trim().strip_prefix("release ") {
                let origin = attributes.split(',').find_map(|part| part.strip_prefix("o="));
                if let Some((source, origin)) = source.zip(origin) {
                    origins.insert(source, origin);
                }
            } else {
                source = source_of(line);
            }
        }
        let mut found = HashMap::new();
        let (mut name, mut version) = ("", None);
        for line in policies.lines() {
            if !line.starts_with(' ') {
                name = line.trim_end_matches(':').split(':').next().unwrap_or_default();
                version = None;
            } else if let Some(installed) = line.strip_prefix(" *** ") {
                version = installed.split(' ').next();
            } else if line.starts_with("     ") && !line.starts_with("        ") {
                version = None;
            } else if let Some(version) = version
                && let Some(origin) = source_of(line).and_then(|source| origins.get(source))
            {
                found.entry((name.to_owned(), version.to_owned())).or_insert_with(|| (*origin).to_owned());
            }
        }
        Origins(found)
    }
}

/// The source on a line such as ` 500 http://deb.debian.org/debian bookworm/main amd64 Packages`.
fn source_of(line: &str) -> Option<&str> {
    let line = line.trim();
    let (priority, source) = line.split_once(' ')?;
    priority.parse::<i32>().ok().map(|_| source)
}

pub(super) fn read(host: &Host) -> Result<Origins, Failure> {
    if which("apt-cache", host.context).is_none() {
        return Ok(Origins::default());
    }
    let ask = |names: Vec<String>| {
        host.query(&Program::new(["apt-cache", "policy"]).args(names).env("LC_ALL", "C")).map(|o| o.out())
    };
    let names = host.query(&Program::new(["dpkg-query", "-W", "-f", "${Package}\n"]))?.out();
    let releases = ask(Vec::new())?;
    let policies = ask(names.lines().map(str::to_owned).collect())?;
    Ok(Origins::parse(&releases, &policies))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_the_one_of_the_installed_version() {
        let releases = "Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n 500 http://deb.debian.org/debian bookworm/main amd64 Packages\n     release v=12.12,o=Debian,a=oldstable,n=bookworm,l=Debian,c=main,b=amd64\n     origin deb.debian.org\n 500 https://x.example sid/main amd64 Packages\n     release o=Example,a=sid\nPinned packages:\n";
        let policies = "adduser:\n  Installed: 3.134\n  Candidate: 3.134\n  Version table:\n     4.0 500\n        500 https://x.example sid/main amd64 Packages\n *** 3.134 500\n        500 http://deb.debian.org/debian bookworm/main amd64 Packages\n        100 /var/lib/dpkg/status\nlocal:\n  Installed: 1\n  Version table:\n *** 1 100\n        100 /var/lib/dpkg/status\n";
        let origins = Origins::parse(releases, policies);
        assert_eq!((origins.of("adduser", "3.134"), origins.of("local", "1")), ("Debian", ""));
        assert_eq!(origins.0.len(), 1);
    }
}
