//! The arguments of all modules that create files: mode, owner, group, flags and SELinux labels.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Uid};
use playbook_api::{Context, Deserialize, Error, Failure, JsonSchema, Map, Outcome, Value};

use crate::host::Host;
use crate::host::accounts;
use crate::host::errno::describe;
use crate::host::flags;
use crate::host::mode::Mode;

/// The attributes of a file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct FileAttributes {
    /// The permissions: an octal number in quotes (`'0644'`) or symbolic (`u=rw,g=r`).
    pub(crate) mode: Option<Mode>,
    /// The user that owns the file, by name or number.
    pub(crate) owner: Option<String>,
    /// The group that owns the file, by name or number.
    pub(crate) group: Option<String>,
    /// The user part of the SELinux context.
    pub(crate) seuser: Option<String>,
    /// The role part of the SELinux context.
    pub(crate) serole: Option<String>,
    /// The type part of the SELinux context.
    pub(crate) setype: Option<String>,
    /// The level part of the SELinux context.
    pub(crate) selevel: Option<String>,
    /// The flags of the file, as `chattr` takes them: `+i`.
    #[schemars(extend("aliases" = ["attr"]))]
    pub(crate) attributes: Option<String>,
    /// Whether to write in place if the file cannot be replaced in one step. `ANSIBLE_UNSAFE_WRITES` decides if
    /// it is missing.
    pub(crate) unsafe_writes: Option<bool>,
}

/// The attributes that were changed, with their values before and after.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) changed: bool,
    pub(crate) before: Map,
    pub(crate) after: Map,
}

impl Changes {
    fn note(&mut self, name: &str, before: impl Into<Value>, after: impl Into<Value>) {
        self.changed = true;
        self.before.insert(name.into(), before.into());
        self.after.insert(name.into(), after.into());
    }
}

impl FileAttributes {
    pub(crate) fn unsafe_writes(&self, context: &Context) -> bool {
        self.unsafe_writes.unwrap_or_else(|| {
            let set = crate::host::environment::variable("ANSIBLE_UNSAFE_WRITES", context).map(Value::from);
            set.as_ref().and_then(playbook_api::arguments::to_bool).unwrap_or(false)
        })
    }

    /// Returns whether any attribute is given.
    pub(crate) fn any(&self) -> bool {
        let texts = [&self.owner, &self.group, &self.attributes, &self.seuser, &self.serole, &self.setype];
        self.mode.is_some() || self.selevel.is_some() || texts.iter().any(|t| t.is_some())
    }

    /// Applies the attributes to a file. If the file does not exist because of check mode, each one counts as a
    /// change.
    pub(crate) fn apply(&self, host: &Host, path: &Path, follow: bool) -> Result<Changes, Failure> {
        let mut changes = Changes::default();
        if !self.any() {
            return Ok(changes);
        }
        let stat = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
        let stat = match stat {
            Ok(stat) => stat,
            Err(_) if host.check() => {
                changes.changed = true;
                return Ok(changes);
            }
            Err(e) => return Err(Failure::new(format!("{}: '{}'", describe(&e), path.display()))),
        };
        self.apply_context(host, path, &mut changes)?;
        self.apply_owner(host, path, &stat, follow, &mut changes)?;
        self.apply_mode(host, path, &stat, &mut changes)?;
        self.apply_flags(host, path, &mut changes)?;
        Ok(changes)
    }

    fn apply_owner(
        &self,
        host: &Host,
        path: &Path,
        stat: &Metadata,
        follow: bool,
        changes: &mut Changes,
    ) -> Result<(), Failure> {
        let failed = |what: &str, e: io::Error| failure(path, &format!("{what} failed"), &describe(&e));
        if let Some(owner) = &self.owner {
            let uid = user_id(owner)
                .ok_or_else(|| failure(path, "chown failed", &format!("failed to look up user {owner}")))?;
            if uid != stat.uid() {
                changes.note("owner", stat.uid(), uid);
                host.set_owner(path, Some(uid), None, follow).map_err(|e| failed("chown", e))?;
            }
        }
        if let Some(group) = &self.group {
            let gid = group_id(group)
                .ok_or_else(|| failure(path, "chgrp failed", &format!("failed to look up group {group}")))?;
            if gid != stat.gid() {
                changes.note("group", stat.gid(), gid);
                host.set_owner(path, None, Some(gid), follow).map_err(|e| failed("chgrp", e))?;
            }
        }
        Ok(())
    }

    fn apply_mode(
        &self,
        host: &Host,
        path: &Path,
        stat: &Metadata,
        changes: &mut Changes,
    ) -> Result<(), Failure> {
        let Some(mode) = &self.mode else { return Ok(()) };
        // The mode of a link has no effect.
        if stat.is_symlink() {
            return Ok(());
        }
        let wanted = mode.apply(stat.mode()).map_err(|reason| bad_mode(path, &reason))?;
        let now = stat.mode() & 0o7777;
        // A change of owner may have cleared the set-user bits.
        if wanted != now || (changes.changed && wanted & 0o6000 != 0) {
            if wanted != now {
                changes.note("mode", octal(now), octal(wanted));
            }
            host.set_mode(path, wanted).map_err(|e| failure(path, "chmod failed", &describe(&e)))?;
        }
        Ok(())
    }

    fn apply_flags(&self, host: &Host, path: &Path, changes: &mut Changes) -> Result<(), Failure> {
        let Some(request) = self.attributes.as_deref().filter(|r| !r.is_empty()) else { return Ok(()) };
        let Some((now, _)) = flags::read(path) else {
            return Err(failure(path, "chattr failed", "this file system has no such flags"));
        };
        let wanted = flags::change(now, request).map_err(|c| {
            failure(path, "chattr failed", &format!("'{c}' in {request:?} is not a flag that chattr knows"))
        })?;
        if wanted != now {
            changes.note("attributes", flags::describe(now).0, flags::describe(wanted).0);
            host.set_flags(path, wanted).map_err(|e| failure(path, "chattr failed", &describe(&e)))?;
        }
        Ok(())
    }

    fn apply_context(&self, host: &Host, path: &Path, changes: &mut Changes) -> Result<(), Failure> {
        let asked = [&self.seuser, &self.serole, &self.setype, &self.selevel];
        if asked.iter().all(|part| part.is_none()) || !selinux_enabled() {
            return Ok(());
        }
        let now = context(path).unwrap_or_default();
        let mut parts: Vec<&str> = now.splitn(4, ':').collect();
        parts.resize(4, "");
        for (part, wanted) in parts.iter_mut().zip(asked) {
            if let Some(wanted) = wanted.as_deref().filter(|w| *w != "_default") {
                *part = wanted;
            }
        }
        let wanted = parts.join(":").trim_end_matches(':').to_owned();
        if wanted != now {
            changes.note("secontext", now.clone(), wanted.clone());
            host.set_xattr(path, "security.selinux", format!("{wanted}\0").as_bytes())
                .map_err(|e| failure(path, "set selinux context failed", &describe(&e)))?;
        }
        Ok(())
    }
}

fn failure(path: &Path, message: &str, details: &str) -> Failure {
    let error = Error::new(message).caused_by(Error::new(details));
    Failure::from(error).with("details", details).with("path", path.display().to_string())
}

/// Returns the error for an invalid mode.
pub(crate) fn bad_mode(path: &Path, reason: &str) -> Failure {
    let error = Error::new("mode must be in octal or symbolic form").caused_by(Error::new(reason));
    Failure::from(error).with("details", reason).with("path", path.display().to_string())
}

/// Returns a user's ID for a name or an ID.
pub(crate) fn user_id(name: &str) -> Option<u32> {
    name.parse().ok().or_else(|| Some(accounts::user(name)?.uid.as_raw()))
}

/// Returns a group's ID for a name or an ID.
pub(crate) fn group_id(name: &str) -> Option<u32> {
    name.parse().ok().or_else(|| Some(accounts::group(name)?.gid.as_raw()))
}

/// Returns the name of the user with this ID, if there is one.
pub(crate) fn user_name(uid: u32) -> Option<String> {
    Some(accounts::user_of(Uid::from_raw(uid))?.name)
}

/// Returns the name of the group with this ID, if there is one.
pub(crate) fn group_name(gid: u32) -> Option<String> {
    Some(accounts::group_of(Gid::from_raw(gid))?.name)
}

/// Formats a mode as in results: a zero and the bits, such as `0644` and `01777`. (`stat` has four digits.)
pub(crate) fn octal(mode: u32) -> String {
    format!("0{:03o}", mode & 0o7777)
}

pub(crate) fn selinux_enabled() -> bool {
    Path::new("/sys/fs/selinux/enforce").exists()
}

/// Returns the SELinux context of a file.
pub(crate) fn context(path: &Path) -> Option<String> {
    let raw = xattr::get(path, "security.selinux").ok()??;
    Some(String::from_utf8_lossy(&raw).trim_end_matches('\0').to_owned())
}

/// Returns the kind of a file, in Ansible's words for `state`.
pub(crate) fn state(stat: &Metadata) -> &'static str {
    match () {
        () if stat.is_symlink() => "link",
        () if stat.is_dir() => "directory",
        () if stat.nlink() > 1 => "hard",
        () => "file",
    }
}

/// Adds the present attributes of the file to a result: owner, group, mode, size, state.
pub(crate) fn describe_file(mut outcome: Outcome, path: &Path) -> Outcome {
    // A dangling link has no attributes.
    let Some(stat) = fs::symlink_metadata(path).ok().filter(|_| path.exists()) else { return outcome };
    let owner = user_name(stat.uid()).unwrap_or_else(|| stat.uid().to_string());
    let group = group_name(stat.gid()).unwrap_or_else(|| stat.gid().to_string());
    if selinux_enabled() {
        outcome = outcome.with("secontext", context(path).unwrap_or_default());
    }
    outcome
        .with("uid", stat.uid())
        .with("gid", stat.gid())
        .with("owner", owner)
        .with("group", group)
        .with("mode", octal(stat.mode()))
        .with("state", state(&stat))
        .with("size", stat.size())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests prepare real files")]
mod tests {
    use super::*;
    use playbook_api::Spec;

    #[derive(Deserialize, JsonSchema)]
    struct Sample {
        /// Where.
        #[expect(dead_code, reason = "only its schema is looked at")]
        path: crate::host::path::HostPath,
        #[serde(flatten)]
        attributes: FileAttributes,
    }

    #[test]
    fn a_flattened_struct_is_seen_by_the_spec() {
        let spec = Spec::of::<Sample>();
        assert_eq!(spec.find("attr").unwrap().0, "attributes");
        assert_eq!(spec.options["mode"].kind, playbook_api::spec::ArgType::Raw);
        assert_eq!(spec.options["path"].kind, playbook_api::spec::ArgType::Path);
        assert!(spec.options["path"].required && !spec.options["unsafe_writes"].required);
        let sample: Sample =
            playbook_api::Arguments::from(playbook_api::map! { "path" => "/x", "mode" => 420, "owner" => 0 })
                .parse("sample", &spec, &Default::default())
                .unwrap();
        assert_eq!(sample.attributes.mode, Some(Mode::Number(420)));
        assert_eq!(sample.attributes.owner.as_deref(), Some("0"));
    }

    #[test]
    fn modes_are_applied_once_and_not_in_check_mode() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, "x").unwrap();
        let wanted = FileAttributes { mode: Some(Mode::Text("0600".into())), ..FileAttributes::default() };
        let checking = Context { check: true, ..Context::default() };
        assert!(wanted.apply(&Host::new(&checking), &path, true).unwrap().changed);
        let context = Context::default();
        let host = Host::new(&context);
        assert!(wanted.apply(&host, &path, true).unwrap().changed);
        assert!(!wanted.apply(&host, &path, true).unwrap().changed);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn unknown_owners_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let wanted = FileAttributes { owner: Some("no such user".into()), ..FileAttributes::default() };
        let failure = wanted.apply(&Host::new(&Context::default()), directory.path(), true).unwrap_err();
        assert_eq!(failure.error.to_string(), "chown failed: failed to look up user no such user");
    }
}
