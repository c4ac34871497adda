//! `copy`, and what it shares with `template`: finding a file on the controller, and putting text on the host.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use playbook_api::{Arguments, Doc, Error, Failure, JsonSchema, Map, Outcome, Value, map};
use serde::Deserialize;
use sha1::Digest;

use super::{Action, ActionCall, BUILTIN, managed};
use crate::document;
use crate::template::file_vars::{changed, file_vars};

pub const RETURNS: &[(&str, &str, &str)] = &[
    ("dest", "path", "the file on the host"),
    ("src", "path", "where it came from"),
    ("checksum", "str", "SHA-1 of its content"),
    ("md5sum", "str", "MD5 of its content"),
    ("mode", "str", "permissions, octal"),
    ("owner", "str", "owner"),
    ("group", "str", "group"),
    ("uid", "int", "owner's number"),
    ("gid", "int", "group's number"),
    ("size", "int", "bytes"),
    ("state", "str", "file, or directory"),
    ("backup_file", "path", "the copy of what was there before"),
];

/// What `copy` and `template` say of the file on the host.
#[derive(Deserialize, JsonSchema)]
pub struct Common {
    /// Where it goes.
    #[schemars(extend("format" = "path"))]
    pub dest: String,
    /// Permissions: octal, symbolic, or `preserve`.
    #[schemars(extend("format" = "raw"))]
    mode: Option<serde_json::Value>,
    /// Owner, by name or number.
    owner: Option<String>,
    /// Group, by name or number.
    group: Option<String>,
    /// Keep a copy of what was there before, with the time in its name.
    #[serde(default)]
    backup: bool,
    /// Replace a file that differs; without it only a missing one is written.
    #[serde(default = "yes", rename = "force")]
    _force: bool,
    /// Follow a link at the destination.
    follow: Option<bool>,
    /// A command that must accept the new file (as `%s`) before it takes its place.
    validate: Option<String>,
    /// File attributes, as `chattr` takes them.
    #[schemars(extend("aliases" = ["attr"]))]
    attributes: Option<String>,
    /// Write in place where an atomic replacement is impossible.
    unsafe_writes: Option<bool>,
    /// SELinux user.
    seuser: Option<String>,
    /// SELinux role.
    serole: Option<String>,
    /// SELinux type.
    setype: Option<String>,
    /// SELinux level.
    selevel: Option<String>,
}

fn yes() -> bool {
    true
}

/// Copies a file, a folder or given text to the host.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["src", "content"]], "required_one_of" = [["src", "content"]]))]
pub struct Copy {
    /// The file or folder on the controller: in the role's or playbook's `files`, or beside it. A folder that ends
    /// with `/` gives its content.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "src")]
    _src: Option<serde_json::Value>,
    /// The text itself; anything but text is written as JSON.
    #[schemars(extend("format" = "raw"))]
    content: Option<serde_json::Value>,
    #[serde(flatten)]
    common: Common,
    /// `src` is on the host already.
    #[serde(default)]
    remote_src: bool,
    /// Permissions of folders that are made.
    #[schemars(extend("format" = "raw"))]
    directory_mode: Option<serde_json::Value>,
    /// Copy what links in `src` point to, rather than the links.
    #[serde(default = "yes")]
    local_follow: bool,
    /// SHA-1 that the source must have.
    checksum: Option<String>,
    /// Open vaulted files on the way.
    #[serde(default = "yes")]
    decrypt: bool,
}

impl Action for Copy {
    const DOC: Doc = Doc {
        name: "copy",
        short: "Copy files to the host",
        check_mode: "Full: compares, and writes nothing.",
        returns: RETURNS,
        examples: "- copy:\n    src: nginx.conf\n    dest: /etc/nginx/nginx.conf\n    validate: nginx -t -c %s\n- copy:\n    content: \"{{ settings }}\"\n    dest: /etc/app/settings.json\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if self.remote_src {
            return call.module_named("copy", call.args.values.clone());
        }
        if let Some(content) = &self.content {
            let content =
                call.args.get("content").cloned().unwrap_or_else(|| Value::from_json(content.clone()));
            let secret = content.is_secret();
            let text = match &content {
                Value::Str(text) => text.as_str().to_owned(),
                Value::List(_) | Value::Map(_) | Value::Tuple(_) => playbook_api::python::json(
                    &content,
                    playbook_api::python::JsonStyle { indent: None, sort_keys: false, ensure_ascii: true },
                ),
                other => other.to_text().into_owned(),
            };
            if self.common.dest.ends_with('/') {
                return Err(Failure::new("can not use content with a dir as dest"));
            }
            return send(call, &self.common, None, text.into_bytes(), None, secret);
        }
        let src = call.args.get("src").map(|v| v.to_text().into_owned()).unwrap_or_default();
        let Some(source) = find(call, &src, "files") else {
            return Err(missing(call, &src, "files"));
        };
        if source.is_dir() {
            return self.folder(call, &src, &source);
        }
        if let Some(expected) = &self.checksum {
            let actual = hex::encode(sha1::Sha1::digest(std::fs::read(&source)?));
            if *expected != actual {
                return Err(Failure::new(format!(
                    "Copied file does not match the expected checksum. Transfer failed. Expected {expected}, got {actual}"
                )));
            }
        }
        let bytes = self.read(call, &source)?;
        send(
            call,
            &self.common,
            Some(&source),
            bytes,
            source.file_name().map(|n| n.to_string_lossy().into_owned()),
            false,
        )
    }
}

impl Copy {
    fn read(&self, call: &ActionCall, source: &Path) -> Result<Vec<u8>, Failure> {
        let bytes = std::fs::read(source)?;
        if self.decrypt && crate::vault::is_envelope(&bytes) {
            return Ok(call.scope.base.environment.keyring.open(&String::from_utf8_lossy(&bytes))?);
        }
        Ok(bytes)
    }

    /// A folder: its sub-folders, files and links, one after the other.
    fn folder(&self, call: &mut ActionCall, written: &str, source: &Path) -> Result<Outcome, Failure> {
        let dest = Path::new(&self.common.dest);
        let root = match source.file_name() {
            Some(name) if !written.ends_with('/') => dest.join(name),
            _ => dest.to_owned(),
        };
        let mut all = Outcome::default();
        let mut entries: Vec<walkdir::DirEntry> = Vec::new();
        for entry in walkdir::WalkDir::new(source).follow_links(self.local_follow).sort_by_file_name() {
            entries.push(entry.map_err(|e| Failure::new(e.to_string()))?);
        }
        for entry in entries {
            let inside = entry.path().strip_prefix(source).unwrap_or(entry.path());
            let target = if inside.as_os_str().is_empty() { root.clone() } else { root.join(inside) };
            let target = target.to_string_lossy().into_owned();
            if entry.file_type().is_dir() {
                if inside.as_os_str().is_empty()
                    && written.ends_with('/')
                    && self.directory_mode.is_none()
                    && dest.is_dir()
                {
                    continue;
                }
                let mut args = map! { "path" => target, "state" => "directory" };
                let mode = self.directory_mode.as_ref().or(self.common.mode.as_ref().filter(|_| false));
                if let Some(mode) = mode {
                    args.insert("mode".into(), Value::from_json(mode.clone()));
                }
                for (name, value) in [("owner", &self.common.owner), ("group", &self.common.group)] {
                    if let Some(value) = value {
                        args.insert(name.into(), value.as_str().into());
                    }
                }
                add(&mut all, call.module_named("file", args)?);
            } else if entry.path_is_symlink() && !self.local_follow {
                let link = std::fs::read_link(entry.path())?.to_string_lossy().into_owned();
                let args = map! { "path" => target, "src" => link, "state" => "link", "force" => true, "follow" => false };
                add(&mut all, call.module_named("file", args)?);
            } else {
                let bytes = self.read(call, entry.path())?;
                let name = entry.file_name().to_string_lossy().into_owned();
                add(
                    &mut all,
                    send_to(call, &self.common, target, Some(entry.path()), bytes, Some(name), false)?,
                );
            }
        }
        let src = source.to_string_lossy().into_owned() + if written.ends_with('/') { "/" } else { "" };
        Ok(all.with("dest", self.common.dest.clone()).with("src", src))
    }
}

fn add(all: &mut Outcome, one: Outcome) {
    all.changed |= one.changed;
    all.diff.extend(one.diff);
}

impl ActionCall<'_> {
    fn module_named(&mut self, name: &str, values: Map) -> Result<Outcome, Failure> {
        let args = Arguments { values, places: self.args.places.clone(), place: self.args.place.clone() };
        self.call_module(&format!("ansible.builtin.{name}"), args)
    }
}

/// Puts rendered text on the host.
pub fn write(
    call: &mut ActionCall,
    common: &Common,
    source: &Path,
    bytes: Vec<u8>,
    secret: bool,
) -> Result<Outcome, Failure> {
    let name = source.file_name().map(|n| n.to_string_lossy().into_owned());
    send(call, common, Some(source), bytes, name, secret)
}

fn send(
    call: &mut ActionCall,
    common: &Common,
    source: Option<&Path>,
    bytes: Vec<u8>,
    name: Option<String>,
    secret: bool,
) -> Result<Outcome, Failure> {
    send_to(call, common, common.dest.clone(), source, bytes, name, secret)
}

/// Calls the host's part of `copy`.
fn send_to(
    call: &mut ActionCall,
    common: &Common,
    dest: String,
    source: Option<&Path>,
    bytes: Vec<u8>,
    name: Option<String>,
    secret: bool,
) -> Result<Outcome, Failure> {
    let keep = [
        "owner",
        "group",
        "backup",
        "force",
        "follow",
        "validate",
        "attributes",
        "attr",
        "unsafe_writes",
        "seuser",
        "serole",
        "setype",
        "selevel",
        "directory_mode",
    ];
    let mut values: Map = call
        .args
        .values
        .iter()
        .filter(|(k, _)| k.as_str().is_some_and(|k| keep.contains(&k)))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let _ = (common.backup, common.follow, &common.validate, &common.attributes, common.unsafe_writes);
    let _ = (&common.seuser, &common.serole, &common.setype, &common.selevel);
    values.insert("dest".into(), dest.into());
    match (&common.mode, source) {
        (Some(mode), Some(source)) if mode == "preserve" => {
            use std::os::unix::fs::PermissionsExt;
            let bits = std::fs::metadata(source)?.permissions().mode() & 0o7777;
            values.insert("mode".into(), format!("{bits:04o}").into());
        }
        (Some(_), _) => {
            values.insert("mode".into(), call.args.get("mode").cloned().unwrap_or_default());
        }
        (None, _) => {}
    }
    if let Some(name) = name {
        values.insert("_original_basename".into(), name.into());
    }
    let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
    values.insert("_content_base64".into(), if secret { Value::secret(encoded) } else { encoded.into() });
    let mut outcome = call.module_named("copy", values)?;
    if let Some(source) = source {
        for diff in outcome.diff.iter_mut().filter(|d| d.after_header.is_some()) {
            diff.after_header = Some(source.to_string_lossy().into_owned());
        }
    }
    Ok(outcome)
}

/// Finds a file on the controller where Ansible looks: each folder of the search path, its `kind` folder first.
pub fn find(call: &ActionCall, name: &str, kind: &str) -> Option<PathBuf> {
    find_in(call.scope.search_path(), name, kind)
}

/// The same, in the folders of a search path.
pub fn find_in(folders: Vec<PathBuf>, name: &str, kind: &str) -> Option<PathBuf> {
    let expanded = expand_home(name);
    if expanded.is_absolute() {
        return expanded.exists().then(|| document::absolute(&expanded));
    }
    folders.into_iter().find_map(|folder| {
        [folder.join(kind).join(&expanded), folder.join(&expanded)]
            .into_iter()
            .find(|p| p.exists())
            .map(|p| document::absolute(&p))
    })
}

fn expand_home(name: &str) -> PathBuf {
    crate::settings::expand_home(Path::new(name))
}

pub fn missing(call: &ActionCall, name: &str, kind: &str) -> Failure {
    let tried: Vec<String> = call
        .scope
        .search_path()
        .iter()
        .flat_map(|f| [f.join(kind).join(name), f.join(name)])
        .map(|p| p.display().to_string())
        .collect();
    let message = format!(
        "Could not find or access '{name}' on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option"
    );
    Failure::new(message).help(format!("looked for {}", tried.join(", ")))
}

/// The variables that only templates see.
pub fn template_vars(call: &ActionCall, source: &Path, dest: &str) -> Result<Vec<(Arc<str>, Value)>, Error> {
    let vars = file_vars(source, dest.into()).into_iter();
    let mut vars: Vec<(Arc<str>, Value)> = vars.map(|(name, value)| (name.to_text().into(), value)).collect();
    if crate::template::Scope::get(&**call.scope, "ansible_managed").is_none() {
        let text = managed::text(call, changed(source).as_ref(), &vars)?;
        vars.push(("ansible_managed".into(), text));
    }
    Ok(vars)
}
