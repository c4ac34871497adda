//! Amazon CloudWatch and Amazon SNS.

mod alarm;
mod dashboard;
mod topic;

use playbook_api::{ModuleEntry, Registry};

/// Adds the modules of CloudWatch and SNS.
pub(crate) fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<alarm::CloudwatchMetricAlarm>(),
        ModuleEntry::controller::<alarm::info::CloudwatchMetricAlarmInfo>(),
        ModuleEntry::controller::<dashboard::CloudwatchDashboard>(),
        ModuleEntry::controller::<topic::SnsTopic>(),
    ]);
}
