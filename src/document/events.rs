//! The event parser, with its panics turned into errors.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use libyaml_safer::{Event, EventData, Parser};
use playbook_api::{Error, ErrorKind};

thread_local! {
    static PARSING: Cell<bool> = const { Cell::new(false) };
}

/// Gives every event of a text to `take`, until it fails.
///
/// The parser panics on a few strange inputs (`[!tag, x]`); that becomes an error like any other, and its
/// message stays off the terminal.
pub(super) fn events(
    text: &str,
    mut take: impl FnMut(Result<Event, libyaml_safer::Error>) -> Result<(), Error>,
) -> Result<(), Error> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !PARSING.get() {
                hook(info);
            }
        }));
    });
    let mut bytes = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    loop {
        PARSING.set(true);
        let event = catch_unwind(AssertUnwindSafe(|| parser.parse()));
        PARSING.set(false);
        let event = event.map_err(|_| {
            Error::new("YAML parsing failed: a tag is written in a way that cannot be read.")
                .with_kind(ErrorKind::Syntax)
                .with_help("Put a space behind every '!tag', and quote text that starts with '!'.")
        })?;
        let ended = matches!(event, Ok(Event { data: EventData::StreamEnd, .. }));
        take(event)?;
        if ended {
            return Ok(());
        }
    }
}
