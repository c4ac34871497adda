//! `pipe` and `lines`: the output of a command, which is text and never becomes a template.

use std::io::Read;
use std::os::fd::AsFd;
use std::process::{ChildStdout, Command, Stdio};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use playbook_api::{Error, Map, Value};

use super::Lookup;
use crate::template::{Renderer, budget};

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("pipe", pipe), Lookup::new("lines", lines)];

fn output(lookup: &str, term: &Value, renderer: &Renderer) -> Result<String, Error> {
    let command = term.to_text();
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(&*command).stdin(Stdio::inherit()).stderr(Stdio::inherit());
    shell.envs(renderer.environment.context.environment.iter().map(|(key, value)| (key, value)));
    let base = &renderer.environment.options.base_dir;
    if base.is_dir() {
        shell.current_dir(base);
    }
    let failed = |e: std::io::Error| Error::io(&e, format!("cannot run {command}"));
    let mut child = shell.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let printed = child.stdout.take().map_or(Ok(Vec::new()), |out| read(out, renderer));
    let printed = match printed {
        Ok(printed) => printed,
        Err(error) => {
            // The command may still run, although its output is no longer read.
            let _ = child.kill();
            let _ = child.wait();
            return Err(error.context(format!("lookup_plugin.{lookup}({command}) was stopped")));
        }
    };
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        use std::os::unix::process::ExitStatusExt;
        let code = status.code().or_else(|| status.signal().map(|signal| -signal));
        return Err(Error::new(format!(
            "lookup_plugin.{lookup}({command}) returned {}",
            code.map_or_else(|| "nothing".to_owned(), |code| code.to_string())
        )));
    }
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// Reads the output of a command until its end, the limit, or the cancellation of the run.
fn read(mut out: ChildStdout, renderer: &Renderer) -> Result<Vec<u8>, Error> {
    let failed = |e: std::io::Error| Error::io(&e, "its output cannot be read");
    let mut printed = Vec::new();
    let mut part = vec![0; 1 << 16];
    loop {
        let mut waiting = [PollFd::new(out.as_fd(), PollFlags::POLLIN)];
        let ready = match poll(&mut waiting, PollTimeout::from(200_u16)) {
            Ok(ready) => ready > 0,
            Err(Errno::EINTR) => false,
            Err(error) => return Err(failed(error.into())),
        };
        if renderer.environment.context.cancel.is_set() {
            return Err(Error::new("the run was canceled"));
        }
        if !ready {
            continue;
        }
        match out.read(&mut part).map_err(failed)? {
            0 => return Ok(printed),
            length => printed.extend_from_slice(&part[..length]),
        }
        if printed.len() > budget::LARGEST {
            let limit = budget::LARGEST >> 20;
            return Err(Error::new(format!("it printed more than {limit} MiB")));
        }
    }
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

#[cfg(test)]
mod tests {
    use crate::jinja::Template;
    use crate::template::{Environment, Options, Renderer};
    use playbook_api::{Context, Map, Place};
    use std::sync::Arc;

    #[test]
    fn an_endless_command_is_stopped() {
        let environment =
            Environment { context: Context::default(), keyring: Arc::default(), options: Options::default() };
        let renderer = Renderer { environment: Arc::new(environment), scope: Arc::new(Map::default()) };
        for lookup in ["pipe", "lines"] {
            let source = format!("{{{{ lookup('{lookup}', 'cat /dev/zero') }}}}");
            let error = renderer.render(&Template::new(source, Place::new("x.yml", 1, 1))).unwrap_err();
            let expected = format!(
                "The lookup plugin '{lookup}' failed: lookup_plugin.{lookup}(cat /dev/zero) was stopped: \
                it printed more than 256 MiB"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}
