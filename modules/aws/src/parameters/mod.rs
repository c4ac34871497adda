//! AWS Systems Manager: the parameter store.

mod parameter;

use playbook_api::{ModuleEntry, Registry};

/// Adds the modules of the parameter store.
pub(crate) fn register(registry: &mut Registry) {
    registry.add_modules([ModuleEntry::controller::<parameter::SsmParameter>()]);
}
