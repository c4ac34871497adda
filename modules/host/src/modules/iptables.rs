//! `iptables`: rules, chains and policies of the packet filter, as they are in memory.

mod rule;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::process::{Output, Program};
use crate::host::state::State;
use crate::host::{Host, ended_badly};
use rule::Rule;

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Where {
    #[default]
    Append,
    Insert,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Version {
    #[default]
    Ipv4,
    Ipv6,
    Both,
}

/// Manages the packet filter's rules. They last until the host is started anew.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["set_dscp_mark", "set_dscp_mark_class"], ["flush", "policy"]],
    "required_by" = [["set_dscp_mark", ["jump"]], ["set_dscp_mark_class", ["jump"]]],
    "required_if" = [["jump", "TEE", ["gateway"]], ["jump", "tee", ["gateway"]], ["flush", false, ["chain"]]],
))]
pub(crate) struct Iptables {
    /// The packet table that the command works on.
    #[schemars(extend("enum" = ["filter", "nat", "mangle", "raw", "security"]))]
    #[serde(default = "filter")]
    table: String,
    /// Whether the rule, or without one the chain, is to exist.
    #[serde(default)]
    state: State,
    /// Whether a new rule is appended to the chain or inserted at its beginning.
    #[serde(default)]
    action: Where,
    /// The version of the Internet Protocol.
    #[serde(default)]
    ip_version: Version,
    /// The chain that the rule belongs to.
    chain: Option<String>,
    /// The position at which a rule is inserted.
    rule_num: Option<String>,
    /// The number of seconds to wait for the lock of another iptables.
    wait: Option<String>,
    /// Whether to remove all rules of the chain, or of the table.
    #[serde(default)]
    flush: bool,
    /// The chain's policy for packets that none of its rules matches.
    #[schemars(extend("enum" = ["ACCEPT", "DROP", "QUEUE", "RETURN"]))]
    policy: Option<String>,
    /// Whether to create and remove chains too.
    #[serde(default)]
    chain_management: bool,
    /// Whether to list rules without looking up names of addresses.
    #[serde(default)]
    numeric: bool,
    #[serde(flatten)]
    rule: Rule,
}

fn filter() -> String {
    "filter".into()
}

impl HostModule for Iptables {
    const DOC: Doc = Doc {
        name: "iptables",
        short: "Manages the packet filter's rules",
        returns: &[
            ("rule", "str", "The rule, as the program takes it."),
            ("chain", "str", "The chain."),
            ("table", "str", "The table."),
        ],
        examples: "- iptables:\n    chain: INPUT\n    source: 8.8.8.8\n    jump: DROP\n",
        ..Doc::BUILTIN
    };

    fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let shown = self.rule.words(self.icmp_option()).join(" ");
        if self.rule.logs() {
            match self.rule.jump.as_deref() {
                None => self.rule.jump = Some("LOG".into()),
                Some("LOG") => {}
                Some(_) => {
                    return Err(Failure::new("Logging options can only be used with the LOG jump target."));
                }
            }
        }
        let (version, programs): (_, &[&str]) = match self.ip_version {
            Version::Ipv4 => ("ipv4", &["iptables"]),
            Version::Ipv6 => ("ipv6", &["ip6tables"]),
            Version::Both => ("both", &["iptables", "ip6tables"]),
        };
        let mut changed = false;
        for program in programs {
            changed |= self.apply(&host, program, shown.is_empty())?;
        }
        Ok(Outcome::changed(changed)
            .with("ip_version", version)
            .with("table", self.table)
            .with("chain", self.chain)
            .with("flush", self.flush)
            .with("rule", shown)
            .with("state", if self.state == State::Present { "present" } else { "absent" })
            .with("chain_management", self.chain_management)
            .with("wait", self.wait))
    }
}

impl Iptables {
    fn icmp_option(&self) -> &'static str {
        if self.ip_version == Version::Ipv6 { "--icmpv6-type" } else { "--icmp-type" }
    }

    /// A command on the chain.
    fn program(&self, program: &str, verb: &str) -> Program {
        let mut program = Program::new([program, "-t", &self.table, verb]);
        if let Some(chain) = &self.chain {
            program = program.arg(chain);
        }
        if let Some(number) = self.rule_num.as_ref().filter(|_| verb == "-I") {
            program = program.arg(number);
        }
        match &self.wait {
            Some(seconds) => program.args(["-w", seconds]),
            None => program,
        }
    }

    fn with_rule(&self, program: &str, verb: &str) -> Program {
        self.program(program, verb).args(self.rule.words(self.icmp_option()))
    }

    fn apply(&self, host: &Host, program: &str, no_rule: bool) -> Result<bool, Failure> {
        let present = self.state == State::Present;
        if self.flush {
            host.run_ok(&self.program(program, "-F"))?;
            return Ok(true);
        }
        if let Some(policy) = &self.policy {
            let now = self.policy_now(host, program)?;
            if now == *policy {
                return Ok(false);
            }
            host.run_ok(&self.program(program, "-P").arg(policy))?;
            return Ok(true);
        }
        if no_rule {
            let there = self.list(host, program)?.success();
            if there != present && self.chain_management {
                host.run_ok(&self.program(program, if present { "-N" } else { "-X" }))?;
            }
            return Ok(there != present);
        }
        if host.query(&self.with_rule(program, "-C"))?.success() == present {
            return Ok(false);
        }
        let verb = match (present, self.action) {
            (false, _) => "-D",
            (true, Where::Append) => "-A",
            (true, Where::Insert) => "-I",
        };
        host.run_ok(&self.with_rule(program, verb))?;
        Ok(true)
    }

    fn list(&self, host: &Host, program: &str) -> Result<Output, Failure> {
        let program = self.program(program, "-L");
        host.query(&if self.numeric { program.arg("--numeric") } else { program })
    }

    fn policy_now(&self, host: &Host, program: &str) -> Result<String, Failure> {
        let output = self.list(host, program)?;
        if !output.success() {
            return Err(ended_badly(&self.program(program, "-L"), &output));
        }
        let said = output.out();
        let policy = said.lines().next().and_then(|line| line.split("(policy ").nth(1));
        let policy = policy.and_then(|rest| rest.split([' ', ')']).next());
        policy.map(str::to_owned).ok_or_else(|| Failure::new("Can't detect current policy"))
    }
}
