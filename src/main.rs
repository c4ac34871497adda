//! The command `playbook`, with the modules this build has.

use std::process::ExitCode;

use playbook::connection::askpass;
use playbook_api::Registry;
use playbook_host::job;

fn main() -> ExitCode {
    if let Some(answer) = askpass::answer() {
        return answer;
    }
    if std::env::args_os().nth(1).is_some_and(|argument| argument == job::ARGUMENT) {
        return serve();
    }
    playbook::cli::main(register)
}

/// Runs a job that a task of the controller itself started.
fn serve() -> ExitCode {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    match job::serve(registry) {
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
