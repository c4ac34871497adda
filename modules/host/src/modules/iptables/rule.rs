//! One rule, and the words that the program takes for it.

use playbook_api::{Deserialize, JsonSchema};

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Syn {
    #[default]
    Ignore,
    Match,
    Negate,
}

/// Which flags of TCP are looked at, and which of them must be set.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
struct TcpFlags {
    /// The TCP flags to examine.
    flags: Option<Vec<String>>,
    /// The TCP flags that must be set.
    flags_set: Option<Vec<String>>,
}

/// The conditions for a packet, and its target. A value that begins with `!` is negated.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Rule {
    /// The protocol: tcp, udp, icmp, a number or all.
    protocol: Option<String>,
    /// The source address or network.
    source: Option<String>,
    /// The new source address (SNAT).
    to_source: Option<String>,
    /// The destination address or network.
    destination: Option<String>,
    /// The new destination address (DNAT).
    to_destination: Option<String>,
    /// The match extensions to use.
    #[serde(rename = "match", default)]
    matches: Vec<String>,
    /// The TCP flags that the rule matches.
    tcp_flags: Option<TcpFlags>,
    /// The target of matching packets: ACCEPT, DROP, a chain or an extension.
    pub(crate) jump: Option<String>,
    /// The host that gets a copy of each packet (TEE).
    gateway: Option<String>,
    /// The prefix of lines in the log.
    log_prefix: Option<String>,
    /// The level of lines in the log.
    #[schemars(extend("enum" = ["0", "1", "2", "3", "4", "5", "6", "7", "emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"]))]
    log_level: Option<String>,
    /// The chain to go on in, without returning.
    goto: Option<String>,
    /// The interface that a packet came in by.
    in_interface: Option<String>,
    /// The interface that a packet leaves by.
    out_interface: Option<String>,
    /// Whether the rule matches second and further fragments only.
    fragment: Option<String>,
    /// The initial values of the packet and byte counters.
    set_counters: Option<String>,
    /// The source port or range of ports.
    source_port: Option<String>,
    /// The destination port or range of ports.
    destination_port: Option<String>,
    /// The destination ports (multiport).
    #[serde(default)]
    destination_ports: Vec<String>,
    /// The new destination ports.
    to_ports: Option<String>,
    /// The DSCP mark to set, as a number.
    set_dscp_mark: Option<String>,
    /// The DSCP mark to set, as a class.
    set_dscp_mark_class: Option<String>,
    /// A comment on the rule.
    comment: Option<String>,
    /// The states of the connection that the rule matches.
    #[serde(default)]
    ctstate: Vec<String>,
    /// The range of source addresses.
    src_range: Option<String>,
    /// The range of destination addresses.
    dst_range: Option<String>,
    /// The address set that a packet is looked up in.
    match_set: Option<String>,
    /// The parts of a packet that are looked up in the set.
    #[schemars(extend("enum" = ["src", "dst", "src,dst", "dst,src", "src,src", "dst,dst"]))]
    match_set_flags: Option<String>,
    /// The greatest average rate of matches, such as `3/minute`.
    limit: Option<String>,
    /// The number of matches before the limit counts.
    limit_burst: Option<String>,
    /// The user whose process sent the packet.
    uid_owner: Option<String>,
    /// The group whose process sent the packet.
    gid_owner: Option<String>,
    /// The error packet that is returned (REJECT).
    reject_with: Option<String>,
    /// The type of ICMP packet.
    icmp_type: Option<String>,
    /// Whether a TCP packet must, or must not, open a connection.
    #[serde(default)]
    syn: Syn,
}

/// The arguments so far.
struct Words(Vec<String>);

impl Words {
    fn say(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(|word| (*word).to_owned()));
    }

    fn option(&mut self, flag: &str, value: &Option<String>) {
        match value.as_deref().map(|value| value.strip_prefix('!').ok_or(value)) {
            Some(Ok(negated)) => self.say(&["!", flag, negated]),
            Some(Err(value)) => self.say(&[flag, value]),
            None => {}
        }
    }

    fn extension(&mut self, name: &str, needed: bool) {
        if needed {
            self.say(&["-m", name]);
        }
    }

    fn list(&mut self, flag: &str, values: &[String]) {
        if !values.is_empty() {
            self.say(&[flag, &values.join(",")]);
        }
    }
}

impl Rule {
    /// Whether it writes to the log.
    pub(crate) fn logs(&self) -> bool {
        self.log_prefix.is_some() || self.log_level.is_some()
    }

    /// The rule as arguments of the program.
    pub(crate) fn words(&self, icmp_option: &str) -> Vec<String> {
        let mut words = Words(Vec::new());
        let jumps_to =
            |target: &str| self.jump.as_deref().is_some_and(|jump| jump.eq_ignore_ascii_case(target));
        let has = |name: &str| self.matches.iter().any(|m| m == name);
        words.option("-p", &self.protocol);
        words.option("-s", &self.source);
        words.option("-d", &self.destination);
        for name in &self.matches {
            words.option("-m", &Some(name.clone()));
        }
        if let Some(TcpFlags { flags: Some(flags), flags_set: Some(set) }) = &self.tcp_flags {
            words.say(&["--tcp-flags", &flags.join(","), &set.join(",")]);
        }
        words.option("-j", &self.jump);
        if jumps_to("tee") {
            words.option("--gateway", &self.gateway);
        }
        words.option("--log-prefix", &self.log_prefix);
        words.option("--log-level", &self.log_level);
        words.option("--to-destination", &self.to_destination);
        words.extension("multiport", !self.destination_ports.is_empty());
        words.list("--dports", &self.destination_ports);
        words.option("--to-source", &self.to_source);
        words.option("-g", &self.goto);
        words.option("-i", &self.in_interface);
        words.option("-o", &self.out_interface);
        words.option("-f", &self.fragment);
        words.option("-c", &self.set_counters);
        words.option("--source-port", &self.source_port);
        words.option("--destination-port", &self.destination_port);
        words.option("--to-ports", &self.to_ports);
        words.option("--set-dscp", &self.set_dscp_mark);
        if self.set_dscp_mark.is_some() && !jumps_to("dscp") {
            words.say(&["-j", "DSCP"]);
        }
        words.option("--set-dscp-class", &self.set_dscp_mark_class);
        if self.set_dscp_mark_class.is_some() && !jumps_to("dscp") {
            words.say(&["-j", "DSCP"]);
        }
        match self.syn {
            Syn::Ignore => {}
            Syn::Match => words.say(&["--syn"]),
            Syn::Negate => words.say(&["!", "--syn"]),
        }
        if has("state") && !has("conntrack") {
            words.list("--state", &self.ctstate);
        } else {
            words.extension("conntrack", !has("conntrack") && !self.ctstate.is_empty());
            words.list("--ctstate", &self.ctstate);
        }
        let ranges = self.src_range.is_some() || self.dst_range.is_some();
        words.extension("iprange", !has("iprange") && ranges);
        words.option("--src-range", &self.src_range);
        words.option("--dst-range", &self.dst_range);
        words.extension("set", !has("set") && self.match_set.is_some());
        words.option("--match-set", &self.match_set);
        if let Some(flags) = &self.match_set_flags {
            words.say(&[flags]);
        }
        words.extension("limit", self.limit.is_some() || self.limit_burst.is_some());
        words.option("--limit", &self.limit);
        words.option("--limit-burst", &self.limit_burst);
        words.extension("owner", self.uid_owner.is_some());
        words.option("--uid-owner", &self.uid_owner);
        words.extension("owner", self.gid_owner.is_some());
        words.option("--gid-owner", &self.gid_owner);
        if self.jump.is_none() && self.reject_with.is_some() {
            words.say(&["-j", "REJECT"]);
        }
        words.option("--reject-with", &self.reject_with);
        words.option(icmp_option, &self.icmp_type);
        words.extension("comment", self.comment.is_some());
        words.option("--comment", &self.comment);
        words.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_become_words() {
        let rule = Rule {
            protocol: Some("tcp".into()),
            source: Some("!10.0.0.1".into()),
            destination_ports: vec!["80".into(), "443".into()],
            ctstate: vec!["NEW".into()],
            jump: Some("ACCEPT".into()),
            comment: Some("web".into()),
            ..Rule::default()
        };
        assert_eq!(
            rule.words("--icmp-type").join(" "),
            "-p tcp ! -s 10.0.0.1 -j ACCEPT -m multiport --dports 80,443 -m conntrack --ctstate NEW -m \
            comment --comment web"
        );
    }
}
