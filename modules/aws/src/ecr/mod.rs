//! Amazon ECR.

mod repository;

use playbook_api::{ModuleEntry, Registry};

/// Adds the modules of ECR.
pub(crate) fn register(registry: &mut Registry) {
    registry.add_modules([ModuleEntry::controller::<repository::EcsEcr>()]);
}
