//! Differences as people read them: unified, as Python's difflib finds them.

use std::collections::HashMap;

use playbook_api::Value;
use playbook_api::python::{JsonStyle, json};

use super::display::{Color, Display};

/// The text of a result's `diff`: one, or a list of them.
pub(super) fn format_diff(diff: &Value, context: usize, display: &Display) -> String {
    match diff.as_list() {
        Some(all) => all.iter().map(|one| format_one(one, context, display)).collect(),
        None => format_one(diff, context, display),
    }
}

fn format_one(diff: &Value, context: usize, display: &Display) -> String {
    let mut out = String::new();
    for (key, text) in [
        ("dst_binary", "diff skipped: destination file appears to be binary\n"),
        ("src_binary", "diff skipped: source file appears to be binary\n"),
    ] {
        if diff.get(key).is_some() {
            out.push_str(text);
        }
    }
    for (key, what) in [("dst_larger", "destination"), ("src_larger", "source")] {
        if let Some(size) = diff.get(key) {
            out.push_str(&format!("diff skipped: {what} file size is greater than {size}\n"));
        }
    }
    if let (Some(before), Some(after)) = (diff.get("before"), diff.get("after")) {
        let (before, after) = (lines(&text_of(before)), lines(&text_of(after)));
        let header = |name: &str| match diff.get(&format!("{name}_header")) {
            Some(header) => format!("{name}: {header}"),
            None => name.to_owned(),
        };
        let unified = unified(&before, &after, &header("before"), &header("after"), context);
        for line in &unified {
            let color = match line.as_bytes().first() {
                Some(b'+') => Color::DiffAdd,
                Some(b'-') => Color::DiffRemove,
                Some(b'@') if line.starts_with("@@") => Color::DiffLines,
                _ => {
                    out.push_str(line);
                    continue;
                }
            };
            out.push_str(&display.painted(line, color));
        }
        if !unified.is_empty() {
            out.push('\n');
        }
    }
    if let Some(prepared) = diff.get("prepared") {
        out.push_str(&prepared.to_text());
    }
    out
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Map(_) => {
            json(value, JsonStyle { indent: Some(4), sort_keys: true, ensure_ascii: true }) + "\n"
        }
        other => other.to_text().into_owned(),
    }
}

/// Lines with their ends; one that has none says so.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push_str("\n\\ No newline at end of file\n");
    }
    lines
}

/// Part of the way from one text to the other: equal lines have equal lengths on both sides and `same`.
#[derive(Clone, Copy, Debug)]
struct Part {
    same: bool,
    before: (usize, usize),
    after: (usize, usize),
}

fn unified(before: &[String], after: &[String], from: &str, to: &str, context: usize) -> Vec<String> {
    let mut out = Vec::new();
    for group in groups(parts(before, after), context) {
        if out.is_empty() {
            out.push(format!("--- {from}\n"));
            out.push(format!("+++ {to}\n"));
        }
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let before_range = range(first.before.0, last.before.1);
        let after_range = range(first.after.0, last.after.1);
        out.push(format!("@@ -{before_range} +{after_range} @@\n"));
        for part in group {
            if part.same {
                out.extend(before[part.before.0..part.before.1].iter().map(|line| format!(" {line}")));
            } else {
                out.extend(before[part.before.0..part.before.1].iter().map(|line| format!("-{line}")));
                out.extend(after[part.after.0..part.after.1].iter().map(|line| format!("+{line}")));
            }
        }
    }
    out
}

fn range(start: usize, end: usize) -> String {
    match end - start {
        1 => format!("{}", start + 1),
        0 => format!("{start},0"),
        length => format!("{},{length}", start + 1),
    }
}

/// Changes with a few equal lines around them, those near each other together.
fn groups(mut parts: Vec<Part>, context: usize) -> Vec<Vec<Part>> {
    if parts.iter().all(|part| part.same) {
        return Vec::new();
    }
    if let Some(first) = parts.first_mut().filter(|p| p.same) {
        first.before.0 = first.before.0.max(first.before.1.saturating_sub(context));
        first.after.0 = first.after.0.max(first.after.1.saturating_sub(context));
    }
    if let Some(last) = parts.last_mut().filter(|p| p.same) {
        last.before.1 = last.before.1.min(last.before.0 + context);
        last.after.1 = last.after.1.min(last.after.0 + context);
    }
    let mut groups = Vec::new();
    let mut group: Vec<Part> = Vec::new();
    for mut part in parts {
        if part.same && part.before.1 - part.before.0 > context * 2 {
            let mut end = part;
            end.before.1 = end.before.0 + context;
            end.after.1 = end.after.0 + context;
            group.push(end);
            groups.push(std::mem::take(&mut group));
            part.before.0 = part.before.1 - context;
            part.after.0 = part.after.1 - context;
        }
        group.push(part);
    }
    if group.iter().any(|part| !part.same) {
        groups.push(group);
    }
    groups
}

fn parts(before: &[String], after: &[String]) -> Vec<Part> {
    let matcher = Matcher::new(before, after);
    let mut matches = Vec::new();
    matcher.matches((0, before.len()), (0, after.len()), &mut matches);
    matches.push((before.len(), after.len(), 0));
    let (mut i, mut j) = (0, 0);
    let mut parts: Vec<Part> = Vec::new();
    for (a, b, size) in matches {
        if i < a || j < b {
            parts.push(Part { same: false, before: (i, a), after: (j, b) });
        }
        (i, j) = (a + size, b + size);
        match parts.last_mut().filter(|last| last.same && last.before.1 == a && last.after.1 == b) {
            Some(last) if size > 0 => (last.before.1, last.after.1) = (i, j),
            _ if size > 0 => parts.push(Part { same: true, before: (a, i), after: (b, j) }),
            _ => {}
        }
    }
    parts
}

/// Longest matching blocks first, as difflib looks for them.
struct Matcher<'a> {
    before: &'a [String],
    after: &'a [String],
    /// Where each line is in `after`; lines that are all over the place are left out.
    places: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Matcher<'a> {
    fn new(before: &'a [String], after: &'a [String]) -> Self {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (j, line) in after.iter().enumerate() {
            places.entry(line).or_default().push(j);
        }
        if after.len() >= 200 {
            let many = after.len() / 100 + 1;
            places.retain(|_, all| all.len() <= many);
        }
        Matcher { before, after, places }
    }

    fn longest(&self, (a0, a1): (usize, usize), (b0, b1): (usize, usize)) -> (usize, usize, usize) {
        let (mut i, mut j, mut size) = (a0, b0, 0);
        let mut lengths: HashMap<usize, usize> = HashMap::new();
        for a in a0..a1 {
            let mut next = HashMap::new();
            for &b in self.places.get(self.before[a].as_str()).into_iter().flatten() {
                if b < b0 {
                    continue;
                }
                if b >= b1 {
                    break;
                }
                let length = b.checked_sub(1).and_then(|b| lengths.get(&b)).copied().unwrap_or(0) + 1;
                next.insert(b, length);
                if length > size {
                    (i, j, size) = (a + 1 - length, b + 1 - length, length);
                }
            }
            lengths = next;
        }
        while i > a0 && j > b0 && self.before[i - 1] == self.after[j - 1] {
            (i, j, size) = (i - 1, j - 1, size + 1);
        }
        while i + size < a1 && j + size < b1 && self.before[i + size] == self.after[j + size] {
            size += 1;
        }
        (i, j, size)
    }

    fn matches(&self, a: (usize, usize), b: (usize, usize), found: &mut Vec<(usize, usize, usize)>) {
        let mut open = vec![(a, b)];
        while let Some((a, b)) = open.pop() {
            let (i, j, size) = self.longest(a, b);
            if size == 0 {
                continue;
            }
            found.push((i, j, size));
            if a.0 < i && b.0 < j {
                open.push(((a.0, i), (b.0, j)));
            }
            if i + size < a.1 && j + size < b.1 {
                open.push(((i + size, a.1), (j + size, b.1)));
            }
        }
        found.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use playbook_api::{Diff, Redactor, map};

    use super::*;
    use crate::report::display::Streams;
    use crate::settings::Settings;

    fn plain(diff: &Value) -> String {
        format_diff(
            diff,
            3,
            &Display::on(Streams::standard(), &Settings::default(), 0, false, Redactor::default()),
        )
    }

    #[test]
    fn a_new_file_without_a_last_line_break() {
        let diff = Diff { after_header: Some("/tmp/x".into()), ..Diff::text("", "a\nb") };
        assert_eq!(
            plain(&diff.to_value()),
            "--- before\n+++ after: /tmp/x\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n\n"
        );
    }

    #[test]
    fn dictionaries_show_as_json() {
        let diff = Diff::values(
            map! { "path" => "/a", "mode" => "0644" },
            map! { "path" => "/a", "mode" => "0600" },
        );
        assert_eq!(
            plain(&diff.to_value()),
            "--- before\n+++ after\n@@ -1,4 +1,4 @@\n {\n-    \"mode\": \"0644\",\n+    \"mode\": \"0600\",\n     \"path\": \"/a\"\n }\n\n"
        );
    }

    #[test]
    fn far_changes_are_apart() {
        let before: String = (1..=20).map(|n| format!("{n}\n")).collect();
        let after = before.replace("2\n3\n", "two\n3\n").replace("19\n", "");
        assert_eq!(
            plain(&Diff::text(before, after).to_value()),
            "--- before\n+++ after\n@@ -1,5 +1,5 @@\n 1\n-2\n+two\n 3\n 4\n 5\n@@ -16,5 +16,4 @@\n 16\n 17\n 18\n-19\n 20\n\n"
        );
        assert_eq!(plain(&Diff::text("a\n", "a\n").to_value()), "");
    }
}
