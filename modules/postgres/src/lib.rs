//! Modules that act on PostgreSQL: db_migrate and the postgresql_* family, the probe `postgres` for wait_until
//! and the filter `postgresql_url`.

mod credentials;
mod fault;
mod filter;
mod login;
mod session;
mod tls;
mod url;

use playbook_api::Registry;

/// Adds what this crate brings.
pub fn register(registry: &mut Registry) {
    registry.filters.push(Box::new(filter::PostgresqlUrl));
}
