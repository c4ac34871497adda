//! Modules, lookups and probes that act on AWS.

mod blocking;
mod client;
mod compare;
mod connection;
#[cfg(any(feature = "ecr", feature = "iam", feature = "monitoring"))]
mod document;
#[cfg(feature = "ec2")]
mod ec2;
#[cfg(feature = "ecr")]
mod ecr;
mod ecs;
mod elb;
mod error;
#[cfg(test)]
mod example;
#[cfg(feature = "iam")]
mod iam;
mod json;
mod logs;
#[cfg(feature = "monitoring")]
mod monitoring;
#[cfg(feature = "names")]
mod names;
mod operations;
#[cfg(feature = "parameters")]
mod parameters;
mod probe;
mod profile;
mod rds;
mod read_only;
mod resource;
mod s3;
mod secrets;
mod security_groups;
mod shape;
mod sts;
mod tags;
mod text;
mod wait;

use playbook_api::probe::probe;
use playbook_api::{ModuleEntry, Registry};
use probe::InAws;

pub use client::Aws;
pub use connection::Connection;
pub use operations::{SERVICES, Service};

/// Adds every module, lookup and probe of this crate.
pub fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<ecs::cluster::EcsCluster>(),
        ModuleEntry::controller::<ecs::service::EcsService>(),
        ModuleEntry::controller::<ecs::service::info::EcsServiceInfo>(),
        ModuleEntry::controller::<ecs::task::EcsTask>(),
        ModuleEntry::controller::<ecs::task_definition::EcsTaskDefinition>(),
        ModuleEntry::controller::<ecs::task_definition::info::EcsTaskDefinitionInfo>(),
        ModuleEntry::controller::<logs::group::CloudwatchlogsLogGroup>(),
        ModuleEntry::controller::<logs::group::info::CloudwatchlogsLogGroupInfo>(),
        ModuleEntry::controller::<logs::metric_filter::CloudwatchlogsLogGroupMetricFilter>(),
        ModuleEntry::controller::<rds::instance::RdsInstance>(),
        ModuleEntry::controller::<rds::instance::info::RdsInstanceInfo>(),
        ModuleEntry::controller::<rds::snapshot::RdsInstanceSnapshot>(),
        ModuleEntry::controller::<rds::snapshot::info::RdsSnapshotInfo>(),
        ModuleEntry::controller::<rds::subnet_group::RdsSubnetGroup>(),
        ModuleEntry::controller::<secrets::secret::SecretsManagerSecret>(),
        ModuleEntry::controller::<sts::assume_role::StsAssumeRole>(),
        ModuleEntry::controller::<sts::caller::AwsCallerInfo>(),
    ]);
    #[cfg(feature = "ec2")]
    ec2::register(registry);
    #[cfg(feature = "ecr")]
    ecr::register(registry);
    elb::register(registry);
    #[cfg(feature = "iam")]
    iam::register(registry);
    #[cfg(feature = "monitoring")]
    monitoring::register(registry);
    #[cfg(feature = "names")]
    names::register(registry);
    #[cfg(feature = "parameters")]
    parameters::register(registry);
    registry.lookups.push(Box::new(secrets::lookup::SecretLookup));
    registry.secret_sources.push(Box::new(secrets::source::Source));
    registry.inventory_sources.push(Box::new(s3::Bucket));
    registry.task_runners.push(Box::new(ecs::runner::Runner));
    registry.probes.extend([
        probe::<InAws<probe::ecs_service::EcsService>>(),
        probe::<InAws<probe::ecs_task::EcsTask>>(),
        probe::<InAws<probe::load_balancer::LoadBalancer>>(),
        probe::<InAws<probe::rds_instance::RdsInstance>>(),
        probe::<InAws<probe::target_group::TargetGroup>>(),
    ]);
}
