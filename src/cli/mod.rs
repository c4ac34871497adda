//! The command line: one file a subcommand; its doc comments are its help text.

/// Prints a line. A reader that goes away (`| head`) is no fault.
macro_rules! say {
    ($($text:tt)*) => { crate::cli::show(&(format!($($text)*) + "\n")) };
}

mod adhoc;
mod ask;
mod check;
mod common;
mod config;
mod console;
mod doc;
mod galaxy;
mod interrupt;
mod inventory;
mod list;
mod pull;
mod run;
mod session;
mod vault;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use playbook_api::{Error, ErrorKind, Redactor, Registry};

pub use session::Session;

use crate::report::Display;
use crate::settings::Settings;

/// Puts the modules of a build into a registry.
pub type Register = fn(&mut Registry);

/// Runs Ansible playbooks from one native binary, and ships applications to AWS.
#[derive(Parser)]
#[command(name = "playbook", version, infer_long_args = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::Run>),
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
            Command::Check(command) => command.run(register),
            Command::Adhoc(command) => command.run(register, true),
            Command::Console(command) => command.run(register, true),
            Command::Pull(command) => command.run(register, true),
            Command::Inventory(command) => command.run(register, true),
            Command::Config(command) => command.run(true),
            Command::Doc(command) => command.run(register),
            Command::Vault(command) => command.run(true),
            Command::Galaxy(command) => command.run(true),
        }
    }
}

/// Does what the process's arguments say. Called by the name of one of Ansible's programs, it takes that one's
/// arguments.
pub fn main(register: Register) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let name = arguments.first().map(std::path::Path::new).and_then(|p| p.file_name()).unwrap_or_default();
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
        Some("ansible-doc") => parse::<doc::Docs>(&arguments, "ansible-doc").run(register),
        Some("ansible-galaxy") => parse::<galaxy::Galaxy>(&arguments, "ansible-galaxy").run(false),
        _ => Cli::parse_from(&arguments).command.run(register),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            complain(&fault.error);
            ExitCode::from(fault.code)
        }
    }
}

/// Reads the arguments of one of Ansible's programs.
fn parse<T: CommandFactory + FromArgMatches>(arguments: &[OsString], name: &'static str) -> T {
    let version = concat!("[core 2.19] (playbook ", env!("CARGO_PKG_VERSION"), ")");
    let command =
        T::command().name(name).bin_name(name).version(version).infer_long_args(true).max_term_width(100);
    match T::from_arg_matches(&command.get_matches_from(arguments)) {
        Ok(parsed) => parsed,
        Err(error) => error.exit(),
    }
}

/// Prints text as it is. A reader that goes away (`| head`) is no fault.
fn show(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// An error of the program as a whole, on standard error.
fn complain(error: &Error) {
    let settings = Settings::default();
    let mut display = Display::new(&settings, 0, Redactor::default());
    display.error(error, true);
}

/// An error that ends the program, and the exit code that Ansible has for it.
pub struct Fault {
    error: Error,
    code: u8,
}

impl Fault {
    /// Options or settings that make no sense.
    pub fn options(error: Error) -> Fault {
        Fault { error, code: 5 }
    }
}

/// 4 for documents that cannot be loaded, 1 for everything else.
impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match error.kind() {
            ErrorKind::Syntax => 4,
            ErrorKind::Internal => 250,
            _ => 1,
        };
        Fault { error, code }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        Error::from(error).into()
    }
}
