//! Runs the plays of a playbook: their hosts, batches and variables.

use std::collections::HashSet;
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Value, arguments::to_bool, name, sync};

use super::batch::{Batch, Stop};
use super::strategy::Strategy;
use crate::document::Node;
use crate::inventory::Inventory;
use crate::playbook::{Keyword, Play, Playbook};
use crate::report::Event;
use crate::run::call::keyword;
use crate::run::call::state::PlayState;
use crate::run::{Run, play_renderer, play_value, prompt};
use crate::vars::{HostScope, ScopeBase, Values, VarsFiles};

/// How a play runs.
struct Manner {
    strategy: String,
    order: String,
    serial: Vec<Value>,
    /// Whether failed tasks stop in the debugger by default.
    debugger: bool,
    force_handlers: bool,
    max_fail_percentage: Option<f64>,
    gather_facts: Option<bool>,
}

impl Run {
    /// Runs the plays until one leaves no host.
    pub fn plays(&mut self, playbook: &Playbook) -> Result<(), Error> {
        for play in &playbook.plays {
            if self.shared.interrupt.is_set() || !self.play(play)? {
                break;
            }
        }
        Ok(())
    }

    /// Runs a play. Returns whether the playbook continues.
    fn play(&mut self, play: &Arc<Play>) -> Result<bool, Error> {
        self.enter(&play.directory);
        let (prompted, files) = self.variables(play)?;
        let before = self.play_base(play, &prompted, &files);
        let hosts = play_value(&before, &play.hosts).map_err(|e| play.refused("hosts", e))?;
        let pattern = pattern(&hosts);
        let name = match &play.frame.keywords.name {
            Some(node) => {
                play_value(&before, node).map_err(|e| play.refused("name", e))?.to_text().into_owned()
            }
            // Hosts that are omitted name nothing.
            None if matches!(hosts, Value::Omit) => String::new(),
            None => pattern.clone(),
        };
        let manner = self.manner(play, &before).map_err(|e| e.with_kind(ErrorKind::Syntax))?;
        let all = self.hosts(play, &pattern, &before)?;
        let ordered = ordered(play, &manner.order, &all)?;
        let check = match play.frame.keywords.values.get(&Keyword::CheckMode) {
            // The tasks fail with a value that is not a boolean.
            Some(node) => play_value(&before, node).ok().and_then(|value| to_bool(&value)).unwrap_or(false),
            None => self.shared.options.check,
        };
        let start = |hosts: &[Arc<str>]| Event::PlayStart {
            name: name.clone(),
            pattern: pattern.clone(),
            hosts: hosts.to_vec(),
            check,
            place: play.place.clone(),
        };
        if all.is_empty() {
            self.emit(start(&[]));
            self.emit(Event::NoHostsMatched);
            return Ok(true);
        }
        let strategy =
            Strategy::named(&manner.strategy, self.shared.options.forks).map_err(|e| e.at(&play.place))?;
        let batches = batches(play, &manner.serial, &ordered)?;
        for (name, node) in play.vars.iter() {
            self.warn_of_name(name, &node.key_place());
        }
        for batch in batches {
            let hosts: Vec<Arc<str>> = batch
                .iter()
                .filter(|h| !self.failed.contains(*h) && !self.unreachable.contains(*h))
                .cloned()
                .collect();
            // Each batch is reported as a separate play.
            self.emit(start(&hosts));
            if hosts.is_empty() {
                continue;
            }
            let lost_before = self.failed.union(&self.unreachable).count();
            let facts = self.play_facts(Some(play.clone()), &name, all.clone());
            *sync::write(&facts.batch) = hosts.iter().cloned().collect();
            let out = all.iter().filter(|h| self.failed.contains(*h) || self.unreachable.contains(*h));
            out.for_each(|host| facts.remove(host));
            let base = self.scope_base(facts, prompted.clone(), files.clone());
            let state = Arc::new(PlayState {
                shared: self.shared.clone(),
                base,
                play: play.clone(),
                force_handlers: manner.force_handlers,
                max_fail_percentage: manner.max_fail_percentage,
                debugger: manner.debugger,
            });
            let gathers = self.gathers(manner.gather_facts, &hosts);
            let items = self.compile(&state, gathers)?;
            let stop = Batch::new(self, state, &batch, &hosts, items, strategy).drive()?;
            // As in ansible-core, a batch is lost if as many hosts are lost by it as it has: with one that was out
            // before among them, the playbook goes on.
            let lost = self.failed.union(&self.unreachable).count();
            if lost == lost_before + batch.len() || stop == Stop::Fatal {
                return Ok(false);
            }
            if stop == Stop::Play {
                break;
            }
        }
        Ok(true)
    }

    /// Returns what the scopes of a play share before its first batch.
    fn play_base(&self, play: &Arc<Play>, prompted: &Arc<Values>, files: &VarsFiles) -> Arc<ScopeBase> {
        let facts = self.play_facts(Some(play.clone()), "", Vec::new());
        self.scope_base(facts, prompted.clone(), files.clone())
    }

    /// Asks for the variables of `vars_prompt` and loads `vars_files`.
    fn variables(&mut self, play: &Arc<Play>) -> Result<(Arc<Values>, VarsFiles), Error> {
        let before = self.play_base(play, &Arc::default(), &VarsFiles::default());
        let prompted = Arc::new(self.ask(play, &before)?);
        let before = self.play_base(play, &prompted, &VarsFiles::default());
        let scope = HostScope::new(&before, &Arc::from(""), None, Default::default());
        let keyring = self.shared.keyring.clone();
        let files = VarsFiles::load(&play.vars_files, &play.directory, &scope.renderer(), keyring);
        for entry in play.vars_files.iter().filter(|entry| !entry.is_plain()) {
            if scope.renderer().value(entry).is_err_and(|e| e.is_undefined()) {
                let warning = Error::new("skipping vars_files item due to an undefined variable");
                self.emit(Event::warning(&warning.at(entry.place())));
            }
        }
        for warning in scope.take_warnings() {
            self.emit(Event::warning(&warning));
        }
        Ok((prompted, files?))
    }

    /// Returns how the play runs, as its keywords and the settings say.
    fn manner(&self, play: &Play, before: &Arc<ScopeBase>) -> Result<Manner, Error> {
        let (settings, options) = (&self.shared.settings, &self.shared.options);
        let renderer = play_renderer(before);
        let text = |node: &Option<Node>, name: &str| match node {
            Some(node) => keyword::text(node, name, &renderer),
            None => Ok(None),
        };
        let flag = |node: &Option<Node>, name: &str| match node {
            Some(node) => keyword::boolean(node, name, &renderer),
            None => Ok(None),
        };
        let strategy = text(&play.strategy, "strategy")?.unwrap_or_else(|| settings.strategy.clone());
        // These are for the task that gathers the facts.
        if let Some(node) = &play.gather_timeout {
            keyword::integer(node, "gather_timeout", &renderer)?;
        }
        if let Some(node) = &play.gather_subset {
            keyword::texts(node, "gather_subset", &renderer)?;
        }
        Ok(Manner {
            debugger: settings.enable_task_debugger || name::builtin(&strategy) == "debug",
            strategy,
            order: text(&play.order, "order")?.unwrap_or_default(),
            serial: match &play.serial {
                Some(node) => keyword::list(node, "serial", &renderer)?,
                None => Vec::new(),
            },
            force_handlers: flag(&play.force_handlers, "force_handlers")?
                .unwrap_or(options.force_handlers || settings.force_handlers),
            max_fail_percentage: match &play.max_fail_percentage {
                Some(node) => keyword::percent(node, "max_fail_percentage", &renderer)?,
                None => None,
            },
            gather_facts: flag(&play.gather_facts, "gather_facts")?,
        })
    }

    /// Whether facts are gathered first, as `gather_facts` and the setting `gathering` say.
    fn gathers(&self, asked: Option<bool>, hosts: &[Arc<str>]) -> bool {
        match self.shared.settings.gathering.as_str() {
            "explicit" => asked == Some(true),
            "smart" => asked != Some(false) && hosts.iter().any(|h| self.store.host(h).facts.is_empty()),
            _ => asked != Some(false),
        }
    }

    /// The hosts of a play, as the inventory lists them; those that are out already are among them.
    fn hosts(&mut self, play: &Play, pattern: &str, base: &Arc<ScopeBase>) -> Result<Vec<Arc<str>>, Error> {
        let inventory = base.inventory();
        let (mut hosts, warnings) =
            inventory.select(pattern, &self.shared.settings).map_err(|e| e.at(play.hosts.place()))?;
        for warning in warnings {
            self.emit(Event::Warning(warning));
        }
        self.limit(&inventory, &mut hosts)?;
        for warning in inventory.check_files(&hosts)? {
            self.emit(Event::warning(&warning));
        }
        Ok(hosts)
    }

    /// Keeps the hosts that `--limit` names.
    fn limit(&self, inventory: &Inventory, hosts: &mut Vec<Arc<str>>) -> Result<(), Error> {
        if let Some(limit) = &self.shared.options.limit {
            let (within, _) = inventory.select(limit, &self.shared.settings)?;
            let within: HashSet<Arc<str>> = within.into_iter().collect();
            hosts.retain(|h| within.contains(h));
        }
        Ok(())
    }

    /// Selects the play's hosts again after the inventory was refreshed.
    pub fn refresh_hosts(&mut self, state: &PlayState) -> Result<(), Error> {
        let pattern = pattern(&play_value(&state.base, &state.play.hosts)?);
        let inventory = state.base.inventory();
        let (mut hosts, _) = inventory.select(&pattern, &self.shared.settings)?;
        self.limit(&inventory, &mut hosts)?;
        *sync::write(&state.base.play.all_hosts) = hosts.into_iter().collect();
        Ok(())
    }

    fn ask(&mut self, play: &Play, base: &Arc<ScopeBase>) -> Result<Values, Error> {
        let mut answers = Values::default();
        for prompt in &play.vars_prompt {
            if self.has_extra(&prompt.name) {
                continue;
            }
            self.emit(Event::VarsPrompt { name: prompt.name.clone(), private: prompt.private });
            let answer = prompt::ask(prompt, &play_renderer(base))?;
            answers.insert(prompt.name.clone(), answer);
        }
        Ok(answers)
    }

    fn has_extra(&self, name: &str) -> bool {
        self.extra.contains_key(name)
    }
}

/// Splits the hosts into batches as `serial` says: numbers, percentages, or a list of them of which the last repeats.
fn batches(play: &Play, sizes: &[Value], hosts: &[Arc<str>]) -> Result<Vec<Vec<Arc<str>>>, Error> {
    let mut sizes = sizes.iter().map(|size| {
        batch_size(size, hosts.len()).ok_or_else(|| {
            let message = format!("serial must be a number or a percentage, not {size}");
            Error::new(message).at_opt(play.serial.as_ref().map(Node::place))
        })
    });
    let mut batches = Vec::new();
    let mut left = hosts;
    let mut size = sizes.next().transpose()?.unwrap_or(0);
    while !left.is_empty() {
        if size == 0 {
            batches.push(left.to_vec());
            break;
        }
        let (batch, rest) = left.split_at(size.min(left.len()));
        batches.push(batch.to_vec());
        left = rest;
        size = sizes.next().transpose()?.unwrap_or(size);
    }
    Ok(batches)
}

/// Checks the name of an order.
pub(crate) fn known_order(name: &str) -> Result<(), Error> {
    const ORDERS: [&str; 5] = ["inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle"];
    if name.is_empty() || ORDERS.contains(&name) {
        return Ok(());
    }
    Err(Error::new(format!("Invalid 'order' specified for inventory hosts: {name}"))
        .with_help("The orders are inventory, reverse_inventory, sorted, reverse_sorted and shuffle."))
}

/// The hosts in the play's `order`.
fn ordered(play: &Play, order: &str, hosts: &[Arc<str>]) -> Result<Vec<Arc<str>>, Error> {
    known_order(order).map_err(|e| e.at(play.order.as_ref().map_or(&play.place, Node::place)))?;
    let mut hosts = hosts.to_vec();
    match order {
        "reverse_inventory" => hosts.reverse(),
        "sorted" => hosts.sort(),
        "reverse_sorted" => hosts.sort_by(|a, b| b.cmp(a)),
        "shuffle" => {
            use rand::seq::SliceRandom;
            hosts.shuffle(&mut rand::rng());
        }
        _ => {}
    }
    Ok(hosts)
}

fn batch_size(size: &Value, hosts: usize) -> Option<usize> {
    if let Some(text) = size.as_str() {
        if let Some(percent) = text.trim().strip_suffix('%') {
            let part = percent.trim().parse::<f64>().ok()? / 100.0 * hosts as f64;
            return Some((part as usize).max(1));
        }
        return text.trim().parse().ok();
    }
    usize::try_from(size.as_i64()?).ok()
}

/// Returns a pattern as text; a list of patterns is joined.
fn pattern(value: &Value) -> String {
    match value.as_list() {
        Some(items) => items.iter().map(|v| v.to_text().into_owned()).collect::<Vec<_>>().join(","),
        None if matches!(value, Value::Omit) => "None".into(),
        None => value.to_text().into_owned(),
    }
}
