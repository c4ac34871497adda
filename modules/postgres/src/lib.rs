//! Modules that act on PostgreSQL: db_migrate and the postgresql_* family, the probe `postgres` for wait_until
//! and the filter `postgresql_url`.

mod credentials;
mod fault;
mod filter;
mod login;
mod migrate;
mod session;
mod statement;
mod tls;
mod url;

use playbook_api::{ModuleEntry, Registry};

/// Adds what this crate brings.
pub fn register(registry: &mut Registry) {
    registry.add_modules([ModuleEntry::controller::<migrate::DbMigrate>()]);
    registry.filters.push(Box::new(filter::PostgresqlUrl));
}
