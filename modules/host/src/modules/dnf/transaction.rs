//! Parses dnf's output: the packages of a transaction, or the reason why there is none.

use playbook_api::Failure;

use super::failed;
use crate::host::process::Output;

/// What happens to a package.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Action {
    Installed,
    Removed,
    /// Removed since it depends on another one that is removed.
    RemovedAsDependant,
    Reinstalled,
}

/// A transaction as dnf prints it.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    packages: Vec<(Action, String, String)>,
    said: String,
    rc: i32,
}

impl Transaction {
    /// Reads the table that dnf 4 and dnf 5 print alike: sections of packages, each with its architecture and version.
    pub(super) fn read(output: &Output) -> Transaction {
        let (out, err) = (output.out(), output.err());
        let mut packages = Vec::new();
        let mut section = None;
        for line in out.lines() {
            if let Some(title) = line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
                section = action(title);
                continue;
            }
            let Some(now) = section else { continue };
            // The rows of a section are indented.
            if !line.starts_with(' ') {
                section = None;
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let (now, fields) = match words.as_slice() {
                ["replacing", fields @ ..] => (Action::Removed, fields),
                fields => (now, fields),
            };
            if let [name, arch, version, ..] = fields
                && version.starts_with(|c: char| c.is_ascii_alphanumeric())
            {
                let version = version.strip_prefix("0:").unwrap_or(version);
                packages.push((now, (*name).to_owned(), format!("{name}-{version}.{arch}")));
            }
        }
        Transaction { packages, said: err + &out, rc: output.rc }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// Whether dnf exited because it was told not to continue.
    pub(super) fn is_aborted(&self) -> bool {
        self.said.contains("Operation aborted")
    }

    /// The names of packages that go because they depend on others that do.
    pub(super) fn dependants(&self) -> Vec<&str> {
        let going = self.packages.iter().filter(|(action, ..)| *action == Action::RemovedAsDependant);
        going.map(|(_, name, _)| name.as_str()).collect()
    }

    /// One line a package: `Installed: foo-2.0-1.noarch`.
    pub(super) fn results(&self, is_download: bool) -> Vec<String> {
        let line = |(action, _, package): &(Action, String, String)| {
            let verb = match action {
                _ if is_download => "Downloaded",
                Action::Installed => "Installed",
                Action::Removed | Action::RemovedAsDependant => "Removed",
                Action::Reinstalled => "Reinstall",
            };
            format!("{verb}: {package}")
        };
        self.packages.iter().map(line).collect()
    }

    /// Returns the reason of dnf's failure.
    pub(super) fn failure(&self) -> Failure {
        let missing = |line: &str| {
            let name = line.trim().strip_prefix("No match for argument: ")?;
            Some(format!("No package {name} available."))
        };
        let missing: Vec<String> = self.said.lines().filter_map(missing).collect();
        if !missing.is_empty() {
            return failed("Failed to install some of the specified packages", &missing);
        }
        let lines = || self.said.lines().map(str::trim).filter(|line| !line.is_empty());
        let problems: Vec<String> =
            lines().filter(|line| line.starts_with("Problem")).map(str::to_owned).collect();
        if !problems.is_empty() {
            return failed("Depsolve Error occurred", &problems);
        }
        let error =
            lines().find_map(|line| line.strip_prefix("Error:").map(str::trim).filter(|e| !e.is_empty()));
        if self.rc < 0 {
            return failed(&format!("dnf was ended by signal {}", -self.rc), &[]);
        }
        let is_talk = |line: &str| {
            let starts = [
                "Last metadata expiration check",
                "Updating and loading",
                "Repositories loaded",
                "Warning",
                "Unable to detect release",
            ];
            let is_progress = line.contains("B/s |");
            is_progress || starts.iter().any(|start| line.starts_with(start))
        };
        let reason = error.or_else(|| lines().find(|line| !is_talk(line)));
        failed(reason.unwrap_or("dnf failed without a reason"), &[])
    }
}

fn action(title: &str) -> Option<Action> {
    match title {
        "Removing dependent packages" => Some(Action::RemovedAsDependant),
        title if title.starts_with("Removing") => Some(Action::Removed),
        title if title.starts_with("Reinstalling") => Some(Action::Reinstalled),
        title if ["Installing", "Upgrading", "Downgrading"].iter().any(|t| title.starts_with(t)) => {
            Some(Action::Installed)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(out: &str, err: &str) -> Transaction {
        Transaction::read(&Output { rc: 1, stdout: out.into(), stderr: err.into(), ..Output::default() })
    }

    #[test]
    fn packages_of_a_transaction_are_read() {
        let five = "Package    Arch   Version Repository      Size\nUpgrading:\n foo       noarch 2.0-1   loc        4.0   B\n   replacing foo noarch 1.0-1 loc 4.0 B\nInstalling dependencies:\n bar       noarch 1:1.0-1 loc 0 B\n\nTransaction Summary:\n Upgrading: 1 package\nOperation aborted by the user.\n";
        let transaction = read(five, "");
        let wanted =
            ["Installed: foo-2.0-1.noarch", "Removed: foo-1.0-1.noarch", "Installed: bar-1:1.0-1.noarch"];
        assert_eq!(transaction.results(false), wanted);
        assert!(transaction.is_aborted() && transaction.dependants().is_empty());
        let removal = read(
            "Removing:\n foo noarch 1.0-1 @System 4 B\nRemoving dependent packages:\n bar noarch 1.0-1 @System 4 B\n",
            "",
        );
        assert_eq!(removal.dependants(), ["bar"]);
    }

    #[test]
    fn failures_name_the_reason_and_not_a_warning() {
        let failure = read("", "Unable to detect release version (use '--releasever' to specify release version)\nError: Failed to download metadata for repo 'x'\n").failure();
        assert_eq!(failure.error.message(), "Failed to download metadata for repo 'x'");
        let failure =
            read("", "No match for argument: nosuch\nError: Unable to find a match: nosuch\n").failure();
        assert_eq!(failure.error.message(), "Failed to install some of the specified packages");
        assert_eq!(
            failure.outcome.values.get("failures").unwrap().to_string(),
            "['No package nosuch available.']"
        );
        let failure =
            read("", "Failed to resolve the transaction:\nProblem: conflicting requests\n").failure();
        assert_eq!(failure.error.message(), "Depsolve Error occurred");
    }
}
