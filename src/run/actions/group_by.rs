//! `group_by`

use std::sync::Arc;

use playbook_api::{Doc, Failure, JsonSchema, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::run::call::effect::Effect;

/// Puts each host into a group named by a value, a fact of it usually.
#[derive(Deserialize, JsonSchema)]
pub struct GroupBy {
    /// The group's name; spaces become dashes.
    key: String,
    /// The groups that the group becomes a child of.
    #[serde(default)]
    parents: Vec<String>,
}

impl Action for GroupBy {
    const DOC: Doc = Doc {
        name: "group_by",
        short: "Group hosts by a value",
        examples: "- group_by:\n    key: os_{{ ansible_facts['distribution'] }}\n",
        ..BUILTIN
    };
    const CHECKS_ARGUMENTS: bool = true;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let clean = |name: &str| Arc::<str>::from(name.replace(' ', "-"));
        let group = clean(&self.key);
        let parents: Vec<Arc<str>> = if self.parents.is_empty() {
            vec!["all".into()]
        } else {
            self.parents.iter().map(|p| clean(p)).collect()
        };
        let inventory = call.scope.base.inventory();
        let known = inventory.groups.get(&group).is_some_and(|g| g.hosts.contains(call.item.host));
        let outcome =
            Outcome::changed(!known).with("add_group", group.clone()).with("parent_groups", parents.clone());
        call.effects.push(Effect::GroupBy { host: call.item.host.clone(), group, parents });
        Ok(outcome)
    }
}
