//! Plays that are not from a playbook's file, such as those of ad hoc commands.

use std::path::Path;
use std::sync::Arc;

use playbook_api::Error;

use super::Run;
use super::stats::Stats;
use crate::document::Node;
use crate::playbook::{self, Playbook};
use crate::vars::{HostScope, VarsFiles};

impl Run {
    /// Forgets which hosts failed and the counts of the recap, so that what follows is a separate run.
    pub fn begin_again(&mut self) {
        self.failed.clear();
        self.unreachable.clear();
        self.stats = Stats::default();
    }

    /// Loads the plays of a document that was not read from a file, as if it were in this directory.
    pub fn load_document(&mut self, document: &Node, directory: &Path) -> Result<Playbook, Error> {
        self.playbook_dir = directory.to_owned();
        let facts = self.play_facts(None, "", Vec::new());
        let base = self.scope_base(facts, Arc::default(), VarsFiles::default());
        let render = |node: &Node, frame: &Arc<playbook::Frame>| {
            HostScope::of_frame(&base, frame).renderer().value(node)
        };
        let loader = self.shared.loader(&render, &|_| {}).in_directory(directory);
        playbook::load_document(document, &loader)
    }
}
