//! The last line of a terminal, which shows what each running host waits for.

use indexmap::IndexMap;

use super::width::width;

/// The last line of a terminal, which shows what each running host waits for.
#[derive(Debug)]
pub(super) struct Live {
    columns: usize,
    waiting: IndexMap<String, String>,
    shown: String,
}

const ERASE: &str = "\r\x1b[K";

impl Live {
    /// Returns the line, or nothing if the output is not a terminal.
    pub(super) fn on_terminal(columns: usize) -> Option<Live> {
        (columns > 0).then(|| Live { columns, waiting: IndexMap::new(), shown: String::new() })
    }

    /// Sets or removes the message of a host.
    pub(super) fn set(&mut self, host: &str, message: Option<String>) {
        match message {
            Some(message) => {
                self.waiting.insert(host.to_owned(), message.lines().next().unwrap_or_default().to_owned());
            }
            None => {
                self.waiting.shift_remove(host);
            }
        }
    }

    /// Removes all messages.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Returns what erases the line, if it is shown.
    pub(super) fn erase(&mut self) -> Option<String> {
        (!std::mem::take(&mut self.shown).is_empty()).then(|| ERASE.to_owned())
    }

    /// What puts the line there as it is now, if that is needed.
    pub(super) fn draw(&mut self) -> Option<String> {
        let texts: Vec<String> =
            self.waiting.iter().map(|(host, message)| format!("{host}: {message}")).collect();
        let mut line = texts.join(" · ");
        if width(&line) >= self.columns {
            let mut used = 0;
            line = line
                .chars()
                .take_while(|c| {
                    used += width(c.encode_utf8(&mut [0; 4]));
                    used + 2 < self.columns
                })
                .collect();
            line.push('…');
        }
        if line == self.shown {
            return None;
        }
        let drawn = format!("{ERASE}\x1b[2m{line}\x1b[0m");
        self.shown = line;
        Some(if self.shown.is_empty() { ERASE.to_owned() } else { drawn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_hosts_wait_for_and_goes_away() {
        let mut live = Live::on_terminal(40).unwrap();
        assert_eq!(live.draw(), None);
        live.set("web1", Some("2 of 3 tasks running".into()));
        assert!(live.draw().unwrap().contains("web1: 2 of 3 tasks running"));
        assert_eq!(live.draw(), None);
        live.set("web1", None);
        assert_eq!(live.draw().as_deref(), Some(ERASE));
        assert!(Live::on_terminal(0).is_none());
    }
}
