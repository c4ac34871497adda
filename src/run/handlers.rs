//! Who was notified.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use playbook_api::Value;

use super::cursor::Cursor;
use crate::document::Node;
use crate::playbook::{Task, TaskId};
use crate::template::Renderer;

/// A play's handlers, and the hosts each was notified for.
#[derive(Debug, Default)]
pub struct Handlers {
    all: Arc<Vec<Arc<Task>>>,
    notified: HashMap<TaskId, HashSet<Arc<str>>>,
}

impl Handlers {
    pub fn new(all: &[Arc<Task>]) -> Self {
        Handlers { all: Arc::new(all.to_vec()), notified: HashMap::new() }
    }

    /// Handlers that an included role brought.
    pub fn extend(&mut self, more: Vec<Arc<Task>>) {
        if !more.is_empty() {
            Arc::make_mut(&mut self.all).extend(more);
        }
    }

    pub fn all(&self) -> &Arc<Vec<Arc<Task>>> {
        &self.all
    }

    pub fn is_notified(&self, handler: &Task, host: &Arc<str>) -> bool {
        self.notified.get(&handler.id).is_some_and(|hosts| hosts.contains(host))
    }

    /// A handler has run (or is about to) on a host.
    pub fn clear(&mut self, handler: &Task, host: &Arc<str>) {
        if let Some(hosts) = self.notified.get_mut(&handler.id) {
            hosts.remove(host);
        }
    }

    /// Notifies the handler of a name, the last one defined, and all that listen to it. Answers whether any did.
    pub fn notify(&mut self, name: &str, hosts: &[Arc<str>], by: &Task, renderer: &Renderer) -> bool {
        let mut found: Vec<TaskId> = Vec::new();
        if let Some(handler) = self.all.iter().rev().find(|h| answers_to(h, name, by, renderer)) {
            found.push(handler.id);
        }
        for handler in self.all.iter() {
            let listens = handler.listen.iter().any(|topic| match renderer.value(topic) {
                Ok(Value::List(topics)) => topics.iter().any(|t| t.as_str() == Some(name)),
                Ok(topic) => topic.as_str() == Some(name),
                Err(_) => false,
            });
            if listens && !found.contains(&handler.id) {
                found.push(handler.id);
            }
        }
        for id in &found {
            self.notified.entry(*id).or_default().extend(hosts.iter().cloned());
        }
        !found.is_empty()
    }

    /// A failed host still runs what was notified (`force_handlers`).
    pub fn flush_last(&self, host: &Arc<str>, cursor: &mut Cursor) {
        if self.notified.values().any(|hosts| hosts.contains(host)) {
            cursor.flush(&self.all);
        }
    }
}

/// `name`, `role : name` or `collection.role : name`.
fn answers_to(handler: &Task, name: &str, _by: &Task, renderer: &Renderer) -> bool {
    let Some(node) = &handler.keywords.name else { return false };
    let own = match plain(node, renderer) {
        Some(own) => own,
        None => return false,
    };
    if own == name {
        return true;
    }
    handler.frame.role().is_some_and(|role| {
        let with =
            |role: &str| name.strip_prefix(role).and_then(|rest| rest.strip_prefix(" : ")) == Some(&*own);
        with(&role.name) || with(&role.full_name)
    })
}

/// A handler's name, where it can be rendered without a host's facts.
fn plain(node: &Node, renderer: &Renderer) -> Option<String> {
    match node.as_str() {
        Some(text) => Some(text.to_owned()),
        None => renderer.value(node).ok().map(|v| v.to_text().into_owned()),
    }
}
