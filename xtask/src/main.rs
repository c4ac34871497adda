//! `cargo xtask COMMAND`: the developer's commands.

mod bench;
mod demo;
mod preflight;
mod test;
mod upstream;

use std::process::ExitCode;

use xtask::{Result, children};

const USAGE: &str = "\
cargo xtask COMMAND

  demo [--keep]               deploy the sample application to an AWS emulator and a real PostgreSQL server;
                              --keep leaves both running to play with until Ctrl-C
  test [ARGUMENT...]          start the servers that the tests need and run them all; arguments go to cargo test.
                              As root also those on machines over SSH and in containers
  upstream [TARGET...]        run ansible-core's own integration targets; without names those that must pass
           --list FILE        a file of targets instead       --bin DIR      commands to test instead of a build
           --jobs N           at once (2)                     --timeout S    seconds for each (180)
           --logs DIR         keep every target's output      --release      test the release build
           --times            run each with ansible-core too, and print what both took
           --in PLACE         here, in a Debian of its own (root), or in one with this machine's network (online)
  bench [--ssh] [--quick]     measure ansible-core, Mitogen and playbook side by side, here or on hosts over SSH;
        [--bin FILE]          --quick leaves out what takes Ansible minutes, --bin measures another binary than a
                              fresh release build
";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = if arguments.is_empty() { String::new() } else { arguments.remove(0) };
    let done = children::stop_all_on_interrupt().and_then(|()| run(&command, &arguments));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all that was asked for went well.
fn run(command: &str, arguments: &[String]) -> Result<bool> {
    match command {
        "demo" => demo::run(arguments),
        "test" => test::run(arguments),
        "upstream" => upstream::run(arguments),
        "bench" => bench::run(arguments),
        "" | "-h" | "--help" | "help" => {
            print!("{USAGE}");
            Ok(true)
        }
        other => Err(format!("no command '{other}'\n\n{USAGE}")),
    }
}
