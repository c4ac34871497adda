//! Parses permissions in tasks: 0644 (a number), "0644", "u=rw,g+r,o-x".

use std::borrow::Cow;

use nix::sys::stat::{Mode as Umask, umask};
use playbook_api::{Deserialize, JsonSchema};
use schemars::{Schema, SchemaGenerator, json_schema};

/// An unparsed mode argument, since symbolic modes depend on the file's mode.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub(crate) enum Mode {
    Number(i64),
    Text(String),
}

impl JsonSchema for Mode {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "format": "raw" })
    }
}

impl Mode {
    /// Returns the permission bits, relative to `current` (which includes the type bits). The error is a reason.
    pub(crate) fn apply(&self, current: u32) -> Result<u32, String> {
        match self {
            Mode::Number(n) => u32::try_from(*n).ok().filter(|n| *n <= 0o7777).ok_or_else(|| {
                format!("{n} is not a mode; write it in quotes, as '0644', so that it is read as octal")
            }),
            Mode::Text(text) => match octal(text) {
                Some(mode) if mode <= 0o7777 => Ok(mode),
                Some(_) => Err(format!("{text} has more bits than a mode")),
                None => symbolic(text, current),
            },
        }
    }

    /// Returns the bits, if they do not depend on the file.
    pub(crate) fn absolute(&self) -> Option<u32> {
        match self {
            Mode::Number(n) => u32::try_from(*n).ok().filter(|n| *n <= 0o7777),
            Mode::Text(text) => octal(text).filter(|n| *n <= 0o7777),
        }
    }

    pub(crate) fn is_preserve(&self) -> bool {
        matches!(self, Mode::Text(text) if text == "preserve")
    }
}

fn octal(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.strip_prefix("0o").or_else(|| text.strip_prefix("0O")).unwrap_or(text);
    u32::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with('+'))
}

fn symbolic(text: &str, current: u32) -> Result<u32, String> {
    let is_directory = current & libc::S_IFMT == libc::S_IFDIR;
    let bad = || format!("bad symbolic permission for mode: {text}");
    let mut mode = current & 0o7777;
    for clause in text.split(',') {
        let start = clause.find(['+', '-', '=']).ok_or_else(bad)?;
        let (who, mut actions) = clause.split_at(start);
        if who != "a" && who.chars().any(|c| !"ugo".contains(c)) {
            return Err(bad());
        }
        let masked = who.is_empty();
        let users = if masked || who == "a" { "ugo" } else { who };
        while let Some(operator) = actions.chars().next() {
            actions = &actions[1..];
            let end = actions.find(['+', '-', '=']).unwrap_or(actions.len());
            let (permissions, rest) = actions.split_at(end);
            actions = rest;
            if permissions.chars().any(|c| !"rwxXstugo".contains(c)) {
                return Err(bad());
            }
            for user in users.chars() {
                let mask = if masked { current_umask() } else { 0 };
                let bits = wanted(user, permissions, mode, is_directory, mask);
                mode = match operator {
                    '+' => mode | bits,
                    '-' => mode & !bits,
                    _ => (mode & !all_of(user)) | bits,
                };
            }
        }
    }
    Ok(mode)
}

fn shift(user: char) -> u32 {
    match user {
        'u' => 6,
        'g' => 3,
        _ => 0,
    }
}

/// Returns all bits of a class of users.
fn all_of(user: char) -> u32 {
    match user {
        'u' => 0o4700,
        'g' => 0o2070,
        _ => 0o1007,
    }
}

/// Returns the bits of a list of permissions for one class of users. `X` and copied permissions use the mode after the
/// preceding clauses; the umask applies only to `r`, `w` and `x`.
fn wanted(user: char, permissions: &str, mode: u32, is_directory: bool, mask: u32) -> u32 {
    let shift_by = shift(user);
    permissions.chars().fold(0, |bits, c| {
        bits | match c {
            'r' => (0o4 << shift_by) & !mask,
            'w' => (0o2 << shift_by) & !mask,
            'x' => (0o1 << shift_by) & !mask,
            'X' if is_directory || mode & 0o111 != 0 => 0o1 << shift_by,
            's' if user == 'u' => 0o4000,
            's' if user == 'g' => 0o2000,
            't' if user == 'o' => 0o1000,
            'u' | 'g' | 'o' => ((mode >> shift(c)) & 0o7) << shift_by,
            _ => 0,
        }
    })
}

/// Returns the process's umask. It can be read only by setting it, so that is done once, early and briefly.
pub(crate) fn current_umask() -> u32 {
    static UMASK: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *UMASK.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("Umask:"));
        line.and_then(|l| u32::from_str_radix(l.trim(), 8).ok()).unwrap_or_else(|| {
            let old = umask(Umask::from_bits_truncate(0o022));
            umask(old);
            old.bits()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str, current: u32) -> Result<u32, String> {
        Mode::Text(text.into()).apply(current)
    }

    #[test]
    fn octal_modes() {
        assert_eq!(apply("0644", 0), Ok(0o644));
        assert_eq!(apply("0o2755", 0), Ok(0o2755));
        assert_eq!(Mode::Number(0o600).apply(0), Ok(0o600));
        assert!(Mode::Number(64400).apply(0).is_err() && apply("99", 0).is_err());
    }

    #[test]
    fn symbolic_modes() {
        let file = libc::S_IFREG;
        assert_eq!(apply("u=rwX,g=rX,o-rwx", file | 0o644), Ok(0o640));
        assert_eq!(apply("u=rwX,g=rX,o=rX", libc::S_IFDIR | 0o600), Ok(0o755));
        assert_eq!(apply("a+X", file | 0o744), Ok(0o755));
        assert_eq!(apply("u+s,g+s,o+t", file | 0o755), Ok(0o7755));
        assert_eq!(apply("g=u", file | 0o700), Ok(0o770));
        assert_eq!(apply("u=rw-x+X", file | 0o777), Ok(0o777));
        assert!(
            apply("q+r", 0).is_err()
                && apply("u+Q", 0).is_err()
                && apply("rw", 0).is_err()
                && apply("ao=r", 0).is_err()
        );
    }

    #[test]
    fn a_conditional_x_looks_at_what_the_clauses_before_it_left() {
        for (text, before, after) in [
            ("u=rw,g=rX,o=X", 0o700, 0o640),
            ("a-x,a+X", 0o755, 0o644),
            ("a=rw,a+X", 0o711, 0o666),
            ("u+x,go+X", 0o644, 0o755),
            ("u-s,a-x,u=rwX", 0o4755, 0o644),
            ("ugo-x,u+X", 0o751, 0o640),
            ("a+X", 0o644, 0o644),
            ("go=u-w", 0o750, 0o755),
            ("g=X,o=X", 0o710, 0o711),
            ("u=X,g=X", 0o711, 0o111),
        ] {
            assert_eq!(apply(text, libc::S_IFREG | before), Ok(after), "{text} on {before:o}");
        }
        assert_eq!(apply("a-x,a+X", libc::S_IFDIR | 0o755), Ok(0o755));
    }
}
