//! `lineinfile`: adds, replaces or removes a line of a file.

use fancy_regex::Regex;
use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::Host;
use crate::host::edit::{Edit, Original};
use crate::host::regex::{self, Encoding};
use crate::host::state::State;

/// Ensures that a line is in a file, where it replaces the one that matches `regexp`, or that there is no such line.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["insertbefore", "insertafter"], ["regexp", "search_string"], ["backrefs", "search_string"]]))]
pub(crate) struct Lineinfile {
    #[serde(flatten)]
    edit: Edit,
    /// Whether the line is to be in the file.
    #[serde(default)]
    state: State,
    /// A regular expression. The last line that matches is replaced, or all that match are removed.
    #[schemars(extend("aliases" = ["regex"]))]
    regexp: Option<String>,
    /// The text that a line must contain, instead of a regular expression.
    search_string: Option<String>,
    /// The line to put into the file, or to remove.
    #[schemars(extend("aliases" = ["value"]))]
    line: Option<String>,
    /// Whether `line` may refer to groups of `regexp` (`\1`). If no line matches, nothing is done.
    #[serde(default)]
    backrefs: bool,
    /// A new line goes behind the last line that matches this expression; `EOF` is the end of the file.
    insertafter: Option<String>,
    /// A new line goes before the last line that matches this expression; `BOF` is the beginning of the file.
    insertbefore: Option<String>,
    /// Whether to create the file if it does not exist.
    #[serde(default)]
    create: bool,
    /// Whether the first line that matches counts, rather than the last.
    #[serde(default)]
    firstmatch: bool,
    /// The encoding of the file. UTF-8 by default; bytes that are not UTF-8 then stay as they are.
    encoding: Option<String>,
}

impl HostModule for Lineinfile {
    const DOC: Doc = Doc {
        name: "lineinfile",
        short: "Puts a line into a file, or takes it out",
        returns: &[
            ("msg", "str", "What was done."),
            ("found", "int", "How many lines were removed (state absent)."),
            ("backup", "str", "What the file before is called now."),
        ],
        examples: "- lineinfile:\n    path: /etc/selinux/config\n    regexp: '^SELINUX='\n    line: SELINUX=enforcing\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        if self.state == State::Present && self.backrefs && self.regexp.is_none() {
            return Err(Failure::new("regexp is required with backrefs=true"));
        }
        if self.state == State::Present && self.line.is_none() {
            return Err(Failure::new("line is required with state=present"));
        }
        if self.state == State::Absent
            && self.regexp.is_none()
            && self.search_string.is_none()
            && self.line.is_none()
        {
            return Err(Failure::new("one of line, search_string, or regexp is required with state=absent"));
        }
        let original = self.edit.open(&host)?;
        let outcome = match (self.state, &original.content) {
            (State::Absent, None) => Ok(Outcome::default().msg("file not present")),
            (State::Present, None) if !self.create => {
                let message = format!("Destination {} does not exist !", original.shown());
                Err(Failure::new(message).with("rc", 257).with_help("Set `create: true` to create it."))
            }
            (State::Present, _) => self.present(&host, &original),
            (State::Absent, _) => self.absent(&host, &original),
        };
        let empty = [("regular expression", &self.regexp), ("search string", &self.search_string)];
        let empty = empty.into_iter().find(|(_, p)| p.as_deref() == Some(""));
        match (outcome, empty) {
            (Ok(outcome), Some((name, _))) => Ok(outcome.warn(empty_pattern(name))),
            (outcome, _) => outcome,
        }
    }
}

/// The text of this warning is Ansible's, since playbooks search for it.
fn empty_pattern(what: &str) -> String {
    format!(
        "The {what} is an empty string, which will match every line in the file. \
         This may have unintended consequences, such as replacing the last line in the file rather than appending.{}",
        if what == "regular expression" {
            " If this is desired, use '^' to match every line in the file and avoid this warning."
        } else {
            ""
        }
    )
}

/// A line without its end.
fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

impl Lineinfile {
    fn present(&self, host: &Host, original: &Original) -> Result<Outcome, Failure> {
        let (text, encoding) =
            Encoding::decode_as(original.content.clone().unwrap_or_default(), self.encoding.as_deref())?;
        let mut lines = Original::lines(&text);
        let wanted = encoding.adapt(self.line.as_deref().unwrap_or_default());
        let message = self.put(&mut lines, &wanted, encoding)?;
        let result = encoding.encode(&lines.concat())?;
        self.finish(host, original, &result, message)
    }

    fn finish(
        &self,
        host: &Host,
        original: &Original,
        result: &[u8],
        message: &str,
    ) -> Result<Outcome, Failure> {
        let mut outcome =
            self.edit.finish(host, original, result, message, (" (content)", " (file attributes)"))?;
        let backup = outcome.values.shift_remove("backup_file").unwrap_or_else(|| "".into());
        Ok(outcome.with("backup", backup))
    }

    fn regex(&self, pattern: &Option<String>, encoding: Encoding) -> Result<Option<Regex>, Failure> {
        let compiled = pattern.as_ref().map(|p| regex::compile(&encoding.adapt(p), ""));
        Ok(compiled.transpose()?)
    }

    /// Returns the line to replace: the first or last one that matches.
    fn find(&self, lines: &[String], encoding: Encoding, regexp: Option<&Regex>) -> Option<usize> {
        let text = self.search_string.as_ref().map(|t| encoding.adapt(t));
        let fits = |line: &&String| match (regexp, &text) {
            (Some(regexp), _) => regexp.is_match(bare(line)).unwrap_or(false),
            (None, Some(text)) => line.contains(text.as_str()),
            (None, None) => false,
        };
        match self.firstmatch {
            true => lines.iter().position(|l| fits(&l)),
            false => lines.iter().rposition(|l| fits(&l)),
        }
    }

    /// Adds or replaces the line, and returns the message.
    fn put(
        &self,
        lines: &mut Vec<String>,
        wanted: &str,
        encoding: Encoding,
    ) -> Result<&'static str, Failure> {
        let regexp = self.regex(&self.regexp, encoding)?;
        let found = self.find(lines, encoding, regexp.as_ref());
        if let Some(at) = found {
            let mut new = wanted.to_owned();
            if self.backrefs
                && let Some(captures) =
                    regexp.as_ref().and_then(|r| r.captures(bare(&lines[at])).ok().flatten())
            {
                new = regex::expand(wanted, &captures)?;
            }
            return Ok(replace(lines, at, &new));
        }
        let after =
            self.insertafter.as_deref().or(if self.insertbefore.is_none() { Some("EOF") } else { None });
        let place = match (after, self.insertbefore.as_deref()) {
            (Some("EOF" | "BOF"), _) | (None, Some("BOF")) => None,
            (Some(_), _) => self.regex(&self.insertafter, encoding)?,
            (None, _) => self.regex(&self.insertbefore, encoding)?,
        };
        // The line already exists: nothing to insert.
        if let Some(at) = lines.iter().rposition(|l| bare(l) == wanted) {
            let exact = if self.regexp.is_none() && self.search_string.is_none() { Some(at) } else { None };
            if exact.is_some() || !self.backrefs {
                return Ok(replace(lines, at, wanted));
            }
        }
        if self.backrefs {
            return Ok("");
        }
        if after == Some("BOF") || self.insertbefore.as_deref() == Some("BOF") {
            lines.insert(0, format!("{wanted}\n"));
            return Ok("line added");
        }
        let fits = |line: &String| place.as_ref().is_some_and(|p| p.is_match(bare(line)).unwrap_or(false));
        let at = if self.firstmatch { lines.iter().position(fits) } else { lines.iter().rposition(fits) };
        let at = match at {
            Some(at) if after.is_some() => at + 1,
            Some(at) => at,
            None => lines.len(),
        };
        if at == lines.len()
            && let Some(last) = lines.last_mut().filter(|l| !l.ends_with(['\n', '\r']))
        {
            last.push('\n');
        }
        lines.insert(at, format!("{wanted}\n"));
        Ok("line added")
    }

    fn absent(&self, host: &Host, original: &Original) -> Result<Outcome, Failure> {
        let (text, encoding) =
            Encoding::decode_as(original.content.clone().unwrap_or_default(), self.encoding.as_deref())?;
        let regexp = self.regex(&self.regexp, encoding)?;
        let search = self.search_string.as_ref().map(|t| encoding.adapt(t));
        let line = self.line.as_ref().map(|t| encoding.adapt(t));
        let goes = |l: &String| match (&regexp, &search, &line) {
            (Some(regexp), ..) => regexp.is_match(bare(l)).unwrap_or(false),
            (None, Some(search), _) => l.contains(search.as_str()),
            (None, None, Some(line)) => bare(l) == bare(line),
            (None, None, None) => false,
        };
        let mut lines = Original::lines(&text);
        let before = lines.len();
        lines.retain(|l| !goes(l));
        let found = before - lines.len();
        let message = if found > 0 { format!("{found} line(s) removed") } else { String::new() };
        let outcome = self.finish(host, original, &encoding.encode(&lines.concat())?, &message)?;
        Ok(outcome.with("found", found))
    }
}

fn replace(lines: &mut [String], at: usize, new: &str) -> &'static str {
    let new = if new.ends_with('\n') { new.to_owned() } else { format!("{new}\n") };
    match lines.get_mut(at) {
        Some(line) if *line != new => {
            *line = new;
            "line replaced"
        }
        _ => "",
    }
}
