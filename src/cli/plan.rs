//! `playbook plan`: check mode, with a table of the changes.

use clap::Parser;

use super::run::Run;
use super::{Fault, Register};

/// Shows what playbooks would change, and changes nothing.
///
/// It runs them in check mode and ends with a table of the changes: `+` is created, `~` modified, `-/+` replaced, `-`
/// deleted, and `>` runs once. With --diff, each change shows what differs. The exit status is 0 if nothing would change,
/// 2 if something would, and 1 if a task fails.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook plan site.yml -i hosts.ini
  playbook plan site.yml -i hosts.ini --diff             Show what differs
  playbook plan site.yml -i hosts.ini --output json      One JSON object per playbook")]
pub(super) struct Plan {
    #[command(flatten)]
    run: Run,
}

impl Plan {
    /// Makes the plan. The playbooks and the inventory are also searched in the project.
    pub(super) fn run(self, register: Register) -> Result<u8, Fault> {
        self.run.plan(register)
    }
}
