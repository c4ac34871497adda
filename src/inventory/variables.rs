//! The precedence of a host's inventory variables.

use std::path::PathBuf;
use std::sync::Arc;

use super::combine::combine;
use super::model::{Group, Host, Inventory, Vars};
use super::vars_files::Of;
use crate::document::{self, Node};
use crate::settings::Settings;
use crate::vault::Keyring;
use playbook_api::Error;
use playbook_api::sync::lock;

/// Returns the variables that the `-e` arguments set. Later ones win. A key that is in a file twice is an
/// error or a warning, as the setting `duplicate_dict_key` says.
pub fn extra_vars(
    arguments: &[String],
    keyring: &Keyring,
    settings: &Settings,
    mut warn: impl FnMut(Error),
) -> Result<Vars, Error> {
    let mut vars = Vars::default();
    for argument in arguments {
        let loaded = document::extra_vars(argument, keyring)?;
        let node = loaded.accept(&settings.duplicate_dict_key, &mut warn)?;
        let entries = node.as_map().into_iter().flatten();
        vars.extend(entries.map(|(key, entry)| (key.shared_text(), entry.node.clone())));
    }
    Ok(vars)
}

/// The inventory's variables of a host. The groups' part is shared by all hosts that are in the same groups;
/// the host's own part wins.
#[derive(Clone, Debug)]
pub struct HostVars {
    /// The variables of the host's groups.
    pub groups: Arc<Vars>,
    /// The variables of the host itself.
    pub host: Vars,
}

impl HostVars {
    /// Returns a variable.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.host.get(name).or_else(|| self.groups.get(name))
    }

    /// Returns both parts as one.
    pub fn merged(&self) -> Vars {
        let mut vars = (*self.groups).clone();
        combine(&mut vars, &self.host, false);
        vars
    }
}

impl Inventory {
    /// Returns a host's variables from the inventory, the files beside it and the files beside the playbook.
    pub fn variables(&self, host: &Host) -> Result<HostVars, Error> {
        let (files, play) = (&*self.files, &self.play_directories);
        let groups = self.group_variables(host)?;
        let mut vars = host.vars.clone();
        if files.at_task() {
            for directory in self.directories.iter().chain(play) {
                files.add(&mut vars, directory, Of::Host, &host.name)?;
            }
        }
        if files.merge {
            // The host's maps are merged into the groups', so its part must hold both.
            let mut all = (*groups).clone();
            combine(&mut all, &vars, true);
            vars = all;
        }
        Ok(HostVars { groups, host: vars })
    }

    /// Returns the groups' part, in the order of the setting `precedence`.
    fn group_variables(&self, host: &Host) -> Result<Arc<Vars>, Error> {
        let (files, play) = (&*self.files, self.play_directories.as_slice());
        let groups: Vec<&Group> =
            self.member_of(host).into_iter().filter(|group| &*group.name != "all").collect();
        let key: Vec<Arc<str>> = groups.iter().map(|group| group.name.clone()).collect();
        let memory = &self.memory.group_vars;
        if let Some(known) = lock(memory).get(&key) {
            return Ok(known.clone());
        }
        let mut vars = Vars::default();
        let all: Vec<&Group> = self.groups.get("all").into_iter().collect();
        for source in &files.precedence {
            let (groups, directories): (&[&Group], Option<&[PathBuf]>) = match source.as_str() {
                "all_inventory" => (&all, None),
                "groups_inventory" => (&groups, None),
                "all_plugins_inventory" => (&all, Some(&self.directories)),
                "all_plugins_play" => (&all, Some(play)),
                "groups_plugins_inventory" => (&groups, Some(&self.directories)),
                "groups_plugins_play" => (&groups, Some(play)),
                _ => continue,
            };
            match directories {
                None => groups.iter().for_each(|group| combine(&mut vars, &group.vars, files.merge)),
                Some(directories) if files.at_task() => {
                    for directory in directories {
                        for group in groups {
                            files.add(&mut vars, directory, Of::Group, &group.name)?;
                        }
                    }
                }
                Some(_) => {}
            }
        }
        let vars = Arc::new(vars);
        lock(memory).insert(key, vars.clone());
        Ok(vars)
    }

    /// Returns the variables of one group, from the inventory and the files beside it.
    pub fn variables_of_group(&self, group: &Group) -> Result<Vars, Error> {
        let mut vars = group.vars.clone();
        for directory in self.directories.iter().chain(&self.play_directories) {
            self.files.add(&mut vars, directory, Of::Group, &group.name)?;
        }
        Ok(vars)
    }

    /// Returns the variables of one host, without those of its groups.
    pub fn variables_of_host(&self, host: &Host) -> Result<Vars, Error> {
        let mut vars = host.vars.clone();
        for directory in self.directories.iter().chain(&self.play_directories) {
            self.files.add(&mut vars, directory, Of::Host, &host.name)?;
        }
        Ok(vars)
    }

    /// Returns the layers of a host's variables, the lowest first. Files that cannot be read are left out:
    /// [`Inventory::check_files`] reports them.
    pub fn layers_of(&self, host: &str) -> Vec<Arc<Vars>> {
        match self.host(host).map(|host| self.variables(&host)) {
            Some(Ok(HostVars { groups, host })) => vec![groups, Arc::new(host)],
            _ => Vec::new(),
        }
    }

    /// Reads the files in group_vars/ and host_vars/ that concern these hosts, and returns their warnings.
    pub fn check_files(&self, hosts: &[Arc<str>]) -> Result<Vec<Error>, Error> {
        for host in hosts.iter().filter_map(|name| self.host(name)) {
            self.variables(&host)?;
        }
        Ok(self.files.take_warnings())
    }

    /// Sets the playbook's directories, whose group_vars/ and host_vars/ win over the inventory's.
    pub fn beside_playbook(&mut self, directories: Vec<PathBuf>) {
        if self.play_directories != directories {
            self.play_directories = directories;
            self.memory = super::model::Memory::default();
        }
    }

    /// Adds the files that are read with the inventory (`run_vars_plugins: start`).
    pub(super) fn add_files(&mut self) -> Result<(), Error> {
        let files = self.files.clone();
        if !files.at_inventory() {
            return Ok(());
        }
        for directory in &self.directories {
            for group in self.groups.values_mut() {
                files.add(&mut group.vars, directory, Of::Group, &group.name)?;
            }
            for host in self.hosts.values_mut() {
                let host = Arc::make_mut(host);
                files.add(&mut host.vars, directory, Of::Host, &host.name)?;
            }
        }
        Ok(())
    }
}
