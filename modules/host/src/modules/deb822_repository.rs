//! `deb822_repository`: apt's repositories, as files in the deb822 format.

use std::path::{Path, PathBuf};

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, Value};

use crate::host::attributes::FileAttributes;
use crate::host::diff::texts;
use crate::host::errno::Doing;
use crate::host::http::{Ask, Connect, Redirects};
use crate::host::mode::Mode;
use crate::host::state::State;
use crate::host::{Host, Replace};

/// Adds and removes apt's repositories, one file each.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Deb822Repository {
    /// The name of the repository, from which the file's name is derived.
    name: String,
    /// Whether the repository is to be configured.
    #[serde(default)]
    state: State,
    /// Whether a repository may lose its signature.
    allow_downgrade_to_insecure: Option<bool>,
    /// Whether to use the repository without a signature.
    allow_insecure: Option<bool>,
    /// Whether to accept signatures of a weak algorithm.
    allow_weak: Option<bool>,
    /// The architectures to fetch package lists for.
    architectures: Option<Vec<String>>,
    /// Whether to fetch package lists by their checksum.
    by_hash: Option<bool>,
    /// Whether to check the repository's date with the host's clock.
    check_date: Option<bool>,
    /// Whether to reject package lists that have expired.
    check_valid_until: Option<bool>,
    /// The components of the distribution, such as `main`.
    components: Option<Vec<String>>,
    /// The number of seconds by which the repository's date may be in the future.
    date_max_future: Option<i64>,
    /// Whether apt uses the repository.
    enabled: Option<bool>,
    /// The path of the InRelease file, relative to the usual place.
    inrelease_path: Option<String>,
    /// The languages of package descriptions to fetch.
    languages: Option<Vec<String>>,
    /// Whether to fetch the differences of package lists rather than whole ones.
    pdiffs: Option<bool>,
    /// The signing key: a URL, a file, fingerprints or the key itself.
    signed_by: Option<String>,
    /// The suites of the distribution, or an exact path.
    suites: Option<Vec<String>>,
    /// The kinds of index to fetch, such as `Packages`.
    targets: Option<Vec<String>>,
    /// Whether to trust the repository regardless of its signature.
    trusted: Option<bool>,
    /// The kinds of package: binary (`deb`) or source (`deb-src`).
    #[serde(default = "deb")]
    #[schemars(extend("items" = {"type": "string", "enum": ["deb", "deb-src"]}))]
    types: Vec<String>,
    /// The URLs of the repository.
    uris: Option<Vec<String>>,
    /// The permissions of the source file.
    #[serde(default = "for_all")]
    mode: Mode,
}

fn deb() -> Vec<String> {
    vec!["deb".into()]
}

fn for_all() -> Mode {
    Mode::Text("0644".into())
}

const KEYRINGS: &str = "/etc/apt/keyrings";

impl HostModule for Deb822Repository {
    const DOC: Doc = Doc {
        name: "deb822_repository",
        short: "Manages apt's repositories",
        returns: &[
            ("repo", "str", "The file's text."),
            ("dest", "str", "The file."),
            ("key_filename", "str", "The file of the key."),
        ],
        examples: "- deb822_repository:\n    name: debian\n    types: deb\n    uris: http://deb.debian.org/debian\n    suites: stretch\n    components: [main, contrib]\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let slug = slug(&self.name);
        let file = PathBuf::from(format!("/etc/apt/sources.list.d/{slug}.sources"));
        match self.state {
            State::Absent => absent(&host, &file, &slug),
            State::Present => self.present(&host, &file, &slug),
        }
    }
}

/// A name that files can have.
fn slug(name: &str) -> String {
    let words = name.to_lowercase();
    let words: Vec<&str> = words.split(|c: char| c == '_' || c.is_whitespace()).collect();
    let mut dashed = String::new();
    for (i, word) in words.iter().enumerate() {
        if i > 0 && !dashed.ends_with(' ') {
            dashed.push(' ');
        }
        dashed.push_str(word);
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    dashed.replace(' ', "-").chars().filter(|c| fits(*c)).collect()
}

fn key_file(slug: &str, ending: &str) -> PathBuf {
    PathBuf::from(format!("{KEYRINGS}/{slug}.{ending}"))
}

fn absent(host: &Host, file: &Path, slug: &str) -> Result<Outcome, Failure> {
    let mut changed = false;
    for path in [file.to_owned(), key_file(slug, "asc"), key_file(slug, "gpg")] {
        if path.exists() {
            host.remove(&path).doing("could not remove", &path)?;
            changed = true;
        }
    }
    Ok(Outcome::changed(changed)
        .with("repo", Value::Null)
        .with("dest", file.display().to_string())
        .with("key_filename", key_file(slug, "gpg").display().to_string()))
}

impl Deb822Repository {
    fn present(&self, host: &Host, file: &Path, slug: &str) -> Result<Outcome, Failure> {
        let key = self.signed_by.as_deref().map(|by| Key::of(by, host, slug)).transpose()?;
        let text = self.text(key.as_ref().map(|key| key.field.as_str()));
        let before = std::fs::read(file).ok();
        let mut outcome = Outcome::changed(before.as_deref() != Some(text.as_bytes()));
        if outcome.changed {
            if host.context.diff {
                let header = file.display().to_string();
                let before = before.as_deref().unwrap_or_default();
                outcome.diff.push(texts(before, text.as_bytes(), &header, &header));
            }
            let how = Replace { mode: self.mode.absolute(), ..Replace::default() };
            host.write(file, text.as_bytes(), &how)?;
        }
        let attributes = FileAttributes { mode: Some(self.mode.clone()), ..FileAttributes::default() };
        if file.exists() {
            outcome.changed |= attributes.apply(host, file, true)?.changed;
        }
        outcome.changed |= key.as_ref().is_some_and(|key| key.changed);
        let key = key.and_then(|key| key.file).map(|file| file.display().to_string());
        Ok(outcome.with("repo", text).with("dest", file.display().to_string()).with("key_filename", key))
    }

    /// The file's text, in the order of the arguments' names.
    fn text(&self, signed_by: Option<&str>) -> String {
        let flag = |flag: Option<bool>| flag.map(|yes| if yes { "yes" } else { "no" }.to_owned());
        let list = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.join(" "));
        let fields = [
            ("Allow-Downgrade-To-Insecure", flag(self.allow_downgrade_to_insecure)),
            ("Allow-Insecure", flag(self.allow_insecure)),
            ("Allow-Weak", flag(self.allow_weak)),
            ("Architectures", list(&self.architectures)),
            ("By-Hash", flag(self.by_hash)),
            ("Check-Date", flag(self.check_date)),
            ("Check-Valid-Until", flag(self.check_valid_until)),
            ("Components", list(&self.components)),
            ("Date-Max-Future", self.date_max_future.map(|seconds| seconds.to_string())),
            ("Enabled", flag(self.enabled)),
            ("Inrelease-Path", self.inrelease_path.clone()),
            ("Languages", list(&self.languages)),
            ("X-Repolib-Name", Some(self.name.clone())),
            ("Pdiffs", flag(self.pdiffs)),
            ("Signed-By", signed_by.map(str::to_owned)),
            ("Suites", list(&self.suites)),
            ("Targets", list(&self.targets)),
            ("Trusted", flag(self.trusted)),
            ("Types", Some(self.types.join(" "))),
            ("URIs", list(&self.uris)),
        ];
        let line = |(name, value): (&str, Option<String>)| {
            let value = value?;
            // Several lines follow on lines of their own, where an empty one is a dot.
            let value = if value.contains('\n') {
                let lines = value.trim().lines().map(str::trim);
                lines.fold(String::new(), |text, line| {
                    text + "\n    " + if line.is_empty() { "." } else { line }
                })
            } else {
                format!(" {value}")
            };
            Some(format!("{name}:{value}\n"))
        };
        fields.into_iter().filter_map(line).collect()
    }
}

/// Returns the key that signs the repository.
struct Key {
    field: String,
    file: Option<PathBuf>,
    changed: bool,
}

impl Key {
    fn of(written: &str, host: &Host, slug: &str) -> Result<Key, Failure> {
        if Path::new(written).is_file() {
            let file = Some(PathBuf::from(written));
            return Ok(Key { field: written.to_owned(), file, changed: false });
        }
        let is_address = written.split_once("://").is_some_and(|(scheme, _)| !scheme.contains(['\n', ' ']));
        if !is_address {
            return Ok(Key { field: written.to_owned(), file: None, changed: false });
        }
        let bytes = fetch(written, host.context)?;
        let armoured = String::from_utf8_lossy(&bytes).contains("-----BEGIN PGP PUBLIC KEY BLOCK-----");
        let file = key_file(slug, if armoured { "asc" } else { "gpg" });
        let mut changed = false;
        if std::fs::read(&file).ok().as_deref() != Some(bytes.as_slice()) {
            let directory = Path::new(KEYRINGS);
            if !directory.is_dir() {
                host.create_directory(directory).doing("could not make the directory", directory)?;
                host.set_mode(directory, 0o755).doing("could not make the directory", directory)?;
            }
            host.write(&file, &bytes, &Replace { mode: Some(0o644), ..Replace::default() })?;
            changed = true;
        }
        if file.exists() {
            let mode = Some(Mode::Text("0644".into()));
            let attributes = FileAttributes { mode, ..FileAttributes::default() };
            changed |= attributes.apply(host, &file, true)?.changed;
        }
        Ok(Key { field: file.display().to_string(), file: Some(file), changed })
    }
}

fn fetch(address: &str, context: &Context) -> Result<Vec<u8>, Failure> {
    let failed = |why: String| Failure::new(format!("Could not fetch signed_by key: {why}"));
    let ask = Ask { method: "GET".into(), redirects: Redirects::All, ..Ask::default() };
    let mut answer =
        Connect::plain(address, true).ask(ask, context).map_err(|e| failed(e.error.to_string()))?;
    if !answer.is_success() {
        return Err(failed(answer.summary()));
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut answer.reader, &mut bytes).map_err(|e| failed(e.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_become_files() {
        assert_eq!(super::slug("ansible-test Focal_archive  (1)"), "ansible-test-focal-archive-1");
    }
}
