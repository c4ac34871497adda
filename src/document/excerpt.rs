//! The source lines an error is about.

use std::io::{BufRead, BufReader};

use playbook_api::Place;

const WIDEST: usize = 120;
const BEFORE: usize = 2;

/// The lines up to a place, numbered, and below them a mark at its column, as Ansible shows them. Nothing where
/// the place is not a line of a file that can be read, or the file is a vault.
pub fn source_excerpt(place: &Place) -> Option<String> {
    let target = place.line as usize;
    if target == 0 || place.file.starts_with('<') {
        return None;
    }
    let file = BufReader::new(std::fs::File::open(&*place.file).ok()?);
    let mut lines = Vec::new();
    for (index, line) in file.split(b'\n').take(target).enumerate() {
        let line = line.ok()?;
        if index == 0 && crate::vault::is_envelope(&line) {
            return None;
        }
        if index + BEFORE + 1 >= target {
            let line = String::from_utf8_lossy(&line);
            lines.push((index + 1, line.trim_end_matches('\r').replace('\t', " ")));
        }
    }
    if lines.last()?.0 != target {
        return None;
    }
    let label = target.to_string().len();
    let widest = WIDEST - label - 1;
    let mut usable = widest;
    let mut shown: Vec<String> = Vec::new();
    for (number, line) in lines {
        let mut line = line;
        if line.chars().count() > widest {
            usable = widest - 3;
            line = line.chars().take(usable).chain("...".chars()).collect();
        }
        let gap = if line.is_empty() { "" } else { " " };
        shown.push(format!("{number:>label$}{gap}{line}"));
    }
    let column = place.column as usize;
    if column == 0 {
        let width = shown.last()?.chars().count().saturating_sub(label + 1);
        shown.push(format!("{:label$} {}", "", "^".repeat(width)));
    } else if column <= usable {
        let word = format!("column {column}");
        let before = column - 1;
        let mark = if before + 2 + word.len() > widest {
            format!("{}{word} ^", " ".repeat(before.saturating_sub(word.len() + 1)))
        } else {
            format!("{}^ {word}", " ".repeat(before))
        };
        shown.push(format!("{:label$} {mark}", ""));
    }
    Some(shown.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_two_lines_before_and_a_mark() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.yml");
        std::fs::write(&path, "- hosts: all\n  tasks:\n\t- debug:\n\n").unwrap();
        let place = |line, column| Place::new(path.to_str().unwrap(), line, column);
        assert_eq!(
            source_excerpt(&place(3, 1)).unwrap(),
            "1 - hosts: all\n2   tasks:\n3  - debug:\n  ^ column 1"
        );
        assert_eq!(source_excerpt(&place(1, 0)).unwrap(), "1 - hosts: all\n  ^^^^^^^^^^^^");
        assert!(source_excerpt(&place(9, 1)).is_none());
        assert!(source_excerpt(&Place::new("<command line>", 1, 1)).is_none());
    }
}
