//! The remote: its URL, its branches and tags, and fetching them.

use playbook_api::Failure;

use super::Call;
use crate::host::ended_badly;
use crate::host::process::Program;

/// A remote's branches and tags with their commits, as `git ls-remote --symref` lists them.
struct Refs(String);

impl Refs {
    /// The commit of a reference, by its full name.
    fn commit(&self, name: &str) -> Option<String> {
        let lines = self.0.lines().filter(|line| !line.starts_with("ref: "));
        lines.filter_map(|line| line.split_once('\t')).find(|(_, n)| *n == name).map(|(c, _)| c.to_owned())
    }

    fn branch(&self, name: &str) -> Option<String> {
        self.commit(&format!("refs/heads/{name}"))
    }

    /// The commit that a tag leads to, also where the tag is an object of its own.
    fn tag(&self, name: &str) -> Option<String> {
        self.commit(&format!("refs/tags/{name}^{{}}")).or_else(|| self.commit(&format!("refs/tags/{name}")))
    }

    /// The default branch.
    fn head(&self) -> Option<&str> {
        self.0.lines().find_map(|l| l.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD"))
    }
}

impl Call<'_> {
    /// Gives the remote the URL of the task. Returns whether it had another one.
    pub(super) fn set_url(&self) -> Result<bool, Failure> {
        let (remote, repo) = (&self.arguments.remote, &self.arguments.repo);
        let url = self.read(&["config", "--get", &format!("remote.{remote}.url")])?;
        if url.as_ref() == Some(repo) {
            return Ok(false);
        }
        let verb = if url.is_some() { "set-url" } else { "add" };
        self.write(&["remote", verb, remote, repo])?;
        Ok(url.is_some())
    }

    fn refs(&self) -> Result<Refs, Failure> {
        let words = [self.git.as_str(), "ls-remote", "--symref", &self.arguments.repo];
        let program = self.environment(Program::new(words));
        let output = self.host.query(&program)?;
        if output.success() { Ok(Refs(output.out())) } else { Err(ended_badly(&program, &output)) }
    }

    /// The branch that `HEAD` means: the one that is checked out, or else the remote's default branch.
    fn head_branch(&self, refs: &Refs) -> Result<Option<String>, Failure> {
        let current = if self.exists() { self.current_branch()? } else { None };
        Ok(current.or_else(|| refs.head().map(str::to_owned)))
    }

    /// The commit that the version is at the remote.
    pub(super) fn remote_commit(&self) -> Result<Option<String>, Failure> {
        let (version, refs) = (self.arguments.version.as_str(), self.refs()?);
        if version == "HEAD" {
            let branch = self.head_branch(&refs)?;
            return Ok(branch.and_then(|b| refs.branch(&b)).or_else(|| refs.commit("HEAD")));
        }
        Ok(refs.branch(version).or_else(|| refs.tag(version)).or_else(|| refs.commit(version)))
    }

    pub(super) fn is_branch_or_tag(&self) -> Result<bool, Failure> {
        let (version, refs) = (self.arguments.version.as_str(), self.refs()?);
        Ok(version != "HEAD" && (refs.branch(version).is_some() || refs.tag(version).is_some()))
    }

    /// What a shallow repository fetches: its one branch or tag. The depth of a single commit is unknown, so that
    /// everything is fetched for one.
    fn shallow(&self) -> Result<Option<String>, Failure> {
        let (version, remote) = (&self.arguments.version, &self.arguments.remote);
        if self.arguments.depth.is_none() || self.arguments.bare {
            return Ok(None);
        }
        let refs = self.refs()?;
        let branch = if version == "HEAD" { self.head_branch(&refs)? } else { Some(version.clone()) };
        Ok(match branch {
            Some(branch) if refs.branch(&branch).is_some() => {
                Some(format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}"))
            }
            _ if refs.tag(version).is_some() => Some(format!("+refs/tags/{version}:refs/tags/{version}")),
            _ => None,
        })
    }

    pub(super) fn fetch(&self) -> Result<(), Failure> {
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
}
