//! Shell patterns: `*`, `?`, `[a-z]`, `[!a]`, on names and on whole paths.

use std::path::{Path, PathBuf};

/// Returns whether a pattern has anything to expand.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Returns whether a name matches a pattern in the sense of Python's `fnmatch` (`*` also matches `/` and leading
/// dots).
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    fits(&pattern, &name)
}

fn fits(pattern: &[char], name: &[char]) -> bool {
    // After a star, the position to go back to if the rest does not match.
    let (mut p, mut n, mut retry) = (0, 0, None);
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => match class(&pattern[p..], name[n]) {
                Some((true, length)) => Some(length),
                Some((false, _)) => None,
                None => (name[n] == '[').then_some(1),
            },
            Some(c) if *c == name[n] => Some(1),
            _ => None,
        };
        match (step, &mut retry) {
            (Some(length), _) => (p, n) = (p + length, n + 1),
            (None, Some((back, from))) => {
                *from += 1;
                (p, n) = (*back, *from);
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Returns whether the class at the start of the pattern contains the character, and the length of the class.
fn class(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let start = if negated { 2 } else { 1 };
    let close = start + 1 + pattern.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let (mut i, mut found) = (start, false);
    while i < close {
        if i + 2 < close && pattern[i + 1] == '-' {
            found |= pattern[i] <= c && c <= pattern[i + 2];
            i += 3;
        } else {
            found |= pattern[i] == c;
            i += 1;
        }
    }
    Some((found != negated, close + 1))
}

/// Returns whether anything exists at a path that may contain patterns.
pub(crate) fn any(pattern: &Path) -> bool {
    !expand(pattern).is_empty()
}

/// Returns all matching paths, sorted. A path without patterns matches if it exists.
pub(crate) fn expand(pattern: &Path) -> Vec<PathBuf> {
    if !is_pattern(&pattern.to_string_lossy()) {
        return if pattern.symlink_metadata().is_ok() { vec![pattern.to_owned()] } else { Vec::new() };
    }
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if !is_pattern(&text) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        found = found.iter().flat_map(|directory| children(directory, &text)).collect();
    }
    found.retain(|path| path.symlink_metadata().is_ok());
    found
}

fn children(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let names = std::fs::read_dir(here).into_iter().flatten().flatten().map(|e| e.file_name());
    let mut found: Vec<PathBuf> = names
        .filter(|name| {
            let name = name.to_string_lossy();
            (pattern.starts_with('.') || !name.starts_with('.')) && matches(pattern, &name)
        })
        .map(|name| directory.join(name))
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_does() {
        let yes = [
            ("*.log", "a.log"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[!a]", "b"),
            ("*", ""),
            ("a*b*c", "aXbYbZc"),
            ("[]]", "]"),
            ("[x", "[x"),
        ];
        let no = [("*.log", "a.logs"), ("a?c", "ac"), ("[!a]", "a"), ("a*b", "acd"), ("", "a")];
        assert!(yes.iter().all(|(p, n)| matches(p, n)));
        assert!(!no.iter().any(|(p, n)| matches(p, n)));
    }

    #[test]
    fn paths_expand_over_directories() {
        assert!(any(Path::new("/et*/pass[w]d")) && !any(Path::new("/et*/no-such-*")));
        assert!(any(Path::new("/etc/passwd")) && !any(Path::new("/etc/no-such")));
    }
}
