//! SQL text: its tokens, its statements, and what each statement would do.

pub(crate) mod effect;
pub(crate) mod functions;
pub(crate) mod psql;
pub(crate) mod routine;
pub(crate) mod scan;
pub(crate) mod statement;
