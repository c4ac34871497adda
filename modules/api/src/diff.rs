//! What `--diff` shows.

use crate::{Map, Value};

/// One difference: a text before and after (or structured values, printed as YAML-like JSON), with the headers
/// that name them, or a text prepared by the module.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub before_header: Option<String>,
    pub after_header: Option<String>,
    pub prepared: Option<String>,
}

impl Diff {
    pub fn text(before: impl Into<String>, after: impl Into<String>) -> Self {
        Diff { before: Some(before.into().into()), after: Some(after.into().into()), ..Diff::default() }
    }

    pub fn values(before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Diff { before: Some(before.into()), after: Some(after.into()), ..Diff::default() }
    }

    pub fn headers(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        self.before_header = Some(before.into());
        self.after_header = Some(after.into());
        self
    }

    /// The dict as the difference it came from.
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

    /// The dict that Ansible puts under `diff` in a result.
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

    /// What a result holds under `diff`: a dict, or a list where there are several.
    pub fn value_of(diffs: &[Diff]) -> Value {
        match diffs {
            [one] => one.to_value(),
            all => all.iter().map(Diff::to_value).collect(),
        }
    }
}
