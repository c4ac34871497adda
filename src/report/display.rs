//! Where lines go: standard output and error, with colour, once each where that is enough.

use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use playbook_api::{Error, Redactor};

use super::error::format_error;
use super::live::Live;
use super::width::width;
use crate::settings::Settings;

/// What a line is about, which gives it its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Ok,
    Changed,
    Error,
    Unreachable,
    Skip,
    Debug,
    Verbose,
    Warn,
    Deprecate,
    Included,
    DiffAdd,
    DiffRemove,
    DiffLines,
}

/// The code of an escape sequence for each [`Colour`].
type Palette = [String; 13];

/// The settings `color_ok`, `color_changed`, ….
fn palette(settings: &Settings) -> Palette {
    [
        &settings.color_ok,
        &settings.color_changed,
        &settings.color_error,
        &settings.color_unreachable,
        &settings.color_skip,
        &settings.color_debug,
        &settings.color_verbose,
        &settings.color_warn,
        &settings.color_deprecate,
        &settings.color_included,
        &settings.color_diff_add,
        &settings.color_diff_remove,
        &settings.color_diff_lines,
    ]
    .map(|name| code(name))
}

/// The code of a colour's name: `bright red`, `color208`, `rgb255`, `gray3`.
fn code(name: &str) -> String {
    const NAMES: [(&str, &str); 18] = [
        ("black", "0;30"),
        ("bright gray", "0;37"),
        ("blue", "0;34"),
        ("white", "1;37"),
        ("green", "0;32"),
        ("bright blue", "1;34"),
        ("cyan", "0;36"),
        ("bright green", "1;32"),
        ("red", "0;31"),
        ("bright cyan", "1;36"),
        ("purple", "0;35"),
        ("magenta", "0;35"),
        ("bright red", "1;31"),
        ("yellow", "0;33"),
        ("bright purple", "1;35"),
        ("bright magenta", "1;35"),
        ("dark gray", "1;30"),
        ("bright yellow", "1;33"),
    ];
    if let Some((_, code)) = NAMES.iter().find(|(n, _)| *n == name) {
        return (*code).to_owned();
    }
    let number = |prefix: &str| name.strip_prefix(prefix)?.parse::<u32>().ok();
    let cube = || {
        let digits: Vec<u32> =
            name.strip_prefix("rgb")?.chars().map(|c| c.to_digit(6)).collect::<Option<_>>()?;
        match digits.as_slice() {
            [red, green, blue] => Some(16 + 36 * red + 6 * green + blue),
            _ => None,
        }
    };
    let shade = number("color").or_else(cube).or_else(|| number("gray").map(|n| 232 + n));
    shade.map_or_else(|| "0".to_owned(), |shade| format!("38;5;{shade}"))
}

/// Standard output and standard error, or what a test puts in their place.
#[derive(Clone)]
pub struct Streams {
    pub out: Arc<Mutex<dyn Write + Send>>,
    pub err: Arc<Mutex<dyn Write + Send>>,
}

impl Streams {
    pub fn standard() -> Self {
        Streams { out: Arc::new(Mutex::new(std::io::stdout())), err: Arc::new(Mutex::new(std::io::stderr())) }
    }
}

/// Writes lines. What is written waits in a buffer until [`Display::flush`], or until there is much of it.
pub struct Display {
    streams: Streams,
    pending: String,
    pub verbosity: u8,
    pub colour: bool,
    columns: usize,
    palette: Palette,
    verbose_to_stderr: bool,
    /// Whether deprecations are shown.
    deprecations: bool,
    redactor: Redactor,
    said: HashSet<String>,
    log: Option<std::fs::File>,
    live: Option<Live>,
    flushed: Instant,
}

/// What is written may wait this long, for a burst of results to go out in one piece.
const LONGEST: Duration = Duration::from_millis(30);

const MUCH: usize = 64 * 1024;

impl Display {
    pub fn new(settings: &Settings, verbosity: u8, redactor: Redactor) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let colour = settings.force_color || (terminal && !settings.nocolor);
        let width = if terminal { terminal_width() } else { 0 };
        let open =
            |path: &std::path::PathBuf| std::fs::File::options().create(true).append(true).open(path).ok();
        let mut display = Display::on(Streams::standard(), settings, verbosity, colour, redactor);
        display.columns = columns(width);
        display.log = settings.log_path.as_ref().and_then(open);
        display.live = Live::on_terminal(width);
        display
    }

    /// On other streams, which are no terminal.
    pub fn on(
        streams: Streams,
        settings: &Settings,
        verbosity: u8,
        colour: bool,
        redactor: Redactor,
    ) -> Self {
        Display {
            streams,
            pending: String::new(),
            verbosity,
            colour,
            columns: columns(0),
            palette: palette(settings),
            verbose_to_stderr: settings.verbose_to_stderr,
            deprecations: settings.deprecation_warnings,
            redactor,
            said: HashSet::new(),
            log: None,
            live: None,
            flushed: Instant::now(),
        }
    }

    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// A line, or several.
    pub fn line(&mut self, text: &str, colour: Option<Colour>) {
        self.write(text, colour, false);
    }

    /// A line on standard error.
    pub fn error_line(&mut self, text: &str, colour: Option<Colour>) {
        self.write(text, colour, true);
    }

    /// What is only said from a verbosity on.
    pub fn verbose(&mut self, text: &str) {
        self.write(text, Some(Colour::Verbose), self.verbose_to_stderr);
    }

    fn write(&mut self, text: &str, colour: Option<Colour>, to_error: bool) {
        let text = self.redactor.text(text).replace("\r\n", "\n");
        if let Some(log) = &mut self.log {
            let _ = writeln!(log, "{}", text.trim_start_matches('\n'));
        }
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = match colour {
            Some(colour) => self.painted(text, colour),
            None => text.to_owned(),
        };
        if to_error {
            self.flush();
            self.erase_live();
            put(&self.streams.err, &format!("{text}\n"));
            return;
        }
        self.pending.push_str(&text);
        self.pending.push('\n');
        if self.pending.len() > MUCH {
            self.flush();
        }
    }

    /// Text in colour, line by line, where colours are shown.
    pub fn painted(&self, text: &str, colour: Colour) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = &self.palette[colour as usize];
        let lines: Vec<String> = text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect();
        lines.join("\n")
    }

    /// An empty line, and a title with stars behind it to the edge of the terminal.
    pub fn banner(&mut self, title: &str) {
        let title = title.trim();
        let stars = self.columns.saturating_sub(width(title)).max(3);
        self.line(&format!("\n{title} {}", "*".repeat(stars)), None);
    }

    /// A warning, once.
    pub fn warning(&mut self, text: &str) {
        self.once(format!("[WARNING]: {}", spaced(text)), Colour::Warn, true);
    }

    /// A warning with a place, once.
    pub fn warning_at(&mut self, error: &Error) {
        self.once(format!("[WARNING]: {}", format_error(error)), Colour::Warn, true);
    }

    /// What will not do much longer, once, unless nobody wants to know.
    pub fn deprecated(&mut self, what: &Error) {
        if !self.deprecations {
            return;
        }
        self.warning(
            "Deprecation warnings can be disabled by setting `deprecation_warnings=False` in ansible.cfg.",
        );
        self.once(format!("[DEPRECATION WARNING]: {}", format_error(what)), Colour::Deprecate, true);
    }

    /// An error with its places, once.
    pub fn error(&mut self, error: &Error, to_error: bool) {
        self.once(format!("[ERROR]: {}", format_error(error)), Colour::Error, to_error);
    }

    fn once(&mut self, text: String, colour: Colour, to_error: bool) {
        if !self.said.contains(&text) {
            // The last line break would be taken for the end of the line; it is the empty line.
            let shown = if text.ends_with('\n') { format!("{text}\n") } else { text.clone() };
            self.said.insert(text);
            self.write(&shown, Some(colour), to_error);
        }
    }

    /// What a host waits for, on a terminal.
    pub fn waiting(&mut self, host: &str, message: Option<&str>) {
        if let Some(live) = &mut self.live {
            live.set(host, message.map(|m| self.redactor.text(m)));
        }
    }

    fn erase_live(&mut self) {
        if let Some(erase) = self.live.as_mut().and_then(Live::erase) {
            put(&self.streams.out, &erase);
        }
    }

    /// Hands everything to the streams if that is due: always on a terminal, else once in a while.
    pub fn settle(&mut self) {
        if self.live.is_some() || self.flushed.elapsed() > LONGEST {
            self.flush();
        }
    }

    /// Hands everything to the streams.
    pub fn flush(&mut self) {
        self.flushed = Instant::now();
        if !self.pending.is_empty() {
            self.erase_live();
            put(&self.streams.out, &self.pending);
            self.pending.clear();
        }
        if let Some(drawn) = self.live.as_mut().and_then(Live::draw) {
            put(&self.streams.out, &drawn);
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.live.iter_mut().for_each(Live::clear);
        self.flush();
        self.erase_live();
    }
}

/// Several lines keep an empty one behind them.
fn spaced(text: &str) -> String {
    let text = text.trim();
    if text.contains('\n') { format!("{text}\n") } else { text.to_owned() }
}

/// A closed pipe is no fault of ours.
fn put(stream: &Mutex<dyn Write + Send>, text: &str) {
    let mut stream = stream.lock().unwrap_or_else(|e| e.into_inner());
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// The columns that titles fill: 79, or those of a wider terminal but one.
fn columns(width: usize) -> usize {
    width.saturating_sub(1).max(79)
}

fn terminal_width() -> usize {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel fills the struct it is given.
    let answer = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &mut size) };
    if answer == 0 { usize::from(size.ws_col) } else { 0 }
}
