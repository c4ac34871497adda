//! AWS Systems Manager: the parameter store.

mod lookup;
mod parameter;

use playbook_api::{ModuleEntry, Registry};

/// Adds the modules and the lookup of the parameter store.
pub(crate) fn register(registry: &mut Registry) {
    registry.add_modules([ModuleEntry::controller::<parameter::SsmParameter>()]);
    registry.lookups.push(Box::new(lookup::ParameterLookup));
}
