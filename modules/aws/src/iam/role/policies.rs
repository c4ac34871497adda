//! The policies of a role.

use std::collections::BTreeMap;

use playbook_api::{Error, Failure};

use super::{Current, IamRole};
use crate::client::Aws;
use crate::error::Explain;

/// Looks up the ARNs of policies that a task names by ARN or by name; `None` for one that does not exist.
pub(super) async fn resolve(
    aws: &Aws,
    asked: Option<&[String]>,
) -> Result<BTreeMap<String, Option<String>>, Error> {
    let asked = asked.unwrap_or_default();
    let mut named: BTreeMap<String, Option<String>> =
        asked.iter().map(|name| (name.clone(), name.starts_with("arn:").then(|| name.clone()))).collect();
    if named.values().all(Option::is_some) {
        return Ok(named);
    }
    let found: Result<Vec<_>, _> = aws.iam().list_policies().into_paginator().items().send().collect().await;
    for policy in found.explain("iam:ListPolicies")? {
        if let Some(arn) = policy.policy_name().and_then(|name| named.get_mut(name)) {
            *arn = policy.arn;
        }
    }
    Ok(named)
}

/// Rejects names of policies that do not exist.
pub(super) fn check(named: &BTreeMap<String, Option<String>>) -> Result<(), Failure> {
    match named.iter().find(|(_, arn)| arn.is_none()) {
        None => Ok(()),
        Some((name, _)) => Err(Failure::new(format!("there is no policy named '{name}'"))
            .with_help("Check `managed_policies`, or create it with iam_managed_policy.")),
    }
}

/// Returns the names of the inline policies of a role.
pub(super) async fn inline(aws: &Aws, role: &str) -> Result<Vec<String>, Error> {
    let request = aws.iam().list_role_policies().role_name(role);
    let found: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    found.explain("iam:ListRolePolicies")
}

impl IamRole {
    /// Returns the policies to attach and to detach. A policy that does not exist (yet) is named instead of its ARN.
    pub(super) fn policy_changes(&self, current: &Current) -> (Vec<String>, Vec<String>) {
        let Some(asked) = &self.managed_policies else { return (Vec::new(), Vec::new()) };
        let arn = |name: &String| current.named.get(name).cloned().flatten().unwrap_or_else(|| name.clone());
        let asked: Vec<String> = asked.iter().map(arn).collect();
        let is = current.attached_arns();
        let attach = asked.iter().filter(|arn| !is.contains(arn)).cloned().collect();
        let detach = match self.purge_policies {
            true => is.iter().filter(|arn| !asked.contains(arn)).cloned().collect(),
            false => Vec::new(),
        };
        (attach, detach)
    }
}
