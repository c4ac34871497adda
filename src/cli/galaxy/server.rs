//! A Galaxy server's API: which versions of a collection there are, and where.

use playbook_api::{Error, ErrorKind};
use serde_json::Value as Json;
use ureq::Body;
use ureq::http::Response;

use super::constraint::Version;
use crate::settings::GalaxyServer;

/// Downloads are refused above this size.
pub const LARGEST: u64 = 256 * 1024 * 1024;

/// A version of a collection on a server.
#[derive(Clone, Debug)]
pub struct Published {
    pub download_url: String,
    pub sha256: Option<String>,
    pub dependencies: Vec<(String, String)>,
}

fn failed(server: &GalaxyServer, what: impl std::fmt::Display) -> Error {
    Error::new(format!("The Galaxy server {} ({}) cannot be asked: {what}", server.name, server.url))
}

/// Fetches an address of a server, with its token.
fn get(server: &GalaxyServer, url: &str) -> Result<Option<Response<Body>>, Error> {
    let mut request = ureq::get(url);
    // The token is for this server alone.
    if let Some(token) = server.token.as_ref().filter(|_| origin(url) == origin(&server.url)) {
        request = request.header("Authorization", format!("Token {token}"));
    }
    match request.call() {
        Ok(response) => Ok(Some(response)),
        Err(ureq::Error::StatusCode(404)) => Ok(None),
        Err(error) => Err(failed(server, error)),
    }
}

fn json(server: &GalaxyServer, url: &str) -> Result<Option<Json>, Error> {
    let Some(mut response) = get(server, url)? else { return Ok(None) };
    response.body_mut().read_json().map(Some).map_err(|e| failed(server, e))
}

/// The address under which a server has a collection's versions.
fn versions_url(server: &GalaxyServer, collection: &str) -> String {
    let base = server.url.trim_end_matches('/');
    let api = if base.ends_with("/api") { "" } else { "/api" };
    format!("{base}{api}/v3/collections/{}/versions/", collection.replacen('.', "/", 1))
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    url[after..].find('/').map_or(url, |at| &url[..after + at])
}

/// The address behind a link, which may be a path alone.
fn follow(server: &GalaxyServer, link: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    let host = origin(&server.url);
    format!("{host}{link}")
}

/// The versions of a collection, the newest first; none where the server does not have it.
pub fn versions(server: &GalaxyServer, collection: &str) -> Result<Vec<Version>, Error> {
    let mut versions = Vec::new();
    let mut next = Some(versions_url(server, collection) + "?limit=100");
    // A server whose pages never end is not followed for ever.
    for _ in 0..1000 {
        let Some(page) = next.take().map(|url| json(server, &url)).transpose()?.flatten() else { break };
        let entries = page["data"].as_array().into_iter().flatten();
        versions.extend(entries.filter_map(|entry| Version::parse(entry["version"].as_str()?)));
        next = page["links"]["next"].as_str().map(|link| follow(server, link));
        if next.is_none() {
            break;
        }
    }
    versions.sort_by(|a, b| b.cmp(a));
    Ok(versions)
}

/// Where a version is, and what it needs.
pub fn published(server: &GalaxyServer, collection: &str, version: &str) -> Result<Published, Error> {
    let url = format!("{}{version}/", versions_url(server, collection));
    let missing = || Error::new(format!("{collection}:{version} is not on the server {}", server.name));
    let found = json(server, &url)?.ok_or_else(missing)?;
    let dependencies = found["metadata"]["dependencies"].as_object().into_iter().flatten();
    Ok(Published {
        download_url: follow(server, found["download_url"].as_str().ok_or_else(missing)?),
        sha256: found["artifact"]["sha256"].as_str().map(str::to_owned),
        dependencies: dependencies
            .map(|(name, wanted)| (name.clone(), wanted.as_str().unwrap_or("*").to_owned()))
            .collect(),
    })
}

/// The bytes behind an address of a server.
pub fn download(server: &GalaxyServer, url: &str) -> Result<Vec<u8>, Error> {
    let missing = || Error::new(format!("{url} is not there")).kind(ErrorKind::NotFound);
    let mut response = get(server, url)?.ok_or_else(missing)?;
    response.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(|e| failed(server, e))
}
