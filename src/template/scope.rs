//! Where a template's names come from.

use playbook_api::{Error, Value};

/// What a template sees when it asks for a name. Names are resolved, and their own templates rendered, only when
/// asked for.
pub trait Scope: Send + Sync {
    /// The value of a name; `None` where there is no such variable. Members of a list or map may be values that
    /// are computed later ([`playbook_api::Object::force`]).
    fn get(&self, name: &str) -> Option<Result<Value, Error>>;

    /// All names there are, for `varnames`, `vars` and "did you mean".
    fn names(&self) -> Vec<String>;
}

/// No variables at all.
#[derive(Debug)]
pub struct Empty;

impl Scope for Empty {
    fn get(&self, _: &str) -> Option<Result<Value, Error>> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
