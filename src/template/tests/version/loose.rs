//! Versions of any form: runs of digits and of letters, compared part by part.

use std::cmp::Ordering;

use num_bigint::BigInt;

#[derive(Debug)]
enum Part {
    Number(BigInt),
    Word(String),
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_lowercase(), c == '.');
        let end = rest.find(|other| kind(other) != kind(c)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(if c == '.' { 1 } else { end });
        rest = after;
        match part.parse::<BigInt>() {
            Ok(number) if c.is_ascii_digit() => parts.push(Part::Number(number)),
            _ if part == "." => {}
            _ => parts.push(Part::Word(part.to_owned())),
        }
    }
    parts
}

/// Returns the order, or an error if a word is compared with a number.
pub(crate) fn loose(a: &str, b: &str) -> Result<Ordering, String> {
    let (a, b) = (parts(a), parts(b));
    for pair in a.iter().zip(&b) {
        let order = match pair {
            (Part::Number(a), Part::Number(b)) => a.cmp(b),
            (Part::Word(a), Part::Word(b)) => a.cmp(b),
            (Part::Word(_), Part::Number(_)) => {
                return Err("'<' not supported between instances of 'str' and 'int'".into());
            }
            (Part::Number(_), Part::Word(_)) => {
                return Err("'<' not supported between instances of 'int' and 'str'".into());
            }
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(a.len().cmp(&b.len()))
}
