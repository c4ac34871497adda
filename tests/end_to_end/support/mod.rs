//! What the end-to-end tests share: the servers that `cargo xtask test` started, a project to run in, and the built
//! binary.

pub mod project;
pub mod servers;

use std::path::Path;
use std::process::{Command, Stdio};

pub use project::Project;
pub use servers::{Servers, servers};

/// How a run of the binary ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(command: &mut Command) -> Ended {
        let output = command.stdin(Stdio::null()).output().expect("the binary starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// All that was printed.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    pub fn sums(&self) -> xtask::recap::Sums {
        xtask::recap::sums(&self.stdout)
    }

    /// The run ended well.
    #[track_caller]
    pub fn ok(self) -> Ended {
        assert_eq!(self.code, 0, "exit code\n{}", self.text());
        assert!(!self.text().contains("panicked"), "{}", self.text());
        self
    }

    /// Each of these was printed.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Ended {
        for text in texts {
            assert!(self.text().contains(text), "'{text}' is not in\n{}", self.text());
        }
        self
    }

    /// None of these was printed.
    #[track_caller]
    pub fn hides(self, texts: &[&str]) -> Ended {
        for text in texts {
            assert!(!self.text().contains(text), "'{text}' is shown in\n{}", self.text());
        }
        self
    }

    #[track_caller]
    pub fn fails(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "exit code\n{}", self.text());
        assert!(!self.text().contains("panicked"), "{}", self.text());
        self
    }
}

/// The built binary, in a folder, away from the developer's own settings.
pub fn playbook(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_playbook"));
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["ANSIBLE_", "AWS_", "PLAYBOOK_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command.env("HOME", folder).env_remove("IMAGE_TAG");
    command
}
