//! Semantic versions (semver.org).

use std::cmp::Ordering;

struct Version {
    core: [u64; 3],
    pre: Vec<String>,
}

fn parse(text: &str) -> Result<Version, String> {
    let invalid = || format!("invalid semantic version '{text}'");
    let identifier =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let has_zero = |part: &str| part.len() > 1 && part.starts_with('0');
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let mut numbers = [0; 3];
    let parts: Vec<&str> = core.split('.').collect();
    if parts.len() != 3 {
        return Err(invalid());
    }
    for (number, part) in numbers.iter_mut().zip(&parts) {
        if !is_number(part) || has_zero(part) {
            return Err(invalid());
        }
        *number = part.parse().map_err(|_| invalid())?;
    }
    let pre: Vec<String> = pre.map(|pre| pre.split('.').map(str::to_owned).collect()).unwrap_or_default();
    let valid = pre.iter().all(|part| identifier(part) && !(is_number(part) && has_zero(part)))
        && build.is_none_or(|build| build.split('.').all(identifier));
    if valid { Ok(Version { core: numbers, pre }) } else { Err(invalid()) }
}

pub(super) fn order(a: &str, b: &str) -> Result<Ordering, String> {
    let (a, b) = (parse(a)?, parse(b)?);
    let part = |a: &String, b: &String| match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        _ => a.cmp(b),
    };
    Ok(a.core.cmp(&b.core).then_with(|| match (a.pre.is_empty(), b.pre.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let differing = a.pre.iter().zip(&b.pre).map(|(a, b)| part(a, b)).find(|order| order.is_ne());
            differing.unwrap_or_else(|| a.pre.len().cmp(&b.pre.len()))
        }
    }))
}
