//! Reads requirements files.

use std::path::{Path, PathBuf};

use playbook_api::{Error, ErrorKind};

use super::artifact::checked;
use crate::document::{self, Node, Trust};
use crate::vault::Keyring;

/// A role to install.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Requirement {
    pub name: String,
    pub source: String,
    pub version: Option<String>,
    /// Whether it is fetched with git.
    pub git: bool,
    /// The directory that relative sources are relative to.
    pub directory: PathBuf,
}

/// A collection to install.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Collection {
    pub source: CollectionSource,
    /// The directory that relative sources are relative to.
    pub directory: PathBuf,
}

/// The source of a collection.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CollectionSource {
    /// A Galaxy server, or all of them if none is named.
    Galaxy {
        name: String,
        version: String,
        server: Option<String>,
    },
    Git {
        url: String,
        version: Option<String>,
    },
    Url(String),
    /// A tarball, or a directory with galaxy.yml.
    Path(PathBuf),
}

impl Collection {
    /// Parses `NAMESPACE.NAME[:VERSION]`, a path, `git+URL[,VERSION]` or the URL of a tarball.
    pub(super) fn from_text(text: &str, directory: &Path) -> Result<Collection, Error> {
        let source = match text {
            text if text.starts_with("git+") || text.starts_with("git@") => {
                let (url, version) = text.split_once(',').map_or((text, None), |(url, v)| (url, Some(v)));
                let url = url.strip_prefix("git+").unwrap_or(url).to_owned();
                CollectionSource::Git { url, version: version.map(str::to_owned) }
            }
            text if text.starts_with("https://") || text.starts_with("http://") => {
                CollectionSource::Url(text.to_owned())
            }
            text if text.contains('/') || text.ends_with(".tar.gz") => {
                CollectionSource::Path(PathBuf::from(text.strip_prefix("file://").unwrap_or(text)))
            }
            text => {
                let (name, version) = text.split_once(':').unwrap_or((text, "*"));
                let (name, version) = (checked(name)?, version.to_owned());
                CollectionSource::Galaxy { name, version, server: None }
            }
        };
        Ok(Collection { source, directory: directory.to_owned() })
    }

    /// Reads an entry: text, or a mapping with `name`, `version`, `source` and `type`.
    pub(super) fn of(entry: &Node, file: &Path) -> Result<Collection, Error> {
        let directory = file.parent().unwrap_or(Path::new("."));
        if let Some(text) = entry.as_str() {
            return Collection::from_text(text, directory).map_err(|e| e.at(entry.place()));
        }
        let get =
            |name: &str| entry.get(name).filter(|n| !n.is_null()).map(|n| n.raw().to_text().into_owned());
        let Some(name) = get("name").or_else(|| get("source")) else {
            return Err(
                Error::new("Collections requirement entry should contain the key name.").at(entry.place())
            );
        };
        let bare = name.strip_prefix("git+").unwrap_or(&name).to_owned();
        let source = match get("type").as_deref() {
            Some("git") => CollectionSource::Git { url: bare, version: get("version").filter(|v| v != "*") },
            Some("url") => CollectionSource::Url(name),
            Some("file" | "dir") => CollectionSource::Path(PathBuf::from(name)),
            Some("galaxy") | None => {
                let mut collection =
                    Collection::from_text(&name, directory).map_err(|e| e.at(entry.place()))?;
                match &mut collection.source {
                    CollectionSource::Galaxy { version, server, .. } => {
                        *version = get("version").unwrap_or_else(|| version.clone());
                        *server = get("source");
                    }
                    CollectionSource::Git { version, .. } => *version = get("version").or(version.take()),
                    _ => {}
                }
                collection.source
            }
            Some(other) => {
                let message = format!(
                    "The collection requirement entry key 'type' must be one of file, galaxy, git, url, \
                    dir; it is '{other}'."
                );
                return Err(Error::new(message).at(entry.place()));
            }
        };
        Ok(Collection { source, directory: directory.to_owned() })
    }
}

/// Returns the roles and collections of a file.
pub(super) fn read(file: &Path, keyring: &Keyring) -> Result<(Vec<Requirement>, Vec<Collection>), Error> {
    let node = document::load(file, Trust::Text, keyring)
        .map_err(|e| match e.kind() {
            ErrorKind::NotFound => {
                Error::new(format!("The requirements file '{}' does not exist.", file.display()))
                    .with_kind(ErrorKind::NotFound)
            }
            _ => e,
        })?
        .node;
    let (roles, collections) = match (node.as_list(), node.as_map()) {
        (Some(list), _) => (list.to_vec(), Vec::new()),
        (_, Some(map)) => {
            if let Some((key, entry)) =
                map.iter().find(|(k, _)| !matches!(k.as_str(), Some("roles" | "collections")))
            {
                let message = format!(
                    "Expecting only 'roles' and/or 'collections' as base keys in the requirements file. Found: {key}"
                );
                return Err(Error::new(message).at(&entry.key));
            }
            let list = |name: &str| node.get(name).and_then(Node::as_list).unwrap_or_default().to_vec();
            (list("roles"), list("collections"))
        }
        _ if node.is_null() => {
            return Err(Error::new(format!("No requirements found in file '{}'", file.display())));
        }
        _ => {
            return Err(
                Error::new("a requirements file must be a list of roles or a dictionary").at(node.place())
            );
        }
    };
    let mut found = Vec::new();
    for entry in &roles {
        if let Some(include) = entry.get("include").and_then(Node::as_str) {
            let path = file.parent().unwrap_or(Path::new(".")).join(include);
            found.extend(read(&path, keyring)?.0);
        } else {
            found.push(Requirement::of(entry, file)?);
        }
    }
    let collections = collections.iter().map(|entry| Collection::of(entry, file));
    Ok((found, collections.collect::<Result<_, _>>()?))
}

impl Requirement {
    /// Reads an entry: text, or a mapping with `src`, `version`, `name` and `scm`.
    pub(super) fn of(entry: &Node, file: &Path) -> Result<Requirement, Error> {
        let directory = file.parent().unwrap_or(Path::new("."));
        if let Some(text) = entry.as_str() {
            return Ok(Requirement::from_text(text, directory));
        }
        let get =
            |name: &str| entry.get(name).filter(|n| !n.is_null()).map(|n| n.raw().to_text().into_owned());
        let Some(source) = get("src").or_else(|| get("role")).or_else(|| get("name")) else {
            return Err(Error::new("Must specify name or src for role").at(entry.place()));
        };
        let mut role = Requirement::from_text(&source, directory);
        role.version = get("version").or(role.version);
        role.name = get("name").unwrap_or(role.name);
        match get("scm").as_deref() {
            Some("git") => role.git = true,
            None => {}
            Some(other) => {
                return Err(Error::new(format!("- scm {other} is not currently supported")).at(entry.place()));
            }
        }
        if role.name.is_empty() || role.name.contains('/') || role.name.starts_with('.') {
            return Err(
                Error::new(format!("'{}' is not a valid name of a role", role.name)).at(entry.place())
            );
        }
        Ok(role)
    }

    /// Parses `SOURCE,VERSION,NAME`, whose last two parts are optional.
    pub(super) fn from_text(text: &str, directory: &Path) -> Requirement {
        let mut parts = text.split(',').map(str::trim);
        let source = parts.next().unwrap_or_default();
        let version = parts.next().filter(|v| !v.is_empty()).map(str::to_owned);
        let name = parts.next().map(str::to_owned);
        let (git, source) = match source.strip_prefix("git+") {
            Some(source) => (true, source),
            None => (
                source.starts_with("git@") || source.starts_with("git://") || source.ends_with(".git"),
                source,
            ),
        };
        let name = name.unwrap_or_else(|| name_of(source));
        Requirement { name, source: source.to_owned(), version, git, directory: directory.to_owned() }
    }
}

/// Returns the last part of a source, without the extension of an archive or repository.
fn name_of(source: &str) -> String {
    if !source.contains('/') && !source.contains(':') {
        return source.trim_end_matches(".tar.gz").to_owned();
    }
    let last = source.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(source);
    let last = last.trim_end_matches(".tar.gz").trim_end_matches(".tgz").trim_end_matches(".git");
    last.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_say_how_and_under_which_name() {
        let of = |text: &str| Requirement::from_text(text, Path::new("."));
        let role = of("git+https://example.com/team/web.git,v1.2");
        assert_eq!((role.name.as_str(), role.version.as_deref(), role.git), ("web", Some("v1.2"), true));
        assert_eq!(of("git@example.com:team/web.git").name, "web");
        assert_eq!(of("../roles/web").name, "web");
        assert_eq!(of("https://example.com/web-1.0.tar.gz,,web").name, "web");
        assert!(!of("geerlingguy.nginx").git);
    }

    #[test]
    fn a_requirements_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("requirements.yml");
        std::fs::write(&file, "roles:\n  - src: https://example.com/web.git\n    version: main\n    name: site\n  - ./db\ncollections:\n  - name: community.aws\n").unwrap();
        let (roles, collections) = read(&file, &Keyring::default()).unwrap();
        assert_eq!((roles[0].name.as_str(), roles[0].git), ("site", true));
        assert_eq!((roles[1].name.as_str(), roles[1].git), ("db", false));
        let galaxy =
            CollectionSource::Galaxy { name: "community.aws".into(), version: "*".into(), server: None };
        assert_eq!(collections.iter().map(|c| &c.source).collect::<Vec<_>>(), [&galaxy]);
        std::fs::write(&file, "- version: 1\n").unwrap();
        let error = read(&file, &Keyring::default()).unwrap_err();
        assert_eq!(error.to_string(), "Must specify name or src for role");
        assert_eq!(error.place().unwrap().line, 1);
    }
}
