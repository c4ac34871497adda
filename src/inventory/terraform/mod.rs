//! Terraform's outputs as variables: the plugin `terraform_outputs`, and `-i terraform:PATH`.
//!
//! ```yaml
//! plugin: terraform_outputs
//! path: ../terraform          # a directory, a state, the output of `terraform output -json`, or s3://bucket/key
//! workspace: production       # in a directory, the selected one unless given
//! workspace_key_prefix: "env:"  # of a state in S3
//! group: all                  # whose variables the outputs become
//! outputs: {db_endpoint: database_host}     # only these, under these names; a list keeps the names
//! groups: {web: [alb_dns]}    # outputs for other groups
//! hosts: {bastion: {bastion_ip: ansible_host}}
//! instances:                  # hosts of the state's resources
//!   - {type: aws_instance, name: tags.Name, address: private_ip, groups: [web], vars: {instance_id: id}}
//! ```
//!
//! Values keep their types, and can never be templates. Sensitive outputs and attributes are secrets.

mod directory;
mod fetch;
mod instances;
mod scan;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod workspaces;
mod write;

use std::path::Path;

use indexmap::IndexMap;
use playbook_api::{Error, Map, Place, Value, nearest};

use super::builder::{Builder, Loading};
use crate::document::Node;
use instances::Hosts;
use state::State;
pub use write::import;

/// The workspace that every state has.
const DEFAULT_WORKSPACE: &str = "default";

/// The options of a configuration.
const OPTIONS: [&str; 12] = [
    "plugin",
    "path",
    "workspace",
    "workspace_key_prefix",
    "binary",
    "group",
    "prefix",
    "outputs",
    "groups",
    "hosts",
    "instances",
    "options",
];

/// Where a state is, and how to get it.
struct Source<'a> {
    location: String,
    workspace: Option<String>,
    /// What the names of workspaces' states begin with in S3; `env:` if not given.
    workspace_key_prefix: Option<String>,
    /// `terraform` or `tofu`; the first that is installed if not given.
    binary: Option<String>,
    /// Connection arguments for a state that is somewhere else: `region`, `profile`, `endpoint_url`.
    options: Map,
    /// Whether the resources are needed too, not only the outputs.
    resources: bool,
    loading: &'a Loading<'a>,
}

impl Source<'_> {
    /// Fetches the state, and warns if it has no outputs: what Terraform prints for a directory in which
    /// nothing was initialized or applied looks the same.
    fn fetch(&self, builder: &mut Builder) -> Result<State, Error> {
        let state = fetch::fetch(self)?;
        if state.outputs.is_empty() && !self.resources {
            let workspace = self.workspace.as_deref().map(|name| format!(", workspace '{name}',"));
            let (location, workspace) = (&self.location, workspace.unwrap_or_default());
            builder.warnings.push(
                Error::new(format!("the Terraform state of {location}{workspace} has no outputs"))
                    .with_help("Run `terraform init` and `terraform apply` there first."),
            );
        }
        Ok(state)
    }
}

/// Reads `-i terraform:PATH`: all outputs, as variables of the group `all`.
pub(super) fn read_location(builder: &mut Builder, location: &str, loading: &Loading) -> Result<(), Error> {
    let source = Source {
        location: location.to_owned(),
        workspace: None,
        workspace_key_prefix: None,
        binary: None,
        options: Map::default(),
        resources: false,
        loading,
    };
    let state = source.fetch(builder)?;
    let place = Place::file_only(location);
    outputs_to(builder, &state, "all", &state.all(), &place)
}

/// Reads a file with `plugin: terraform_outputs`.
pub(super) fn read_config(
    builder: &mut Builder,
    config: &Node,
    file: &Path,
    loading: &Loading,
) -> Result<(), Error> {
    for (name, entry) in config.as_map().into_iter().flatten() {
        let known = name.as_str().is_some_and(|name| OPTIONS.contains(&name) || CONNECTION.contains(&name));
        if !known {
            let error = Error::new(format!("terraform_outputs has no option '{name}'")).at(&entry.key);
            let known = OPTIONS.into_iter().chain(CONNECTION);
            return Err(match nearest(&name.to_text(), known) {
                Some(near) => error.with_help(format!("Did you mean '{near}'?")),
                None => error.with_help(format!("Its options are: {}.", OPTIONS.join(", "))),
            });
        }
    }
    let text =
        |name: &str| config.get(name).filter(|node| !node.is_null()).map(|n| n.raw().to_text().into_owned());
    let path = config.get("path").and_then(Node::source).ok_or_else(|| {
        Error::new("terraform_outputs needs 'path'")
            .at(config.place())
            .with_help("Name a directory with Terraform files, a state file, or s3://bucket/key.")
    })?;
    let beside = file.parent().unwrap_or(Path::new("."));
    let location = if path.contains("://") {
        path.to_owned()
    } else {
        let path = crate::paths::expand_home(path);
        crate::paths::absolute(&beside.join(path)).to_string_lossy().into_owned()
    };
    let source = Source {
        location,
        workspace: text("workspace"),
        workspace_key_prefix: text("workspace_key_prefix"),
        binary: text("binary"),
        options: connection_options(config),
        resources: config.get("instances").is_some(),
        loading,
    };
    let state = source.fetch(builder).map_err(|e| e.at(config.get("path").unwrap_or(config).place()))?;
    let prefix = text("prefix").unwrap_or_default();
    let mut variables = match config.get("outputs").filter(|node| !node.is_null()) {
        Some(node) => state.chosen(node)?,
        None => state.all(),
    };
    if !prefix.is_empty() {
        variables = variables.into_iter().map(|(output, name)| (output, format!("{prefix}{name}"))).collect();
    }
    let group = text("group").unwrap_or_else(|| "all".into());
    outputs_to(builder, &state, &group, &variables, config.place())?;
    for (group, entry) in config.get("groups").and_then(Node::as_map).into_iter().flatten() {
        outputs_to(builder, &state, &group.to_text(), &state.chosen(&entry.node)?, entry.node.place())?;
    }
    for (host, entry) in config.get("hosts").and_then(Node::as_map).into_iter().flatten() {
        let host = builder.add_host(&host.to_text())?;
        for (output, name) in state.chosen(&entry.node)? {
            if let Some(node) = variable(builder, &state, &output, &name, entry.node.place()) {
                builder.inventory.set_host_var(&host, &name, node);
            }
        }
    }
    let mut hosts = Hosts::default();
    for entry in config.get("instances").and_then(Node::as_list).unwrap_or_default() {
        hosts.add(builder, &state, entry, loading.context).map_err(|e| e.at(entry.place()))?;
    }
    Ok(())
}

/// Connection arguments that may stand beside the other options.
const CONNECTION: [&str; 8] = [
    "region",
    "profile",
    "endpoint_url",
    "access_key",
    "secret_key",
    "session_token",
    "aws_ca_bundle",
    "validate_certs",
];

fn connection_options(config: &Node) -> Map {
    let inside = config.get("options").and_then(Node::as_map).into_iter().flatten();
    let mut options: Map = inside.map(|(name, entry)| (name.clone(), entry.node.raw())).collect();
    for name in CONNECTION {
        if let Some(node) = config.get(name) {
            options.insert(name.into(), node.raw());
        }
    }
    options
}

/// Sets outputs as variables of a group. `outputs` maps each output to its variable's name.
fn outputs_to(
    builder: &mut Builder,
    state: &State,
    group: &str,
    outputs: &IndexMap<String, String>,
    place: &Place,
) -> Result<(), Error> {
    let group = builder.add_group(group)?;
    for (output, name) in outputs {
        if let Some(node) = variable(builder, state, output, name, place) {
            builder.inventory.set_group_var(&group, name, node)?;
        }
    }
    Ok(())
}

/// Returns an output as a variable: plain text, never a template.
fn variable(builder: &mut Builder, state: &State, output: &str, name: &str, place: &Place) -> Option<Node> {
    let output = state.outputs.get(output)?;
    if output.sensitive {
        builder.inventory.hide(name);
    }
    Some(Node::value(place.clone(), output.value.clone()))
}

/// Returns a variable's name for an output: Terraform allows dashes.
fn variable_name(output: &str) -> String {
    output.replace('-', "_")
}

fn text_of(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_text().into_owned()).filter(|text| !text.is_empty())
}
