//! The functions of PostgreSQL and its extensions that do more than a rolled-back transaction undoes.

/// The prefixes of their names.
const PREFIXES: &[&str] = &[
    "autoprewarm_",
    "binary_upgrade_",
    "brin_desummarize_",
    "brin_summarize_",
    "dblink",
    "gin_clean_",
    "heap_force_",
    "lo_",
    "pg_advisory_",
    "pg_backup_",
    "pg_buffercache_evict",
    "pg_clear_",
    "pg_copy_",
    "pg_create_",
    "pg_drop_",
    "pg_file_",
    "pg_import_",
    "pg_log_",
    "pg_logical_emit_",
    "pg_logical_slot_get_",
    "pg_reload_",
    "pg_replication_origin_",
    "pg_replication_slot_",
    "pg_restore_",
    "pg_rotate_",
    "pg_start_",
    "pg_stop_",
    "pg_switch_",
    "pg_sync_",
    "pg_truncate_",
    "pg_try_advisory_",
    "pg_wal_replay_",
    "pg_xlog_replay_",
    "postgres_fdw_disconnect",
    // They execute a query that is passed as a string.
    "connectby",
    "crosstab",
    "query_to_xml",
];

/// The names without such a prefix.
const NAMES: &[&str] = &[
    "cursor_to_xml",
    "lowrite",
    "nextval",
    "pg_cancel_backend",
    "pg_export_snapshot",
    "pg_nextoid",
    "pg_notify",
    "pg_prewarm",
    "pg_promote",
    "pg_terminate_backend",
    "set_config",
    "setval",
    // They execute a query that is passed as a string.
    "ts_rewrite",
    "ts_stat",
    "xpath_table",
];

/// Functions that only read, although their names have such a prefix.
const READING: &[&str] = &["lo_get", "pg_backup_start_time", "pg_is_wal_replay_paused", "pg_log_dir"];

/// Returns whether a function may change something, judging by its name, which is in lower case.
pub(crate) fn acts(name: &str) -> bool {
    if READING.contains(&name) || name.starts_with("pg_logical_slot_peek_") {
        return false;
    }
    NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        // pg_stat_reset, pg_stat_reset_shared, pg_stat_statements_reset, pg_qualstats_reset, …
        || name.starts_with("pg_stat_reset")
        || name.ends_with("_reset")
}

/// The extensions whose C functions only compute.
pub(crate) const COMPUTING_EXTENSIONS: &[&str] = &[
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "postgis",
    "seg",
    "tablefunc",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "uuid-ossp",
    "vector",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_act_are_told_from_those_that_read() {
        for name in [
            "nextval",
            "setval",
            "pg_notify",
            "pg_advisory_lock",
            "pg_try_advisory_xact_lock_shared",
            "lo_import",
            "lo_export",
            "lowrite",
            "dblink",
            "dblink_exec",
            "pg_terminate_backend",
            "pg_reload_conf",
            "pg_switch_wal",
            "pg_create_logical_replication_slot",
            "pg_create_restore_point",
            "pg_drop_replication_slot",
            "pg_replication_slot_advance",
            "pg_logical_slot_get_changes",
            "pg_logical_emit_message",
            "pg_stat_reset",
            "pg_stat_statements_reset",
            "set_config",
            "pg_promote",
            "pg_start_backup",
            "pg_backup_start",
            "pg_file_write",
            "query_to_xml_and_xmlschema",
        ] {
            assert!(acts(name), "{name}");
        }
        for name in [
            "now",
            "count",
            "currval",
            "pg_relation_size",
            "pg_read_file",
            "pg_stat_get_activity",
            "pg_sleep",
            "lo_get",
            "pg_logical_slot_peek_changes",
            "pg_get_viewdef",
            "gen_random_uuid",
            "pg_is_in_recovery",
            "current_setting",
        ] {
            assert!(!acts(name), "{name}");
        }
    }
}
