//! The network of tasks: security groups by name.

use playbook_api::Error;

use crate::client::Aws;
use crate::ecs::service::NetworkConfiguration;
use crate::security_groups;

/// Replaces names of security groups by their IDs, which are what ECS takes.
pub(crate) async fn resolve_groups(
    aws: &Aws,
    network: Option<&mut NetworkConfiguration>,
) -> Result<(), Error> {
    let Some(network) = network else { return Ok(()) };
    let Some(groups) = network.security_groups.as_deref() else { return Ok(()) };
    let subnet = network.subnets.iter().flatten().next().map(String::as_str);
    network.security_groups = Some(security_groups::ids_in_subnet(aws, groups, subnet).await?);
    Ok(())
}
