//! Hosts on the command line: `-i web1,web2:2222,`.

use playbook_api::{Error, ErrorKind};

use super::address;
use super::builder::Builder;
use crate::document::Node;

/// Adds the hosts of a list. With `ranges`, an entry may have ranges.
pub(super) fn read(builder: &mut Builder, list: &str, ranges: bool) -> Result<(), Error> {
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (hosts, port) = match (ranges, address::split_port(entry)) {
            (true, _) => match address::expand(entry) {
                Ok(expanded) => expanded,
                Err(error) if error.kind() == ErrorKind::Syntax => {
                    let message = format!("Invalid data from string, could not parse: {}", error.message());
                    return Err(Error::new(message));
                }
                Err(error) => {
                    let note = "Unable to parse address from hostname, leaving unchanged";
                    builder.inventory.notes.push(format!("{note}: {}", error.message()));
                    (vec![entry.to_owned()], None)
                }
            },
            (false, Some((host, port))) if !host.contains('[') => (vec![host.to_owned()], port),
            (false, _) => (vec![entry.to_owned()], None),
        };
        for host in hosts {
            if builder.inventory.hosts.contains_key(host.as_str()) {
                continue;
            }
            let host = builder.add_host(&host)?;
            builder.inventory.add_member("ungrouped", &host);
            if let Some(port) = port {
                let place = playbook_api::Place::file_only("<command line>");
                builder.inventory.set_host_var(&host, "ansible_port", Node::value(place, i64::from(port)));
            }
        }
    }
    Ok(())
}
