//! Amazon CloudWatch.

mod alarm;

use playbook_api::{ModuleEntry, Registry};

/// Adds the modules of CloudWatch.
pub(crate) fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<alarm::CloudwatchMetricAlarm>(),
        ModuleEntry::controller::<alarm::info::CloudwatchMetricAlarmInfo>(),
    ]);
}
