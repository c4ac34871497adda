//! The security groups of load balancers, which tasks name by ID or by name.

use playbook_api::Error;

use crate::client::Aws;

/// Returns the IDs of security groups of a VPC; that of its default group if none is asked for.
pub(super) async fn ids(aws: &Aws, asked: &[String], vpc: Option<&str>) -> Result<Vec<String>, Error> {
    let default = ["default".to_owned()];
    let asked = if asked.is_empty() { &default[..] } else { asked };
    let mut ids = Vec::new();
    for group in asked {
        match group.starts_with("sg-") {
            true => ids.push(group.clone()),
            false => ids.push(id(aws, group, vpc).await?),
        }
    }
    Ok(ids)
}

/// Returns the IDs of security groups of the VPC that the first subnet is in.
pub(super) async fn ids_in_subnet(
    aws: &Aws,
    asked: &[String],
    subnets: &[String],
) -> Result<Vec<String>, Error> {
    if asked.iter().all(|group| group.starts_with("sg-")) {
        return Ok(asked.to_vec());
    }
    let vpc = vpc_of(aws, subnets).await?;
    ids(aws, asked, vpc.as_deref()).await
}

#[cfg(feature = "ec2")]
async fn vpc_of(aws: &Aws, subnets: &[String]) -> Result<Option<String>, Error> {
    use crate::error::Explain;
    let Some(first) = subnets.first() else { return Ok(None) };
    let answer = aws.ec2().describe_subnets().subnet_ids(first).send().await;
    let found = answer.explain("ec2:DescribeSubnets")?.subnets.unwrap_or_default();
    Ok(found.into_iter().next().and_then(|subnet| subnet.vpc_id))
}

#[cfg(feature = "ec2")]
async fn id(aws: &Aws, name: &str, vpc: Option<&str>) -> Result<String, Error> {
    use crate::error::Explain;
    use aws_sdk_ec2::types::Filter;
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let mut filters = vec![filter("group-name", name)];
    filters.extend(vpc.map(|vpc| filter("vpc-id", vpc)));
    let answer = aws.ec2().describe_security_groups().set_filters(Some(filters)).send().await;
    let found = answer.explain("ec2:DescribeSecurityGroups")?.security_groups.unwrap_or_default();
    found.into_iter().next().and_then(|group| group.group_id).ok_or_else(|| {
        let place = vpc.map(|vpc| format!(" in {vpc}")).unwrap_or_default();
        Error::new(format!("there is no security group '{name}'{place}"))
            .with_help("Check `security_groups`, or give the ID of the group.")
    })
}

#[cfg(not(feature = "ec2"))]
async fn vpc_of(_aws: &Aws, _subnets: &[String]) -> Result<Option<String>, Error> {
    Ok(None)
}

#[cfg(not(feature = "ec2"))]
async fn id(_aws: &Aws, name: &str, _vpc: Option<&str>) -> Result<String, Error> {
    Err(Error::new(format!(
        "the security group '{name}' cannot be looked up: this program was built without EC2"
    ))
    .with_help("Give the ID of the security group."))
}
