//! What every source reads with, and what it writes into: the inventory so far, and what there is to warn about.

use std::sync::Arc;

use playbook_api::{Context, Error, Value};

use super::address;
use super::build::{safe_group_name, valid_group_name};
use super::model::{Inventory, Vars};
use crate::document::{Entry, Node};
use crate::settings::Settings;
use crate::vault::Keyring;

/// What reading a source needs.
pub struct Loading<'a> {
    pub keyring: &'a Arc<Keyring>,
    /// The registry has what the crates bring: sources such as `s3://`.
    pub context: &'a Context,
    /// `-e`.
    pub extra: &'a Vars,
}

pub struct Builder<'a> {
    pub inventory: Inventory,
    pub settings: &'a Settings,
    pub warnings: Vec<Error>,
    /// The source that is being read.
    pub source: Option<Arc<str>>,
}

impl Builder<'_> {
    pub fn warn(&mut self, message: impl Into<String>) {
        self.warnings.push(Error::new(message));
    }

    /// Warns of what will end some day.
    pub fn deprecate(&mut self, message: impl Into<String>) {
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

    /// A group's name as the settings want it (`force_valid_group_names`).
    pub fn group_name(&mut self, name: &str) -> String {
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

    pub fn add_group(&mut self, name: &str) -> Result<Arc<str>, Error> {
        if let Some((name, _)) = self.inventory.groups.get_key_value(name) {
            return Ok(name.clone());
        }
        let name = self.group_name(name);
        self.inventory.put_group(&name)
    }

    pub fn add_host(&mut self, name: &str) -> Result<Arc<str>, Error> {
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

    /// Adds the hosts that a pattern means, with their port and variables, to a group.
    pub fn add_hosts<'v>(
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
                let place = playbook_api::Place::file_only("<inventory>");
                self.inventory.set_host_var(&host, "ansible_port", Node::value(place, i64::from(port)));
            }
            for (name, entry) in vars.clone() {
                self.inventory.set_host_var(&host, &name.to_text(), entry.node.clone());
            }
        }
        Ok(())
    }
}
