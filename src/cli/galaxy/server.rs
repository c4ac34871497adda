//! The API of Galaxy servers.

use playbook_api::{Error, ErrorKind};
use serde_json::Value as Json;
use ureq::Body;
use ureq::http::Response;

use super::constraint::Version;
use crate::settings::{GalaxyServer, Settings};

/// The maximum size of downloads.
pub(super) const LARGEST: u64 = 256 * 1024 * 1024;

/// A version of a collection on a server.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub download_url: String,
    pub sha256: Option<String>,
    pub dependencies: Vec<(String, String)>,
}

fn failed(server: &GalaxyServer, what: impl std::fmt::Display) -> Error {
    Error::new(format!("the Galaxy server {} ({}) cannot be queried: {what}", server.name, server.url))
}

/// Fetches a URL of a server, with its token.
fn get(server: &GalaxyServer, url: &str) -> Result<Option<Response<Body>>, Error> {
    let mut request = ureq::get(url);
    // The token must not go to other servers.
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

/// Returns a URL of a server's API.
fn api(server: &GalaxyServer, path: &str) -> String {
    let base = server.url.trim_end_matches('/');
    let api = if base.ends_with("/api") { "" } else { "/api" };
    format!("{base}{api}/{path}")
}

/// Returns the URL of a collection's versions.
fn versions_url(server: &GalaxyServer, collection: &str) -> String {
    api(server, &format!("v3/collections/{}/versions/", collection.replacen('.', "/", 1)))
}

/// Returns the servers of the settings, or the one that is given by name or URL.
pub(super) fn chosen(settings: &Settings, named: Option<&str>) -> Vec<GalaxyServer> {
    let mut servers = settings.galaxy_servers();
    if let Some(name) = named {
        servers.retain(|known| known.name == name || known.url == name);
        if servers.is_empty() {
            servers.push(GalaxyServer { name: "cmd_arg".into(), url: name.to_owned(), token: None });
        }
    }
    servers
}

/// Returns the first server of [`chosen`].
pub(super) fn first(settings: &Settings, named: Option<&str>) -> Result<GalaxyServer, Error> {
    let none = || Error::new("There is no Galaxy server to query").with_help("Name one with --server.");
    chosen(settings, named).into_iter().next().ok_or_else(none)
}

/// Queries a server. Returns nothing if the URL does not exist.
pub(super) fn ask(
    server: &GalaxyServer,
    path: &str,
    query: &[(&str, String)],
) -> Result<Option<Json>, Error> {
    let words = query.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value)));
    let url = format!("{}?{}", api(server, path), words.collect::<Vec<_>>().join("&"));
    json(server, &url)
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Uploads a tarball, and returns the URL of the import task.
pub(super) fn publish(server: &GalaxyServer, file: &str, bytes: &[u8]) -> Result<String, Error> {
    let sha256 = super::artifact::sha256(bytes);
    let boundary = format!("--------------------------{}", uuid::Uuid::new_v4().simple());
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"sha256\"\r\n\r\n{sha256}\r\n--{boundary}\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let mut request = ureq::post(api(server, "v3/artifacts/collections/"))
        .header("Content-Type", format!("multipart/form-data; boundary={boundary}"));
    if let Some(token) = &server.token {
        request = request.header("Authorization", format!("Token {token}"));
    }
    let mut response = request.send(&body[..]).map_err(|e| failed(server, e))?;
    let answer: Json = response.body_mut().read_json().map_err(|e| failed(server, e))?;
    let task = answer["task"].as_str().ok_or_else(|| failed(server, "it names no import task"))?;
    Ok(follow(server, task))
}

/// The state of an import.
pub(super) struct Import {
    pub state: String,
    pub error: Option<String>,
    /// The messages of the server.
    pub messages: Vec<String>,
}

/// Returns the state of an import by the URL of its task.
pub(super) fn import(server: &GalaxyServer, task: &str) -> Result<Import, Error> {
    let found = json(server, task)?.ok_or_else(|| failed(server, format!("{task} is not there")))?;
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let done = !found["finished_at"].is_null();
    let messages = found["messages"].as_array().into_iter().flatten().filter(|_| done);
    Ok(Import {
        state: text(&found["state"]).unwrap_or_default(),
        error: text(&found["error"]["description"]),
        messages: messages.filter_map(|message| text(&message["message"])).collect(),
    })
}

/// Returns the scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    url[after..].find('/').map_or(url, |at| &url[..after + at])
}

/// Returns the URL of a link, which may be only a path.
fn follow(server: &GalaxyServer, link: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    let host = origin(&server.url);
    format!("{host}{link}")
}

/// Returns the versions of a collection, newest first; none if the server does not have it.
pub(super) fn versions(server: &GalaxyServer, collection: &str) -> Result<Vec<Version>, Error> {
    let mut versions = Vec::new();
    let mut next = Some(versions_url(server, collection) + "?limit=100");
    // The number of pages is limited, in case a server never ends.
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

/// Returns the URL and the dependencies of a version.
pub(super) fn published(server: &GalaxyServer, collection: &str, version: &str) -> Result<Published, Error> {
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

/// Downloads a URL of a server.
pub(super) fn download(server: &GalaxyServer, url: &str) -> Result<Vec<u8>, Error> {
    let missing = || Error::new(format!("{url} does not exist")).with_kind(ErrorKind::NotFound);
    let mut response = get(server, url)?.ok_or_else(missing)?;
    response.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(|e| failed(server, e))
}
