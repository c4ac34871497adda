//! The handlers of a play, and the hosts that they were notified for.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::document::Node;
use crate::playbook::{Task, TaskId};
use crate::template::Renderer;

/// The handlers of a play, the notifications that wait for the next flush, and the hosts that each handler runs on.
///
/// Which handlers a notification means is known when handlers are flushed: a role that is included later may have one
/// of the same name, and the last one counts.
#[derive(Debug, Default)]
pub struct Handlers {
    all: Arc<Vec<Arc<Task>>>,
    /// The notifications of each host since its last flush, in their order.
    waiting: HashMap<Arc<str>, Vec<String>>,
    notified: HashMap<TaskId, HashSet<Arc<str>>>,
    /// The names of handlers that are templates, as they were first rendered.
    names: HashMap<TaskId, String>,
    /// The handlers that notifications mean, where no name has still to be rendered.
    known: HashMap<String, Vec<TaskId>>,
    /// Handlers whose name cannot be rendered without a host, about which the user was warned.
    unusable: HashSet<TaskId>,
}

/// Renders the name of a handler in the scope of the handler, without a host.
pub type RenderName<'a> = dyn Fn(&Arc<Task>, &Node) -> Option<String> + 'a;

impl Handlers {
    /// Starts with the handlers of a play.
    pub fn new(all: &[Arc<Task>]) -> Self {
        Handlers { all: Arc::new(all.to_vec()), ..Handlers::default() }
    }

    /// Adds the handlers of an included role. Those of an earlier use that can no longer be notified are left out.
    pub fn extend(&mut self, more: Vec<Arc<Task>>) {
        if more.is_empty() {
            return;
        }
        self.known.clear();
        let all = Arc::make_mut(&mut self.all);
        for handler in more {
            let is_named = handler.keywords.name.as_ref().is_some_and(|name| name.as_str().is_some());
            if is_named && let Some(at) = all.iter().position(|known| known.place == handler.place) {
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

    /// Keeps a notification for the next flush of a host. Returns whether there is a handler for it.
    pub fn save(&mut self, name: &str, host: &Arc<str>, render: &RenderName) -> bool {
        let found = !self.meant(name, render).is_empty();
        let waiting = self.waiting.entry(host.clone()).or_default();
        if found && !waiting.iter().any(|saved| saved == name) {
            waiting.push(name.to_owned());
        }
        found
    }

    /// Notifies the handler of a name and all that listen to it at once. Returns those that were not notified before, or
    /// `None` if there is no such handler.
    pub fn notify(&mut self, name: &str, host: &Arc<str>, render: &RenderName) -> Option<Vec<TaskId>> {
        let meant = self.meant(name, render);
        let new = |id: &TaskId| self.notified.entry(*id).or_default().insert(host.clone());
        (!meant.is_empty()).then(|| meant.iter().copied().filter(new).collect())
    }

    /// Notifies the handlers that the saved notifications of a host mean, and returns them.
    pub fn flush(&mut self, host: &Arc<str>, render: &RenderName) -> Vec<TaskId> {
        let saved = self.waiting.remove(host).unwrap_or_default();
        saved.iter().flat_map(|name| self.notify(name, host, render).unwrap_or_default()).collect()
    }

    /// Returns the handler of a name and all that listen to it.
    fn meant(&mut self, name: &str, render: &RenderName) -> Vec<TaskId> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let all = self.all.clone();
        let mut complete = true;
        for handler in all.iter() {
            let Some(node) = handler.keywords.name.as_ref().filter(|node| node.as_str().is_none()) else {
                continue;
            };
            if self.names.contains_key(&handler.id) {
                continue;
            }
            match render(handler, node) {
                Some(name) => drop(self.names.insert(handler.id, name)),
                None => complete = false,
            }
        }
        let sections = sections(&all);
        let answers =
            |handler: &&Arc<Task>| self.rendered(handler).is_some_and(|own| is_called(handler, own, name));
        let named = sections.iter().rev().find_map(|section| section.iter().find(answers));
        let mut found: Vec<TaskId> = named.map(|handler| handler.id).into_iter().collect();
        // A role that is used twice has its handlers twice; of those with the same name, the last one listens.
        let mut seen = HashSet::new();
        for handler in sections.into_iter().rev().flatten() {
            // Topics are not rendered.
            let listens = handler.listen.iter().any(|topic| is_called(handler, &topic.raw().to_text(), name));
            if listens
                && self.own_name(handler).is_none_or(|own| seen.insert(own))
                && !found.contains(&handler.id)
            {
                found.push(handler.id);
            }
        }
        if complete {
            self.known.insert(name.to_owned(), found.clone());
        }
        found
    }

    /// Returns the name of a handler, with its role's.
    pub fn name(&self, handler: &Task) -> String {
        let own = self.own_name(handler).unwrap_or(Cow::Borrowed(&*handler.action.name));
        match handler.frame.role() {
            Some(role) => format!("{} : {own}", role.name),
            None => own.into_owned(),
        }
    }

    /// Returns the rendered name of a handler, if it has one.
    fn rendered<'a>(&'a self, handler: &'a Task) -> Option<&'a str> {
        match self.names.get(&handler.id) {
            Some(name) => Some(name),
            None => handler.keywords.name.as_ref()?.as_str(),
        }
    }

    /// Returns the name of a handler, as it is written if it cannot be rendered.
    fn own_name<'a>(&'a self, handler: &'a Task) -> Option<Cow<'a, str>> {
        match self.rendered(handler) {
            Some(name) => Some(Cow::Borrowed(name)),
            None => Some(Cow::Owned(handler.keywords.name.as_ref()?.raw().to_text().into_owned())),
        }
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
