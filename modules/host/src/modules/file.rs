//! `file`: creates, changes or removes files, directories and links.

mod link;
mod times;

use std::fs;
use std::path::{Path, PathBuf};

use playbook_api::{
    Context, Deserialize, Diff, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value, map,
};

use crate::host::Host;
use crate::host::attributes::{
    Changes, FileAttributes, describe_file, group_id, group_name, user_id, user_name,
};
use crate::host::errno::describe;
use crate::host::path::{self, HostPath};
use times::Times;

/// The state of the path.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    /// Nothing.
    Absent,
    /// A directory; missing directories above it are made too.
    Directory,
    /// A file that is there already: only its attributes are set.
    File,
    /// A hard link to the file `src`.
    Hard,
    /// A symbolic link to `src`.
    Link,
    /// A file, which is created empty if it does not exist, and whose times are set to now.
    Touch,
}

/// Makes, removes and changes files, directories and links.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct File {
    /// The path of the file, directory or link.
    #[schemars(extend("aliases" = ["dest", "name"]))]
    path: HostPath,
    /// The state of the path. Without it, the existing state is kept.
    state: Option<State>,
    /// The target of a link, kept as it is written for a symbolic link.
    src: Option<HostPath>,
    /// Whether to set the attributes of everything inside a directory too.
    #[serde(default)]
    recurse: bool,
    /// Whether a link may point to nothing, or replace a file or an empty directory.
    #[serde(default)]
    force: bool,
    /// Whether to set the attributes of what a symbolic link points to.
    #[serde(default = "playbook_api::defaults::yes")]
    follow: bool,
    #[serde(flatten)]
    attributes: FileAttributes,
    #[serde(flatten)]
    times: Times,
    /// The name of the source, for callers that copy into a directory.
    #[serde(rename = "_original_basename")]
    original_basename: Option<String>,
    /// Whether to only return the present state, for callers that show differences.
    #[serde(rename = "_diff_peek")]
    diff_peek: Option<bool>,
}

impl HostModule for File {
    const DOC: Doc = Doc {
        name: "file",
        short: "Creates, removes and changes files, directories and links",
        returns: &[
            ("path", "str", "The file (states file, directory, absent)."),
            ("dest", "str", "The file (states touch, link, hard)."),
            ("src", "str", "What the link points to."),
            ("state", "str", "What is there now."),
            ("mode", "str", "Its permissions; also owner, group, uid, gid and size."),
        ],
        examples: "- file:\n    path: /etc/some_directory\n    state: directory\n    mode: '0755'\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let task = Task::new(self, context);
        let mut result = task.run();
        let warnings = task.warnings();
        match &mut result {
            Ok(outcome) => outcome.warnings.extend(warnings),
            Err(failure) => {
                failure.outcome.warnings.extend(warnings);
                failure.outcome = task.described(std::mem::take(&mut failure.outcome));
            }
        }
        result
    }
}

/// Returns what exists at a path, in the words of `state`.
fn state_of(path: &Path) -> &'static str {
    fs::symlink_metadata(path).map_or("absent", |stat| crate::host::attributes::state(&stat))
}

/// One call of the module.
struct Task<'a> {
    host: Host<'a>,
    arguments: File,
    path: PathBuf,
}

impl<'a> Task<'a> {
    fn new(arguments: File, context: &'a Context) -> Self {
        let mut path = arguments.path.resolve(context);
        // Into a directory, under the name of the source.
        if !matches!(arguments.state, Some(State::Link | State::Absent | State::Directory | State::Hard))
            && path.is_dir()
        {
            let source = arguments.src.as_ref().and_then(|s| Path::new(&s.0).file_name());
            match (&arguments.original_basename, source) {
                (Some(name), _) => path.push(name),
                (None, Some(name)) => path.push(name),
                _ => {}
            }
        }
        Task { host: Host::new(context), arguments, path }
    }

    fn run(&self) -> Result<Outcome, Failure> {
        let arguments = &self.arguments;
        if arguments.diff_peek == Some(true) {
            return self.peek();
        }
        let before = state_of(&self.path);
        let state = arguments.state.unwrap_or(match before {
            "link" => State::Link,
            "directory" => State::Directory,
            "hard" => State::Hard,
            "absent" if arguments.recurse => State::Directory,
            _ => State::File,
        });
        let fail = |message: &str| Err(Failure::new(message).with("path", self.shown()));
        if arguments.recurse && state != State::Directory {
            return fail("recurse option requires state to be 'directory'");
        }
        if arguments.src.is_some() && !matches!(state, State::Link | State::Hard) {
            return fail("src option requires state to be 'link' or 'hard'");
        }
        match state {
            State::File => self.file(before),
            State::Directory => self.directory(before),
            State::Absent => self.absent(before),
            State::Touch => self.touch(before),
            State::Link => self.link(before),
            State::Hard => self.hard(before),
        }
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// A directory to follow a link to, or the path itself.
    fn followed(&self, before: &'static str) -> (PathBuf, &'static str) {
        if self.arguments.follow && before == "link" {
            let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
            let state = state_of(&target);
            return (target, state);
        }
        (self.path.clone(), before)
    }

    fn file(&self, before: &'static str) -> Result<Outcome, Failure> {
        let (path, before) = self.followed(before);
        let shown = path.display().to_string();
        if !matches!(before, "file" | "hard") {
            let message = format!("file ({shown}) is {before}, cannot continue");
            return Err(Failure::new(message).with("path", shown).with("state", before));
        }
        let changes = self.apply(&path)?;
        Ok(self.finish("path", &path, changes, Map::default(), Map::default()))
    }

    fn directory(&self, before: &'static str) -> Result<Outcome, Failure> {
        let (path, before) = self.followed(before);
        let mut changes = Changes::default();
        match before {
            "absent" => {
                self.create_directories(&path)?;
                changes.changed = true;
            }
            "directory" => {}
            other => {
                let message = format!("{} already exists as a {other}", path.display());
                return Err(Failure::new(message).with("path", self.shown()));
            }
        }
        merge(&mut changes, self.apply(&path)?);
        if self.arguments.recurse && path.is_dir() {
            merge(&mut changes, self.recurse(&path)?);
        }
        let (mut was, mut is) = (Map::default(), Map::default());
        if before != "directory" {
            was.insert("state".into(), before.into());
            is.insert("state".into(), "directory".into());
        }
        Ok(self.finish("path", &path, changes, was, is))
    }

    /// Makes a directory and those above it that are missing; the new ones get the attributes.
    fn create_directories(&self, path: &Path) -> Result<(), Failure> {
        let missing: Vec<&Path> =
            path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
        for dir in missing.into_iter().rev() {
            self.host.create_directory(dir).or_else(|e| if dir.is_dir() { Ok(()) } else { Err(e) }).map_err(
                |e| {
                    let (shown, reason) = (path.display(), describe(&e));
                    let message = format!(
                        "There was an issue creating {shown} as requested: {reason}: b'{}'",
                        dir.display()
                    );
                    Failure::new(message).with("path", self.shown())
                },
            )?;
            self.arguments.attributes.apply(&self.host, dir, self.arguments.follow)?;
        }
        Ok(())
    }

    fn recurse(&self, dir: &Path) -> Result<Changes, Failure> {
        let mut all = Changes::default();
        let entries = fs::read_dir(dir)
            .map_err(|e| Failure::new(format!("could not read {}: {}", dir.display(), describe(&e))))?;
        for entry in entries.flatten() {
            let path = entry.path();
            let is_link = path.is_symlink();
            let inner = self.arguments.attributes.apply(&self.host, &path, false)?;
            let timed = if is_link { Changes::default() } else { self.set_times(&path)? };
            all.changed |= inner.changed | timed.changed;
            if is_link && self.arguments.follow && path.exists() {
                all.changed |= self.arguments.attributes.apply(&self.host, &path, true)?.changed;
                if path.is_dir() {
                    all.changed |= self.recurse(&path)?.changed;
                }
            } else if !is_link && path.is_dir() {
                all.changed |= self.recurse(&path)?.changed;
            }
        }
        Ok(all)
    }

    fn absent(&self, before: &'static str) -> Result<Outcome, Failure> {
        let outcome = Outcome::changed(before != "absent").with("path", self.shown()).with("state", "absent");
        let mut was = map! { "path" => self.shown() };
        let mut is = was.clone();
        if before != "absent" {
            was.insert("state".into(), before.into());
            is.insert("state".into(), "absent".into());
            if before == "directory" && self.host.context.diff {
                was.insert("path_content".into(), content_of(&self.path).into());
            }
            let what = if before == "directory" { "rmtree failed" } else { "unlinking failed" };
            self.host.remove(&self.path).map_err(|e| {
                Failure::new(format!("{what}: {}: b'{}'", describe(&e), self.shown()))
                    .with("path", self.shown())
            })?;
        }
        Ok(self.show(outcome, was, is))
    }

    fn touch(&self, before: &'static str) -> Result<Outcome, Failure> {
        let mut changes = Changes::default();
        let existed = self.path.exists();
        if !existed {
            self.host.create_empty(&self.path).map_err(|e| {
                Failure::new(format!("Error, could not touch target: {}: b'{}'", describe(&e), self.shown()))
                    .with("path", self.shown())
            })?;
            changes.changed = true;
        }
        match self.apply(&self.path) {
            Ok(applied) => merge(&mut changes, applied),
            Err(failure) => {
                if !existed {
                    let _ = self.host.remove(&self.path);
                }
                return Err(failure);
            }
        }
        let (mut was, mut is) = (Map::default(), Map::default());
        if changes.changed {
            was.insert("state".into(), before.into());
            is.insert("state".into(), "touch".into());
        }
        Ok(self.finish("dest", &self.path, changes, was, is))
    }

    /// Attributes and times of one file.
    fn apply(&self, path: &Path) -> Result<Changes, Failure> {
        let mut changes = self.arguments.attributes.apply(&self.host, path, self.arguments.follow)?;
        merge(&mut changes, self.set_times(path)?);
        Ok(changes)
    }

    fn set_times(&self, path: &Path) -> Result<Changes, Failure> {
        let touch = self.arguments.state == Some(State::Touch);
        self.arguments.times.apply(&self.host, path, touch, self.arguments.follow)
    }

    /// Returns the result: the changes, and the present state.
    fn finish(&self, key: &str, path: &Path, changes: Changes, was: Map, is: Map) -> Outcome {
        let shown = path.display().to_string();
        let outcome = describe_file(Outcome::changed(changes.changed).with(key, shown.clone()), path);
        let (mut before, mut after) = (map! { "path" => shown.clone() }, map! { "path" => shown });
        before.extend(changes.before.into_iter().chain(was));
        after.extend(changes.after.into_iter().chain(is));
        self.show(outcome, before, after)
    }

    fn show(&self, outcome: Outcome, mut before: Map, mut after: Map) -> Outcome {
        if !self.host.context.diff {
            return outcome;
        }
        before.sort_unstable_by(|a, _, b, _| a.to_text().cmp(&b.to_text()));
        after.sort_unstable_by(|a, _, b, _| a.to_text().cmp(&b.to_text()));
        outcome.diff(Diff::values(before, after))
    }

    /// In check mode, missing users and groups are not a failure, since an earlier task may create them.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut look = |what: &str, number: &str, name: &Option<String>, known: fn(&str) -> bool| {
            let Some(name) = name.as_deref().filter(|n| self.host.check() && !known(n)) else { return };
            let by = if name.parse::<u32>().is_ok() { format!(" with {number}") } else { String::new() };
            warnings.push(format!(
                "failed to look up {what}{by} {name}. Create {what} up to this point in real play"
            ));
        };
        let attributes = &self.arguments.attributes;
        look("user", "uid", &attributes.owner, |n| user_id(n).is_some_and(|id| user_name(id).is_some()));
        look("group", "gid", &attributes.group, |n| group_id(n).is_some_and(|id| group_name(id).is_some()));
        warnings
    }

    /// Adds the present state to a failure.
    fn described(&self, outcome: Outcome) -> Outcome {
        let path =
            ["path", "dest"].iter().find_map(|key| outcome.values.get(*key)?.as_str().map(PathBuf::from));
        match path {
            Some(path) if path::normalize(&path).exists() => describe_file(outcome, &path),
            _ => outcome,
        }
    }

    fn peek(&self) -> Result<Outcome, Failure> {
        let start = fs::read(&self.path).unwrap_or_default();
        let binary = start.iter().take(8192).any(|b| *b == 0);
        Ok(Outcome::default()
            .with("path", self.shown())
            .with("appears_binary", binary)
            .with("state", state_of(&self.path)))
    }
}

fn merge(into: &mut Changes, more: Changes) {
    into.changed |= more.changed;
    into.before.extend(more.before);
    into.after.extend(more.after);
}

/// Returns everything in a directory that will be removed.
fn content_of(dir: &Path) -> Map {
    let (mut dirs, mut files, mut queue) = (Vec::<Value>::new(), Vec::<Value>::new(), vec![dir.to_owned()]);
    while let Some(dir) = queue.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let shown = path.display().to_string().into();
            if path.is_dir() && !path.is_symlink() {
                dirs.push(shown);
                queue.push(path);
            } else {
                files.push(shown);
            }
        }
    }
    map! { "directories" => dirs, "files" => files }
}
