//! The servers, which `cargo xtask test` starts and names in the environment.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use xtask::aws::Aws;
use xtask::proxy::Proxy;
use xtask::tested::skip;

pub struct Servers {
    /// The emulator itself; tests speak to it through a [`Proxy`] of their own.
    pub emulator: Aws,
    pub postgres_url: String,
    /// `psql` and `pg_dump`.
    pub postgres_bin: PathBuf,
    /// The commands of a Python environment with Alembic.
    pub python_bin: PathBuf,
}

/// The servers, or `None` after saying loudly that the test is skipped. Where CI=true a skipped test fails.
pub fn servers(test: &str) -> Option<Servers> {
    let found = find();
    if found.is_none() {
        skip(test, "no servers: run the tests with `cargo xtask test`");
    }
    found
}

fn find() -> Option<Servers> {
    let var = |name: &str| std::env::var(name).ok();
    Some(Servers {
        emulator: Aws::at(&var("PLAYBOOK_TEST_AWS_ENDPOINT")?).ok()?,
        postgres_url: var("PLAYBOOK_TEST_POSTGRES_URL")?,
        postgres_bin: var("PLAYBOOK_TEST_POSTGRES_BIN")?.into(),
        python_bin: var("PLAYBOOK_TEST_PYTHON")?.into(),
    })
}

static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// A name that no other test uses.
pub fn unique(base: &str) -> String {
    format!("{base}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl Servers {
    pub fn proxy(&self) -> Proxy {
        Proxy::start(self.emulator.port).expect("the proxy starts")
    }

    pub fn sql(&self, database: &str, sql: &str) -> String {
        xtask::postgres::sql_at(&self.postgres_bin, &self.url(database), sql).expect("the SQL runs")
    }

    pub fn dump(&self, database: &str) -> String {
        xtask::postgres::dump(&self.postgres_bin, &self.url(database)).expect("pg_dump runs")
    }

    /// The administrator's URL of a database.
    pub fn url(&self, database: &str) -> String {
        let (server, _) = self.postgres_url.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{database}")
    }

    pub fn port(&self) -> u16 {
        let (server, _) = self.postgres_url.rsplit_once('/').expect("a URL with a database");
        server.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a URL with a port")
    }
}
