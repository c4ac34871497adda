//! `role search` and `role info`: information about roles.

use std::path::PathBuf;

use clap::Args;
use playbook_api::{Error, Value};
use serde_json::Value as Json;

use super::{installed_version, server};
use crate::document::{self, Trust};
use crate::paths;
use crate::settings::Settings;
use crate::vault::Keyring;

#[derive(Args)]
pub(super) struct Search {
    /// The author of the roles
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// Tags of the roles, separated by commas
    #[arg(long, value_name = "TAGS")]
    galaxy_tags: Option<String>,
    /// Platforms of the roles, separated by commas
    #[arg(long, value_name = "PLATFORMS")]
    platforms: Option<String>,
    /// The URL of the Galaxy server, or its name in server_list
    #[arg(short, long, value_name = "SERVER")]
    server: Option<String>,
    /// The words to search for
    words: Vec<String>,
}

#[derive(Args)]
pub(super) struct Info {
    /// Show only roles that are installed, and do not query a server
    #[arg(long)]
    offline: bool,
    /// The directory to search (default: all of roles_path)
    #[arg(short = 'p', long, value_name = "DIRECTORY")]
    roles_path: Option<PathBuf>,
    /// The URL of the Galaxy server, or its name in server_list
    #[arg(short, long, value_name = "SERVER")]
    server: Option<String>,
    /// The roles: the names of their directories, or AUTHOR.NAME on a server
    #[arg(required = true)]
    roles: Vec<String>,
}

/// The maximum number of roles that are shown.
const MOST: usize = 1000;

impl Search {
    pub(super) fn run(&self, settings: &Settings) -> Result<u8, Error> {
        let mut query: Vec<(&str, String)> = Vec::new();
        if !self.words.is_empty() {
            query.push(("autocomplete", self.words.join(" ")));
        }
        for (name, given) in
            [("tags_autocomplete", &self.galaxy_tags), ("platforms_autocomplete", &self.platforms)]
        {
            query.extend(given.iter().map(|text| (name, text.replace(',', " "))));
        }
        query.extend(self.author.iter().map(|author| ("username_autocomplete", author.clone())));
        if query.is_empty() {
            return Err(Error::new(
                "Invalid query. At least one search term, platform, galaxy tag or author must be provided.",
            ));
        }
        query.push(("page_size", MOST.to_string()));
        let server = server::first(settings, self.server.as_deref())?;
        let found = server::ask(&server, "v1/search/roles/", &query)?.unwrap_or_default();
        let roles = found["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        if roles.is_empty() {
            say!("No roles match your search.");
            return Ok(1);
        }
        let count = found["count"].as_u64().unwrap_or(roles.len() as u64);
        let more = if count > roles.len() as u64 {
            format!(" Showing first {}.", roles.len())
        } else {
            String::new()
        };
        say!("\nFound {count} roles matching your search.{more}\n");
        let text = |role: &Json, name: &str| role[name].as_str().unwrap_or_default().to_owned();
        let named: Vec<(String, String)> = roles
            .iter()
            .map(|role| {
                (format!("{}.{}", text(role, "username"), text(role, "name")), text(role, "description"))
            })
            .collect();
        let width = named.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(4);
        say!(" {:width$} Description", "Name");
        say!(" {:width$} {}", "----", "-----------");
        named.iter().for_each(|(name, about)| say!(" {name:width$} {about}"));
        Ok(0)
    }
}

impl Info {
    pub(super) fn run(&self, settings: &Settings) -> Result<u8, Error> {
        for role in &self.roles {
            say!("\nRole: {role}");
            match self.installed(role, settings)? {
                Some(known) => print(&known, 1),
                None if self.offline => say!("\t- the role {role} was not found"),
                None => match self.published(role, settings)? {
                    Some(known) => print(&Value::from_json(known), 1),
                    None => say!("\t- the role {role} was not found"),
                },
            }
        }
        Ok(0)
    }

    /// Returns the information that an installed role has.
    fn installed(&self, role: &str, settings: &Settings) -> Result<Option<Value>, Error> {
        let directories = match &self.roles_path {
            Some(directory) => vec![paths::absolute(directory)],
            None => settings.roles_path.clone(),
        };
        let Some(directory) =
            directories.iter().map(|directory| directory.join(role)).find(|path| path.is_dir())
        else {
            return Ok(None);
        };
        let mut known =
            match document::load(&directory.join("meta/main.yml"), Trust::Text, &Keyring::default()) {
                Ok(loaded) => loaded.node.raw().as_map().cloned().unwrap_or_default(),
                Err(_) => playbook_api::Map::default(),
            };
        known.insert("path".into(), directory.to_string_lossy().into_owned().into());
        known.insert("installed_version".into(), installed_version(&directory).into());
        Ok(Some(known.into()))
    }

    fn published(&self, role: &str, settings: &Settings) -> Result<Option<Json>, Error> {
        let Some((author, name)) = role.split_once('.') else { return Ok(None) };
        let server = server::first(settings, self.server.as_deref())?;
        let query = [("owner__username", author.to_owned()), ("name", name.to_owned())];
        let found = server::ask(&server, "v1/roles/", &query)?.unwrap_or_default();
        Ok(found["results"].as_array().and_then(|roles| roles.first()).cloned())
    }
}

/// Formats one line per name, with inner ones indented.
fn print(value: &Value, depth: usize) {
    let margin = "\t".repeat(depth);
    let mut entries: Vec<(&Value, &Value)> = value.as_map().into_iter().flatten().collect();
    entries.sort_by_key(|(name, _)| name.to_text().into_owned());
    for (name, value) in entries {
        match value {
            Value::Map(_) => {
                say!("{margin}{}:", name.to_text());
                print(value, depth + 1);
            }
            value => say!("{margin}{}: {value}", name.to_text()),
        }
    }
}
