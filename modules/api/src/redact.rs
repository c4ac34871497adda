//! Masking of secrets in reports.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

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
    /// Numbers that are secrets: they cannot carry a mark, and are replaced wherever a value equals one.
    numbers: Arc<RwLock<HashSet<Arc<str>>>>,
}

impl Redactor {
    /// The shortest secret, in bytes, that is replaced inside other text. Shorter ones would mask unrelated text;
    /// they are masked only where the value itself carries the mark.
    const SHORTEST: usize = 6;

    /// Registers a secret. Lines of a secret that are at least 16 bytes long are registered as well.
    pub fn register(&self, secret: &str) {
        if secret.len() >= Self::SHORTEST {
            let mut all = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
            all.insert(secret.into());
            for line in secret.lines().filter(|l| l.len() >= 16 && l.len() < secret.len()) {
                all.insert(line.into());
            }
        }
    }

    /// The shortest number that is replaced: shorter ones are in too many results.
    const SHORTEST_NUMBER: usize = 4;

    /// Registers every text and every number inside a value.
    pub fn register_with_numbers(&self, value: &Value) {
        self.register_value(value);
        self.register_numbers(value);
    }

    fn register_numbers(&self, value: &Value) {
        match value {
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
                let text = value.to_text();
                self.register(&text);
                if text.len() >= Self::SHORTEST_NUMBER {
                    let mut all = self.numbers.write().unwrap_or_else(PoisonError::into_inner);
                    all.insert(text.as_ref().into());
                }
            }
            Value::List(items) | Value::Tuple(items) => items.iter().for_each(|v| self.register_numbers(v)),
            Value::Map(map) => map.values().for_each(|v| self.register_numbers(v)),
            _ => {}
        }
    }

    fn is_secret_number(&self, value: &Value) -> bool {
        let all = self.numbers.read().unwrap_or_else(PoisonError::into_inner);
        !all.is_empty() && all.contains(&*value.to_text())
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

    /// Registers the texts inside a value that are marked as secret, and no others.
    pub fn register_marked(&self, value: &Value) {
        match value {
            Value::Str(text) if text.is_secret() => self.register(text),
            Value::List(items) | Value::Tuple(items) => items.iter().for_each(|v| self.register_marked(v)),
            Value::Map(map) => map.values().for_each(|v| self.register_marked(v)),
            _ => {}
        }
    }

    /// Returns the text with every registered secret replaced by [`MASK`].
    pub fn text(&self, text: &str) -> String {
        let all = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<&Arc<str>> = all.iter().filter(|s| text.contains(&***s)).collect();
        found.sort_by_key(|s| std::cmp::Reverse(s.len()));
        found.into_iter().fold(text.to_owned(), |text, secret| text.replace(&**secret, MASK))
    }

    /// Returns the value with every marked or registered secret replaced.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::Str(text) if text.is_secret() => MASK.into(),
            Value::Str(text) => {
                let all = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
                let touched = !all.is_empty() && all.iter().any(|s| text.contains(&**s));
                drop(all);
                if touched { self.text(text).into() } else { value.clone() }
            }
            Value::List(items) => Value::from(items.iter().map(|v| self.value(v)).collect::<Vec<_>>()),
            Value::Tuple(items) => Value::Tuple(items.iter().map(|v| self.value(v)).collect()),
            Value::Map(map) => Value::from(self.map(map)),
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) if self.is_secret_number(value) => MASK.into(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    #[test]
    fn the_neighbors_of_a_secret_stay_readable() {
        let redactor = Redactor::default();
        let list = Value::from(vec![Value::secret("hunter22"), "web1".into()]);
        redactor.register_marked(&list);
        assert_eq!(redactor.text("hunter22 web1"), format!("{MASK} web1"));
        assert_eq!(redactor.value(&list), vec![MASK, "web1"].into());
    }

    #[test]
    fn numbers_are_replaced_where_they_are_values_and_where_they_are_text() {
        let redactor = Redactor::default();
        let secret = Value::from(map! { "pin" => 4711, "big" => 987_654, "short" => 22, "flag" => true });
        redactor.register_with_numbers(&secret);
        let shown = redactor.value(&secret);
        assert_eq!(shown, map! { "pin" => MASK, "big" => MASK, "short" => 22, "flag" => true }.into());
        assert_eq!(redactor.text("4711 987654"), format!("4711 {MASK}"));
        assert_eq!(redactor.value(&Value::Int(47110)), Value::Int(47110));
    }
}
