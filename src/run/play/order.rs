//! All tasks of a play in the order they are written: what the linear strategy goes by.

use std::collections::HashSet;

use crate::playbook::{Item, TaskId};

/// All tasks in order, and how far the batch has come.
#[derive(Debug, Default)]
pub struct Order {
    tasks: Vec<TaskId>,
    at: usize,
}

impl Order {
    pub fn new(items: &[Item]) -> Self {
        let mut order = Order::default();
        flatten(items, &mut order.tasks);
        order
    }

    /// The next task in order that some host has come to. Hosts may have gone back (a rescue before the task the
    /// others are at), so the search wraps around once.
    pub fn next(&mut self, waiting: &HashSet<TaskId>) -> Option<TaskId> {
        for _ in 0..2 {
            while let Some(task) = self.tasks.get(self.at) {
                self.at += 1;
                if waiting.contains(task) {
                    return Some(*task);
                }
            }
            self.at = 0;
        }
        // A task nobody announced (it cannot be, but a hang would be worse).
        waiting.iter().min().copied()
    }

    /// Included tasks come right after the include.
    pub fn splice(&mut self, items: &[Item]) {
        let mut more = Vec::new();
        flatten(items, &mut more);
        self.insert(more);
    }

    pub fn insert(&mut self, tasks: Vec<TaskId>) {
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
