//! Host names as inventories write them: ports and ranges (`www[01:20:2].example.org:2222`).

use std::net::{Ipv4Addr, Ipv6Addr};

use playbook_api::{Error, ErrorKind};

/// Expands a pattern to its hosts, and returns its port.
pub(super) fn expand(pattern: &str) -> Result<(Vec<String>, Option<u16>), Error> {
    let (host, port) = split_port(pattern).unwrap_or((pattern, None));
    if host.matches('[').count() > 50 || host.len() > 5000 {
        return Err(Error::new("the host name is too long, or has too many ranges"));
    }
    let mut hosts = Vec::new();
    expand_ranges(host, &mut hosts)?;
    Ok((hosts, port))
}

/// Splits a valid address into the host name, which may have ranges, and the port.
pub(super) fn split_port(address: &str) -> Option<(&str, Option<u16>)> {
    let port_of = |text: &str| -> Option<u16> {
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let bracketed = address.strip_prefix('[').and_then(|rest| {
        let (host, port) = rest.rsplit_once("]:")?;
        Some((host, port_of(port)?)).filter(|(host, _)| !host.is_empty())
    });
    let (host, port) = match bracketed {
        Some((host, port)) => (host, Some(port)),
        None => match address.rsplit_once(':') {
            Some((host, port)) if !outside_brackets(host).contains(':') && balanced(host) => {
                port_of(port).map_or((address, None), |port| (host, Some(port)))
            }
            _ => (address, None),
        },
    };
    is_host(host).then_some((host, port))
}

fn balanced(text: &str) -> bool {
    text.matches('[').count() == text.matches(']').count()
}

/// Returns the text without every `[…]`.
fn outside_brackets(text: &str) -> String {
    let mut depth = 0usize;
    text.chars()
        .filter(|c| {
            match c {
                '[' => depth += 1,
                ']' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

/// Whether a text is an address or a host name, possibly with ranges.
fn is_host(text: &str) -> bool {
    let Some(plain) = with_ranges_replaced(text) else { return false };
    plain.parse::<Ipv4Addr>().is_ok() || plain.parse::<Ipv6Addr>().is_ok() || is_hostname(&plain)
}

fn is_hostname(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.split('.').all(|label| {
        label.starts_with(word) && label.chars().all(|c| word(c) || c == '-') && !label.ends_with(['-', '_'])
    })
}

/// Returns the text with every valid range replaced by a digit, or nothing if a bracket is not a range.
fn with_ranges_replaced(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let close = rest[open..].find(']')? + open;
        let parts: Vec<&str> = rest[open + 1..close].split(':').collect();
        let hex = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_hexdigit());
        let letter = |s: &str| s.len() == 1 && s.bytes().all(|b| b.is_ascii_alphabetic());
        let valid = match parts.as_slice() {
            [begin, end] | [begin, end, _] => (hex(begin) && hex(end)) || (letter(begin) && letter(end)),
            _ => false,
        };
        let step_valid = parts.get(2).is_none_or(|s| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()));
        if !valid || !step_valid {
            return None;
        }
        out.push_str(&rest[..open]);
        out.push('1');
        rest = &rest[close + 1..];
    }
    if rest.contains(']') {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

/// The largest number of hosts of one pattern: more would not fit in memory.
const MOST_HOSTS: usize = 1_000_000;

fn expand_ranges(text: &str, hosts: &mut Vec<String>) -> Result<(), Error> {
    let range = text.find('[').and_then(|open| Some((open, text[open..].find(']')? + open)));
    let Some((open, close)) = range else {
        hosts.push(text.to_owned());
        return Ok(());
    };
    let (head, tail) = (&text[..open], &text[close + 1..]);
    let parts: Vec<&str> = text[open + 1..close].split(':').collect();
    let (begin, end, step) = match parts.as_slice() {
        [begin, end] => (*begin, *end, "1"),
        [begin, end, step] => (*begin, *end, *step),
        _ => return Err(Error::new("host range must be begin:end or begin:end:step")),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return Err(Error::new("host range must specify end value"));
    }
    let step: usize =
        step.parse().ok().filter(|step| *step > 0).ok_or_else(|| {
            Error::new(format!("host range '{text}' needs a step that is a number above zero"))
        })?;
    let mut push = |middle: &str| {
        if hosts.len() >= MOST_HOSTS {
            return Err(Error::new(format!("host range '{text}' means more than a million hosts")));
        }
        expand_ranges(&format!("{head}{middle}{tail}"), hosts)
    };
    let width = if begin.len() > 1 && begin.starts_with('0') { begin.len() } else { 0 };
    if width > 0 && width != end.len() {
        return Err(Error::new("host range must specify equal-length begin and end formats"));
    }
    if let (Some(begin), Some(end)) = (letter(begin), letter(end)) {
        if begin > end {
            return Err(Error::new("host range must have begin <= end"));
        }
        return LETTERS
            .chars()
            .take(end + 1)
            .skip(begin)
            .step_by(step)
            .try_for_each(|c| push(&c.to_string()));
    }
    let number = |text: &str| {
        text.parse::<u64>().map_err(|_| {
            Error::new(format!("host range '{text}' is neither numbers nor letters"))
                .with_kind(ErrorKind::Syntax)
        })
    };
    let (begin, end) = (number(begin)?, number(end)?);
    (begin..=end).step_by(step).try_for_each(|n| push(&format!("{n:0width$}")))
}

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter(text: &str) -> Option<usize> {
    (text.len() == 1).then(|| LETTERS.find(text))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_ports_are_taken_apart() {
        let text = |pattern| {
            let (hosts, port) = expand(pattern).unwrap();
            format!("{} {}", hosts.join(","), port.map(|p| p.to_string()).unwrap_or_default())
        };
        for (pattern, expected) in [
            ("web", "web "),
            ("web:22", "web 22"),
            ("www[01:03].example.org", "www01.example.org,www02.example.org,www03.example.org "),
            ("a[1:5:2]:2222", "a1,a3,a5 2222"),
            ("db-[a:c]", "db-a,db-b,db-c "),
            ("r[1:2]n[8:10]", "r1n8,r1n9,r1n10,r2n8,r2n9,r2n10 "),
            ("[::1]:22", "::1 22"),
            ("::1", "::1 "),
            ("fe80::1:2", "fe80::1:2 "),
            ("10.0.0.[1:2]:22", "10.0.0.1,10.0.0.2 22"),
            ("user@host:22", "user@host:22 "),
            ("a[:2]", "a0,a1,a2 "),
        ] {
            assert_eq!(text(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn bad_ranges_say_why() {
        for pattern in ["a[1]", "a[1:]", "a[01:100]", "a[c:a]", "a[1:x]", "a[1:9:0]", "a[0:99999999]"] {
            assert!(expand(pattern).is_err(), "{pattern}");
        }
    }
}
