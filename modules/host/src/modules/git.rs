//! `git`: clones a repository to a directory, or updates it to a version.

mod archive;
mod checkout;
mod remote;
mod repository;

use std::path::PathBuf;

use playbook_api::{
    Context, Deserialize, Diff, Doc, Failure, HostModule, JsonSchema, Outcome, Value, defaults,
};

use crate::host::Host;
use crate::host::path::HostPath;
use crate::host::process::which;

/// Clones and updates git repositories.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["separate_git_dir", "bare"], ["accept_hostkey", "accept_newhostkey"]], "required_by" = [["archive_prefix", ["archive"]]]))]
pub(crate) struct Git {
    /// The URL of the repository: SSH, HTTP(S), git or a path on the host.
    #[schemars(extend("aliases" = ["name"]))]
    repo: String,
    /// The directory to clone into. It may only be missing with `clone: false`.
    dest: Option<HostPath>,
    /// The branch, tag or commit to check out. `HEAD` is the branch that is checked out, or the repository's default
    /// branch.
    #[serde(default = "head")]
    version: String,
    /// The name of the remote.
    #[serde(default = "origin")]
    remote: String,
    /// Whether to clone the repository if it does not exist yet.
    #[serde(default = "defaults::yes")]
    clone: bool,
    /// Whether to fetch new revisions. Without it an existing repository stays as it is.
    #[serde(default = "defaults::yes")]
    update: bool,
    /// Whether to discard local modifications and to overwrite untracked files that are in the way.
    #[serde(default)]
    force: bool,
    /// The number of commits to fetch, for a shallow clone; the whole history if it is missing.
    depth: Option<u32>,
    /// Whether to create a bare repository, without a working tree.
    #[serde(default)]
    bare: bool,
    /// Whether to clone and update submodules.
    #[serde(default = "defaults::yes")]
    recursive: bool,
    /// Whether submodules follow the newest commit of their branch, rather than the recorded one.
    #[serde(default)]
    track_submodules: bool,
    /// Whether to clone only the history of the branch of `version`.
    #[serde(default)]
    single_branch: bool,
    /// An additional refspec to fetch.
    refspec: Option<String>,
    /// A local repository to borrow objects from while cloning.
    reference: Option<String>,
    /// The directory for the repository itself, apart from the working tree.
    separate_git_dir: Option<HostPath>,
    /// The SSH private key to authenticate with.
    key_file: Option<HostPath>,
    /// Additional options for ssh.
    ssh_opts: Option<String>,
    /// Whether to accept any host key of the remote (`StrictHostKeyChecking=no`).
    #[serde(default)]
    accept_hostkey: bool,
    /// Whether to accept the host key of a remote that is not known yet (`StrictHostKeyChecking=accept-new`).
    #[serde(default)]
    accept_newhostkey: bool,
    /// The path of the git executable; searched for in `PATH` if it is missing.
    executable: Option<HostPath>,
    /// The umask for files that git writes, as a quoted octal number.
    #[schemars(extend("format" = "raw"))]
    umask: Option<serde_json::Value>,
    /// Whether the commit or tag must have a valid signature.
    #[serde(default)]
    verify_commit: bool,
    /// The fingerprints of GPG keys that may have made the signature; any trusted key if it is empty.
    #[schemars(extend("aliases" = ["gpg_whitelist"]))]
    #[serde(default)]
    gpg_allowlist: Vec<String>,
    /// The file to pack the checked out version into: .zip, .tar, .tgz or .tar.gz.
    archive: Option<HostPath>,
    /// The directory that the packed files are put into.
    archive_prefix: Option<String>,
}

fn head() -> String {
    "HEAD".into()
}

fn origin() -> String {
    "origin".into()
}

impl HostModule for Git {
    const DOC: Doc = Doc {
        name: "git",
        short: "Clones and updates git repositories",
        returns: &[
            ("before", "str", "The commit that was checked out before."),
            ("after", "str", "The commit that is checked out now."),
            ("remote_url_changed", "bool", "Whether the URL of the remote was changed."),
            ("msg", "str", "That local modifications were discarded."),
        ],
        examples: "- git:\n    repo: https://github.com/ansible/ansible-examples.git\n    dest: /src/ansible-examples\n    version: main\n",
        ..Doc::BUILTIN
    };

    fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        // Given a plain path, git would link the objects and ignore `depth`.
        let path = crate::host::path::expand(&self.repo, context);
        if path.starts_with('/') {
            self.repo = format!("file://{path}");
        }
        let git = match &self.executable {
            Some(path) => path.resolve(context).display().to_string(),
            None => which("git", context).map(|p| p.display().to_string()).ok_or_else(|| {
                Failure::new("Failed to find required executable \"git\" in paths")
                    .with_help("Install git on the host first.")
            })?,
        };
        let dest = match &self.dest {
            Some(dest) => dest.resolve(context),
            None if self.clone => {
                return Err(Failure::new("the destination directory must be specified unless clone=no"));
            }
            None => PathBuf::new(),
        };
        let umask = self.umask()?;
        Call { dest, host, git, umask, arguments: &self }.run()
    }
}

impl Git {
    fn umask(&self) -> Result<Option<String>, Failure> {
        match &self.umask {
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(serde_json::Value::String(text)) => match u32::from_str_radix(text, 8) {
                Ok(mask) if mask <= 0o777 => Ok(Some(format!("{mask:03o}"))),
                _ => Err(Failure::new("umask must be an octal integer")),
            },
            Some(_) => Err(Failure::new("umask must be defined as a quoted octal integer")),
        }
    }
}

/// One call of the module.
struct Call<'a> {
    host: Host<'a>,
    git: String,
    dest: PathBuf,
    umask: Option<String>,
    arguments: &'a Git,
}

impl Call<'_> {
    fn run(&self) -> Result<Outcome, Failure> {
        let arguments = self.arguments;
        if !self.exists() {
            return self.clone();
        }
        let before = self.commit("HEAD");
        let mut outcome = Outcome::default().with("before", before.clone());
        if !arguments.update {
            return self.archive(outcome.with("after", before));
        }
        if !arguments.bare && self.is_modified()? {
            let message = format!("Local modifications exist in the destination: {}", self.dest.display());
            if !arguments.force {
                return Err(Failure::new(message + " (force=no).").with("before", before));
            }
            self.write(&["reset", "--hard", "HEAD"])?;
            outcome = Outcome { changed: true, ..outcome.msg(message) };
        }
        let url_changed = self.set_url()?;
        outcome.changed |= url_changed;
        outcome = outcome.with("remote_url_changed", url_changed);
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

    fn clone(&self) -> Result<Outcome, Failure> {
        let arguments = self.arguments;
        let outcome = Outcome::changed(true).with("before", Value::Null);
        if !arguments.clone || self.host.check() {
            let remote = self.remote_commit()?;
            return Ok(self.differ(outcome, None, remote));
        }
        if let Some(directory) = self.dest.parent() {
            crate::host::edit::make_directories(&self.host, directory)?;
        }
        let mut words: Vec<String> = vec!["clone".into()];
        words.push(if arguments.bare { "--bare".into() } else { format!("--origin={}", arguments.remote) });
        let is_named = self.is_branch_or_tag()?;
        if is_named && (arguments.depth.is_some() || arguments.single_branch) {
            words.push(format!("--branch={}", arguments.version));
        }
        if is_named || arguments.version == "HEAD" {
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
        words.extend([arguments.repo.clone(), self.dest.display().to_string()]);
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

    fn differ(&self, mut outcome: Outcome, before: Option<&str>, after: Option<String>) -> Outcome {
        if self.host.context.diff && before != after.as_deref() {
            let text = self.difference(before, after.as_deref().unwrap_or_default());
            outcome.diff.push(Diff { prepared: Some(text), ..Diff::default() });
        }
        outcome.with("after", after)
    }

    fn difference(&self, before: Option<&str>, after: &str) -> String {
        let Some(before) = before else { return format!(">> Newly checked out {after}\n") };
        match self.read(&["diff", before, after]) {
            Ok(Some(text)) if text.is_empty() => {
                format!(">> No visual differences between {before} and {after}\n")
            }
            Ok(Some(text)) => text + "\n",
            // Check mode fetches nothing.
            _ => format!(">> {before} is replaced by {after}, which is not in the repository yet\n"),
        }
    }
}
