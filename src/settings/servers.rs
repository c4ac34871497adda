//! Galaxy servers: `server_list`, with `[galaxy_server.NAME]` for each, or the one in `server`.

use std::collections::HashMap;
use std::path::Path;

use super::{Settings, ini, variable};

/// A Galaxy server.
#[derive(Clone, PartialEq, Eq)]
pub struct GalaxyServer {
    /// Its name in `server_list`.
    pub name: String,
    /// Its address.
    pub url: String,
    /// The token that it is asked with.
    pub token: Option<String>,
}

impl std::fmt::Debug for GalaxyServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.url)
    }
}

/// The keys of a server's section that ansible-core's Galaxy client has.
const KEYS: [&str; 10] = [
    "api_version",
    "auth_url",
    "client_id",
    "client_secret",
    "password",
    "timeout",
    "token",
    "url",
    "username",
    "validate_certs",
];

/// A key of a server's section.
pub struct ServerEntry {
    /// The key.
    pub key: &'static str,
    /// Its value, if it is set.
    pub value: Option<String>,
    /// Where the value came from.
    pub origin: String,
}

/// The sections of the configuration file.
struct Written<'s> {
    path: Option<&'s Path>,
    values: HashMap<String, String>,
}

impl Written<'_> {
    /// An entry of a server: the environment's, or the file's.
    fn entry(&self, server: &str, key: &'static str) -> ServerEntry {
        let name = format!("ANSIBLE_GALAXY_SERVER_{}_{}", server.to_uppercase(), key.to_uppercase());
        if let Some(value) = variable(&name).filter(|value| !value.is_empty()) {
            let origin = format!("env: {name}");
            return ServerEntry { key, value: Some(value), origin };
        }
        let written = self.values.get(&format!("galaxy_server.{server}.{key}")).filter(|v| !v.is_empty());
        match (written, self.path) {
            (Some(value), Some(path)) => {
                ServerEntry { key, value: Some(value.clone()), origin: path.display().to_string() }
            }
            _ => ServerEntry { key, value: None, origin: "default".into() },
        }
    }
}

impl Settings {
    fn written_servers(&self) -> Written<'_> {
        let path = self.config_file.as_deref();
        let text = path.and_then(|path| Some((path, std::fs::read_to_string(path).ok()?)));
        let values = text.and_then(|(path, text)| ini::parse(&text, path).ok()).unwrap_or_default();
        Written { path, values }
    }

    /// The servers of `server_list`, with all that is said of each.
    pub fn galaxy_server_entries(&self) -> Vec<(String, Vec<ServerEntry>)> {
        let written = self.written_servers();
        let names = self.galaxy_server_list.iter().map(|name| name.trim());
        names
            .map(|name| (name.to_owned(), KEYS.iter().map(|key| written.entry(name, key)).collect()))
            .collect()
    }

    /// The Galaxy servers, in the order they are asked.
    pub fn galaxy_servers(&self) -> Vec<GalaxyServer> {
        let written = self.written_servers();
        let of = |name: &str, key: &'static str| written.entry(name, key).value;
        let listed = self.galaxy_server_list.iter().map(|name| name.trim()).filter_map(|name| {
            Some(GalaxyServer { name: name.to_owned(), url: of(name, "url")?, token: of(name, "token") })
        });
        let servers: Vec<GalaxyServer> = listed.collect();
        if !servers.is_empty() {
            return servers;
        }
        vec![GalaxyServer { name: "default".into(), url: self.galaxy_server.clone(), token: None }]
    }
}
