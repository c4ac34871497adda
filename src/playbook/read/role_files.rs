//! The files of one role: meta, variables, tasks, handlers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use playbook_api::arguments::to_bool;
use playbook_api::{Error, ErrorKind, Value};

use super::fields::{self, parser_error, type_name};
use super::files::role_files;
use super::tasks::Reader;
use crate::document::{Entry, Kind, Node};
use crate::inventory::Vars;
use crate::playbook::shape::ROLE;

/// The message for a file that `tasks_from` and its like name and the role lacks.
pub(super) const MISSING: &str = "Could not find specified file in role";

/// meta/main.yml.
#[derive(Default)]
pub(super) struct Meta {
    pub allow_duplicates: bool,
    pub dependencies: Vec<Node>,
    pub collections: Vec<Arc<str>>,
    pub argument_specs: Option<Node>,
}

impl Meta {
    pub(crate) fn of(node: Option<Node>, role: &str) -> Result<Meta, Error> {
        let Some(node) = node else { return Ok(Meta::default()) };
        let Some(map) = node.as_map() else {
            let message = format!("the 'meta/main.yml' for role {role} is not a dictionary");
            return Err(parser_error(message, node.place()));
        };
        for (key, entry) in map {
            let own = ["allow_duplicates", "dependencies", "galaxy_info", "argument_specs", "standalone"];
            let known = key.as_str().is_some_and(|k| own.contains(&k) || (ROLE.has(k) && k != "role"));
            if !known {
                let message = format!("'{key}' is not a valid attribute for a RoleMetadata");
                return Err(parser_error(message, &entry.key));
            }
        }
        let given = |name: &str| node.get(name).filter(|n| !n.is_null());
        let dependencies = match given("dependencies") {
            Some(list) => list
                .as_list()
                .ok_or_else(|| parser_error("Expected role dependencies to be a list.", list.place()))?
                .to_vec(),
            None => Vec::new(),
        };
        let names = given("collections");
        let listed = names.and_then(Node::as_list).into_iter().flatten().filter_map(Node::as_str);
        Ok(Meta {
            allow_duplicates: given("allow_duplicates").and_then(|n| to_bool(&n.raw())).unwrap_or(false),
            dependencies,
            collections: listed.chain(names.and_then(Node::as_str)).map(Arc::from).collect(),
            argument_specs: given("argument_specs").cloned(),
        })
    }
}

/// The files of one role.
pub(super) struct RoleFiles<'a> {
    pub reader: &'a Reader<'a>,
    pub name: &'a str,
    pub path: &'a Path,
}

impl RoleFiles<'_> {
    /// Reads the one file of a directory; `from` names a file other than `main`.
    pub(crate) fn one(&self, section: &str, from: Option<&str>) -> Result<Option<Node>, Error> {
        let found = self.paths(section, from, false)?;
        let node = found.first().map(|path| self.reader.loader.document(path)).transpose()?;
        Ok(node.filter(|node| !node.is_null()))
    }

    /// Reads the variables of all files of a directory.
    pub(crate) fn vars(&self, section: &str, from: Option<&str>) -> Result<Arc<Vars>, Error> {
        let loader = self.reader.loader;
        loader.vars(self.paths(section, from, true)?, |paths| self.read_vars(section, paths))
    }

    fn read_vars(&self, section: &str, paths: &[PathBuf]) -> Result<Vars, Error> {
        let mut vars = Vars::default();
        for path in paths {
            let node = self.reader.loader.document(path)?;
            match node.kind() {
                Kind::Map(_) => vars.extend(fields::free_vars(&node)),
                Kind::Value(Value::Null) => {}
                _ => {
                    let message = format!(
                        "The {section}/main.yml file for role '{}' must contain a dictionary of variables",
                        self.name
                    );
                    return Err(parser_error(message, node.place()));
                }
            }
        }
        Ok(vars)
    }

    fn paths(
        &self,
        section: &str,
        from: Option<&str>,
        whole_directories: bool,
    ) -> Result<Vec<PathBuf>, Error> {
        let directory = self.path.join(section);
        let found =
            if directory.is_dir() { role_files(&directory, from, whole_directories) } else { Vec::new() };
        if let Some(outside) = found.iter().find(|path| !path.starts_with(&directory)) {
            let message = format!(
                "Failed loading '{}' for role ({}) as it is not inside the expected role path: '{}'",
                outside.display(),
                self.name,
                directory.display()
            );
            return Err(Error::new(message).with_kind(ErrorKind::Syntax));
        }
        let usable = directory.is_dir();
        let must_exist = self.reader.loader.settings.core.named_files_need_a_directory();
        match from {
            Some(from) if found.is_empty() && (usable || must_exist) => {
                let message = match usable {
                    true => format!("{MISSING}: {section}/{from}"),
                    false => format!("{MISSING}, its '{section}/' is not usable."),
                };
                Err(Error::new(message)
                    .with_kind(ErrorKind::Syntax)
                    .with_help(format!("The role is in {}.", self.path.display())))
            }
            _ => Ok(found),
        }
    }

    pub(crate) fn argument_specs(&self, of_meta: Option<Node>) -> Result<Option<Node>, Error> {
        let meta = self.path.join("meta");
        for extension in ["yml", "yaml", "json"] {
            let path = meta.join(format!("argument_specs.{extension}"));
            if path.exists() {
                let node = self.reader.loader.document(&path)?;
                let specs = node.get("argument_specs").cloned();
                if let Some(wrong) = specs.as_ref().filter(|s| s.as_map().is_none() && !s.is_null()) {
                    let message = format!("argument_specs must be a dictionary, not a {}", type_name(wrong));
                    return Err(parser_error(message, wrong.place()));
                }
                return Ok(specs);
            }
        }
        Ok(of_meta)
    }
}

/// Returns a dependency of an older meta file, `{src: …, name: …}`, with the role's name taken from the source.
pub(super) fn with_galaxy_name(entry: &Node) -> Node {
    let (Some(map), Some(source)) = (entry.as_map(), entry.get("src").and_then(Node::source)) else {
        return entry.clone();
    };
    if entry.get("role").is_some() || entry.get("name").is_some() {
        return entry.clone();
    }
    let source = source.split(',').next().unwrap_or(source);
    let name = source.rsplit('/').next().unwrap_or(source);
    let name = name.trim_end_matches(".tar.gz").trim_end_matches(".git");
    let mut map = map.clone();
    let node = Node::value(entry.place().clone(), name);
    map.insert("role".into(), Entry { key: entry.place().clone(), node });
    Node::new(entry.place().clone(), Kind::Map(map))
}
