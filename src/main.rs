//! The command `playbook`, with the modules this build has.

use std::process::ExitCode;

use playbook::connection::helper;
use playbook_api::{Error, Registry};
use playbook_host::job;

fn main() -> ExitCode {
    match std::env::args_os().nth(1).as_deref().and_then(|argument| argument.to_str()) {
        Some(helper::ARGUMENT) => serve(helper::serve),
        Some(job::ARGUMENT) => serve(job::serve),
        _ => playbook::cli::main(register),
    }
}

/// Runs one module for another process of this program.
fn serve(run: fn(Registry) -> Result<(), Error>) -> ExitCode {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    match run(registry) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn register(registry: &mut Registry) {
    playbook_host::register(registry);
    playbook_wait::register(registry);
    #[cfg(feature = "aws")]
    playbook_aws::register(registry);
    #[cfg(feature = "postgres")]
    playbook_postgres::register(registry);
}
