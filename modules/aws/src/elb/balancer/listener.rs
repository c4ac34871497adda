//! The listeners of a load balancer.

use aws_sdk_elasticloadbalancingv2::types::{Action, Certificate, ProtocolEnum};
use playbook_api::Failure;
use serde_json::{Map, Value as Json, json};

use super::action::{self, ActionOption, Groups};
use super::current::Found;
use super::rules::{self, RuleOption};
use crate::client::Aws;
use crate::compare::Changes;
use crate::error::Explain;

/// A listener as the arguments of either module describe it. Its port identifies it.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub port: i32,
    pub protocol: String,
    pub ssl_policy: Option<String>,
    /// The ARNs of the certificates; the first is the default one.
    pub certificates: Option<Vec<String>>,
    pub alpn_policy: Option<String>,
    pub default_actions: Vec<ActionOption>,
    /// The rules; `None` leaves them as they are.
    pub rules: Option<Vec<RuleOption>>,
}

impl Wanted {
    /// Returns all actions, those of rules included.
    pub(super) fn actions(&self) -> impl Iterator<Item = &ActionOption> {
        self.default_actions.iter().chain(self.rules.iter().flatten().flat_map(|rule| &rule.actions))
    }

    fn sdk_actions(&self, groups: &Groups) -> Vec<Action> {
        self.default_actions.iter().map(|action| action.sdk(groups)).collect()
    }

    /// Returns the listener for results of check mode and `--diff`.
    pub(super) fn shown(&self, groups: &Groups) -> Json {
        let mut members = Map::new();
        members.insert("port".to_owned(), json!(self.port));
        members.insert("protocol".to_owned(), json!(self.protocol));
        members.insert("default_actions".to_owned(), json!(action::normal(&self.sdk_actions(groups))));
        if let Some(policy) = &self.ssl_policy {
            members.insert("ssl_policy".to_owned(), json!(policy));
        }
        if let Some(policy) = &self.alpn_policy {
            members.insert("alpn_policy".to_owned(), json!([policy]));
        }
        if let Some(arns) = &self.certificates {
            let certificates = arns.iter().map(|arn| json!({"certificate_arn": arn})).collect();
            members.insert("certificates".to_owned(), certificates);
        }
        if let Some(rules) = &self.rules {
            members.insert("rules".to_owned(), rules.iter().map(|rule| rule.shown(groups)).collect());
        }
        members.into()
    }

    /// Returns whether a listener has everything asked, its rules and further certificates aside.
    fn equal(&self, found: &Found, groups: &Groups) -> bool {
        let is = &found.listener;
        let default = is.certificates().first().and_then(|certificate| certificate.certificate_arn());
        is.protocol().is_some_and(|protocol| protocol.as_str() == self.protocol)
            && self.ssl_policy.as_deref().is_none_or(|policy| is.ssl_policy() == Some(policy))
            && self.certificates.as_ref().is_none_or(|arns| arns.first().map(String::as_str) == default)
            && self.alpn_policy.as_deref().is_none_or(|policy| match policy {
                "None" => is.alpn_policy().iter().all(|is| is == "None"),
                policy => is.alpn_policy() == [policy],
            })
            && action::equal(&self.sdk_actions(groups), is.default_actions())
    }

    fn first_certificate(&self) -> Option<Vec<Certificate>> {
        self.certificates.as_ref()?.first().map(|arn| vec![certificate(arn)])
    }

    /// Returns the certificates to add and to remove beyond the default one.
    fn certificate_changes(&self, current: &[String]) -> (Vec<String>, Vec<String>) {
        let Some(asked) = &self.certificates else { return (Vec::new(), Vec::new()) };
        let asked = asked.get(1..).unwrap_or_default();
        let lacks = |list: &[String], arn: &String| !list.contains(arn);
        (
            asked.iter().filter(|arn| lacks(current, arn)).cloned().collect(),
            current.iter().filter(|arn| lacks(asked, arn)).cloned().collect(),
        )
    }

    async fn create(&self, aws: &Aws, balancer: &str, groups: &Groups) -> Result<String, Failure> {
        let request = aws
            .elb()
            .create_listener()
            .load_balancer_arn(balancer)
            .port(self.port)
            .protocol(ProtocolEnum::from(self.protocol.as_str()))
            .set_ssl_policy(self.ssl_policy.clone())
            .set_certificates(self.first_certificate())
            .set_alpn_policy(self.alpn_policy.clone().map(|policy| vec![policy]))
            .set_default_actions(Some(self.sdk_actions(groups)));
        let answer = request.send().await.explain("elasticloadbalancing:CreateListener")?;
        let created = answer.listeners.unwrap_or_default().into_iter().next();
        Ok(created.and_then(|listener| listener.listener_arn).unwrap_or_default())
    }

    async fn modify(&self, aws: &Aws, arn: &str, groups: &Groups) -> Result<(), Failure> {
        let request = aws
            .elb()
            .modify_listener()
            .listener_arn(arn)
            .port(self.port)
            .protocol(ProtocolEnum::from(self.protocol.as_str()))
            .set_ssl_policy(self.ssl_policy.clone())
            .set_certificates(self.first_certificate())
            .set_alpn_policy(self.alpn_policy.clone().map(|policy| vec![policy]))
            .set_default_actions(Some(self.sdk_actions(groups)));
        Ok(request.send().await.explain("elasticloadbalancing:ModifyListener").map(drop)?)
    }

    async fn change_certificates(&self, aws: &Aws, arn: &str, current: &[String]) -> Result<(), Failure> {
        let (add, remove) = self.certificate_changes(current);
        // The API takes one certificate per call.
        for one in add {
            let request = aws.elb().add_listener_certificates().listener_arn(arn);
            let request = request.certificates(certificate(&one));
            request.send().await.explain("elasticloadbalancing:AddListenerCertificates")?;
        }
        for one in remove {
            let request = aws.elb().remove_listener_certificates().listener_arn(arn);
            let request = request.certificates(certificate(&one));
            request.send().await.explain("elasticloadbalancing:RemoveListenerCertificates")?;
        }
        Ok(())
    }
}

fn certificate(arn: &str) -> Certificate {
    Certificate::builder().certificate_arn(arn).build()
}

/// Returns a listener with the members of the other form, for `--diff`.
fn shown(found: &Found, like: Option<&Wanted>) -> Json {
    let is = &found.listener;
    let mut json = json!({
        "port": is.port(),
        "protocol": is.protocol().map(|protocol| protocol.as_str()),
        "default_actions": action::normal(is.default_actions()),
    });
    let Some(like) = like else { return json };
    if like.ssl_policy.is_some() {
        json["ssl_policy"] = json!(is.ssl_policy());
    }
    if like.alpn_policy.is_some() {
        json["alpn_policy"] = json!(is.alpn_policy());
    }
    if like.certificates.is_some() {
        let default = is.certificates().iter().filter_map(|certificate| certificate.certificate_arn());
        let all = default.chain(found.more_certificates.iter().map(String::as_str));
        json["certificates"] = all.map(|arn| json!({"certificate_arn": arn})).collect();
    }
    if like.rules.is_some() {
        json["rules"] = rules::current(&found.rules);
    }
    json
}

/// The listeners, each with what it is to be.
pub(super) struct Plan<'a> {
    asked: Vec<(&'a Wanted, Option<&'a Found>)>,
    /// The listeners that are not asked for.
    others: Vec<&'a Found>,
    delete: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn between(
        current: &'a [Found],
        asked: &'a [Wanted],
        _groups: &Groups,
        purge: bool,
    ) -> Plan<'a> {
        let at = |port: i32| current.iter().find(|found| found.listener.port() == Some(port));
        let others =
            current.iter().filter(|found| !asked.iter().any(|a| Some(a.port) == found.listener.port()));
        Plan {
            asked: asked.iter().map(|wanted| (wanted, at(wanted.port))).collect(),
            others: others.collect(),
            delete: purge,
        }
    }

    fn rules(wanted: &'a Wanted, found: Option<&'a Found>, groups: &Groups, purge: bool) -> rules::Plan<'a> {
        let current = found.map_or(&[][..], |found| &found.rules);
        match &wanted.rules {
            Some(rules) => rules::Plan::between(current, rules, groups, purge),
            None => rules::Plan::default(),
        }
    }

    /// Records the listeners if one of them differs.
    pub(super) fn note(&self, groups: &Groups, purge_rules: bool, changes: &mut Changes) {
        let differs = |(wanted, found): &(&'a Wanted, Option<&'a Found>)| {
            let Some(found) = *found else { return true };
            let (add, remove) = wanted.certificate_changes(&found.more_certificates);
            !wanted.equal(found, groups)
                || !add.is_empty()
                || !remove.is_empty()
                || !Self::rules(wanted, Some(found), groups, purge_rules).is_empty()
        };
        let deletes = self.delete && !self.others.is_empty();
        if !deletes && !self.asked.iter().any(differs) {
            return;
        }
        let others: Vec<Json> = self.others.iter().map(|found| shown(found, None)).collect();
        let mut before: Vec<Json> =
            self.asked.iter().filter_map(|(wanted, found)| Some(shown((*found)?, Some(wanted)))).collect();
        let mut after: Vec<Json> = self.asked.iter().map(|(wanted, _)| wanted.shown(groups)).collect();
        before.extend(others.iter().cloned());
        if !self.delete {
            after.extend(others);
        }
        changes.note("listeners", before.into(), after.into());
    }

    pub(super) async fn apply(
        &self,
        aws: &Aws,
        balancer: &str,
        groups: &Groups,
        purge_rules: bool,
    ) -> Result<(), Failure> {
        if self.delete {
            for found in &self.others {
                let request = aws.elb().delete_listener().listener_arn(found.arn());
                request.send().await.explain("elasticloadbalancing:DeleteListener")?;
            }
        }
        for (wanted, found) in &self.asked {
            let arn = match found {
                None => wanted.create(aws, balancer, groups).await?,
                Some(found) => {
                    if !wanted.equal(found, groups) {
                        wanted.modify(aws, found.arn(), groups).await?;
                    }
                    found.arn().to_owned()
                }
            };
            let certificates = found.map_or(&[][..], |found| &found.more_certificates);
            wanted.change_certificates(aws, &arn, certificates).await?;
            Self::rules(wanted, *found, groups, purge_rules).apply(aws, &arn, groups).await?;
        }
        Ok(())
    }
}
