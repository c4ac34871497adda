//! Galaxy servers: `server_list`, with `[galaxy_server.NAME]` for each, or the one in `server`.

use super::{Settings, ini, variable};

/// A Galaxy server.
#[derive(Clone, PartialEq, Eq)]
pub struct GalaxyServer {
    pub name: String,
    pub url: String,
    pub token: Option<String>,
}

impl std::fmt::Debug for GalaxyServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.url)
    }
}

impl Settings {
    /// The Galaxy servers, in the order they are asked.
    pub fn galaxy_servers(&self) -> Vec<GalaxyServer> {
        let text =
            self.config_file.as_ref().and_then(|path| Some((path, std::fs::read_to_string(path).ok()?)));
        let file = text.and_then(|(path, text)| ini::parse(&text, path).ok()).unwrap_or_default();
        let of = |name: &str, key: &str| {
            let upper = format!("ANSIBLE_GALAXY_SERVER_{}_{}", name.to_uppercase(), key.to_uppercase());
            let written = || file.get(&format!("galaxy_server.{name}.{key}")).cloned();
            variable(&upper).or_else(written).filter(|value| !value.is_empty())
        };
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
