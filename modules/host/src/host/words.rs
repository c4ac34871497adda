//! Splits a command line into words as a POSIX shell does.

use playbook_api::Error;

/// `a 'b c' "d\"e"` → `a`, `b c`, `d"e`.
pub(crate) fn split(line: &str) -> Result<Vec<String>, Error> {
    let (mut words, mut word, mut started) = (Vec::new(), String::new(), false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                started = true;
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err(unclosed(line)),
                    }
                }
            }
            '"' => {
                started = true;
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err(unclosed(line)),
                        },
                        Some(c) => word.push(c),
                        None => return Err(unclosed(line)),
                    }
                }
            }
            '\\' => {
                started = true;
                word.push(
                    chars
                        .next()
                        .ok_or_else(|| Error::new(format!("No escaped character in the command: {line}")))?,
                );
            }
            ' ' | '\t' | '\r' | '\n' => {
                if std::mem::take(&mut started) || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if started || !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// Quotes a word for a shell.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

fn unclosed(line: &str) -> Error {
    Error::new(format!("No closing quotation in the command: {line}"))
        .with_help("Close the quote, or escape it with `\\`.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_split_like_a_shells() {
        assert_eq!(split(r#"a 'b c' "d\"e\n" '' f\ g"#).unwrap(), ["a", "b c", "d\"e\\n", "", "f g"]);
        assert!(split("'a").is_err() && split("a\\").is_err());
        assert_eq!((quote("a b'c"), quote("a=/b")), ("'a b'\"'\"'c'".into(), "a=/b".into()));
    }
}
