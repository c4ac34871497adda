//! `blockinfile`: adds a block of lines between two markers to a file, or removes it.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::Host;
use crate::host::edit::{Edit, Original};
use crate::host::regex::{self, Encoding};
use crate::host::state::State;

/// Puts a block of lines into a file, between two marker lines by which it finds the block again.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["insertbefore", "insertafter"]]))]
pub(crate) struct Blockinfile {
    #[serde(flatten)]
    edit: Edit,
    /// Whether the block is to be in the file.
    #[serde(default)]
    state: State,
    /// The template of the marker lines; `{mark}` becomes `marker_begin` and `marker_end`.
    #[serde(default = "marker")]
    marker: String,
    /// The lines of the block. An empty block is removed.
    #[schemars(extend("aliases" = ["content"]))]
    #[serde(default)]
    block: String,
    /// A new block goes behind the last line that matches this expression; `EOF` is the end of the file.
    insertafter: Option<String>,
    /// A new block goes before the last line that matches this expression; `BOF` is the beginning of the file.
    insertbefore: Option<String>,
    /// Whether to create the file if it does not exist.
    #[serde(default)]
    create: bool,
    /// The text for `{mark}` in the first marker line.
    #[serde(default = "begin")]
    marker_begin: String,
    /// The text for `{mark}` in the last marker line.
    #[serde(default = "end")]
    marker_end: String,
    /// Whether to put an empty line behind the block.
    #[serde(default)]
    append_newline: bool,
    /// Whether to put an empty line before the block.
    #[serde(default)]
    prepend_newline: bool,
    /// The encoding of the file. UTF-8 by default; bytes that are not UTF-8 then stay as they are.
    encoding: Option<String>,
}

fn marker() -> String {
    "# {mark} ANSIBLE MANAGED BLOCK".into()
}

fn begin() -> String {
    "BEGIN".into()
}

fn end() -> String {
    "END".into()
}

impl HostModule for Blockinfile {
    const DOC: Doc = Doc {
        name: "blockinfile",
        short: "Puts a marked block of lines into a file",
        returns: &[
            ("msg", "str", "What was done."),
            ("backup_file", "str", "What the file before is called now."),
        ],
        examples: "- blockinfile:\n    path: /etc/ssh/sshd_config\n    block: |\n      Match User ansible-agent\n      PasswordAuthentication no\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let original = self.edit.open(&host)?;
        if original.content.is_none() && !self.create {
            let message = format!("Path {} does not exist !", original.shown());
            return Err(Failure::new(message).with("rc", 257).with_help("Set `create: true` to create it."));
        }
        if original.content.is_none() && self.state == State::Absent {
            return Ok(Outcome::default().msg(format!("File {} not present", original.shown())));
        }
        let (text, encoding) =
            Encoding::decode_as(original.content.clone().unwrap_or_default(), self.encoding.as_deref())?;
        let block = self.block(encoding);
        let result = encoding.encode(&self.put(&text, &block, encoding)?)?;
        let message = match &original.content {
            Some(before) if *before == result => "",
            None => "File created",
            _ if block.is_empty() => "Block removed",
            _ => "Block inserted",
        };
        self.edit.finish(&host, &original, &result, message, (" (content)", " (file attributes)"))
    }
}

impl Blockinfile {
    fn markers(&self, encoding: Encoding) -> (String, String) {
        let line = |mark: &str| encoding.adapt(&self.marker.replace("{mark}", mark)) + "\n";
        (line(&self.marker_begin), line(&self.marker_end))
    }

    /// The block's lines with its markers; none if it is to be removed.
    fn block(&self, encoding: Encoding) -> Vec<String> {
        if self.state == State::Absent || self.block.is_empty() {
            return Vec::new();
        }
        let (first, last) = self.markers(encoding);
        let mut text = encoding.adapt(&self.block);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        [vec![first], Original::lines(&text), vec![last]].concat()
    }

    fn put(&self, text: &str, block: &[String], encoding: Encoding) -> Result<String, Failure> {
        let mut lines = Original::lines(text);
        let (first, last) = self.markers(encoding);
        // A marker that ends the file without a newline is a marker, too.
        let is = |line: &String, marker: &str| line == marker;
        let old = lines.iter().rposition(|l| is(l, &first)).zip(lines.iter().rposition(|l| is(l, &last)));
        let mut at = match old {
            Some((a, b)) => {
                lines.drain(a.min(b)..=a.max(b));
                a.min(b)
            }
            None => self.place(text, &lines, encoding)?,
        };
        if at > 0
            && let Some(before) = lines.get_mut(at - 1).filter(|l| !l.ends_with('\n'))
        {
            before.push('\n');
        }
        let present = self.state == State::Present;
        if self.prepend_newline && present && at > 0 && lines.get(at - 1).is_some_and(|l| l != "\n") {
            lines.insert(at, "\n".into());
            at += 1;
        }
        lines.splice(at..at, block.iter().cloned());
        let behind = at + block.len();
        if self.append_newline && present && lines.get(behind).is_some_and(|l| l != "\n") {
            lines.insert(behind, "\n".into());
        }
        Ok(lines.concat())
    }

    /// Before which line a new block goes.
    fn place(&self, text: &str, lines: &[String], encoding: Encoding) -> Result<usize, Failure> {
        let (pattern, after) = match (self.insertafter.as_deref(), self.insertbefore.as_deref()) {
            (Some("EOF"), _) | (None, None) => return Ok(lines.len()),
            (None, Some("BOF")) => return Ok(0),
            (Some(pattern), _) => (pattern, true),
            (None, Some(pattern)) => (pattern, false),
        };
        let pattern = encoding.adapt(pattern);
        let regex = regex::compile(&pattern, "")?;
        // With flags such as `(?m)`, a pattern is matched against the whole text.
        let many = pattern
            .strip_prefix("(?")
            .and_then(|p| p.split(')').next())
            .is_some_and(|f| f.contains('m') && f.chars().all(|c| c.is_ascii_lowercase()));
        let found = if many {
            let found = regex.find(text).ok().flatten();
            found.map(|m| text[..if after { m.end() } else { m.start() }].matches('\n').count())
        } else {
            lines.iter().rposition(|l| regex.is_match(l.trim_end_matches('\n')).unwrap_or(false))
        };
        Ok(match found {
            Some(line) if after => (line + 1).min(lines.len()),
            Some(line) => line,
            None => lines.len(),
        })
    }
}
