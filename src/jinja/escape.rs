//! Backslash escapes of string constants, as Python reads them.

/// Replaces Python's escapes; an unknown one keeps its backslash.
///
/// ```
/// assert_eq!(playbook::jinja::unescape(r"a\tb\x41\d"), "a\tbA\\d");
/// ```
pub fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find('\\') {
        out.push_str(&rest[..i]);
        rest = &rest[i + 1..];
        let Some(c) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        let after = &rest[c.len_utf8()..];
        let (length, radix) = match c {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (0, 8),
            _ => (0, 0),
        };
        rest = after;
        match c {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(c),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            'x' | 'u' | 'U' => {
                let code = after.get(..length).and_then(|digits| u32::from_str_radix(digits, radix).ok());
                match code.and_then(char::from_u32) {
                    Some(code) => {
                        out.push(code);
                        rest = &after[length..];
                    }
                    None => {
                        out.push('\\');
                        out.push(c);
                    }
                }
            }
            '0'..='7' => {
                let more = after.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let digits: String = c.to_string() + &after[..more];
                out.extend(u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32));
                rest = &after[more..];
            }
            c => {
                out.push('\\');
                out.push(c);
            }
        }
    }
    out.push_str(rest);
    out
}
