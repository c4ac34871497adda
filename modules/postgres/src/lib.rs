//! Modules that act on PostgreSQL: db_migrate and the postgresql_* family, the probe `postgres` for wait_until
//! and the filter `postgresql_url`.

mod cell;
mod commands;
mod connect;
mod credentials;
mod db;
#[cfg(test)]
mod example;
mod ext;
mod fault;
mod filter;
mod foresee;
mod host;
mod login;
mod migrate;
mod passfile;
mod password;
mod ping;
mod placeholders;
mod privs;
mod probe;
mod query;
mod row;
mod schema;
mod service;
mod session;
mod sql;
mod state;
mod target;
mod tls;
mod url;
mod user;
mod waiting;

use playbook_api::{ModuleEntry, Registry};

/// Adds the modules, the filter and the probe.
pub fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<migrate::DbMigrate>(),
        ModuleEntry::controller::<db::PostgresqlDb>(),
        ModuleEntry::controller::<ext::PostgresqlExt>(),
        ModuleEntry::controller::<ping::PostgresqlPing>(),
        ModuleEntry::controller::<privs::PostgresqlPrivs>(),
        ModuleEntry::controller::<query::PostgresqlQuery>(),
        ModuleEntry::controller::<schema::PostgresqlSchema>(),
        ModuleEntry::controller::<user::PostgresqlUser>(),
    ]);
    registry.filters.push(Box::new(filter::PostgresqlUrl));
    registry.probes.push(playbook_api::probe::probe::<probe::Postgres>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_is_described_and_no_other_is_taken() {
        let mut registry = Registry::default();
        register(&mut registry);
        for name in registry.module_names() {
            let Some(entry) = registry.module(name) else { continue };
            let spec = entry.spec();
            assert!(!spec.open && !spec.description.is_empty(), "{name}");
            for (argument, option) in &spec.options {
                let described = !option.description.is_empty() || argument == "state";
                assert!(described, "{name}: {argument} has no description");
            }
            assert!(spec.find("login_host").is_some() && spec.find("sslmode").is_some(), "{name}");
        }
    }
}
