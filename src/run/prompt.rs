//! Questions to the user: `vars_prompt` and `--step`.

use std::io::{BufRead, IsTerminal, Write};

use playbook_api::{Error, Map, Value};

use crate::playbook::Prompt;
use crate::template::Renderer;

/// Asks for a variable. Without a terminal the default is used.
pub(crate) fn ask(prompt: &Prompt, renderer: &Renderer) -> Result<Value, Error> {
    let default = match &prompt.default {
        Some(node) => renderer.value(node)?,
        None => Value::Null,
    };
    if !std::io::stdin().is_terminal() {
        eprintln!("[WARNING]: Not prompting as we are not in interactive mode");
        return Ok(default);
    }
    let text = match &prompt.prompt {
        Some(node) => renderer.value(node)?.to_text().into_owned(),
        None => prompt.name.to_string(),
    };
    let shown = match &default {
        Value::Null => format!("{text}: "),
        default if prompt.private => {
            let _ = default;
            format!("{text} [*****]: ")
        }
        default => format!("{text} [{default}]: "),
    };
    let answer = loop {
        let first = read(&shown, prompt.private)?;
        if !prompt.confirm || first == read(&format!("confirm {shown}"), prompt.private)? {
            break first;
        }
        eprintln!("***** VALUES ENTERED DO NOT MATCH ****");
    };
    let answer = if answer.is_empty() && !default.is_null() { default } else { Value::from(answer) };
    let Some(scheme) = &prompt.encrypt else {
        return Ok(if prompt.private { answer.into_secret() } else { answer });
    };
    let mut options = Map::default();
    if let Some(salt) = &prompt.salt {
        options.insert("salt".into(), salt.clone().into());
    }
    if let Some(size) = prompt.salt_size {
        options.insert("salt_size".into(), size.into());
    }
    renderer.filter("password_hash", answer, vec![scheme.clone().into()], options)
}

fn read(text: &str, private: bool) -> Result<String, Error> {
    if private {
        return hidden(text);
    }
    eprint!("{text}");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| Error::io(&e, "cannot read standard input"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// An answer to `--step`.
pub(crate) enum Step {
    Yes,
    No,
    Continue,
}

pub(crate) fn step(task: &str) -> Step {
    match read(&format!("Perform task: {task} (N)o/(y)es/(c)ontinue: "), false)
        .unwrap_or_default()
        .to_lowercase()
        .as_str()
    {
        "y" | "yes" => Step::Yes,
        "c" | "continue" => Step::Continue,
        _ => Step::No,
    }
}

/// Reads a line without showing it.
pub(crate) fn hidden(text: &str) -> Result<String, Error> {
    rpassword::prompt_password(text).map_err(|e| Error::io(&e, "cannot read from the terminal"))
}
