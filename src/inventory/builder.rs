//! What every source reads with, and what it writes to: the inventory so far, and the warnings.

use std::sync::Arc;

use playbook_api::{Context, Error, Place, Value};

use super::address;
use super::build::{safe_group_name, valid_group_name};
use super::model::{Inventory, Vars};
use crate::document::{Entry, Node};
use crate::settings::Settings;
use crate::vault::Keyring;

/// What reading a source needs.
pub(super) struct Loading<'a> {
    pub(super) keyring: &'a Arc<Keyring>,
    /// Its registry holds the sources of other crates, such as `s3://`.
    pub(super) context: &'a Context,
    /// The extra variables of the command line.
    pub(super) extra: &'a Vars,
}

/// The inventory that is being built.
pub(super) struct Builder<'a> {
    pub(super) inventory: Inventory,
    pub(super) settings: &'a Settings,
    pub(super) warnings: Vec<Error>,
    /// The source that is being read.
    pub(super) source: Option<Arc<str>>,
}

impl Builder<'_> {
    pub(super) fn warn(&mut self, message: impl Into<String>) {
        self.warnings.push(Error::new(message));
    }

    /// Adds a deprecation warning, unless the settings turn them off.
    pub(super) fn deprecate(&mut self, message: impl Into<String>) {
        if self.settings.deprecation_warnings {
            self.warn(message);
        }
    }

    /// Warns, unless the same warning was given before.
    pub(super) fn warn_once(&mut self, message: impl Into<String>) {
        let message = message.into();
        if !self.warnings.iter().any(|warning| warning.message() == message) {
            self.warn(message);
        }
    }

    /// Returns a group's name as the setting `force_valid_group_names` wants it.
    pub(super) fn group_name(&mut self, name: &str) -> String {
        if valid_group_name(name) {
            return name.to_owned();
        }
        let mode = self.settings.force_valid_group_names.clone();
        match mode.as_str() {
            "ignore" => name.to_owned(),
            "never" => {
                self.warn_once(
                    "Invalid characters were found in group names but not replaced, use -vvvv to see details",
                );
                name.to_owned()
            }
            mode => {
                if mode != "silently" {
                    self.warn_once(
                        "Invalid characters were found in group names and automatically replaced, use -vvvv to \
                         see details",
                    );
                }
                safe_group_name(name)
            }
        }
    }

    pub(super) fn add_group(&mut self, name: &str) -> Result<Arc<str>, Error> {
        if let Some((name, _)) = self.inventory.groups.get_key_value(name) {
            return Ok(name.clone());
        }
        let name = self.group_name(name);
        self.inventory.put_group(&name)
    }

    pub(super) fn add_host(&mut self, name: &str) -> Result<Arc<str>, Error> {
        let (name, new) = self.inventory.put_host(name, self.source.as_ref())?;
        if new && let Some(first) = &self.inventory.localhost {
            let like_localhost = super::model::LOCALHOST.contains(&&*name);
            if like_localhost && *first != name {
                self.warnings.push(Error::new(format!(
                    "A duplicate localhost-like entry was found ({name}). First found localhost was {first}"
                )));
            }
        }
        Ok(name)
    }

    /// Sets a variable of a group, and warns if its name is not valid.
    pub(super) fn set_group_var(&mut self, group: &str, name: &str, node: Node) -> Result<(), Error> {
        self.check_name(name, node.place());
        self.inventory.set_group_var(group, name, node)
    }

    /// Sets a variable of a host, and warns if its name is not valid.
    pub(super) fn set_host_var(&mut self, host: &str, name: &str, node: Node) {
        self.check_name(name, node.place());
        self.inventory.set_host_var(host, name, node);
    }

    fn check_name(&mut self, name: &str, place: &Place) {
        if self.settings.deprecation_warnings && !is_variable_name(name) {
            let message = format!("Accepting inventory variable with invalid name '{name}'.");
            self.warnings.push(Error::deprecated(&message, "2.23").at(place).with_help(
                "Variable names must be strings starting with a letter or underscore character, and contain only \
                 letters, numbers and underscores.",
            ));
        }
    }

    /// Adds the hosts that a pattern means, with their port and variables, to a group.
    pub(super) fn add_hosts<'v>(
        &mut self,
        pattern: &str,
        group: &str,
        vars: impl Iterator<Item = (&'v Value, &'v Entry)> + Clone,
    ) -> Result<(), Error> {
        let (hosts, port) = address::expand(pattern)?;
        for host in hosts {
            let host = self.add_host(&host)?;
            self.inventory.add_member(group, &host);
            if let Some(port) = port {
                let place = Place::file_only("<inventory>");
                self.inventory.set_host_var(&host, "ansible_port", Node::value(place, i64::from(port)));
            }
            for (name, entry) in vars.clone() {
                self.set_host_var(&host, &name.to_text(), entry.node.clone());
            }
        }
        Ok(())
    }
}

/// Whether a variable may have a name: an identifier that is not a word of Jinja's.
fn is_variable_name(name: &str) -> bool {
    const WORDS: [&str; 7] = ["true", "false", "none", "True", "False", "None", "not"];
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    starts && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') && !WORDS.contains(&name)
}
