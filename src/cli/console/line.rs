//! Reads the console's lines from a terminal, with editing, history and completion, or from a pipe.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use playbook_api::Error;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Context, Editor, Helper, Highlighter, Hinter, Validator};

pub(super) enum Lines {
    Terminal { editor: Box<Editor<Words, FileHistory>>, history: PathBuf },
    Pipe,
}

/// The completions of the Tab key.
#[derive(Default, Helper, Highlighter, Hinter, Validator)]
pub(super) struct Words {
    /// The words that a line may begin with.
    names: Vec<String>,
    /// The arguments of `cd`.
    places: Vec<String>,
}

impl Lines {
    pub(super) fn new() -> Result<Lines, Error> {
        if !std::io::stdin().is_terminal() {
            return Ok(Lines::Pipe);
        }
        let failed = |e: ReadlineError| Error::new(format!("cannot read from the terminal: {e}"));
        let config = Config::builder().auto_add_history(true).build();
        let mut editor = Editor::with_config(config).map_err(failed)?;
        editor.set_helper(Some(Words::default()));
        let history = crate::paths::expand_home("~/.ansible-console_history");
        // The file does not exist at first.
        let _ = editor.load_history(&history);
        Ok(Lines::Terminal { editor: Box::new(editor), history })
    }

    /// Sets the completions.
    pub(super) fn know(&mut self, names: &[String], places: &[String]) {
        if let Lines::Terminal { editor, .. } = self
            && let Some(words) = editor.helper_mut()
        {
            *words = Words { names: names.to_vec(), places: places.to_vec() };
        }
    }

    /// Reads the next line, or returns nothing at the end.
    pub(super) fn read(&mut self, prompt: &str) -> Option<String> {
        match self {
            Lines::Terminal { editor, history } => loop {
                match editor.readline(prompt) {
                    Ok(line) => {
                        // Without a writable directory there is no history.
                        let _ = editor.save_history(history);
                        return Some(line);
                    }
                    Err(ReadlineError::Interrupted) => {}
                    Err(_) => return None,
                }
            },
            Lines::Pipe => {
                crate::cli::show(prompt);
                let mut line = String::new();
                match std::io::stdin().lock().read_line(&mut line) {
                    Ok(0) | Err(_) => None,
                    Ok(_) => Some(line),
                }
            }
        }
    }
}

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, end: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let before = &line[..end];
        let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let known = match before.split_whitespace().next() {
            _ if start == 0 => &self.names,
            Some("cd") => &self.places,
            _ => return Ok((end, Vec::new())),
        };
        let wanted = &before[start..];
        Ok((start, known.iter().filter(|name| name.starts_with(wanted)).cloned().collect()))
    }
}
