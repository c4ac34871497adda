//! The connections of a port, from the kernel's tables.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

use playbook_api::Failure;

const STATES: &[(&str, &str)] = &[
    ("ESTABLISHED", "01"),
    ("SYN_SENT", "02"),
    ("SYN_RECV", "03"),
    ("FIN_WAIT1", "04"),
    ("FIN_WAIT2", "05"),
    ("TIME_WAIT", "06"),
];

/// All of them.
pub(crate) fn active() -> Vec<String> {
    ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT"].map(str::to_owned).to_vec()
}

pub(crate) fn check(states: &[String]) -> Result<(), Failure> {
    let known = |state: &&String| STATES.iter().any(|(name, _)| name == *state);
    match states.iter().find(|s| !known(s)) {
        Some(state) => {
            let message = format!("unknown active_connection_state ({state}) defined");
            Err(Failure::new(message).with("elapsed", 0))
        }
        None => Ok(()),
    }
}

/// How many connections a port has, but for those of excluded hosts.
pub(crate) fn count(host: &str, port: u16, states: &[String], excluded: &[String]) -> Result<usize, Failure> {
    let addresses = lookup(host)?;
    let excluded: Vec<IpAddr> = excluded.iter().map(|h| lookup(h)).collect::<Result<Vec<_>, _>>()?.concat();
    let wanted: Vec<&str> =
        STATES.iter().filter(|(name, _)| states.iter().any(|s| s == name)).map(|(_, code)| *code).collect();
    let any = addresses.iter().any(IpAddr::is_unspecified);
    let mut count = 0;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, remote, state, ..] = fields.as_slice() else { continue };
            let (Some((address, local_port)), Some((peer, _))) = (parse(local), parse(remote)) else {
                continue;
            };
            let ours = any || address.is_unspecified() || addresses.contains(&address);
            if local_port == port && ours && wanted.contains(state) && !excluded.contains(&peer) {
                count += 1;
            }
        }
    }
    Ok(count)
}

fn lookup(host: &str) -> Result<Vec<IpAddr>, Failure> {
    let found = (host, 0)
        .to_socket_addrs()
        .map_err(|e| Failure::new(format!("failed to look up the host {host}: {e}")))?;
    Ok(found.map(|a| plain(a.ip())).collect())
}

/// An IPv4 address in IPv6's clothes is an IPv4 address.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// `0100007F:1F90`, in the byte order of the machine.
fn parse(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let words: Vec<u32> = address
        .as_bytes()
        .chunks(8)
        .map(|c| u32::from_str_radix(std::str::from_utf8(c).ok()?, 16).ok())
        .collect::<Option<_>>()?;
    let address = match words.as_slice() {
        [word] => IpAddr::V4(Ipv4Addr::from(word.to_ne_bytes())),
        [_, _, _, _] => {
            let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_ne_bytes()).collect();
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))
        }
        _ => return None,
    };
    Some((plain(address), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_addresses_are_read() {
        assert_eq!(parse("0100007F:1F90"), Some(("127.0.0.1".parse().unwrap(), 8080)));
        assert_eq!(parse("0000000000000000FFFF00000100007F:0050"), Some(("127.0.0.1".parse().unwrap(), 80)));
        assert_eq!(parse("nonsense"), None);
        assert!(check(&["ESTABLISHED".into()]).is_ok() && check(&["OPEN".into()]).is_err());
    }
}
