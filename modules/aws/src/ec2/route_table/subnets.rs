//! The subnets of a route table, which tasks name by ID, by name or by CIDR block.

use aws_sdk_ec2::types::Subnet;
use playbook_api::Error;

use crate::ec2::tags;

/// Returns the IDs of the subnets that a task names, out of those of the VPC.
pub(crate) fn ids(known: &[Subnet], asked: &[String]) -> Result<Vec<String>, Error> {
    let mut ids: Vec<String> = Vec::new();
    for text in asked {
        let mut found = known.iter().filter(|subnet| is_called(subnet, text)).peekable();
        if found.peek().is_none() {
            return Err(missing(text));
        }
        for id in found.filter_map(|subnet| subnet.subnet_id()) {
            if !ids.iter().any(|known| known == id) {
                ids.push(id.to_owned());
            }
        }
    }
    Ok(ids)
}

fn is_called(subnet: &Subnet, text: &str) -> bool {
    let v6 =
        || subnet.ipv6_cidr_block_association_set().iter().any(|known| known.ipv6_cidr_block() == Some(text));
    subnet.subnet_id() == Some(text)
        || subnet.cidr_block() == Some(text)
        || tags(subnet.tags()).get("Name").is_some_and(|name| name == text)
        || v6()
}

fn missing(text: &str) -> Error {
    let message = match text {
        id if id.starts_with("subnet-") => format!("there is no subnet {id} in the VPC"),
        network if network.contains('/') => format!("Subnet CIDR \"{network}\" does not exist"),
        name => format!("Subnet named \"{name}\" does not exist"),
    };
    Error::new(message).with_help("Check `subnets`, `vpc_id` and `region`.")
}
