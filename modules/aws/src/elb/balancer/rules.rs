//! The rules of a listener.

use aws_sdk_elasticloadbalancingv2::types::{Action, Rule, RuleCondition, RulePriorityPair};
use playbook_api::Failure;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::action::{self, ActionOption, Groups};
use super::condition::{self, ConditionOption};
use crate::client::Aws;
use crate::error::Explain;

/// A rule of a listener.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RuleOption {
    /// The priority, which identifies the rule. The lowest comes first.
    pub priority: i32,
    /// The conditions, all of which must be met.
    pub conditions: Vec<ConditionOption>,
    /// What to do with a request.
    pub actions: Vec<ActionOption>,
}

impl RuleOption {
    fn actions(&self, groups: &Groups) -> Vec<Action> {
        self.actions.iter().map(|action| action.sdk(groups)).collect()
    }

    fn conditions(&self) -> Vec<RuleCondition> {
        self.conditions.iter().map(ConditionOption::sdk).collect()
    }

    /// Returns the rule for `--diff`.
    pub(super) fn shown(&self, groups: &Groups) -> Json {
        shown(self.priority, &self.conditions(), &self.actions(groups))
    }

    fn equal(&self, rule: &Rule, groups: &Groups) -> bool {
        action::equal(&self.actions(groups), rule.actions())
            && condition::equal(&self.conditions(), rule.conditions())
    }
}

fn shown(priority: i32, conditions: &[RuleCondition], actions: &[Action]) -> Json {
    json!({
        "priority": priority,
        "conditions": condition::normal(conditions),
        "actions": action::normal(actions),
    })
}

fn priority(rule: &Rule) -> Option<i32> {
    rule.priority().and_then(|priority| priority.parse().ok())
}

/// Returns the rules of a listener without its default one, for `--diff`.
pub(super) fn current(rules: &[Rule]) -> Json {
    let one = |rule: &Rule| Some(shown(priority(rule)?, rule.conditions(), rule.actions()));
    rules.iter().filter_map(one).collect()
}

/// The changes of the rules of a listener.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    create: Vec<&'a RuleOption>,
    modify: Vec<(&'a Rule, &'a RuleOption)>,
    /// The rules that get another priority and stay otherwise the same.
    renumber: Vec<(&'a Rule, &'a RuleOption)>,
    delete: Vec<&'a Rule>,
}

impl<'a> Plan<'a> {
    pub(super) fn between(
        current: &'a [Rule],
        asked: &'a [RuleOption],
        groups: &Groups,
        purge: bool,
    ) -> Plan<'a> {
        let mut plan = Plan::default();
        let mut left: Vec<&Rule> = current.iter().filter(|rule| priority(rule).is_some()).collect();
        let mut moved = Vec::new();
        for rule in asked {
            match left.iter().position(|current| priority(current) == Some(rule.priority)) {
                Some(at) => {
                    let current = left.swap_remove(at);
                    if !rule.equal(current, groups) {
                        plan.modify.push((current, rule));
                    }
                }
                None => moved.push(rule),
            }
        }
        for rule in moved {
            match left.iter().position(|current| rule.equal(current, groups)) {
                Some(at) => plan.renumber.push((left.swap_remove(at), rule)),
                None => plan.create.push(rule),
            }
        }
        if purge {
            plan.delete = left;
        }
        plan
    }

    pub(super) fn is_empty(&self) -> bool {
        self.create.is_empty() && self.modify.is_empty() && self.renumber.is_empty() && self.delete.is_empty()
    }

    pub(super) async fn apply(&self, aws: &Aws, listener: &str, groups: &Groups) -> Result<(), Failure> {
        // What leaves a priority goes before what takes it.
        for rule in &self.delete {
            let request = aws.elb().delete_rule().set_rule_arn(rule.rule_arn.clone());
            request.send().await.explain("elasticloadbalancing:DeleteRule")?;
        }
        if !self.renumber.is_empty() {
            let pair = |(current, rule): &(&Rule, &RuleOption)| {
                RulePriorityPair::builder()
                    .set_rule_arn(current.rule_arn.clone())
                    .priority(rule.priority)
                    .build()
            };
            let pairs = self.renumber.iter().map(pair).collect();
            let request = aws.elb().set_rule_priorities().set_rule_priorities(Some(pairs));
            request.send().await.explain("elasticloadbalancing:SetRulePriorities")?;
        }
        for (current, rule) in &self.modify {
            let request = aws
                .elb()
                .modify_rule()
                .set_rule_arn(current.rule_arn.clone())
                .set_conditions(Some(rule.conditions()))
                .set_actions(Some(rule.actions(groups)));
            request.send().await.explain("elasticloadbalancing:ModifyRule")?;
        }
        for rule in &self.create {
            let request = aws
                .elb()
                .create_rule()
                .listener_arn(listener)
                .priority(rule.priority)
                .set_conditions(Some(rule.conditions()))
                .set_actions(Some(rule.actions(groups)));
            request.send().await.explain("elasticloadbalancing:CreateRule")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(priority: i32, path: &str) -> RuleOption {
        let json = json!({
            "Priority": priority,
            "Conditions": [{"Field": "path-pattern", "Values": [path]}],
            "Actions": [{"Type": "forward", "TargetGroupArn": "arn:web"}],
        });
        serde_json::from_value(json).unwrap()
    }

    fn rule(priority: &str, path: &str) -> Rule {
        let groups = Groups::new();
        let option = option(0, path);
        Rule::builder()
            .rule_arn(path)
            .priority(priority)
            .set_conditions(Some(option.conditions()))
            .set_actions(Some(option.actions(&groups)))
            .build()
    }

    #[test]
    fn a_rule_that_only_moves_keeps_its_arn() {
        let current = [rule("1", "/a"), rule("2", "/b"), rule("default", "/")];
        let asked = [option(1, "/c"), option(5, "/b")];
        let plan = Plan::between(&current, &asked, &Groups::new(), true);
        assert_eq!(
            (plan.create.len(), plan.modify.len(), plan.renumber.len(), plan.delete.len()),
            (0, 1, 1, 0)
        );
        assert!(
            Plan::between(&current, &[option(1, "/a"), option(2, "/b")], &Groups::new(), true).is_empty()
        );
        assert_eq!(Plan::between(&current, &[option(1, "/a")], &Groups::new(), true).delete.len(), 1);
        assert!(Plan::between(&current, &[option(1, "/a")], &Groups::new(), false).is_empty());
    }
}
