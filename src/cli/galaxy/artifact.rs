//! Builds and unpacks the tarball of a collection.

use std::path::{Path, PathBuf};

use playbook_api::{Error, ErrorKind, Value};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::document::{self, Node, Trust};
use crate::vault::Keyring;

/// The name, version and dependencies of a collection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct About {
    pub name: String,
    pub version: String,
    pub dependencies: Vec<(String, String)>,
}

/// Reads the collection in a directory: its MANIFEST.json if it is installed, otherwise its galaxy.yml.
pub(super) fn about(directory: &Path) -> Result<About, Error> {
    if let Ok(text) = std::fs::read_to_string(directory.join("MANIFEST.json")) {
        let manifest: Json = serde_json::from_str(&text).map_err(|e| {
            Error::new(format!("the MANIFEST.json in {} cannot be parsed: {e}", directory.display()))
        })?;
        return of_manifest(&manifest).ok_or_else(|| {
            Error::new(format!("the MANIFEST.json in {} does not name a collection", directory.display()))
        });
    }
    let galaxy = read_galaxy(directory)?;
    let text = |name: &str| galaxy.get(name).map(|node| node.raw().to_text().into_owned());
    let missing = |name: &str| {
        Error::new(format!("The collection galaxy.yml is missing the required key '{name}'"))
            .at(galaxy.place())
    };
    let namespace = text("namespace").ok_or_else(|| missing("namespace"))?;
    let name = text("name").ok_or_else(|| missing("name"))?;
    let version = text("version").ok_or_else(|| missing("version"))?;
    let dependencies = galaxy.get("dependencies").and_then(Node::as_map).into_iter().flatten();
    Ok(About {
        name: checked(&format!("{namespace}.{name}"))?,
        version,
        dependencies: dependencies
            .map(|(name, entry)| (name.to_text().into_owned(), entry.node.raw().to_text().into_owned()))
            .collect(),
    })
}

fn of_manifest(manifest: &Json) -> Option<About> {
    let info = &manifest["collection_info"];
    let name = format!("{}.{}", info["namespace"].as_str()?, info["name"].as_str()?);
    let dependencies = info["dependencies"].as_object().into_iter().flatten();
    Some(About {
        name: checked(&name).ok()?,
        version: info["version"].as_str()?.to_owned(),
        dependencies: dependencies
            .map(|(name, wanted)| (name.clone(), wanted.as_str().unwrap_or("*").to_owned()))
            .collect(),
    })
}

/// Checks the name of a collection, `namespace.name`, which must not be a path.
pub(super) fn checked(name: &str) -> Result<String, Error> {
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match name.split_once('.') {
        Some((namespace, collection)) if word(namespace) && word(collection) => Ok(name.to_owned()),
        _ => Err(Error::new(format!("'{name}' is not a valid name of a collection"))
            .with_help("Use NAMESPACE.NAME, with letters, digits and underscores.")),
    }
}

fn read_galaxy(directory: &Path) -> Result<Node, Error> {
    let path = directory.join("galaxy.yml");
    let loaded = document::load(&path, Trust::Text, &Keyring::default()).map_err(|e| match e.kind() {
        ErrorKind::NotFound => {
            Error::new(format!("The collection galaxy.yml path '{}' does not exist.", path.display()))
        }
        _ => e,
    })?;
    Ok(loaded.node)
}

/// Builds the tarball of the collection in a directory.
pub(super) fn build(directory: &Path) -> Result<(About, Vec<u8>), Error> {
    let about = about(directory)?;
    let galaxy = read_galaxy(directory)?;
    let ignored = galaxy.get("build_ignore").and_then(Node::as_list).unwrap_or_default();
    let mut ignored: Vec<String> = ignored.iter().map(|node| node.raw().to_text().into_owned()).collect();
    let own = format!("{}-*.tar.gz", about.name.replace('.', "-"));
    ignored.extend(["MANIFEST.json".into(), "FILES.json".into(), "galaxy.yml".into(), ".git".into(), own]);
    let patterns: Vec<glob::Pattern> =
        ignored.iter().filter_map(|text| glob::Pattern::new(text).ok()).collect();
    let mut files =
        vec![json!({"name": ".", "ftype": "dir", "chksum_type": null, "chksum_sha256": null, "format": 1})];
    let mut content: Vec<(String, Option<Vec<u8>>)> = Vec::new();
    let kept = |entry: &walkdir::DirEntry| {
        let inside =
            entry.path().strip_prefix(directory).unwrap_or(entry.path()).to_string_lossy().into_owned();
        inside.is_empty() || !patterns.iter().any(|pattern| pattern.matches(&inside))
    };
    for entry in
        walkdir::WalkDir::new(directory).sort_by_file_name().min_depth(1).into_iter().filter_entry(kept)
    {
        let entry = entry.map_err(|e| Error::new(e.to_string()))?;
        let name =
            entry.path().strip_prefix(directory).unwrap_or(entry.path()).to_string_lossy().into_owned();
        if entry.path().is_dir() {
            files.push(json!({"name": name, "ftype": "dir", "chksum_type": null, "chksum_sha256": null, "format": 1}));
            content.push((name, None));
        } else {
            let bytes = std::fs::read(entry.path())
                .map_err(|e| Error::io(&e, format!("cannot read {}", entry.path().display())))?;
            files.push(json!({"name": name, "ftype": "file", "chksum_type": "sha256", "chksum_sha256": sha256(&bytes), "format": 1}));
            content.push((name, Some(bytes)));
        }
    }
    let listed = format!("{:#}", json!({ "files": files, "format": 1 }));
    let manifest = json!({
        "collection_info": info(&galaxy, &about),
        "file_manifest_file": {
            "name": "FILES.json", "ftype": "file", "chksum_type": "sha256",
            "chksum_sha256": sha256(listed.as_bytes()), "format": 1,
        },
        "format": 1,
    });
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default()));
    let mut add = |name: &str, bytes: Option<&[u8]>| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(if bytes.is_some() { 0o644 } else { 0o755 });
        header.set_size(bytes.map_or(0, |bytes| bytes.len() as u64));
        header.set_entry_type(if bytes.is_some() {
            tar::EntryType::Regular
        } else {
            tar::EntryType::Directory
        });
        archive.append_data(&mut header, name, bytes.unwrap_or_default())
    };
    add("MANIFEST.json", Some(format!("{manifest:#}").as_bytes())).map_err(packing)?;
    add("FILES.json", Some(listed.as_bytes())).map_err(packing)?;
    for (name, bytes) in &content {
        add(name, bytes.as_deref()).map_err(packing)?;
    }
    let bytes = archive.into_inner().and_then(|gzip| gzip.finish()).map_err(packing)?;
    Ok((about, bytes))
}

/// Returns galaxy.yml in the form of the manifest.
fn info(galaxy: &Node, about: &About) -> Json {
    let (namespace, name) = about.name.split_once('.').unwrap_or(("", &about.name));
    let mut info = json!({"namespace": namespace, "name": name, "version": about.version});
    let texts =
        ["description", "license_file", "repository", "documentation", "homepage", "issues", "readme"];
    let lists = ["authors", "tags", "license"];
    let value = |name: &str| galaxy.get(name).map(|node| node.raw());
    for name in texts {
        info[name] = value(name).map_or(Json::Null, |value: Value| value.to_json());
    }
    for name in lists {
        info[name] = match value(name) {
            Some(Value::Null) | None => json!([]),
            Some(list @ Value::List(_)) => list.to_json(),
            Some(one) => json!([one.to_json()]),
        };
    }
    info["dependencies"] =
        about.dependencies.iter().map(|(name, wanted)| (name.clone(), json!(wanted))).collect();
    info
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The error for an archive that cannot be written to memory.
fn packing(e: std::io::Error) -> Error {
    Error::io(&e, "cannot pack the collection")
}

/// Unpacks a tarball into a directory in `temporary`, and nothing of it outside.
pub(super) fn unpack(bytes: &[u8], temporary: &Path) -> Result<(About, PathBuf), Error> {
    let directory = temporary.join("collection");
    std::fs::create_dir_all(&directory)
        .map_err(|e| Error::io(&e, format!("cannot create {}", directory.display())))?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    archive.set_preserve_ownerships(false);
    archive.unpack(&directory).map_err(|e| Error::new(format!("not a collection tarball: {e}")))?;
    if !directory.join("MANIFEST.json").exists() {
        return Err(Error::new("not a collection tarball: it has no MANIFEST.json"));
    }
    verify(&directory)?;
    Ok((about(&directory)?, directory))
}

/// Compares the files with the collection's own list.
fn verify(directory: &Path) -> Result<(), Error> {
    match faults(directory, directory)?.first() {
        Some(name) => Err(Error::new(format!(
            "Mismatched artifact hash for '{name}': it differs from the one in FILES.json"
        ))),
        None => Ok(()),
    }
}

/// Returns the files of a directory that differ from the lists of another one.
pub(super) fn faults(directory: &Path, original: &Path) -> Result<Vec<String>, Error> {
    let Ok(text) = std::fs::read_to_string(original.join("FILES.json")) else { return Ok(Vec::new()) };
    let found =
        |name: &str| std::fs::read(directory.join(name)).map(|bytes| sha256(&bytes)).unwrap_or_default();
    let mut faults = Vec::new();
    if let Ok(manifest) = std::fs::read_to_string(original.join("MANIFEST.json"))
        && let Ok(manifest) = serde_json::from_str::<Json>(&manifest)
        && let Some(wanted) = manifest["file_manifest_file"]["chksum_sha256"].as_str()
        && found("FILES.json") != wanted
    {
        faults.push("FILES.json".to_owned());
    }
    let listed: Json = serde_json::from_str(&text).map_err(|e| Error::new(format!("FILES.json: {e}")))?;
    for file in listed["files"].as_array().into_iter().flatten() {
        if let (Some(name), Some(wanted)) = (file["name"].as_str(), file["chksum_sha256"].as_str())
            && found(name) != wanted
        {
            faults.push(name.to_owned());
        }
    }
    Ok(faults)
}
