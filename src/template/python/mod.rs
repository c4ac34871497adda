//! Python's data model: attributes and items, operators, methods, formats and times.
//!
//! These files use each other as Python's own parts do: `str.format` reads attributes, an attribute may be a method,
//! and a method may format.

pub mod access;
pub mod datetime;
pub mod format;
pub mod methods;
pub mod operators;
pub mod printf;
pub mod sort;
