//! Inventory sources become one inventory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fancy_regex::Regex;
use playbook_api::{Context, Error, ErrorKind, PluginKind, Plugins, name, nearest};

use super::builder::{Builder, Loading};
use super::model::{Inventory, Vars};
use super::vars_files::VarsFiles;
use super::{constructed, generator, host_list, ini, plugin, script, terraform, toml, yaml};
use crate::document::{Loaded, Trust, parse, read};
use crate::paths::absolute;
use crate::settings::Settings;
use crate::vault::Keyring;

impl Inventory {
    /// Creates an inventory without sources.
    pub fn empty(settings: &Settings, keyring: &Arc<Keyring>) -> Inventory {
        Inventory {
            merge: settings.hash_behaviour == "merge",
            python: crate::foreign::python::likely(settings),
            files: Arc::new(VarsFiles::new(keyring.clone(), settings)),
            ..Inventory::default()
        }
    }

    /// Reads every source, in order, and returns the inventory with warnings. A source that cannot be read is
    /// a warning, unless the settings make it an error.
    pub fn load(
        sources: &[String],
        settings: &Settings,
        keyring: &Arc<Keyring>,
        context: &Context,
        extra: &Vars,
    ) -> Result<(Inventory, Vec<Error>), Error> {
        let loading = Loading { keyring, context, extra };
        let mut inventory = Inventory::empty(settings, keyring);
        inventory.directories.extend(settings.project.as_ref().map(|project| project.root.clone()));
        let mut builder = Builder { inventory, settings, warnings: Vec::new(), source: None };
        let plugins = plugins(&mut builder, &loading)?;
        let mut any = false;
        for source in sources.iter().filter(|source| !source.is_empty()) {
            let source = locate(source);
            if let Some(directory) = directory_of(&source)
                && !builder.inventory.directories.contains(&directory)
            {
                builder.inventory.directories.push(directory);
            }
            any |= read_source(&mut builder, &source, &plugins, &loading)?;
            builder.inventory.sources.push(source);
        }
        if !any {
            if settings.inventory_unparsed_is_failed {
                return Err(Error::new(
                    "No inventory was parsed, please check your configuration and options.",
                )
                .with_help("Give an inventory with -i, or set inventory in ansible.cfg."));
            } else if settings.inventory_unparsed_warning {
                builder.warn("No inventory was parsed, only implicit localhost is available");
            }
        }
        let both = if any { builder.inventory.reconcile() } else { Vec::new() };
        for name in both {
            builder.warn(format!("Found both group and host with same name: {name}"));
        }
        builder.inventory.add_files()?;
        let mut warnings = builder.warnings;
        warnings.extend(builder.inventory.files.take_warnings());
        Ok((builder.inventory, warnings))
    }
}

/// Returns a source as an absolute path. Host lists and `terraform:…` stay as they are.
fn locate(source: &str) -> String {
    if source.contains(',') || source.starts_with("terraform:") {
        return source.to_owned();
    }
    absolute(&crate::paths::expand_home(source)).to_string_lossy().into_owned()
}

/// Returns the directory in which group_vars/ and host_vars/ are looked for.
fn directory_of(source: &str) -> Option<PathBuf> {
    let path = Path::new(source);
    if (source.contains(',') && !path.exists()) || source.starts_with("terraform:") {
        return None;
    }
    let directory = if path.is_dir() { path } else { path.parent()? };
    Some(std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned()))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Plugin {
    HostList,
    AdvancedHostList,
    Script,
    Auto,
    Yaml,
    Ini,
    Constructed,
    Generator,
    Toml,
    Terraform,
}

/// The plugins by their names.
const NAMES: [(&str, Plugin); 10] = [
    ("host_list", Plugin::HostList),
    ("advanced_host_list", Plugin::AdvancedHostList),
    ("script", Plugin::Script),
    ("auto", Plugin::Auto),
    ("yaml", Plugin::Yaml),
    ("ini", Plugin::Ini),
    ("constructed", Plugin::Constructed),
    ("generator", Plugin::Generator),
    ("toml", Plugin::Toml),
    ("terraform_outputs", Plugin::Terraform),
];

impl Plugin {
    fn named(name: &str) -> Option<Plugin> {
        let short = name.rsplit('.').next().unwrap_or(name);
        NAMES.iter().find(|(name, _)| *name == short).map(|(_, plugin)| *plugin)
    }

    fn name(self) -> &'static str {
        NAMES.iter().find(|(_, plugin)| *plugin == self).map_or("", |(name, _)| name)
    }

    /// Whether the plugin reads such a source at all.
    fn wants(self, source: &str, settings: &Settings) -> bool {
        let path = Path::new(source);
        let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy()));
        let yaml = |extra: &[&str]| match &extension {
            None => true,
            Some(e) => settings.yaml_valid_extensions.contains(e) || extra.contains(&e.as_str()),
        };
        match self {
            Plugin::HostList | Plugin::AdvancedHostList => source.contains(',') && !path.exists(),
            Plugin::Script => {
                path.is_file() && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
            }
            Plugin::Auto => path.is_file() && matches!(extension.as_deref(), Some(".yml" | ".yaml")),
            Plugin::Yaml => path.is_file() && yaml(&[]),
            Plugin::Constructed | Plugin::Generator | Plugin::Terraform => {
                path.is_file() && yaml(&[".config"])
            }
            // An empty device such as /dev/null is an inventory without hosts.
            Plugin::Ini => path.exists() && !path.is_dir() && extension.as_deref() != Some(".toml"),
            Plugin::Toml => path.is_file() && extension.as_deref() == Some(".toml"),
        }
    }
}

/// Returns the plugins that are tried, in order.
fn plugins(builder: &mut Builder, loading: &Loading) -> Result<Vec<Plugin>, Error> {
    let mut plugins = Vec::new();
    let foreign = |name: &str| match &loading.context.plugins {
        Some(plugins) => plugins.has(PluginKind::Inventory, name).unwrap_or(false),
        None => false,
    };
    let mut any = false;
    for name in &builder.settings.inventory_enabled {
        match Plugin::named(name) {
            Some(plugin) => plugins.push(plugin),
            None if foreign(name) => any = true,
            None => builder.warn(format!("Failed to load inventory plugin, skipping {name}")),
        }
    }
    if plugins.is_empty() && !any {
        return Err(Error::new(
            "No inventory plugins available to generate inventory, make sure you have at least one enabled.",
        ));
    }
    Ok(plugins)
}

fn read_source(
    builder: &mut Builder,
    source: &str,
    plugins: &[Plugin],
    loading: &Loading,
) -> Result<bool, Error> {
    let path = Path::new(source);
    if path.is_dir() {
        return read_directory(builder, path, plugins, loading);
    }
    builder.source = Some(source.into());
    if let Some(location) = source.strip_prefix("terraform:") {
        // The user named the format, so an error is not a wrong guess about it.
        return terraform::read_location(builder, location, loading).map(|()| true);
    }
    let mut document: Option<Result<Loaded, Error>> = None;
    let mut failures: Vec<(Plugin, Error)> = Vec::new();
    for plugin in plugins {
        if !plugin.wants(source, builder.settings) {
            continue;
        }
        match read_with(builder, *plugin, source, &mut document, loading) {
            Ok(()) => {
                if let Some(Ok(loaded)) = document
                    && !matches!(plugin, Plugin::Ini | Plugin::Script)
                    && builder.settings.duplicate_dict_key != "ignore"
                {
                    loaded.accept(&builder.settings.duplicate_dict_key, |w| builder.warnings.push(w))?;
                }
                return Ok(true);
            }
            // The user named the plugin, so an error is not a wrong guess about the format.
            Err(error) if names_terraform(&document) || is_misnamed(&document, builder.settings, loading) => {
                return Err(Error::new(format!("The inventory {source} cannot be read")).caused_by(error));
            }
            Err(error) => failures.push((*plugin, error)),
        }
    }
    let enabled = builder.settings.inventory_enabled.iter().filter(|name| Plugin::named(name).is_none());
    for name in enabled {
        if let Some(plugins) = &loading.context.plugins
            && plugins.has(PluginKind::Inventory, name).unwrap_or(false)
        {
            match plugin::read(builder, name, source, &**plugins) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => {
                    let message = format!("Failed to parse inventory with '{name}' plugin.");
                    builder.warnings.push(Error::new(message).caused_by(error));
                }
            }
        }
    }
    if source == "/etc/ansible/hosts" && !path.exists() {
        return Ok(false);
    }
    // If several readers failed, only the one whose format it is knows the fault.
    let yaml_name = Plugin::Auto.wants(source, builder.settings) || source.ends_with(".json");
    let wants_plugin = matches!(&document, Some(Ok(loaded)) if loaded.node.get("plugin").is_some());
    failures.retain(|(plugin, _)| match plugin {
        Plugin::Auto => wants_plugin,
        Plugin::Yaml => !wants_plugin,
        Plugin::Ini => !yaml_name,
        _ => true,
    });
    for (plugin, error) in failures {
        let message = format!("Failed to parse inventory with '{}' plugin.", plugin.name());
        builder.warnings.push(Error::new(message).caused_by(error));
    }
    if builder.settings.inventory_any_unparsed_is_failed {
        return Err(Error::new(format!("Completely failed to parse inventory source {source}"))
            .caused_by(builder.warnings.pop().unwrap_or_else(|| Error::new("no enabled plugin reads it"))));
    }
    builder.warn(format!("Unable to parse {source} as an inventory source"));
    Ok(false)
}

fn names_terraform(document: &Option<Result<Loaded, Error>>) -> bool {
    let Some(Ok(loaded)) = document else { return false };
    let name = loaded.node.get("plugin").and_then(|name| name.source());
    name.and_then(Plugin::named) == Some(Plugin::Terraform)
}

/// Whether a configuration names a plugin that does not exist. Under the names of Ansible's programs that is
/// a warning.
fn is_misnamed(document: &Option<Result<Loaded, Error>>, settings: &Settings, loading: &Loading) -> bool {
    let Some(Ok(loaded)) = document else { return false };
    let Some(name) = loaded.node.get("plugin").and_then(|name| name.source()) else { return false };
    let has = |plugins: &dyn Plugins| plugins.has(PluginKind::Inventory, name).unwrap_or(false);
    settings.own_rules
        && Plugin::named(name).is_none()
        && !loading.context.plugins.as_deref().is_some_and(has)
}

/// The suggestion for a misspelled plugin.
fn suggestion(name: &str) -> String {
    match nearest(name::builtin(name), NAMES.iter().map(|(name, _)| *name)) {
        Some(near) => format!("Did you mean '{near}'?"),
        None => "Plugins of this program are constructed, generator and terraform_outputs; those of collections need \
                 ansible-core. An inventory script needs neither."
            .to_owned(),
    }
}

fn read_directory(
    builder: &mut Builder,
    directory: &Path,
    plugins: &[Plugin],
    loading: &Loading,
) -> Result<bool, Error> {
    let ignored = Ignored::new(builder.settings)?;
    let entries = std::fs::read_dir(directory).map_err(|e| crate::paths::cannot_read(directory, e))?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let mut any = false;
    for name in names.iter().filter(|name| !ignored.matches(name)) {
        any |= read_source(builder, &directory.join(name).to_string_lossy(), plugins, loading)?;
    }
    if !any {
        if builder.settings.inventory_any_unparsed_is_failed {
            let directory = directory.display();
            return Err(Error::new(format!("Completely failed to parse inventory source {directory}")));
        }
        builder.warn(format!("Unable to parse {} as an inventory source", directory.display()));
    }
    Ok(any)
}

/// What is not an inventory in an inventory directory.
struct Ignored<'a> {
    extensions: &'a [String],
    patterns: Vec<Regex>,
}

impl Ignored<'_> {
    fn new(settings: &Settings) -> Result<Ignored<'_>, Error> {
        let compile = |pattern: &String| {
            Regex::new(pattern).map_err(|e| {
                Error::new(format!(
                    "inventory_ignore_patterns holds '{pattern}', which is not a regular expression: {e}"
                ))
            })
        };
        let patterns = settings.inventory_ignore_patterns.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Ignored { extensions: &settings.inventory_ignore_extensions, patterns })
    }

    fn matches(&self, name: &str) -> bool {
        name.starts_with('.')
            || matches!(name, "host_vars" | "group_vars" | "vars_plugins")
            || self.extensions.iter().any(|extension| name.ends_with(extension.as_str()))
            || self.patterns.iter().any(|pattern| pattern.is_match(name).unwrap_or(false))
    }
}

fn read_with(
    builder: &mut Builder,
    plugin: Plugin,
    source: &str,
    document: &mut Option<Result<Loaded, Error>>,
    loading: &Loading,
) -> Result<(), Error> {
    let path = Path::new(source);
    let text = || read(path, loading.keyring);
    match plugin {
        Plugin::HostList => return host_list::read(builder, source, false),
        Plugin::AdvancedHostList => return host_list::read(builder, source, true),
        Plugin::Script => return script::read(builder, path),
        Plugin::Ini => return ini::read(builder, &text()?, source),
        Plugin::Toml => return toml::read(builder, &text()?, source),
        _ => {}
    }
    let loaded = document.get_or_insert_with(|| parse(&text()?, source, Trust::Templates)).clone()?;
    if builder.settings.duplicate_dict_key == "error"
        && let Some(duplicate) = loaded.warnings.iter().find(|w| w.kind() != ErrorKind::Deprecation)
    {
        return Err(duplicate.clone().with_kind(ErrorKind::Syntax));
    }
    let node = &loaded.node;
    let wanted = node.get("plugin").and_then(|name| name.source());
    let named = wanted.map(|name| Plugin::named(name).ok_or(name));
    match (plugin, named) {
        (Plugin::Auto, None) => Err(Error::new(format!(
            "no root 'plugin' key found, '{source}' is not a valid YAML inventory plugin config file"
        ))),
        (Plugin::Auto, Some(Err(name))) => {
            if let Some(plugins) = &loading.context.plugins
                && plugin::read(builder, name, source, &**plugins)?
            {
                return Ok(());
            }
            Err(Error::new(format!("inventory config '{source}' specifies unknown plugin '{name}'"))
                .at(node.place())
                .with_help(suggestion(name)))
        }
        (Plugin::Yaml, Some(_)) => {
            Err(Error::new("Plugin configuration YAML file, not YAML inventory").at(node.place()))
        }
        (Plugin::Yaml, None) => yaml::read(builder, node),
        (Plugin::Constructed | Plugin::Generator | Plugin::Terraform, None) if node.is_null() => {
            Err(Error::new("the plugin's configuration is empty").at(node.place()))
        }
        (plugin, named) => {
            let target = if plugin == Plugin::Auto { named.and_then(Result::ok) } else { Some(plugin) };
            match target {
                Some(Plugin::Constructed) => constructed::read(builder, node, loading),
                Some(Plugin::Generator) => generator::read(builder, node, loading),
                Some(Plugin::Terraform) => terraform::read_config(builder, node, path, loading),
                Some(Plugin::Yaml) => yaml::read(builder, node),
                _ => Err(Error::new(format!("plugin '{}' cannot read '{source}'", plugin.name()))),
            }
        }
    }
}
