//! Passes the password to ssh: ssh starts this program, which reads it from a file that exists in memory only and that
//! no other user may open.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::process::{Command, ExitCode};

use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::connection::Password;

/// The environment variable with the path of the password. A process that has it responds to ssh.
pub const VARIABLE: &str = "PLAYBOOK_ASKPASS";

/// Lets an ssh process get the password while the returned file is open.
pub fn prepare(ssh: &mut Command, password: &Password) -> io::Result<File> {
    let mut file = File::from(memfd_create("password", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(password.0.as_bytes())?;
    let place = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    ssh.env("SSH_ASKPASS", std::env::current_exe()?).env("SSH_ASKPASS_REQUIRE", "force").env(VARIABLE, place);
    Ok(file)
}

/// Responds to ssh's prompt if this process was started for that. Then it returns the exit status.
pub fn answer() -> Option<ExitCode> {
    let place = std::env::var_os(VARIABLE)?;
    let question = std::env::args().nth(1).unwrap_or_default();
    // ssh also asks whether to trust a host's key.
    if question.contains("yes/no") {
        println!("no");
        return Some(ExitCode::SUCCESS);
    }
    Some(match std::fs::read_to_string(place) {
        Ok(password) => {
            println!("{password}");
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    })
}
