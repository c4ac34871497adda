//! Tests that compare versions of four kinds.

use std::cmp::Ordering;

use playbook_api::{Error, Value};

use crate::template::filters::arguments::{given, text};
use crate::template::{Call, Function};

mod loose;
mod pep440;
mod semantic;

pub(crate) use loose::loose;

pub(super) const TESTS: &[Function] =
    &[Function::new("version", version), Function::new("version_compare", version)];

/// Returns whether an order satisfies an operator.
type Accepts = fn(Ordering) -> bool;

const OPERATORS: &[(&str, Accepts)] = &[
    ("==", Ordering::is_eq),
    ("=", Ordering::is_eq),
    ("eq", Ordering::is_eq),
    ("<", Ordering::is_lt),
    ("lt", Ordering::is_lt),
    ("<=", Ordering::is_le),
    ("le", Ordering::is_le),
    (">", Ordering::is_gt),
    ("gt", Ordering::is_gt),
    (">=", Ordering::is_ge),
    ("ge", Ordering::is_ge),
    ("!=", Ordering::is_ne),
    ("<>", Ordering::is_ne),
    ("ne", Ordering::is_ne),
];

fn version(call: &mut Call) -> Result<Value, Error> {
    let [other, operator, strict, kind] = call.bind(["version", "operator", "strict", "version_type"], 1)?;
    let (value, other) = (call.input.to_text(), text(&other, ""));
    let (strict, kind) = (given(strict), given(kind).filter(Value::is_true));
    if value.is_empty() {
        return Err(Error::new("Input version value cannot be empty"));
    }
    if other.is_empty() {
        return Err(Error::new("Version parameter to compare against cannot be empty"));
    }
    if strict.is_some() && kind.is_some() {
        return Err(Error::new("Cannot specify both 'strict' and 'version_type'"));
    }
    let dialect: fn(&str, &str) -> Result<Ordering, String> = match kind
        .as_ref()
        .map(Value::to_text)
        .as_deref()
    {
        None if strict.is_some_and(|strict| strict.is_true()) => strict_order,
        None | Some("loose") => loose,
        Some("strict") => strict_order,
        Some("semver" | "semantic") => semantic::order,
        Some("pep440") => pep440::order,
        Some(unknown) => {
            return Err(Error::new(format!(
                "Invalid version type ({unknown}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'"
            )));
        }
    };
    let operator = text(&operator, "eq");
    let Some((_, accepts)) = OPERATORS.iter().find(|(name, _)| *name == operator) else {
        let names: Vec<String> = OPERATORS.iter().map(|(name, _)| format!("'{name}'")).collect();
        return Err(Error::new(format!(
            "Invalid operator type ({operator}). Must be one of {}",
            names.join(", ")
        )));
    };
    match dialect(&value, &other) {
        Ok(order) => Ok(accepts(order).into()),
        Err(why) => Err(Error::new(format!("Version comparison failed: {why}"))),
    }
}

/// A strict version: `1.2`, `1.2.3`, `1.2a1`, `1.2.3b4`.
fn strict_order(a: &str, b: &str) -> Result<Ordering, String> {
    let parse = |text: &str| {
        let invalid = || format!("invalid version number '{text}'");
        let at = text.find(['a', 'b']);
        let (numbers, pre) = at.map_or((text, None), |at| (&text[..at], Some(&text[at..])));
        let digits = |part: &str| {
            part.parse::<u64>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())).ok_or_else(invalid)
        };
        let parts = numbers.split('.').map(digits).collect::<Result<Vec<_>, _>>()?;
        let pre = match pre.map(|pre| pre.split_at(1)) {
            None => None,
            Some((letter, number)) => Some((letter.to_owned(), digits(number)?)),
        };
        match parts[..] {
            [major, minor] => Ok(((major, minor, 0), pre)),
            [major, minor, patch] => Ok(((major, minor, patch), pre)),
            _ => Err(invalid()),
        }
    };
    let ((a, a_pre), (b, b_pre)) = (parse(a)?, parse(b)?);
    Ok(a.cmp(&b).then_with(|| match (a_pre, b_pre) {
        (None, None) => Ordering::Equal,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(a), Some(b)) => a.cmp(&b),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_order_versions() {
        assert_eq!(loose("1.10", "1.9"), Ok(Ordering::Greater));
        assert_eq!(loose("1.0", "1.0.0"), Ok(Ordering::Less));
        assert!(loose("1.a", "1.1").is_err());
        assert_eq!(strict_order("1.0", "1.0.0"), Ok(Ordering::Equal));
        assert_eq!(strict_order("1.0", "nope"), Err("invalid version number 'nope'".into()));
        assert_eq!(semantic::order("1.0.0-alpha.2", "1.0.0-alpha.10"), Ok(Ordering::Less));
        assert_eq!(semantic::order("1.0.0+a", "1.0.0+b"), Ok(Ordering::Equal));
        assert_eq!(pep440::order("2.14.0rc1", "2.14.0"), Ok(Ordering::Less));
        assert_eq!(pep440::order("1.0.dev1", "1.0a1"), Ok(Ordering::Less));
        assert_eq!(pep440::order("1!0.1", "2.0"), Ok(Ordering::Greater));
        assert_eq!(pep440::order("1.0.post1", "1.0"), Ok(Ordering::Greater));
        assert_eq!(pep440::order("1.0", "1.0.0"), Ok(Ordering::Equal));
    }
}
