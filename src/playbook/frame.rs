//! Keywords as they were written, and the frames from which tasks inherit them.

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Condition, Keyword, Role};
use crate::document::Node;
use crate::inventory::Vars;

/// The keywords that plays, roles, blocks and tasks have in common, as they were written.
#[derive(Clone, Debug, Default)]
pub struct Keywords {
    /// `name`.
    pub name: Option<Node>,
    /// The inherited keywords, which are rendered when a task runs.
    pub values: IndexMap<Keyword, Node>,
    /// `when`: the conditions, all of which have to hold.
    pub when: Vec<Condition>,
    /// `tags`, as they were written.
    pub tags: Vec<Node>,
    /// `vars`.
    pub vars: Arc<Vars>,
}

/// What encloses a task: its block, its include or import, its role, its play; innermost first.
#[derive(Debug)]
pub struct Frame {
    /// What it is that encloses the task.
    pub kind: FrameKind,
    /// Its keywords.
    pub keywords: Keywords,
    /// The frame around it.
    pub parent: Option<Arc<Frame>>,
}

/// What a frame is.
#[derive(Debug)]
pub enum FrameKind {
    /// A play.
    Play,
    /// A block.
    Block,
    /// A use of a role.
    Role(Arc<Role>),
    /// `import_*` (`dynamic` false) or `include_*` (true); its `vars` and arguments are in the keywords, and
    /// `apply` is merged into them.
    Include {
        /// Whether it is an include rather than an import.
        dynamic: bool,
        /// The directory of the included file.
        directory: PathBuf,
    },
}

impl Frame {
    pub(super) fn new(kind: FrameKind, keywords: Keywords, parent: Option<&Arc<Frame>>) -> Arc<Frame> {
        Arc::new(Frame { kind, keywords, parent: parent.cloned() })
    }

    /// Returns this frame and those around it, innermost first.
    pub fn chain(self: &Arc<Frame>) -> impl Iterator<Item = &Arc<Frame>> {
        std::iter::successors(Some(self), |frame| frame.parent.as_ref())
    }

    /// Returns the role that a task belongs to.
    pub fn role(self: &Arc<Frame>) -> Option<&Arc<Role>> {
        self.chain().find_map(|frame| match &frame.kind {
            FrameKind::Role(role) => Some(role),
            _ => None,
        })
    }
}
