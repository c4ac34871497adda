//! The differences that `--diff` shows.

use crate::{Map, Value};

/// One difference: the content before and after (text, or structured values that are printed as JSON) with headers
/// that name them, or a text that the module prepared.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// The content before the change.
    pub before: Option<Value>,
    /// The content after the change.
    pub after: Option<Value>,
    /// The header of the old content, usually a path.
    pub before_header: Option<String>,
    /// The header of the new content.
    pub after_header: Option<String>,
    /// A difference that the module formatted itself; it is shown unchanged.
    pub prepared: Option<String>,
}

impl Diff {
    /// Returns the difference between two texts.
    pub fn text(before: impl Into<String>, after: impl Into<String>) -> Self {
        Diff { before: Some(before.into().into()), after: Some(after.into().into()), ..Diff::default() }
    }

    /// Returns the difference between two structured values.
    pub fn values(before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Diff { before: Some(before.into()), after: Some(after.into()), ..Diff::default() }
    }

    /// Adds the headers.
    pub fn headers(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        self.before_header = Some(before.into());
        self.after_header = Some(after.into());
        self
    }

    /// Converts the dict of a result back to a difference.
    pub fn from_value(value: &Value) -> Self {
        let text = |name: &str| value.get(name).map(|v| v.to_text().into_owned());
        Diff {
            before: value.get("before").cloned(),
            after: value.get("after").cloned(),
            before_header: text("before_header"),
            after_header: text("after_header"),
            prepared: text("prepared"),
        }
    }

    /// Returns the dict that Ansible puts under `diff` in a result.
    pub fn to_value(&self) -> Value {
        let mut map = Map::default();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.into(), value);
            }
        };
        put("before", self.before.clone());
        put("after", self.after.clone());
        put("before_header", self.before_header.clone().map(Value::from));
        put("after_header", self.after_header.clone().map(Value::from));
        put("prepared", self.prepared.clone().map(Value::from));
        map.into()
    }

    /// Returns the value that a result holds under `diff`: a dict, or a list if there are several.
    pub fn value_of(diffs: &[Diff]) -> Value {
        match diffs {
            [one] => one.to_value(),
            all => all.iter().map(Diff::to_value).collect(),
        }
    }
}
