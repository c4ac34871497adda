//! The archive of the checked out version.

use std::path::Path;

use playbook_api::{Failure, Outcome};

use super::Call;
use crate::host::errno::Doing;

impl Call<'_> {
    /// Packs the version into the archive, unless that has the same content already.
    pub(super) fn archive(&self, mut outcome: Outcome) -> Result<Outcome, Failure> {
        let Some(archive) = &self.arguments.archive else { return Ok(outcome) };
        let path = archive.resolve(self.host.context);
        let name = path.display().to_string();
        if ![".zip", ".tar.gz", ".tgz", ".tar"].iter().any(|e| name.ends_with(e)) {
            let message = format!("Unable to get file extension from archive file name : {name}");
            return Err(Failure::new(message).with_help("Use .zip, .tar, .tgz or .tar.gz."));
        }
        let new = path.with_file_name(format!(
            ".{}.new{}",
            std::process::id(),
            path.file_name().unwrap_or_default().to_string_lossy()
        ));
        let mut words = vec!["archive".to_owned(), format!("--output={}", new.display())];
        words.extend(self.arguments.archive_prefix.iter().map(|p| format!("--prefix={p}")));
        words.push(self.arguments.version.clone());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.write(&words)?;
        let read = |p: &Path| std::fs::read(p).ok();
        if self.host.check() {
            outcome.changed |= !path.exists();
        } else if read(&new) == read(&path) {
            self.host.remove(&new).doing("could not remove", &new)?;
        } else {
            self.host.rename(&new, &path).doing("could not replace the archive", &path)?;
            outcome.changed = true;
        }
        Ok(outcome)
    }
}
