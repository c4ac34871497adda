//! Translates Python's patterns to fancy-regex's.

use super::Flags;

/// Writes a Python pattern in fancy-regex's dialect.
pub(super) fn translate(pattern: &str, flags: Flags) -> String {
    let characters: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut multiline = flags.multiline;
    let mut at = 0;
    if flags.ignore_case {
        out.push_str("(?i)");
    }
    if flags.multiline {
        out.push_str("(?m)");
    }
    while let Some(c) = characters.get(at).copied() {
        at += 1;
        match c {
            '\\' => escape(&characters, &mut at, &mut out, false),
            '[' => class(&characters, &mut at, &mut out),
            '$' if multiline => out.push_str("(?=\\n|\\z)"),
            '$' => out.push_str("(?=\\n?\\z)"),
            '(' if characters.get(at) == Some(&'?') => {
                group(&characters, &mut at, &mut out, &mut multiline);
            }
            '{' => match quantifier(&characters[at..]) {
                Some((length, low, high)) => {
                    out.push_str(&format!("{{{low}{high}}}"));
                    at += length;
                }
                None => out.push_str("\\{"),
            },
            '}' => out.push_str("\\}"),
            c => out.push(c),
        }
    }
    out
}

/// Parses `{2}`, `{2,}` or `{,3}`. Returns the length after the brace, and the bounds in the library's form.
fn quantifier(rest: &[char]) -> Option<(usize, String, String)> {
    let close = rest.iter().position(|c| *c == '}')?;
    let inner: String = rest[..close].iter().collect();
    let (low, high) = inner.split_once(',').map_or((&*inner, None), |(low, high)| (low, Some(high)));
    let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !numeric(low) || !high.is_none_or(numeric) || (low.is_empty() && high.is_none_or(str::is_empty)) {
        return None;
    }
    let low = if low.is_empty() { "0" } else { low };
    Some((close + 1, low.to_owned(), high.map(|high| format!(",{high}")).unwrap_or_default()))
}

/// Translates the text after `(?`: names, comments and flags differ between the dialects.
fn group(characters: &[char], at: &mut usize, out: &mut String, multiline: &mut bool) {
    let rest: String = characters[*at..].iter().take(200).collect();
    let close = |rest: &str| rest.find(')').map(|byte| rest[..byte].chars().count());
    if let Some(name) = rest.strip_prefix("?P=").and_then(|rest| rest.split_once(')')).map(|(name, _)| name) {
        out.push_str(&format!("\\k<{name}>"));
        *at += 3 + name.chars().count() + 1;
    } else if rest.starts_with("?#") {
        let skipped = characters[*at..].iter().position(|c| *c == ')').map_or(rest.len(), |end| end + 1);
        *at += skipped;
    } else if let Some(end) = close(&rest)
        && rest.chars().take(end).skip(1).all(|c| "aiLmsux-".contains(c))
        && end > 1
    {
        let set: String = rest.chars().take(end).skip(1).filter(|c| "imsx-".contains(*c)).collect();
        *multiline |= set.split('-').next().is_some_and(|on| on.contains('m'));
        if !set.is_empty() {
            out.push_str(&format!("(?{set})"));
        }
        *at += end + 1;
    } else {
        out.push('(');
    }
}

fn escape(characters: &[char], at: &mut usize, out: &mut String, in_class: bool) {
    let Some(c) = characters.get(*at).copied() else {
        out.push('\\');
        return;
    };
    *at += 1;
    match c {
        'Z' if !in_class => out.push_str("\\z"),
        'b' if in_class => out.push_str("\\x08"),
        'a' => out.push_str("\\x07"),
        '0' => {
            let mut code = 0;
            let start = *at;
            while *at < start + 2
                && let Some(digit) = characters.get(*at).and_then(|c| c.to_digit(8))
            {
                code = code * 8 + digit;
                *at += 1;
            }
            out.push_str(&format!("\\x{{{code:x}}}"));
        }
        'u' | 'U' | 'x' => {
            let length = match c {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let end = (*at + length).min(characters.len());
            let digits: String = characters[*at..end].iter().collect();
            out.push_str(&format!("\\x{{{digits}}}"));
            *at = end;
        }
        c if c.is_ascii_alphanumeric() => out.extend(['\\', c]),
        ' ' => out.push_str("\\x20"),
        c => literal(c, out),
    }
}

fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() && !"<>\"'/@`,;:=!%_".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

/// Translates a character class: Rust's has set operations that Python's lacks.
fn class(characters: &[char], at: &mut usize, out: &mut String) {
    out.push('[');
    if characters.get(*at) == Some(&'^') {
        out.push('^');
        *at += 1;
    }
    let mut first = true;
    while let Some(c) = characters.get(*at).copied() {
        *at += 1;
        match c {
            ']' if !first => {
                out.push(']');
                return;
            }
            '\\' => escape(characters, at, out, true),
            ']' | '[' | '&' | '~' => out.extend(['\\', c]),
            '-' if first || characters.get(*at) == Some(&']') => out.push_str("\\-"),
            c => out.push(c),
        }
        first = false;
    }
}
