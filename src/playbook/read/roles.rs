//! Finds roles and reads their files: variables, meta, tasks and handlers, dependencies first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use playbook_api::{Error, Map, Place, Value};

use super::collections;
use super::fields::parser_error;
use super::role_files::{Meta, RoleFiles, with_galaxy_name};
use super::tasks::Reader;
use crate::document::{Entry, Kind, Node};
use crate::inventory::Vars;
use crate::paths;
use crate::playbook::shape::ROLE;
use crate::playbook::{
    Action, Block, Condition, Frame, FrameKind, Item, Keywords, Role, RoleSpec, Task, TaskId,
};
use crate::settings::Origin;

/// A role with its keywords and dependencies, before its tasks are read.
struct Draft {
    role: Arc<Role>,
    keywords: Keywords,
    dependencies: Vec<Draft>,
    tasks_from: Option<String>,
    handlers_from: Option<String>,
    validate: bool,
    place: Place,
}

/// The use of a role, as written.
struct Use<'a> {
    name: String,
    place: Place,
    keywords: Keywords,
    params: Vars,
    spec: Option<&'a RoleSpec>,
}

/// A role that is being read, for its dependencies.
struct Parent<'a> {
    name: Arc<str>,
    path: PathBuf,
    collections: Vec<Arc<str>>,
    next: Option<&'a Parent<'a>>,
}

impl Reader<'_> {
    /// Reads an entry of a play's `roles`.
    pub(crate) fn role_entry(
        &self,
        entry: &Node,
        frame: &Arc<Frame>,
        play: &Place,
    ) -> Result<(Arc<Role>, Vec<Item>), Error> {
        let wanted = self.role_use(entry, frame).map_err(|e| e.at(play))?;
        let draft = self.draft(wanted, frame, None)?;
        let mut items = Vec::new();
        self.compile(&draft, frame, &mut items)?;
        Ok((draft.role, items))
    }

    /// Reads the role of an include or import in its frame.
    pub(crate) fn included_role(
        &self,
        spec: &RoleSpec,
        frame: &Arc<Frame>,
    ) -> Result<(Arc<Role>, Vec<Item>), Error> {
        let place = spec.place.clone().unwrap_or_else(|| Place::file_only("<include_role>"));
        let wanted = Use {
            name: spec.name.clone(),
            place,
            keywords: Keywords::default(),
            params: Vars::default(),
            spec: Some(spec),
        };
        let draft = self.draft(wanted, frame, None)?;
        let mut items = Vec::new();
        self.compile(&draft, frame, &mut items)?;
        Ok((draft.role, items))
    }

    /// Reads `name`, or `{role: name, keywords and parameters}`.
    fn role_use(&self, entry: &Node, frame: &Arc<Frame>) -> Result<Use<'static>, Error> {
        let place = entry.place().clone();
        let simple = |name: String| Use {
            name,
            place: place.clone(),
            keywords: Keywords::default(),
            params: Vars::default(),
            spec: None,
        };
        match entry.kind() {
            Kind::Template(_) | Kind::Value(Value::Str(_)) => {
                let name = self.loader.text(entry, frame)?;
                if name.contains(',') {
                    return Err(Error::new(format!("Invalid old style role requirement: {name}"))
                        .at(entry.place())
                        .with_help("Write the role's options as a dictionary: `{role: …}`."));
                }
                Ok(simple(name))
            }
            Kind::Map(map) => {
                let named = entry.get("role").or_else(|| entry.get("name"));
                let Some(name) = named.filter(|n| n.source().is_some_and(|s| !s.is_empty())) else {
                    return Err(Error::new("role definitions must contain a role name").at(entry.place()));
                };
                let is_keyword = |key: &Value| key.as_str().is_some_and(|key| ROLE.has(key));
                if let Some(name) = entry.get("name") {
                    super::fields::must_be_text("name", name, &place)?;
                }
                let params = map.iter().filter(|(key, _)| !is_keyword(key));
                let params = params.map(|(key, e)| (key.shared_text(), e.node.clone())).collect();
                let keywords = self.loader.keywords(&ROLE, entry, |key| key == "name" || !ROLE.has(key))?;
                let place = name.place().clone();
                Ok(Use { name: self.loader.text(name, frame)?, place, keywords, params, spec: None })
            }
            _ => {
                let message = format!("A malformed role declaration was encountered: {}", entry.raw());
                Err(parser_error(message, entry.place())
                    .with_help("A role is a name, or a mapping with 'role: NAME'."))
            }
        }
    }

    fn draft(&self, wanted: Use, frame: &Arc<Frame>, parent: Option<&Parent>) -> Result<Draft, Error> {
        let found = self.find_role(&wanted, frame, parent)?;
        let chain = || std::iter::successors(parent, |p| p.next);
        if chain().any(|p| p.path == found.path) {
            let mut names: Vec<&str> = chain().map(|p| &*p.name).collect();
            names.reverse();
            names.push(&found.full_name);
            let message = format!(
                "A recursion loop was detected with the roles specified. Make sure child roles do not \
                have dependencies on parent roles: {}",
                names.join(" -> ")
            );
            return Err(Error::new(message).at(&wanted.place));
        }
        let spec = wanted.spec;
        let from = |get: fn(&RoleSpec) -> &Option<String>| spec.and_then(|s| get(s).as_deref());
        self.loader.foreign.add_directory(&found.path);
        let files = RoleFiles { reader: self, name: &found.name, path: &found.path };
        let vars = files.vars("vars", from(|s| &s.vars_from))?;
        let defaults = files.vars("defaults", from(|s| &s.defaults_from))?;
        let meta = Meta::of(files.one("meta", None)?, &found.full_name)?;
        let mut search: Vec<Arc<str>> = found.collection.iter().cloned().collect();
        search.extend(meta.collections.iter().filter(|c| !search.contains(c)).cloned().collect::<Vec<_>>());
        let me = Parent {
            name: found.full_name.clone(),
            path: found.path.clone(),
            collections: search.clone(),
            next: parent,
        };
        let mut dependencies = Vec::new();
        for entry in &meta.dependencies {
            let wanted = self.role_use(&with_galaxy_name(entry), frame);
            let draft = wanted.and_then(|wanted| self.draft(wanted, frame, Some(&me)));
            dependencies.extend(self.loader.spare(draft)?);
        }
        let dynamic = spec.is_some_and(|s| s.dynamic);
        let settings = self.loader.settings;
        let chosen =
            settings.get("DEFAULT_PRIVATE_ROLE_VARS").is_some_and(|entry| entry.origin != Origin::Default);
        let by_default = match (settings.private_role_vars, chosen) {
            (true, _) => false,
            // If the setting is given, it applies to included roles, too.
            (false, true) => true,
            (false, false) => !dynamic,
        };
        let mut parents: Vec<Arc<str>> = chain().map(|p| p.name.clone()).collect();
        parents.extend(frame.chain().filter_map(|f| match &f.kind {
            FrameKind::Role(role) => Some(role.full_name.clone()),
            _ => None,
        }));
        let role = Role {
            id: TaskId::next(),
            identity: identity(&wanted, &found).into(),
            argument_specs: files.argument_specs(meta.argument_specs)?,
            name: found.name.as_str().into(),
            full_name: found.full_name.clone(),
            defaults,
            vars,
            params: Arc::new(wanted.params),
            dependencies: dependencies.iter().map(|draft| draft.role.clone()).collect(),
            parents,
            allow_duplicates: spec.map_or(meta.allow_duplicates, |s| s.allow_duplicates),
            public: spec.and_then(|s| s.public).unwrap_or(by_default),
            collections: search,
            path: found.path,
        };
        Ok(Draft {
            role: Arc::new(role),
            keywords: wanted.keywords,
            dependencies,
            tasks_from: from(|s| &s.tasks_from).map(str::to_owned),
            handlers_from: from(|s| &s.handlers_from).map(str::to_owned),
            validate: spec.is_none_or(|s| s.rolespec_validate),
            place: wanted.place,
        })
    }

    /// Adds the blocks of a role's dependencies and its own; its handlers are added to the loaded ones.
    fn compile(&self, draft: &Draft, parent: &Arc<Frame>, items: &mut Vec<Item>) -> Result<(), Error> {
        let role = &draft.role;
        let frame = Frame::new(FrameKind::Role(role.clone()), draft.keywords.clone(), Some(parent));
        for dependency in &draft.dependencies {
            self.compile(dependency, &frame, items)?;
        }
        let files = RoleFiles { reader: self, name: &role.name, path: &role.path };
        let must = |what: &str| {
            format!("The {what}/main.yml file for role '{}' must contain a list of tasks:", role.name)
        };
        let mut block = Vec::new();
        if draft.validate {
            block.extend(validation(draft, &frame).map(|task| Item::Task(Arc::new(task))));
        }
        if let Some(node) = files.one("tasks", draft.tasks_from.as_deref())? {
            block.extend(self.list(&node, &frame, false, &must("tasks"), node.place())?);
        }
        if let Some(node) = files.one("handlers", draft.handlers_from.as_deref())? {
            let handlers = self.handlers(&node, &frame, &must("handlers"), node.place())?;
            self.loaded.borrow_mut().handlers.extend(handlers);
        }
        items.push(Item::Block(Arc::new(Block {
            id: TaskId::next(),
            place: draft.place.clone(),
            frame,
            block,
            rescue: Vec::new(),
            always: Vec::new(),
        })));
        Ok(())
    }

    fn find_role(&self, wanted: &Use, frame: &Arc<Frame>, parent: Option<&Parent>) -> Result<Found, Error> {
        let loader = self.loader;
        let search = match parent {
            Some(parent) => parent.collections.clone(),
            None => collections::search_in(frame, &wanted.place.file),
        };
        if let Some((name, collection, path)) = collections::role(&wanted.name, &search, loader) {
            let full_name = format!("{collection}.{name}").into();
            return Ok(Found { name, full_name, collection: Some(collection), path });
        }
        let mut directories = vec![loader.directory.join("roles")];
        directories.extend(loader.settings.roles_path.iter().cloned());
        let beside = match parent {
            Some(parent) => Some(parent.path.clone()),
            None => frame.role().map(|role| role.path.clone()),
        };
        directories.extend(beside.and_then(|path| path.parent().map(Path::to_owned)));
        directories.push(loader.directory.clone());
        let at = |name: &str, path: PathBuf| Found {
            name: name.to_owned(),
            full_name: name.into(),
            collection: None,
            path,
        };
        let name = paths::expand_home(&wanted.name);
        for directory in &directories {
            let path = paths::absolute(&directory.join(&name));
            if path.exists() {
                let name = if name.is_absolute() { last_part(&path) } else { wanted.name.clone() };
                return Ok(at(&name, path));
            }
        }
        let direct = paths::absolute(&name);
        if direct.exists() {
            return Ok(at(&last_part(&direct), direct));
        }
        let mut searched: Vec<String> = search.iter().map(|c| c.to_string()).collect();
        searched.extend(directories.iter().map(|directory| directory.display().to_string()));
        searched.dedup();
        let message = loader.settings.core.missing_role(&wanted.name, &searched.join(":"));
        Err(Error::new(message).at(&wanted.place))
    }
}

struct Found {
    name: String,
    full_name: Arc<str>,
    collection: Option<Arc<str>>,
    path: PathBuf,
}

fn last_part(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns text that is equal for two uses of a role that are the same use.
fn identity(wanted: &Use, found: &Found) -> String {
    let map = |vars: &Vars| vars.iter().map(|(k, v)| (Value::from(k.clone()), v.raw())).collect::<Map>();
    let when = wanted.keywords.when.iter().map(Condition::written);
    let tags = wanted.keywords.tags.iter().map(|tag| tag.raw().to_string());
    let from = wanted.spec.map(|s| (&s.tasks_from, &s.vars_from, &s.defaults_from, &s.handlers_from));
    format!(
        "{}|{}|{}|{}|{:?}|{:?}|{:?}",
        found.full_name,
        found.path.display(),
        Value::from(map(&wanted.params)),
        Value::from(map(&wanted.keywords.vars)),
        when.collect::<Vec<_>>(),
        tags.collect::<Vec<_>>(),
        from
    )
}

/// Returns the task that validates a role's arguments, if the role has an argument spec.
fn validation(draft: &Draft, frame: &Arc<Frame>) -> Option<Task> {
    let role = &draft.role;
    let entry_point = draft.tasks_from.as_deref().unwrap_or("main");
    let spec = role.argument_specs.as_ref()?.get(entry_point)?;
    spec.as_map().filter(|map| !map.is_empty())?;
    let mut name = format!("Validating arguments against arg spec '{entry_point}'");
    if let Some(short) = spec.get("short_description").and_then(Node::source) {
        name += &format!(" - {short}");
    }
    let given = role.params.iter().map(|(key, node)| (&**key, node.clone())).collect();
    let checked = Checked { kind: "role", name: &role.name, spec_name: entry_point, path: &role.path, given };
    Some(checked.task(&name, spec, frame))
}

/// What an argument spec belongs to.
pub(super) struct Checked<'a> {
    /// `role` or `play`.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The name of the spec.
    pub spec_name: &'a str,
    /// The role's directory, or the file with the spec.
    pub path: &'a Path,
    /// The arguments that are not variables.
    pub given: Vec<(&'a str, Node)>,
}

impl Checked<'_> {
    /// Returns the task that validates the arguments.
    pub(super) fn task(self, title: &str, spec: &Node, frame: &Arc<Frame>) -> Task {
        let place = spec.place();
        let map = |entries: Vec<(&str, Node)>| {
            let entries =
                entries.into_iter().map(|(key, node)| (key.into(), Entry { key: place.clone(), node }));
            Node::new(place.clone(), Kind::Map(entries.collect()))
        };
        let text = |text: &str| Node::value(place.clone(), text);
        let context = map(vec![
            ("type", text(self.kind)),
            ("name", text(self.name)),
            ("argument_spec_name", text(self.spec_name)),
            ("path", text(&self.path.to_string_lossy())),
        ]);
        let args = [
            ("argument_spec", spec.get("options").cloned().unwrap_or_else(|| map(Vec::new()))),
            ("provided_arguments", map(self.given)),
            ("validate_args_context", context),
        ];
        let action = Action {
            name: "ansible.builtin.validate_argument_spec".into(),
            place: place.clone(),
            args: args.into_iter().map(|(key, node)| (Arc::from(key), node)).collect(),
            variable_args: None,
        };
        let keywords =
            Keywords { name: Some(text(title)), tags: vec![text("always")], ..Keywords::default() };
        Task::new(action, keywords, frame.clone())
    }
}
