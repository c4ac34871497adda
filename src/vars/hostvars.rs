//! `hostvars`: the variables of all hosts; the scope of a host is made when it is needed.

use std::sync::Arc;

use playbook_api::{Error, Map, Object, Value};

use super::scope::{Deprecations, HostScope, ScopeBase};

/// The `hostvars` dict.
pub struct HostVars {
    base: Arc<ScopeBase>,
    /// Where the use of deprecated variables is recorded.
    deprecations: Deprecations,
}

impl HostVars {
    /// Makes the dictionary that a scope of a play sees.
    pub fn new(scope: &HostScope) -> Self {
        HostVars { base: scope.base.clone(), deprecations: scope.deprecations().clone() }
    }

    fn of(&self, host: &Arc<str>) -> Value {
        HostScope::seen_through(&self.base, host, &self.deprecations).as_object()
    }
}

impl std::fmt::Debug for HostVars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hostvars")
    }
}

impl Object for HostVars {
    fn type_name(&self) -> &'static str {
        "HostVars"
    }

    fn is_map(&self) -> bool {
        true
    }

    fn member(&self, key: &Value) -> Option<Result<Value, Error>> {
        let name = key.as_str()?;
        // localhost always exists, whether the inventory names it or not.
        let host = self.base.inventory().host(name)?;
        Some(Ok(self.of(&host.name)))
    }

    fn force(&self) -> Option<Result<Value, Error>> {
        let inventory = self.base.inventory();
        let hosts = inventory.hosts.keys().map(|host| (Value::from(host.clone()), self.of(host)));
        Some(Ok(Value::from(hosts.collect::<Map>())))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
