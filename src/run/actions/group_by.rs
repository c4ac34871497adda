//! `group_by`

use std::sync::Arc;

use playbook_api::spec::CheckedBy;
use playbook_api::{Doc, Failure, JsonSchema, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::run::call::effect::Effect;

/// Adds each host to a group that is named after a value, usually a fact.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct GroupBy {
    /// The name of the group; spaces become dashes.
    key: String,
    /// The parent groups of the group.
    #[serde(default)]
    parents: Vec<String>,
}

impl Action for GroupBy {
    const DOC: Doc = Doc {
        name: "group_by",
        short: "Groups hosts by a value",
        examples: "- group_by:\n    key: os_{{ ansible_facts['distribution'] }}\n",
        ..BUILTIN
    };
    const CHECKED_BY: CheckedBy = CheckedBy::Action;
    const MISSING: Option<&'static str> = Some("the 'key' param is required when using group_by");

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
