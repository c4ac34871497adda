//! Package files, on the host or at a URL.

use std::path::{Path, PathBuf};

use playbook_api::{Context, Failure, Outcome};

use super::installed::Installed;
use super::{Apt, State};
use crate::host::Host;
use crate::host::errno::Doing;
use crate::host::http::{Ask, Connect, Redirects, without_user};
use crate::host::path::HostPath;
use crate::host::process::Program;

impl Apt {
    pub(super) fn install_file(
        &self,
        host: &Host,
        outcome: Outcome,
        deb: &HostPath,
    ) -> Result<Outcome, Failure> {
        if self.state != State::Present {
            return Err(Failure::new("deb only supports state=present"));
        }
        let fetched = deb.0.contains("://").then(|| download(host, &deb.0)).transpose()?;
        let path = fetched.clone().unwrap_or_else(|| deb.resolve(host.context));
        let done = self.install_path(host, outcome, &path);
        if let Some(path) = fetched {
            let _ = Host::new(&Context { check: false, ..host.context.clone() }).remove(&path);
        }
        done
    }

    fn install_path(&self, host: &Host, outcome: Outcome, path: &Path) -> Result<Outcome, Failure> {
        let shown = path.display().to_string();
        let format = "--showformat=${Package}\t${Version}";
        let fields = host.query(&Program::new(["dpkg-deb", "-W", format, &shown]))?;
        let said = fields.out();
        let (name, version) = said
            .split_once('\t')
            .filter(|_| fields.success())
            .ok_or_else(|| Failure::new(format!("Unable to install package: {}", fields.err().trim())))?;
        if Installed::read(host)?.has_version(name, version) {
            return Ok(outcome.with("stdout", "").with("stderr", ""));
        }
        let path = if shown.starts_with('/') { shown } else { format!("./{shown}") };
        self.change(host, outcome, "install", &[path])
    }
}

/// Downloads a package file, in check mode too: its name and version must be read.
fn download(host: &Host, url: &str) -> Result<PathBuf, Failure> {
    let context = Context { check: false, ..host.context.clone() };
    let ask = Ask { method: "GET".into(), redirects: Redirects::All, ..Ask::default() };
    let mut answer = Connect::plain(url, true).ask(ask, &context)?;
    if !answer.is_success() {
        return Err(Failure::new(format!("Failure downloading {}, {}", without_user(url), answer.summary())));
    }
    let (host, directory) = (Host::new(&context), std::env::temp_dir());
    let path = host
        .create_temporary(&directory, "ansible.", ".deb", false)
        .doing("could not make a temporary file in", &directory)?;
    host.fill(&path, &mut answer.reader).doing("could not download to", &path)?;
    Ok(path)
}
