//! `getent`: the system's databases of users, groups, hosts, services.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value};

use crate::host::Host;
use crate::host::process::Program;

/// Queries the system's databases with the program `getent`, and stores the result as the fact `getent_DATABASE`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Getent {
    /// The database to read: `passwd`, `group`, `hosts`, `services` and others.
    database: String,
    /// The key of the entry to read; all entries if it is missing.
    key: Option<String>,
    /// Whether a missing key is a failure.
    #[serde(default = "playbook_api::defaults::yes")]
    fail_key: bool,
    /// The character between the fields of an entry.
    split: Option<String>,
    /// The source to query, instead of those that `nsswitch.conf` lists.
    service: Option<String>,
}

impl HostModule for Getent {
    const DOC: Doc = Doc {
        name: "getent",
        short: "Asks the system's databases",
        check_mode: "Full: it only reads.",
        returns: &[("ansible_facts", "dict", "`getent_DATABASE`: the fields of each entry.")],
        examples: "- getent:\n    database: passwd\n    key: root\n- debug:\n    var: ansible_facts.getent_passwd\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let mut program = Program::new(["getent"]);
        if let Some(service) = &self.service {
            program = program.args(["-s", service]);
        }
        program = program.arg(&self.database);
        if let Some(key) = &self.key {
            program = program.arg(key);
        }
        let output = Host::new(context).query(&program)?;
        let fact = format!("getent_{}", self.database);
        match output.rc {
            0 => {}
            1 => return Err(Failure::new("Missing arguments, or database unknown.")),
            2 => {
                let message = "One or more supplied key could not be found in the database.";
                if self.fail_key {
                    return Err(Failure::new(message));
                }
                let none: Map = self.key.iter().map(|k| (k.as_str().into(), Value::Null)).collect();
                let facts = [(fact.into(), none.into())].into_iter().collect();
                return Ok(Outcome { facts, ..Outcome::default().msg(message) });
            }
            3 => return Err(Failure::new("Enumeration not supported on this database.")),
            _ => return Err(Failure::new("Unexpected failure!").with("stderr", output.err())),
        }
        let entries = self.entries(&output.out());
        let facts = [(fact.into(), entries.into())].into_iter().collect();
        Ok(Outcome { facts, ..Outcome::default() })
    }
}

impl Getent {
    fn entries(&self, text: &str) -> Map {
        let colons = matches!(self.database.as_str(), "passwd" | "shadow" | "group" | "gshadow");
        let separator = self.split.as_deref().or(colons.then_some(":"));
        let mut seen: indexmap::IndexMap<String, Vec<Value>> = indexmap::IndexMap::new();
        for line in text.lines().filter(|l| !l.is_empty()) {
            let fields: Vec<&str> = match separator {
                Some(separator) => line.split(separator).collect(),
                None => line.split_whitespace().collect(),
            };
            if let Some((name, rest)) = fields.split_first() {
                seen.entry((*name).to_owned()).or_default().push(rest.to_vec().into());
            }
        }
        // A name that comes several times has a list of entries.
        let one = |mut all: Vec<Value>| if all.len() == 1 { all.remove(0) } else { Value::from(all) };
        seen.into_iter().map(|(name, all)| (name.into(), one(all))).collect()
    }
}
