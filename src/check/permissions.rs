//! Checks that permissions are written as text: YAML reads `mode: 644` as a decimal number.

use playbook_api::{Error, Place, Value};

use super::walk::Walk;
use crate::document::Node;
use crate::playbook::Task;

/// The arguments that hold permissions.
const NAMES: [&str; 2] = ["mode", "directory_mode"];

/// Checks the permissions of a task.
pub(super) fn check(walk: &Walk, task: &Task) {
    for (name, node) in NAMES.iter().filter_map(|name| Some((name, task.action.args.get(*name)?))) {
        if let Some(text) = node.as_str().filter(|text| !is_mode(text)) {
            let message =
                format!("mode must be in octal or symbolic form: bad symbolic permission for mode: {text}");
            walk.error("arguments", Error::new(message).at(node.place()));
        }
        let Some(number) = decimal(node) else { continue };
        let message = format!("{name} {number} is a decimal number, which means {}", symbolic(number));
        let help = format!("Write the permissions as text: '{name}: \"0{number}\"'.");
        walk.warning("arguments", Error::new(message).at(node.place()).with_help(help));
    }
}

/// Whether text is a mode: octal digits, or clauses such as `u=rw` with commas between them.
fn is_mode(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix("0o").or_else(|| text.strip_prefix("0O")).unwrap_or(text);
    let octal = u32::from_str_radix(digits, 8).is_ok_and(|mode| mode <= 0o7777);
    octal || matches!(text, "" | "preserve") || text.split(',').all(is_clause)
}

/// Whether text is who, an operator and permissions, of which the last two may repeat.
fn is_clause(text: &str) -> bool {
    let text = text.trim().trim_start_matches(['u', 'g', 'o', 'a']);
    text.starts_with(['=', '+', '-'])
        && text
            .split(['=', '+', '-'])
            .all(|part| matches!(part, "u" | "g" | "o") || part.chars().all(|c| "rwxXst".contains(c)))
}

/// Returns the number if it is written in decimal digits that look like octal ones.
fn decimal(node: &Node) -> Option<u32> {
    let Value::Int(number) = node.raw() else { return None };
    let number = u32::try_from(number).ok()?;
    let digits = number.to_string();
    let looks_octal =
        (3..=4).contains(&digits.len()) && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    (looks_octal && is_written(node.place(), &digits)).then_some(number)
}

/// Whether these digits, and not an octal number of the same value, are written at a place.
fn is_written(place: &Place, digits: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(&*place.file) else { return false };
    let line = text.lines().nth((place.line as usize).saturating_sub(1)).unwrap_or_default();
    let rest: String = line.chars().skip((place.column as usize).saturating_sub(1)).collect();
    // The place of `key=value` arguments is that of all of them.
    rest.starts_with(digits) || rest.contains(&format!("mode={digits}"))
}

/// Returns permissions in the form of `ls`.
fn symbolic(mode: u32) -> String {
    let bit = |bit: u32, letter: char| if mode & bit != 0 { letter } else { '-' };
    let triple = |shift: u32, special: u32, letter: char| {
        let execute = match (mode & special != 0, mode & (1 << shift) != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        };
        [bit(4 << shift, 'r'), bit(2 << shift, 'w'), execute].into_iter().collect::<String>()
    };
    format!("-{}{}{}", triple(6, 0o4000, 's'), triple(3, 0o2000, 's'), triple(0, 0o1000, 't'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_shown_as_ls_does() {
        assert_eq!(symbolic(644), "--w----r-T");
        assert_eq!(symbolic(0o755), "-rwxr-xr-x");
        assert_eq!(symbolic(0o4711), "-rws--x--x");
    }
}
