//! Init scripts: where they are, whether they start with the system, and what their `status` says.

use std::path::Path;

use playbook_api::Failure;

use crate::host::process::{Program, which};
use crate::host::{Host, glob};

/// The path of a service's script, which may also be given as the name.
pub(crate) fn script(name: &str) -> String {
    if name.starts_with('/') { name.to_owned() } else { format!("/etc/init.d/{name}") }
}

/// Whether a service has a script.
pub(crate) fn exists(name: &str) -> bool {
    !name.is_empty() && Path::new(&script(name)).is_file()
}

/// Whether a script starts with the system: it has a link to start it in one of the run levels.
pub(crate) fn is_enabled(name: &str) -> bool {
    has_links(name, 'S')
}

fn has_links(name: &str, kind: char) -> bool {
    glob::any(Path::new(&format!("/etc/rc?.d/{kind}[0-9][0-9]{name}")))
}

/// Whether an OpenRC service is in a run level.
pub(crate) fn is_in_level(host: &Host, name: &str, level: &str) -> Result<bool, Failure> {
    let list = host.query(&Program::new(["rc-update", "show", level]))?.out();
    Ok(list.lines().any(|line| line.split('|').next().is_some_and(|n| n.trim() == name)))
}

/// The programs that make a service start with the system or not; `level` is OpenRC's run level.
pub(crate) fn enabling(host: &Host, name: &str, enabled: bool, level: Option<&str>) -> Vec<Program> {
    if let Some(level) = level {
        return vec![Program::new(["rc-update", if enabled { "add" } else { "delete" }, name, level])];
    }
    if which("update-rc.d", host.context).is_none() {
        return vec![Program::new(["chkconfig", name, if enabled { "on" } else { "off" }])];
    }
    let verb = Program::new(["update-rc.d", name, if enabled { "enable" } else { "disable" }]);
    match enabled && !has_links(name, 'K') {
        // A script without links has to get its own ones first.
        true => vec![Program::new(["update-rc.d", name, "defaults"]), verb],
        false => vec![verb],
    }
}

/// Returns whether a service runs, by the exit status and the output of its script's `status`.
pub(crate) fn runs(rc: i32, stdout: &str, name: &str) -> bool {
    if matches!(rc, 1..=4 | 69) {
        return false;
    }
    if stdout.matches('\n').count() <= 1 {
        let said = stdout.to_lowercase().replace(&name.to_lowercase(), "");
        if said.contains("stop") {
            return false;
        }
        if said.contains("run") {
            return !said.contains("not ");
        }
        if said.contains("start") && !said.contains("not ") {
            return true;
        }
        if said.contains("could not access pid file") || said.contains("dead") {
            return false;
        }
    }
    rc == 0
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn status_is_read_from_the_exit_status_first() {
        let cases = [
            (0, "", true),
            (3, "cron is running\n", false),
            (0, "cron is running.\n", true),
            (0, "cron is not running.\n", false),
            (0, "runner is stopped\n", false),
            (0, "cron started\n", true),
            (0, "cron dead but pid file exists\n", false),
            (5, "", false),
        ];
        for (rc, said, wanted) in cases {
            assert_eq!(
                runs(rc, said, if said.starts_with("runner") { "runner" } else { "cron" }),
                wanted,
                "{said}"
            );
        }
    }
}
