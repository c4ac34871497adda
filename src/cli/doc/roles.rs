//! The documentation of roles: their argument specifications.

use std::path::Path;

use playbook_api::{Error, ErrorKind};
use serde_json::{Value as Json, json};

use super::text::paragraph;
use crate::document::{self, Node, Trust};
use crate::settings::Settings;
use crate::vault::Keyring;

/// A role with an argument specification.
pub(super) struct Role {
    /// Its name.
    pub name: String,
    path: String,
    /// The entry points, by the names of their task files.
    entry_points: Vec<(String, Node)>,
}

/// Returns the roles of the current directory and of the roles path that describe their arguments, by name.
pub(super) fn all(settings: &Settings) -> Result<Vec<Role>, Error> {
    let beside = crate::paths::absolute(Path::new("roles"));
    let mut roles: Vec<Role> = Vec::new();
    for directory in std::iter::once(&beside).chain(&settings.roles_path) {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if roles.iter().any(|known| known.name == name) {
                continue;
            }
            if let Some(entry_points) = specification(&path)? {
                let path = path.display().to_string();
                roles.push(Role { name, path, entry_points });
            }
        }
    }
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(roles)
}

/// Reads the argument specification of a role.
fn specification(role: &Path) -> Result<Option<Vec<(String, Node)>>, Error> {
    for file in ["argument_specs.yml", "argument_specs.yaml", "main.yml", "main.yaml"] {
        let node = match document::load(&role.join("meta").join(file), Trust::Text, &Keyring::default()) {
            Ok(loaded) => loaded.node,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if let Some(map) = node.get("argument_specs").and_then(Node::as_map) {
            let entries = map.iter().map(|(name, entry)| (name.to_text().into_owned(), entry.node.clone()));
            return Ok(Some(entries.collect()));
        }
    }
    Ok(None)
}

/// Returns the text of a key, with the items of a list as paragraphs.
fn text_of(node: &Node, key: &str) -> String {
    let Some(value) = node.get(key) else { return String::new() };
    let texts = value.as_list().unwrap_or(std::slice::from_ref(value)).iter();
    texts.map(|node| node.raw().to_text().into_owned()).collect::<Vec<_>>().join("\n\n")
}

impl Role {
    /// Returns the summary of its main entry point.
    pub(super) fn about(&self) -> String {
        let main = self.entry_points.iter().find(|(name, _)| name == "main").or(self.entry_points.first());
        main.map(|(_, node)| text_of(node, "short_description")).unwrap_or_default()
    }

    /// Formats the documentation.
    pub(super) fn text(&self) -> String {
        let mut out = format!("# {} (role)\n\n{}\n", self.name, self.path);
        for (name, node) in &self.entry_points {
            out += &format!("\n## Entry point {name}\n\n");
            paragraph(&mut out, &text_of(node, "short_description"), 0);
            let description = text_of(node, "description");
            if !description.is_empty() {
                out.push('\n');
                paragraph(&mut out, &description, 0);
            }
            options(&mut out, node, 0);
        }
        out
    }

    /// Returns the documentation for other programs.
    pub(super) fn json(&self) -> Json {
        let entries = self.entry_points.iter().map(|(name, node)| (name.clone(), node.raw().to_json()));
        json!({
            "collection": "", "path": self.path,
            "entry_points": entries.collect::<serde_json::Map<String, Json>>(),
        })
    }
}

fn options(out: &mut String, node: &Node, margin: usize) {
    for (name, entry) in node.get("options").and_then(Node::as_map).into_iter().flatten() {
        let node = &entry.node;
        let kind = match text_of(node, "type") {
            kind if kind.is_empty() => "str".to_owned(),
            kind => kind,
        };
        let is_required = node.get("required").is_some_and(|value| value.raw().is_true());
        let required = if is_required { ", required" } else { "" };
        *out += &format!("\n{:margin$}{} ({kind}{required})\n", "", name.to_text());
        paragraph(out, &text_of(node, "description"), margin + 4);
        for key in ["choices", "default"] {
            if let Some(value) = node.get(key) {
                *out += &format!("{:1$}{key}: {2}\n", "", margin + 4, value.raw().to_text());
            }
        }
        options(out, node, margin + 4);
    }
}
