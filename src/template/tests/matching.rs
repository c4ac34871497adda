//! Regular expressions and vaults as tests.

use playbook_api::{Error, Text, Value};

use crate::template::filters::arguments::{flag, text};
use crate::template::regex::{Flags, compile};
use crate::template::undefined::Sealed;
use crate::template::{Call, Function};

pub(super) const TESTS: &[Function] = &[
    Function::new("regex", regex),
    Function::new("search", |call| fixed(call, "search")),
    Function::new("match", |call| fixed(call, "match")),
    Function::new("ansible._protomatter.tagged_with", tagged_with),
    test!("vault_encrypted", |value| {
        let in_vault = |text: &Text| text.envelope().is_some();
        Sealed::of(value).is_some() || matches!(value, Value::Str(text) if in_vault(text))
    })
    .taking_vaults(),
];

fn matches(
    value: &Value,
    pattern: &str,
    ignore_case: &Option<Value>,
    multiline: &Option<Value>,
    kind: &str,
) -> Result<Value, Error> {
    let flags = Flags { ignore_case: flag(ignore_case, false), multiline: flag(multiline, false) };
    let pattern = match kind {
        "match" => compile(&format!("\\A(?:{pattern})"), flags)?,
        "fullmatch" => compile(&format!("\\A(?:{pattern})\\Z"), flags)?,
        _ => compile(pattern, flags)?,
    };
    Ok(pattern.search(&value.to_text(), 0)?.is_some().into())
}

fn regex(call: &mut Call) -> Result<Value, Error> {
    let [pattern, ignore_case, multiline, kind] =
        call.bind(["pattern", "ignorecase", "multiline", "match_type"], 0)?;
    let kind = text(&kind, "search");
    if !matches!(&*kind, "search" | "match" | "fullmatch") {
        return Err(Error::new("Invalid match_type specified. Expected one of: search, match, fullmatch."));
    }
    matches(&call.input, &text(&pattern, ""), &ignore_case, &multiline, &kind)
}

fn fixed(call: &mut Call, kind: &str) -> Result<Value, Error> {
    let [pattern, ignore_case, multiline] = call.bind(["pattern", "ignorecase", "multiline"], 0)?;
    matches(&call.input, &text(&pattern, ""), &ignore_case, &multiline, kind)
}

/// Tests for the marks of values: that they come from a vault, or from a trusted document.
fn tagged_with(call: &mut Call) -> Result<Value, Error> {
    let [tag] = call.bind(["tag_name"], 1)?;
    let trusted = matches!(&call.input, Value::Str(text) if text.is_trusted());
    Ok(match text(&tag, "").as_ref() {
        "VaultedValue" => call.input.is_secret().into(),
        "TrustedAsTemplate" => trusted.into(),
        _ => false.into(),
    })
}
