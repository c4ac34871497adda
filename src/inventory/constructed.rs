//! The `constructed` plugin: variables and groups computed from the sources before it.

use std::sync::{Arc, Weak};

use playbook_api::{Error, Map, Place, Value};

use super::builder::{Builder, Loading};
use super::combine::combine;
use super::model::{Host, Inventory, Vars};
use crate::document::Node;
use crate::jinja::Expression;
use crate::template::{Environment, Renderer, Scope};

/// Reads a configuration with `compose`, `groups` and `keyed_groups`, and applies it to every host.
pub(super) fn read(builder: &mut Builder, config: &Node, loading: &Loading) -> Result<(), Error> {
    let flag = |name: &str| config.get(name).is_some_and(|node| node.raw().is_true());
    let given = |name: &str, default: bool| config.get(name).map_or(default, |node| node.raw().is_true());
    let constructed = Constructed {
        strict: flag("strict"),
        use_vars_plugins: flag("use_vars_plugins"),
        leading_separator: config.get("leading_separator").is_none_or(|node| node.raw().is_true()),
        environment: environment(loading),
        extra: given("use_extra_vars", builder.settings.inventory_use_extra_vars)
            .then(|| loading.extra.clone()),
    };
    builder.inventory.reconcile();
    let hosts: Vec<Arc<Host>> = builder.inventory.hosts.values().cloned().collect();
    for host in hosts {
        constructed.host(builder, config, &host).map_err(|e| e.at(config.place()))?;
    }
    Ok(())
}

struct Constructed {
    strict: bool,
    use_vars_plugins: bool,
    leading_separator: bool,
    environment: Arc<Environment>,
    /// The extra variables, which win, if `use_extra_vars` is set.
    extra: Option<Vars>,
}

impl Constructed {
    fn host(&self, builder: &mut Builder, config: &Node, host: &Arc<Host>) -> Result<(), Error> {
        let name = host.name.clone();
        let renderer = self.renderer(&builder.inventory, &name)?;
        for (variable, entry) in config.get("compose").and_then(Node::as_map).into_iter().flatten() {
            match self.expression(&renderer, &entry.node) {
                Ok(value) => {
                    let node = Node::value(entry.node.place().clone(), value);
                    builder.inventory.set_host_var(&name, &variable.to_text(), node);
                }
                Err(cause) if self.strict => {
                    return Err(
                        Error::new(format!("Could not set {variable} for host {name}")).caused_by(cause)
                    );
                }
                Err(_) => {}
            }
        }
        let renderer = self.renderer(&builder.inventory, &name)?;
        for (group, entry) in config.get("groups").and_then(Node::as_map).into_iter().flatten() {
            let source = entry.node.raw();
            let expression = Expression::new(source.to_text().into_owned(), entry.node.place().clone());
            let condition = match source {
                Value::Bool(condition) => Ok(condition),
                _ => renderer.condition(&expression).map(|truth| truth.holds()),
            };
            match condition {
                Ok(true) => {
                    let group = sanitized(builder, &group.to_text());
                    let group = builder.add_group(&group)?;
                    builder.inventory.add_member(&group, &name);
                }
                Ok(false) => {}
                Err(cause) if self.strict => {
                    let fault = format!("Could not add host {name} to group {group}");
                    return Err(Error::new(fault).caused_by(cause));
                }
                Err(_) => {}
            }
        }
        for entry in config.get("keyed_groups").and_then(Node::as_list).unwrap_or_default() {
            self.keyed_group(builder, &renderer, &name, entry).map_err(|e| e.at(entry.place()))?;
        }
        Ok(())
    }

    fn keyed_group(
        &self,
        builder: &mut Builder,
        renderer: &Renderer,
        host: &str,
        entry: &Node,
    ) -> Result<(), Error> {
        if entry.as_map().is_none() {
            return Err(Error::new(format!(
                "Invalid keyed group entry, it must be a dictionary: {}",
                entry.raw()
            )));
        }
        let text =
            |name: &str| entry.get(name).filter(|n| !n.is_null()).map(|n| n.raw().to_text().into_owned());
        let default = text("default_value");
        let trailing = entry.get("trailing_separator").map(|node| node.raw().is_true());
        if default.is_some() && trailing.is_some() {
            return Err(Error::new(
                "parameters are mutually exclusive for keyed groups: default_value|trailing_separator",
            ));
        }
        let Some(key) = entry.get("key") else { return Err(Error::new("A keyed group needs a key")) };
        let value = match self.expression(renderer, key) {
            Ok(value) => value,
            Err(cause) if self.strict => {
                let fault = format!("Could not generate group for host {host} from {} entry", key.raw());
                return Err(Error::new(fault).caused_by(cause));
            }
            Err(_) => return Ok(()),
        };
        let is_empty = |value: &Value| value.is_null() || value.as_str() == Some("");
        let use_default = is_empty(&value) && default.is_some();
        if !value.is_true() && !use_default {
            let empty_list = matches!(value, Value::List(_) | Value::Map(_));
            return if self.strict && !empty_list {
                let fault =
                    format!("No key or key resulted empty for {} in host {host}, invalid entry", key.raw());
                Err(Error::new(fault))
            } else {
                Ok(())
            };
        }
        let prefix = text("prefix").unwrap_or_default();
        let separator = text("separator").unwrap_or_else(|| "_".into());
        let named = |value: &Value| match &default {
            Some(default) if is_empty(value) => default.clone(),
            _ => value.to_text().into_owned(),
        };
        let names: Vec<String> = match &value {
            _ if use_default => vec![named(&value)],
            Value::Str(text) => vec![text.to_string()],
            Value::List(items) | Value::Tuple(items) => items.iter().map(named).collect(),
            Value::Map(map) => map
                .iter()
                .map(|(name, value)| match (is_empty(value), &default, trailing) {
                    (true, None, Some(false)) => name.to_text().into_owned(),
                    _ => format!("{name}{separator}{}", named(value)),
                })
                .collect(),
            other => {
                let found = other.type_name();
                return Err(Error::new(format!(
                    "Invalid group name format, expected a string or a list of them or dictionary, got: {found}"
                )));
            }
        };
        let parent = match entry.get("parent_group").filter(|node| !node.is_null()) {
            None => None,
            Some(node) => match renderer.value(node) {
                Ok(name) => Some(name.to_text().into_owned()),
                Err(cause) if self.strict => {
                    return Err(Error::new("Could not generate parent group").caused_by(cause));
                }
                Err(_) => return Ok(()),
            },
        };
        let separator = if prefix.is_empty() && !self.leading_separator { "" } else { &separator };
        for name in names {
            let group = sanitized(builder, &format!("{prefix}{separator}{name}"));
            let group = builder.add_group(&group)?;
            builder.inventory.add_member(&group, host);
            if let Some(parent) = &parent {
                let parent = sanitized(builder, parent);
                let parent = builder.add_group(&parent)?;
                builder.inventory.add_child(&parent, &group)?;
            }
        }
        Ok(())
    }

    /// Evaluates a bare expression, as in `compose` and `key`.
    fn expression(&self, renderer: &Renderer, node: &Node) -> Result<Value, Error> {
        match node.source() {
            Some(source) => {
                let value = renderer.evaluate(&Expression::new(source, node.place().clone()))?;
                Renderer::finalize(value)
            }
            None => Ok(node.raw()),
        }
    }

    fn renderer(&self, inventory: &Inventory, name: &str) -> Result<Renderer, Error> {
        let Some(host) = inventory.hosts.get(name) else {
            return Err(Error::new(format!("host {name} is gone")));
        };
        let mut vars = Vars::default();
        if self.use_vars_plugins {
            vars = inventory.variables(host)?.merged();
        } else {
            inventory
                .member_of(host)
                .iter()
                .for_each(|group| combine(&mut vars, &group.vars, inventory.merge));
            combine(&mut vars, &host.vars, inventory.merge);
        }
        let place = Place::file_only("<inventory>");
        let mut magic =
            |name: &str, value: Value| vars.insert(name.into(), Node::value(place.clone(), value));
        magic("inventory_hostname", host.name.clone().into());
        magic("inventory_hostname_short", host.short_name().into());
        magic("inventory_file", host.source.clone().into());
        let mut groups = inventory.groups_of(name);
        groups.retain(|group| &**group != "all");
        groups.sort();
        magic("group_names", groups.into());
        if let Some(extra) = &self.extra {
            combine(&mut vars, extra, inventory.merge);
        }
        Ok(scope_renderer(vars, &self.environment))
    }
}

/// Returns the name of a constructed group: with `_` for what a variable's name cannot have.
fn sanitized(builder: &mut Builder, name: &str) -> String {
    if builder.settings.force_valid_group_names == "never" {
        super::build::safe_group_name(name)
    } else {
        builder.group_name(name)
    }
}

/// Returns the environment of the templates in plugins' configurations.
pub(super) fn environment(loading: &Loading) -> Arc<Environment> {
    Arc::new(Environment {
        context: loading.context.clone(),
        keyring: loading.keyring.clone(),
        options: Default::default(),
    })
}

/// Returns a renderer that sees these variables and nothing else.
fn scope_renderer(vars: Vars, environment: &Arc<Environment>) -> Renderer {
    let scope = Arc::new_cyclic(|me| VarsScope { vars, environment: environment.clone(), me: me.clone() });
    Renderer { environment: environment.clone(), scope }
}

struct VarsScope {
    vars: Vars,
    environment: Arc<Environment>,
    me: Weak<VarsScope>,
}

impl Scope for VarsScope {
    fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        let node = self.vars.get(name)?;
        let scope: Arc<dyn Scope> = self.me.upgrade()?;
        let renderer = Renderer { environment: self.environment.clone(), scope };
        Some(renderer.resolve(node))
    }

    fn names(&self) -> Vec<String> {
        self.vars.keys().map(|name| name.to_string()).collect()
    }
}

/// Renders a text of a configuration in a scope of a few values.
pub(super) fn render(node: &Node, values: &Map, environment: &Arc<Environment>) -> Result<Value, Error> {
    let renderer = Renderer { environment: environment.clone(), scope: Arc::new(values.clone()) };
    renderer.value(node)
}
