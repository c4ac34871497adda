//! Splits the host lines of INI inventories into shell words.

/// Splits like `shlex.split(text, comments=True)`: quotes and backslashes are removed, and `#` starts a
/// comment.
pub(super) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            c if c.is_whitespace() => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("No escaped character")?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '"' => break,
                        '\\' => {
                            let next = chars.next().ok_or("No escaped character")?;
                            if !matches!(next, '"' | '\\') {
                                word.push('\\');
                            }
                            word.push(next);
                        }
                        c => word.push(c),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn splits_as_shlex_does() {
        for (text, words) in [
            ("a b=1 c='x y'", vec!["a", "b=1", "c=x y"]),
            ("a # comment", vec!["a"]),
            ("a b=x#y c", vec!["a", "b=x"]),
            (r#"a b="x \"y\" \n" c\ d"#, vec!["a", r#"b=x "y" \n"#, "c d"]),
            ("a ''", vec!["a", ""]),
            ("", vec![]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        assert!(split("a 'b").is_err());
        assert!(split("a\\").is_err());
    }
}
