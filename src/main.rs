//! The command `playbook`, with the modules this build has.

use std::process::ExitCode;

use playbook::connection::helper;
use playbook_api::Registry;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == helper::ARGUMENT) {
        return serve();
    }
    playbook::cli::main(register)
}

/// Runs one module for another process of this program.
fn serve() -> ExitCode {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    match helper::serve(registry) {
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
