//! The command `playbook`, with the modules this build has.

use std::process::ExitCode;

use playbook::connection::askpass;
use playbook_api::Registry;

fn main() -> ExitCode {
    if let Some(answer) = askpass::answer() {
        return answer;
    }
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
