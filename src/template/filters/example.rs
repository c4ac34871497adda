//! `initials`: the first letters of words.

use playbook_api::{Error, Value};

use crate::template::{Call, Function};

/// The table of the family: a name and a function for each filter.
pub(super) const FILTERS: &[Function] = &[Function::new("initials", initials)];

/// `{{ 'Ada Lovelace' | initials('.') }}` is `A.L.`.
fn initials(call: &mut Call) -> Result<Value, Error> {
    let Some(text) = call.input.as_str() else {
        return Err(Error::new(format!("initials requires text, not '{}'", call.input.type_name()))
            .with_help("Convert the value first: `value | string | initials`."));
    };
    let after = call.arg(0, "after").map(|value| value.to_text().into_owned()).unwrap_or_default();
    let letters = text.split_whitespace().filter_map(|word| word.chars().next());
    Ok(letters.map(|letter| format!("{letter}{after}")).collect::<String>().into())
}

#[test]
fn initials_of_words() {
    let renderer = super::oracle::renderer();
    let mut call = Call {
        name: "initials",
        input: "Ada Lovelace".into(),
        args: vec![".".into()],
        kwargs: Default::default(),
        renderer: &renderer,
    };
    assert_eq!((FILTERS[0].call)(&mut call).expect("initials"), Value::from("A.L."));
    call.input = 1.into();
    assert_eq!(
        (FILTERS[0].call)(&mut call).expect_err("not text").to_string(),
        "initials requires text, not 'int'"
    );
}
