//! Security groups, which tasks name by ID or by name.

use playbook_api::Error;

use crate::client::Aws;

/// Returns the IDs of security groups of a VPC, or of any.
pub(crate) async fn ids(aws: &Aws, asked: &[String], vpc: Option<&str>) -> Result<Vec<String>, Error> {
    if are_ids(asked) {
        return Ok(asked.to_vec());
    }
    look_up(aws, asked, vpc).await
}

/// Returns the IDs of security groups of the VPC that a subnet is in.
pub(crate) async fn ids_in_subnet(
    aws: &Aws,
    asked: &[String],
    subnet: Option<&str>,
) -> Result<Vec<String>, Error> {
    if are_ids(asked) {
        return Ok(asked.to_vec());
    }
    let vpc = match subnet {
        Some(subnet) => vpc_of(aws, subnet).await?,
        None => None,
    };
    look_up(aws, asked, vpc.as_deref()).await
}

fn are_ids(groups: &[String]) -> bool {
    groups.iter().all(|group| is_id(group))
}

fn is_id(group: &str) -> bool {
    group.starts_with("sg-")
}

#[cfg(feature = "ec2")]
async fn vpc_of(aws: &Aws, subnet: &str) -> Result<Option<String>, Error> {
    use crate::error::Explain;
    let answer = aws.ec2().describe_subnets().subnet_ids(subnet).send().await;
    let found = answer.explain("ec2:DescribeSubnets")?.subnets.unwrap_or_default();
    Ok(found.into_iter().next().and_then(|subnet| subnet.vpc_id))
}

#[cfg(feature = "ec2")]
async fn look_up(aws: &Aws, asked: &[String], vpc: Option<&str>) -> Result<Vec<String>, Error> {
    use crate::ec2::filter;
    use crate::error::Explain;

    let names = asked.iter().filter(|group| !is_id(group));
    let mut filters = vec![filter("group-name", names)];
    filters.extend(vpc.map(|vpc| filter("vpc-id", [vpc])));
    let request = aws.ec2().describe_security_groups().set_filters(Some(filters));
    let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    let found = found.explain("ec2:DescribeSecurityGroups")?;
    let id = |group: &String| {
        if is_id(group) {
            return Ok(group.clone());
        }
        let named = found.iter().find(|known| known.group_name() == Some(group));
        named.and_then(|known| known.group_id()).map(str::to_owned).ok_or_else(|| {
            let place = vpc.map(|vpc| format!(" in {vpc}")).unwrap_or_default();
            Error::new(format!("there is no security group '{group}'{place}"))
                .with_help("Check `security_groups`, the subnets and `region`, or give the ID of the group.")
        })
    };
    asked.iter().map(id).collect()
}

#[cfg(not(feature = "ec2"))]
async fn vpc_of(_aws: &Aws, _subnet: &str) -> Result<Option<String>, Error> {
    Ok(None)
}

#[cfg(not(feature = "ec2"))]
async fn look_up(_aws: &Aws, asked: &[String], _vpc: Option<&str>) -> Result<Vec<String>, Error> {
    let names: Vec<&str> = asked.iter().map(String::as_str).filter(|group| !is_id(group)).collect();
    Err(Error::new(format!("this build cannot look up the security groups {}", names.join(", ")))
        .with_help("Give their IDs (`sg-…`), or build with the feature `aws-services`."))
}
