//! The working tree: the version, submodules, signatures.

use playbook_api::{Error, Failure};

use super::Call;

impl Call<'_> {
    /// Checks out the version. Untracked files that are in the way are an error unless `force` is set.
    pub(super) fn checkout(&self) -> Result<(), Failure> {
        let (version, remote) = (self.arguments.version.as_str(), self.arguments.remote.as_str());
        if version == "HEAD" {
            return match self.head()? {
                Some(branch) => self.to_branch(&branch),
                None => Ok(()),
            };
        }
        if self.has_ref(&format!("refs/remotes/{remote}/{version}"))? {
            return self.to_branch(version);
        }
        if self.commit(version).is_none() {
            // A commit that none of the fetched branches leads to.
            let fetched = self.host.run(&self.program(&["fetch", remote, version]))?;
            if !fetched.success() {
                return Err(Failure::new(format!(
                    "Failed to checkout {version}: the repository has no such branch, tag or commit"
                ))
                .with("stderr", fetched.err()));
            }
            if self.commit(version).is_none() {
                return self.switch(&["--detach", "FETCH_HEAD"], version);
            }
        }
        self.switch(&["--detach", version], version)
    }

    /// The branch that `HEAD` means; none in an empty repository.
    fn head(&self) -> Result<Option<String>, Failure> {
        let remote = self.arguments.remote.as_str();
        if let Some(branch) = self.current_branch()? {
            let is_there = self.has_ref(&format!("refs/remotes/{remote}/{branch}"))?;
            if !is_there && self.commit("HEAD").is_some() {
                let message =
                    format!("Failed to checkout branch {branch}: the repository has no such branch");
                return Err(Failure::new(message).with_help("Name a branch, tag or commit as `version`."));
            }
            return Ok(Some(branch).filter(|_| is_there));
        }
        let _ = self.host.run(&self.program(&["remote", "set-head", remote, "--auto"]))?;
        let head = self.read(&["symbolic-ref", "--short", &format!("refs/remotes/{remote}/HEAD")])?;
        Ok(head.and_then(|head| head.strip_prefix(&format!("{remote}/")).map(str::to_owned)))
    }

    /// Makes the local branch the remote's and checks it out.
    fn to_branch(&self, branch: &str) -> Result<(), Failure> {
        let remote = self.arguments.remote.as_str();
        let upstream = format!("refs/remotes/{remote}/{branch}");
        self.switch(&["--no-track", "-B", branch, &upstream], branch)?;
        // A shallow clone's configuration may not fetch this branch, and then git would refuse to track it.
        let keys = [
            (format!("branch.{branch}.remote"), remote.to_owned()),
            (format!("branch.{branch}.merge"), format!("refs/heads/{branch}")),
        ];
        for (key, value) in keys {
            if self.read(&["config", "--get", &key])?.as_ref() != Some(&value) {
                self.write(&["config", &key, &value])?;
            }
        }
        Ok(())
    }

    fn switch(&self, words: &[&str], version: &str) -> Result<(), Failure> {
        let force: &[&str] = if self.arguments.force { &["--force"] } else { &[] };
        let words = [&["checkout"], force, words, &["--"]].concat();
        self.write(&words).map(drop).map_err(|failure| {
            let cause = failure.error.clone();
            let is_untracked = cause.to_string().contains("untracked working tree files");
            let mut error = Error::new(format!("Failed to checkout {version}")).caused_by(cause);
            if is_untracked {
                error = error.with_help("Move the files away, or overwrite them with `force: true`.");
            }
            Failure { error, ..failure }
        })
    }

    /// Updates the submodules. Returns whether one changed.
    pub(super) fn submodules(&self) -> Result<bool, Failure> {
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

    /// Fails unless the commit or tag has the signature that the task asks for.
    pub(super) fn verify(&self) -> Result<(), Failure> {
        if !self.arguments.verify_commit || self.host.check() {
            return Ok(());
        }
        let version = self.arguments.version.as_str();
        let kind = self.read(&["cat-file", "-t", &format!("refs/tags/{version}")])?;
        let words = match kind.as_deref() {
            Some("tag") => ["verify-tag", "--raw", version],
            _ => ["verify-commit", "--raw", "HEAD"],
        };
        let output = self.host.query(&self.program(&words))?;
        let stderr = output.err();
        if !output.success() {
            let message = format!("Failed to verify GPG signature of commit/tag \"{version}\"");
            return Err(Failure::new(message).with("stderr", stderr));
        }
        let allowed = &self.arguments.gpg_allowlist;
        let made_by = fingerprint(&stderr).unwrap_or_default();
        if allowed.is_empty() || allowed.iter().any(|key| key.eq_ignore_ascii_case(made_by)) {
            return Ok(());
        }
        let message =
            format!("The gpg_allowlist does not include the public key \"{made_by}\" for this commit");
        Err(Failure::new(message).with("stderr", stderr))
    }
}

/// The fingerprint of the primary key in GnuPG's status lines. Other lines hold text that the signer chose.
fn fingerprint(status: &str) -> Option<&str> {
    let words = status.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let valid =
        words.into_iter().find(|w| w.first() == Some(&"[GNUPG:]") && w.get(1) == Some(&"VALIDSIG"))?;
    valid.get(11).or_else(|| valid.get(2)).copied()
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn only_the_line_of_the_valid_signature_names_the_key() {
        let sub = "0".repeat(40);
        let text = format!(
            "[GNUPG:] GOODSIG 12 VALIDSIG {sub}\n[GNUPG:] VALIDSIG {sub} d t 0 4 0 1 10 00 PRIMARY\n"
        );
        assert_eq!(fingerprint(&text), Some("PRIMARY"));
        assert_eq!(fingerprint(&format!("[GNUPG:] VALIDSIG {sub} d t 0 4 0 1 10 00")), Some(sub.as_str()));
        assert_eq!(fingerprint("[GNUPG:] GOODSIG 12 VALIDSIG PRIMARY"), None);
    }
}
