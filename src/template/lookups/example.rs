//! `words`: the words of texts.

use playbook_api::{Error, Map, Value};

use super::Lookup;
use crate::template::Renderer;

/// The table of the family: a name and a function for each lookup.
pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("words", words)];

/// `{{ lookup('words', 'a b', 'c') }}` finds `a`, `b` and `c`.
fn words(terms: &[Value], _options: &Map, _renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for term in terms {
        let text = term.as_str().ok_or_else(|| {
            Error::new(format!("words requires text, not '{}'", term.type_name()))
                .with_help("Give each text as a term of its own.")
        })?;
        found.extend(text.split_whitespace().map(Value::from));
    }
    Ok(found)
}

#[test]
fn words_of_terms() {
    let renderer = super::oracle::renderer(std::path::Path::new("."));
    let found = (LOOKUPS[0].run)(&["a b".into(), "c".into()], &Map::default(), &renderer).expect("words");
    assert_eq!(found, ["a".into(), "b".into(), Value::from("c")]);
}
