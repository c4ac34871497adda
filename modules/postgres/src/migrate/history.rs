//! The table that records which migrations were applied to a database.

use playbook_api::Error;
use tokio_postgres::error::SqlState;

use super::directory::Migration;
use super::plan::{Applied, Repair};
use super::version::Version;
use crate::fault;
use crate::row::row;
use crate::session::{Session, ident, literal};

/// The history table, by schema and name.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl History {
    /// Returns the table's quoted and qualified name, which does not depend on the search_path.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", ident(&self.schema), ident(&self.table))
    }

    pub(crate) async fn exists(&self, session: &Session) -> Result<bool, Error> {
        let sql = format!("SELECT pg_catalog.to_regclass({})", literal(&self.name()));
        Ok(session.value(&sql).await?.is_some())
    }

    /// Returns the table's rows; none if the table does not exist yet.
    pub(crate) async fn read(&self, session: &Session) -> Result<Vec<Applied>, Error> {
        if !self.exists(session).await? {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT version, name, checksum, kind, success, to_char(applied_at, 'YYYY-MM-DD HH24:MI:SSOF') FROM {}",
            self.name()
        );
        let messages = session.execute(&sql).await.map_err(|e| match e.code() {
            Some(code) if *code == SqlState::UNDEFINED_COLUMN => {
                Error::new(format!("the table {} is not a history of db_migrate", self.name()))
                    .with_help("Another tool's table has this name: choose another with table or schema.")
            }
            _ => fault::statement(&format!("cannot read the history table {}", self.name()), &e),
        })?;
        let mut applied = Vec::new();
        for row in messages.iter().filter_map(row) {
            let column = |i: usize| row.get(i).cloned().flatten();
            let text = column(0).unwrap_or_default();
            applied.push(Applied {
                version: Version::parse(&text).ok_or_else(|| {
                    Error::new(format!("the history table {} holds the version '{text}'", self.name()))
                        .with_help("Versions are numbers; remove the row if it was added by hand.")
                })?,
                name: column(1).unwrap_or_default(),
                checksum: column(2),
                baseline: column(3).as_deref() == Some("baseline"),
                success: column(4).as_deref() == Some("t"),
                at: column(5).unwrap_or_default(),
            });
        }
        applied.sort_by(|a, b| a.version.cmp(&b.version));
        Ok(applied)
    }

    /// Returns whether the database holds tables, views or sequences other than this table and those of extensions.
    pub(crate) async fn database_in_use(&self, session: &Session) -> Result<bool, Error> {
        let sql = format!(
            "SELECT EXISTS (
                SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
                  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                  AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({})
                  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))",
            literal(&self.name())
        );
        Ok(session.value(&sql).await?.as_deref() == Some("t"))
    }

    pub(crate) async fn create(&self, session: &Session) -> Result<(), Error> {
        if self.exists(session).await? {
            return Ok(());
        }
        let schema = format!("SELECT pg_catalog.to_regnamespace({})", literal(&ident(&self.schema)));
        if session.value(&schema).await?.is_none() {
            session.run(&format!("CREATE SCHEMA IF NOT EXISTS {}", ident(&self.schema))).await?;
        }
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {} (
                version text PRIMARY KEY,
                name text NOT NULL,
                file text,
                checksum text,
                kind text NOT NULL,
                success boolean NOT NULL,
                applied_by text NOT NULL DEFAULT session_user,
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                duration_ms bigint
            )",
            self.name()
        );
        session.execute(&sql).await.map(drop).map_err(|e| {
            let error = fault::statement(&format!("cannot create the history table {}", self.name()), &e);
            error.with_help("Grant the role CREATE on the schema, or choose another schema, table or role.")
        })
    }

    /// Returns the statement that records a migration.
    pub(crate) fn insert(
        &self,
        migration: &Migration,
        kind: &str,
        success: bool,
        duration_ms: u128,
    ) -> String {
        format!(
            "INSERT INTO {} (version, name, file, checksum, kind, success, duration_ms) VALUES ({}, {}, \
            {}, {}, {}, {success}, {duration_ms})",
            self.name(),
            literal(&migration.version.to_string()),
            literal(&migration.name),
            literal(&migration.up.file),
            literal(&migration.up.checksum),
            literal(kind),
        )
    }

    pub(crate) fn insert_baseline(&self, version: &Version) -> String {
        format!(
            "INSERT INTO {} (version, name, kind, success) VALUES ({}, 'baseline', 'baseline', true)",
            self.name(),
            literal(&version.to_string())
        )
    }

    pub(crate) fn finish(&self, version: &Version, duration_ms: u128) -> String {
        format!(
            "UPDATE {} SET success = true, duration_ms = {duration_ms}, applied_at = clock_timestamp() \
            WHERE version = {}",
            self.name(),
            literal(&version.to_string())
        )
    }

    pub(crate) fn begin_undo(&self, version: &str) -> String {
        format!("UPDATE {} SET success = false WHERE version = {}", self.name(), literal(version))
    }

    pub(crate) fn delete(&self, version: &str) -> String {
        format!("DELETE FROM {} WHERE version = {}", self.name(), literal(version))
    }

    /// Returns the statement of a repair. `recorded` returns a version as the table spells it.
    pub(crate) fn repair(
        &self,
        repair: &Repair,
        migrations: &[Migration],
        recorded: impl Fn(&Version) -> String,
    ) -> String {
        match repair {
            Repair::Forget(version, _) => self.delete(&recorded(version)),
            Repair::Realign(i) => match migrations.get(*i) {
                Some(migration) => format!(
                    "UPDATE {} SET checksum = {}, name = {}, file = {} WHERE version = {}",
                    self.name(),
                    literal(&migration.up.checksum),
                    literal(&migration.name),
                    literal(&migration.up.file),
                    literal(&recorded(&migration.version)),
                ),
                None => String::new(),
            },
        }
    }
}
