//! `copy`, and what it shares with `template`: finding a file on the controller and writing text to the host.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use playbook_api::context::Source;
use playbook_api::{Arguments, Doc, Error, Failure, JsonSchema, Map, Outcome, Value, defaults};
use serde::Deserialize;

use super::tree::Tree;
use super::{Action, ActionCall, BUILTIN, managed};
use crate::paths;
use crate::run::call::files::{Content, Files};
use crate::template::file_vars::{changed, file_vars};

/// The returned values of `copy` and `template`.
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

/// The options of the file on the host that `copy` and `template` share.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "most of it is for the module on the host: here it is checked and documented")]
pub struct Common {
    /// The path of the file on the host. The task fails without it.
    #[schemars(extend("format" = "path"))]
    #[serde(default)]
    pub dest: String,
    /// The permissions of the file: octal, symbolic, or `preserve` for those of the source.
    #[schemars(extend("format" = "raw"))]
    mode: Option<serde_json::Value>,
    /// The owner of the file, by name or number.
    owner: Option<String>,
    /// The group of the file, by name or number.
    group: Option<String>,
    /// Whether to keep a backup of the previous file, with the time in its name.
    #[serde(default)]
    backup: bool,
    /// Whether to replace a file that differs; otherwise the file is written only if it is missing.
    #[serde(default = "defaults::yes")]
    force: bool,
    /// Whether to follow a symbolic link at the destination.
    follow: Option<bool>,
    /// A command that validates the new file, given as `%s`, before it is moved into place.
    validate: Option<String>,
    /// The attributes of the file, as `chattr` takes them.
    #[schemars(extend("aliases" = ["attr"]))]
    attributes: Option<String>,
    /// Whether to write the file in place if it cannot be replaced atomically.
    unsafe_writes: Option<bool>,
    /// The SELinux user of the file.
    seuser: Option<String>,
    /// The SELinux role of the file.
    serole: Option<String>,
    /// The SELinux type of the file.
    setype: Option<String>,
    /// The SELinux level of the file.
    selevel: Option<String>,
}

/// Copies a file, a directory or text to the host.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["src", "content"]]))]
pub struct Copy {
    /// The file or directory on the controller: in the `files` directory of the role or playbook, or next to the
    /// playbook. A directory that ends with `/` is copied without itself, only its content.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "src")]
    _src: Option<serde_json::Value>,
    /// The content of the file instead of `src`; a value that is not text is written as JSON.
    #[schemars(extend("format" = "raw"))]
    content: Option<serde_json::Value>,
    #[serde(flatten)]
    common: Common,
    /// Whether `src` is a path on the host.
    #[serde(default)]
    remote_src: bool,
    /// The permissions of directories that are created.
    #[schemars(extend("format" = "raw"))]
    directory_mode: Option<serde_json::Value>,
    /// Whether to copy the targets of symbolic links in `src` instead of the links.
    #[serde(default = "defaults::yes")]
    local_follow: bool,
    /// The SHA-1 checksum that the source must have.
    checksum: Option<String>,
    /// Whether to decrypt vaulted files.
    #[serde(default = "defaults::yes")]
    decrypt: bool,
}

impl Action for Copy {
    const DOC: Doc = Doc {
        name: "copy",
        short: "Copies files to the host",
        check_mode: "Full: compares the files and writes nothing.",
        returns: RETURNS,
        examples: "- copy:\n    src: nginx.conf\n    dest: /etc/nginx/nginx.conf\n    validate: nginx -t -c %s\n- copy:\n    content: \"{{ settings }}\"\n    dest: /etc/app/settings.json\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let src = call.args.get("src").map(|v| v.to_text().into_owned()).unwrap_or_default();
        if src.is_empty() && self.content.is_none() {
            return Err(Failure::new("src (or content) is required"));
        }
        if self.common.dest.is_empty() {
            return Err(Failure::new("dest is required"));
        }
        if self.remote_src {
            return call.module_named("copy", call.args.values.clone());
        }
        if let Some(content) = &self.content {
            let content =
                call.args.get("content").cloned().unwrap_or_else(|| Value::from_json(content.clone()));
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
            return send(call, &self.common, None, Content::Bytes(text.into_bytes()), None);
        }
        let Some(source) = find(call, &src, "files") else {
            return Err(missing(call, &src, "files"));
        };
        if source.is_dir() {
            return self.directory(call, &src, &source);
        }
        if let Some(expected) = &self.checksum {
            let actual = Content::file(&source)
                .and_then(|content| content.sha1())
                .map_err(|e| Error::io(&e, format!("cannot read {}", source.display())))?;
            if *expected != actual {
                return Err(Failure::new(format!(
                    "Copied file does not match the expected checksum. Transfer failed. Expected \
                    {expected}, got {actual}"
                )));
            }
        }
        let content = content(call, &source, self.decrypt)?;
        let name = source.file_name().map(|n| n.to_string_lossy().into_owned());
        send(call, &self.common, Some(&source), content, name)
    }
}

impl Copy {
    /// Copies a directory: its files, subdirectories and links, one after the other.
    fn directory(&self, call: &mut ActionCall, written: &str, source: &Path) -> Result<Outcome, Failure> {
        let dest = format!("{}/", self.common.dest.trim_end_matches('/'));
        let base = match source.file_name() {
            Some(name) if !written.ends_with('/') => Path::new(name),
            _ => Path::new(""),
        };
        let tree = Tree::of(source, base, self.local_follow)
            .map_err(|e| Failure::new(format!("cannot look through {}: {e}", source.display())))?;
        let mut all = Outcome::default();
        let mut last = Outcome::default();
        if !tree.directories.is_empty() {
            // Only where nothing lies below are links on the host followed.
            call.args.values.insert("follow".into(), false.into());
        }
        for (path, place) in &tree.files {
            let content = content(call, path, self.decrypt)?;
            let name = place.to_string_lossy().into_owned();
            last = send_to(call, &self.common, dest.clone(), Some(path), content, Some(name))?;
            add(&mut all, &last);
        }
        let attributes = [
            "owner",
            "group",
            "attributes",
            "attr",
            "seuser",
            "serole",
            "setype",
            "selevel",
            "unsafe_writes",
        ];
        let given: Map = call
            .args
            .values
            .iter()
            .filter(|(name, _)| name.as_str().is_some_and(|n| attributes.contains(&n)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (_, place) in &tree.directories {
            let mut args = given.clone();
            args.insert("path".into(), format!("{dest}{}", place.display()).into());
            args.insert("state".into(), "directory".into());
            if let Some(mode) = &self.directory_mode {
                args.insert("mode".into(), Value::from_json(mode.clone()));
            }
            last = call.module_named("file", args)?;
            add(&mut all, &last);
        }
        for (target, place) in &tree.links {
            let mut args = given.clone();
            args.insert("path".into(), format!("{dest}{}", place.display()).into());
            args.insert("src".into(), target.to_string_lossy().into_owned().into());
            args.insert("state".into(), "link".into());
            args.insert("force".into(), true.into());
            if !tree.directories.is_empty() {
                args.insert("follow".into(), false.into());
            }
            last = call.module_named("file", args)?;
            add(&mut all, &last);
        }
        if tree.files.len() == 1 {
            all.values = last.values;
            let path = all.values.get("path").cloned();
            if let Some(path) = path {
                all.values.entry("dest".into()).or_insert(path);
            }
            return Ok(all);
        }
        let src = source.to_string_lossy().into_owned() + if written.ends_with('/') { "/" } else { "" };
        Ok(all.with("dest", dest).with("src", src))
    }
}

fn add(all: &mut Outcome, one: &Outcome) {
    all.changed |= one.changed;
    all.diff.extend(one.diff.iter().cloned());
}

impl ActionCall<'_> {
    fn module_named(&mut self, name: &str, values: Map) -> Result<Outcome, Failure> {
        let args = Arguments { values, ..self.args.clone() };
        self.call_module(&format!("ansible.builtin.{name}"), args)
    }
}

/// Writes rendered text to the host.
pub fn write(
    call: &mut ActionCall,
    common: &Common,
    source: &Path,
    bytes: Vec<u8>,
) -> Result<Outcome, Failure> {
    let name = source.file_name().map(|n| n.to_string_lossy().into_owned());
    send(call, common, Some(source), Content::Bytes(bytes), name)
}

fn send(
    call: &mut ActionCall,
    common: &Common,
    source: Option<&Path>,
    content: Content,
    name: Option<String>,
) -> Result<Outcome, Failure> {
    send_to(call, common, common.dest.clone(), source, content, name)
}

/// Calls the host's part of `copy`.
fn send_to(
    call: &mut ActionCall,
    common: &Common,
    dest: String,
    source: Option<&Path>,
    content: Content,
    name: Option<String>,
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
    values.insert("dest".into(), dest.into());
    match (&common.mode, source) {
        (Some(mode), Some(source)) if mode == "preserve" => {
            use std::os::unix::fs::PermissionsExt;
            let bits = std::fs::metadata(source)
                .map_err(|e| Error::io(&e, format!("cannot read {}", source.display())))?
                .permissions()
                .mode()
                & 0o7777;
            values.insert("mode".into(), format!("{bits:04o}").into());
        }
        (Some(_), _) => {
            values.insert("mode".into(), call.args.get("mode").cloned().unwrap_or_default());
        }
        (None, _) => {}
    }
    let target = values.get("dest").map(|dest| dest.to_text().into_owned()).unwrap_or_default();
    let suffix = Path::new(name.as_deref().filter(|_| source.is_some()).unwrap_or(&target)).extension();
    let suffix = suffix.map(|suffix| format!(".{}", suffix.to_string_lossy())).unwrap_or_default();
    if let Some(name) = name {
        values.insert("_original_basename".into(), name.into());
    }
    if call.item.play.shared.options.is_silent && call.item.task.register.is_empty() {
        values.insert("_sums".into(), false.into());
    }
    let mut outcome = bring(call, values, content)?;
    if let Some(source) = source {
        for diff in outcome.diff.iter_mut().filter(|d| d.after_header.is_some()) {
            diff.after_header = Some(source.to_string_lossy().into_owned());
        }
    }
    if outcome.changed && !call.check {
        // Where other engines put the content aside before it is moved to its place.
        let directory = call.item.play.shared.settings.remote_tmp.display();
        let src = outcome.values.entry("src".into()).or_default();
        if src.is_null() {
            *src = format!("{directory}/.source{suffix}").into();
        }
    }
    Ok(outcome)
}

/// Calls the host's part of `copy` with content for it.
pub fn bring(call: &mut ActionCall, values: Map, content: Content) -> Result<Outcome, Failure> {
    let args = Arguments { values, ..call.args.clone() };
    call.call_with_files("ansible.builtin.copy", args, Files::source(content))
}

/// Returns what to send to the host for a file on the controller: the file itself, or the content of its vault.
pub fn content(call: &ActionCall, file: &Path, decrypt: bool) -> Result<Content, Error> {
    let cannot = |e: std::io::Error| Error::new(format!("cannot read {}: {e}", file.display()));
    let mut start = Vec::new();
    std::fs::File::open(file).and_then(|file| file.take(64).read_to_end(&mut start)).map_err(cannot)?;
    match decrypt && crate::vault::is_envelope(&start) {
        true => opened(call, file, decrypt).map(Content::Bytes),
        false => Content::file(file).map_err(cannot),
    }
}

/// Returns the content of a file on the controller, decrypted if the file is a vault.
pub fn opened(call: &ActionCall, file: &Path, decrypt: bool) -> Result<Vec<u8>, Error> {
    let bytes =
        std::fs::read(file).map_err(|e| Error::new(format!("cannot read {}: {e}", file.display())))?;
    if !decrypt || !crate::vault::is_envelope(&bytes) {
        return Ok(bytes);
    }
    let keyring = &call.scope.base.environment.keyring;
    keyring.open(&String::from_utf8_lossy(&bytes)).map_err(|e| match keyring.is_empty() {
        true => {
            Error::new(format!("A vault password or secret must be specified to decrypt {}", file.display()))
                .with_help(e.help().unwrap_or_default().to_owned())
        }
        false => e.context(format!("cannot open {}", file.display())),
    })
}

/// Finds a file on the controller as Ansible does: in each directory of the search path, its `kind` directory first.
pub fn find(call: &ActionCall, name: &str, kind: &str) -> Option<PathBuf> {
    find_in(call.scope.search_path(), name, kind)
}

/// Finds a file in the directories of a search path.
pub fn find_in(directories: Vec<PathBuf>, name: &str, kind: &str) -> Option<PathBuf> {
    let expanded = paths::expand_home(name);
    if expanded.is_absolute() {
        return expanded.exists().then(|| paths::absolute(&expanded));
    }
    directories.into_iter().find_map(|directory| {
        [directory.join(kind).join(&expanded), directory.join(&expanded)]
            .into_iter()
            .find(|p| p.exists())
            .map(|p| paths::absolute(&p))
    })
}

/// Returns the failure for a file that was not found on the controller.
pub fn missing(call: &ActionCall, name: &str, kind: &str) -> Failure {
    let tried: Vec<String> = call
        .scope
        .search_path()
        .iter()
        .flat_map(|f| [f.join(kind).join(name), f.join(name)])
        .map(|p| p.display().to_string())
        .collect();
    let message = format!("Could not find or access '{name}' on the Ansible Controller.");
    let hint =
        "If you are using a module and expect the file to exist on the remote, see the remote_src option";
    let tried = format!("looked for {}", tried.join(", "));
    match call.scope.release().hints_are_part_of_messages() {
        true => Failure::new(format!("{message}\n{hint}")).with_help(tried),
        false => Failure::new(message).with_help(format!("{tried}. {hint}.")),
    }
}

/// Returns the variables that only templates see.
pub fn template_vars(call: &ActionCall, source: &Path, dest: &str) -> Result<Vec<(Arc<str>, Value)>, Error> {
    let vars = file_vars(source, dest.into()).into_iter();
    let mut vars: Vec<(Arc<str>, Value)> = vars.map(|(name, value)| (name.to_text().into(), value)).collect();
    if crate::template::Scope::get(&**call.scope, "ansible_managed").is_none() {
        let text = managed::text(call, changed(source).as_ref(), &vars)?;
        vars.push(("ansible_managed".into(), text));
    }
    Ok(vars)
}
