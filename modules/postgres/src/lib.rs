//! Modules that act on PostgreSQL: db_migrate and the postgresql_* family, the probe `postgres` for wait_until
//! and the filter `postgresql_url`.

mod cell;
mod credentials;
mod fault;
mod filter;
mod login;
mod migrate;
mod ping;
mod placeholders;
mod probe;
mod query;
mod session;
mod statement;
mod tls;
mod url;

use playbook_api::{ModuleEntry, Registry};

/// Adds what this crate brings.
pub fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<migrate::DbMigrate>(),
        ModuleEntry::controller::<ping::PostgresqlPing>(),
        ModuleEntry::controller::<query::PostgresqlQuery>(),
    ]);
    registry.filters.push(Box::new(filter::PostgresqlUrl));
    registry.probes.push(Box::new(probe::PostgresProbe));
}
