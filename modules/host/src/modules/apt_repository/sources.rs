//! The lines of `sources.list` and of the files beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use playbook_api::Failure;

use crate::host::errno::Doing;
use crate::host::regex;

const LIST: &str = "/etc/apt/sources.list";
const PARTS: &str = "/etc/apt/sources.list.d";

/// Each file's text.
pub(crate) type Texts = BTreeMap<PathBuf, String>;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// Whether it is a source, enabled or disabled.
    pub(crate) valid: bool,
    /// Whether it is not a comment.
    pub(crate) enabled: bool,
    /// The source without comment and superfluous spaces.
    pub(crate) source: String,
    comment: String,
}

impl Line {
    pub(crate) fn parse(line: &str) -> Line {
        let line = line.trim();
        let (enabled, line) = line.strip_prefix('#').map_or((true, line), |rest| (false, rest));
        let (source, comment) = match line.find('#') {
            Some(at) if at > 0 => (&line[..at], line[at + 1..].trim()),
            _ => (line, ""),
        };
        let words: Vec<&str> = source.split_whitespace().collect();
        let valid = words.first().is_some_and(|word| is_kind(word));
        let source = if valid { words.join(" ") } else { source.trim().to_owned() };
        Line { valid, enabled, source, comment: comment.to_owned() }
    }

    fn text(&self) -> String {
        let off = if self.enabled { "" } else { "# " };
        let comment = if self.comment.is_empty() { String::new() } else { format!(" # {}", self.comment) };
        format!("{off}{}{comment}\n", self.source)
    }
}

fn is_kind(word: &str) -> bool {
    matches!(word, "deb" | "deb-src")
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(BTreeMap<PathBuf, Vec<Line>>);

impl Sources {
    pub(crate) fn read() -> Result<Sources, Failure> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(PARTS)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "list"));
        files.push(PathBuf::from(LIST));
        let mut sources = Sources::default();
        for file in files.into_iter().filter(|file| file.is_file()) {
            let text = std::fs::read_to_string(&file).doing("could not read", &file)?;
            sources.0.insert(file, text.lines().map(Line::parse).collect());
        }
        Ok(sources)
    }

    /// Enables the source where it exists, or adds it to a file.
    pub(crate) fn add(&mut self, source: &str, file: &Path) {
        let mut found = false;
        for line in self.0.values_mut().flatten().filter(|line| line.valid && line.source == source) {
            line.enabled = true;
            found = true;
        }
        if !found {
            let line = Line { valid: true, enabled: true, source: source.to_owned(), comment: String::new() };
            self.0.entry(file.to_owned()).or_default().push(line);
        }
    }

    pub(crate) fn remove(&mut self, source: &str) {
        for lines in self.0.values_mut() {
            lines.retain(|line| !(line.valid && line.enabled && line.source == source));
        }
    }

    /// The files that have any line.
    pub(crate) fn texts(&self) -> Texts {
        let text = |lines: &Vec<Line>| lines.iter().map(Line::text).collect();
        let files = self.0.iter().filter(|(_, lines)| !lines.is_empty());
        files.map(|(file, lines)| (file.clone(), text(lines))).collect()
    }
}

/// Returns the path of the file with that name.
pub(crate) fn place(name: &str) -> PathBuf {
    if name.contains('/') { PathBuf::from(name) } else { Path::new(PARTS).join(name) }
}

/// Returns the name of the file for a source, which is derived from its URL.
pub(crate) fn suggested(line: &str) -> String {
    let plain = [r"\[[^\]]+\]", r"\w+://"].iter().fold(line.to_owned(), |line, pattern| {
        regex::compile(pattern, "").map(|r| r.replace_all(&line, "").into_owned()).unwrap_or(line)
    });
    let address = plain.split_whitespace().find(|word| !is_kind(word)).unwrap_or_default();
    let address = address.split_once('@').map_or(address, |(_, rest)| rest);
    let words: Vec<&str> =
        address.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_what_they_say() {
        let line = Line::parse("# deb  http://a/b   stable main # mine");
        assert!(line.valid && !line.enabled);
        assert_eq!(line.text(), "# deb http://a/b stable main # mine\n");
        assert!(!Line::parse("# just words").valid);
        assert_eq!(Line::parse("").text(), "\n");
    }

    #[test]
    fn files_are_named_after_addresses() {
        assert_eq!(
            suggested("deb [trusted=yes arch=all] http://me:pw@a.example/debian x main"),
            "a_example_debian"
        );
        assert_eq!(suggested("deb file:/tmp/repo/ stable main"), "file_tmp_repo");
    }
}
