//! Python's versions (PEP 440): `1!2.0rc1.post2.dev3+local`.

use std::cmp::Ordering;

use crate::template::regex::{Flags, compile};

/// The segments in the order of their significance. An absent segment is ordered relative to present ones.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    epoch: u64,
    release: Vec<u64>,
    pre: (i8, String, u64),
    post: (i8, u64),
    dev: (i8, u64),
    local: Vec<(i8, u64, String)>,
}

const GRAMMAR: &str = r"^\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)(?:[-_.]?(?P<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pren>\d*))?(?P<post>-(?P<postn1>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<postn2>\d*))?(?P<dev>[-_.]?dev[-_.]?(?P<devn>\d*))?(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$";

fn parse(text: &str) -> Result<Version, String> {
    let invalid = || format!("Invalid version: '{text}'");
    let grammar =
        compile(GRAMMAR, Flags { ignore_case: true, multiline: false }).map_err(|e| e.to_string())?;
    let found = grammar.search(text, 0).map_err(|e| e.to_string())?.ok_or_else(invalid)?;
    let part = |name: &str| found.name(name).map(|part| part.as_str().to_lowercase());
    let number = |name: &str| part(name).map_or(0, |digits| digits.parse().unwrap_or(0));
    let mut release = part("release")
        .unwrap_or_default()
        .split('.')
        .map(|part| part.parse::<u64>().map_err(|_| invalid()))
        .collect::<Result<Vec<_>, _>>()?;
    while release.len() > 1 && release.last() == Some(&0) {
        release.pop();
    }
    let (has_pre, has_post, has_dev) = (part("pre"), part("post").is_some(), part("dev").is_some());
    let pre = match has_pre {
        Some(letter) => {
            let letter = match letter.as_str() {
                "alpha" => "a",
                "beta" => "b",
                "c" | "pre" | "preview" => "rc",
                other => other,
            };
            (0, letter.to_owned(), number("pren"))
        }
        None if !has_post && has_dev => (-1, String::new(), 0),
        None => (1, String::new(), 0),
    };
    let local = part("local").unwrap_or_default();
    let segment = |part: &str| match part.parse::<u64>() {
        Ok(number) => (1, number, String::new()),
        Err(_) => (0, 0, part.to_owned()),
    };
    Ok(Version {
        epoch: number("epoch"),
        release,
        pre,
        post: if has_post { (0, number("postn1").max(number("postn2"))) } else { (-1, 0) },
        dev: if has_dev { (0, number("devn")) } else { (1, 0) },
        local: local.split(['-', '_', '.']).filter(|part| !part.is_empty()).map(segment).collect(),
    })
}

pub(super) fn order(a: &str, b: &str) -> Result<Ordering, String> {
    Ok(parse(a)?.cmp(&parse(b)?))
}
