//! Parses the recap at the end of a run.

use std::collections::BTreeMap;

/// The totals over all hosts and recaps of an output.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The number of recap lines.
    pub hosts: u32,
    /// The sum of `ok=`.
    pub ok: u32,
    /// The sum of `changed=`.
    pub changed: u32,
    /// The sum of `failed=` and `unreachable=`.
    pub failed: u32,
}

/// Adds up the recap lines in a run's output, with or without colors.
pub fn sums(output: &str) -> Sums {
    let mut sums = Sums::default();
    for (_, counts) in lines(output) {
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        sums.hosts += 1;
        sums.ok += count("ok");
        sums.changed += count("changed");
        sums.failed += count("failed") + count("unreachable");
    }
    sums
}

/// Returns the counts of each host in the last recap, by name.
pub fn hosts(output: &str) -> BTreeMap<String, BTreeMap<String, u32>> {
    lines(output).collect()
}

fn lines(output: &str) -> impl Iterator<Item = (String, BTreeMap<String, u32>)> {
    output.lines().filter_map(|line| {
        let line = plain(line);
        let counts: BTreeMap<String, u32> = line
            .split_whitespace()
            .filter_map(|word| {
                let (name, number) = word.split_once('=')?;
                Some((name.to_owned(), number.parse().ok()?))
            })
            .collect();
        let host = line.split_whitespace().next()?.to_owned();
        (counts.contains_key("ok") && counts.contains_key("changed")).then_some((host, counts))
    })
}

/// Removes terminal colors.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_add_up_with_and_without_color() {
        let output = "PLAY RECAP *****\n\
            web1  : ok=3    changed=1    unreachable=0    failed=0    skipped=2\n\
            \u{1b}[0;33mweb2\u{1b}[0m  : \u{1b}[0;32mok=2   \u{1b}[0m \u{1b}[0;33mchanged=2   \u{1b}[0m unreachable=1 failed=1\n";
        assert_eq!(sums(output), Sums { hosts: 2, ok: 5, changed: 3, failed: 2 });
    }

    #[test]
    fn other_text_with_equal_signs_does_not_count() {
        assert_eq!(sums("ok: [localhost] => x=1\nok=yes changed=no\n"), Sums::default());
    }
}
