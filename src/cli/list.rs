//! `--list-hosts`, `--list-tasks`, `--list-tags` and `--syntax-check`.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Value};

use crate::document::Node;
use crate::inventory::{Inventory, Vars, extra_vars};
use crate::playbook::listing::{Listed, Lister};
use crate::playbook::{Play, Playbook};
use crate::run::Shared;
use crate::template::environment::Options;
use crate::template::{Environment, Renderer, Scope};
use crate::vars::VarsFiles;

/// Prints what was asked for of each playbook.
pub fn print<'p>(
    shared: &Shared,
    inventory: &Inventory,
    playbooks: impl Iterator<Item = (String, &'p Playbook)>,
    listed: Listed,
) -> Result<(), Error> {
    let extra = Arc::new(extra_vars(&shared.options.extra_vars, &shared.keyring)?);
    let environment = Arc::new(Environment {
        context: shared.context.clone(),
        keyring: shared.keyring.clone(),
        options: Options::default(),
    });
    // A play's renderer is made once: it reads files.
    let known: RefCell<HashMap<*const Play, Renderer>> = RefCell::default();
    let render = |play: &Play, node: &Node| {
        if let Some(renderer) = known.borrow().get(&std::ptr::from_ref(play)) {
            return renderer.value(node);
        }
        let renderer = renderer(play, &extra, &environment, shared)?;
        let value = renderer.value(node);
        known.borrow_mut().insert(play, renderer);
        value
    };
    let warned = RefCell::new(HashSet::new());
    let select = |pattern: &str| {
        let (hosts, warnings) = inventory.select(pattern, &shared.settings)?;
        for warning in warnings {
            if warned.borrow_mut().insert(warning.clone()) {
                eprintln!("[WARNING]: {warning}");
            }
        }
        Ok::<_, Error>(hosts)
    };
    let hosts = |patterns: &[String]| {
        let mut hosts: Vec<Arc<str>> = select(&patterns.join(","))?;
        if let Some(limit) = &shared.options.limit {
            let limited = select(limit)?;
            hosts.retain(|host| limited.contains(host));
        }
        Ok(hosts)
    };
    let (tags, skip_tags) = (&shared.options.tags, &shared.options.skip_tags);
    let lister = Lister { listed, tags, skip_tags, render: &render, hosts: &hosts };
    let lists = listed.hosts || listed.tasks || listed.tags;
    for (name, playbook) in playbooks {
        let text = if lists { lister.list(&name, playbook)? } else { format!("\nplaybook: {name}\n") };
        super::show(&shared.context.redactor.text(&text));
    }
    Ok(())
}

/// Renders with what a play knows before it has hosts.
fn renderer(
    play: &Play,
    extra: &Arc<Vars>,
    environment: &Arc<Environment>,
    shared: &Shared,
) -> Result<Renderer, Error> {
    let with = |layers: Vec<Arc<Vars>>| {
        let scope = Arc::new(PlayScope { layers: layers.into(), environment: environment.clone() });
        Renderer { environment: environment.clone(), scope }
    };
    let before = with(vec![extra.clone(), play.vars.clone()]);
    let files = VarsFiles::load(&play.vars_files, &play.folder, &before, shared.keyring.clone());
    let files = match files {
        Ok(files) if files.is_templated() => files.of_host(&before),
        Ok(files) => files.of_play().to_vec(),
        // A run would fail; what there is to list is there all the same.
        Err(e) if e.kind() == ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(e),
    };
    let layers = std::iter::once(extra.clone()).chain(files.into_iter().rev());
    Ok(with(layers.chain([play.vars.clone()]).collect()))
}

/// What a play knows before it has hosts: extra variables, its files of variables, and its own.
struct PlayScope {
    /// Those that win first.
    layers: Arc<[Arc<Vars>]>,
    environment: Arc<Environment>,
}

impl Scope for PlayScope {
    fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        let node = self.layers.iter().find_map(|vars| vars.get(name))?;
        let scope =
            Arc::new(PlayScope { layers: self.layers.clone(), environment: self.environment.clone() });
        Some(Renderer { environment: self.environment.clone(), scope }.resolve(node))
    }

    fn names(&self) -> Vec<String> {
        self.layers.iter().flat_map(|vars| vars.keys()).map(|name| name.to_string()).collect()
    }
}
