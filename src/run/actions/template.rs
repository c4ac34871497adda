//! `template`

use playbook_api::{Doc, Failure, JsonSchema, Outcome, Value, defaults};
use serde::Deserialize;

use super::copy::{self, Common};
use super::{Action, ActionCall, BUILTIN};
use crate::document;
use crate::jinja::{self, Syntax};
use crate::template::filters::Codec;

/// Renders a template file and writes the result to the host.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["src", "content"]]))]
pub(crate) struct Template {
    /// The template: in the `templates` directory of the role or playbook, or next to the playbook.
    #[schemars(extend("format" = "path"))]
    src: String,
    #[serde(flatten)]
    common: Common,
    /// The line ending of the result.
    #[serde(default = "newline")]
    newline_sequence: String,
    /// The text that begins a block.
    block_start_string: Option<String>,
    /// The text that ends a block.
    block_end_string: Option<String>,
    /// The text that begins a variable.
    variable_start_string: Option<String>,
    /// The text that ends a variable.
    variable_end_string: Option<String>,
    /// The text that begins a comment.
    comment_start_string: Option<String>,
    /// The text that ends a comment.
    comment_end_string: Option<String>,
    /// Whether to remove the newline after a block.
    #[serde(default = "defaults::yes")]
    trim_blocks: bool,
    /// Whether to remove spaces and tabs before a block.
    #[serde(default)]
    lstrip_blocks: bool,
    /// The encoding of the result, which has to be utf-8.
    output_encoding: Option<String>,
}

/// The message if the template or the destination is missing.
const INCOMPLETE: &str = "src and dest are required";

fn newline() -> String {
    "\n".into()
}

impl Action for Template {
    const DOC: Doc = Doc {
        name: "template",
        short: "Renders a template file to the host",
        check_mode: "Full: renders, compares and writes nothing.",
        returns: copy::RETURNS,
        examples: "- template:\n    src: app.env.j2\n    dest: /etc/app/env\n    mode: '0640'\n",
        ..BUILTIN
    };
    const MISSING: Option<&'static str> = Some(INCOMPLETE);

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if self.common.dest.is_empty() {
            return Err(Failure::new(INCOMPLETE));
        }
        let Some(source) = copy::find(call, &self.src, "templates") else {
            return Err(copy::missing(call, &self.src, "templates"));
        };
        if source.is_dir() {
            return Err(Failure::new(format!(
                "'{}' is a directory; template takes one file",
                source.display()
            )));
        }
        let newline = match self.newline_sequence.as_str() {
            "\\n" | "\n" => "\n",
            "\\r" | "\r" => "\r",
            "\\r\\n" | "\r\n" => "\r\n",
            _ => return Err(Failure::new("newline_sequence needs to be one of: \\n, \\r or \\r\\n")),
        };
        let text = document::read(&source, &call.scope.base.environment.keyring)?;
        let given = |name: &str| match name {
            "block_start_string" => self.block_start_string.clone(),
            "block_end_string" => self.block_end_string.clone(),
            "variable_start_string" => self.variable_start_string.clone(),
            "variable_end_string" => self.variable_end_string.clone(),
            "comment_start_string" => self.comment_start_string.clone(),
            "comment_end_string" => self.comment_end_string.clone(),
            _ => None,
        };
        let syntax = Syntax {
            trim_blocks: self.trim_blocks,
            lstrip_blocks: self.lstrip_blocks,
            newline: newline.into(),
            ..Syntax::file()
        }
        .with_delimiters(given);
        let codec =
            Codec::find(self.output_encoding.as_deref().filter(|e| !e.is_empty()).unwrap_or("utf-8"))?;
        let rendered = render(call, &source, &text, syntax, &self.common.dest)?;
        copy::write(call, &self.common, &source, codec.encode(&rendered.to_text())?)
    }
}

/// Renders the text of a template file with the variables that Ansible provides for templates.
fn render(
    call: &ActionCall,
    source: &std::path::Path,
    text: &str,
    syntax: Syntax,
    dest: &str,
) -> Result<Value, Failure> {
    let place = playbook_api::Place::new(source.to_string_lossy(), 1, 1);
    let (body, syntax) = syntax.header(text).map_err(Failure::new)?;
    let locals = copy::template_vars(call, source, dest)?;
    let mut search = vec![source.parent().map(|p| p.to_owned()).unwrap_or_default()];
    for directory in call.scope.search_path() {
        search.push(directory.join("templates"));
        search.push(directory);
    }
    let search: Value = search.iter().map(|p| Value::from(p.to_string_lossy().into_owned())).collect();
    let scope = call.scope.with_local(locals.into_iter().chain([("ansible_search_path".into(), search)]));
    let template = jinja::Template::with_syntax(body, place, syntax);
    // A template of nothing but comments comes to nothing.
    Ok(match scope.renderer().render(&template)? {
        Value::Null => "".into(),
        value => value,
    })
}
