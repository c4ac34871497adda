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
use crate::jinja::Expression;

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

/// The module or action of a task, as it was written, and its arguments.
#[derive(Clone, Debug)]
pub struct Action {
    /// As written: `copy`, `ansible.builtin.copy`, `include_tasks`.
    pub name: Arc<str>,
    /// Where the action was written.
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
    /// `loop`: an expression or list of items.
    Loop(Node),
    /// `with_LOOKUP`.
    With {
        /// The name of the lookup.
        lookup: Arc<str>,
        /// The terms of the lookup.
        terms: Node,
    },
}

/// `loop_control`.
#[derive(Clone, Debug, Default)]
pub struct LoopControl {
    /// The name of the variable with the item.
    pub loop_var: Option<Node>,
    /// The name of the variable with the item's index.
    pub index_var: Option<Node>,
    /// What reports show for an item.
    pub label: Option<Node>,
    /// The number of seconds between two items.
    pub pause: Option<Node>,
    /// Whether `ansible_loop` is set.
    pub extended: Option<Node>,
    /// Whether `ansible_loop` has all items.
    pub extended_allitems: Option<Node>,
    /// The conditions that end the loop.
    pub break_when: Vec<Condition>,
}

/// A variable that a task's result is kept in.
#[derive(Clone, Debug)]
pub struct Register {
    /// The variable.
    pub name: Arc<str>,
    /// Where it was written.
    pub place: Place,
    /// What it keeps; the whole result where nothing is said.
    pub expression: Option<Arc<Expression>>,
}

/// A task, as written and checked.
#[derive(Clone, Debug)]
pub struct Task {
    /// Tells the task apart from others.
    pub id: TaskId,
    /// Where it was written.
    pub place: Place,
    /// The module or action that it runs.
    pub action: Action,
    /// Its own keywords.
    pub keywords: Keywords,
    /// What encloses it.
    pub frame: Arc<Frame>,
    /// What it loops over.
    pub loop_over: Option<Loop>,
    /// `loop_control`.
    pub loop_control: LoopControl,
    /// The variables that the result is kept in.
    pub register: Vec<Register>,
    /// The conditions that end the attempts.
    pub until: Vec<Condition>,
    /// `retries`.
    pub retries: Option<Node>,
    /// `delay`: the number of seconds between two attempts.
    pub delay: Option<Node>,
    /// The conditions under which the task has changed something.
    pub changed_when: Option<Vec<Condition>>,
    /// The conditions under which the task has failed.
    pub failed_when: Option<Vec<Condition>>,
    /// `async`: the time limit of the task's job, in seconds.
    pub async_seconds: Option<Node>,
    /// `poll`: the number of seconds between two checks of the job.
    pub poll: Option<Node>,
    /// The topics that a handler listens to in addition to its name.
    pub listen: Vec<Node>,
    /// Whether the engine added it; reports do not show it.
    pub implicit: bool,
}

/// A handler is a task that runs when notified.
pub type Handler = Task;

/// A block, as written and checked.
#[derive(Debug)]
pub struct Block {
    /// Tells the block apart from others.
    pub id: TaskId,
    /// Where it was written.
    pub place: Place,
    /// The frame that the block is for its tasks.
    pub frame: Arc<Frame>,
    /// The tasks of `block`.
    pub block: Vec<Item>,
    /// The tasks of `rescue`.
    pub rescue: Vec<Item>,
    /// The tasks of `always`.
    pub always: Vec<Item>,
}

/// An entry of a task list.
#[derive(Clone, Debug)]
pub enum Item {
    /// A task.
    Task(Arc<Task>),
    /// A block.
    Block(Arc<Block>),
}

impl Task {
    /// Makes a task from an action and keywords.
    pub fn new(action: Action, keywords: Keywords, frame: Arc<Frame>) -> Task {
        Task {
            id: TaskId::next(),
            place: action.place.clone(),
            action,
            keywords,
            frame,
            loop_over: None,
            loop_control: LoopControl::default(),
            register: Vec::new(),
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

    /// Returns the nearest value of an inherited keyword, the task's own first.
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

    /// Returns the short name of the action: `copy` for `ansible.builtin.copy`.
    pub fn action_name(&self) -> &str {
        builtin(&self.action.name)
    }
}
