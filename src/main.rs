//! The command `playbook`, with the modules this build has.

use std::process::ExitCode;

use playbook_api::Registry;

fn main() -> ExitCode {
    playbook::cli::main(register)
}

fn register(registry: &mut Registry) {
    playbook_host::register(registry);
    playbook_wait::register(registry);
    #[cfg(feature = "aws")]
    playbook_aws::register(registry);
    #[cfg(feature = "postgres")]
    playbook_postgres::register(registry);
}
