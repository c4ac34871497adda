//! The `#jinja2:` line with which a template sets its own delimiters.

use super::Syntax;

const HEADER: &str = "#jinja2:";

impl Syntax {
    /// Takes a `#jinja2: key:value, …` first line off a template. The message says what is wrong with it.
    ///
    /// ```
    /// use playbook::jinja::Syntax;
    /// let (text, syntax) = Syntax::default().header("#jinja2: trim_blocks: False\nbody").unwrap();
    /// assert_eq!((text, syntax.trim_blocks), ("body", false));
    /// ```
    pub fn header<'t>(&self, text: &'t str) -> Result<(&'t str, Syntax), String> {
        let Some(rest) = text.strip_prefix(HEADER) else {
            return Ok((text, self.clone()));
        };
        let (line, body) =
            rest.split_once('\n').ok_or_else(|| format!("Missing newline after '{HEADER}' override."))?;
        let mut syntax = self.clone();
        for pair in line.trim_end_matches('\r').split(',') {
            if pair.trim().is_empty() {
                return Err(format!("Empty '{HEADER}' override pair not allowed."));
            }
            let (key, value) = pair.split_once(':').ok_or_else(|| {
                format!("Missing key-value separator `:` in '{HEADER}' override pair '{pair}'.")
            })?;
            syntax.set(key.trim(), value.trim())?;
        }
        Ok((body, syntax))
    }

    /// Sets one option by its Jinja name from a Python literal.
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let bad = || format!("Invalid '{HEADER}' override value {value} for '{key}'.");
        let text = || {
            let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
            quoted('\'').or_else(|| quoted('"')).map(super::unescape).ok_or_else(bad)
        };
        let flag = || match value {
            "True" | "true" => Ok(true),
            "False" | "false" => Ok(false),
            _ => Err(bad()),
        };
        let optional = || if value == "None" { Ok(None) } else { text().map(Some) };
        match key {
            "block_start_string" => self.block.0 = text()?,
            "block_end_string" => self.block.1 = text()?,
            "variable_start_string" => self.variable.0 = text()?,
            "variable_end_string" => self.variable.1 = text()?,
            "comment_start_string" => self.comment.0 = text()?,
            "comment_end_string" => self.comment.1 = text()?,
            "line_statement_prefix" => self.line_statement = optional()?,
            "line_comment_prefix" => self.line_comment = optional()?,
            "trim_blocks" => self.trim_blocks = flag()?,
            "lstrip_blocks" => self.lstrip_blocks = flag()?,
            "keep_trailing_newline" => self.keep_trailing_newline = flag()?,
            "newline_sequence" => self.newline = text()?,
            _ => return Err(format!("Invalid '{HEADER}' override key '{key}'.")),
        }
        Ok(())
    }
}
