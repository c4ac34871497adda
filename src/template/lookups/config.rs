//! `config`: settings by name.

use std::sync::OnceLock;

use playbook_api::{Error, Map, Value};

use super::Lookup;
use super::terms::Options;
use crate::settings::{Settings, Surroundings};
use crate::template::Renderer;
use crate::template::eval::ScopeVariables;

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("config", config)];

/// Options of plugins, and the variables that set them.
const PLUGIN_OPTIONS: &[(&str, &str, &[&str])] = &[
    ("connection", "remote_user", &["ansible_user", "ansible_ssh_user"]),
    ("connection", "port", &["ansible_port", "ansible_ssh_port"]),
    ("connection", "host", &["inventory_hostname", "ansible_host", "ansible_ssh_host"]),
    ("connection", "ssh_transfer_method", &["ansible_ssh_transfer_method"]),
    ("shell", "remote_tmp", &["ansible_remote_tmp"]),
];

/// The settings of this process, which are read once.
pub(super) fn settings() -> Result<&'static Settings, Error> {
    static SETTINGS: OnceLock<Result<Settings, Error>> = OnceLock::new();
    let loaded =
        SETTINGS.get_or_init(|| Settings::load(&Surroundings::of_process()).map(|(settings, _)| settings));
    loaded.as_ref().map_err(Clone::clone)
}

fn config(terms: &[Value], call: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let options = Options { lookup: "config", inline: Map::default(), call };
    let missing = options.text("on_missing").unwrap_or_else(|| "error".into());
    if !["error", "skip", "warn"].contains(&missing.as_str()) {
        return Err(Error::new(format!(
            "Invalid value '{missing}' for lookup option 'on_missing'; it must be one of error, skip, warn"
        )));
    }
    let plugin = match (options.text("plugin_type"), options.text("plugin_name")) {
        (Some(kind), Some(name)) => Some((kind, name)),
        (None, None) => None,
        _ => {
            return Err(Error::new(
                "Both plugin_type and plugin_name are required, cannot use one without the other.",
            ));
        }
    };
    let show_origin = options.flag("show_origin", false)?;
    let mut found = Vec::new();
    for term in terms {
        let Some(name) = term.as_str() else {
            return Err(Error::new(format!(
                "Invalid setting identifier, {term} is not a <class 'str'>, its a <class '{}'>.",
                term.type_name()
            )));
        };
        let value = match &plugin {
            Some((kind, plugin)) => plugin_option(kind, plugin, name, renderer)?,
            None => settings()?.get(name).map(|entry| (entry.value.clone(), entry.origin.to_string())),
        };
        match value {
            Some((value, origin)) if show_origin => found.push(Value::from(vec![value, origin.into()])),
            Some((value, _)) => found.push(value),
            None if missing == "error" => {
                return Err(Error::new(format!("No config definition exists for '{name}'.")));
            }
            None if missing == "warn" => {
                let why = format!("No config definition exists for '{name}'.");
                renderer.warn(Error::new(format!("Skipping {name}: {why}")));
            }
            None => {}
        }
    }
    Ok(found)
}

/// Returns a plugin's option, if a variable sets it.
fn plugin_option(
    kind: &str,
    plugin: &str,
    option: &str,
    renderer: &Renderer,
) -> Result<Option<(Value, String)>, Error> {
    let built_in = PLUGIN_OPTIONS.iter().any(|(of, name, _)| *of == kind && *name == option);
    if !built_in && super::find(plugin).is_none() {
        let missing = || Error::new(format!("Unable to load {kind} plugin \"{plugin}\""));
        let plugins = renderer.environment.context.plugins.as_deref().ok_or_else(missing)?;
        return plugins.option(kind, plugin, option, &ScopeVariables(renderer));
    }
    let variables = PLUGIN_OPTIONS
        .iter()
        .filter(|(of, name, _)| *of == kind && *name == option)
        .flat_map(|entry| entry.2);
    for name in variables {
        if let Some(value) = renderer.scope.get(name) {
            let value = crate::template::lazy::force_deep(&value?)?;
            return Ok(Some((value, format!("var: {name}"))));
        }
    }
    // Otherwise the setting of the same name applies.
    if !built_in {
        return Ok(None);
    }
    let settings = settings()?;
    let entry = settings.get(option).or_else(|| settings.get(&option.to_uppercase()));
    Ok(entry.map(|entry| (entry.value.clone(), entry.origin.to_string())))
}
