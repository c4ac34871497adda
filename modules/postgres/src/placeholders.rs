//! psycopg's placeholders, `%s` and `%(name)s`, filled in with quoted values.

use playbook_api::{Error, Map, Value};

use crate::session::literal;

/// The values for the placeholders.
pub(crate) enum Fill<'a> {
    /// No values: a `%` is an ordinary character.
    None,
    Positional(&'a [Value]),
    Named(&'a Map),
}

/// Returns the query with its placeholders replaced.
pub(crate) fn fill(query: &str, with: &Fill) -> Result<String, Error> {
    if matches!(with, Fill::None) {
        return Ok(query.to_owned());
    }
    let mut out = String::with_capacity(query.len());
    let mut rest = query;
    let mut used = 0;
    while let Some(at) = rest.find('%') {
        out += &rest[..at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
        } else if let (Some(after), Fill::Positional(values)) = (rest.strip_prefix('s'), with) {
            let value = values.get(used).ok_or_else(|| {
                Error::new(format!("the query has more placeholders than positional_args ({})", values.len()))
            })?;
            out += &quoted(value);
            used += 1;
            rest = after;
        } else if let (Some((name, after)), Fill::Named(values)) = (named(rest), with) {
            let value = values.get(name).ok_or_else(|| {
                Error::new(format!("the query has the placeholder '{name}', which is not in named_args"))
            })?;
            out += &quoted(value);
            rest = after;
        } else {
            let wanted = if matches!(with, Fill::Named(_)) { "%(name)s" } else { "%s" };
            return Err(Error::new("unescaped `%` in the query")
                .with_help(format!("Write a placeholder as {wanted} and a percent sign as %%.")));
        }
    }
    out += rest;
    match with {
        Fill::Positional(values) if used < values.len() => Err(Error::new(format!(
            "the query has {used} placeholders, but positional_args has {} values",
            values.len()
        ))),
        _ => Ok(out),
    }
}

/// `(name)s…`
fn named(rest: &str) -> Option<(&str, &str)> {
    let (name, after) = rest.strip_prefix('(')?.split_once(')')?;
    Some((name, after.strip_prefix('s')?))
}

/// Returns a value as SQL: a list becomes an array, a dict JSON.
pub(crate) fn quoted(value: &Value) -> String {
    match value {
        Value::Null | Value::Omit | Value::Undefined(_) => "NULL".into(),
        Value::Bool(b) => b.to_string(),
        // A sign would merge with an operator before it: `5 -%s`.
        Value::Int(n) if *n < 0 => format!(" {n}"),
        Value::Int(_) | Value::BigInt(_) => value.to_string(),
        Value::Float(n) if n.is_finite() => format!(" {n}"),
        Value::Float(n) => {
            let name = if n.is_nan() {
                "NaN"
            } else if *n > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            format!("'{name}'::float")
        }
        Value::List(items) | Value::Tuple(items) => match items.is_empty() {
            true => "'{}'".into(),
            false => format!("ARRAY[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", ")),
        },
        Value::Map(_) => literal(&value.to_json().to_string()),
        other => literal(&other.to_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playbook_api::map;

    #[test]
    fn values_are_quoted() {
        let values =
            [Value::from("it's"), (-5).into(), Value::Null, vec![1, 2].into(), map! { "a" => 1 }.into()];
        assert_eq!(
            fill("SELECT %s, 1 -%s, %s, %s, %s, 5 %% 2", &Fill::Positional(&values)).unwrap(),
            "SELECT 'it''s', 1 - -5, NULL, ARRAY[1, 2], '{\"a\":1}', 5 % 2"
        );
        let named = map! { "x" => "a\\b" };
        assert_eq!(
            fill("SELECT %(x)s, %(x)s", &Fill::Named(&named)).unwrap(),
            "SELECT  E'a\\\\b',  E'a\\\\b'"
        );
        assert_eq!(fill("LIKE '%s'", &Fill::None).unwrap(), "LIKE '%s'");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let one = [Value::from(1)];
        assert!(fill("%s %s", &Fill::Positional(&one)).is_err());
        assert!(fill("x", &Fill::Positional(&one)).is_err());
        assert!(fill("%d", &Fill::Positional(&one)).is_err());
        assert!(fill("%(y)s", &Fill::Named(&map! { "x" => 1 })).is_err());
        assert!(fill("%(y", &Fill::Named(&map! { "x" => 1 })).is_err());
    }
}
