//! The position of one host in a play.

use std::sync::Arc;

use crate::playbook::{Block, Item, Task};

/// The position of one host in a play: a stack of the blocks, includes and handler runs that it is inside of.
///
/// A failure moves the host to the nearest `rescue`, running the `always` sections on the way; a host that is not
/// rescued ends the play.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    levels: Vec<Level>,
    next: Option<Step>,
    /// Set when the host has failed and nothing rescued it (an `always` may still have to run).
    pub failed: bool,
    /// Set while the host is unreachable: it keeps its position in case `clear_host_errors` brings it back.
    pub unreachable: bool,
    /// The consequence of the last failure, until the host goes on, if that failure left an inner block. As in ansible-core,
    /// another failure in the meantime (`any_errors_fatal` on another host) is one of the inner block, and changes nothing.
    pending: Option<Failed>,
}

/// A task that is next for a host.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub task: Arc<Task>,
    /// Whether it runs because it was notified.
    pub handler: bool,
}

#[derive(Debug)]
struct Level {
    kind: Kind,
    index: usize,
}

#[derive(Debug)]
enum Kind {
    Tasks(Arc<Vec<Item>>),
    Block { block: Arc<Block>, section: Section, failing: bool },
    Handlers(Arc<Vec<Arc<Task>>>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Section {
    Block,
    Rescue,
    Always,
}

/// The consequence of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// A `rescue` section comes next.
    Rescued,
    /// `always` sections may follow, then the host is out of the play.
    Lost,
}

impl Cursor {
    pub(crate) fn new(items: Arc<Vec<Item>>) -> Self {
        Cursor { levels: vec![Level { kind: Kind::Tasks(items), index: 0 }], ..Cursor::default() }
    }

    /// Returns the host's next task. `notified` tells whether a handler was notified for this host.
    pub(crate) fn peek(&mut self, notified: &dyn Fn(&Task) -> bool) -> Option<&Step> {
        if self.unreachable {
            return None;
        }
        if self.next.is_none() {
            self.next = self.advance(notified);
        }
        self.next.as_ref()
    }

    /// Takes the task that [`Cursor::peek`] returned, which the host is about to run.
    pub(crate) fn take(&mut self) -> Option<Step> {
        self.pending = None;
        self.next.take()
    }

    fn advance(&mut self, notified: &dyn Fn(&Task) -> bool) -> Option<Step> {
        loop {
            let level = self.levels.last_mut()?;
            let index = level.index;
            level.index += 1;
            let item = match &level.kind {
                Kind::Tasks(items) => items.get(index).cloned(),
                Kind::Block { block, section, .. } => section.items(block).get(index).cloned(),
                Kind::Handlers(handlers) => match handlers.get(index) {
                    Some(handler) if notified(handler) => {
                        return Some(Step { task: handler.clone(), handler: true });
                    }
                    Some(_) => continue,
                    None => None,
                },
            };
            match item {
                Some(Item::Task(task)) => {
                    let handler = self.in_handlers();
                    return Some(Step { task, handler });
                }
                Some(Item::Block(block)) => {
                    let kind = Kind::Block { block, section: Section::Block, failing: false };
                    self.levels.push(Level { kind, index: 0 });
                }
                None => self.end_of_section(),
            }
        }
    }

    fn end_of_section(&mut self) {
        let Some(level) = self.levels.last_mut() else { return };
        if let Kind::Block { section, failing, .. } = &mut level.kind {
            if *section != Section::Always {
                *section = Section::Always;
                level.index = 0;
                return;
            }
            if *failing {
                self.levels.pop();
                self.leave_failed();
                return;
            }
        }
        self.levels.pop();
    }

    /// Moves the host on after a failure of the task that it took.
    pub(crate) fn fail(&mut self) -> Failed {
        if let Some(failed) = self.pending {
            return failed;
        }
        let depth = self.levels.len();
        let failed = self.leave_failed();
        self.pending = (self.levels.len() < depth && !self.levels.is_empty()).then_some(failed);
        failed
    }

    /// Leaves the levels that a failure ends.
    fn leave_failed(&mut self) -> Failed {
        self.next = None;
        while let Some(level) = self.levels.last_mut() {
            if let Kind::Block { block, section, failing } = &mut level.kind {
                level.index = 0;
                match section {
                    Section::Block if !block.rescue.is_empty() => {
                        *section = Section::Rescue;
                        return Failed::Rescued;
                    }
                    Section::Block | Section::Rescue if !block.always.is_empty() => {
                        *section = Section::Always;
                        *failing = true;
                        self.failed = !self.rescued_further_out();
                        return if self.failed { Failed::Lost } else { Failed::Rescued };
                    }
                    _ => {}
                }
            }
            self.levels.pop();
        }
        self.failed = true;
        Failed::Lost
    }

    /// Whether a `rescue` around the innermost level will catch its failure.
    fn rescued_further_out(&self) -> bool {
        self.levels.iter().rev().skip(1).any(|level| match &level.kind {
            Kind::Block { block, section, .. } => *section == Section::Block && !block.rescue.is_empty(),
            _ => false,
        })
    }

    /// Inserts the tasks of an include, which come next.
    pub(crate) fn insert(&mut self, items: Vec<Item>) {
        if !items.is_empty() {
            // The task that was peeked at comes after them.
            if let Some(step) = self.next.take() {
                let item = Item::Task(step.task);
                self.levels.push(Level { kind: Kind::Tasks(Arc::new(vec![item])), index: 0 });
            }
            self.levels.push(Level { kind: Kind::Tasks(Arc::new(items)), index: 0 });
        }
    }

    /// Inserts the notified handlers, which come next in the order of their definition.
    pub(crate) fn flush(&mut self, handlers: &Arc<Vec<Arc<Task>>>) {
        self.levels.push(Level { kind: Kind::Handlers(handlers.clone()), index: 0 });
    }

    /// Ends the play for the host (`meta: end_host`), without `always` sections.
    pub(crate) fn end(&mut self) {
        self.levels.clear();
        self.next = None;
    }

    /// Whether nothing comes any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.levels.is_empty() && self.next.is_none()
    }

    /// Leaves the current role (`meta: end_role`).
    pub(crate) fn leave(&mut self, is_role_block: impl Fn(&Block) -> bool) {
        self.next = None;
        while let Some(level) = self.levels.pop() {
            if matches!(&level.kind, Kind::Block { block, .. } if is_role_block(block)) {
                return;
            }
        }
    }

    /// Whether the host is inside a `rescue` or on its way into one.
    pub(crate) fn is_rescuing(&self) -> bool {
        self.levels.iter().any(|l| matches!(l.kind, Kind::Block { section: Section::Rescue, .. }))
    }

    pub(crate) fn in_handlers(&self) -> bool {
        self.levels.iter().any(|l| matches!(l.kind, Kind::Handlers(_)))
    }

    /// Clears the failure of the host (`meta: clear_host_errors`).
    pub(crate) fn clear_failure(&mut self) {
        (self.failed, self.unreachable) = (false, false);
        for level in &mut self.levels {
            if let Kind::Block { failing, .. } = &mut level.kind {
                *failing = false;
            }
        }
    }
}

impl Section {
    fn items(self, block: &Block) -> &[Item] {
        match self {
            Section::Block => &block.block,
            Section::Rescue => &block.rescue,
            Section::Always => &block.always,
        }
    }
}
