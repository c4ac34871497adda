//! Checks that keywords hold what they must: yes or no, a number, a list, one of a few names.

use playbook_api::{Error, Value, nearest};

use super::walk::Walk;
use crate::document::Node;
use crate::jinja::{Expression, Template};
use crate::playbook::{Keyword, KeywordKind, Keywords, Loop, Meta, Play, Task, check_variable_name};
use crate::run::call::keyword::{Wanted, debugger, misfit};
use crate::run::play::{invalid_meta, known_order, known_strategy};

/// Checks keywords that tasks inherit.
pub(super) fn keywords(walk: &Walk, keywords: &Keywords) {
    for (keyword, node) in &keywords.values {
        match (keyword, keyword.kind()) {
            (_, KeywordKind::Boolean) => holds(walk, keyword.name(), Some(node), Wanted::Boolean),
            (_, KeywordKind::Integer) => holds(walk, keyword.name(), Some(node), Wanted::Integer),
            (Keyword::Debugger, _) if node.is_plain() && !node.is_null() => {
                walk.checked("keywords", debugger(&node.raw(), node));
            }
            _ => {}
        }
    }
}

/// Checks the keywords that only plays have.
pub(super) fn play(walk: &Walk, play: &Play) {
    holds(walk, "force_handlers", play.force_handlers.as_ref(), Wanted::Boolean);
    holds(walk, "gather_facts", play.gather_facts.as_ref(), Wanted::Boolean);
    holds(walk, "gather_timeout", play.gather_timeout.as_ref(), Wanted::Integer);
    holds(walk, "max_fail_percentage", play.max_fail_percentage.as_ref(), Wanted::Percent);
    let text =
        |node: &Option<Node>| node.as_ref().and_then(|node| Some((node.as_str()?.to_owned(), node.clone())));
    if let Some((name, node)) = text(&play.strategy) {
        walk.checked("keywords", known_strategy(&name).map_err(|e| e.at(node.place())));
    }
    if let Some((name, node)) = text(&play.order) {
        walk.checked("keywords", known_order(&name).map_err(|e| e.at(node.place())));
    }
}

/// Checks the keywords and arguments of a task that fail it whatever the host is.
pub(super) fn task(walk: &Walk, task: &Task) {
    holds(walk, "async_val", task.async_seconds.as_ref(), Wanted::Integer);
    holds(walk, "poll", task.poll.as_ref(), Wanted::Integer);
    holds(walk, "retries", task.retries.as_ref(), Wanted::Integer);
    holds(walk, "delay", task.delay.as_ref(), Wanted::Float);
    if task.loop_over.is_some() {
        let control = &task.loop_control;
        holds(walk, "extended", control.extended.as_ref(), Wanted::Boolean);
        holds(walk, "extended_allitems", control.extended_allitems.as_ref(), Wanted::Boolean);
        holds(walk, "pause", control.pause.as_ref(), Wanted::Float);
        if let Some(node) = control.loop_var.as_ref().filter(|node| node.is_plain()) {
            let name = Value::from(node.raw().to_text().into_owned());
            walk.checked("keywords", check_variable_name(&name, node.place()));
        }
    }
    if let Some(Loop::Loop(node)) = &task.loop_over
        && node.plain().is_some_and(|value| value.as_list().is_none())
    {
        walk.error("keywords", crate::run::task::not_a_list(&node.raw(), node));
    }
    match task.action_name() {
        "meta" => {
            if let Err(name) = Meta::of(task)
                && !Template::is_template(&name)
            {
                walk.error("arguments", invalid_meta(&name, task));
            }
        }
        // `cacheable` is an option and a good name.
        "set_fact" => task.action.args.iter().for_each(|(name, node)| {
            if !Template::is_template(name) {
                walk.checked("arguments", check_variable_name(&name.clone().into(), &node.key_place()));
            }
        }),
        "debug" => {
            if let Some((text, node)) =
                task.action.args.get("var").and_then(|node| Some((node.as_str()?, node)))
            {
                let expression = Expression::new(text, node.place().clone());
                walk.checked("templates", expression.program());
            }
        }
        _ => {}
    }
}

fn holds(walk: &Walk, name: &str, node: Option<&Node>, wanted: Wanted) {
    if let Some(error) = node.and_then(|node| misfit(name, node, wanted)) {
        walk.error("keywords", error);
    }
}

/// Warns of hosts that the inventory does not have.
pub(super) fn hosts(walk: &Walk, play: &Play) {
    let Some(inventory) = walk.variables.inventory().filter(|_| !walk.variables.adds_hosts()) else { return };
    let items = play.hosts.as_list().unwrap_or(std::slice::from_ref(&play.hosts));
    for item in items.iter().filter(|item| item.is_plain()) {
        let pattern = item.raw().to_text().into_owned();
        let Ok((_, warnings)) = inventory.select(&pattern, walk.loader.settings) else { continue };
        for warning in warnings {
            let name = warning.rsplit_once(": ").map_or(pattern.as_str(), |(_, name)| name);
            let known = inventory.groups.keys().chain(inventory.hosts.keys()).map(|known| &**known);
            let near = nearest(name, known).map(|near| format!("Did you mean '{near}'?"));
            let error = Error::new(warning.clone()).at(item.place());
            walk.warning("hosts", near.into_iter().fold(error, Error::with_help));
        }
    }
}
