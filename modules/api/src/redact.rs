//! Masking of secrets in reports.

use std::collections::HashSet;
use std::sync::{Arc, RwLock};

use crate::{Map, Value};

/// The text that replaces a secret.
pub const MASK: &str = "********";

/// The secrets that are known so far.
///
/// A secret is registered when its mark is made (a vault is opened, a secret fetched, a `no_log` argument
/// parsed), so that it is also found inside texts that no longer carry the mark, such as a program's output.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    secrets: Arc<RwLock<HashSet<Arc<str>>>>,
}

impl Redactor {
    /// The shortest secret, in bytes, that is replaced inside other text. Shorter ones would mask unrelated text;
    /// they are masked only where the value itself carries the mark.
    const SHORTEST: usize = 6;

    /// Registers a secret. Lines of a secret that are at least 16 bytes long are registered as well.
    pub fn register(&self, secret: &str) {
        if secret.len() >= Self::SHORTEST {
            let mut all = self.secrets.write().unwrap_or_else(|e| e.into_inner());
            all.insert(secret.into());
            for line in secret.lines().filter(|l| l.len() >= 16 && l.len() < secret.len()) {
                all.insert(line.into());
            }
        }
    }

    /// Registers every text inside a value.
    pub fn register_value(&self, value: &Value) {
        match value {
            Value::Str(text) => self.register(text),
            Value::List(items) | Value::Tuple(items) => items.iter().for_each(|v| self.register_value(v)),
            Value::Map(map) => map.values().for_each(|v| self.register_value(v)),
            _ => {}
        }
    }

    /// Returns the text with every registered secret replaced by [`MASK`].
    pub fn text(&self, text: &str) -> String {
        let all = self.secrets.read().unwrap_or_else(|e| e.into_inner());
        let mut found: Vec<&Arc<str>> = all.iter().filter(|s| text.contains(&***s)).collect();
        found.sort_by_key(|s| std::cmp::Reverse(s.len()));
        found.into_iter().fold(text.to_owned(), |text, secret| text.replace(&**secret, MASK))
    }

    /// Returns the value with every marked or registered secret replaced.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::Str(text) if text.is_secret() => MASK.into(),
            Value::Str(text) => {
                let all = self.secrets.read().unwrap_or_else(|e| e.into_inner());
                let touched = !all.is_empty() && all.iter().any(|s| text.contains(&**s));
                drop(all);
                if touched { self.text(text).into() } else { value.clone() }
            }
            Value::List(items) => Value::from(items.iter().map(|v| self.value(v)).collect::<Vec<_>>()),
            Value::Tuple(items) => Value::Tuple(Arc::new(items.iter().map(|v| self.value(v)).collect())),
            Value::Map(map) => Value::from(self.map(map)),
            other => other.clone(),
        }
    }

    /// Returns the map with every marked or registered secret replaced.
    pub fn map(&self, map: &Map) -> Map {
        map.iter().map(|(k, v)| (k.clone(), self.value(v))).collect()
    }
}

/// Returns the URL with its password masked.
///
/// ```
/// use playbook_api::without_password;
/// assert_eq!(without_password("https://me:hidden@host/x"), "https://me:********@host/x");
/// assert_eq!(without_password("git@host:x"), "git@host:x");
/// ```
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rsplit_once('@').and_then(|(login, host)| Some((login.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{scheme}://{user}:********@{host}{}", &rest[end..]),
        None => url.to_owned(),
    }
}
