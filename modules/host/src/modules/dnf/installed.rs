//! Whether packages are installed, by RPM's database.

use playbook_api::Failure;

use super::Dnf;
use super::command::{Manager, Step, Verb};
use crate::host::Host;
use crate::host::process::Program;

/// Epoch, version and release.
const EVR: &str = "%{EPOCHNUM}:%{VERSION}-%{RELEASE}";

impl Dnf {
    fn rpm(&self, words: &[&str]) -> Program {
        let root = self.installroot.iter().filter(|root| *root != "/").map(|root| format!("--root={root}"));
        Program::new(["rpm".to_owned()]).args(root).args(words.iter().copied()).env("LC_ALL", "C.UTF-8")
    }

    fn ask(&self, host: &Host, words: &[&str]) -> Result<Option<String>, Failure> {
        let output = host.query(&self.rpm(words))?;
        Ok(output.success().then(|| output.out()))
    }

    /// Whether a package, a version of it, a file's package or a capability is installed.
    pub(super) fn is_installed(&self, host: &Host, spec: &str) -> Result<bool, Failure> {
        if let Some((name, _)) = self.file(host, spec)? {
            return Ok(self.ask(host, &["-q", "--", &name])?.is_some());
        }
        Ok(self.ask(host, &["-q", "--", spec])?.is_some()
            || self.ask(host, &["-q", "--whatprovides", "--", spec])?.is_some())
    }

    /// Whether a newer version than the one that is asked for is installed.
    pub(super) fn is_newer_installed(
        &self,
        host: &Host,
        manager: Manager,
        spec: &str,
    ) -> Result<bool, Failure> {
        let target = match self.file(host, spec)? {
            Some((_, name_and_version)) => name_and_version,
            None => {
                let newline = if manager.is_five() { "\n" } else { "" };
                let format = format!("%{{name}}\t%{{epoch}}:%{{version}}-%{{release}}{newline}");
                let mut step = Step::new(Verb::Repoquery);
                step.words = vec!["--latest-limit=1".into(), "--queryformat".into(), format, spec.into()];
                host.query(&self.program(manager, &step))?.out()
            }
        };
        let target = target.lines().filter_map(|line| line.trim().split_once('\t')).next_back();
        let Some((name, target)) = target else { return Ok(false) };
        let Some(now) = self.ask(host, &["-q", "--qf", &format!("{EVR}\n"), "--", name])? else {
            return Ok(false);
        };
        let Some(now) = now.lines().next_back() else { return Ok(false) };
        let is_plain = |evr: &str| evr.chars().all(|c| c.is_ascii_alphanumeric() || ".:-_+~^".contains(c));
        if !is_plain(now) || !is_plain(target) {
            return Ok(false);
        }
        let compared = format!("%{{lua:print(rpm.vercmp(\"{now}\", \"{target}\"))}}");
        Ok(self.ask(host, &["--eval", &compared])?.is_some_and(|said| said.trim() == "1"))
    }

    /// The package in a file or at a URL: its full name, and its name and version.
    fn file(&self, host: &Host, spec: &str) -> Result<Option<(String, String)>, Failure> {
        if !spec.ends_with(".rpm") || !spec.contains('/') {
            return Ok(None);
        }
        let format = format!("%{{NAME}}-%{{VERSION}}-%{{RELEASE}}.%{{ARCH}}\t%{{NAME}}\t{EVR}\n");
        let said = self.ask(host, &["-qp", "--nosignature", "--qf", &format, "--", spec])?;
        let parts = said.as_deref().and_then(|said| said.lines().next()?.split_once('\t'));
        Ok(parts.map(|(name, rest)| (name.to_owned(), rest.to_owned())))
    }
}
