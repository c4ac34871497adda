//! Retry files: the hosts that a playbook has lost, for `--limit @FILE` of the next run.

use std::path::{Path, PathBuf};

use crate::report::Event;
use crate::run::Run;

impl Run {
    /// Writes the hosts that have failed or were unreachable into `NAME.retry`, where `retry_files_enabled` asks for it.
    pub fn write_retry_file(&mut self, playbook: &Path) {
        if !self.shared.settings.retry_files_enabled {
            return;
        }
        let mut hosts: Vec<&str> = self.failed.union(&self.unreachable).map(|host| &**host).collect();
        if hosts.is_empty() {
            return;
        }
        hosts.sort_unstable();
        let path = self.retry_file(playbook);
        let text: String = hosts.iter().map(|host| format!("{host}\n")).collect();
        let directory = path.parent().unwrap_or(Path::new("/"));
        let written = std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&path, text));
        self.emit(match written {
            Ok(()) => Event::Text(format!("\tto retry, use: --limit @{}\n", path.display())),
            Err(e) => Event::Warning(format!("Could not create retry file '{}'.\n\t{e}", path.display())),
        });
    }

    /// The file beside the playbook, or in the directory that `retry_files_save_path` names.
    fn retry_file(&self, playbook: &Path) -> PathBuf {
        let beside = playbook.parent().unwrap_or(Path::new("/"));
        let directory = self.shared.settings.retry_files_save_path.as_deref().unwrap_or(beside);
        let name = playbook.file_stem().unwrap_or_default().to_string_lossy();
        crate::paths::absolute(directory).join(format!("{name}.retry"))
    }
}
