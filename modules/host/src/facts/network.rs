//! Interfaces, addresses and default routes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use nix::ifaddrs::getifaddrs;
use playbook_api::{Context, Map, Value, map};

use super::{put, read};

#[derive(Default)]
struct Addresses {
    four: Vec<Map>,
    six: Vec<Map>,
}

pub(crate) fn collect(_: &Context, facts: &mut Map) {
    let addresses = addresses();
    let mut interfaces: Vec<String> = std::fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|n| n != "bonding_masters")
        .collect();
    interfaces.sort_unstable();
    let (mut all_four, mut all_six): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut reachable: (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for name in &interfaces {
        let found = addresses.get(name);
        for (list, all, here) in [
            (found.map(|a| &a.four), &mut all_four, &mut reachable.0),
            (found.map(|a| &a.six), &mut all_six, &mut reachable.1),
        ] {
            for address in list.into_iter().flatten().filter_map(|a| a.get("address").cloned()) {
                let text = address.to_text();
                if !text.starts_with("127.") && text != "::1" {
                    all.push(address.clone());
                }
                here.push(address);
            }
        }
        put(facts, &name.replace(['-', ':'], "_"), interface(name, found));
    }
    put(facts, "interfaces", interfaces.clone());
    put(facts, "all_ipv4_addresses", all_four);
    put(facts, "all_ipv6_addresses", all_six);
    put(facts, "locally_reachable_ips", map! { "ipv4" => reachable.0, "ipv6" => reachable.1 });
    put(
        facts,
        "default_ipv4",
        default(
            &addresses,
            gateway_four(),
            |a| &a.four,
            &["address", "broadcast", "netmask", "network", "prefix"],
        ),
    );
    put(
        facts,
        "default_ipv6",
        default(&addresses, gateway_six(), |a| &a.six, &["address", "prefix", "scope"]),
    );
}

/// The interface of the default route, with its first address.
fn default(
    addresses: &BTreeMap<String, Addresses>,
    route: Option<(String, IpAddr)>,
    of: fn(&Addresses) -> &Vec<Map>,
    keys: &[&str],
) -> Map {
    let Some((name, gateway)) = route else { return Map::default() };
    let mut facts = map! { "gateway" => gateway.to_string(), "interface" => name.as_str() };
    let wide = |a: &&Map| a.get("scope").is_none_or(|s| *s == Value::from("global"));
    let first = addresses.get(&name).and_then(|a| of(a).iter().find(wide).or(of(a).first()));
    for key in keys {
        if let Some(value) = first.and_then(|a| a.get(*key)) {
            facts.insert((*key).into(), value.clone());
        }
    }
    if gateway.is_ipv4() {
        facts.insert("alias".into(), name.as_str().into());
    }
    let device = interface(&name, None);
    for key in ["macaddress", "mtu", "type"] {
        if let Some(value) = device.get(key) {
            facts.insert(key.into(), value.clone());
        }
    }
    facts
}

fn addresses() -> BTreeMap<String, Addresses> {
    let mut all: BTreeMap<String, Addresses> = BTreeMap::new();
    for found in getifaddrs().into_iter().flatten() {
        let Some(address) = found.address else { continue };
        let entry = all.entry(found.interface_name).or_default();
        if let Some(four) = address.as_sockaddr_in() {
            let mask =
                found.netmask.and_then(|m| m.as_sockaddr_in().map(|m| m.ip())).unwrap_or(Ipv4Addr::BROADCAST);
            let broadcast = found.broadcast.and_then(|b| b.as_sockaddr_in().map(|b| b.ip().to_string()));
            let network = Ipv4Addr::from_bits(four.ip().to_bits() & mask.to_bits());
            entry.four.push(map! {
                "address" => four.ip().to_string(),
                "broadcast" => broadcast.filter(|b| *b != four.ip().to_string()).unwrap_or_default(),
                "netmask" => mask.to_string(),
                "network" => network.to_string(),
                "prefix" => mask.to_bits().count_ones().to_string(),
            });
        } else if let Some(six) = address.as_sockaddr_in6() {
            let mask = found
                .netmask
                .and_then(|m| m.as_sockaddr_in6().map(|m| m.ip().to_bits()))
                .unwrap_or(u128::MAX);
            entry.six.push(map! {
                "address" => six.ip().to_string(),
                "prefix" => mask.count_ones().to_string(),
                "scope" => scope(six.ip()),
            });
        }
    }
    all
}

fn scope(address: Ipv6Addr) -> &'static str {
    match () {
        () if address.is_loopback() => "host",
        () if address.is_unicast_link_local() => "link",
        () => "global",
    }
}

fn interface(name: &str, addresses: Option<&Addresses>) -> Map {
    let path = PathBuf::from("/sys/class/net").join(name);
    let of = |file: &str| read(path.join(file));
    let number = |file: &str| of(file).and_then(|t| t.parse::<i64>().ok());
    let mut facts = map! { "device" => name };
    if let Some(mac) = of("address").filter(|m| !m.is_empty() && m != "00:00:00:00:00:00") {
        put(&mut facts, "macaddress", mac);
    }
    if let Some(mtu) = number("mtu") {
        put(&mut facts, "mtu", mtu);
    }
    let flags =
        of("flags").and_then(|f| i64::from_str_radix(f.trim_start_matches("0x"), 16).ok()).unwrap_or(0);
    put(&mut facts, "active", of("operstate").is_some_and(|s| s != "down") && flags & 1 == 1);
    put(&mut facts, "promisc", flags & 0x100 != 0);
    let is = |file: &str| path.join(file).exists();
    let kind = match number("type") {
        _ if is("bridge") => "bridge",
        _ if is("bonding") => "bonding",
        Some(1) => "ether",
        Some(32) => "infiniband",
        Some(512) => "ppp",
        Some(772) => "loopback",
        Some(65534) => "tunnel",
        _ => "unknown",
    };
    if kind != "unknown" {
        put(&mut facts, "type", kind);
    }
    if let Some(speed) = number("speed") {
        put(&mut facts, "speed", speed);
    }
    let device = std::fs::canonicalize(path.join("device")).ok();
    if let Some(id) = device.as_ref().and_then(|d| d.file_name()) {
        put(&mut facts, "pciid", id.to_string_lossy().into_owned());
    }
    if let Some(module) =
        std::fs::read_link(path.join("device/driver/module")).ok().as_ref().and_then(|m| m.file_name())
    {
        put(&mut facts, "module", module.to_string_lossy().into_owned());
    }
    let names = |directory: &str| -> Vec<String> {
        let entries = std::fs::read_dir(path.join(directory)).into_iter().flatten().flatten();
        entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
    };
    if kind == "bridge" {
        put(&mut facts, "interfaces", names("brif"));
        put(&mut facts, "id", of("bridge/bridge_id"));
        put(&mut facts, "stp", of("bridge/stp_state").as_deref() == Some("1"));
    }
    if kind == "bonding" {
        let slaves = of("bonding/slaves").unwrap_or_default();
        put(&mut facts, "slaves", slaves.split_whitespace().collect::<Vec<_>>());
        put(
            &mut facts,
            "mode",
            of("bonding/mode").map(|m| m.split(' ').next().unwrap_or_default().to_owned()),
        );
    }
    if let Some(addresses) = addresses {
        if let Some((first, rest)) = addresses.four.split_first() {
            put(&mut facts, "ipv4", first.clone());
            if !rest.is_empty() {
                put(&mut facts, "ipv4_secondaries", rest.to_vec());
            }
        }
        if !addresses.six.is_empty() {
            put(&mut facts, "ipv6", addresses.six.clone());
        }
    }
    facts
}

fn gateway_four() -> Option<(String, IpAddr)> {
    let table = read("/proc/net/route")?;
    let routes = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, "00000000", gateway, _, _, _, metric, "00000000", ..] = fields.as_slice() else {
            return None;
        };
        let gateway = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.to_ne_bytes());
        Some((metric.parse::<i64>().ok()?, (*name).to_owned(), IpAddr::V4(gateway)))
    });
    routes.min_by_key(|(metric, _, _)| *metric).map(|(_, name, gateway)| (name, gateway))
}

fn gateway_six() -> Option<(String, IpAddr)> {
    let table = read("/proc/net/ipv6_route")?;
    let routes = table.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [target, "00", _, _, gateway, metric, _, _, _, name] = fields.as_slice() else { return None };
        if !target.trim_matches('0').is_empty() || *name == "lo" {
            return None;
        }
        let gateway = Ipv6Addr::from(u128::from_str_radix(gateway, 16).ok()?);
        Some((i64::from_str_radix(metric, 16).ok()?, (*name).to_owned(), IpAddr::V6(gateway)))
    });
    routes.min_by_key(|(metric, _, _)| *metric).map(|(_, name, gateway)| (name, gateway))
}
