//! The queries of `ipaddr`.

use playbook_api::{Error, Value};

use super::Interface;

const NO: Value = Value::Bool(false);

/// Evaluates a query. Returns false if the address does not match it.
pub(super) fn answer(found: &Interface, value: &Value, query: &Value) -> Result<Value, Error> {
    if let Some(at) = query.as_i64() {
        return Ok(nth(found, at));
    }
    let text = query.to_text();
    let query = Query { found, value };
    let known = query.own(&text).or_else(|| query.network(&text)).or_else(|| query.kind(&text));
    if let Some(answer) = known {
        return Ok(answer);
    }
    if &*text == "peer" {
        return query.peer();
    }
    if let Ok(at) = text.parse::<i64>() {
        return Ok(nth(found, at));
    }
    match Interface::parse(&(&*text).into()) {
        Some(network) => Ok(query.keep(network.contains(found))),
        None => Err(Error::new(format!("ipaddr: unknown filter type: {text}"))),
    }
}

/// The address at a position in the network, with its prefix.
fn nth(found: &Interface, at: i64) -> Value {
    found.nth(at).map_or(NO, |address| with_prefix(found, address))
}

fn with_prefix(found: &Interface, address: u128) -> Value {
    Value::from(format!("{}/{}", found.show(address), found.prefix))
}

fn number(n: u128) -> Value {
    Value::big(n.into())
}

/// A query about an address, and the value that the address was written as.
struct Query<'a> {
    found: &'a Interface,
    value: &'a Value,
}

impl Query<'_> {
    fn show(&self, address: u128) -> Value {
        Value::from(self.found.show(address))
    }

    fn keep(&self, condition: bool) -> Value {
        if condition { self.value.clone() } else { NO }
    }

    fn is_host(&self) -> bool {
        self.found.prefix == self.found.bits || self.found.address != self.found.network()
    }

    fn is_network(&self) -> bool {
        self.found.has_prefix && self.found.address == self.found.network()
    }

    /// Whether the network has a network address and a broadcast address. Networks of one or two addresses do not.
    fn has_edges(&self) -> bool {
        self.found.size().is_none_or(|size| size > 2)
    }

    fn first_usable(&self) -> u128 {
        self.found.network() + u128::from(self.has_edges())
    }

    fn last_usable(&self) -> u128 {
        self.found.last() - u128::from(self.has_edges() && self.found.bits == 32)
    }

    fn usable(&self, address: Option<u128>) -> Value {
        let usable = self.first_usable()..=self.last_usable();
        address.filter(|address| usable.contains(address)).map_or(NO, |address| self.show(address))
    }

    /// Evaluates a query about the address itself.
    fn own(&self, text: &str) -> Option<Value> {
        let found = self.found;
        let own = || self.show(found.address);
        Some(match text {
            "" => self.value.clone(),
            "ip" if found.has_prefix && !self.is_host() => NO,
            "ip" | "address" => own(),
            "prefix" => Value::from(found.prefix),
            "next_usable" => self.usable(found.address.checked_add(1)),
            "previous_usable" => self.usable(found.address.checked_sub(1)),
            "host/prefix" if !found.has_prefix => NO,
            "host" | "host/prefix" | "hostnet" if !found.has_prefix || self.is_host() => {
                with_prefix(found, found.address)
            }
            "host" | "host/prefix" | "hostnet" => NO,
            "ip/prefix" | "ip_prefix" | "address/prefix" | "address_prefix" | "gateway" | "gw" | "router" => {
                if self.is_host() && found.has_prefix {
                    with_prefix(found, found.address)
                } else {
                    NO
                }
            }
            "ip_netmask" => format!("{} {}", found.show(found.address), found.show(found.netmask())).into(),
            "ip_wildcard" => format!("{} {}", found.show(found.address), found.show(found.hostmask())).into(),
            "int" if found.has_prefix => format!("{}/{}", found.address, found.prefix).into(),
            "int" => number(found.address),
            "revdns" => reverse_name(found).into(),
            _ => return None,
        })
    }

    /// Evaluates a query about the network of the address.
    fn network(&self, text: &str) -> Option<Value> {
        let found = self.found;
        let size = found.size();
        Some(match text {
            "network" | "network_id" => self.show(found.network()),
            "network/prefix" | "subnet" | "cidr_lookup" => with_prefix(found, found.network()),
            "netmask" => self.show(found.netmask()),
            "hostmask" | "wildcard" => self.show(found.hostmask()),
            "broadcast" if self.has_edges() && found.bits == 32 => self.show(found.last()),
            "broadcast" => Value::Null,
            "size" => size.map_or(NO, number),
            "size_usable" => match size {
                Some(size) if self.has_edges() => number(size - 1 - u128::from(found.bits == 32)),
                Some(size) => number(size),
                None => NO,
            },
            "first_usable" => self.show(self.first_usable()),
            "last_usable" => self.show(self.last_usable()),
            "range_usable" => {
                format!("{}-{}", found.show(self.first_usable()), found.show(self.last_usable())).into()
            }
            "network_netmask" => {
                format!("{} {}", found.show(found.network()), found.show(found.netmask())).into()
            }
            "network_wildcard" => {
                format!("{} {}", found.show(found.network()), found.show(found.hostmask())).into()
            }
            _ => return None,
        })
    }

    /// Evaluates a query about the kind of the address.
    fn kind(&self, text: &str) -> Option<Value> {
        let found = self.found;
        Some(match text {
            "net" => self.keep(self.is_network()),
            "type" if self.is_network() && found.prefix < found.bits => "network".into(),
            "type" => "address".into(),
            "version" => Value::Int(found.version().into()),
            "bool" => Value::Bool(true),
            "ipv4" | "4" => self.keep(found.bits == 32),
            "ipv6" | "6" => self.keep(found.bits == 128),
            "private" | "priv" => self.keep(is_private(found)),
            "public" | "pub" => self.keep(is_public(found)),
            "loopback" | "lo" => self.keep(is_loopback(found)),
            "multicast" => self.keep(is_multicast(found)),
            "unicast" => self.keep(!is_multicast(found)),
            "link-local" | "lla" => self.keep(is_link_local(found)),
            _ => return None,
        })
    }

    /// Returns the other address of a network of two hosts.
    fn peer(&self) -> Result<Value, Error> {
        let found = self.found;
        Ok(match (found.size(), found.address == found.network()) {
            (Some(2), true) => self.show(found.address + 1),
            (Some(2), false) => self.show(found.address - 1),
            (Some(4), false) if found.address == self.first_usable() => self.show(self.last_usable()),
            (Some(4), false) if found.address == self.last_usable() => self.show(self.first_usable()),
            _ => return Err(Error::new("Not a point-to-point network")),
        })
    }
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

/// Returns the name for reverse DNS.
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
