//! Formats PostgreSQL's errors for users: message, SQLSTATE, detail, hint, and help.

use std::error::Error as _;

use playbook_api::{Context, Error, ErrorKind, Failure, Map, Value, map};
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use crate::target::Target;

/// Describes an error in one line: message, SQLSTATE, detail and hint.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => describe_db(db),
        None => {
            // tokio-postgres names the layer, and its source the reason.
            let mut reasons = vec![];
            let mut source = error.source();
            while let Some(reason) = source {
                reasons.push(reason.to_string());
                source = reason.source();
            }
            reasons.dedup();
            if reasons.is_empty() { error.to_string() } else { reasons.join(": ") }
        }
    }
}

fn describe_db(db: &DbError) -> String {
    let mut text = format!("{} (SQLSTATE {})", db.message(), db.code().code());
    if let Some(detail) = db.detail() {
        text += &format!(". Detail: {}", detail.trim_end_matches('.'));
    }
    if let Some(hint) = db.hint() {
        text += &format!(". Hint: {}", hint.trim_end_matches('.'));
    }
    if let Some(context) = db.where_() {
        text += &format!(". Context: {}", context.replace('\n', "; "));
    }
    text
}

/// Describes a failed statement: `what: message (SQLSTATE …)`.
pub(crate) fn statement(what: &str, error: &tokio_postgres::Error) -> Error {
    let text = describe(error);
    let error_value = Error::new(format!("{what}: {text}"));
    match error.as_db_error().and_then(advice) {
        Some(help) => error_value.with_help(help),
        None => error_value,
    }
}

/// Describes a failed statement as a failure, with the parts of the server's error as values.
pub(crate) fn failure(what: &str, error: &tokio_postgres::Error) -> Failure {
    let mut failure = Failure::from(statement(what, error));
    failure.outcome.values = values(error);
    failure
}

/// Returns the parts of the server's error, for use in playbooks.
pub(crate) fn values(error: &tokio_postgres::Error) -> Map {
    match error.as_db_error() {
        Some(db) => map! {
            "sqlstate" => db.code().code(),
            "detail" => db.detail().map(Value::from),
            "hint" => db.hint().map(Value::from),
        },
        None => Map::default(),
    }
}

/// Returns whether something could not be created because another session just created it.
pub(crate) fn already_there(failure: &Failure) -> bool {
    let state = failure.outcome.values.get("sqlstate").and_then(Value::as_str);
    // duplicate_object, duplicate_database, duplicate_schema, unique_violation of a catalog
    matches!(state, Some("42710" | "42P04" | "42P06" | "23505"))
}

/// Returns the line of the error within the statement, counted from zero, if the server reports it.
pub(crate) fn line_offset(error: &tokio_postgres::Error, statement: &str) -> Option<usize> {
    match error.as_db_error()?.position()? {
        ErrorPosition::Original(position) => {
            let before = statement.chars().take(usize::try_from(*position).ok()?.saturating_sub(1));
            Some(before.filter(|c| *c == '\n').count())
        }
        ErrorPosition::Internal { .. } => None,
    }
}

fn advice(db: &DbError) -> Option<String> {
    let code = db.code();
    let text = if *code == SqlState::ACTIVE_SQL_TRANSACTION {
        "This statement cannot run in a transaction: begin the migration with the comment `-- playbook: \
        no-transaction`, or set autocommit; bypass a connection pooler."
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        "Another session held the lock for longer than lock_timeout: run again when it is free, or raise lock_timeout."
    } else if *code == SqlState::QUERY_CANCELED && db.message().contains("statement timeout") {
        "Raise statement_timeout if the statement is correct and needs more time."
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        "Log in as a role that has the privilege, or name one in `role` or `session_role`."
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        "The session is read-only: this is check mode, or the server is a standby."
    } else {
        return None;
    };
    Some(text.to_owned())
}

/// Describes a connection that could not be opened.
pub(crate) fn connection(target: &Target, error: &tokio_postgres::Error, context: &Context) -> Error {
    unable(target, &describe(error), error.code(), context)
}

/// A failed connection to the server's port or socket. An error of the connection to the managed host stays as it is.
pub(crate) fn endpoint(target: &Target, error: Error, context: &Context) -> Error {
    match error.kind() {
        ErrorKind::Unreachable | ErrorKind::Connection => error,
        _ => {
            let unable = unable(target, &error.to_string(), None, context);
            match error.help() {
                Some(help) => unable.with_help(help),
                None => unable,
            }
        }
    }
}

fn unable(target: &Target, text: &str, code: Option<&SqlState>, context: &Context) -> Error {
    let lower = text.to_ascii_lowercase();
    let help = if code == Some(&SqlState::INVALID_PASSWORD) {
        Some(format!("The password of '{}' is wrong, or the role does not exist.", target.user()))
    } else if code == Some(&SqlState::INVALID_CATALOG_NAME) {
        Some("Create it first with postgresql_db, or correct login_db.".into())
    } else if code == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) {
        Some(
            "Allow the role from this address in the server's pg_hba.conf; if the server requires TLS, \
            set ssl_mode."
                .into(),
        )
    } else if code == Some(&SqlState::TOO_MANY_CONNECTIONS) {
        Some("All of the server's connections are in use: try again later, or raise max_connections.".into())
    } else if lower.contains("password missing") || text == "password missing" {
        Some(
            "The server requires a password: set login_password, or add one to the URL or the secret.".into(),
        )
    } else if lower.contains("server does not support tls") {
        Some("The server does not support TLS: enable it, or set ssl_mode to prefer or disable.".into())
    } else if lower.contains("notvalidforname") || lower.contains("not valid for name") {
        Some("Connect with a name that is in the certificate, or set ssl_mode to verify-ca.".into())
    } else if lower.contains("unknownissuer") || lower.contains("invalid peer certificate") {
        Some(
            "Set ca_cert to the certificate of the authority that signed it; for Amazon RDS use \
            https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem."
                .into(),
        )
    } else if lower.contains("refused") || lower.contains("timed out") || lower.contains("lookup") {
        Some(
            "Check the host and the port, whether the server runs, and whether the network (security \
            groups) lets this host in."
                .into(),
        )
    } else {
        None
    };
    let error =
        Error::new(context.redactor.text(&format!("unable to connect to {}: {text}", target.describe())));
    let missing = code == Some(&SqlState::INVALID_CATALOG_NAME);
    let error = if missing { error.with_kind(ErrorKind::NotFound) } else { error };
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}
