//! Fetches roles and collections from git, tarballs, URLs or directories.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use playbook_api::{Error, ErrorKind};

use super::artifact::{self, About};
use super::requirements::{CollectionSource, Requirement};
use crate::settings::Settings;

/// The maximum size of downloads.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Puts the role into a directory in `temporary`, and returns it.
pub(super) fn fetch(role: &Requirement, temporary: &Path, settings: &Settings) -> Result<PathBuf, Error> {
    let target = temporary.join("role");
    if role.git {
        git(role, &target)?;
        return Ok(target);
    }
    if role.source.starts_with("https://") || role.source.starts_with("http://") {
        return download(&role.source, temporary);
    }
    let source = role.source.strip_prefix("file://").unwrap_or(&role.source);
    let candidates = [crate::paths::expand_home(source), role.directory.join(source)];
    match candidates.iter().find(|path| path.exists()) {
        Some(path) if path.join(".git").exists() && role.version.is_some() => {
            let local = Requirement { source: path.to_string_lossy().into_owned(), ..role.clone() };
            git(&local, &target)?;
            Ok(target)
        }
        Some(path) if path.is_dir() => {
            copy(path, &target)?;
            Ok(target)
        }
        Some(path) => unpack(
            std::fs::File::open(path)
                .map_err(|e| Error::io(&e, format!("cannot read {}", path.display())))?,
            temporary,
        ),
        None => from_galaxy(role, temporary, settings),
    }
}

/// Fetches a collection that is not on a Galaxy server, and returns its directory.
pub(super) fn collection(
    source: &CollectionSource,
    beside: &Path,
    temporary: &Path,
) -> Result<(About, PathBuf), Error> {
    let bytes = match source {
        CollectionSource::Galaxy { name, .. } => {
            return Err(Error::new(format!("{name} is on Galaxy servers")));
        }
        CollectionSource::Git { url, version } => {
            let target = temporary.join("git");
            let (url, inside) = match url.split_once(".git#") {
                Some((url, inside)) => (format!("{url}.git"), inside.trim_matches('/')),
                None => (url.clone(), ""),
            };
            git(
                &Requirement { version: version.clone(), git: true, ..Requirement::from_text(&url, beside) },
                &target,
            )?;
            artifact::build(&target.join(inside))?.1
        }
        CollectionSource::Url(url) => {
            let failed = |what: String| Error::new(format!("failed to download {url}: {what}"));
            let mut response = ureq::get(url).call().map_err(|e| failed(e.to_string()))?;
            let body = response.body_mut().with_config().limit(LARGEST);
            body.read_to_vec().map_err(|e| failed(e.to_string()))?
        }
        CollectionSource::Path(path) => {
            let candidates = [crate::paths::expand_home(path), beside.join(path)];
            let path = candidates.iter().find(|path| path.exists()).ok_or_else(|| {
                Error::new(format!("'{}' does not exist", path.display())).with_kind(ErrorKind::NotFound)
            })?;
            if path.is_dir() {
                artifact::build(path)?.1
            } else {
                std::fs::read(path).map_err(|e| Error::io(&e, format!("cannot read {}", path.display())))?
            }
        }
    };
    artifact::unpack(&bytes, temporary)
}

fn git(role: &Requirement, target: &Path) -> Result<(), Error> {
    let run = |arguments: &[&str]| -> Result<(), Error> {
        let output =
            Command::new("git").args(arguments).env("GIT_TERMINAL_PROMPT", "0").output().map_err(|e| {
                Error::new(format!(
                    "could not find/use git, it is required to continue with installing {}: {e}",
                    role.source
                ))
            })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("git failed").to_owned();
        Err(Error::new(format!("git {}: {last}", arguments.first().unwrap_or(&""))))
    };
    let target_text = target.to_string_lossy().into_owned();
    if role.source.starts_with('-') || role.version.as_deref().is_some_and(|v| v.starts_with('-')) {
        return Err(Error::new(format!("'{}' is not a valid git source", role.source)));
    }
    match &role.version {
        None => run(&["clone", "--quiet", "--depth", "1", "--", &role.source, &target_text])?,
        // Of a branch or tag only the last commit is needed; for a commit the whole history is.
        Some(version) => {
            let shallow =
                ["clone", "--quiet", "--depth", "1", "--branch", version, "--", &role.source, &target_text];
            if run(&shallow).is_err() {
                run(&["clone", "--quiet", "--", &role.source, &target_text])?;
                run(&["-C", &target_text, "checkout", "--quiet", "--detach", version])
                    .map_err(|e| e.context(format!("there is no version '{version}'")))?;
            }
        }
    }
    std::fs::remove_dir_all(target.join(".git"))
        .map_err(|e| Error::io(&e, format!("cannot remove {}", target.join(".git").display())))?;
    Ok(())
}

fn download(url: &str, temporary: &Path) -> Result<PathBuf, Error> {
    let failed = |what: String| Error::new(format!("failed to download {url}: {what}"));
    let mut response = ureq::get(url).call().map_err(|e| failed(e.to_string()))?;
    let body = response.body_mut().as_reader().take(LARGEST);
    unpack(body, temporary)
}

/// Unpacks a tarball. The role is the directory in it that has tasks/ or meta/.
fn unpack(mut archive: impl Read, temporary: &Path) -> Result<PathBuf, Error> {
    let directory = temporary.join("archive");
    std::fs::create_dir(&directory)
        .map_err(|e| Error::io(&e, format!("cannot create {}", directory.display())))?;
    let failed = |e: std::io::Error| Error::new(format!("not a role tarball: {e}"));
    let mut start = Vec::new();
    archive.by_ref().take(2).read_to_end(&mut start).map_err(failed)?;
    let packed = start == [0x1f, 0x8b];
    let whole = std::io::Cursor::new(start).chain(archive);
    let content: Box<dyn Read> = match packed {
        true => Box::new(flate2::read::GzDecoder::new(whole)),
        false => Box::new(whole),
    };
    let mut archive = tar::Archive::new(content);
    archive.set_preserve_ownerships(false);
    // Entries that later ones replace count too.
    let mut links: Vec<(PathBuf, PathBuf)> = Vec::new();
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        if entry.header().entry_type().is_symlink()
            && let Some(target) = entry.link_name().map_err(failed)?
        {
            links.push((entry.path().map_err(failed)?.into_owned(), target.into_owned()));
        }
        entry.unpack_in(&directory).map_err(failed)?;
    }
    let directories = walkdir::WalkDir::new(&directory).sort_by_file_name().into_iter().flatten();
    let roles = directories.filter(|entry| entry.file_type().is_dir() && is_role(entry.path()));
    let role = roles
        .min_by_key(walkdir::DirEntry::depth)
        .ok_or_else(|| Error::new("this role does not appear to have a meta/main.yml file"))?;
    for (link, target) in links {
        let place = directory.join(link.strip_prefix("/").unwrap_or(&link));
        let leads_to = crate::paths::absolute(&place.parent().unwrap_or(&directory).join(&target));
        if place.starts_with(role.path()) && !leads_to.starts_with(role.path()) {
            let (link, target) = (link.display(), target.display());
            let message = format!("the link {link} leads to {target}, which is not a subpath of the role");
            return Err(Error::new(message).with_help("Remove the link from the archive."));
        }
    }
    Ok(role.into_path())
}

fn is_role(directory: &Path) -> bool {
    ["meta/main.yml", "meta/main.yaml", "tasks"].iter().any(|part| directory.join(part).exists())
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    for entry in walkdir::WalkDir::new(from).into_iter().filter_entry(|entry| entry.file_name() != ".git") {
        let entry = entry.map_err(|e| Error::new(e.to_string()))?;
        let Ok(inside) = entry.path().strip_prefix(from) else { continue };
        let target = to.join(inside);
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)
                .map_err(|e| Error::io(&e, format!("cannot create {}", target.display())))?;
        } else if entry.file_type().is_symlink() {
            std::fs::read_link(entry.path())
                .and_then(|to| std::os::unix::fs::symlink(to, &target))
                .map_err(|e| Error::io(&e, format!("cannot create {}", target.display())))?;
        } else {
            std::fs::copy(entry.path(), &target)
                .map_err(|e| Error::io(&e, format!("cannot copy to {}", target.display())))?;
        }
    }
    Ok(())
}

/// Fetches `user.role`, whose repository the Galaxy server knows.
fn from_galaxy(role: &Requirement, temporary: &Path, settings: &Settings) -> Result<PathBuf, Error> {
    let missing = || {
        Error::new(format!(
            "'{}' is not a file, a directory, or the name of a role on the galaxy server",
            role.source
        ))
        .with_kind(ErrorKind::NotFound)
        .with_help("Give the role's git repository or tarball as 'src'.")
    };
    let (user, name) =
        role.source.split_once('.').filter(|(u, n)| is_word(u) && is_word(n)).ok_or_else(missing)?;
    let server = settings.galaxy_server.trim_end_matches('/');
    let url = format!("{server}/api/v1/roles/?owner__username={user}&name={name}");
    let failed = |what: String| Error::new(format!("failed to query the galaxy server {server}: {what}"));
    let mut response = ureq::get(&url).call().map_err(|e| failed(e.to_string()))?;
    let answer: serde_json::Value = response.body_mut().read_json().map_err(|e| failed(e.to_string()))?;
    let found = &answer["results"][0];
    let (Some(owner), Some(repository)) = (found["github_user"].as_str(), found["github_repo"].as_str())
    else {
        return Err(missing());
    };
    let newest = || found["summary_fields"]["versions"][0]["name"].as_str().map(str::to_owned);
    let branch = found["github_branch"].as_str().filter(|b| !b.is_empty()).unwrap_or("master");
    let version = role.version.clone().or_else(newest).unwrap_or_else(|| branch.to_owned());
    download(&format!("https://github.com/{owner}/{repository}/archive/{version}.tar.gz"), temporary)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
