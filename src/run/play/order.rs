//! The order of a play's tasks, which the linear strategy follows.

use std::collections::HashSet;

use crate::playbook::{Item, TaskId};

/// All tasks in order, and the position of the batch.
#[derive(Debug, Default)]
pub(crate) struct Order {
    tasks: Vec<TaskId>,
    at: usize,
}

impl Order {
    pub(crate) fn new(items: &[Item]) -> Self {
        let mut order = Order::default();
        flatten(items, &mut order.tasks);
        order
    }

    /// Returns the next task in order that some host is at. Hosts may have gone back (to a rescue before the task that
    /// the the others are at), so the search wraps around once.
    pub(crate) fn next(&mut self, waiting: &HashSet<TaskId>) -> Option<TaskId> {
        for _ in 0..2 {
            while let Some(task) = self.tasks.get(self.at) {
                self.at += 1;
                if waiting.contains(task) {
                    return Some(*task);
                }
            }
            self.at = 0;
        }
        // A task that is not in the order: this should not happen, but a hang would be worse.
        waiting.iter().min().copied()
    }

    /// Inserts included tasks right after the include.
    pub(crate) fn splice(&mut self, items: &[Item]) {
        let mut more = Vec::new();
        flatten(items, &mut more);
        self.insert(more);
    }

    pub(crate) fn insert(&mut self, tasks: Vec<TaskId>) {
        let at = self.at.min(self.tasks.len());
        self.tasks.splice(at..at, tasks);
    }
}

fn flatten(items: &[Item], into: &mut Vec<TaskId>) {
    for item in items {
        match item {
            Item::Task(task) => into.push(task.id),
            Item::Block(block) => {
                flatten(&block.block, into);
                flatten(&block.rescue, into);
                flatten(&block.always, into);
            }
        }
    }
}
