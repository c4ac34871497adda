//! `group`: creates, changes or removes groups.

use nix::unistd::Group as Entry;
use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, Value};

use crate::host::Host;
use crate::host::accounts;
use crate::host::process::Program;
use crate::host::state::State;

/// Makes, changes and removes groups, with the system's own programs.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Group {
    /// The name of the group.
    name: String,
    /// The number of the group.
    gid: Option<u32>,
    /// Whether the group is to exist.
    #[serde(default)]
    state: State,
    /// Whether to remove the group even if it is a user's primary group.
    #[serde(default)]
    force: bool,
    /// Whether to create a system group.
    #[serde(default)]
    system: bool,
    /// Whether to use the programs for local groups, where groups come from a directory service.
    #[serde(default)]
    local: bool,
    /// Whether the number may belong to another group too.
    #[serde(default)]
    non_unique: bool,
    /// The least number to choose for a new group.
    gid_min: Option<u32>,
    /// The greatest number to choose for a new group.
    gid_max: Option<u32>,
}

impl HostModule for Group {
    const DOC: Doc = Doc {
        name: "group",
        short: "Makes, changes and removes groups",
        returns: &[
            ("name", "str", "The group."),
            ("gid", "int", "Its number."),
            ("state", "str", "`present` or `absent`."),
            ("system", "bool", "Whether a system group was asked for."),
        ],
        examples: "- group:\n    name: somegroup\n    gid: 1750\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if self.non_unique && self.gid.is_none() {
            return Err(Failure::new("missing parameter(s) required by 'non_unique': gid"));
        }
        let host = Host::new(context);
        let there = find(&self.name);
        let program =
            |name: &str| Program::new([if self.local { format!("l{name}") } else { name.to_owned() }]);
        let change = match (self.state, &there) {
            (State::Absent, Some(_)) => {
                let delete = program("groupdel");
                Some(if self.force && !self.local { delete.arg("-f") } else { delete })
            }
            (State::Absent, None) => None,
            (State::Present, None) => Some(self.numbered(program("groupadd"), true)),
            (State::Present, Some(entry)) => {
                let differs = self.gid.is_some_and(|gid| gid != entry.gid.as_raw());
                differs.then(|| self.numbered(program("groupmod"), false))
            }
        };
        let mut outcome = Outcome::changed(change.is_some()).with("name", self.name.as_str());
        if let Some(change) = change {
            host.run_ok(&change.arg(&self.name)).map_err(|f| f.with("name", self.name.as_str()))?;
        }
        let state = if self.state == State::Present { "present" } else { "absent" };
        outcome = outcome.with("state", state);
        if self.state == State::Present {
            let gid = find(&self.name).map(|g| g.gid.as_raw()).filter(|_| !host.check()).or(self.gid);
            let gid = gid.or(there.map(|g| g.gid.as_raw()));
            outcome = outcome.with("system", self.system).with("gid", gid.map_or(Value::Null, Value::from));
        }
        Ok(outcome)
    }
}

fn find(name: &str) -> Option<Entry> {
    accounts::group(name)
}

impl Group {
    fn numbered(&self, mut program: Program, new: bool) -> Program {
        if let Some(gid) = self.gid {
            program = program.args(["-g".to_owned(), gid.to_string()]);
            if self.non_unique {
                program = program.arg("-o");
            }
        }
        if new && self.system {
            program = program.arg("-r");
        }
        for (name, value) in [("GID_MIN", self.gid_min), ("GID_MAX", self.gid_max)] {
            if let Some(value) = value.filter(|_| new) {
                program = program.args(["-K".to_owned(), format!("{name}={value}")]);
            }
        }
        program
    }
}
