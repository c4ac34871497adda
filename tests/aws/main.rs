//! Modules of AWS beside their Python namesakes: both do the same steps (`tests/oracle/aws/*.yml`) on an emulator of their
//! own, and agree in the returned values and in what is in the account after each step.
//!
//! A case is a list of tasks. Its first line names the services to compare: `# services: ec2, iam`. The variable `differs`
//! of a task is the reason for which its step is not the namesake's; `only` names the members of the result to compare,
//! `namesake` the module to run in Python if it has another name there. PLAYBOOK_TEST_CASE names the cases to run, and
//! PLAYBOOK_TEST_SHOW=1 prints every difference that has a reason.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod normal;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use xtask::moto::Moto;
use xtask::proxy::Proxy;
use xtask::tested::{Ended, skip};

/// The Python process that runs the namesakes.
struct Namesakes {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The port at which it lists what is in an account.
    port: u16,
}

impl Namesakes {
    fn start(bin: &Path, collections: &Path) -> Namesakes {
        let mut command = Command::new(bin.join("python"));
        command
            .arg(root().join("tests/aws/namesake.py"))
            .env("ANSIBLE_COLLECTIONS_PATH", collections)
            .env("PYTHONPATH", collections)
            .env("PYTHONWARNINGS", "ignore")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("python starts");
        let input = child.stdin.take().expect("an input");
        let output = BufReader::new(child.stdout.take().expect("an output"));
        let mut namesakes = Namesakes { child, input, output, port: 0 };
        namesakes.port =
            namesakes.answer()["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
        namesakes
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }

    /// Runs a case, and returns each step with its result and the account after it.
    fn run(&mut self, case: &Path, endpoint: &str) -> Vec<Step> {
        writeln!(self.input, "{}", json!({"run": case, "endpoint": endpoint})).expect("a command");
        let answer = self.answer();
        let Some(steps) = answer["steps"].as_array() else {
            panic!("{}: {}", case.display(), answer["error"])
        };
        let step = |step: &Value| Step { result: step["result"].clone(), account: step["account"].clone() };
        steps.iter().map(step).collect()
    }
}

impl Drop for Namesakes {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A step as one side ended it.
struct Step {
    result: Value,
    account: Value,
}

/// A case: the file, and its tasks.
struct Case {
    path: PathBuf,
    services: String,
    tasks: Vec<Task>,
}

/// What a task says of the comparison.
struct Task {
    name: String,
    differs: Option<String>,
    only: Vec<String>,
}

impl Case {
    fn read(path: PathBuf) -> Case {
        let text = std::fs::read_to_string(&path).expect("a case");
        let first = text.lines().next().and_then(|line| line.strip_prefix("# services:"));
        let services =
            first.unwrap_or_else(|| panic!("{} names no services", path.display())).replace(' ', "");
        let tasks: Value = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let task = |task: &Value| Task {
            name: task["name"].as_str().unwrap_or_default().to_owned(),
            differs: task["vars"]["differs"].as_str().map(str::to_owned),
            only: task["vars"]["only"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        };
        Case { services, tasks: tasks.as_array().expect("a list of tasks").iter().map(task).collect(), path }
    }

    fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Runs the case by the binary. The account is listed after each task, from the emulator itself.
    fn run(&self, endpoint: &str, emulator: &str, looking: u16) -> Vec<Step> {
        let directory = tempfile::tempdir().expect("a directory");
        let look = format!("http://127.0.0.1:{looking}/?services={}&endpoint={emulator}", self.services);
        let text = std::fs::read_to_string(&self.path).expect("a case");
        let mut book =
            "- hosts: localhost\n  gather_facts: false\n  ignore_errors: true\n  tasks:\n".to_owned();
        for (number, task) in text.split("\n- name: ").skip(1).enumerate() {
            let indented: Vec<String> = task.lines().map(|line| format!("    {line}")).collect();
            book += &format!("    - name: {}\n", indented.join("\n").trim_start());
            book += &format!("    - name: look {number}\n      uri: {{url: \"{look}\"}}\n");
        }
        std::fs::write(directory.path().join("case.yml"), book).expect("a playbook");
        let mut command = Command::new(env!("CARGO_BIN_EXE_playbook"));
        command.current_dir(directory.path()).args(["run", "case.yml", "--output", "json"]);
        command.env("HOME", directory.path()).envs(xtask::aws::environment(endpoint));
        command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
        let ended = Ended::of(&mut command);
        let results: Vec<Value> = ended
            .stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|event| event["event"] == "host_result")
            .map(|event| {
                let mut result = event["result"].clone();
                result["failed"] = Value::from(event["status"] == "failed" || event["ignored"] == true);
                result
            })
            .collect();
        assert_eq!(results.len(), 2 * self.tasks.len(), "{}: {}", self.name(), ended.text());
        let step = |pair: &[Value]| Step { result: pair[0].clone(), account: pair[1]["json"].clone() };
        results.chunks(2).map(step).collect()
    }
}

/// How many steps agree.
#[derive(Default)]
struct Count {
    agree: usize,
    differ: usize,
    wrong: Vec<String>,
}

fn compare(case: &Case, theirs: &[Step], ours: &[Step], count: &mut Count) {
    // A difference between the accounts lasts, and counts at the step that made it.
    let mut before = Vec::new();
    for (task, (theirs, ours)) in case.tasks.iter().zip(theirs.iter().zip(ours)) {
        let mut differences = Vec::new();
        let failed = |step: &Step| step.result["failed"] == true;
        if failed(theirs) != failed(ours) {
            let message = |step: &Step| step.result["msg"].to_string().chars().take(600).collect::<String>();
            differences.push(format!(
                "failed: {} and {}: {} / {}",
                failed(theirs),
                failed(ours),
                message(theirs),
                message(ours)
            ));
        }
        let changed = |step: &Step| step.result["changed"] == true;
        if changed(theirs) != changed(ours) {
            differences.push(format!("changed: {} and {}", changed(theirs), changed(ours)));
        }
        let (their_result, our_result) = (normal::normal(&theirs.result), normal::normal(&ours.result));
        if !failed(theirs) {
            normal::returned(&their_result, &our_result, &task.only, &mut differences);
        }
        let (their_account, our_account) = (normal::normal(&theirs.account), normal::normal(&ours.account));
        let mut accounts = Vec::new();
        normal::account(&their_account, &our_account, &mut accounts);
        differences.extend(accounts.iter().filter(|difference| !before.contains(*difference)).cloned());
        before = accounts;
        let shown = || format!("{}: {}:\n    {}", case.name(), task.name, differences.join("\n    "));
        match &task.differs {
            None if differences.is_empty() => count.agree += 1,
            None => count.wrong.push(shown()),
            Some(_) if differences.is_empty() => {
                count.wrong.push(format!("{}: {}: agrees, so `differs` is not true", case.name(), task.name));
            }
            Some(reason) => {
                count.differ += 1;
                if std::env::var_os("PLAYBOOK_TEST_SHOW").is_some() {
                    println!("{}\n    because: {reason}", shown());
                }
            }
        }
    }
}

#[test]
fn modules_do_what_their_namesakes_do() {
    let (Some(bin), Some(collections)) =
        (std::env::var_os("PLAYBOOK_TEST_NAMESAKES"), std::env::var_os("PLAYBOOK_TEST_COLLECTIONS"))
    else {
        return skip("comparison with amazon.aws", "no oracle: run the tests with `cargo xtask test`");
    };
    let asked = std::env::var("PLAYBOOK_TEST_CASE").unwrap_or_default();
    let asked: Vec<&str> = asked.split_whitespace().collect();
    let directory = root().join("tests/oracle/aws");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).expect("the cases").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut namesakes = Namesakes::start(Path::new(&bin), Path::new(&collections));
    let (their_aws, our_aws) = (Moto::start().expect("an emulator"), Moto::start().expect("an emulator"));
    let proxy = Proxy::translator(our_aws.port).expect("a proxy");
    let mut count = Count::default();
    for case in paths.into_iter().map(Case::read) {
        if !asked.is_empty() && !asked.contains(&case.name().as_str()) {
            continue;
        }
        their_aws.reset().expect("an empty account");
        our_aws.reset().expect("an empty account");
        let theirs = namesakes.run(&case.path, &their_aws.endpoint());
        let ours = case.run(&proxy.endpoint(), &our_aws.endpoint(), namesakes.port);
        let before = (count.agree, count.differ, count.wrong.len());
        compare(&case, &theirs, &ours, &mut count);
        println!(
            "{}: {} steps agree, {} differ with a reason, {} are wrong",
            case.name(),
            count.agree - before.0,
            count.differ - before.1,
            count.wrong.len() - before.2
        );
    }
    println!("{} steps agree, {} differ with a reason", count.agree, count.differ);
    assert!(count.wrong.is_empty(), "{}\n{} steps are wrong", count.wrong.join("\n"), count.wrong.len());
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
