//! `junit`: writes a JUnit file with a test case for each task on each host.

use std::fmt::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use indexmap::IndexMap;
use playbook_api::{Error, Redactor};

use super::Callback;
use crate::playbook::TaskId;
use crate::report::result::{Format, whole};
use crate::report::{Event, Status, TaskInfo, TaskResult, brief, format_error};
use crate::settings::Settings;

/// The callback `junit`.
pub(super) struct JUnit {
    settings: Settings,
    format: Format,
    redactor: Redactor,
    /// The playbook's file name without its extension.
    playbook: String,
    play: String,
    tasks: IndexMap<TaskId, Task>,
}

struct Task {
    name: String,
    path: String,
    play: String,
    action: String,
    start: Instant,
    /// The cases by host; what a task includes is under `include`.
    cases: IndexMap<Arc<str>, Case>,
}

struct Case {
    time: Duration,
    outcome: Outcome,
}

enum Outcome {
    Passed { output: String },
    Failed { message: String, output: String },
    Broken { message: String, output: String },
    Skipped { message: String },
}

impl JUnit {
    /// Returns the callback without any test case.
    pub(super) fn new(settings: &Settings, redactor: Redactor) -> Self {
        JUnit {
            format: Format::new(settings, 0),
            settings: settings.clone(),
            redactor,
            playbook: String::new(),
            play: String::new(),
            tasks: IndexMap::new(),
        }
    }

    fn start(&mut self, task: &TaskInfo) {
        let play = &self.play;
        self.tasks.entry(task.id).or_insert_with(|| {
            let mut name = task.name.trim().to_owned();
            if !task.no_log && !self.settings.junit_hide_task_arguments && !task.args.is_empty() {
                let args: Vec<String> = task.args.iter().map(|(k, v)| format!("{k}={v}")).collect();
                name += &format!(" {}", args.join(", "));
            }
            Task {
                name,
                path: format!("{}:{}", task.place.file, task.place.line.max(1)),
                play: play.clone(),
                action: task.action.clone(),
                start: Instant::now(),
                cases: IndexMap::new(),
            }
        });
    }

    fn finish(&mut self, result: &TaskResult) {
        self.start(&result.task);
        let Some(task) = self.tasks.get(&result.task.id) else { return };
        let ignored = result.ignored && !self.settings.junit_fail_on_ignore;
        let failed = match result.status {
            Status::Unreachable => return,
            Status::Skipped => None,
            Status::Failed => Some(!ignored),
            Status::Ok => Some(false),
            Status::Changed => Some(self.settings.junit_fail_on_change),
        };
        let failed = failed.map(|failed| match () {
            () if failed && task.name.contains("EXPECTED FAILURE") => false,
            () if task.name.contains("TOGGLE RESULT") => !failed,
            () => failed,
        });
        if !task.name.starts_with(&self.settings.junit_test_case_prefix) && failed != Some(true) {
            return;
        }
        let outcome = self.outcome(result, failed);
        let host = result.host.clone();
        if let Some(task) = self.tasks.get_mut(&result.task.id) {
            task.cases.insert(host, Case { time: task.start.elapsed(), outcome });
        }
    }

    fn outcome(&self, result: &TaskResult, failed: Option<bool>) -> Outcome {
        let values = whole(result);
        let text = |name: &str| values.get(name).map(|value| value.to_text().into_owned());
        let whole = result.verbose_always && !result.is_loop;
        let indent = if whole { 4 } else { 0 };
        let output = self.format.dump_indented(&values, Some(indent), &self.redactor);
        let Some(failed) = failed else {
            return Outcome::Skipped { message: text("skip_reason").unwrap_or_else(|| "skipped".into()) };
        };
        if !failed {
            return Outcome::Passed { output };
        }
        match &result.error {
            Some(error) if !result.no_log && values.contains_key("exception") => {
                Outcome::Broken { message: brief(error), output: format_error(error) }
            }
            _ => {
                let rc = || format!("rc={}", text("rc").unwrap_or_else(|| "0".into()));
                Outcome::Failed { message: text("msg").unwrap_or_else(rc), output }
            }
        }
    }

    fn included(&mut self, text: String) {
        let Some((_, task)) = self.tasks.last_mut() else { return };
        let time = task.start.elapsed();
        let output = match task.cases.shift_remove("include") {
            Some(Case { outcome: Outcome::Passed { output }, .. }) => format!("{output}\n{text}"),
            _ => text,
        };
        task.cases.insert("include".into(), Case { time, outcome: Outcome::Passed { output } });
    }

    /// The class of a task's cases: where it was written.
    fn class(&self, task: &Task) -> String {
        let mut class = match &*self.settings.junit_task_relative_path {
            "" => task.path.clone(),
            from => relative(Path::new(&task.path), Path::new(from)),
        };
        if let Some(instead) = &self.settings.junit_replace_out_of_tree_path
            && class.starts_with("../")
        {
            class = format!("{instead}{}", class.rsplit('/').next().unwrap_or_default());
        }
        if self.settings.junit_task_class
            && let Some((file, line)) = class.rsplit_once(':')
            && file.ends_with(".yml")
            && line.bytes().all(|b| b.is_ascii_digit())
        {
            class = file.trim_end_matches(".yml").to_owned();
        }
        class
    }

    fn xml(&self) -> String {
        let mut cases = String::new();
        let (mut tests, mut errors, mut failures, mut skipped, mut total) = (0, 0, 0, 0, 0.0);
        let setup = |task: &Task| matches!(task.action.rsplit('.').next(), Some("setup" | "gather_facts"));
        let tasks = self.tasks.values();
        for task in tasks.filter(|task| self.settings.junit_include_setup_tasks || !setup(task)) {
            for (host, case) in &task.cases {
                tests += 1;
                total += case.time.as_secs_f64();
                let name = format!("[{host}] {}: {}", task.play, task.name);
                let (class, name) = (quoted(&self.class(task)), quoted(&self.redactor.text(&name)));
                let inside = match &case.outcome {
                    Outcome::Passed { output } => element("system-out", "", output),
                    Outcome::Skipped { message } => {
                        skipped += 1;
                        element("skipped", "", message)
                    }
                    Outcome::Failed { message, output } => {
                        failures += 1;
                        element("failure", &fault(&self.redactor.text(message), "failure"), output)
                    }
                    Outcome::Broken { message, output } => {
                        errors += 1;
                        let output = self.redactor.text(output);
                        element("error", &fault(&self.redactor.text(message), "error"), &output)
                    }
                };
                let time = case.time.as_secs_f64();
                let _ = write!(
                    cases,
                    "\t\t<testcase classname=\"{class}\" name=\"{name}\" time=\"{time}\">\n\
                    \t\t\t{inside}\n\t\t</testcase>\n"
                );
            }
        }
        let name = quoted(&self.playbook);
        format!(
            "<?xml version=\"1.0\" ?>\n\
            <testsuites disabled=\"0\" errors=\"{errors}\" failures=\"{failures}\" tests=\"{tests}\" time=\"{total}\">\n\t<testsuite disabled=\"0\" errors=\"{errors}\" failures=\"{failures}\" name=\"{name}\" skipped=\"{skipped}\" tests=\"{tests}\" time=\"{total}\">\n{cases}\t</testsuite>\n</testsuites>\n"
        )
    }

    fn write(&self) -> Result<(), Error> {
        let directory = &self.settings.junit_output_dir;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let path = directory.join(format!("{}-{}.xml", self.playbook, now.as_secs_f64()));
        std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(&path, self.xml()))
            .map_err(|e| Error::io(&e, format!("The JUnit report '{}' cannot be written", path.display())))
    }
}

impl Callback for JUnit {
    fn event(&mut self, event: &Event) -> Vec<Event> {
        match event {
            Event::RunStart { playbook, .. } => {
                let stem = Path::new(playbook).file_stem().unwrap_or_default();
                self.playbook = stem.to_string_lossy().into_owned();
            }
            Event::PlayStart { name, .. } => self.play = name.clone(),
            Event::TaskStart(task) => self.start(task),
            Event::HostResult(result) => self.finish(result),
            Event::Included { file, hosts, .. } => {
                self.included(format!("{file} (args={{}} vars={{}}): [{}]", hosts.join(", ")));
            }
            Event::Stats { .. } => {
                let written = self.write();
                self.tasks.clear();
                return written.err().map(|e| Event::Warning(format_error(&e))).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn wants_arguments(&self) -> bool {
        !self.settings.junit_hide_task_arguments
    }
}

fn fault(message: &str, kind: &str) -> String {
    format!(" message=\"{}\" type=\"{kind}\"", quoted(message))
}

fn element(name: &str, attributes: &str, text: &str) -> String {
    format!("<{name}{attributes}>{}</{name}>", escaped(text))
}

/// Escapes text for XML 1.0, which does not allow control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Escapes text for an attribute.
fn quoted(text: &str) -> String {
    escaped(text).replace('\r', "&#13;").replace('\n', "&#10;").replace('\t', "&#9;")
}

/// Returns a path relative to a directory.
fn relative(path: &Path, from: &Path) -> String {
    let (path, from) = (crate::paths::absolute(path), crate::paths::absolute(from));
    let (path, from): (Vec<Component>, Vec<Component>) =
        (path.components().collect(), from.components().collect());
    let same = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let up = from[same..].iter().map(|_| Component::ParentDir);
    up.chain(path[same..].iter().copied()).collect::<PathBuf>().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_texts_fit_into_xml() {
        assert_eq!(relative(Path::new("/a/b/c.yml:3"), Path::new("/a/d")), "../b/c.yml:3");
        assert_eq!(relative(Path::new("/a/b/c.yml:3"), Path::new("/a")), "b/c.yml:3");
        assert_eq!(escaped("a<b>&\"\u{1b}"), "a&lt;b&gt;&amp;&quot;\u{fffd}");
        assert_eq!(quoted("a\nb"), "a&#10;b");
    }
}
