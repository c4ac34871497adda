//! The command line: each subcommand is a file, and its doc comments are its help text.

/// Prints a line on standard output.
macro_rules! say {
    ($($text:tt)*) => { crate::cli::show(&(format!($($text)*) + "\n")) };
}

mod adhoc;
mod ask;
mod check;
mod common;
mod config;
mod console;
mod core;
mod doc;
mod galaxy;
mod interrupt;
mod inventory;
mod list;
mod plan;
mod pull;
mod run;
mod search;
mod session;
mod vault;
mod version;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind as ArgumentErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use playbook_api::{Error, ErrorKind, Redactor, Registry};

pub use session::Session;

use crate::report::{Display, output};
use crate::settings::Settings;

/// Adds the modules of a build to a registry.
pub type Register = fn(&mut Registry);

/// Runs Ansible playbooks from one native binary, and deploys applications to AWS.
#[derive(Parser)]
#[command(
    name = "playbook",
    version,
    infer_long_args = true,
    max_term_width = 100,
    after_help = "\
Examples:
  playbook plan site.yml -i hosts.ini                  Show what a playbook would change
  playbook run site.yml -i hosts.ini                   Run it
  playbook adhoc web -i hosts.ini -m ping              Run one module on the hosts of a group
  playbook check site.yml                              Find mistakes without a host
  playbook doc copy                                    Read the documentation of a module"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::Run>),
    Plan(Box<plan::Plan>),
    Check(check::Check),
    Adhoc(Box<adhoc::Adhoc>),
    Console(Box<console::Console>),
    Pull(Box<pull::Pull>),
    Inventory(inventory::Inventory),
    Config(config::Config),
    Doc(doc::Docs),
    Vault(vault::Vault),
    Galaxy(galaxy::Galaxy),
}

impl Command {
    fn run(self, register: Register) -> Result<u8, Fault> {
        match self {
            Command::Run(command) => command.run(register, true),
            Command::Plan(command) => command.run(register),
            Command::Check(command) => command.run(register),
            Command::Adhoc(command) => command.run(register, true),
            Command::Console(command) => command.run(register, true),
            Command::Pull(command) => command.run(register, true),
            Command::Inventory(command) => command.run(register, true),
            Command::Config(command) => command.run(true),
            Command::Doc(command) => command.run(register, true),
            Command::Vault(command) => command.run(true),
            Command::Galaxy(command) => command.run(true),
        }
    }
}

/// Runs the command that the process's arguments name. Under the name of one of Ansible's programs it takes that
/// program's arguments.
pub fn main(register: Register) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let name = arguments.first().map(Path::new).and_then(|p| p.file_name()).unwrap_or_default();
    let done = match name.to_str() {
        Some("ansible-playbook") => parse::<run::Run>(&arguments, "ansible-playbook").run(register, false),
        Some("ansible") => parse::<adhoc::Adhoc>(&arguments, "ansible").run(register, false),
        Some("ansible-console") => {
            parse::<console::Console>(&arguments, "ansible-console").run(register, false)
        }
        Some("ansible-pull") => parse::<pull::Pull>(&arguments, "ansible-pull").run(register, false),
        Some("ansible-inventory") => {
            parse::<inventory::Inventory>(&arguments, "ansible-inventory").run(register, false)
        }
        Some("ansible-config") => parse::<config::Config>(&arguments, "ansible-config").run(false),
        Some("ansible-vault") => parse::<vault::Vault>(&arguments, "ansible-vault").run(false),
        Some("ansible-doc") => parse::<doc::Docs>(&arguments, "ansible-doc").run(register, false),
        Some("ansible-galaxy") => parse::<galaxy::Galaxy>(&arguments, "ansible-galaxy").run(false),
        _ => Cli::parse_from(&arguments).command.run(register),
    };
    let code = done.unwrap_or_else(|fault| {
        complain(&fault.error);
        fault.code
    });
    ExitCode::from(written(code))
}

/// Reads the arguments of one of Ansible's programs.
fn parse<T: CommandFactory + FromArgMatches>(arguments: &[OsString], name: &'static str) -> T {
    let command = T::command()
        .name(name)
        .bin_name(name)
        .version("")
        .infer_long_args(true)
        .max_term_width(100)
        .after_help("");
    match command.try_get_matches_from(arguments).and_then(|matches| T::from_arg_matches(&matches)) {
        Ok(parsed) => parsed,
        Err(error) if error.kind() == ArgumentErrorKind::DisplayVersion => {
            let started_as = arguments.first().map_or_else(|| PathBuf::from(name), PathBuf::from);
            show(&version::text(name, &located(&started_as)));
            std::process::exit(i32::from(written(0)))
        }
        Err(error) => error.exit(),
    }
}

/// Returns the path of the program that was started by this name.
fn located(name: &Path) -> PathBuf {
    if name.components().count() > 1 {
        return crate::paths::absolute(name);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| name.to_owned())
}

/// Returns the exit status of a command that ended with `code`: output that could not be written is a failure.
fn written(code: u8) -> u8 {
    match output::failure() {
        Some(error) => {
            complain(&error);
            if code == 0 { UNEXPECTED } else { code }
        }
        None => code,
    }
}

/// Prints text on standard output as it is.
fn show(text: &str) {
    output::standard(text);
}

/// Prints a warning on standard error.
fn warn(text: &str) {
    output::error(&format!("[WARNING]: {text}\n"));
}

/// Prints an error of the program as a whole on standard error.
fn complain(error: &Error) {
    let settings = Settings::default();
    let mut display = Display::new(&settings, 0, Redactor::default());
    display.error(error, true);
}

/// The exit status of Ansible's programs after an unexpected error.
const UNEXPECTED: u8 = 250;

/// An error that ends the program, and the exit status that Ansible has for it.
pub struct Fault {
    error: Error,
    code: u8,
}

impl Fault {
    /// An error in the options or settings of a command.
    pub fn options(error: Error) -> Fault {
        Fault { error, code: 5 }
    }
}

/// 4 for files that cannot be parsed, 1 for everything else.
impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match error.kind() {
            ErrorKind::Syntax => 4,
            ErrorKind::Internal => UNEXPECTED,
            _ => 1,
        };
        Fault { error, code }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        Error::io(&error, "cannot write the output").into()
    }
}
