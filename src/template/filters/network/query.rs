//! What `ipaddr` can be asked.

use playbook_api::{Error, Value};

use super::Interface;

const NO: Value = Value::Bool(false);

/// The answer to a query, or false where the address does not fit it.
pub fn answer(found: &Interface, value: &Value, query: &Value) -> Result<Value, Error> {
    let show = |address: u128| Value::from(found.show(address));
    let with_prefix = |address: u128| Value::from(format!("{}/{}", found.show(address), found.prefix));
    let own = || Value::from(found.show(found.address));
    let keep = |condition: bool| if condition { value.clone() } else { NO };
    let is_network = found.has_prefix && found.address == found.network();
    let is_host = found.prefix == found.bits || found.address != found.network();
    let size = found.size();
    // Networks of one or two addresses have no network and broadcast address of their own.
    let has_edges = size.is_none_or(|size| size > 2);
    let first_usable = found.network() + u128::from(has_edges);
    let last_usable = found.last() - u128::from(has_edges && found.bits == 32);
    let number = |n: u128| Value::big(n.into());
    let usable = |address: Option<u128>| {
        let inside = address.filter(|address| (first_usable..=last_usable).contains(address));
        inside.map_or(NO, show)
    };
    if let Some(at) = query.as_i64() {
        return Ok(found.nth(at).map_or(NO, with_prefix));
    }
    let text = query.to_text();
    Ok(match &*text {
        "" | "ip" | "address" if found.has_prefix && !text.is_empty() => {
            if is_host || text == "address" {
                own()
            } else {
                NO
            }
        }
        "" => value.clone(),
        "ip" | "address" => own(),
        "network" | "network_id" => show(found.network()),
        "network/prefix" | "subnet" | "cidr_lookup" => with_prefix(found.network()),
        "netmask" => show(found.netmask()),
        "hostmask" | "wildcard" => show(found.hostmask()),
        "prefix" => Value::from(found.prefix),
        "broadcast" => {
            if has_edges && found.bits == 32 {
                show(found.last())
            } else {
                Value::Null
            }
        }
        "size" => size.map_or(NO, number),
        "size_usable" => match size {
            Some(size) if has_edges => number(size - 1 - u128::from(found.bits == 32)),
            Some(size) => number(size),
            None => NO,
        },
        "first_usable" => show(first_usable),
        "last_usable" => show(last_usable),
        "range_usable" => format!("{}-{}", found.show(first_usable), found.show(last_usable)).into(),
        "next_usable" => usable(found.address.checked_add(1)),
        "previous_usable" => usable(found.address.checked_sub(1)),
        "peer" => match (size, found.address == found.network()) {
            (Some(2), true) => show(found.address + 1),
            (Some(2), false) => show(found.address - 1),
            (Some(4), false) if found.address == first_usable => show(last_usable),
            (Some(4), false) if found.address == last_usable => show(first_usable),
            _ => return Err(Error::new("Not a point-to-point network")),
        },
        "host" | "host/prefix" | "hostnet" => {
            if !found.has_prefix {
                if text == "host/prefix" { NO } else { with_prefix(found.address) }
            } else if is_host {
                with_prefix(found.address)
            } else {
                NO
            }
        }
        "ip/prefix" | "ip_prefix" | "address/prefix" | "address_prefix" | "gateway" | "gw" | "router" => {
            if is_host && found.has_prefix {
                with_prefix(found.address)
            } else {
                NO
            }
        }
        "ip_netmask" => format!("{} {}", found.show(found.address), found.show(found.netmask())).into(),
        "network_netmask" => {
            format!("{} {}", found.show(found.network()), found.show(found.netmask())).into()
        }
        "ip_wildcard" => format!("{} {}", found.show(found.address), found.show(found.hostmask())).into(),
        "network_wildcard" => {
            format!("{} {}", found.show(found.network()), found.show(found.hostmask())).into()
        }
        "net" => keep(is_network),
        "type" => if is_network && found.prefix < found.bits { "network" } else { "address" }.into(),
        "version" => Value::Int(found.version().into()),
        "int" => match found.has_prefix {
            true => format!("{}/{}", found.address, found.prefix).into(),
            false => number(found.address),
        },
        "bool" => Value::Bool(true),
        "ipv4" | "4" => {
            if found.bits == 32 {
                value.clone()
            } else {
                NO
            }
        }
        "ipv6" | "6" => {
            if found.bits == 128 {
                value.clone()
            } else {
                NO
            }
        }
        "revdns" => reverse_name(found).into(),
        "private" | "priv" => keep(is_private(found)),
        "public" | "pub" => keep(is_public(found)),
        "loopback" | "lo" => keep(is_loopback(found)),
        "multicast" => keep(is_multicast(found)),
        "unicast" => keep(!is_multicast(found)),
        "link-local" | "lla" => keep(is_link_local(found)),
        other => {
            if let Ok(at) = other.parse::<i64>() {
                return Ok(found.nth(at).map_or(NO, with_prefix));
            }
            match Interface::parse(&other.into()) {
                Some(network) => keep(network.contains(found)),
                None => return Err(Error::new(format!("ipaddr: unknown filter type: {other}"))),
            }
        }
    })
}

fn within(found: &Interface, networks: &[&str]) -> bool {
    networks.iter().filter_map(|network| Interface::parse(&(*network).into())).any(|network| {
        network.bits == found.bits && (network.network()..=network.last()).contains(&found.address)
    })
}

fn is_private(found: &Interface) -> bool {
    within(found, &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"])
}

fn is_loopback(found: &Interface) -> bool {
    within(found, &["127.0.0.0/8", "::1/128"])
}

fn is_multicast(found: &Interface) -> bool {
    within(found, &["224.0.0.0/4", "ff00::/8"])
}

fn is_link_local(found: &Interface) -> bool {
    within(found, &["169.254.0.0/16", "fe80::/10"])
}

fn is_public(found: &Interface) -> bool {
    let reserved = within(
        found,
        &["0.0.0.0/8", "240.0.0.0/4", "192.0.2.0/24", "198.18.0.0/15", "100.64.0.0/10", "::/128"],
    );
    !(reserved || is_private(found) || is_loopback(found) || is_multicast(found) || is_link_local(found))
}

/// The name that reverse DNS looks up.
fn reverse_name(found: &Interface) -> String {
    if found.bits == 32 {
        let bytes = (found.address as u32).to_be_bytes();
        let parts: Vec<String> = bytes.iter().rev().map(u8::to_string).collect();
        return format!("{}.in-addr.arpa.", parts.join("."));
    }
    let digits = format!("{:032x}", found.address);
    let parts: Vec<String> = digits.chars().rev().map(String::from).collect();
    format!("{}.ip6.arpa.", parts.join("."))
}
