//! Tests of URIs, URLs and URNs.

use playbook_api::{Error, Value};

use crate::template::filters::arguments::{given, iterate};
use crate::template::filters::urls::{Url, split};
use crate::template::{Call, Function};

pub(super) const TESTS: &[Function] = &[
    Function::new("uri", uri),
    Function::new("url", url),
    test!("urn", |value| value.as_str().is_some_and(|text| split(text).is_ok_and(|url| url.scheme == "urn"))),
];

/// Parses a text, and returns it if its scheme is allowed.
fn parsed(call: &mut Call) -> Result<Option<Url>, Error> {
    let [schemes] = call.bind(["schemes"], 0)?;
    let Some(url) = call.input.as_str().and_then(|text| split(text).ok()) else { return Ok(None) };
    let allowed = match given(schemes) {
        Some(schemes) => iterate(&schemes)?.iter().any(|scheme| scheme.as_str() == Some(url.scheme.as_str())),
        None => true,
    };
    Ok(Some(url).filter(|_| allowed))
}

fn uri(call: &mut Call) -> Result<Value, Error> {
    Ok(parsed(call)?.is_some().into())
}

/// Tests for a URI with a location.
fn url(call: &mut Call) -> Result<Value, Error> {
    Ok(parsed(call)?.is_some_and(|url| !url.scheme.is_empty() && !url.netloc.is_empty()).into())
}
