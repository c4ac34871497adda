//! `cron`: lines of crontabs.

use std::path::{Path, PathBuf};

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::diff::texts;
use crate::host::errno::Doing;
use crate::host::lock::Lock;
use crate::host::process::Program;
use crate::host::read;
use crate::host::state::State;
use crate::host::{Host, Replace};

#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Special {
    Annually,
    Daily,
    Hourly,
    Monthly,
    Reboot,
    Weekly,
    Yearly,
}

/// Adds and removes jobs and variables in a user's crontab or a file of `/etc/cron.d`. A comment line with the job's
/// name is how a job is found again.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["insertafter", "insertbefore"]]))]
pub(crate) struct Cron {
    /// The name of the job, or of the variable.
    name: String,
    /// The user whose crontab is changed; with `cron_file`, the user that the job runs as.
    user: Option<String>,
    /// The command to run, or the value of the variable.
    #[schemars(extend("aliases" = ["value"]))]
    job: Option<String>,
    /// Whether the job or variable is to be in the crontab.
    #[serde(default)]
    state: State,
    /// The file of `/etc/cron.d` to change, by name or path, instead of a user's crontab.
    cron_file: Option<String>,
    /// Whether to keep a copy of the old crontab.
    #[serde(default)]
    backup: bool,
    /// The minutes at which the job runs (0-59, `*`, `*/2`).
    #[serde(default = "any")]
    minute: String,
    /// The hours at which the job runs (0-23, `*`, `*/2`).
    #[serde(default = "any")]
    hour: String,
    /// The days of the month on which the job runs (1-31, `*`, `*/2`).
    #[schemars(extend("aliases" = ["dom"]))]
    #[serde(default = "any")]
    day: String,
    /// The months in which the job runs (1-12, `*`, `*/2`).
    #[serde(default = "any")]
    month: String,
    /// The days of the week on which the job runs (0-6 for Sunday to Saturday, `*`).
    #[schemars(extend("aliases" = ["dow"]))]
    #[serde(default = "any")]
    weekday: String,
    /// The time at which the job runs, by name, instead of fields.
    special_time: Option<Special>,
    /// Whether to keep the job as a comment only.
    #[serde(default)]
    disabled: bool,
    /// Whether a variable is managed rather than a job.
    #[serde(default)]
    env: bool,
    /// The variable that a new one is put behind.
    insertafter: Option<String>,
    /// The variable that a new one is put before.
    insertbefore: Option<String>,
}

fn any() -> String {
    "*".into()
}

impl HostModule for Cron {
    const DOC: Doc = Doc {
        name: "cron",
        short: "Manages cron jobs",
        returns: &[
            ("jobs", "list", "The names of the jobs that are there now."),
            ("envs", "list", "The names of the variables that are there now."),
            ("backup_file", "str", "What was there before."),
        ],
        examples: "- cron:\n    name: check dirs\n    minute: '0'\n    hour: 5,2\n    job: ls -alh > /dev/null\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        self.check()?;
        let table = Table::open(&self, &host)?;
        let before = table.text.clone();
        let mut lines: Vec<String> = before.lines().map(str::to_owned).collect();
        let remove_all = self.state == State::Absent && self.cron_file.is_some() && self.name.is_empty();
        if remove_all {
            lines.clear();
        } else if self.env {
            self.variable(&mut lines)?;
        } else {
            self.job_lines(&mut lines);
        }
        let after = lines.iter().fold(String::new(), |text, l| text + l + "\n");
        let there_before = table.file.as_ref().is_none_or(|f| f.exists());
        let changed = after.trim_end() != before.trim_end() || remove_all && there_before;
        let mut outcome =
            Outcome::changed(changed).with("jobs", names(&lines)).with("envs", variables(&lines));
        if changed {
            if context.diff {
                let header =
                    table.file.as_ref().map_or_else(|| "crontab".into(), |f| f.display().to_string());
                outcome.diff.push(texts(before.as_bytes(), after.as_bytes(), &header, &header));
            }
            if self.backup {
                outcome = outcome.with("backup_file", table.backup(&host)?);
            }
            table.save(&after, &host)?;
        }
        if let Some(file) = &self.cron_file {
            outcome = outcome
                .with("cron_file", file.as_str())
                .with("state", if self.state == State::Present { "present" } else { "absent" });
        }
        Ok(outcome)
    }
}

const MARK: &str = "#Ansible: ";

fn names(lines: &[String]) -> Vec<String> {
    lines.iter().filter_map(|l| l.strip_prefix(MARK)).map(str::to_owned).collect()
}

/// Finds a job's line that has no name before it.
fn nameless(lines: &[String], job: &str) -> Option<usize> {
    let has_name = |at: usize| {
        at.checked_sub(1).and_then(|before| lines.get(before)).is_some_and(|line| line.starts_with(MARK))
    };
    (0..lines.len()).find(|at| lines.get(*at).is_some_and(|line| line == job) && !has_name(*at))
}

fn is_variable(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim();
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some(name)
}

fn variables(lines: &[String]) -> Vec<String> {
    lines.iter().filter_map(|l| is_variable(l)).map(str::to_owned).collect()
}

impl Cron {
    fn check(&self) -> Result<(), Failure> {
        let timed =
            [&self.minute, &self.hour, &self.day, &self.month, &self.weekday].iter().any(|t| *t != "*");
        if self.special_time.is_some() && timed {
            return Err(Failure::new("You must specify time and date fields or special time."));
        }
        if self.state == State::Present && self.job.is_none() {
            return Err(Failure::new("You must specify 'job' to install a new cron job or variable"));
        }
        if self.cron_file.is_some() && self.state == State::Present && self.user.is_none() && !self.env {
            return Err(Failure::new("To use cron_file=... parameter you must specify user=... as well"));
        }
        if (self.insertafter.is_some() || self.insertbefore.is_some())
            && (!self.env || self.state == State::Absent)
        {
            return Err(Failure::new("Insertafter and insertbefore parameters are valid only with env=yes"));
        }
        if let Some(file) =
            self.cron_file.as_deref().filter(|file| matches!(*file, "/etc/crontab" | "../crontab"))
        {
            return Err(Failure::new(format!("Will not manage {file} via cron_file, see documentation."))
                .with_help("Name a file of /etc/cron.d: the system's own table is not managed."));
        }
        let all = [self.job.as_deref().unwrap_or_default(), &self.name];
        if all.iter().any(|t| t.trim_end().contains(['\n', '\r'])) {
            return Err(Failure::new("Job should not contain line breaks"));
        }
        Ok(())
    }

    fn line(&self) -> String {
        let job = self.job.as_deref().unwrap_or_default().trim_matches(['\r', '\n']);
        let off = if self.disabled { "#" } else { "" };
        let when = match self.special_time {
            Some(special) => format!("@{}", format!("{special:?}").to_lowercase()),
            None => [&self.minute, &self.hour, &self.day, &self.month, &self.weekday]
                .map(String::as_str)
                .join(" "),
        };
        match (&self.cron_file, &self.user) {
            (Some(_), Some(user)) => format!("{off}{when} {user} {job}"),
            _ => format!("{off}{when} {job}"),
        }
    }

    fn job_lines(&self, lines: &mut Vec<String>) {
        let mark = format!("{MARK}{}", self.name);
        let at = lines.iter().position(|l| *l == mark);
        match (self.state, at) {
            (State::Absent, Some(at)) => {
                lines.drain(at..(at + 2).min(lines.len()));
            }
            (State::Absent, None) => {}
            (State::Present, Some(at)) => match lines.get_mut(at + 1) {
                Some(line) => *line = self.line(),
                None => lines.push(self.line()),
            },
            (State::Present, None) => match nameless(lines, &self.line()) {
                // The same job is there without a name: it is given one.
                Some(at) => lines.insert(at, mark),
                None => lines.extend([mark, self.line()]),
            },
        }
    }

    fn variable(&self, lines: &mut Vec<String>) -> Result<(), Failure> {
        let find = |lines: &[String], name: &str| lines.iter().position(|l| is_variable(l) == Some(name));
        let at = find(lines, &self.name);
        if self.state == State::Absent {
            if let Some(at) = at {
                lines.remove(at);
            }
            return Ok(());
        }
        let line = format!("{}=\"{}\"", self.name, self.job.as_deref().unwrap_or_default());
        if let Some(old) = at.and_then(|at| lines.get_mut(at)) {
            *old = line;
            return Ok(());
        }
        let place = match (&self.insertafter, &self.insertbefore) {
            (Some(name), _) => find(lines, name).map(|at| at + 1).ok_or(name),
            (None, Some(name)) => find(lines, name).ok_or(name),
            (None, None) => Ok(0),
        };
        let place = place.map_err(|name| Failure::new(format!("Variable named '{name}' not found.")))?;
        lines.insert(place, line);
        Ok(())
    }
}

/// The crontab: a file, or a user's own.
struct Table {
    file: Option<PathBuf>,
    user: Option<String>,
    text: String,
    /// Held until the changed table has been saved.
    _lock: Lock,
}

impl Table {
    fn open(cron: &Cron, host: &Host) -> Result<Table, Failure> {
        let user = cron.user.clone();
        if let Some(name) = &cron.cron_file {
            let file =
                if name.starts_with('/') { PathBuf::from(name) } else { Path::new("/etc/cron.d").join(name) };
            let lock = Lock::file(host, &file)?;
            let text = match read::text(&file) {
                Ok(text) => text,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
                Err(e) => return Err(e).doing("could not read", &file),
            };
            return Ok(Table { file: Some(file), user, text, _lock: lock });
        }
        let lock = Lock::named(host, &format!("crontab of {}", user.as_deref().unwrap_or_default()))?;
        let output = host.query(&Table::program(user.as_deref()).arg("-l"))?;
        // 1: there is none yet.
        if output.rc > 1 {
            return Err(Failure::new(format!("Unable to read crontab: {}", output.err().trim())));
        }
        let text = if output.success() { output.out() } else { String::new() };
        // Some crontabs put a header before what they hold.
        let header = |l: &&str| {
            l.starts_with("# DO NOT EDIT THIS FILE")
                || l.starts_with("# (/tmp/")
                || l.starts_with("# (") && l.contains("version")
        };
        let text = text.lines().filter(|l| !header(l)).fold(String::new(), |t, l| t + l + "\n");
        Ok(Table { file: None, user, text, _lock: lock })
    }

    fn program(user: Option<&str>) -> Program {
        let program = Program::new(["crontab"]);
        match user {
            Some(user) => program.args(["-u", user]),
            None => program,
        }
    }

    fn backup(&self, host: &Host) -> Result<String, Failure> {
        let directory = std::env::temp_dir();
        let path = host
            .create_temporary(&directory, "crontab", "", false)
            .doing("could not make a temporary file in", &directory)?;
        host.write(&path, self.text.as_bytes(), &Replace::default())?;
        Ok(path.display().to_string())
    }

    fn save(&self, text: &str, host: &Host) -> Result<(), Failure> {
        match &self.file {
            Some(file) if text.trim().is_empty() => host.remove(file).doing("could not remove", file),
            Some(file) => {
                host.write(file, text.as_bytes(), &Replace { mode: Some(0o644), ..Replace::default() })
            }
            None => {
                let program =
                    Table::program(self.user.as_deref()).arg("-").stdin(Some(text.as_bytes().to_vec()));
                host.run_ok(&program).map(drop)
            }
        }
    }
}
