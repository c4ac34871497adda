//! `replace`: replaces every match of a pattern in a file.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::Host;
use crate::host::edit::Edit;
use crate::host::regex::{self, Encoding};

/// Replaces everything in a file that matches a regular expression.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Replace {
    #[serde(flatten)]
    edit: Edit,
    /// The regular expression to search for; `^` and `$` match at each line.
    regexp: String,
    /// The replacement, with references to groups (`\1`, `\g<name>`). Matches are removed if it is missing.
    #[serde(default)]
    replace: String,
    /// An expression after whose match text is replaced. In it, `.` matches newlines.
    after: Option<String>,
    /// An expression before whose match text is replaced. In it, `.` matches newlines.
    before: Option<String>,
    /// The encoding of the file. UTF-8 by default; bytes that are not UTF-8 then stay as they are.
    encoding: Option<String>,
}

impl HostModule for Replace {
    const DOC: Doc = Doc {
        name: "replace",
        short: "Replaces all occurrences of a pattern in a file",
        returns: &[
            ("msg", "str", "What was done."),
            ("backup_file", "str", "What the file before is called now."),
        ],
        examples: "- replace:\n    path: /etc/hosts\n    regexp: '(\\s+)old\\.host\\.name(\\s+.*)?$'\n    replace: '\\1new.host.name\\2'\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let original = self.edit.open(&host)?;
        let Some(content) = original.content.clone() else {
            return Err(Failure::new(format!("Path {} does not exist !", original.shown())).with("rc", 257));
        };
        let (text, encoding) = Encoding::decode_as(content, self.encoding.as_deref())?;
        let adapt =
            |pattern: &Option<String>| pattern.as_ref().filter(|p| !p.is_empty()).map(|p| encoding.adapt(p));
        let section = match (adapt(&self.after), adapt(&self.before)) {
            (Some(after), Some(before)) => format!("{after}(?P<subsection>.*?){before}"),
            (Some(after), None) => format!("{after}(?P<subsection>.*)"),
            (None, Some(before)) => format!("(?P<subsection>.*){before}"),
            (None, None) => String::new(),
        };
        let mut range = 0..text.len();
        if !section.is_empty() {
            let found = regex::compile(&section, "s")?.captures(&text).ok().flatten();
            match found.and_then(|c| c.name("subsection").map(|m| m.range())) {
                Some(found) => range = found,
                None => {
                    let message =
                        format!("Pattern for before/after params did not match the given file: {section}");
                    return Ok(Outcome::default().msg(message).with("rc", 0));
                }
            }
        }
        let (replaced, count) = self.substitute(&text[range.clone()], encoding)?;
        let changed = count > 0 && replaced != text[range.clone()];
        let message = if changed { format!("{count} replacements made") } else { String::new() };
        let result = format!("{}{replaced}{}", &text[..range.start], &text[range.end..]);
        let outcome = self.edit.finish(&host, &original, &encoding.encode(&result)?, &message, ("", ""))?;
        Ok(outcome.with("rc", 0))
    }
}

impl Replace {
    fn substitute(&self, text: &str, encoding: Encoding) -> Result<(String, usize), Failure> {
        let pattern = encoding.adapt(&self.regexp);
        let (regex, template) = (regex::compile(&pattern, "m")?, encoding.adapt(&self.replace));
        regex::check_template(&template)
            .map_err(|e| Failure::new(format!("Unable to process replace due to error: {e}")))?;
        let (mut out, mut last, mut count) = (String::with_capacity(text.len()), 0, 0);
        for found in regex.captures_iter(text) {
            let found = found.map_err(|e| {
                Failure::new(format!("the expression '{pattern}' is too complex for this file: {e}"))
            })?;
            let Some(whole) = found.get(0) else { continue };
            out.push_str(&text[last..whole.start()]);
            let text = regex::expand(&template, &found)?;
            out.push_str(&text);
            (last, count) = (whole.end(), count + 1);
        }
        out.push_str(&text[last..]);
        Ok((out, count))
    }
}
