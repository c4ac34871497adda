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
    pub name: Option<Node>,
    /// The inherited keywords, which are rendered when a task runs.
    pub values: IndexMap<Keyword, Node>,
    pub when: Vec<Condition>,
    pub tags: Vec<Node>,
    pub vars: Arc<Vars>,
}

/// What encloses a task: its block, the include or import that brought it, its role, its play; innermost first.
#[derive(Debug)]
pub struct Frame {
    pub kind: FrameKind,
    pub keywords: Keywords,
    pub parent: Option<Arc<Frame>>,
}

#[derive(Debug)]
pub enum FrameKind {
    Play,
    Block,
    Role(Arc<Role>),
    /// `import_*` (`dynamic` false) or `include_*` (true); its `vars` and arguments are in the keywords, and
    /// `apply` is merged into them.
    Include {
        dynamic: bool,
        folder: PathBuf,
    },
}

impl Frame {
    pub(super) fn new(kind: FrameKind, keywords: Keywords, parent: Option<&Arc<Frame>>) -> Arc<Frame> {
        Arc::new(Frame { kind, keywords, parent: parent.cloned() })
    }

    /// This frame and those around it.
    pub fn chain(self: &Arc<Frame>) -> impl Iterator<Item = &Arc<Frame>> {
        std::iter::successors(Some(self), |frame| frame.parent.as_ref())
    }

    /// The role a task belongs to.
    pub fn role(self: &Arc<Frame>) -> Option<&Arc<Role>> {
        self.chain().find_map(|frame| match &frame.kind {
            FrameKind::Role(role) => Some(role),
            _ => None,
        })
    }
}
