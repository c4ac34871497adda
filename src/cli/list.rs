//! Prints `--list-hosts`, `--list-tasks`, `--list-tags` and `--syntax-check`.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clap::ValueEnum;
use playbook_api::{Error, ErrorKind, Map, Value, map};

use crate::document::Node;
use crate::inventory::{Inventory, Vars, extra_vars};
use crate::playbook::listing::{Listed, ListedPlay, Lister, Listing};
use crate::playbook::{Play, Playbook};
use crate::report::{JsonLines, Streams};
use crate::run::Shared;
use crate::template::environment::Options;
use crate::template::{Environment, Renderer, Scope};
use crate::vars::{VarsFiles, with_dependencies};

/// The form of a report.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Form {
    /// Text
    Text,
    /// JSON; for a run one event per line
    Json,
}

/// Prints the listing of each playbook.
pub(super) fn print<'p>(
    shared: &Shared,
    inventory: &Inventory,
    playbooks: impl Iterator<Item = (String, &'p Playbook)>,
    listed: Listed,
    form: Form,
) -> Result<(), Error> {
    let extra = Arc::new(extra_vars(&shared.options.extra_vars, &shared.keyring, &shared.settings, |_| {})?);
    let environment = Arc::new(Environment {
        context: shared.context.clone(),
        keyring: shared.keyring.clone(),
        options: Options::default(),
    });
    // A play's renderer is made once, since it reads files.
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
                super::warn(&warning);
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
    let mut lines = JsonLines::new(Streams::standard(), shared.context.redactor.clone());
    for (name, playbook) in playbooks {
        let listing = match lists {
            true => lister.list(&name, playbook)?,
            false => Listing { playbook: name, plays: Vec::new() },
        };
        match form {
            Form::Text => super::show(&shared.context.redactor.text(&listing.text(listed))),
            Form::Json => lines.put("listing", data(&listing, listed)),
        }
    }
    Ok(())
}

/// A listing for other programs, with the parts that are listed.
fn data(listing: &Listing, listed: Listed) -> Map {
    let texts = |texts: &mut dyn Iterator<Item = &str>| -> Value { texts.map(Value::from).collect() };
    let play = |play: &ListedPlay| {
        let mut map = map! {
            "play" => play.name.as_str(),
            "patterns" => texts(&mut play.patterns.iter().map(String::as_str)),
            "tags" => texts(&mut play.tags.iter().map(String::as_str)),
        };
        if listed.hosts {
            map.insert("hosts".into(), texts(&mut play.hosts.iter().map(|host| &**host)));
        }
        if listed.tasks {
            let tasks = play.tasks.iter().map(|(name, tags)| {
                let tags = texts(&mut tags.iter().map(String::as_str));
                Value::from(map! { "task" => name.as_str(), "tags" => tags })
            });
            map.insert("tasks".into(), tasks.collect());
        }
        if listed.tags {
            map.insert("task_tags".into(), texts(&mut play.all_tags().into_iter()));
        }
        Value::from(map)
    };
    let plays: Value = listing.plays.iter().map(play).collect();
    map! { "playbook" => listing.playbook.as_str(), "plays" => plays }
}

/// Returns a renderer with the variables that a play has before it has hosts.
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
    let files = VarsFiles::load(&play.vars_files, &play.directory, &before, shared.keyring.clone());
    let files = match files {
        Ok(files) if files.is_templated() => files.of_host(&before),
        Ok(files) => files.of_play().to_vec(),
        // A run would fail, but the play can be listed.
        Err(e) if e.kind() == ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(e),
    };
    let (mut defaults, mut vars) = (Vec::new(), Vec::new());
    for (role, _) in play.roles.iter().filter(|(role, _)| role.public) {
        with_dependencies(role, &mut |role| {
            defaults.push(role.defaults.clone());
            vars.push(role.vars.clone());
        });
    }
    let lowest_first = defaults.into_iter().chain([play.vars.clone()]).chain(files).chain(vars);
    let mut layers: Vec<_> = lowest_first.chain([extra.clone()]).collect();
    layers.reverse();
    Ok(with(layers))
}

/// The variables that a play has before it has hosts: extra variables, those of its roles, its variable files and
/// its own.
struct PlayScope {
    /// The layers, highest precedence first.
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
