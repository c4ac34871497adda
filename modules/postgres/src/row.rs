//! Rows of text columns.

use tokio_postgres::SimpleQueryMessage;

/// A row of text columns, as the simple protocol returns it.
pub(crate) type Row = Vec<Option<String>>;

/// Returns a message's row, if it is one.
pub(crate) fn row(message: &SimpleQueryMessage) -> Option<Row> {
    match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|i| row.try_get(i).ok().flatten().map(str::to_owned)).collect())
        }
        _ => None,
    }
}
