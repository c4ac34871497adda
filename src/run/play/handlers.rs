//! The handlers of a play, and the hosts that they were notified for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::document::Node;
use crate::playbook::{Task, TaskId};
use crate::template::Renderer;

/// The handlers of a play, and the hosts that each was notified for.
#[derive(Debug, Default)]
pub struct Handlers {
    all: Arc<Vec<Arc<Task>>>,
    notified: HashMap<TaskId, HashSet<Arc<str>>>,
    /// Handlers whose name cannot be rendered without a host, about which the user was warned.
    unusable: HashSet<TaskId>,
}

impl Handlers {
    /// Starts with the handlers of a play.
    pub fn new(all: &[Arc<Task>]) -> Self {
        Handlers { all: Arc::new(all.to_vec()), notified: HashMap::new(), unusable: HashSet::new() }
    }

    /// Adds the handlers of an included role. They replace those of an earlier use of the role, with their
    /// notifications.
    pub fn extend(&mut self, more: Vec<Arc<Task>>) {
        if more.is_empty() {
            return;
        }
        let all = Arc::make_mut(&mut self.all);
        for handler in more {
            if let Some(at) = all.iter().position(|known| known.place == handler.place) {
                let old = all.remove(at);
                if let Some(hosts) = self.notified.remove(&old.id) {
                    self.notified.insert(handler.id, hosts);
                }
            }
            all.push(handler);
        }
    }

    /// Returns all handlers in the order of their definition.
    pub fn all(&self) -> &Arc<Vec<Arc<Task>>> {
        &self.all
    }

    /// Whether a handler was notified for a host.
    pub fn is_notified(&self, handler: &Task, host: &Arc<str>) -> bool {
        self.notified.get(&handler.id).is_some_and(|hosts| hosts.contains(host))
    }

    /// Clears the notification of a handler that is about to run on a host.
    pub fn clear(&mut self, handler: &Task, host: &Arc<str>) {
        if let Some(hosts) = self.notified.get_mut(&handler.id) {
            hosts.remove(host);
        }
    }

    /// Notifies the handler of a name and all that listen to it. Returns whether there were any.
    pub fn notify(&mut self, name: &str, hosts: &[Arc<str>], renderer: &Renderer) -> bool {
        let mut found: Vec<TaskId> = Vec::new();
        found.extend(self.named(name, renderer));
        // A role that is used twice has its handlers twice; of those with the same name, the last one listens.
        let mut seen = HashSet::new();
        for section in sections(&self.all).into_iter().rev() {
            for handler in section {
                // Topics are not rendered.
                let listens =
                    handler.listen.iter().any(|topic| is_called(handler, &topic.raw().to_text(), name));
                let own = handler.keywords.name.as_ref().map(|node| node.raw().to_text().into_owned());
                if listens && own.is_none_or(|own| seen.insert(own)) && !found.contains(&handler.id) {
                    found.push(handler.id);
                }
            }
        }
        for id in &found {
            self.notified.entry(*id).or_default().extend(hosts.iter().cloned());
        }
        !found.is_empty()
    }

    /// Returns warnings about handlers that cannot be notified, once.
    pub fn unusable(&mut self, renderer: &Renderer) -> Vec<String> {
        let mut told = Vec::new();
        for handler in self.all.iter().filter(|h| h.listen.is_empty()) {
            let Some(node) = &handler.keywords.name else { continue };
            if node.as_str().is_none()
                && let Err(e) = renderer.value(node)
                && self.unusable.insert(handler.id)
            {
                told.push(format!(
                    "Handler '{}' is unusable because it has no listen topics and the name could not be templated \
                     (host-specific variables are not supported in handler names). The error: {e}",
                    node.raw()
                ));
            }
        }
        told
    }

    /// Returns the first handler of a name in the section (the play's or a role's) that was read last.
    fn named(&self, name: &str, renderer: &Renderer) -> Option<TaskId> {
        let answers = |handler: &&Arc<Task>| {
            handler
                .keywords
                .name
                .as_ref()
                .and_then(|node| plain(node, renderer))
                .is_some_and(|own| is_called(handler, &own, name))
        };
        sections(&self.all)
            .into_iter()
            .rev()
            .find_map(|section| section.iter().find(answers))
            .map(|handler| handler.id)
    }
}

/// Returns the handlers by section: those of the play, and of each use of a role.
fn sections(all: &[Arc<Task>]) -> Vec<&[Arc<Task>]> {
    let together =
        |a: &Arc<Task>, b: &Arc<Task>| a.frame.role().map(|r| r.id) == b.frame.role().map(|r| r.id);
    all.chunk_by(together).collect()
}

/// Whether a notification matches the name or topic of a handler: `name`, `role : name` or `collection.role : name`.
pub fn is_called(handler: &Task, own: &str, name: &str) -> bool {
    own == name
        || handler.frame.role().is_some_and(|role| {
            let with =
                |role: &str| name.strip_prefix(role).and_then(|rest| rest.strip_prefix(" : ")) == Some(own);
            with(&role.name) || with(&role.full_name)
        })
}

/// Returns a handler's name, if it can be rendered without a host's facts.
fn plain(node: &Node, renderer: &Renderer) -> Option<String> {
    match node.as_str() {
        Some(text) => Some(text.to_owned()),
        None => renderer.value(node).ok().map(|v| v.to_text().into_owned()),
    }
}
