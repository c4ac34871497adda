//! The network of tasks: security groups by name.

use playbook_api::Error;

use crate::client::Aws;
use crate::ecs::service::NetworkConfiguration;

/// Replaces names of security groups by their IDs, which are what ECS takes.
pub(crate) async fn resolve_groups(
    aws: &Aws,
    network: Option<&mut NetworkConfiguration>,
) -> Result<(), Error> {
    let Some(network) = network else { return Ok(()) };
    let subnet = network.subnets.as_ref().and_then(|subnets| subnets.first()).cloned();
    let groups = network.security_groups.iter_mut().flatten();
    let mut names: Vec<&mut String> = groups.filter(|group| !group.starts_with("sg-")).collect();
    if names.is_empty() {
        return Ok(());
    }
    let asked: Vec<String> = names.iter().map(|name| (**name).clone()).collect();
    let ids = ids(aws, &asked, subnet.as_deref()).await?;
    for (name, id) in names.iter_mut().zip(ids) {
        **name = id;
    }
    Ok(())
}

/// Returns the IDs of security groups of the subnet's VPC.
#[cfg(feature = "ec2")]
async fn ids(aws: &Aws, names: &[String], subnet: Option<&str>) -> Result<Vec<String>, Error> {
    use crate::ec2::filter;
    use crate::error::Explain;

    let mut filters = vec![filter("group-name", names)];
    if let Some(subnet) = subnet {
        let answer = aws.ec2().describe_subnets().subnet_ids(subnet).send().await;
        let answer = answer.explain("ec2:DescribeSubnets")?;
        filters.push(filter("vpc-id", answer.subnets().iter().filter_map(|subnet| subnet.vpc_id())));
    }
    let request = aws.ec2().describe_security_groups().set_filters(Some(filters));
    let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    let found = found.explain("ec2:DescribeSecurityGroups")?;
    let id = |name: &String| {
        let named = found.iter().find(|group| group.group_name() == Some(name));
        named.and_then(|group| group.group_id()).map(str::to_owned).ok_or_else(|| {
            Error::new(format!("there is no security group '{name}' in the VPC of the subnets")).with_help(
                "Check the names in `security_groups`, `subnets` and `region`, or give IDs (`sg-…`).",
            )
        })
    };
    names.iter().map(id).collect()
}

#[cfg(not(feature = "ec2"))]
async fn ids(_aws: &Aws, names: &[String], _subnet: Option<&str>) -> Result<Vec<String>, Error> {
    Err(Error::new(format!("this build cannot look up the security groups {}", names.join(", ")))
        .with_help("Give their IDs (`sg-…`), or build with the feature `aws-services`."))
}
