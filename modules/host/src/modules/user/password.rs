//! The password that a user is given.

use playbook_api::Failure;

use crate::host::process::Program;
use crate::host::{Host, ended_badly};

/// Sets it. It goes through a pipe: others can read command lines.
pub(crate) fn set(host: &Host, name: &str, hash: &str) -> Result<(), Failure> {
    let program = Program::new(["chpasswd", "-e"]).stdin(Some(format!("{name}:{hash}\n").into_bytes()));
    let output = host.run(&program)?;
    if output.success() { Ok(()) } else { Err(ended_badly(&program, &output)) }
}

/// Whether it looks like a hash, or like one of the signs that close an account.
pub(crate) fn is_hashed(password: &str) -> bool {
    if matches!(password, "*" | "!" | "*************") {
        return true;
    }
    let fields: Vec<&str> = password.split('$').collect();
    let (Some(kind), Some(sum)) = (fields.get(1), fields.last().filter(|_| fields.len() >= 3)) else {
        return false;
    };
    let length = match *kind {
        "1" => Some(22),
        "5" | "y" => Some(43),
        "6" => Some(86),
        _ => None,
    };
    !password.contains([':', '*', '!'])
        && sum.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/'))
        && length.is_none_or(|length| sum.len() == length)
}

#[cfg(test)]
mod tests {
    use super::is_hashed;

    #[test]
    fn plain_passwords_are_told_from_hashes() {
        let hash = "$y$jCT$ZiF3ZV39/maUl9Lzt2Hk80$Ih6bI4OXU52OnWWqt3T1BAmVn8eH.4qlcP.8/NOjGN5";
        assert!(is_hashed(hash) && is_hashed("*") && is_hashed("!"));
        assert!(!is_hashed("plaintext") && !is_hashed("$6$salt$short") && !is_hashed("a!b"));
    }
}
