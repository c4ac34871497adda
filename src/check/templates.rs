//! Checks templates: their syntax, and whether their filters, tests and lookups exist.

use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Place, Plugins, nearest};

use super::looked_up;
use super::walk::Walk;
use crate::document::{Kind, Node};
use crate::inventory::Vars;
use crate::jinja::{PluginKind, Program, Template, place_of};
use crate::playbook::{Condition, Keywords, Loop, Play, Task};
use crate::template::{filters, lookups, tests};

/// Checks the templates of a play's keywords.
pub(super) fn play(walk: &Walk, play: &Play) {
    let optional = [
        &play.gather_facts,
        &play.gather_subset,
        &play.gather_timeout,
        &play.fact_path,
        &play.serial,
        &play.strategy,
        &play.order,
        &play.max_fail_percentage,
        &play.force_handlers,
    ];
    let prompts = play.vars_prompt.iter().flat_map(|prompt| [&prompt.prompt, &prompt.default]);
    let all = optional.into_iter().chain(prompts).flatten();
    all.chain([&play.hosts]).chain(&play.vars_files).for_each(|value| node(walk, value));
}

/// Checks the templates of variables.
pub(super) fn vars(walk: &Walk, vars: &Vars) {
    vars.values().for_each(|value| node(walk, value));
}

/// Checks the templates of keywords.
pub(super) fn keywords(walk: &Walk, keywords: &Keywords) {
    let all = keywords.name.iter().chain(keywords.values.values()).chain(&keywords.tags);
    all.for_each(|value| node(walk, value));
    conditions(walk, &keywords.when);
    vars(walk, &keywords.vars);
}

/// Checks the templates of a task.
pub(super) fn task(walk: &Walk, task: &Task) {
    match &task.loop_over {
        Some(Loop::Loop(value) | Loop::With { terms: value, .. }) => node(walk, value),
        None => {}
    }
    let control = &task.loop_control;
    let optional = [
        &task.action.variable_args,
        &task.retries,
        &task.delay,
        &task.async_seconds,
        &task.poll,
        &control.loop_var,
        &control.index_var,
        &control.label,
        &control.pause,
        &control.extended,
        &control.extended_allitems,
    ];
    optional.into_iter().flatten().for_each(|value| node(walk, value));
    // `that` of `assert` holds expressions.
    if task.action_name() == "assert"
        && let Some(that) = task.action.args.get("that")
    {
        conditions(walk, &Condition::list(that));
    }
    task.action.args.values().for_each(|value| node(walk, value));
    let listed = [&task.changed_when, &task.failed_when].into_iter().flatten();
    listed.chain([&task.until, &control.break_when]).for_each(|list| conditions(walk, list));
}

fn conditions(walk: &Walk, list: &[Condition]) {
    for condition in list {
        match condition {
            Condition::Expression(expression) => program(walk, expression.program(), expression.place()),
            Condition::Node(value) => node(walk, value),
        }
    }
}

fn node(walk: &Walk, value: &Node) {
    match value.kind() {
        Kind::Template(template) => self::template(walk, template),
        Kind::List(items) => items.iter().for_each(|item| node(walk, item)),
        Kind::Map(map) => map.values().for_each(|entry| node(walk, &entry.node)),
        Kind::Value(_) | Kind::Vault(_) => {}
    }
}

/// Checks a template.
pub(super) fn template(walk: &Walk, template: &Template) {
    program(walk, template.program(), template.place());
}

fn program(walk: &Walk, program: Result<&Program, Error>, place: &Place) {
    let program = match program {
        Ok(program) => program,
        Err(error) => return walk.error("templates", error),
    };
    for named in program.plugins() {
        let registry = walk.registry;
        let (what, exists): (_, &dyn Fn(&str) -> bool) = match named.kind {
            PluginKind::Filter => {
                ("filter", &|name| filters::find(name).is_some() || registry.filter(name).is_some())
            }
            PluginKind::Test => ("test", &|name| tests::find(name).is_some()),
            PluginKind::Lookup => {
                ("lookup", &|name| lookups::find(name).is_some() || registry.lookup(name).is_some())
            }
        };
        if exists(&named.name) || is_foreign(walk, named.kind, &named.name) {
            continue;
        }
        let message = format!("No {what} named '{}'.", named.name);
        let error = Error::new(message).with_kind(ErrorKind::Syntax).at(&place_of(place, named.position));
        let names: Vec<&str> = match named.kind {
            PluginKind::Filter => filters::names().collect(),
            PluginKind::Test => tests::names().collect(),
            PluginKind::Lookup => lookups::names().collect(),
        };
        let last = named.name.rsplit('.').next().unwrap_or(&named.name);
        let error = match nearest(last, names).filter(|_| last.len() > 2) {
            Some(near) => error.with_help(format!("Did you mean '{near}'?")),
            None => {
                error.with_help(format!("A {what} plugin of this name must be there when the task runs."))
            }
        };
        // A collection may be installed where the playbook runs.
        match named.name.contains('.') {
            true => walk.warning("templates", error),
            false => walk.error("templates", error),
        }
    }
    for named in program.plugins() {
        let place = place_of(place, named.position);
        if let (Some(task), Some(term)) = (&*walk.task.borrow(), &named.term) {
            looked_up::check(walk, task, &named.name, term, &place);
        }
    }
}

/// Whether a plugin in another language has this name.
fn is_foreign(walk: &Walk, kind: PluginKind, name: &str) -> bool {
    let kind = match kind {
        PluginKind::Filter => playbook_api::PluginKind::Filter,
        PluginKind::Test => playbook_api::PluginKind::Test,
        PluginKind::Lookup => playbook_api::PluginKind::Lookup,
    };
    Plugins::has(walk.loader.foreign, kind, name).unwrap_or(true)
}

/// Checks the text of a template file, and notes the variables that it uses.
pub(super) fn of_file(
    walk: &Walk,
    text: Arc<str>,
    place: Place,
    syntax: crate::jinja::Syntax,
    conditional: bool,
) {
    let file = Template::with_syntax(text, place, syntax);
    template(walk, &file);
    if let Ok(program) = file.program() {
        walk.variables.read(program, file.place(), conditional);
    }
}
