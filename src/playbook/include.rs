//! The frame around what a dynamic include brings.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::Error;

use super::fields::BLOCK;
use super::{Frame, FrameKind, Task};
use crate::inventory::Vars;

/// The frame in which the tasks of an `include_tasks` or `include_role` run: they inherit the include's variables
/// and what its `apply` says, and everything from around the include, but none of its other keywords.
///
/// `folder` is that of the included file; `more` are variables on top of the include's own (loop variables).
pub fn include_frame(task: &Task, folder: impl Into<PathBuf>, more: Vars) -> Result<Arc<Frame>, Error> {
    let mut vars = (*task.keywords.vars).clone();
    let mut keywords = match task.action.args.get("apply") {
        Some(apply) => BLOCK.keywords(apply, |_| false)?,
        None => Default::default(),
    };
    vars.extend(keywords.vars.iter().map(|(k, v)| (k.clone(), v.clone())));
    vars.extend(more);
    keywords.vars = Arc::new(vars);
    let kind = FrameKind::Include { dynamic: true, folder: folder.into() };
    Ok(Frame::new(kind, keywords, Some(&task.frame)))
}
