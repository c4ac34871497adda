//! Writes lines to standard output, standard error and the log file, in color, and warnings only once.

use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use playbook_api::{Error, Redactor};

use super::error::{format_deprecation, format_error};
use super::live::Live;
use super::log::{Level, Log};
use super::output;
use super::width::width;
use crate::settings::Settings;

/// The kind of a line, which decides its color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// The result of a task that changed nothing.
    Ok,
    /// The result of a task that changed something.
    Changed,
    /// A failure.
    Error,
    /// A host that cannot be reached.
    Unreachable,
    /// A task or host that is skipped.
    Skip,
    /// A message for debugging.
    Debug,
    /// A message that is shown only with a higher verbosity.
    Verbose,
    /// A warning.
    Warn,
    /// A deprecation warning.
    Deprecate,
    /// The file that an include has loaded.
    Included,
    /// An added line of a diff.
    DiffAdd,
    /// A removed line of a diff.
    DiffRemove,
    /// A hunk header of a diff.
    DiffLines,
}

/// The escape code for each [`Color`].
type Palette = [String; 13];

/// Returns the colors of the settings `color_ok`, `color_changed`, ….
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

/// Returns the escape code of a color: `bright red`, `color208`, `rgb255`, `gray3`.
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

/// Standard output and standard error, or what replaces them in a test.
#[derive(Clone)]
pub struct Streams {
    /// Standard output.
    pub out: Arc<Mutex<dyn Write + Send>>,
    /// Standard error.
    pub err: Arc<Mutex<dyn Write + Send>>,
}

impl Streams {
    /// Returns the streams of the process.
    pub fn standard() -> Self {
        Streams { out: Arc::new(Mutex::new(std::io::stdout())), err: Arc::new(Mutex::new(std::io::stderr())) }
    }
}

/// A writer of lines. Standard output is buffered until [`Display::flush`], or until the buffer is large.
pub struct Display {
    streams: Streams,
    pending: String,
    /// The number of `-v` flags.
    pub verbosity: u8,
    /// Whether lines are colored.
    pub color: bool,
    columns: usize,
    palette: Palette,
    verbose_to_stderr: bool,
    /// Whether deprecation warnings are shown.
    deprecations: bool,
    redactor: Redactor,
    said: HashSet<String>,
    log: Option<Log>,
    live: Option<Live>,
    flushed: Instant,
}

/// Buffered lines wait at most this long, so that many results at once are written together.
const LONGEST: Duration = Duration::from_millis(30);

/// The size in bytes at which the buffer is written.
const LARGE: usize = 64 * 1024;

impl Display {
    /// Returns a display on the streams of the process.
    pub fn new(settings: &Settings, verbosity: u8, redactor: Redactor) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let color = settings.force_color || (terminal && !settings.nocolor);
        let width = if terminal { terminal_width() } else { 0 };
        let mut display = Display::on(Streams::standard(), settings, verbosity, color, redactor);
        display.columns = columns(width);
        display.log = Log::open(settings, verbosity);
        display.live = Live::on_terminal(width);
        display
    }

    /// Returns a display on other streams, without a log file.
    pub fn on(streams: Streams, settings: &Settings, verbosity: u8, color: bool, redactor: Redactor) -> Self {
        Display {
            streams,
            pending: String::new(),
            verbosity,
            color,
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

    /// Returns the redactor that hides secrets.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Prints a line, or several, on standard output.
    pub fn line(&mut self, text: &str, color: Option<Color>) {
        self.write(text, color, false);
    }

    /// Prints a line on standard error.
    pub fn error_line(&mut self, text: &str, color: Option<Color>) {
        self.write(text, color, true);
    }

    /// Prints and logs a message if the verbosity, or the log's, is at least `level`.
    pub fn verbose(&mut self, level: u8, text: &str) {
        if self.verbosity >= level {
            self.write(text, Some(Color::Verbose), self.verbose_to_stderr);
        } else if let Some(log) = self.log.as_mut().filter(|log| log.verbosity >= level) {
            log.write(Level::Info, &self.redactor.text(text));
        }
    }

    fn write(&mut self, text: &str, color: Option<Color>, to_error: bool) {
        let text = self.redactor.text(text).replace("\r\n", "\n");
        if let Some(log) = &mut self.log {
            log.write(Level::Info, &text);
        }
        self.print(&text, color, to_error);
    }

    fn print(&mut self, text: &str, color: Option<Color>, to_error: bool) {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = match color {
            Some(color) => self.painted(text, color),
            None => text.to_owned(),
        };
        if to_error {
            self.flush();
            self.erase_live();
            output::write(&self.streams.err, &format!("{text}\n"));
            return;
        }
        self.pending.push_str(&text);
        self.pending.push('\n');
        if self.pending.len() > LARGE {
            self.flush();
        }
    }

    /// Colors text line by line, if lines are colored.
    pub fn painted(&self, text: &str, color: Color) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = &self.palette[color as usize];
        let lines: Vec<String> = text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect();
        lines.join("\n")
    }

    /// Prints an empty line, then a title that is filled with stars up to the width of the terminal.
    pub fn banner(&mut self, title: &str) {
        let title = title.trim();
        let stars = self.columns.saturating_sub(width(title)).max(3);
        self.line(&format!("\n{title} {}", "*".repeat(stars)), None);
    }

    /// Prints a warning once.
    pub fn warning(&mut self, text: &str) {
        self.once(Level::Warning, &format!("[WARNING]: {}", spaced(text)), true);
    }

    /// Prints a warning with its place once.
    pub fn warning_at(&mut self, error: &Error) {
        self.once(Level::Warning, &format!("[WARNING]: {}", format_error(error)), true);
    }

    /// Prints a deprecation warning once, unless the settings turn them off.
    pub fn deprecated(&mut self, what: &Error) {
        if !self.deprecations {
            return;
        }
        self.warning(
            "Deprecation warnings can be disabled by setting `deprecation_warnings=False` in ansible.cfg.",
        );
        let text = format!("[DEPRECATION WARNING]: {}", format_deprecation(what));
        self.once_in(Level::Info, Color::Deprecate, &text, true);
    }

    /// Prints an error with its places once.
    pub fn error(&mut self, error: &Error, to_error: bool) {
        self.once(Level::Error, &format!("[ERROR]: {}", format_error(error)), to_error);
    }

    fn once(&mut self, level: Level, text: &str, to_error: bool) {
        let color = if level == Level::Error { Color::Error } else { Color::Warn };
        self.once_in(level, color, text, to_error);
    }

    fn once_in(&mut self, level: Level, color: Color, text: &str, to_error: bool) {
        if !self.said.insert(text.to_owned()) {
            return;
        }
        let text = self.redactor.text(text).replace("\r\n", "\n");
        if let Some(log) = &mut self.log {
            log.write(level, &format!("{text}\n"));
        }
        // One line break ends the last line. Text of several lines has another one, which makes an empty line.
        let shown = if text.ends_with('\n') { format!("{text}\n") } else { text };
        self.print(&shown, Some(color), to_error);
    }

    /// Shows on the last line of a terminal what a host waits for.
    pub fn waiting(&mut self, host: &str, message: Option<&str>) {
        if let Some(live) = &mut self.live {
            live.set(host, message.map(|m| self.redactor.text(m)));
        }
    }

    fn erase_live(&mut self) {
        if let Some(erase) = self.live.as_mut().and_then(Live::erase) {
            output::write(&self.streams.out, &erase);
        }
    }

    /// Writes buffered lines if that is due: always on a terminal, otherwise after a short time.
    pub fn settle(&mut self) {
        if self.live.is_some() || self.flushed.elapsed() > LONGEST {
            self.flush();
        }
    }

    /// Writes buffered lines.
    pub fn flush(&mut self) {
        self.flushed = Instant::now();
        if !self.pending.is_empty() {
            self.erase_live();
            output::write(&self.streams.out, &self.pending);
            self.pending.clear();
        }
        if let Some(drawn) = self.live.as_mut().and_then(Live::draw) {
            output::write(&self.streams.out, &drawn);
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

/// Adds an empty line after text of several lines.
fn spaced(text: &str) -> String {
    let text = text.trim();
    if text.contains('\n') { format!("{text}\n") } else { text.to_owned() }
}

/// Returns the number of columns that titles fill: 79, or one less than those of a wider terminal.
fn columns(width: usize) -> usize {
    width.saturating_sub(1).max(79)
}

fn terminal_width() -> usize {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel fills in the struct, which lives as long as the call.
    let answer = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &mut size) };
    if answer == 0 { usize::from(size.ws_col) } else { 0 }
}
