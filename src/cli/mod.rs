//! The command line: one file a subcommand; its doc comments are its help text.

mod ask;
mod config;
mod interrupt;
mod list;
mod run;
mod session;
mod vault;

use std::ffi::OsString;
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
    Config(config::Config),
    Vault(vault::Vault),
}

impl Command {
    fn run(self, register: Register) -> Result<u8, Error> {
        match self {
            Command::Run(command) => command.run(register, true),
            Command::Config(command) => command.run(),
            Command::Vault(command) => command.run(),
        }
    }
}

/// Does what the process's arguments say. Called by the name of one of Ansible's programs, it takes that one's
/// arguments.
pub fn main(register: Register) -> ExitCode {
    // A reader that goes away (`| head`) ends the program quietly instead of failing a write.
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let name = arguments.first().map(std::path::Path::new).and_then(|p| p.file_name()).unwrap_or_default();
    let done = match name.to_str() {
        Some("ansible-playbook") => parse::<run::Run>(&arguments, "ansible-playbook").run(register, false),
        Some("ansible-config") => parse::<config::Config>(&arguments, "ansible-config").run(),
        Some("ansible-vault") => parse::<vault::Vault>(&arguments, "ansible-vault").run(),
        _ => Cli::parse_from(&arguments).command.run(register),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&error);
            ExitCode::from(exit_code(&error))
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

/// An error of the program as a whole, on standard error.
fn complain(error: &Error) {
    let settings = Settings::default();
    let mut display = Display::new(&settings, 0, Redactor::default());
    display.error(error, true);
}

/// ansible-playbook's exit codes: 4 for documents that cannot be loaded, 1 for everything else.
fn exit_code(error: &Error) -> u8 {
    match error.get_kind() {
        ErrorKind::Syntax => 4,
        ErrorKind::Internal => 250,
        _ => 1,
    }
}
