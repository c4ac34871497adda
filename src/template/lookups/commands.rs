//! `pipe` and `lines`: what a command prints. It is text and never becomes a template.

use std::process::{Command, Stdio};

use playbook_api::{Error, Map, Value};

use super::Lookup;
use crate::template::Renderer;

pub const LOOKUPS: &[Lookup] = &[Lookup::new("pipe", pipe), Lookup::new("lines", lines)];

fn output(lookup: &str, term: &Value, renderer: &Renderer) -> Result<String, Error> {
    let command = term.to_text();
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(&*command).stdin(Stdio::inherit()).stderr(Stdio::inherit());
    shell.envs(renderer.environment.context.environment.iter().map(|(key, value)| (key, value)));
    let base = &renderer.environment.options.base_dir;
    if base.is_dir() {
        shell.current_dir(base);
    }
    let output = shell.output().map_err(|e| Error::io(&e, format!("cannot run {command}")))?;
    if !output.status.success() {
        use std::os::unix::process::ExitStatusExt;
        let code = output.status.code().or_else(|| output.status.signal().map(|signal| -signal));
        return Err(Error::new(format!(
            "lookup_plugin.{lookup}({command}) returned {}",
            code.map_or_else(|| "nothing".to_owned(), |code| code.to_string())
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn pipe(terms: &[Value], _: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    terms.iter().map(|term| Ok(output("pipe", term, renderer)?.trim_end().into())).collect()
}

fn lines(terms: &[Value], _: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    for term in terms {
        all.extend(output("lines", term, renderer)?.lines().map(Value::from));
    }
    Ok(all)
}
