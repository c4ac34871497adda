//! `apt_repository`: apt's repositories, as lines of `sources.list`.

mod ppa;
mod sources;

use std::path::PathBuf;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::attributes::FileAttributes;
use crate::host::diff::texts;
use crate::host::errno::Doing;
use crate::host::mode::Mode;
use crate::host::process::Program;
use crate::host::state::State;
use crate::host::{Host, Replace};
use crate::modules::apt;
use sources::{Line, Sources};

/// Adds and removes apt's repositories, line by line.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AptRepository {
    /// The source line: `deb URL SUITE COMPONENT…`, or `ppa:OWNER/NAME`.
    repo: String,
    /// Whether the repository is to be configured.
    #[serde(default)]
    state: State,
    /// The permissions of a new source file.
    mode: Option<Mode>,
    /// Whether to fetch the package lists after a change.
    #[serde(default = "playbook_api::defaults::yes")]
    #[schemars(extend("aliases" = ["update-cache"]))]
    update_cache: bool,
    /// The number of attempts to fetch the package lists.
    #[serde(default = "playbook_api::defaults::number::<u64, 5>")]
    update_cache_retries: u64,
    /// The longest pause between two of these attempts, in seconds.
    #[serde(default = "twelve")]
    update_cache_retry_max_delay: u64,
    /// Whether to verify TLS certificates when a PPA's details are fetched.
    #[serde(default = "playbook_api::defaults::yes")]
    validate_certs: bool,
    /// The name of the file in `sources.list.d`, without its suffix; derived from the URL if it is missing.
    filename: Option<String>,
    /// The release that a PPA is used for; the host's own one if it is missing.
    codename: Option<String>,
    /// Accepted for compatibility: no Python bindings are needed.
    #[serde(default = "playbook_api::defaults::yes")]
    #[expect(dead_code, reason = "accepted so that playbooks run unchanged")]
    install_python_apt: bool,
}

fn twelve() -> u64 {
    12
}

impl HostModule for AptRepository {
    const DOC: Doc = Doc {
        name: "apt_repository",
        short: "Manages apt's repositories",
        returns: &[
            ("repo", "str", "The line."),
            ("sources_added", "list", "Files that were made."),
            ("sources_removed", "list", "Files that were removed."),
        ],
        examples: "- apt_repository:\n    repo: deb http://archive.canonical.com/ubuntu hardy partner\n    state: present\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        if self.repo.is_empty() {
            return Err(Failure::new("Please set argument 'repo' to a non-empty value"));
        }
        let before = Sources::read()?;
        let mut after = before.clone();
        let ppa = self.repo.strip_prefix("ppa:").map(|named| ppa::Ppa::of(named, self.codename.as_deref()));
        let written = ppa.as_ref().map_or_else(|| self.repo.clone(), ppa::Ppa::line);
        let line = Line::parse(&written);
        if !line.valid || !line.enabled {
            return Err(Failure::new(format!("Invalid repository string: {}", self.repo)));
        }
        match self.state {
            State::Absent => after.remove(&line.source),
            State::Present => {
                let name = self.filename.clone().unwrap_or_else(|| match &ppa {
                    Some(ppa) => sources::suggested(&format!("{}_{}", self.repo, ppa.codename)),
                    None => sources::suggested(&line.source),
                });
                after.add(&line.source, &sources::place(&format!("{name}.list")));
            }
        }
        let (old, new) = (before.texts(), after.texts());
        let changed = old != new;
        let only = |in_one: &sources::Texts, other: &sources::Texts| -> Vec<String> {
            in_one.keys().filter(|f| !other.contains_key(*f)).map(|f| f.display().to_string()).collect()
        };
        let (added, removed) = (only(&new, &old), only(&old, &new));
        let mut outcome = Outcome::changed(changed)
            .with("repo", self.repo.as_str())
            .with("state", if self.state == State::Present { "present" } else { "absent" })
            .with("sources_added", added.clone())
            .with("sources_removed", removed.clone());
        if !changed {
            return Ok(outcome);
        }
        if context.diff {
            for name in added.iter().chain(&removed) {
                let text = |texts: &sources::Texts| texts.get(&PathBuf::from(name)).cloned();
                let header = |text: &Option<String>| if text.is_some() { name.as_str() } else { "/dev/null" };
                let (was, is) = (text(&old), text(&new));
                let (a, b) = (was.clone().unwrap_or_default(), is.clone().unwrap_or_default());
                outcome.diff.push(texts(a.as_bytes(), b.as_bytes(), header(&was), header(&is)));
            }
        }
        if let (Some(ppa), State::Present) = (&ppa, self.state) {
            ppa.trust(&host, self.validate_certs)?;
        }
        self.save(&host, &old, &new)?;
        if self.update_cache {
            let program = Program::new(["apt-get", "update"]).env("LC_ALL", "C");
            let (retries, pause) = (self.update_cache_retries, self.update_cache_retry_max_delay);
            if let Err(why) = apt::refresh(&host, &program, retries, pause)? {
                self.save(&host, &new, &old)?;
                let message = format!("Failed to update apt cache after {retries} retries: {why}");
                return Err(Failure::new(message));
            }
        }
        Ok(outcome)
    }
}

impl AptRepository {
    /// Writes the files that differ from the wanted content.
    fn save(&self, host: &Host, old: &sources::Texts, new: &sources::Texts) -> Result<(), Failure> {
        for (file, text) in new.iter().filter(|(file, text)| old.get(*file) != Some(text)) {
            // A link is kept.
            let target = std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
            let is_new = !target.exists();
            host.write(&target, text.as_bytes(), &Replace::default())?;
            if is_new && !host.check() {
                let mode = self.mode.clone().unwrap_or(Mode::Text("0644".into()));
                let attributes = FileAttributes { mode: Some(mode), ..FileAttributes::default() };
                attributes.apply(host, &target, true)?;
            }
        }
        for file in old.keys().filter(|file| !new.contains_key(*file)) {
            host.remove(file).doing("could not remove", file)?;
        }
        Ok(())
    }
}
