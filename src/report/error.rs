//! Formats an error for users: the cause, the place, the source line and the next step.

use playbook_api::Error;

use crate::document::source_excerpt;

/// Formats an error with its places and causes, as it follows `[ERROR]: `. Text of several lines ends with a line
/// break, so that an empty line follows it.
pub fn format_error(error: &Error) -> String {
    format(error, "\n\n")
}

/// Formats a deprecation warning as [`format_error`] does, but with the next step on the line of the message, as
/// ansible-core does.
pub fn format_deprecation(error: &Error) -> String {
    let is_short = error.place().is_none() && error.help().is_some_and(|help| !help.contains('\n'));
    format(error, if is_short { " " } else { "\n\n" })
}

fn format(error: &Error, before_help: &str) -> String {
    let mut segments: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(event) = next {
        let mut messages = vec![event.message()];
        let mut cause = event.cause();
        let source = context(event);
        while let Some(inner) = cause {
            let inner_source = context(inner);
            let adds = inner_source.is_some() || inner.help().is_some();
            if adds && (inner_source != source || inner.help() != event.help()) {
                break;
            }
            messages.push(inner.message());
            cause = inner.cause();
        }
        segments.push(segment(&join(&messages), event.help(), source.as_deref(), before_help));
        next = cause;
    }
    let mut text = segments.join("\n<<< caused by >>>\n\n");
    if segments.len() > 1 {
        text = format!("{}\n\n{text}", brief(error));
    }
    let text = text.trim();
    if text.contains('\n') { format!("{text}\n") } else { text.to_owned() }
}

/// Returns the messages of an error and its causes on one line, without repetitions.
pub fn brief(error: &Error) -> String {
    let messages: Vec<&str> = std::iter::successors(Some(error), |e| e.cause()).map(Error::message).collect();
    join(&messages)
}

fn join(messages: &[&str]) -> String {
    let mut parts = messages.iter().rev();
    let mut text = parts.next().map_or_else(String::new, |part| part.trim().to_owned());
    for part in parts {
        let part = part.trim();
        text = if part.ends_with(&text) {
            part.to_owned()
        } else {
            format!("{}: {text}", part.trim_end_matches(['.', ' ']))
        };
    }
    text
}

fn context(error: &Error) -> Option<String> {
    let place = error.place()?;
    Some(match source_excerpt(place) {
        Some(excerpt) => format!("Origin: {place}\n\n{excerpt}"),
        None => format!("Origin: {place}"),
    })
}

fn segment(message: &str, help: Option<&str>, source: Option<&str>, before_help: &str) -> String {
    let mut text = message.to_owned();
    if let Some(source) = source {
        text += &format!("\n{source}");
    }
    if let Some(help) = help {
        text += &format!("{before_help}{help}");
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use playbook_api::Place;

    use super::*;

    #[test]
    fn a_chain_shows_each_place_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.yml");
        std::fs::write(
            &path,
            "- hosts: localhost\n  gather_facts: no\n  tasks:\n    - debug: msg=1\n      register: \"a-b\"\n",
        )
        .unwrap();
        let file = path.to_str().unwrap();
        let place = Place::new(file, 5, 17);
        let cause = Error::new("Invalid variable name 'a-b'.").at(&place).with_help("Use letters.");
        let error = Error::new("Invalid 'register' specified.").at(&place).caused_by(cause);
        let excerpt =
            "3   tasks:\n4     - debug: msg=1\n5       register: \"a-b\"\n                  ^ column 17\n";
        assert_eq!(
            format_error(&error),
            format!(
                "Invalid 'register' specified: Invalid variable name 'a-b'.\n\n\
                Invalid 'register' specified.\nOrigin: {file}:5:17\n\n{excerpt}\n<<< caused by >>>\n\n\
                Invalid variable name 'a-b'.\nOrigin: {file}:5:17\n\n{excerpt}\nUse letters.\n"
            )
        );
    }

    #[test]
    fn causes_without_a_place_share_their_line() {
        let error =
            Error::new("Task failed").caused_by(Error::new("Module failed").caused_by(Error::new("boo")));
        assert_eq!(format_error(&error), "Task failed: Module failed: boo");
        assert_eq!(brief(&Error::new("a: b").caused_by(Error::new("b"))), "a: b");
    }

    #[test]
    fn the_next_step_has_a_line_of_its_own() {
        let error = Error::new("no AWS region is known").with_help("Set AWS_REGION.");
        assert_eq!(format_error(&error), "no AWS region is known\n\nSet AWS_REGION.\n");
        assert_eq!(
            format_error(&error.clone().context("Task failed")),
            "Task failed: no AWS region is known\n\nTask failed\n\n<<< caused by >>>\n\n\
            no AWS region is known\n\nSet AWS_REGION.\n"
        );
        assert_eq!(format_deprecation(&error), "no AWS region is known Set AWS_REGION.");
    }
}
