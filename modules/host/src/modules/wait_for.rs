//! `wait_for`: until a port or a file is as it should be.

mod connections;

use std::fs;
use std::io::Read;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use fancy_regex::Regex;
use playbook_api::time::deadline;
use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value};

use crate::host::attributes::describe_file;
use crate::host::path::HostPath;
use crate::host::regex;

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    /// The file is gone, or the port is closed.
    Absent,
    /// The port has no more connections.
    Drained,
    /// The file is there, or the port is open.
    Present,
    /// As `present`.
    #[default]
    Started,
    /// The port is closed.
    Stopped,
}

/// Waits until a port is open, closed or drained, or a file is there, gone or has a text in it; or just waits.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct WaitFor {
    /// The host whose port is checked, as seen from the managed host.
    #[serde(default = "localhost")]
    host: String,
    /// The port to check.
    port: Option<u16>,
    /// The file to check.
    path: Option<HostPath>,
    /// A regular expression that the file's content, or what the port sends, must match.
    search_regex: Option<String>,
    /// The state to wait for.
    #[serde(default)]
    state: State,
    /// The number of seconds before the first check.
    #[serde(default)]
    delay: u64,
    /// The number of seconds between two checks.
    #[serde(default = "one")]
    sleep: u64,
    /// The number of seconds after which the module fails.
    #[serde(default = "five_minutes")]
    timeout: u64,
    /// The number of seconds that one attempt to connect may take.
    #[serde(default = "playbook_api::defaults::number::<u64, 5>")]
    connect_timeout: u64,
    /// The states of connections that count as open, for `drained`.
    #[serde(default = "connections::active")]
    active_connection_states: Vec<String>,
    /// The hosts whose connections do not count, for `drained`.
    exclude_hosts: Option<Vec<String>>,
    /// The message of a failure after the timeout.
    msg: Option<String>,
}

fn localhost() -> String {
    "127.0.0.1".into()
}

fn one() -> u64 {
    1
}

fn five_minutes() -> u64 {
    300
}

/// The groups of a match: by position and by name.
type Groups = (Vec<Value>, Map);

impl HostModule for WaitFor {
    const DOC: Doc = Doc {
        name: "wait_for",
        short: "Waits for a port or a file",
        check_mode: "Skipped: what it waits for may be a change that was not made.",
        returns: &[
            ("elapsed", "int", "Seconds that it took."),
            ("state", "str", "What was waited for; of a file, what it is."),
            ("match_groups", "list", "The groups of `search_regex`."),
            ("match_groupdict", "dict", "Its named groups."),
        ],
        examples: "- wait_for:\n    port: 8000\n    delay: 10\n- wait_for:\n    path: /tmp/foo\n    search_regex: completed\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let fail = |message: &str| Err(Failure::new(message).with("elapsed", 0));
        if self.port.is_some() && self.path.is_some() {
            return fail("port and path parameter can not both be passed to wait_for");
        }
        if self.path.is_some() && matches!(self.state, State::Stopped | State::Drained) {
            let state = if self.state == State::Stopped { "stopped" } else { "drained" };
            return fail(&format!(
                "state={state} should only be used for checking a port in the wait_for module"
            ));
        }
        if self.exclude_hosts.is_some() && self.state != State::Drained {
            return fail("exclude_hosts should only be with state=drained");
        }
        connections::check(&self.active_connection_states)?;
        if context.check {
            return Ok(Outcome::skip("remote module (wait_for) does not support check mode"));
        }
        let search = self.search_regex.as_deref().map(|p| regex::compile(p, "m")).transpose()?;
        let deadline = start + Duration::from_secs(self.timeout);
        pause(Duration::from_secs(self.delay), context)?;
        if self.port.is_none() && self.path.is_none() {
            pause(Duration::from_secs(self.timeout), context)?;
            return Ok(self.finish(start, (Vec::new(), Map::default()), context));
        }
        loop {
            if let Some(groups) = self.look(search.as_ref(), deadline, context)? {
                return Ok(self.finish(start, groups, context));
            }
            if Instant::now() >= deadline {
                let message = self.msg.clone().unwrap_or_else(|| self.overdue(context));
                return Err(Failure::new(message).with("elapsed", start.elapsed().as_secs()));
            }
            context.progress(self.overdue(context).replace("Timeout when waiting", "waiting"));
            let left = deadline.saturating_duration_since(Instant::now());
            pause(Duration::from_secs(self.sleep).min(left), context)?;
        }
    }
}

/// Sleeps, and wakes when the run is canceled.
fn pause(time: Duration, context: &Context) -> Result<(), Failure> {
    let until = deadline(time);
    loop {
        if context.cancel.is_set() {
            return Err(Failure::new("cancelled"));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
}

impl WaitFor {
    /// Checks once whether the state is reached.
    fn look(
        &self,
        search: Option<&Regex>,
        deadline: Instant,
        context: &Context,
    ) -> Result<Option<Groups>, Failure> {
        let none = || (Vec::new(), Map::default());
        let wants = matches!(self.state, State::Present | State::Started);
        if let Some(path) = &self.path {
            let path = path.resolve(context);
            return Ok(match (wants, search) {
                (false, _) => (!path.exists()).then(none),
                (true, None) => path.exists().then(none),
                (true, Some(search)) => {
                    let text = fs::read(&path).map(|b| String::from_utf8_lossy(&b).into_owned());
                    text.ok().and_then(|text| groups(search, &text))
                }
            });
        }
        if self.state == State::Drained {
            let port = self.port.unwrap_or_default();
            let excluded = self.exclude_hosts.as_deref().unwrap_or_default();
            let count = connections::count(&self.host, port, &self.active_connection_states, excluded)?;
            return Ok((count == 0).then(none));
        }
        Ok(match (wants, self.connect(), search) {
            (true, Some(_), None) | (false, None, _) => Some(none()),
            (true, Some(stream), Some(search)) => read_until(stream, search, deadline),
            (true, None, _) | (false, Some(_), _) => None,
        })
    }

    fn connect(&self) -> Option<TcpStream> {
        let timeout = Duration::from_secs(self.connect_timeout.max(1));
        let addresses = (self.host.as_str(), self.port?).to_socket_addrs().ok()?;
        addresses.into_iter().find_map(|a| TcpStream::connect_timeout(&a, timeout).ok())
    }

    fn finish(&self, start: Instant, groups: Groups, context: &Context) -> Outcome {
        let state = match self.state {
            State::Absent => "absent",
            State::Drained => "drained",
            State::Present => "present",
            State::Started => "started",
            State::Stopped => "stopped",
        };
        let path = self.path.as_ref().map(|p| p.resolve(context));
        let outcome = Outcome::default()
            .with("state", state)
            .with("port", self.port.map(u32::from))
            .with("search_regex", self.search_regex.clone())
            .with("match_groups", groups.0)
            .with("match_groupdict", groups.1)
            .with("path", path.as_ref().map(|p| p.display().to_string()))
            .with("elapsed", start.elapsed().as_secs());
        match path {
            Some(path) => describe_file(outcome, &path),
            None => outcome,
        }
    }

    fn overdue(&self, context: &Context) -> String {
        let what = match &self.path {
            Some(path) => path.resolve(context).display().to_string(),
            None => format!("{}:{}", self.host, self.port.unwrap_or_default()),
        };
        match (self.state, &self.search_regex) {
            (State::Absent | State::Stopped, _) if self.path.is_some() => {
                format!("Timeout when waiting for {what} to be absent.")
            }
            (State::Absent | State::Stopped, _) => format!("Timeout when waiting for {what} to stop."),
            (State::Drained, _) => format!("Timeout when waiting for {what} to drain"),
            (_, Some(pattern)) => format!("Timeout when waiting for search string {pattern} in {what}"),
            (_, None) if self.path.is_some() => format!("Timeout when waiting for file {what}"),
            (_, None) => format!("Timeout when waiting for {what}"),
        }
    }
}

fn groups(search: &Regex, text: &str) -> Option<Groups> {
    let found = search.captures(text).ok().flatten()?;
    let value = |m: Option<fancy_regex::Match<'_>>| m.map(|m| m.as_str().to_owned()).into();
    let all = found.iter().skip(1).map(value).collect();
    let names = search.capture_names().flatten();
    let named = names.map(|n| (n.into(), value(found.name(n)))).collect();
    Some((all, named))
}

/// Reads what comes out of a port until it fits.
fn read_until(mut stream: TcpStream, search: &Regex, deadline: Instant) -> Option<Groups> {
    let (mut text, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        stream.set_read_timeout(Some(left.max(Duration::from_millis(10)))).ok()?;
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(n) => text.extend_from_slice(&buffer[..n]),
        }
        if let Some(found) = groups(search, &String::from_utf8_lossy(&text)) {
            return Some(found);
        }
    }
}
