//! `find`: files by name, age, size, mode and content.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use encoding_rs::{Encoding, UTF_8};
use fancy_regex::Regex;
use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value};

use crate::host::checksum::Algorithm;
use crate::host::errno::describe;
use crate::host::mode::Mode;
use crate::host::path::HostPath;
use crate::host::{glob, regex};
use crate::modules::stat;

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum FileType {
    Any,
    Directory,
    #[default]
    File,
    Link,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Stamp {
    Atime,
    Ctime,
    #[default]
    Mtime,
}

/// Lists the files below some directories that fit all of the given criteria.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Find {
    /// The directories to search.
    #[schemars(extend("aliases" = ["name", "path"]))]
    paths: Vec<HostPath>,
    /// The patterns of names to find: shell patterns, or regular expressions with `use_regex`.
    #[schemars(extend("aliases" = ["pattern"]))]
    #[serde(default)]
    patterns: Vec<String>,
    /// The patterns of names to leave out.
    #[schemars(extend("aliases" = ["exclude"]))]
    excludes: Option<Vec<String>>,
    /// A regular expression that the beginning of a line must match.
    contains: Option<String>,
    /// Whether `contains` searches the content as a whole, anywhere in it.
    #[serde(default)]
    read_whole_file: bool,
    /// The type of files to find.
    #[serde(default)]
    file_type: FileType,
    /// The least age, or with a minus the greatest. The unit is `s`, `m`, `h`, `d` or `w`; seconds by default.
    age: Option<String>,
    /// The time stamp that `age` is compared with.
    #[serde(default)]
    age_stamp: Stamp,
    /// The least size, or with a minus the greatest. The unit is `b`, `k`, `m`, `g` or `t`; bytes by default.
    size: Option<String>,
    /// The permissions that files must have.
    mode: Option<Mode>,
    /// Whether the permissions must be exactly `mode`, rather than include any of it.
    #[serde(default = "playbook_api::defaults::yes")]
    exact_mode: bool,
    /// Whether to search subdirectories too.
    #[serde(default)]
    recurse: bool,
    /// The number of levels of subdirectories to search.
    depth: Option<i64>,
    /// Whether to find names that begin with a dot.
    #[serde(default)]
    hidden: bool,
    /// Whether to search directories behind symbolic links.
    #[serde(default)]
    follow: bool,
    /// Whether to return a checksum of each file.
    #[serde(default)]
    get_checksum: bool,
    /// The algorithm of the checksums.
    #[schemars(extend("aliases" = ["checksum", "checksum_algo"]))]
    #[serde(default)]
    checksum_algorithm: Algorithm,
    /// Whether the patterns are regular expressions.
    #[serde(default)]
    use_regex: bool,
    /// The number of files after which to stop.
    limit: Option<usize>,
    /// The encoding of the content that `contains` searches; UTF-8 by default.
    encoding: Option<String>,
}

impl HostModule for Find {
    const DOC: Doc = Doc {
        name: "find",
        short: "Lists files that fit criteria",
        check_mode: "Full: it only reads.",
        returns: &[
            ("files", "list", "Each file, as `stat` describes it."),
            ("matched", "int", "How many."),
            ("examined", "int", "How many were looked at."),
            ("skipped_paths", "dict", "What could not be looked at, and why."),
        ],
        examples: "- find:\n    paths: /var/log\n    patterns: '*.log'\n    age: 2d\n    recurse: true\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let mut search = Search::new(&self)?;
        for path in &self.paths {
            let path = path.resolve(context);
            if !path.is_dir() {
                search.skip(&path, format!("'{}' is not a directory", path.display()));
                continue;
            }
            search.top = path.clone();
            search.stopped = false;
            search.directory(&path, 1);
        }
        let (matched, all) = (search.files.len(), search.skipped.is_empty());
        let mut outcome = Outcome::default()
            .with("files", search.files)
            .with("matched", matched)
            .with("examined", search.examined)
            .msg(if all {
                "All paths examined"
            } else {
                "Not all paths examined, check warnings for details"
            });
        for (path, reason) in &search.skipped {
            outcome = outcome.warn(format!("Skipped '{path}' path due to this access issue: {reason}\n"));
        }
        Ok(outcome.with("skipped_paths", search.skipped))
    }
}

/// The parsed criteria, and the results so far.
struct Search<'a> {
    criteria: &'a Find,
    names: Vec<Name>,
    excluded: Vec<Name>,
    contains: Option<Regex>,
    age: Option<f64>,
    size: Option<f64>,
    now: f64,
    encoding: Option<&'static Encoding>,
    /// The member of `paths` that is being searched.
    top: PathBuf,
    /// It cannot be searched further.
    stopped: bool,
    files: Vec<Value>,
    skipped: Map,
    examined: u64,
}

enum Name {
    Glob(String),
    Regex(Regex),
}

impl Name {
    fn all(patterns: &[String], regexes: bool) -> Result<Vec<Name>, Failure> {
        let name = |p: &String| {
            Ok(if regexes { Name::Regex(regex::compile_match(p)?) } else { Name::Glob(p.clone()) })
        };
        patterns.iter().map(name).collect()
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Name::Glob(pattern) => glob::matches(pattern, name),
            Name::Regex(regex) => regex.is_match(name).unwrap_or(false),
        }
    }
}

impl<'a> Search<'a> {
    fn new(criteria: &'a Find) -> Result<Self, Failure> {
        let quantity = |text: &Option<String>, units: &[(char, f64)], what: &str| match text
            .as_deref()
            .map(|t| number(t, units))
        {
            None => Ok(None),
            Some(Some(n)) => Ok(Some(n)),
            Some(None) => {
                let given = text.as_deref().unwrap_or_default();
                Err(Failure::new(format!("failed to process {what}"))
                    .with(what, given)
                    .with_help(format!("write a number and a unit, such as `2{}`", units[1].0)))
            }
        };
        const K: f64 = 1024.0;
        let contains = match (&criteria.contains, criteria.read_whole_file) {
            (Some(pattern), true) => Some(regex::compile(pattern, "")?),
            (Some(pattern), false) => Some(regex::compile_match(pattern)?),
            (None, _) => None,
        };
        let encoding = match criteria.encoding.as_deref() {
            None => Some(UTF_8),
            Some(name) => Encoding::for_label(name.replace("latin-", "latin").as_bytes()),
        };
        Ok(Search {
            names: Name::all(&criteria.patterns, criteria.use_regex)?,
            excluded: Name::all(criteria.excludes.as_deref().unwrap_or_default(), criteria.use_regex)?,
            contains,
            age: quantity(
                &criteria.age,
                &[('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86_400.0), ('w', 604_800.0)],
                "age",
            )?,
            size: quantity(
                &criteria.size,
                &[('b', 1.0), ('k', K), ('m', K * K), ('g', K * K * K), ('t', K * K * K * K)],
                "size",
            )?,
            now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            top: PathBuf::new(),
            stopped: false,
            encoding,
            files: Vec::new(),
            skipped: Map::default(),
            examined: 0,
            criteria,
        })
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.skipped.insert(path.display().to_string().into(), reason.into());
    }

    fn is_full(&self) -> bool {
        self.stopped || self.criteria.limit.is_some_and(|limit| self.files.len() >= limit)
    }

    /// Searches the files of a directory first, then its subdirectories.
    fn directory(&mut self, directory: &Path, depth: i64) {
        let beyond = self.criteria.depth.filter(|limit| depth > *limit);
        if self.is_full() || beyond.is_some_and(|limit| depth > limit + 1) {
            return;
        }
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(e) => return self.skip(directory, format!("{}: '{}'", describe(&e), directory.display())),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        paths.sort_unstable();
        // Ansible's module also examines the first level that is too deep.
        self.examined += paths.len() as u64;
        if beyond.is_some() {
            return;
        }
        for path in &paths {
            if self.is_full() {
                return;
            }
            self.look_at(path);
        }
        if self.criteria.recurse {
            for path in paths {
                if path.is_dir() && (self.criteria.follow || !path.is_symlink()) {
                    self.directory(&path, depth + 1);
                }
            }
        }
    }

    fn look_at(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && !self.criteria.hidden {
            return;
        }
        let stat = match fs::symlink_metadata(path) {
            Ok(stat) => stat,
            Err(e) => return self.skip(path, format!("{}: '{}'", describe(&e), path.display())),
        };
        let kind = match self.criteria.file_type {
            FileType::Any => true,
            FileType::Directory => stat.is_dir(),
            FileType::File => stat.is_file(),
            FileType::Link => stat.is_symlink(),
        };
        let named = self.names.is_empty() || self.names.iter().any(|n| n.fits(&name));
        let fits = kind && named && !self.excluded.iter().any(|n| n.fits(&name)) && self.fits(&stat);
        if !fits || !self.content_fits(path, &stat) {
            return;
        }
        let mut facts = stat::facts(path, &stat);
        for not_of_find in ["block_size", "device_type"] {
            facts.shift_remove(not_of_find);
        }
        if self.criteria.get_checksum && stat.is_file() {
            let sum = self.criteria.checksum_algorithm.of_file(path).ok();
            facts.insert("checksum".into(), sum.into());
        }
        self.files.push(facts.into());
    }

    fn fits(&self, stat: &Metadata) -> bool {
        let time = match self.criteria.age_stamp {
            Stamp::Atime => stat.atime(),
            Stamp::Ctime => stat.ctime(),
            Stamp::Mtime => stat.mtime(),
        };
        let at_least = |wanted: Option<f64>, actual: f64| match wanted {
            Some(n) if n.is_sign_negative() => actual <= n.abs(),
            Some(n) => actual >= n,
            None => true,
        };
        let mode = self.criteria.mode.as_ref().is_none_or(|mode| {
            let wanted = mode.apply(0).unwrap_or(0);
            let actual = stat.mode() & 0o7777;
            if self.criteria.exact_mode { actual == wanted } else { actual & wanted != 0 }
        });
        mode && at_least(self.age, self.now - time as f64)
            && (stat.is_dir() || at_least(self.size, stat.size() as f64))
    }

    fn content_fits(&mut self, path: &Path, stat: &Metadata) -> bool {
        let Some(contains) = &self.contains else { return true };
        if !stat.is_file() || self.criteria.file_type != FileType::File {
            return self.criteria.file_type != FileType::File;
        }
        let content = match fs::read(path) {
            Ok(content) => content,
            Err(e) => {
                self.skip(path, format!("{}: '{}'", describe(&e), path.display()));
                return false;
            }
        };
        let name = self.criteria.encoding.as_deref().unwrap_or("utf-8");
        let text = match self.encoding.map(|encoding| encoding.decode(&content)) {
            Some((text, _, false)) => text,
            broken => {
                let shown = path.display();
                let reason = match broken {
                    None => format!("unknown encoding: {name}"),
                    Some(_) => format!(
                        "Failed to read the file {shown} due to an encoding error. current encoding: {name}"
                    ),
                };
                let top = self.top.clone();
                self.skip(&top, reason);
                self.stopped = true;
                return false;
            }
        };
        let fits = |text: &str| contains.is_match(text).unwrap_or(false);
        if self.criteria.read_whole_file { fits(&text) } else { text.split('\n').any(fits) }
    }
}

/// `-2d` with its unit's size.
fn number(text: &str, units: &[(char, f64)]) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    let (digits, unit) = match text.chars().last()? {
        c if c.is_ascii_digit() => (text.as_str(), 1.0),
        c => (&text[..text.len() - c.len_utf8()], units.iter().find(|(u, _)| *u == c)?.1),
    };
    let (sign, digits) = digits.strip_prefix('-').map_or((1.0, digits), |d| (-1.0, d));
    digits.parse::<u64>().ok().map(|n| sign * n as f64 * unit)
}
