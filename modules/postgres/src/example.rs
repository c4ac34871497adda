//! `postgresql_size`: returns the size of a database.

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Failure, JsonSchema, Outcome};

use crate::login::Login;
use crate::session::Session;
use crate::target::Target;

/// Returns the size of a PostgreSQL database.
#[derive(Deserialize, JsonSchema)]
struct PostgresqlSize {
    #[serde(flatten)]
    login: Login,
}

impl ControllerModule for PostgresqlSize {
    const DOC: Doc = Doc {
        name: "postgresql_size",
        collection: "my.postgresql",
        short: "Returns the size of a PostgreSQL database",
        check_mode: "Full: it only reads.",
        returns: &[("bytes", "int", "The size in bytes.")],
        examples: "- postgresql_size:\n    login_db: app\n  register: size\n",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        // The connection starts on the task's host, as the task's user.
        let target = Target::resolve(&self.login, "postgres", context).await?;
        let session = Session::open(&target, context).await?;
        let bytes = session.value("SELECT pg_database_size(current_database())").await?;
        let bytes: i64 =
            bytes.unwrap_or_default().parse().map_err(|_| Failure::new("the size is not a number"))?;
        Ok(Outcome::default().with("bytes", bytes))
    }
}

#[tokio::test]
async fn the_size_is_returned() {
    use playbook_api::{Arguments, ModuleEntry, Run, map};

    let url = std::env::var("PLAYBOOK_TEST_POSTGRES_URL").expect("a server: run `cargo xtask test`");
    let entry = ModuleEntry::controller::<PostgresqlSize>();
    let Run::Controller(run) = entry.run else { panic!("postgresql_size runs in the controller") };
    let context = Context { check: true, ..Context::default() };
    let outcome = run(entry.clone(), Arguments::from(map! { "url" => url }), context).await.expect("a size");
    assert!(
        outcome.values.get("bytes").and_then(|bytes| bytes.as_i64()).is_some_and(|bytes| bytes > 1_000_000)
    );
}
