//! The servers that `cargo xtask test` starts and names in the environment.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use xtask::aws::Aws;
use xtask::proxy::Proxy;
use xtask::tested::skip;

/// The servers.
pub(crate) struct Servers {
    /// The emulator; every test uses it through its own [`Proxy`].
    pub emulator: Aws,
    /// The URL of the PostgreSQL administrator, with a database.
    pub postgres_url: String,
    /// The directory of `psql` and `pg_dump`.
    pub postgres_bin: PathBuf,
    /// The directory of the commands of a Python environment with Alembic.
    pub python_bin: PathBuf,
}

/// Returns the servers. Without them it reports that the test is skipped, which fails in CI, and returns `None`.
pub(crate) fn servers(test: &str) -> Option<Servers> {
    let found = find();
    if found.is_none() {
        skip(test, "the servers are not running: run the tests with `cargo xtask test`");
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

/// Returns a name that no other test uses.
pub(crate) fn unique(base: &str) -> String {
    format!("{base}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl Servers {
    /// Starts a proxy in front of the emulator.
    pub(crate) fn proxy(&self) -> Proxy {
        Proxy::start(self.emulator.port).expect("the proxy starts")
    }

    /// Runs SQL as the administrator and returns the rows.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        xtask::postgres::sql_at(&self.postgres_bin, &self.url(database), sql).expect("the SQL runs")
    }

    /// Dumps a database.
    pub(crate) fn dump(&self, database: &str) -> String {
        xtask::postgres::dump(&self.postgres_bin, &self.url(database)).expect("pg_dump runs")
    }

    /// Returns the administrator's URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        let (server, _) = self.postgres_url.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{database}")
    }

    /// Returns the port of the PostgreSQL server.
    pub(crate) fn port(&self) -> u16 {
        let (server, _) = self.postgres_url.rsplit_once('/').expect("a URL with a database");
        server.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a URL with a port")
    }
}
