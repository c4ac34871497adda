//! The commands of the console's prompt.

use playbook_api::arguments::to_bool;
use playbook_api::{Error, Value};

use super::Shell;
use crate::cli::complain;
use crate::cli::doc;

pub(super) struct Command {
    pub name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&mut Shell, &str),
}

/// The commands. The reader itself handles `exit` and the end of the input.
pub(super) const TABLE: [Command; 16] = [
    Command { name: "become", usage: "yes|no", about: "Turn privilege escalation on or off.", run: r#become },
    Command { name: "become_method", usage: "METHOD", about: "Set the become plugin.", run: become_method },
    Command {
        name: "become_user",
        usage: "USER",
        about: "Set the user that tasks run as.",
        run: become_user,
    },
    Command {
        name: "cd",
        usage: "PATTERN",
        about: "Set the hosts that tasks run on; all hosts without a pattern.",
        run: cd,
    },
    Command { name: "check", usage: "yes|no", about: "Turn check mode on or off.", run: check },
    Command {
        name: "collections",
        usage: "NAME,...|none",
        about: "Add collections in which short names are searched.",
        run: collections,
    },
    Command { name: "diff", usage: "yes|no", about: "Turn the display of differences on or off.", run: diff },
    Command {
        name: "exit",
        usage: "",
        about: "Leave the console, as the end of the input does.",
        run: |_, _| {},
    },
    Command {
        name: "forks",
        usage: "NUMBER",
        about: "Set the number of hosts that run a task at the same time.",
        run: forks,
    },
    Command {
        name: "help",
        usage: "[COMMAND|MODULE]",
        about: "List the commands and modules, or describe one of them.",
        run: help,
    },
    Command {
        name: "list",
        usage: "[groups]",
        about: "List the hosts that tasks run on, or all groups.",
        run: list,
    },
    Command { name: "remote_user", usage: "USER", about: "Set the user to log in as.", run: remote_user },
    Command { name: "serial", usage: "NUMBER", about: "The same as forks.", run: forks },
    Command {
        name: "shell",
        usage: "COMMAND",
        about: "Run a shell command, as !COMMAND does.",
        run: |shell, line| shell.task(line, true),
    },
    Command {
        name: "timeout",
        usage: "SECONDS",
        about: "Set the time limit of a task in seconds; 0 means no limit.",
        run: timeout,
    },
    Command {
        name: "verbosity",
        usage: "NUMBER",
        about: "Set the verbosity; 4 is that of -vvvv.",
        run: verbosity,
    },
];

impl Shell {
    /// Runs a line.
    pub(super) fn take(&mut self, line: &str) {
        if line.starts_with('#') {
            return;
        }
        if let Some(command) = line.strip_prefix('!') {
            return self.task(command.trim(), true);
        }
        if let Some(about) = line.strip_prefix('?') {
            return help(self, about.trim());
        }
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match TABLE.iter().find(|command| command.name == first) {
            Some(command) => (command.run)(self, rest.trim()),
            None => self.task(line, false),
        }
    }

    /// Prints a line if the output is verbose.
    fn note(&self, text: &str) {
        if self.state.verbosity > 0 {
            say!("{text}");
        }
    }

    /// Makes the next task start a new run, since the options have changed.
    fn renew(&mut self) {
        self.run = None;
    }
}

fn usage(name: &str) {
    if let Some(command) = TABLE.iter().find(|command| command.name == name) {
        say!("Usage: {name} {}", command.usage);
    }
}

fn wrong(message: &str) {
    complain(&Error::new(message));
}

fn cd(shell: &mut Shell, pattern: &str) {
    match pattern {
        "" => shell.state.hosts = "*".into(),
        "/" | "*" | "/*" => shell.state.hosts = "all".into(),
        pattern => match shell.inventory.select(pattern, &shell.session.settings) {
            Ok((hosts, _)) if !hosts.is_empty() => shell.state.hosts = pattern.to_owned(),
            Ok((_, warnings)) => {
                warnings.iter().for_each(|warning| crate::cli::warn(warning));
                say!("no host matched");
            }
            Err(error) => complain(&error),
        },
    }
}

fn list(shell: &mut Shell, what: &str) {
    match what {
        "" => shell.selected().iter().for_each(|host| say!("{host}")),
        "groups" => {
            let mut groups: Vec<_> = shell.inventory.groups.keys().collect();
            groups.sort();
            groups.iter().for_each(|group| say!("{group}"));
        }
        _ => {
            wrong("Invalid option passed to \"list\"");
            usage("list");
        }
    }
}

/// Returns the new state of a switch, if one was given.
fn switch(name: &str, text: &str) -> Option<bool> {
    if text.is_empty() {
        say!("Please specify a value, e.g. `{name} yes`");
        return None;
    }
    Some(to_bool(&Value::from(text)).unwrap_or(false))
}

/// Formats a boolean as Python does.
fn shown(on: bool) -> &'static str {
    if on { "True" } else { "False" }
}

fn r#become(shell: &mut Shell, text: &str) {
    if let Some(on) = switch("become", text) {
        shell.state.r#become = on;
        shell.note(&format!("become changed to {}", shown(on)));
    }
}

fn check(shell: &mut Shell, text: &str) {
    match switch("check", text) {
        Some(on) => {
            shell.state.check = on;
            say!("check mode changed to {}", shown(on));
        }
        None => shell.note(&format!("check mode is currently {}.", shown(shell.state.check))),
    }
}

fn diff(shell: &mut Shell, text: &str) {
    match switch("diff", text) {
        Some(on) => {
            shell.state.diff = on;
            say!("diff mode changed to {}", shown(on));
        }
        None => shell.note(&format!("diff mode is currently {}", shown(shell.state.diff))),
    }
}

fn named(shell: &Shell, command: &str, text: &str, current: Option<&str>) -> Option<String> {
    if text.is_empty() {
        usage(command);
        shell.note(&format!("{command} is currently {}", current.unwrap_or("None")));
        return None;
    }
    shell.note(&format!("{command} changed to {text}"));
    Some(text.to_owned())
}

fn remote_user(shell: &mut Shell, text: &str) {
    if let Some(user) = named(shell, "remote_user", text, shell.state.remote_user.as_deref()) {
        shell.state.remote_user = Some(user);
    }
}

fn become_user(shell: &mut Shell, text: &str) {
    if let Some(user) = named(shell, "become_user", text, shell.state.become_user.as_deref()) {
        shell.state.become_user = Some(user);
    }
}

fn become_method(shell: &mut Shell, text: &str) {
    if let Some(method) = named(shell, "become_method", text, shell.state.become_method.as_deref()) {
        shell.state.become_method = Some(method);
    }
}

fn collections(shell: &mut Shell, text: &str) {
    match text {
        "" | "none" => shell.state.collections.clear(),
        text => shell.state.collections.extend(text.split(',').map(|name| name.trim().to_owned())),
    }
    shell.note(&match shell.state.collections.as_slice() {
        [] => "Collections name search is using defaults".to_owned(),
        names => format!("Collections name search is set to: {}", names.join(", ")),
    });
}

fn forks(shell: &mut Shell, text: &str) {
    match text.parse::<usize>() {
        Ok(0) => say!("forks must be greater than or equal to 1"),
        Ok(forks) => {
            shell.state.forks = forks;
            shell.renew();
        }
        Err(_) => usage("forks"),
    }
}

fn verbosity(shell: &mut Shell, text: &str) {
    match text.parse() {
        Ok(level) => {
            shell.state.verbosity = level;
            shell.renew();
            shell.note(&format!("verbosity level set to {level}"));
        }
        Err(_) if text.is_empty() => usage("verbosity"),
        Err(e) => wrong(&format!("The verbosity must be a valid integer: {e}")),
    }
}

fn timeout(shell: &mut Shell, text: &str) {
    match text.parse() {
        Ok(seconds) => shell.state.timeout = seconds,
        Err(_) if text.is_empty() => usage("timeout"),
        Err(e) => wrong(&format!("The timeout must be a number of seconds, or 0 for no limit: {e}")),
    }
}

fn help(shell: &mut Shell, about: &str) {
    if about.is_empty() {
        say!("Commands:");
        TABLE.iter().for_each(|command| say!("  {:<14} {}", command.name, command.about));
        say!("\nModules, with their arguments as name=value (see `help MODULE`):");
        say!("  {}", shell.modules().join("  "));
        say!("\nAnything else is a shell command.");
        return;
    }
    if let Some(command) = TABLE.iter().find(|command| command.name == about) {
        say!("{}", command.about);
        return usage(command.name);
    }
    match doc::summary(&shell.context.registry, about) {
        Ok(text) => say!("{text}"),
        Err(_) => wrong(&format!("{about} is not a valid command, use ? to list all valid commands.")),
    }
}
