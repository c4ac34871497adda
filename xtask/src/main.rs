//! `cargo xtask COMMAND`: the developer's commands.

mod bench;
mod demo;
mod preflight;
mod test;
mod total;
mod upstream;

use std::process::ExitCode;

use xtask::{Result, children};

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  demo                    Deploy the sample application to an AWS emulator and a real PostgreSQL server
    --keep                Keep both servers running until Ctrl-C

  test [ARGUMENT...]      Start the servers that the tests need and run all tests, as root also those that need
                          machines over SSH and containers. With arguments, run `cargo test ARGUMENT...`
    --every-release       Test roles on Debian 13 too, and not only on Debian 12

  upstream [TARGET...]    Run ansible-core's integration targets; without names, all that must pass
    --core 2.19|2.21      Run the targets of this release of ansible-core (default: 2.19)
    --record              Run ansible-core itself, and record what it does as the reference
    --list FILE           Read the targets from FILE
    --bin DIR             Test the commands in the directory DIR instead of building them
    --release             Test the release build
    --jobs N              Run N targets at the same time (default: 2)
    --timeout SECONDS     Stop a target after this time (default: 180)
    --logs DIR            Write every target's output to the directory DIR
    --times               Run each target with ansible-core too, and print both times
    --fast                Leave out the slow targets
    --in PLACE            Run on this machine (here), in a separate Debian (root), or in a separate Debian with
                          this machine's network (online)

  bench                   Compare the speed of ansible-core, Mitogen and playbook on this machine
    --ssh                 Compare it on hosts over SSH
    --scale               Compare time and memory for large projects, loops that grow, and many hosts
    --quick               Leave out the measurements that take Ansible minutes
    --bin FILE            Measure the binary FILE instead of a new release build
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

/// Runs a command and returns whether it succeeded.
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
        other => Err(format!("unknown command '{other}'\n\n{USAGE}")),
    }
}
