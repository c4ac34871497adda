//! The variables that a host sees, in a task or outside of one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock, Weak};

use playbook_api::{Error, Map, Object, Text, Value, sync};

use super::layers::{Found, Layer, Layers};
use super::magic::{self, RunFacts};
use super::store::Values;
use super::{HostState, PlayFacts, Store, VarsFiles, connection};
use crate::inventory::{Inventory, Vars};
use crate::playbook::{Frame, FrameKind, Role, Task};
use crate::settings::Release;
use crate::template::{Deprecation, Environment, Renderer, Scope, purity};

/// What all scopes of a play share.
pub struct ScopeBase {
    /// What all renders share.
    pub environment: Arc<Environment>,
    /// The inventory.
    pub inventory: Arc<RwLock<Arc<Inventory>>>,
    /// What is known about hosts.
    pub store: Arc<Store>,
    /// The variables of `-e`, which win over all others.
    pub extra: Arc<Vars>,
    /// What magic variables say about the run.
    pub run: Arc<RunFacts>,
    /// What magic variables say about the play.
    pub play: Arc<PlayFacts>,
    /// The answers to `vars_prompt`.
    pub prompted: Arc<Values>,
    /// The play's `vars_files`.
    pub vars_files: VarsFiles,
    /// Whether dictionaries are merged (`hash_behaviour = merge`).
    pub merge: bool,
    /// Whether facts are variables of their own, too (`inject_facts_as_vars`).
    pub inject_facts: bool,
    /// The inventory's variables of each host, until the inventory changes.
    pub host_layers: RwLock<HashMap<Arc<str>, Layers>>,
}

/// A host as a scope knows it.
#[derive(Clone, Debug)]
pub struct ScopeHost {
    pub name: Arc<str>,
}

/// The deprecated features that were used in a scope and in those made from it.
pub(super) type Deprecations = Arc<Mutex<Vec<Deprecation>>>;

/// The variables that a host sees.
pub struct HostScope {
    /// What all scopes of the play share.
    pub base: Arc<ScopeBase>,
    /// The host.
    pub host: ScopeHost,
    /// What was known about the host when the scope was made.
    pub state: HostState,
    view: View,
    /// The host that the task is delegated to.
    delegate: Option<Delegate>,
    layers: Layers,
    /// Loop variables and the like, which win over all others.
    local: Values,
    /// What earlier items of a loop set and registered, below `local` alone. Scopes of one loop share it.
    carried: Arc<Values>,
    /// The deprecations of templates that were rendered in this scope and in those made from it.
    deprecations: Deprecations,
    /// What they warned of.
    warnings: Arc<Mutex<Vec<Error>>>,
    /// Variables that were rendered in this scope.
    rendered: Mutex<HashMap<Arc<str>, Value>>,
    me: Weak<HostScope>,
}

/// From where a scope looks at its host.
#[derive(Clone)]
enum View {
    /// From nowhere: without the play's variables, as `hostvars` shows a host.
    Host,
    Play,
    Task(Arc<Task>),
}

/// The host that a task is delegated to.
#[derive(Clone)]
pub struct Delegate {
    /// The host as `delegate_to` names it.
    pub name: Arc<str>,
    /// What that host sees in the task. Its `inventory_hostname` is the one of the task's own host.
    pub scope: Arc<HostScope>,
}

thread_local! {
    /// The names that are being resolved, to detect a cycle.
    static RESOLVING: RefCell<Vec<(usize, Arc<str>)>> = const { RefCell::new(Vec::new()) };
}

impl ScopeBase {
    /// Returns the inventory as it is now.
    pub fn inventory(&self) -> Arc<Inventory> {
        sync::read(&self.inventory).clone()
    }

    /// Returns the file that first named a host.
    pub fn source_of(&self, host: &ScopeHost) -> Option<PathBuf> {
        self.inventory().source_of(&host.name)
    }

    fn inventory_layers(&self, host: &Arc<str>) -> Layers {
        if let Some(layers) = sync::read(&self.host_layers).get(host) {
            return layers.clone();
        }
        let mut layers = Layers::default();
        for vars in self.inventory().layers_of(host) {
            layers.written(&vars);
        }
        sync::write(&self.host_layers).insert(host.clone(), layers.clone());
        layers
    }

    /// Forgets the inventory's variables, after the inventory has changed.
    pub fn forget_inventory_layers(&self) {
        sync::write(&self.host_layers).clear();
    }
}

impl HostScope {
    /// Makes the scope of a host in a task, or outside of any, with loop variables on top.
    pub fn new(
        base: &Arc<ScopeBase>,
        host: &Arc<str>,
        task: Option<&Arc<Task>>,
        local: Values,
    ) -> Arc<HostScope> {
        let view = task.map_or(View::Play, |task| View::Task(task.clone()));
        let scope = HostScope::viewed(base, host, view, local);
        if scope.base.vars_files.is_templated() { HostScope::with_vars_files(&scope) } else { scope }
    }

    /// The scope of a host that no play looks at, as `hostvars` shows it.
    pub fn of_host(base: &Arc<ScopeBase>, host: &Arc<str>) -> Arc<HostScope> {
        HostScope::viewed(base, host, View::Host, Values::default())
    }

    /// The scope of a host as another scope's `hostvars` shows it: what is deprecated there is reported by that one.
    pub(super) fn seen_through(
        base: &Arc<ScopeBase>,
        host: &Arc<str>,
        deprecations: &Deprecations,
    ) -> Arc<HostScope> {
        let scope = HostScope::of_host(base, host);
        Arc::new_cyclic(|me| HostScope {
            deprecations: deprecations.clone(),
            ..scope.copied(Values::default(), Arc::default(), me)
        })
    }

    /// Returns the list of deprecations that this scope and those made from it share.
    pub(super) fn deprecations(&self) -> &Deprecations {
        &self.deprecations
    }

    fn viewed(base: &Arc<ScopeBase>, host: &Arc<str>, view: View, local: Values) -> Arc<HostScope> {
        let state = base.store.host(host);
        Arc::new_cyclic(|me: &Weak<HostScope>| HostScope {
            layers: layers(base, host, &view, &state, base.vars_files.of_play()),
            base: base.clone(),
            host: ScopeHost { name: host.clone() },
            state,
            view,
            delegate: None,
            local,
            carried: Arc::default(),
            deprecations: Arc::default(),
            warnings: Arc::default(),
            rendered: Mutex::default(),
            me: me.clone(),
        })
    }

    /// The same scope for a task that is delegated to another host.
    pub fn delegated_to(&self, name: &Arc<str>) -> Arc<HostScope> {
        let known = self.base.inventory().hosts.get_key_value(&**name).map(|(known, _)| known.clone());
        let mut local = self.local.clone();
        local.insert("inventory_hostname".into(), self.host.name.clone().into());
        let host = known.unwrap_or_else(|| name.clone());
        let scope = HostScope::new(&self.base, &host, self.task(), local);
        let scope = scope.with_carried(self.carried.clone(), []);
        let delegate = Some(Delegate { name: name.clone(), scope });
        let copied = |me: &Weak<HostScope>| self.copied(self.local.clone(), self.carried.clone(), me);
        Arc::new_cyclic(|me| HostScope { delegate, ..copied(me) })
    }

    fn copied(&self, local: Values, carried: Arc<Values>, me: &Weak<HostScope>) -> HostScope {
        HostScope {
            base: self.base.clone(),
            host: self.host.clone(),
            state: self.state.clone(),
            view: self.view.clone(),
            delegate: self.delegate.clone(),
            layers: self.layers.clone(),
            local,
            carried,
            deprecations: self.deprecations.clone(),
            warnings: self.warnings.clone(),
            rendered: Mutex::default(),
            me: me.clone(),
        }
    }

    /// Adds `vars_files` whose names are templates: they depend on the host and are rendered in the scope without them.
    fn with_vars_files(bare: &Arc<HostScope>) -> Arc<HostScope> {
        let files = bare.base.vars_files.of_host(&bare.renderer());
        if files.is_empty() {
            return bare.clone();
        }
        Arc::new_cyclic(|me| HostScope {
            layers: layers(&bare.base, &bare.host.name, &bare.view, &bare.state, &files),
            ..bare.copied(bare.local.clone(), bare.carried.clone(), me)
        })
    }

    /// Makes a scope without a host, with the variables of a frame and those around it, for names that are needed when
    /// documents are loaded.
    pub fn of_frame(base: &Arc<ScopeBase>, frame: &Arc<Frame>) -> Arc<HostScope> {
        let host: Arc<str> = "".into();
        let mut frames: Vec<_> = frame.chain().collect();
        frames.reverse();
        Arc::new_cyclic(|me| {
            let mut layers = Layers::default();
            for frame in frames {
                if let FrameKind::Role(role) = &frame.kind {
                    layers.written(&role.defaults);
                }
                layers.written(&frame.keywords.vars);
            }
            layers.written(&base.extra);
            let (base, state) = (base.clone(), HostState::default());
            let host = ScopeHost { name: host.clone() };
            HostScope {
                base,
                host,
                state,
                view: View::Play,
                delegate: None,
                layers,
                local: Values::default(),
                carried: Arc::default(),
                deprecations: Arc::default(),
                warnings: Arc::default(),
                rendered: Mutex::default(),
                me: me.clone(),
            }
        })
    }

    /// Returns the same scope with more loop variables on top.
    pub fn with_local(&self, more: impl IntoIterator<Item = (Arc<str>, Value)>) -> Arc<HostScope> {
        self.with_carried(self.carried.clone(), more)
    }

    /// Returns the same scope for an item of a loop: with what earlier items left, and more loop variables on top.
    pub fn with_carried(
        &self,
        carried: Arc<Values>,
        more: impl IntoIterator<Item = (Arc<str>, Value)>,
    ) -> Arc<HostScope> {
        let mut local = self.local.clone();
        local.extend(more);
        Arc::new_cyclic(|me| self.copied(local, carried, me))
    }

    /// Returns the deprecations since the last call, each once.
    pub fn take_deprecations(&self) -> Vec<Deprecation> {
        std::mem::take(&mut *sync::lock(&self.deprecations))
    }

    /// Returns the warnings that were noted since this was last asked, each once.
    pub fn take_warnings(&self) -> Vec<Error> {
        std::mem::take(&mut *sync::lock(&self.warnings))
    }

    /// Returns a local variable: a loop variable, or what an attempt or an earlier item of the loop left.
    pub fn local(&self, name: &str) -> Option<&Value> {
        self.local.get(name).or_else(|| self.carried.get(name))
    }

    /// Returns all local variables.
    pub fn locals(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        let carried = self.carried.iter().filter(|(name, _)| !self.local.contains_key(*name));
        carried.chain(&self.local)
    }

    /// Returns the renderer of the scope.
    pub fn renderer(&self) -> Renderer {
        Renderer { environment: self.base.environment.clone(), scope: self.held() }
    }

    /// Returns the release of ansible-core whose behavior the run has.
    pub fn release(&self) -> Release {
        self.base.environment.options.release
    }

    /// Returns the scope itself as it is shared.
    #[expect(
        clippy::expect_used,
        reason = "every scope is made inside of an `Arc`, which holds it while it is used"
    )]
    fn held(&self) -> Arc<HostScope> {
        self.me.upgrade().expect("a scope in use is held")
    }

    /// Returns the task that the scope is for, if it is for one.
    pub fn task(&self) -> Option<&Arc<Task>> {
        match &self.view {
            View::Task(task) => Some(task),
            View::Host | View::Play => None,
        }
    }

    /// Whether the play's own variables are seen.
    pub fn is_in_play(&self) -> bool {
        !matches!(self.view, View::Host)
    }

    /// The host that the task is delegated to.
    pub fn delegate(&self) -> Option<&Delegate> {
        self.delegate.as_ref()
    }

    /// The scope of the host that the task acts on: its delegate's, or this one.
    pub fn of_target(self: &Arc<Self>) -> &Arc<HostScope> {
        self.delegate.as_ref().map_or(self, |delegate| &delegate.scope)
    }

    /// The role that the task belongs to.
    pub fn role(&self) -> Option<&Arc<Role>> {
        self.task()?.frame.role()
    }

    /// Returns the roles around the task's own, nearest first.
    pub fn parent_roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        let roles = || self.task().into_iter().flat_map(|task| roles(task));
        let brings = |parent: &Role, role: &Role| parent.dependencies().iter().any(|own| own.id == role.id);
        roles()
            .skip(1)
            .zip(roles())
            .filter(move |(parent, role)| !brings(parent, role))
            .map(|(parent, _)| parent)
    }

    /// Returns the directories in which files that the task names are searched.
    pub fn search_path(&self) -> Vec<PathBuf> {
        search_path(self.task().map(|task| &**task), &self.base.play.playbook_dir)
    }

    /// Returns the scope as the dictionary `hostvars[host]`.
    pub fn as_object(&self) -> Value {
        self.object(&["vars", "hostvars"])
    }

    /// Returns the scope as the dictionary `vars`, which includes `hostvars`.
    pub fn as_vars(&self) -> Value {
        self.object(&["vars"])
    }

    fn object(&self, hidden: &'static [&'static str]) -> Value {
        let scope = self.held();
        Value::Object(Arc::new(ScopeObject { scope, hidden }))
    }

    /// Whether a variable of this name exists already, without rendering it.
    pub fn knows(&self, name: &str) -> bool {
        self.local(name).is_some() || self.layers.get(name).is_some()
    }

    /// Whether a variable is what a module returned as a fact.
    pub fn is_fact(&self, name: &str) -> bool {
        self.local(name).is_none() && self.layers.is_fact(name)
    }

    /// Returns a written value with its templates as trusted text and its vaults decrypted.
    fn as_written(&self, node: &crate::document::Node) -> Option<Value> {
        use crate::document::Kind;
        match node.kind() {
            Kind::Value(value) => Some(value.clone()),
            Kind::Template(template) => Some(Value::Str(Text::trusted(template.source().clone()))),
            Kind::Vault(_) => self.renderer().value(node).ok(),
            Kind::List(items) => Some(items.iter().filter_map(|item| self.as_written(item)).collect()),
            Kind::Map(map) => {
                let entries = map.iter().filter_map(|(k, e)| Some((k.clone(), self.as_written(&e.node)?)));
                Some(Value::from(entries.collect::<Map>()))
            }
        }
    }

    fn find(&self, name: &str) -> Option<Result<Value, Error>> {
        if let Some(value) = self.local(name) {
            return Some(Ok(value.clone()));
        }
        if let Some(value) = magic::get(self, name) {
            return Some(value);
        }
        self.written(name).or_else(|| connection::get(self, name))
    }

    /// Deprecates the variable `vars`, and facts that are variables of their own.
    fn deprecate_injected(&self, name: &str) {
        let (what, help) = if name == "vars" && self.local(name).is_none() {
            let what = "The internal \"vars\" dictionary is deprecated.";
            (what, "Use the `vars` and `varnames` lookups instead.")
        } else if name.starts_with("ansible_") && self.is_fact(name) {
            let what = "INJECT_FACTS_AS_VARS default to `True` is deprecated, top-level facts will not be \
                auto injected \
                        after the change.";
            (what, "Use `ansible_facts[\"fact_name\"]` (no `ansible_` prefix) instead.")
        } else {
            return;
        };
        self.deprecate(Deprecation::new(self.used(what).with_help(help), "2.24"));
    }

    /// Returns a variable, whether its use is deprecated or not.
    fn lookup(&self, name: &str) -> Option<Result<Value, Error>> {
        let me = std::ptr::from_ref(self.base.as_ref()) as usize ^ self.host.name.as_ptr() as usize;
        let cycle = RESOLVING.with_borrow(|names| {
            let start = names.iter().position(|(scope, n)| *scope == me && &**n == name)?;
            let chain: Vec<&str> = names[start..].iter().map(|(_, n)| &**n).chain([name]).collect();
            Some(chain.join(" -> "))
        });
        if let Some(chain) = cycle {
            let message = format!("Recursive loop detected in template: {chain}");
            return Some(Err(Error::new(message)
                .with_help("Break the cycle: one of these variables must not need the others.")));
        }
        RESOLVING.with_borrow_mut(|names| names.push((me, name.into())));
        let found = self.find(name);
        RESOLVING.with_borrow_mut(|names| names.pop());
        found
    }

    /// Returns an error about the template that is being rendered, or else about the task.
    fn used(&self, what: &str) -> Error {
        let place = crate::template::current_place();
        Error::new(what).at_opt(place.as_ref().or(self.task().map(|task| &task.place)))
    }

    /// Returns a variable that is not a magic one.
    pub fn written(&self, name: &str) -> Option<Result<Value, Error>> {
        if self.base.merge {
            return self.layers.merged(name, &self.renderer());
        }
        match self.layers.get(name)? {
            Found::Value(value) => Some(Ok(value.clone())),
            Found::Node(node) => Some(self.rendered(name, node)),
        }
    }

    /// The value of a variable. It is rendered once for the life of this scope, where it comes out the same each time.
    fn rendered(&self, name: &str, node: &crate::document::Node) -> Result<Value, Error> {
        if !matches!(node.kind(), crate::document::Kind::Template(_)) {
            return self.renderer().resolve(node);
        }
        if let Some(value) = sync::lock(&self.rendered).get(name) {
            return Ok(value.clone());
        }
        let (value, repeatable) = purity::observe(|| self.renderer().resolve(node));
        let value = value?;
        if repeatable && is_data(&value) {
            sync::lock(&self.rendered).insert(name.into(), value.clone());
        }
        Ok(value)
    }
}

/// Whether a value holds nothing that refers to a scope: such a value may be kept in one.
fn is_data(value: &Value) -> bool {
    match value {
        Value::Object(_) | Value::Undefined(_) | Value::Unknown(_) => false,
        Value::List(items) | Value::Tuple(items) => items.iter().all(is_data),
        Value::Map(map) => map.values().all(is_data),
        _ => true,
    }
}

/// Returns the directories in which a task's files are searched: its roles', that of its own file, the playbook's.
pub fn search_path(task: Option<&Task>, playbook_dir: &std::path::Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    if let Some(task) = task {
        paths.extend(roles(task).map(|role| role.path.clone()));
        if let Some(directory) = std::path::Path::new(&*task.place.file).parent()
            && !paths.iter().any(|p| p == directory)
        {
            paths.push(directory.to_owned());
        }
    }
    if !paths.iter().any(|p| p == playbook_dir) {
        paths.push(playbook_dir.to_owned());
    }
    paths
}

/// Returns the roles that a task is in, its own first.
fn roles(task: &Task) -> impl Iterator<Item = &Arc<Role>> {
    task.frame.chain().filter_map(|frame| match &frame.kind {
        FrameKind::Role(role) => Some(role),
        _ => None,
    })
}

/// Returns all layers in Ansible's order of precedence, lowest first.
fn layers(
    base: &ScopeBase,
    host: &Arc<str>,
    view: &View,
    state: &HostState,
    vars_files: &[Arc<Vars>],
) -> Layers {
    let task = match view {
        View::Host => return layers_of_host(base, host, state),
        View::Play => None,
        View::Task(task) => Some(task),
    };
    let mut layers = Layers::default();
    let included = sync::read(&base.play.included_roles);
    let of_play = base.play.play.iter().flat_map(|play| &play.roles).map(|(role, _)| role);
    let public: Vec<&Arc<Role>> = of_play.chain(included.iter()).filter(|r| r.public).collect();
    let mut around: Vec<&Arc<Role>> = task.map(|t| roles(t).collect()).unwrap_or_default();
    around.reverse();
    for role in public.iter().chain(&around) {
        with_dependencies(role, &mut |role| layers.written(&role.defaults));
    }
    layers.extend(base.inventory_layers(host));
    if base.inject_facts {
        layers.push(Layer::Facts(state.facts.clone()));
    }
    if let Some(play) = &base.play.play {
        layers.written(&play.vars);
    }
    layers.push(Layer::Values(base.prompted.clone()));
    for vars in vars_files {
        layers.written(vars);
    }
    for role in public.iter().chain(&around) {
        with_dependencies(role, &mut |role| layers.written(&role.vars));
    }
    if let Some(task) = task {
        let frames: Vec<_> = task.frame.chain().filter(|f| !matches!(f.kind, FrameKind::Play)).collect();
        for frame in frames.into_iter().rev() {
            layers.written(&frame.keywords.vars);
        }
        layers.written(&task.keywords.vars);
    }
    layers.written(&state.included);
    layers.push(Layer::Values(state.set.clone()));
    for role in &around {
        layers.written(&role.params);
    }
    // The variables of an include win over those that were set on the host.
    let includes = task.iter().flat_map(|task| task.frame.chain());
    let includes: Vec<_> =
        includes.filter(|f| matches!(f.kind, FrameKind::Include { dynamic: true, .. })).collect();
    for frame in includes.into_iter().rev() {
        layers.written(&frame.keywords.vars);
    }
    layers.written(&base.extra);
    layers
}

/// What is known of a host whatever the play is.
fn layers_of_host(base: &ScopeBase, host: &Arc<str>, state: &HostState) -> Layers {
    let mut layers = base.inventory_layers(host);
    if base.inject_facts {
        layers.push(Layer::Facts(state.facts.clone()));
    }
    layers.written(&state.included);
    layers.push(Layer::Values(state.set.clone()));
    layers.written(&base.extra);
    layers
}

/// Calls `add` for a role's dependencies, and for the role.
pub fn with_dependencies(role: &Arc<Role>, add: &mut impl FnMut(&Arc<Role>)) {
    for dependency in role.dependencies() {
        with_dependencies(dependency, add);
    }
    add(role);
}

impl Scope for HostScope {
    fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        if self.release().deprecates_injected_variables() {
            self.deprecate_injected(name);
        }
        if name == "play_hosts" && self.is_in_play() {
            let what = self.used("The `play_hosts` magic variable is deprecated.");
            let what = what.with_help("Use `ansible_play_batch` instead.");
            self.deprecate(Deprecation::new(what, "2.23"));
        }
        self.lookup(name)
    }

    fn node(&self, name: &str) -> Option<crate::document::Node> {
        match self.layers.get(name)? {
            Found::Node(node) if self.local(name).is_none() => Some(node.clone()),
            _ => None,
        }
    }

    fn deprecate(&self, mut deprecation: Deprecation) {
        if deprecation.what.place().is_none()
            && let Some(place) = crate::template::current_place()
        {
            deprecation.what = deprecation.what.at(&place);
        }
        let mut known = sync::lock(&self.deprecations);
        let what = &deprecation.what;
        if !known.iter().any(|d| d.what.place() == what.place() && d.what.message() == what.message()) {
            known.push(deprecation);
        }
    }

    fn warn(&self, warning: Error) {
        let mut known = sync::lock(&self.warnings);
        if !known.iter().any(|w| w.place() == warning.place() && w.message() == warning.message()) {
            known.push(warning);
        }
    }

    fn action(&self) -> Option<&str> {
        self.task().map(|task| &*task.action.name)
    }

    fn with(&self, variables: &Map) -> Option<Arc<dyn Scope>> {
        let variables = variables.iter().map(|(name, value)| (Arc::from(&*name.to_text()), value.clone()));
        Some(self.with_local(variables))
    }

    fn all_written(&self, host: Option<&str>) -> Option<Map> {
        if let Some(host) = host {
            let inventory = self.base.inventory();
            let known = inventory.hosts.get_key_value(host).map(|(name, _)| name.clone());
            let name = known.or_else(|| (host == "localhost").then(|| host.into()))?;
            return HostScope::of_host(&self.base, &name).all_written(None);
        }
        let mut all = Map::default();
        let magic: Vec<&str> = magic::names(self).collect();
        for name in self.names() {
            let value = match (self.local(&name), magic.contains(&&*name)) {
                (Some(value), _) => Renderer::finalize(value.clone()).ok(),
                // These contain all other variables and are only returned by name.
                (None, true) if matches!(&*name, "vars" | "hostvars") => None,
                (None, true) => {
                    magic::get(self, &name).and_then(Result::ok).and_then(|v| Renderer::finalize(v).ok())
                }
                (None, false) => match self.layers.get(&name) {
                    Some(Found::Value(value)) => Some(value.clone()),
                    Some(Found::Node(node)) => self.as_written(node),
                    None => None,
                },
            };
            if let Some(value) = value {
                all.insert(name.into(), value);
            }
        }
        Some(all)
    }

    fn names(&self) -> Vec<String> {
        // In the order in which they were written.
        let mut names: indexmap::IndexSet<String> = self.layers.names().into_iter().collect();
        names.extend(self.locals().map(|(name, _)| name.to_string()));
        names.extend(magic::names(self).map(str::to_owned));
        names.into_iter().collect()
    }
}

/// All variables of a scope as a dictionary, each computed when it is needed.
struct ScopeObject {
    scope: Arc<HostScope>,
    /// Names that are not listed, since they contain all other variables or themselves.
    hidden: &'static [&'static str],
}

impl std::fmt::Debug for ScopeObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "variables of {}", self.scope.host.name)
    }
}

impl Object for ScopeObject {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn is_map(&self) -> bool {
        true
    }

    fn member(&self, key: &Value) -> Option<Result<Value, Error>> {
        let name = key.as_str()?;
        if self.hidden.contains(&"hostvars") { self.scope.get(name) } else { self.scope.lookup(name) }
    }

    fn force(&self) -> Option<Result<Value, Error>> {
        let names = self.scope.names().into_iter().filter(|name| !self.hidden.contains(&name.as_str()));
        let members = names.map(|name| {
            let scope = self.scope.clone();
            (Value::from(&*name), Value::Object(Arc::new(Variable { scope, name: name.as_str().into() })))
        });
        Some(Ok(Value::from(members.collect::<Map>())))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// One variable of a scope that is not computed yet.
struct Variable {
    scope: Arc<HostScope>,
    name: Arc<str>,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Object for Variable {
    fn type_name(&self) -> &'static str {
        "variable"
    }

    fn force(&self) -> Option<Result<Value, Error>> {
        let missing = || Ok(Value::undefined(format!("'{}' is undefined", self.name)));
        Some(self.scope.get(&self.name).unwrap_or_else(missing))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
