//! The counts behind the recap.

use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::{Map, Value};

use crate::report::{Event, HostStats};

/// The counts of the recap, and the values of `set_stats`.
#[derive(Debug, Default)]
pub struct Stats {
    hosts: IndexMap<Arc<str>, HostStats>,
    custom: IndexMap<Arc<str>, Map>,
}

impl Stats {
    fn of(&mut self, host: &Arc<str>) -> &mut HostStats {
        self.hosts.entry(host.clone()).or_default()
    }

    pub fn ok(&mut self, host: &Arc<str>, changed: bool) {
        let stats = self.of(host);
        stats.ok += 1;
        stats.changed += u64::from(changed);
    }

    pub fn skipped(&mut self, host: &Arc<str>) {
        self.of(host).skipped += 1;
    }

    pub fn failed(&mut self, host: &Arc<str>) {
        self.of(host).failed += 1;
    }

    pub fn rescued(&mut self, host: &Arc<str>) {
        self.of(host).rescued += 1;
    }

    pub fn ignored(&mut self, host: &Arc<str>, changed: bool) {
        self.ok(host, changed);
        self.of(host).ignored += 1;
    }

    pub fn unreachable(&mut self, host: &Arc<str>) {
        self.of(host).unreachable += 1;
    }

    /// Applies `set_stats`, for one host or for the run. With `aggregate` values are added to existing ones.
    pub fn custom(&mut self, host: Option<Arc<str>>, data: Map, aggregate: bool) {
        let all = self.custom.entry(host.unwrap_or_else(|| "_run".into())).or_default();
        for (key, value) in data {
            let sum = match (all.get(&key), aggregate) {
                (Some(old), true) => add(old, &value),
                _ => value,
            };
            all.insert(key, sum);
        }
    }

    /// Whether anything changed on any host.
    pub fn changed(&self) -> bool {
        self.hosts.values().any(|stats| stats.changed > 0)
    }

    pub fn event(&self) -> Event {
        let mut hosts = self.hosts.clone();
        hosts.sort_keys();
        Event::Stats { hosts, custom: self.custom.clone() }
    }
}

fn add(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Map(a), Value::Map(b)) => {
            let mut merged = (**a).clone();
            merged.extend(b.iter().map(|(k, v)| (k.clone(), v.clone())));
            merged.into()
        }
        (Value::List(a), Value::List(b)) => a.iter().chain(b.iter()).cloned().collect(),
        (Value::Str(a), Value::Str(b)) => format!("{}{}", a.as_str(), b.as_str()).into(),
        (a, b) => match (a.integer(), b.integer(), a.as_f64(), b.as_f64()) {
            (Some(a), Some(b), ..) => Value::big(a.into_owned() + b.into_owned()),
            (_, _, Some(a), Some(b)) => (a + b).into(),
            _ => b.clone(),
        },
    }
}
