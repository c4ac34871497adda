//! The options of lookups, and those inside of a term (`'name file=x.ini re=true'`).

use playbook_api::{Error, Map, Place, Value};

use crate::document::{Trust, parse_kv};
use crate::template::filters::word_as_bool;

/// Splits a term into the text before the options, and the `key=value` options.
pub(super) fn parse(text: &str) -> Result<(String, Map), Error> {
    let mut options = parse_kv(text, &Place::file_only("<lookup>"), Trust::Text, false)?;
    let free = options
        .shift_remove("_raw_params")
        .map(|node| node.raw().to_text().trim().to_owned())
        .unwrap_or_default();
    Ok((free, options.into_iter().map(|(key, node)| (Value::from(key), node.raw())).collect()))
}

/// The options of one lookup. Those in the term override those of the call.
pub(super) struct Options<'a> {
    pub lookup: &'static str,
    pub inline: Map,
    pub call: &'a Map,
}

impl Options<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.inline.get(name).or_else(|| self.call.get(name)).filter(|value| !value.is_null())
    }

    fn invalid(&self, name: &str, why: &str) -> Error {
        Error::new(format!(
            "Config '{name}' for '{}' lookup plugin from 'Direct' has an invalid value: {why}",
            self.lookup
        ))
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = match value {
            Value::Str(text) => text.trim().parse().ok(),
            Value::Float(n) if n.fract() == 0.0 => Some(*n as i64),
            value => value.as_i64(),
        };
        let shown = || playbook_api::python::repr(value);
        number
            .map(Some)
            .ok_or_else(|| self.invalid(name, &format!("Invalid value provided for 'integer': {}", shown())))
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Error> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let shown = || playbook_api::python::repr(value);
        word_as_bool(value)
            .ok_or_else(|| self.invalid(name, &format!("Invalid value provided for 'boolean': {}", shown())))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.to_text().into_owned())
    }

    /// Rejects inline options that the lookup does not have.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), Error> {
        match self.inline.keys().find(|key| !key.as_str().is_some_and(|key| known.contains(&key))) {
            Some(unknown) => Err(Error::new(format!("'{unknown}' is not a valid option"))),
            None => Ok(()),
        }
    }
}

/// Returns an option of the call as a boolean.
pub(super) fn flag(lookup: &'static str, options: &Map, name: &str, default: bool) -> Result<bool, Error> {
    Options { lookup, inline: Map::default(), call: options }.flag(name, default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_in_terms() {
        let (free, options) =
            parse("German von Lastname file=\"cool list.csv\" delimiter=, col=1").expect("parses");
        assert_eq!(free, "German von Lastname");
        assert_eq!(options.get("file").and_then(Value::as_str), Some("cool list.csv"));
        assert_eq!(options.get("delimiter").and_then(Value::as_str), Some(","));
        assert_eq!(parse("\"The Rock\" Johnson col=1").expect("parses").0, "\"The Rock\" Johnson");
        assert!(parse("a='b").is_err());
    }
}
