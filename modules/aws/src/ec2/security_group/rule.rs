//! Rules of security groups: how tasks write them, how EC2 describes them, and one form in which both are compared.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
use playbook_api::{Error, Failure};
use serde::Deserialize;
use serde_json::Value as Json;

/// A rule as a task writes it. It names one source, or several of one kind.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [
        ["ports", "to_port"], ["ports", "from_port"], ["icmp_type", "from_port"], ["icmp_code", "to_port"],
        ["icmp_type", "ports"], ["icmp_code", "ports"],
    ],
    "required_one_of" = [["group_id", "group_name", "cidr_ip", "cidr_ipv6", "ip_prefix"]],
    "required_by" = [["icmp_code", ["icmp_type"]]],
))]
pub(crate) struct RuleOption {
    /// The protocol: `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `all`.
    #[serde(default = "tcp")]
    pub proto: String,
    /// The ports: each is one port, or the first and the last (`8000-8100`).
    pub ports: Option<Vec<String>>,
    /// The first port, instead of `ports`.
    pub from_port: Option<i32>,
    /// The last port, instead of `ports`.
    pub to_port: Option<i32>,
    /// The ICMP type, or -1 for all.
    pub icmp_type: Option<i32>,
    /// The ICMP code, or -1 for all.
    pub icmp_code: Option<i32>,
    /// IPv4 networks in CIDR notation.
    #[schemars(extend("format" = "raw"))]
    pub cidr_ip: Option<Json>,
    /// IPv6 networks in CIDR notation.
    #[schemars(extend("format" = "raw"))]
    pub cidr_ipv6: Option<Json>,
    /// The IDs of prefix lists.
    pub ip_prefix: Option<Vec<String>>,
    /// The IDs of security groups; `ACCOUNT/ID` for one of another account.
    pub group_id: Option<Vec<String>>,
    /// The names of security groups, which may be the group itself.
    pub group_name: Option<Vec<String>>,
    /// The description of a group in `group_name` that does not exist and is created therefore.
    pub group_desc: Option<String>,
    /// The description of the rule.
    pub rule_desc: Option<String>,
}

fn tcp() -> String {
    "tcp".to_owned()
}

/// A rule for one source or destination.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    /// The protocol as EC2 names it: `-1` stands for all.
    pub protocol: String,
    /// The first and the last port, or the ICMP type and code.
    pub ports: Option<(i32, i32)>,
    pub peer: Peer,
}

/// What a rule allows requests from or to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    V4(String),
    V6(String),
    PrefixList(String),
    Group {
        id: String,
        /// The account of the group, if it is another one.
        account: Option<String>,
    },
    /// A group that does not exist yet.
    NewGroup(String),
}

/// Rules with their descriptions; a rule that a task does not describe keeps its description.
pub(crate) type Rules = BTreeMap<Rule, Option<String>>;

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.protocol == "-1" { "all" } else { &self.protocol };
        f.write_str(protocol)?;
        match self.ports {
            Some((from, to)) if from == to => write!(f, " {from}")?,
            Some((from, to)) => write!(f, " {from}-{to}")?,
            None => {}
        }
        match &self.peer {
            Peer::V4(text) | Peer::V6(text) | Peer::PrefixList(text) | Peer::NewGroup(text) => {
                write!(f, " {text}")
            }
            Peer::Group { id, account: None } => write!(f, " {id}"),
            Peer::Group { id, account: Some(account) } => write!(f, " {account}/{id}"),
        }
    }
}

/// The groups that rules may name, by name.
pub(crate) type Groups = BTreeMap<String, String>;

/// Returns the names of the groups in rules.
pub(crate) fn group_names<'a>(options: impl Iterator<Item = &'a RuleOption>) -> Vec<&'a str> {
    options.flat_map(|option| option.group_name.iter().flatten()).map(String::as_str).collect()
}

/// Returns the rules of a task. Warnings tell of networks with host bits.
pub(crate) fn of_task(
    options: &[RuleOption],
    groups: &Groups,
    warnings: &mut Vec<String>,
) -> Result<Rules, Failure> {
    let mut rules = Rules::new();
    for option in options {
        let protocol = protocol(&option.proto);
        for ports in ranges(option, &protocol)? {
            for peer in peers(option, groups, warnings)? {
                let rule = Rule { protocol: protocol.clone(), ports, peer };
                rules.insert(rule, option.rule_desc.clone());
            }
        }
    }
    Ok(rules)
}

/// Returns the name that EC2 gives a protocol.
fn protocol(asked: &str) -> String {
    match asked.to_ascii_lowercase().as_str() {
        "all" | "-1" => "-1",
        "1" => "icmp",
        "6" => "tcp",
        "17" => "udp",
        "58" => "icmpv6",
        _ => return asked.to_ascii_lowercase(),
    }
    .to_owned()
}

/// Returns the ranges of ports of a rule.
fn ranges(option: &RuleOption, protocol: &str) -> Result<Vec<Option<(i32, i32)>>, Failure> {
    if protocol == "-1" {
        return Ok(vec![None]);
    }
    if let Some(ports) = &option.ports {
        return ports.iter().map(|ports| range(ports).map(Some)).collect();
    }
    if let Some(kind) = option.icmp_type {
        if !protocol.starts_with("icmp") {
            return Err(Failure::new("icmp_type requires proto icmp or icmpv6"));
        }
        return Ok(vec![Some((kind, option.icmp_code.unwrap_or(-1)))]);
    }
    let range = match (option.from_port, option.to_port) {
        (None, None) => None,
        (from, to) => Some((from.or(to).unwrap_or(-1), to.or(from).unwrap_or(-1))),
    };
    Ok(vec![range])
}

/// Reads `8080`, `8000-8100` or `8000 - 8100`.
fn range(text: &str) -> Result<(i32, i32), Failure> {
    let wrong =
        || Failure::new("Unable to parse port").with("port", text).with_help("Write `8080` or `8000-8100`.");
    let port = |text: &str| text.trim().parse::<i32>().map_err(|_| wrong());
    // A number below zero begins with the same sign.
    let (from, to) = match text.trim().split_once('-').filter(|(from, _)| !from.is_empty()) {
        Some((from, to)) => (port(from)?, port(to)?),
        None => (port(text)?, port(text)?),
    };
    Ok((from.min(to), from.max(to)))
}

fn peers(option: &RuleOption, groups: &Groups, warnings: &mut Vec<String>) -> Result<Vec<Peer>, Failure> {
    let mut peers = Vec::new();
    for text in texts(option.cidr_ip.as_ref())? {
        peers.push(Peer::V4(network_v4(&text, warnings)));
    }
    for text in texts(option.cidr_ipv6.as_ref())? {
        peers.push(Peer::V6(network_v6(&text, warnings)));
    }
    peers.extend(option.ip_prefix.iter().flatten().cloned().map(Peer::PrefixList));
    for text in option.group_id.iter().flatten() {
        let (account, id) = match text.split_once('/') {
            Some((account, rest)) => (Some(account.to_owned()), rest.split('/').next().unwrap_or(rest)),
            None => (None, text.as_str()),
        };
        peers.push(Peer::Group { id: id.to_owned(), account });
    }
    for name in option.group_name.iter().flatten() {
        peers.push(match groups.get(name) {
            Some(id) => Peer::Group { id: id.clone(), account: None },
            None => Peer::NewGroup(name.clone()),
        });
    }
    Ok(peers)
}

/// Returns the texts of a list that may hold lists, or of a text with commas.
fn texts(json: Option<&Json>) -> Result<Vec<String>, Failure> {
    match json {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::String(text)) => Ok(text.split(',').map(|part| part.trim().to_owned()).collect()),
        Some(Json::Array(items)) => {
            let parts: Vec<_> = items.iter().map(|item| texts(Some(item))).collect::<Result<_, _>>()?;
            Ok(parts.concat())
        }
        Some(other) => Err(Failure::new(format!("{other} is not a network"))
            .with_help("Write it in CIDR notation: 10.0.0.0/16, or 2001:db8::/32 for cidr_ipv6.")),
    }
}

/// Returns a network without its host bits, which EC2 does not keep.
fn network_v4(text: &str, warnings: &mut Vec<String>) -> String {
    let parsed = text.split_once('/').and_then(|(address, bits)| {
        Some((address.parse::<Ipv4Addr>().ok()?, bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?))
    });
    let Some((address, bits)) = parsed else { return text.to_owned() };
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    let network = Ipv4Addr::from(u32::from(address) & mask);
    noted(text, network != address, format!("{network}/{bits}"), warnings)
}

/// Returns a network without its host bits, in the form in which EC2 describes it.
fn network_v6(text: &str, warnings: &mut Vec<String>) -> String {
    let parsed = text.split_once('/').and_then(|(address, bits)| {
        Some((address.parse::<Ipv6Addr>().ok()?, bits.parse::<u32>().ok().filter(|bits| *bits <= 128)?))
    });
    let Some((address, bits)) = parsed else { return text.to_owned() };
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    let network = Ipv6Addr::from(u128::from(address) & mask);
    noted(text, network != address, format!("{network}/{bits}"), warnings)
}

fn noted(text: &str, has_host_bits: bool, network: String, warnings: &mut Vec<String>) -> String {
    if has_host_bits {
        warnings.push(format!(
            "One of your CIDR addresses ({text}) has host bits set. To get rid of this warning, check the network mask \
            and make sure that only network bits are set: {network}."
        ));
    }
    network
}

/// Returns the rules of a group as EC2 describes them.
pub(crate) fn described(permissions: &[IpPermission], account: Option<&str>) -> Rules {
    let mut rules = Rules::new();
    for permission in permissions {
        let protocol = permission.ip_protocol().unwrap_or("-1").to_owned();
        let ports = permission.from_port().zip(permission.to_port()).filter(|_| protocol != "-1");
        let mut add = |peer: Peer, description: Option<&str>| {
            let rule = Rule { protocol: protocol.clone(), ports, peer };
            rules.insert(rule, description.map(str::to_owned));
        };
        for range in permission.ip_ranges() {
            add(Peer::V4(range.cidr_ip().unwrap_or_default().to_owned()), range.description());
        }
        for range in permission.ipv6_ranges() {
            add(Peer::V6(range.cidr_ipv6().unwrap_or_default().to_owned()), range.description());
        }
        for list in permission.prefix_list_ids() {
            add(Peer::PrefixList(list.prefix_list_id().unwrap_or_default().to_owned()), list.description());
        }
        for pair in permission.user_id_group_pairs() {
            let other = pair.user_id().filter(|id| account != Some(id)).map(str::to_owned);
            let id = pair.group_id().unwrap_or_default().to_owned();
            add(Peer::Group { id, account: other }, pair.description());
        }
    }
    rules
}

/// Returns a rule as the API takes it.
pub(crate) fn permission(rule: &Rule, description: Option<&str>) -> Result<IpPermission, Error> {
    let text = description.map(str::to_owned);
    let permission = IpPermission::builder()
        .ip_protocol(&rule.protocol)
        .set_from_port(rule.ports.map(|(from, _)| from))
        .set_to_port(rule.ports.map(|(_, to)| to));
    let permission = match &rule.peer {
        Peer::V4(cidr) => {
            permission.ip_ranges(IpRange::builder().cidr_ip(cidr).set_description(text).build())
        }
        Peer::V6(cidr) => {
            permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).set_description(text).build())
        }
        Peer::PrefixList(id) => permission
            .prefix_list_ids(PrefixListId::builder().prefix_list_id(id).set_description(text).build()),
        Peer::Group { id, account } => permission.user_id_group_pairs(
            UserIdGroupPair::builder()
                .group_id(id)
                .set_user_id(account.clone())
                .set_description(text)
                .build(),
        ),
        Peer::NewGroup(name) => {
            return Err(Error::new(format!("there is no security group '{name}'"))
                .with_help("Create it in an earlier task, or give group_desc, with which it is created."));
        }
    };
    Ok(permission.build())
}

/// What is to be done to a group's rules.
#[derive(Debug, Default)]
pub(crate) struct RuleChanges {
    pub add: Rules,
    pub remove: Rules,
    /// The rules whose description differs, with the new one.
    pub describe: Rules,
}

impl RuleChanges {
    /// Returns the changes; there are none if `asked` is `None`.
    pub(crate) fn between(current: &Rules, asked: Option<&Rules>, purge: bool) -> RuleChanges {
        let mut changes = RuleChanges::default();
        let Some(asked) = asked else { return changes };
        for (rule, description) in asked {
            match current.get(rule) {
                None => drop(changes.add.insert(rule.clone(), description.clone())),
                Some(known) if description.is_some() && known != description => {
                    changes.describe.insert(rule.clone(), description.clone());
                }
                Some(_) => {}
            }
        }
        if purge {
            let gone = current.iter().filter(|(rule, _)| !asked.contains_key(*rule));
            changes.remove = gone.map(|(rule, text)| (rule.clone(), text.clone())).collect();
        }
        changes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty() && self.describe.is_empty()
    }

    /// Returns the rules after the changes.
    pub(crate) fn apply(&self, current: &Rules) -> Rules {
        let mut rules = current.clone();
        rules.retain(|rule, _| !self.remove.contains_key(rule));
        rules.extend(self.add.clone());
        rules.extend(self.describe.clone());
        rules
    }
}

/// Returns rules as a difference shows them.
pub(crate) fn shown(rules: &Rules) -> Json {
    let one = |(rule, description): (&Rule, &Option<String>)| match description {
        Some(text) => Json::from(format!("{rule} ({text})")),
        None => Json::from(rule.to_string()),
    };
    rules.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_lose_their_host_bits_with_a_warning() {
        let mut warnings = Vec::new();
        assert_eq!(network_v4("10.20.1.5/16", &mut warnings), "10.20.0.0/16");
        assert_eq!(network_v6("2001:DB8::1/32", &mut warnings), "2001:db8::/32");
        assert_eq!(warnings.len(), 2);
        assert_eq!(network_v4("0.0.0.0/0", &mut warnings), "0.0.0.0/0");
        assert_eq!(network_v6("::/0", &mut warnings), "::/0");
        assert_eq!(network_v4("10.0.0.1", &mut warnings), "10.0.0.1");
        assert_eq!(warnings.len(), 2);
    }

    #[test]
    fn ports_are_numbers_and_ranges() {
        assert_eq!(range("443").unwrap(), (443, 443));
        assert_eq!(range("8000 - 8100").unwrap(), (8000, 8100));
        assert_eq!(range("8100-8000").unwrap(), (8000, 8100));
        assert_eq!(range("-1").unwrap(), (-1, -1));
        assert!(range("many").is_err() && range("1-").is_err() && range("").is_err());
    }
}
