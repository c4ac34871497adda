//! What the default report prints. Expected texts are ansible-playbook's.

use std::io::Write;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use playbook_api::{Error, Map, Place, Redactor, Value, map};

use super::default::Default;
use super::{Event, HostStats, Reporter, Status, Streams, TaskInfo, TaskKind, TaskResult};
use crate::playbook::TaskId;
use crate::settings::Settings;

#[derive(Clone, std::default::Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is printed for some events: standard output and standard error.
fn printed(
    settings: &Settings,
    verbosity: u8,
    color: bool,
    redactor: Redactor,
    events: &[Event],
) -> (String, String) {
    let (out, err) = (Kept::default(), Kept::default());
    let streams = Streams { out: Arc::new(Mutex::new(out.clone())), err: Arc::new(Mutex::new(err.clone())) };
    let mut reporter = Default::on(streams, settings, verbosity, color, redactor);
    events.iter().for_each(|event| reporter.event(event));
    drop(reporter);
    let text = |kept: Kept| String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    (text(out), text(err))
}

fn plain(verbosity: u8, events: &[Event]) -> String {
    printed(&Settings::default(), verbosity, false, Redactor::default(), events).0
}

fn task(name: &str, action: &str) -> Arc<TaskInfo> {
    Arc::new(TaskInfo {
        id: TaskId::next(),
        kind: TaskKind::Task,
        name: name.into(),
        role: None,
        action: action.into(),
        place: Place::new("site.yml", 4, 7),
        check: false,
        no_log: false,
        args: Map::default(),
        release: crate::settings::Release::default(),
    })
}

fn result(task: &Arc<TaskInfo>, status: Status, values: Map) -> TaskResult {
    TaskResult {
        host: "web1".into(),
        delegated: None,
        delegated_address: None,
        task: task.clone(),
        status,
        ignored: false,
        is_loop: false,
        values,
        item: None,
        no_log: false,
        error: None,
        verbose_always: false,
        warnings: Vec::new(),
        deprecations: Vec::new(),
        change: None,
        duration: std::time::Duration::ZERO,
    }
}

const STARS: &str = "*******************************************************************************";

#[test]
fn titles_reach_to_the_edge() {
    let start = Event::PlayStart {
        name: "web".into(),
        pattern: "web".into(),
        hosts: Vec::new(),
        check: false,
        place: Place::file_only("x"),
    };
    let text = plain(0, &[start, Event::TaskStart(task("install", "command"))]);
    assert_eq!(text, format!("\nPLAY [web] {}\n\nTASK [install] {}\n", &STARS[..69], &STARS[..65]));
}

#[test]
fn results_are_shown_by_verbosity() {
    let command = task("run", "command");
    let values = map! { "changed" => true, "rc" => 0, "failed" => false, "invocation" => map! { "a" => 1 } };
    let changed = Event::HostResult(result(&command, Status::Changed, values));
    let line =
        |verbosity| plain(verbosity, std::slice::from_ref(&changed)).lines().nth(2).unwrap().to_owned();
    assert_eq!(line(0), "changed: [web1]");
    assert_eq!(line(1), r#"changed: [web1] => {"changed": true, "rc": 0}"#);
    let all = plain(3, std::slice::from_ref(&changed));
    assert!(all.ends_with("task path: site.yml:4\nchanged: [web1] => {\n    \"changed\": true,\n    \"invocation\": {\n        \"a\": 1\n    },\n    \"rc\": 0\n}\n"), "{all}");
}

#[test]
fn debug_shows_what_it_was_asked_for() {
    let debug = task("debug", "ansible.builtin.debug");
    let values = map! { "changed" => false, "msg" => "hello", "failed" => false };
    let ok = TaskResult { verbose_always: true, ..result(&debug, Status::Ok, values) };
    let text = plain(0, &[Event::HostResult(ok)]);
    assert!(text.ends_with("\nok: [web1] => {\n    \"msg\": \"hello\"\n}\n"), "{text}");
}

#[test]
fn items_say_what_they_are() {
    let info = task("loop", "command");
    let item =
        |status, values| TaskResult { item: Some(map! { "x" => 1 }.into()), ..result(&info, status, values) };
    let results = map! { "changed" => true, "results" => vec![Value::Null] };
    let events = [
        Event::ItemResult(item(Status::Changed, map! { "changed" => true })),
        Event::ItemResult(item(Status::Skipped, map! {})),
        Event::ItemResult(item(Status::Failed, map! { "msg" => "no", "failed" => true })),
        Event::HostResult(TaskResult {
            ignored: true,
            is_loop: true,
            ..result(&info, Status::Failed, results)
        }),
    ];
    let text = plain(0, &events);
    let lines: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "changed: [web1] => (item={'x': 1})",
            "skipping: [web1] => (item={'x': 1}) ",
            "failed: [web1] (item={'x': 1}) => {\"msg\": \"no\"}",
            "...ignoring"
        ]
    );
}

#[test]
fn a_result_called_results_is_not_a_loop() {
    let info = task("install", "dnf");
    let values =
        |failed: bool| map! { "changed" => !failed, "failed" => failed, "results" => vec![Value::from("a")] };
    let lines = |status, failed| {
        let text = plain(0, &[Event::HostResult(result(&info, status, values(failed)))]);
        text.lines().skip(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(Status::Changed, false), ["changed: [web1]"]);
    assert_eq!(lines(Status::Skipped, false), ["skipping: [web1]"]);
    assert_eq!(
        lines(Status::Failed, true),
        [r#"fatal: [web1]: FAILED! => {"changed": false, "results": ["a"]}"#]
    );
}

#[test]
fn failures_have_their_error_above_them_once() {
    let info = task("fail", "fail");
    let failed = TaskResult {
        error: Some(
            Error::new("Task failed").at(&Place::new("/nowhere.yml", 4, 7)).caused_by(Error::new("boo")),
        ),
        ..result(&info, Status::Failed, map! { "changed" => false, "msg" => "boo", "failed" => true })
    };
    let text = plain(0, &[Event::HostResult(failed.clone()), Event::HostResult(failed)]);
    let body: Vec<&str> = text.lines().skip(2).collect();
    let fatal = r#"fatal: [web1]: FAILED! => {"changed": false, "msg": "boo"}"#;
    assert_eq!(body, ["[ERROR]: Task failed: boo", "Origin: /nowhere.yml:4:7", "", fatal, fatal]);
}

#[test]
fn what_no_log_hides_is_not_shown() {
    let info = task("secret", "command");
    let hidden = |status| TaskResult {
        no_log: true,
        item: Some("hunter22".into()),
        error: Some(Error::new("Task failed").caused_by(Error::new("hunter22 is wrong"))),
        ..result(&info, status, map! { "stdout" => "hunter22", "changed" => true, "rc" => 1 })
    };
    let events = [
        Event::ItemResult(hidden(Status::Changed)),
        Event::ItemResult(hidden(Status::Failed)),
        Event::HostResult(hidden(Status::Failed)),
    ];
    let text = plain(4, &events);
    assert!(!text.contains("hunter22") && !text.contains("\"rc\""), "{text}");
    assert!(text.contains("(item=(censored due to no_log)) => {\n    \"censored\": \"the output has been hidden due to the fact that 'no_log: true' was specified for this result\",\n    \"changed\": true\n}"), "{text}");
}

#[test]
fn secrets_are_masked_wherever_they_stand() {
    let redactor = Redactor::default();
    redactor.register("hunter22");
    let info = task("run", "command");
    let values = map! { "stdout" => "it is hunter22.", "password" => Value::secret("ab") };
    let events = [Event::Warning("hunter22!".into()), Event::HostResult(result(&info, Status::Ok, values))];
    let (out, err) = printed(&Settings::default(), 1, false, redactor, &events);
    assert!(
        out.ends_with("ok: [web1] => {\"password\": \"********\", \"stdout\": \"it is ********.\"}\n"),
        "{out}"
    );
    assert_eq!(err, "[WARNING]: ********!\n");
}

#[test]
fn delegation_retries_and_includes() {
    let info = task("web : wait for it", "command");
    let delegated = TaskResult { delegated: Some("db".into()), ..result(&info, Status::Ok, map! {}) };
    let retry = Event::Retry { result: delegated.clone(), left: 2 };
    let included = Event::Included {
        file: "/p/x.yml".into(),
        hosts: vec!["a".into(), "b".into()],
        item: Some("1".into()),
    };
    let text = plain(0, &[retry, Event::HostResult(delegated), included]);
    assert!(text.starts_with("FAILED - RETRYING: [web1 -> db]: wait for it (2 retries left).\n"), "{text}");
    assert!(text.contains("ok: [web1 -> db]\n"));
    assert!(text.ends_with("included: /p/x.yml for a, b => (item=1)\n"));
}

#[test]
fn the_recap_is_aligned() {
    let stats = HostStats { ok: 2, changed: 1, failed: 1, ..HostStats::default() };
    let hosts = IndexMap::from([(Arc::from("web1"), stats), (Arc::from("db"), HostStats::default())]);
    let event = Event::Stats { hosts, custom: IndexMap::new() };
    let text = plain(0, std::slice::from_ref(&event));
    assert_eq!(
        text,
        format!(
            "\nPLAY RECAP {}\n\
             db                         : ok=0    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0   \n\
             web1                       : ok=2    changed=1    unreachable=0    failed=1    skipped=0    rescued=0    ignored=0   \n\n",
            &STARS[..69]
        )
    );
    let (colored, _) = printed(&Settings::default(), 0, true, Redactor::default(), &[event]);
    assert!(colored.contains("\x1b[0;31mweb1\x1b[0m                       : \x1b[0;32mok=2   \x1b[0m \x1b[0;33mchanged=1   \x1b[0m \
        unreachable=0    \x1b[0;31mfailed=1   \x1b[0m"), "{colored:?}");
}

#[test]
fn hosts_without_news_can_be_left_out() {
    let mut settings = Settings::default();
    settings.set("display_skipped_hosts", false);
    settings.set("display_ok_hosts", false);
    let (quiet, loud) = (task("quiet", "command"), task("loud", "command"));
    let events = [
        Event::TaskStart(quiet.clone()),
        Event::HostResult(result(&quiet, Status::Ok, map! {})),
        Event::HostResult(result(&quiet, Status::Skipped, map! {})),
        Event::TaskStart(loud.clone()),
        Event::HostResult(result(&loud, Status::Changed, map! { "changed" => true })),
    ];
    let (text, _) = printed(&settings, 0, false, Redactor::default(), &events);
    assert!(text.starts_with("\nTASK [loud] ") && text.ends_with("changed: [web1]\n"), "{text}");
}

#[test]
fn warnings_are_said_once_on_standard_error() {
    let events = [
        Event::Warning("careful".into()),
        Event::Warning("careful".into()),
        Event::Deprecation("old".into()),
    ];
    let (out, err) = printed(&Settings::default(), 0, false, Redactor::default(), &events);
    assert_eq!(out, "");
    assert_eq!(
        err,
        "[WARNING]: careful\n[WARNING]: Deprecation warnings can be disabled by setting `deprecation_warnings=False` in ansible.cfg.\n[DEPRECATION WARNING]: old\n"
    );
}
