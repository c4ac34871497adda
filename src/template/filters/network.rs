//! Addresses and networks: the `ipaddr` family of ansible.utils.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use playbook_api::{Error, Value};

use super::arguments::{given, integer, text};
use crate::template::{Call, Function};

mod query;

pub(super) const FILTERS: &[Function] = &[
    Function::new("ipaddr", |call| ipaddr(call, None)),
    Function::new("ipv4", |call| ipaddr(call, Some(4))),
    Function::new("ipv6", |call| ipaddr(call, Some(6))),
    Function::new("ipwrap", ipwrap),
    Function::new("ipmath", ipmath),
    Function::new("ipsubnet", ipsubnet),
    Function::new("nthhost", nthhost),
    Function::new("network_in_network", network_in_network),
];

/// An address, and the number of bits of its network prefix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interface {
    pub address: u128,
    pub prefix: u32,
    /// 32 or 128.
    pub bits: u32,
    /// Whether the input has a prefix.
    pub has_prefix: bool,
}

impl Interface {
    /// Parses an address with or without a prefix or netmask, or a number.
    pub(super) fn parse(value: &Value) -> Option<Interface> {
        if let Some(number) = value.as_i64().filter(|_| value.as_bool().is_none()) {
            let address = u32::try_from(number).ok()?;
            return Some(Interface { address: address.into(), prefix: 32, bits: 32, has_prefix: false });
        }
        let text = value.as_str()?.trim();
        let (address, suffix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let (address, bits) = match address.parse().ok()? {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let prefix = match suffix {
            None => bits,
            Some(digits) => match digits.parse::<u32>() {
                Ok(prefix) => Some(prefix).filter(|prefix| *prefix <= bits)?,
                Err(_) => {
                    let mask = digits.parse::<Ipv4Addr>().ok().filter(|_| bits == 32)?.to_bits();
                    Some(mask.leading_ones()).filter(|ones| mask.count_ones() == *ones)?
                }
            },
        };
        Some(Interface { address, prefix, bits, has_prefix: suffix.is_some() })
    }

    pub(super) fn version(&self) -> u8 {
        if self.bits == 32 { 4 } else { 6 }
    }

    pub(super) fn show(&self, address: u128) -> String {
        match self.bits {
            32 => Ipv4Addr::from_bits(address as u32).to_string(),
            _ => Ipv6Addr::from_bits(address).to_string(),
        }
    }

    fn all(&self) -> u128 {
        if self.bits == 128 { u128::MAX } else { (1 << self.bits) - 1 }
    }

    pub(super) fn hostmask(&self) -> u128 {
        self.all().checked_shr(self.prefix).unwrap_or(0)
    }

    pub(super) fn netmask(&self) -> u128 {
        self.all() & !self.hostmask()
    }

    pub(super) fn network(&self) -> u128 {
        self.address & self.netmask()
    }

    pub(super) fn last(&self) -> u128 {
        self.network() | self.hostmask()
    }

    /// Returns the number of addresses, or `None` if it is too large.
    pub(super) fn size(&self) -> Option<u128> {
        self.hostmask().checked_add(1)
    }

    pub(super) fn contains(&self, other: &Interface) -> bool {
        self.bits == other.bits && self.network() <= other.network() && other.last() <= self.last()
    }

    /// Returns the address at a position of the network. A negative position counts from the end.
    pub(super) fn nth(&self, at: i64) -> Option<u128> {
        let found = match u128::try_from(at) {
            Ok(at) => self.network().checked_add(at)?,
            Err(_) => self.last().checked_sub(u128::from(at.unsigned_abs()) - 1)?,
        };
        Some(found).filter(|address| (self.network()..=self.last()).contains(address))
    }
}

/// Applies to one value, or keeps the members of a list that pass.
fn each(input: &Value, one: impl Fn(&Value) -> Result<Value, Error>) -> Result<Value, Error> {
    match input {
        Value::List(items) | Value::Tuple(items) => {
            let found = items.iter().map(one).collect::<Result<Vec<_>, _>>()?;
            Ok(found.into_iter().filter(|value| *value != Value::Bool(false) && !value.is_null()).collect())
        }
        value => one(value),
    }
}

fn ipaddr(call: &mut Call, only: Option<u8>) -> Result<Value, Error> {
    let [wanted, version, _] = call.bind(["query", "version", "alias"], 0)?;
    let version = given(version).and_then(|version| u8::try_from(version.as_i64()?).ok()).or(only);
    let wanted = given(wanted).unwrap_or_else(|| "".into());
    each(&call.input, |value| {
        let Some(found) = Interface::parse(value) else { return Ok(Value::Bool(false)) };
        if version.is_some_and(|version| version != found.version()) {
            return Ok(Value::Bool(false));
        }
        query::answer(&found, value, &wanted)
    })
}

/// Returns IPv6 addresses in brackets, and everything else unchanged.
fn ipwrap(call: &mut Call) -> Result<Value, Error> {
    let [_] = call.bind(["query"], 0)?;
    let wrap = |value: &Value| {
        Ok(match Interface::parse(value) {
            Some(found) if found.bits == 128 => {
                let address = found.show(found.address);
                if found.has_prefix {
                    format!("[{address}]/{}", found.prefix)
                } else {
                    format!("[{address}]")
                }
                .into()
            }
            _ => value.clone(),
        })
    };
    match &call.input {
        Value::List(items) => items.iter().map(wrap).collect::<Result<Vec<_>, Error>>().map(Value::from),
        value => wrap(value),
    }
}

fn ipmath(call: &mut Call) -> Result<Value, Error> {
    let [amount] = call.bind(["amount"], 1)?;
    let amount = integer(&amount.unwrap_or_default())
        .map_err(|_| Error::new("You must pass an integer for arithmetic"))?;
    let found = Interface::parse(&call.input)
        .ok_or_else(|| Error::new(format!("You must pass a valid IP address; {} is invalid", call.input)))?;
    let moved = found.address.checked_add_signed(amount.into()).filter(|address| *address <= found.all());
    moved.map(|address| found.show(address).into()).ok_or_else(|| Error::new("the address is out of range"))
}

/// Returns the number of subnets of a size, the subnet at a position, or, with an address as the second argument, its
/// position.
fn ipsubnet(call: &mut Call) -> Result<Value, Error> {
    let [query, index] = call.bind(["query", "index"], 0)?;
    let Some(found) = Interface::parse(&call.input) else { return Ok(Value::Bool(false)) };
    let network = |address: u128, prefix: u32| Value::from(format!("{}/{prefix}", found.show(address)));
    let Some(query) = given(query).filter(|query| query.as_str() != Some("")) else {
        return Ok(network(found.network(), found.prefix));
    };
    let Some(prefix) = query.as_i64().or_else(|| query.as_str()?.parse().ok()) else {
        return Ok(Value::Bool(false));
    };
    let Some(prefix) = u32::try_from(prefix).ok().filter(|prefix| *prefix <= found.bits) else {
        return Ok(Value::Bool(false));
    };
    let inner = Interface { prefix, ..found };
    let index = given(index);
    if prefix < found.prefix || !found.has_prefix {
        return Ok(network(inner.network(), prefix));
    }
    let count = 1u128.checked_shl(prefix - found.prefix);
    match index.map(|index| integer(&index)).transpose()? {
        None => Ok(count.and_then(|count| i64::try_from(count).ok()).map_or(Value::Bool(false), Value::Int)),
        Some(at) => {
            let at = match u128::try_from(at) {
                Ok(at) => Some(at),
                Err(_) => count.and_then(|count| count.checked_sub(at.unsigned_abs().into())),
            };
            let start = at.filter(|at| count.is_none_or(|count| *at < count)).and_then(|at| {
                found.network().checked_add(at.checked_mul(inner.hostmask().checked_add(1)?)?)
            });
            Ok(start.map_or(Value::Bool(false), |start| network(start, prefix)))
        }
    }
}

fn nthhost(call: &mut Call) -> Result<Value, Error> {
    let [at] = call.bind(["query"], 1)?;
    let Some(found) = Interface::parse(&call.input) else { return Ok(Value::Bool(false)) };
    let at = at.as_ref().and_then(|at| at.as_i64().or_else(|| at.as_str()?.parse().ok()));
    Ok(at.and_then(|at| found.nth(at)).map_or(Value::Bool(false), |address| found.show(address).into()))
}

fn network_in_network(call: &mut Call) -> Result<Value, Error> {
    let [test] = call.bind(["test"], 1)?;
    let inner = test.as_ref().and_then(Interface::parse);
    let outer = Interface::parse(&call.input)
        .ok_or_else(|| Error::new(format!("{} is not a valid network", text(&Some(call.input()), ""))))?;
    Ok(inner.is_some_and(|inner| outer.contains(&inner)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(value: &str, query: impl Into<Value>) -> String {
        let value = Value::from(value);
        let found = Interface::parse(&value).expect("an address");
        query::answer(&found, &value, &query.into()).map_or_else(|e| e.to_string(), |value| value.to_string())
    }

    #[test]
    fn queries() {
        assert_eq!(ask("192.168.1.5/24", "network"), "192.168.1.0");
        assert_eq!(ask("192.168.1.5/24", "netmask"), "255.255.255.0");
        assert_eq!(ask("192.168.1.5/24", "broadcast"), "192.168.1.255");
        assert_eq!(ask("192.168.1.5/24", "subnet"), "192.168.1.0/24");
        assert_eq!(ask("192.168.1.5/24", "size"), "256");
        assert_eq!(ask("192.168.1.5/24", "host"), "192.168.1.5/24");
        assert_eq!(ask("192.168.1.0/24", "net"), "192.168.1.0/24");
        assert_eq!(ask("192.168.1.0/24", 10), "192.168.1.10/24");
        assert_eq!(ask("192.168.1.0/24", -1), "192.168.1.255/24");
        assert_eq!(ask("10.0.0.1", "private"), "10.0.0.1");
        assert_eq!(ask("8.8.8.8", "private"), "False");
        assert_eq!(ask("10.0.0.1", "10.0.0.0/8"), "10.0.0.1");
        assert_eq!(ask("2001:db8::1/64", "network"), "2001:db8::");
        assert_eq!(ask("192.168.1.5/24", "revdns"), "5.1.168.192.in-addr.arpa.");
        assert_eq!(ask("192.168.1.5/24", "range_usable"), "192.168.1.1-192.168.1.254");
        assert!(Interface::parse(&"300.1.1.1".into()).is_none());
    }
}
