//! Tasks, blocks and handlers, as written and checked.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use playbook_api::Place;
use playbook_api::name::builtin;
use uuid::Uuid;

use super::{Condition, Frame, Keyword, Keywords};
use crate::document::Node;

/// Tells tasks apart in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(u64);

impl TaskId {
    /// Returns an ID that no other task of the process has.
    pub fn next() -> TaskId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        TaskId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A UUID. Those of one process differ only in their last part.
impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        static PREFIX: LazyLock<Uuid> = LazyLock::new(Uuid::new_v4);
        let (a, b, c, d) = PREFIX.as_fields();
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{:02x}{:02x}-{:012x}", d[0], d[1], self.0)
    }
}

/// What a task does: the module or action as it was written, and its arguments.
#[derive(Clone, Debug)]
pub struct Action {
    /// As written: `copy`, `ansible.builtin.copy`, `include_tasks`.
    pub name: Arc<str>,
    pub place: Place,
    /// The arguments by name; `k=v` text is already taken apart, free text is `_raw_params`.
    pub args: HashMap<Arc<str>, Node>,
    /// The `args:` keyword or a whole-arguments template (`debug: "{{ arguments }}"`), rendered before `args`,
    /// which win.
    pub variable_args: Option<Node>,
}

/// `loop` or `with_LOOKUP`.
#[derive(Clone, Debug)]
pub enum Loop {
    Loop(Node),
    With { lookup: Arc<str>, terms: Node },
}

#[derive(Clone, Debug, Default)]
pub struct LoopControl {
    pub loop_var: Option<Node>,
    pub index_var: Option<Node>,
    pub label: Option<Node>,
    pub pause: Option<Node>,
    pub extended: Option<Node>,
    pub extended_allitems: Option<Node>,
    pub break_when: Vec<Condition>,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub id: TaskId,
    pub place: Place,
    pub action: Action,
    pub keywords: Keywords,
    pub frame: Arc<Frame>,
    pub loop_over: Option<Loop>,
    pub loop_control: LoopControl,
    pub register: Option<Arc<str>>,
    pub until: Vec<Condition>,
    pub retries: Option<Node>,
    pub delay: Option<Node>,
    pub changed_when: Option<Vec<Condition>>,
    pub failed_when: Option<Vec<Condition>>,
    pub async_seconds: Option<Node>,
    pub poll: Option<Node>,
    /// Handlers answer to these as well as to their name.
    pub listen: Vec<Node>,
    /// The engine put it there; reports do not show it.
    pub implicit: bool,
}

/// A handler is a task that runs when notified.
pub type Handler = Task;

#[derive(Debug)]
pub struct Block {
    pub id: TaskId,
    pub place: Place,
    pub frame: Arc<Frame>,
    pub block: Vec<Item>,
    pub rescue: Vec<Item>,
    pub always: Vec<Item>,
}

/// An entry of a task list.
#[derive(Clone, Debug)]
pub enum Item {
    Task(Arc<Task>),
    Block(Arc<Block>),
}

impl Task {
    /// A task of the engine's own: an action and keywords.
    pub fn new(action: Action, keywords: Keywords, frame: Arc<Frame>) -> Task {
        Task {
            id: TaskId::next(),
            place: action.place.clone(),
            action,
            keywords,
            frame,
            loop_over: None,
            loop_control: LoopControl::default(),
            register: None,
            until: Vec::new(),
            retries: None,
            delay: None,
            changed_when: None,
            failed_when: None,
            async_seconds: None,
            poll: None,
            listen: Vec::new(),
            implicit: false,
        }
    }

    /// The nearest enclosing value of an inheritable keyword, the task's own first.
    pub fn keyword(&self, keyword: Keyword) -> Option<&Node> {
        let own = self.keywords.values.get(&keyword);
        own.or_else(|| self.frame.chain().find_map(|frame| frame.keywords.values.get(&keyword)))
    }

    /// The values of an inheritable keyword, the outermost first, the task's own last.
    pub fn inherited(&self, keyword: Keyword) -> Vec<&Node> {
        let around = self.frame.chain().filter_map(|frame| frame.keywords.values.get(&keyword));
        let mut nodes: Vec<&Node> = self.keywords.values.get(&keyword).into_iter().chain(around).collect();
        nodes.reverse();
        nodes
    }

    /// The conditions of `when`, of the task and all around it, the outermost first.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let frames: Vec<_> = self.frame.chain().collect();
        let around = frames.into_iter().rev().flat_map(|frame| &frame.keywords.when);
        around.chain(&self.keywords.when)
    }

    /// The short name of the action: `copy` for `ansible.builtin.copy`.
    pub fn action_name(&self) -> &str {
        builtin(&self.action.name)
    }
}
