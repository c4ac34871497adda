//! Variables: precedence, facts, magic variables and registered results.

mod connection;
mod fact_cache;
mod hostvars;
mod layers;
mod magic;
mod scope;
mod store;
mod vars_files;

pub use connection::ConnectionDefaults;
pub use fact_cache::FactCache;
pub use hostvars::HostVars;
pub use layers::{Layer, Layers, merge};
pub(crate) use magic::NAMES as MAGIC_NAMES;
pub use magic::{PlayFacts, RunFacts};
pub use scope::{HostScope, ScopeBase, search_path, with_dependencies};
pub use store::{HostState, Store, Values, deprefixed};
pub use vars_files::{VarsFiles, vars_file};
