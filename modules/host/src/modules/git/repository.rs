//! git's commands in the repository.

use playbook_api::Failure;

use super::Call;
use crate::host::environment::variable;
use crate::host::process::{Output, Program};
use crate::host::{ended_badly, words};

impl Call<'_> {
    /// Whether the repository exists already.
    pub(super) fn exists(&self) -> bool {
        let mark = if self.arguments.bare { "config" } else { ".git" };
        !self.dest.as_os_str().is_empty() && self.dest.join(mark).exists()
    }

    /// A git command in the repository.
    pub(super) fn program(&self, words: &[&str]) -> Program {
        let program = Program::new([self.git.as_str()]).args(words.iter().copied());
        let program = program.directory(Some(self.dest.clone()).filter(|d| d.is_dir()));
        self.environment(program)
    }

    pub(super) fn environment(&self, program: Program) -> Program {
        let (arguments, context) = (self.arguments, self.host.context);
        let own = variable("GIT_SSH", context).or_else(|| variable("GIT_SSH_COMMAND", context));
        let is_own = own.is_some();
        let mut ssh = vec![own.unwrap_or_else(|| "ssh".into()), "-o".into(), "BatchMode=yes".into()];
        let plain = ssh.len();
        if let Some(key) = &arguments.key_file {
            let key = words::quote(&key.resolve(context).display().to_string());
            ssh.extend(["-i".into(), key, "-o".into(), "IdentitiesOnly=yes".into()]);
        }
        if arguments.accept_hostkey {
            ssh.extend(["-o".into(), "StrictHostKeyChecking=no".into()]);
        } else if arguments.accept_newhostkey {
            ssh.extend(["-o".into(), "StrictHostKeyChecking=accept-new".into()]);
        }
        ssh.extend(arguments.ssh_opts.clone());
        let program = program.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C.UTF-8");
        if is_own && ssh.len() == plain { program } else { program.env("GIT_SSH_COMMAND", ssh.join(" ")) }
    }

    /// Runs a command that changes the repository; it must succeed.
    pub(super) fn write(&self, words: &[&str]) -> Result<Output, Failure> {
        let mut program = self.program(words);
        if let Some(umask) = &self.umask {
            let line = program.argv().iter().map(|w| words::quote(w)).collect::<Vec<_>>().join(" ");
            program = self.environment(
                Program::new(["/bin/sh", "-c"])
                    .arg(format!("umask {umask}; exec {line}"))
                    .directory(program.directory_of()),
            );
        }
        let output = self.host.run(&program)?;
        if output.success() { Ok(output) } else { Err(ended_badly(&program, &output)) }
    }

    /// The output of a command that only reads, if it succeeds.
    pub(super) fn read(&self, words: &[&str]) -> Result<Option<String>, Failure> {
        // Otherwise `status` and `diff` write the index anew.
        let output = self.host.query(&self.program(words).env("GIT_OPTIONAL_LOCKS", "0"))?;
        Ok(output.success().then(|| output.out().trim().to_owned()))
    }

    /// The commit that a version is in the local repository.
    pub(super) fn commit(&self, version: &str) -> Option<String> {
        self.read(&["rev-parse", "--verify", "--quiet", &format!("{version}^{{commit}}")]).ok().flatten()
    }

    /// Whether exactly this reference exists, rather than an expression like `HEAD~1`.
    pub(super) fn has_ref(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.read(&["show-ref", "--verify", "--quiet", name])?.is_some())
    }

    /// The branch that is checked out; none where the head is detached.
    pub(super) fn current_branch(&self) -> Result<Option<String>, Failure> {
        self.read(&["symbolic-ref", "--quiet", "--short", "HEAD"])
    }

    pub(super) fn is_modified(&self) -> Result<bool, Failure> {
        let status = self.read(&["status", "--porcelain", "--untracked-files=no"])?.unwrap_or_default();
        Ok(!status.is_empty())
    }

    pub(super) fn depth(&self) -> Option<String> {
        self.arguments.depth.map(|depth| format!("--depth={depth}"))
    }
}
