//! `git`: a repository in a folder, at a version.

use std::path::{Path, PathBuf};

use playbook_api::{Context, Deserialize, Diff, Doc, Failure, HostModule, JsonSchema, Outcome, Value};

use crate::host::path::HostPath;
use crate::host::process::{Output, Program, which};
use crate::host::words;
use crate::host::{Host, ended_badly};

/// Clones and updates git repositories.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["separate_git_dir", "bare"], ["accept_hostkey", "accept_newhostkey"]], "required_by" = [["archive_prefix", ["archive"]]]))]
pub struct Git {
    /// Where it comes from.
    #[schemars(extend("aliases" = ["name"]))]
    repo: String,
    /// Where it goes.
    dest: HostPath,
    /// Branch, tag or commit.
    #[serde(default = "head")]
    version: String,
    /// What the source is called.
    #[serde(default = "origin")]
    remote: String,
    /// Clone where there is none yet.
    #[serde(default = "yes")]
    clone: bool,
    /// Fetch what is new.
    #[serde(default = "yes")]
    update: bool,
    /// Throw away local changes.
    #[serde(default)]
    force: bool,
    /// Only so many commits of the past.
    depth: Option<u32>,
    /// Without a working tree.
    #[serde(default)]
    bare: bool,
    /// Submodules too.
    #[serde(default = "yes")]
    recursive: bool,
    /// Submodules at their branch's newest commit.
    #[serde(default)]
    track_submodules: bool,
    /// Only the branch of the version.
    #[serde(default)]
    single_branch: bool,
    /// More to fetch.
    refspec: Option<String>,
    /// A local repository to borrow from.
    reference: Option<String>,
    /// Where the repository itself goes, away from the working tree.
    separate_git_dir: Option<HostPath>,
    /// SSH key for the source.
    key_file: Option<HostPath>,
    /// Options for ssh.
    ssh_opts: Option<String>,
    /// Trust the source's host key.
    #[serde(default)]
    accept_hostkey: bool,
    /// Trust a host key that was never seen.
    #[serde(default)]
    accept_newhostkey: bool,
    /// The git to use.
    executable: Option<HostPath>,
    /// umask for what is written.
    #[schemars(extend("format" = "raw"))]
    umask: Option<serde_json::Value>,
    /// The commit must be signed.
    #[serde(default)]
    verify_commit: bool,
    /// Keys that may have signed it.
    #[schemars(extend("aliases" = ["gpg_whitelist"]))]
    #[serde(default)]
    gpg_allowlist: Vec<String>,
    /// Pack the version into this file.
    archive: Option<HostPath>,
    /// Folder that the packed files are in.
    archive_prefix: Option<String>,
}

fn head() -> String {
    "HEAD".into()
}

fn origin() -> String {
    "origin".into()
}

fn yes() -> bool {
    true
}

impl HostModule for Git {
    const DOC: Doc = Doc {
        name: "git",
        short: "Clones and updates git repositories",
        returns: &[
            ("before", "str", "The commit that was checked out before."),
            ("after", "str", "The commit that is checked out now."),
            ("remote_url_changed", "bool", "Whether the source's address was another one."),
        ],
        examples: "- git:\n    repo: https://github.com/ansible/ansible-examples.git\n    dest: /src/ansible-examples\n    version: main\n",
        ..Doc::BUILTIN
    };

    fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        // By its path alone git would link the objects, and take no notice of `depth`.
        let path = crate::host::path::expand(&self.repo, context);
        if path.starts_with('/') {
            self.repo = format!("file://{path}");
        }
        let git = match &self.executable {
            Some(path) => path.resolve(context).display().to_string(),
            None => which("git", context).map(|p| p.display().to_string()).ok_or_else(|| {
                Failure::new("Failed to find required executable \"git\"").with_help("install it first")
            })?,
        };
        Call { dest: self.dest.resolve(context), host, git, arguments: &self }.run()
    }
}

struct Call<'a> {
    host: Host<'a>,
    git: String,
    dest: PathBuf,
    arguments: &'a Git,
}

impl Call<'_> {
    fn run(&self) -> Result<Outcome, Failure> {
        let arguments = self.arguments;
        let config = if arguments.bare { self.dest.join("config") } else { self.dest.join(".git") };
        if !config.exists() {
            return self.clone();
        }
        let before = self.commit("HEAD");
        let mut outcome = Outcome::default().with("before", before.clone());
        let url = self.read(&["config", "--get", &format!("remote.{}.url", arguments.remote)])?;
        let url_changed = url.as_deref() != Some(&arguments.repo);
        outcome = outcome.with("remote_url_changed", url_changed && url.is_some());
        if url_changed {
            outcome.changed = true;
            let verb = if url.is_some() { "set-url" } else { "add" };
            self.write(&["remote", verb, &arguments.remote, &arguments.repo])?;
        }
        if !arguments.bare && self.is_modified()? {
            if !arguments.force {
                return Err(Failure::new(
                    "Local modifications exist in the destination: ".to_owned()
                        + &self.shown()
                        + " (force=no).",
                )
                .with("before", before));
            }
            self.write(&["reset", "--hard", "HEAD"])?;
            outcome.changed = true;
        }
        if !arguments.update {
            let after = before.clone();
            return self.archive(outcome.with("after", after));
        }
        if self.host.check() {
            let remote = self.remote_commit()?;
            let wanted = remote.or_else(|| self.commit(&arguments.version));
            outcome.changed |= wanted.is_none() || wanted != before;
            return self.archive(self.differ(outcome, before.as_deref(), wanted));
        }
        self.fetch()?;
        if !arguments.bare {
            self.checkout()?;
            outcome.changed |= self.submodules()?;
        }
        self.verify()?;
        let after = self.commit("HEAD");
        outcome.changed |= before != after;
        self.archive(self.differ(outcome, before.as_deref(), after))
    }

    fn shown(&self) -> String {
        self.dest.display().to_string()
    }

    fn differ(&self, mut outcome: Outcome, before: Option<&str>, after: Option<String>) -> Outcome {
        if self.host.context.diff && before != after.as_deref() {
            let text = |c: Option<&str>| c.map_or_else(String::new, |c| format!("{c}\n"));
            outcome.diff.push(Diff::text(text(before), text(after.as_deref())));
        }
        outcome.with("after", after)
    }

    /// git in the repository.
    fn program(&self, words: &[&str]) -> Program {
        let program = Program::new([self.git.as_str()]).args(words.iter().copied());
        let program = program.directory(Some(self.dest.clone()).filter(|d| d.is_dir()));
        self.environment(program)
    }

    fn environment(&self, program: Program) -> Program {
        let arguments = self.arguments;
        let mut ssh = vec!["ssh".to_owned(), "-o".into(), "BatchMode=yes".into()];
        if let Some(key) = &arguments.key_file {
            ssh.extend([
                "-i".into(),
                words::quote(&key.resolve(self.host.context).display().to_string()),
                "-o".into(),
                "IdentitiesOnly=yes".into(),
            ]);
        }
        if arguments.accept_hostkey {
            ssh.extend(["-o".into(), "StrictHostKeyChecking=no".into()]);
        } else if arguments.accept_newhostkey {
            ssh.extend(["-o".into(), "StrictHostKeyChecking=accept-new".into()]);
        }
        ssh.extend(arguments.ssh_opts.clone());
        let program = program.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C.UTF-8");
        let own = crate::host::environment::variable("GIT_SSH_COMMAND", self.host.context).is_some()
            || crate::host::environment::variable("GIT_SSH", self.host.context).is_some();
        if own && ssh.len() == 3 { program } else { program.env("GIT_SSH_COMMAND", ssh.join(" ")) }
    }

    fn write(&self, words: &[&str]) -> Result<Output, Failure> {
        let mut program = self.program(words);
        let umask = self.arguments.umask.as_ref().and_then(|u| match u {
            serde_json::Value::Number(n) => n.as_u64().map(|n| format!("{n:03o}")),
            serde_json::Value::String(text) if !text.is_empty() && text.chars().all(|c| c.is_digit(8)) => {
                Some(text.clone())
            }
            _ => None,
        });
        if let Some(umask) = umask {
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

    /// What git says, if it ended well.
    fn read(&self, words: &[&str]) -> Result<Option<String>, Failure> {
        let output = self.host.query(&self.program(words))?;
        Ok(output.success().then(|| output.out().trim().to_owned()))
    }

    fn commit(&self, version: &str) -> Option<String> {
        self.read(&["rev-parse", "--verify", "--quiet", &format!("{version}^{{commit}}")]).ok().flatten()
    }

    fn is_modified(&self) -> Result<bool, Failure> {
        let status = self.read(&["status", "--porcelain", "--untracked-files=no"])?.unwrap_or_default();
        Ok(!status.is_empty())
    }

    fn depth(&self) -> Vec<String> {
        self.arguments.depth.map(|d| format!("--depth={d}")).into_iter().collect()
    }

    fn clone(&self) -> Result<Outcome, Failure> {
        let arguments = self.arguments;
        let outcome = Outcome::changed(true).with("before", Value::Null);
        if !arguments.clone {
            let remote = self.remote_commit()?;
            return Ok(outcome.with("after", remote));
        }
        if self.host.check() {
            let remote = self.remote_commit()?;
            return Ok(self.differ(outcome, None, remote));
        }
        if let Some(folder) = self.dest.parent() {
            crate::host::edit::make_folders(&self.host, folder)?;
        }
        let mut words: Vec<String> = vec!["clone".into()];
        words.push(if arguments.bare { "--bare".into() } else { format!("--origin={}", arguments.remote) });
        let branch = self.is_branch_or_tag()?;
        if branch && (arguments.depth.is_some() || arguments.single_branch) && arguments.version != "HEAD" {
            words.push(format!("--branch={}", arguments.version));
        }
        if branch || arguments.version == "HEAD" {
            words.extend(self.depth());
        }
        if arguments.single_branch {
            words.push("--single-branch".into());
        }
        words.extend(arguments.reference.iter().map(|r| format!("--reference={r}")));
        words.extend(
            arguments
                .separate_git_dir
                .iter()
                .map(|d| format!("--separate-git-dir={}", d.resolve(self.host.context).display())),
        );
        words.extend([arguments.repo.clone(), self.shown()]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.write(&words)?;
        if arguments.bare && arguments.remote != "origin" {
            self.write(&["remote", "add", &arguments.remote, &arguments.repo])?;
        }
        if let Some(refspec) = &arguments.refspec {
            self.write(&["fetch", &arguments.remote, refspec])?;
        }
        if !arguments.bare {
            self.checkout()?;
            self.submodules()?;
        }
        self.verify()?;
        let after = self.commit("HEAD");
        self.archive(self.differ(outcome, None, after))
    }

    /// The source's branches and tags with their commits, as git lists them.
    fn remote_refs(&self) -> Result<String, Failure> {
        let words = [self.git.as_str(), "ls-remote", "--symref", &self.arguments.repo];
        let program = self.environment(Program::new(words));
        let output = self.host.query(&program)?;
        if !output.success() {
            return Err(ended_badly(&program, &output));
        }
        Ok(output.out())
    }

    /// What a shallow repository fetches: its one branch or tag. Of a commit nobody knows how deep it lies.
    fn shallow(&self) -> Result<Option<String>, Failure> {
        let (version, remote) = (&self.arguments.version, &self.arguments.remote);
        if self.arguments.depth.is_none() || self.arguments.bare {
            return Ok(None);
        }
        let text = self.remote_refs()?;
        let head = || text.lines().find_map(|l| l.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD"));
        let branch = if version == "HEAD" { head().unwrap_or(version) } else { version };
        let is_there = |name: &str| text.lines().any(|l| l.split_once('\t').is_some_and(|(_, n)| n == name));
        Ok(if is_there(&format!("refs/heads/{branch}")) {
            Some(format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}"))
        } else if is_there(&format!("refs/tags/{version}")) {
            Some(format!("+refs/tags/{version}:refs/tags/{version}"))
        } else {
            None
        })
    }

    /// The commit that a version is at the source.
    fn remote_commit(&self) -> Result<Option<String>, Failure> {
        let version = self.arguments.version.as_str();
        let text = self.remote_refs()?;
        let find = |name: &str| {
            text.lines()
                .find_map(|l| l.split_once('\t').filter(|(_, n)| *n == name).map(|(c, _)| c.to_owned()))
        };
        let peeled = find(&format!("refs/tags/{version}^{{}}"));
        Ok(find(version)
            .or_else(|| find(&format!("refs/heads/{version}")))
            .or(peeled)
            .or_else(|| find(&format!("refs/tags/{version}"))))
    }

    fn is_branch_or_tag(&self) -> Result<bool, Failure> {
        Ok(self.arguments.version != "HEAD" && self.remote_commit()?.is_some())
    }

    fn fetch(&self) -> Result<(), Failure> {
        let arguments = self.arguments;
        let mut words: Vec<String> = vec!["fetch".into(), "--force".into()];
        let shallow = self.shallow()?;
        if shallow.is_some() {
            words.extend(self.depth());
        }
        words.push(arguments.remote.clone());
        if let Some(one) = shallow {
            words.push(one);
        } else if arguments.bare {
            words.push("+refs/heads/*:refs/heads/*".into());
            words.push("+refs/tags/*:refs/tags/*".into());
        } else {
            words.push("--tags".into());
            words.push(format!("+refs/heads/*:refs/remotes/{}/*", arguments.remote));
        }
        words.extend(arguments.refspec.clone());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.write(&words).map(drop)
    }

    fn checkout(&self) -> Result<(), Failure> {
        let arguments = self.arguments;
        let (version, remote) = (arguments.version.as_str(), arguments.remote.as_str());
        if version == "HEAD" {
            // The source's own branch.
            let _ = self.host.run(&self.program(&["remote", "set-head", remote, "--auto"]))?;
            let head = self.read(&["symbolic-ref", "--short", &format!("refs/remotes/{remote}/HEAD")])?;
            let Some(branch) = head.and_then(|h| h.strip_prefix(&format!("{remote}/")).map(str::to_owned))
            else {
                return Ok(());
            };
            return self.to_branch(&branch);
        }
        if self.commit(&format!("refs/remotes/{remote}/{version}")).is_some() {
            return self.to_branch(version);
        }
        if self.commit(version).is_none() {
            // A commit that no branch that was fetched leads to.
            let fetched = self.host.run(&self.program(&["fetch", remote, version]))?;
            if !fetched.success() {
                return Err(Failure::new(format!(
                    "Failed to checkout {version}: the source has no such branch, tag or commit"
                ))
                .with("stderr", fetched.err()));
            }
        }
        self.write(&["checkout", "--force", "--detach", version]).map(drop).map_err(|f| Failure {
            error: playbook_api::Error::new(format!("Failed to checkout {version}"))
                .caused_by(f.error.clone()),
            ..f
        })
    }

    fn to_branch(&self, branch: &str) -> Result<(), Failure> {
        let upstream = format!("{}/{branch}", self.arguments.remote);
        if self.commit(&format!("refs/heads/{branch}")).is_some() {
            self.write(&["checkout", "--force", branch, "--"])?;
        } else {
            self.write(&["checkout", "--force", "--track", "-b", branch, &upstream])?;
        }
        self.write(&["reset", "--hard", &upstream, "--"]).map(drop)
    }

    fn submodules(&self) -> Result<bool, Failure> {
        let arguments = self.arguments;
        if !arguments.recursive || !self.dest.join(".gitmodules").exists() {
            return Ok(false);
        }
        let before = self.read(&["submodule", "status", "--recursive"])?;
        self.write(&["submodule", "sync"])?;
        let mut words = vec!["submodule", "update", "--init", "--recursive"];
        if arguments.track_submodules {
            words.push("--remote");
        }
        if arguments.force {
            words.push("--force");
        }
        self.write(&words)?;
        Ok(before != self.read(&["submodule", "status", "--recursive"])?)
    }

    fn verify(&self) -> Result<(), Failure> {
        if !self.arguments.verify_commit || self.host.check() {
            return Ok(());
        }
        let output = self.host.query(&self.program(&["verify-commit", "--raw", "HEAD"]))?;
        let said = output.err();
        let known = self.arguments.gpg_allowlist.is_empty()
            || self.arguments.gpg_allowlist.iter().any(|k| said.contains(k.as_str()));
        if output.success() && known {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Failed to verify GPG signature of commit/tag \"{}\"",
            self.arguments.version
        ))
        .with("stderr", said))
    }

    fn archive(&self, mut outcome: Outcome) -> Result<Outcome, Failure> {
        let Some(archive) = &self.arguments.archive else { return Ok(outcome) };
        let path = archive.resolve(self.host.context);
        let name = path.display().to_string();
        let known = [".zip", ".tar.gz", ".tgz", ".tar"];
        if !known.iter().any(|e| name.ends_with(e)) {
            return Err(Failure::new(format!(
                "Unable to get file extension from archive file name : {name}"
            ))
            .with_help("use .zip, .tar, .tgz or .tar.gz"));
        }
        let new = path.with_file_name(format!(
            ".{}.new{}",
            std::process::id(),
            path.file_name().unwrap_or_default().to_string_lossy()
        ));
        let shown = new.display().to_string();
        let mut words = vec!["archive".to_owned(), format!("--output={shown}")];
        words.extend(self.arguments.archive_prefix.iter().map(|p| format!("--prefix={p}")));
        words.push(if self.arguments.version == "HEAD" {
            "HEAD".into()
        } else {
            self.arguments.version.clone()
        });
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.write(&words)?;
        let read = |p: &Path| std::fs::read(p).ok();
        if self.host.check() {
            outcome.changed |= !path.exists();
        } else if read(&new) == read(&path) {
            self.host.remove(&new)?;
        } else {
            self.host.rename(&new, &path)?;
            outcome.changed = true;
        }
        Ok(outcome)
    }
}
