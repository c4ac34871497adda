//! Packages by name and version, and which of them are installed.

use std::collections::HashSet;

use playbook_api::Failure;

use crate::host::process::Program;
use crate::host::{Host, glob};

/// A package as a task writes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Spec {
    pub(super) written: String,
    pub(super) name: String,
    /// The version after `=`, which may be a pattern.
    version: Option<String>,
    /// The version after `>=`.
    pub(super) at_least: Option<String>,
    /// The release after `/`.
    release: Option<String>,
}

impl Spec {
    pub(super) fn parse(written: &str) -> Spec {
        let mut spec = Spec { written: written.to_owned(), ..Spec::default() };
        let (name, version) = match (written.split_once(">="), written.split_once('=')) {
            (Some((name, least)), _) => {
                spec.at_least = Some(least.to_owned());
                (name, None)
            }
            (None, Some((name, version))) => (name, Some(version.to_owned())),
            (None, None) => (written, None),
        };
        let (name, release) = name.split_once('/').map_or((name, None), |(n, r)| (n, Some(r.to_owned())));
        Spec { name: name.to_owned(), version, release, ..spec }
    }

    /// The packages as apt-get takes them.
    pub(super) fn words(specs: &[Spec]) -> Vec<String> {
        let word = |spec: &Spec| match (&spec.version, &spec.release) {
            (Some(version), _) => format!("{}={version}", spec.name),
            (None, Some(release)) => format!("{}/{release}", spec.name),
            (None, None) => spec.name.clone(),
        };
        specs.iter().map(word).collect()
    }

    /// Fails for a name that apt-get would interpret as an option, or as a request to remove a package.
    pub(super) fn check(word: &str) -> Result<(), Failure> {
        if word.starts_with('-') && !matches!(word, "--purge" | "--fix-broken") || word.ends_with('-') {
            return Err(Failure::new(format!("No package matching '{word}' is available"))
                .with_help("Write the name of a package, such as `nginx` or `nginx=1.22.*`."));
        }
        Ok(())
    }
}

/// The packages that dpkg knows.
pub(super) struct Installed {
    /// `name:architecture` and version.
    packages: Vec<(String, String)>,
    /// Removed packages of which configuration files are left.
    left: Vec<String>,
}

impl Installed {
    pub(super) fn read(host: &Host) -> Result<Installed, Failure> {
        let format = "${db:Status-Abbrev}\t${Package}\t${Architecture}\t${Version}\n";
        let output = host.query(&Program::new(["dpkg-query", "-W", "-f", format]))?;
        let mut found = Installed { packages: Vec::new(), left: Vec::new() };
        for line in output.out().lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [status, name, arch, version] = fields.as_slice() else { continue };
            let name = format!("{name}:{arch}");
            match status.get(1..2) {
                Some("i") => found.packages.push((name, (*version).to_owned())),
                Some("c") => found.left.push(name),
                _ => {}
            }
        }
        Ok(found)
    }

    fn versions<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.packages.iter().filter(move |(n, _)| is_named(n, name)).map(|(_, version)| version.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.versions(name).next().is_some()
    }

    /// Whether configuration files of a removed package are left.
    pub(super) fn has_left(&self, name: &str) -> bool {
        self.left.iter().any(|n| is_named(n, name))
    }

    /// Whether a package is installed in exactly this version.
    pub(super) fn has_version(&self, name: &str, version: &str) -> bool {
        self.versions(name).any(|v| v == version)
    }

    pub(super) fn satisfies(&self, host: &Host, spec: &Spec) -> Result<bool, Failure> {
        for version in self.versions(&spec.name) {
            let fits = match (&spec.version, &spec.at_least) {
                (Some(wanted), _) => glob::matches(wanted, version),
                (None, Some(least)) => is_at_least(host, version, least)?,
                (None, None) => true,
            };
            if fits {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether an installed package (`name:architecture`) has a name, which may be a pattern and name an architecture.
fn is_named(installed: &str, name: &str) -> bool {
    let plain = installed.split(':').next().unwrap_or(installed);
    glob::matches(name, installed) || glob::matches(name, plain)
}

/// Whether a version is at least another one.
pub(super) fn is_at_least(host: &Host, version: &str, least: &str) -> Result<bool, Failure> {
    let program = Program::new(["dpkg", "--compare-versions", version, "ge", least]);
    Ok(!version.is_empty() && host.query(&program)?.success())
}

/// Marks packages that were installed as dependencies as manually installed.
pub(super) fn mark_manual(host: &Host, specs: &[Spec]) -> Result<(), Failure> {
    let text = std::fs::read_to_string("/var/lib/apt/extended_states").unwrap_or_default();
    let automatic = automatic(&text);
    let names = specs.iter().map(|spec| spec.name.as_str());
    let names: Vec<&str> =
        names.filter(|name| automatic.contains(name.split(':').next().unwrap_or(name))).collect();
    if names.is_empty() {
        return Ok(());
    }
    host.run_ok(&Program::new(["apt-mark", "manual"]).args(names)).map(drop)
}

/// The names in apt's list of packages that were installed automatically.
fn automatic(text: &str) -> HashSet<&str> {
    let stanza = |stanza: &'_ str| stanza.lines().any(|line| line == "Auto-Installed: 1");
    let stanzas = text.split("\n\n").filter(|s| stanza(s));
    stanzas.filter_map(|s| s.lines().find_map(|line| line.strip_prefix("Package: "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_are_taken_apart() {
        let words = |written: &str| Spec::words(&[Spec::parse(written)]).concat();
        assert_eq!(
            (words("a=1*"), words("a>=1:2"), words("a/sid"), words("a:i386")),
            ("a=1*".into(), "a".into(), "a/sid".into(), "a:i386".into())
        );
        let spec = Spec::parse("a>=1:2");
        assert_eq!((spec.name.as_str(), spec.at_least.as_deref()), ("a", Some("1:2")));
        assert!(
            Spec::check("g++").is_ok() && Spec::check("nginx-").is_err() && Spec::check("--purge").is_ok()
        );
        assert!(Spec::check("-oFoo").is_err());
    }

    #[test]
    fn packages_are_found_by_name_architecture_and_pattern() {
        let found =
            Installed { packages: vec![("a-b:amd64".into(), "1.0".into())], left: vec!["c:all".into()] };
        assert!(found.has("a-b") && found.has("a-*") && found.has("a-b:amd64") && !found.has("a-b:i386"));
        assert!(found.has_version("a-b", "1.0") && found.has_left("c") && !found.has("c"));
    }

    #[test]
    fn automatic_packages_are_read() {
        let text = "Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: b\nAuto-Installed: 0\n";
        assert_eq!(automatic(text), HashSet::from(["a"]));
    }
}
