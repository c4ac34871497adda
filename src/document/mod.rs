//! The only door for YAML and JSON: values that know their file, line and column.

mod node;

pub use node::{Entry, Kind, Node, Trust, VaultText};
