//! Variables that are used and that nothing defines.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Place, nearest};

use super::finding::{Findings, Severity};
use super::names::Names;
use crate::document::{self, Kind, Node};
use crate::inventory::{Inventory, Vars};
use crate::jinja::{Program, place_of};
use crate::playbook::{Condition, Keywords};
use crate::template::globals;
use crate::vars::MAGIC_NAMES;
use crate::vault::Keyring;

/// Names that the engine or common modules define: in roles, in files of `template`, and as injected facts.
const KNOWN: &[&str] = &[
    "_task",
    "environment",
    "item",
    "mount_points",
    "packages",
    "role_name",
    "role_path",
    "role_uuid",
    "self",
    "services",
    "super",
    "template_destpath",
    "template_fullpath",
    "template_host",
    "template_mtime",
    "template_path",
    "template_run_date",
    "template_uid",
];

/// What is known of the variables of a playbook. Names are not followed through the order of tasks or from host to
/// host: a variable that is defined anywhere counts as defined everywhere.
#[derive(Default)]
pub struct Variables {
    /// Where each variable is defined, with its value if that is written there.
    defined: RefCell<HashMap<Arc<str>, Vec<Option<Node>>>>,
    uses: RefCell<Vec<Use>>,
    optional: RefCell<HashSet<Arc<str>>>,
    /// Whether something that only a run can name may define any variable.
    open: Cell<bool>,
    /// The inventory, if there is one.
    inventory: Option<Inventory>,
    /// Whether a task may add hosts or groups.
    adds_hosts: Cell<bool>,
}

#[derive(Clone)]
struct Use {
    name: Arc<str>,
    place: Place,
    /// Whether the use may never be evaluated.
    conditional: bool,
}

impl Variables {
    /// Returns the variables of an inventory, if there is one, and of the group_vars and host_vars directories beside
    /// the playbook.
    pub fn new(inventory: &Inventory, has_inventory: bool, extra: &Vars, keyring: &Keyring) -> Variables {
        let known = has_inventory.then(|| inventory.clone());
        let variables = Variables { inventory: known, ..Variables::default() };
        let hosts = inventory.hosts.values().map(|host| &host.vars);
        let groups = inventory.groups.values().map(|group| &group.vars);
        for name in hosts.chain(groups).chain([extra]).flat_map(|vars| vars.keys()) {
            variables.define(name, None);
        }
        for directory in inventory.directories.iter().chain(&inventory.play_directories) {
            for name in ["group_vars", "host_vars"] {
                variables.define_directory(&directory.join(name), keyring);
            }
        }
        variables
    }

    /// Returns the inventory, if there is one.
    pub(super) fn inventory(&self) -> Option<&Inventory> {
        self.inventory.as_ref()
    }

    /// Notes that a task may add hosts or groups.
    pub(super) fn add_hosts(&self) {
        self.adds_hosts.set(true);
    }

    /// Whether a task may have added hosts or groups.
    pub(super) fn adds_hosts(&self) -> bool {
        self.adds_hosts.get()
    }

    /// Notes that a variable is defined.
    pub fn define(&self, name: &str, value: Option<&Node>) {
        let mut defined = self.defined.borrow_mut();
        let known = match defined.get_mut(name) {
            Some(known) => known,
            None => defined.entry(name.into()).or_default(),
        };
        if known.len() < 2 {
            known.push(value.cloned());
        }
        drop(defined);
        if let Some(value) = value {
            self.each_program(value, &mut |program, _| {
                self.optional.borrow_mut().extend(Names::of(program).optional);
            });
        }
    }

    /// Notes that variables are defined.
    pub fn define_all(&self, vars: &Vars) {
        vars.iter().for_each(|(name, value)| self.define(name, Some(value)));
    }

    /// Defines the variables of a file. One that cannot be read may define any.
    pub fn define_file(&self, path: &Path, keyring: &Keyring) {
        match document::load(path, document::Trust::Templates, keyring) {
            Ok(loaded) => {
                for (name, entry) in loaded.node.as_map().into_iter().flatten() {
                    self.define(&name.to_text(), Some(&entry.node));
                }
            }
            Err(_) => self.open.set(true),
        }
    }

    pub(super) fn define_directory(&self, directory: &Path, keyring: &Keyring) {
        for entry in walkdir::WalkDir::new(directory).follow_links(true).into_iter().flatten() {
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let extension = entry.path().extension().map(|e| e.to_string_lossy().into_owned());
            if entry.file_type().is_file()
                && !hidden
                && matches!(extension.as_deref(), None | Some("yml" | "yaml" | "json"))
            {
                self.define_file(entry.path(), keyring);
            }
        }
    }

    /// Notes that something may define any variable.
    pub fn open(&self) {
        self.open.set(true);
    }

    /// Notes the names that a template uses.
    pub fn read(&self, program: &Program, place: &Place, conditional: bool) {
        let names = Names::of(program);
        self.optional.borrow_mut().extend(names.optional);
        let uses = names.used.into_iter().map(|(name, position)| Use {
            name,
            place: place_of(place, position),
            conditional,
        });
        self.uses.borrow_mut().extend(uses);
    }

    pub(super) fn read_node(&self, node: &Node, conditional: bool) {
        self.each_program(node, &mut |program, place| self.read(program, place, conditional));
    }

    pub(super) fn read_conditions(&self, list: &[Condition], conditional: bool) {
        for (index, condition) in list.iter().enumerate() {
            let conditional = conditional || index > 0;
            match condition {
                Condition::Expression(expression) => {
                    if let Ok(program) = expression.program() {
                        self.read(program, expression.place(), conditional);
                    }
                }
                Condition::Node(node) => self.read_node(node, conditional),
            }
        }
    }

    fn each_program(&self, node: &Node, read: &mut dyn FnMut(&Program, &Place)) {
        match node.kind() {
            Kind::Template(template) => {
                if let Ok(program) = template.program() {
                    read(program, template.place());
                }
            }
            Kind::List(items) => items.iter().for_each(|item| self.each_program(item, read)),
            Kind::Map(map) => map.values().for_each(|entry| self.each_program(&entry.node, read)),
            Kind::Value(_) | Kind::Vault(_) => {}
        }
    }

    /// Notes what the keywords around tasks define and use.
    pub fn keywords(&self, keywords: &Keywords) {
        self.define_all(&keywords.vars);
        keywords.values.values().for_each(|value| self.read_node(value, true));
        self.read_conditions(&keywords.when, true);
    }

    /// Reports the variables that are used and not defined, each once.
    pub(crate) fn report(&self, findings: &Findings) {
        let defined = self.defined.borrow();
        let optional = self.optional.borrow();
        let mut told: HashSet<Arc<str>> = HashSet::new();
        let mut followed: HashSet<Arc<str>> = HashSet::new();
        let mut waiting = self.uses.borrow().clone();
        waiting.sort_by_key(|found| found.conditional);
        let mut next = 0;
        while let Some(found) = waiting.get(next).cloned() {
            next += 1;
            let Use { name, place, conditional } = found;
            if let Some(values) = defined.get(&name) {
                // A variable that is defined once has that value wherever it is used.
                if let [Some(value)] = values.as_slice()
                    && followed.insert(name.clone())
                {
                    self.each_program(value, &mut |program, place| {
                        let used = Names::of(program).used.into_iter();
                        waiting.extend(used.map(|(name, position)| Use {
                            name,
                            place: place_of(place, position),
                            conditional,
                        }));
                    });
                }
                continue;
            }
            if is_known(&name) || optional.contains(&name) || !told.insert(name.clone()) {
                continue;
            }
            let near = nearest(&name, defined.keys().map(|name| &**name).chain(["item"]));
            // Short names are all similar.
            let near = near.filter(|_| name.len() > 2);
            if near.is_none() && self.open.get() {
                continue;
            }
            let certain = self.inventory.is_some() && !conditional && !self.open.get();
            let severity = if certain { Severity::Error } else { Severity::Warning };
            let error = Error::new(format!("'{name}' is undefined"))
                .with_kind(ErrorKind::Undefined)
                .at(&place)
                .with_help(match near {
                    Some(near) => format!("Did you mean '{near}'?"),
                    None if self.inventory.is_some() => {
                        "Define it in the inventory, in the play or with -e.".into()
                    }
                    None => "Define it, or give the inventory that defines it with -i.".into(),
                });
            findings.add(severity, "variables", error);
        }
    }
}

fn is_known(name: &str) -> bool {
    name.starts_with("ansible_")
        || name.starts_with("getent_")
        || KNOWN.contains(&name)
        || MAGIC_NAMES.contains(&name)
        || globals::FUNCTIONS.contains(&name)
}
