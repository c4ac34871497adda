//! The suggestion for a misspelled name.

/// Returns the known name that is most similar to `word`, if any is similar enough to be a plausible misspelling: at
/// most one edit for each three characters, and never more than three.
///
/// ```
/// use playbook_api::nearest;
/// assert_eq!(nearest("tempalte", ["template", "file"]), Some("template"));
/// assert_eq!(nearest("x", ["template", "file"]), None);
/// ```
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    let near = names.into_iter().map(|name| (distance(word, name), name)).filter(|(d, _)| *d <= limit);
    near.min().map(|(_, name)| name)
}

/// The number of characters to insert, remove, replace or swap with their neighbor (optimal string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_likeliest_name() {
        assert_eq!(nearest("debugg", ["command", "debug", "copy"]), Some("debug"));
        assert_eq!(nearest("tempalte", ["template", "file"]), Some("template"));
        assert_eq!(nearest("x", ["template", "file"]), None);
    }
}
