//! `expect`: runs a program that asks for input, and responds to its prompts.

use std::time::Duration;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};
use serde_json::Value as Json;

use crate::host::Host;
use crate::host::clock;
use crate::host::path::HostPath;
use crate::host::process::Program;
use crate::host::terminal::ExpectOptions;
use crate::host::{regex, words};
use crate::modules::command::{duration, stamp};

/// Runs a program on a terminal and responds to its prompts.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Expect {
    /// The program and its arguments, without a shell.
    command: String,
    /// The directory to run the program in.
    chdir: Option<HostPath>,
    /// A path or pattern. If it exists, the program does not run.
    creates: Option<HostPath>,
    /// A path or pattern. If it does not exist, the program does not run.
    removes: Option<HostPath>,
    /// The answer to each prompt, which is a regular expression. The items of a list answer one prompt after the
    /// other.
    responses: serde_json::Map<String, Json>,
    /// The number of seconds to wait for a prompt; `null` waits without a limit.
    #[serde(default = "half_a_minute")]
    #[schemars(extend("format" = "raw"))]
    timeout: Json,
    /// Whether the terminal echoes the answers.
    #[serde(default)]
    echo: bool,
}

fn half_a_minute() -> Json {
    30.into()
}

impl HostModule for Expect {
    const DOC: Doc = Doc {
        name: "expect",
        short: "Runs a program and answers its prompts",
        check_mode: "None: skipped.",
        returns: &[
            ("cmd", "str", "The program."),
            ("rc", "int", "Exit code."),
            ("stdout", "str", "What was on the terminal."),
            ("start", "str", "When it began."),
            ("end", "str", "When it ended."),
            ("delta", "str", "How long it took."),
        ],
        examples: "- expect:\n    command: passwd username\n    responses:\n      (?i)password: \"{{ password }}\"\n  no_log: true\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if context.check {
            return Ok(Outcome::skip("remote module (expect) does not support check mode"));
        }
        let timeout = self.timeout()?;
        if self.command.trim().is_empty() {
            return Err(Failure::new("no command given").with("rc", 256));
        }
        let done = |reason: String| {
            Outcome::default().with("cmd", self.command.as_str()).with("stdout", reason).with("rc", 0)
        };
        if let Some(path) = self.creates.as_ref().filter(|path| path.resolve(context).exists()) {
            return Ok(done(format!("skipped, since {} exists", path.0)));
        }
        if let Some(path) = self.removes.as_ref().filter(|path| !path.resolve(context).exists()) {
            return Ok(done(format!("skipped, since {} does not exist", path.0)));
        }
        let prompts: Result<Vec<_>, _> =
            self.responses.keys().map(|prompt| regex::compile(prompt, "s")).collect();
        let mut answers: Vec<Answers> = self.responses.iter().map(Answers::of).collect();
        let directory = self.chdir.as_ref().map(|path| path.resolve(context));
        let program = Program::new(words::split(&self.command)?).by_path_alone().directory(directory);
        let start = clock::now();
        let mut options = ExpectOptions {
            prompts: &prompts?,
            answer: &mut |number, said| answers[number].next(said),
            timeout,
            echo: self.echo,
        };
        let talk = Host::new(context).talk(&program, &mut options)?;
        let end = clock::now();
        let took = end.timestamp().as_microsecond() - start.timestamp().as_microsecond();
        let outcome = Outcome::changed(true)
            .with("cmd", self.command.as_str())
            .with("stdout", talk.output.trim_end_matches(['\r', '\n']))
            .with("rc", talk.rc.map(i64::from))
            .with("start", stamp(&start))
            .with("end", stamp(&end))
            .with("delta", duration(took));
        match talk.rc {
            Some(0) => Ok(outcome),
            Some(_) => Err(Failure::new("non-zero return code").outcome(outcome)),
            None => Err(Failure::new("command exceeded timeout").outcome(outcome)),
        }
    }
}

impl Expect {
    fn timeout(&self) -> Result<Option<Duration>, Failure> {
        let seconds = match &self.timeout {
            Json::Null => return Ok(None),
            Json::Number(number) => number.as_u64(),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        seconds.map(|seconds| Some(Duration::from_secs(seconds))).ok_or_else(|| {
            Failure::new(format!(
                "argument 'timeout' is {} and we were unable to convert to int",
                self.timeout
            ))
        })
    }
}

/// The response to a prompt.
struct Answers {
    prompt: String,
    /// A single response is repeated, and several are used in turn.
    one: Option<String>,
    list: std::vec::IntoIter<String>,
}

impl Answers {
    fn of((prompt, written): (&String, &Json)) -> Self {
        let line = |value: &Json| match value {
            Json::String(text) => format!("{}\n", text.trim_end_matches('\n')),
            other => format!("{other}\n"),
        };
        let (one, list) = match written {
            Json::Array(items) => (None, items.iter().map(line).collect()),
            other => (Some(line(other)), Vec::new()),
        };
        Answers { prompt: prompt.clone(), one, list: list.into_iter() }
    }

    fn next(&mut self, said: &str) -> Result<String, Failure> {
        self.one.clone().or_else(|| self.list.next()).ok_or_else(|| {
            Failure::new(format!("No remaining responses for '{}', output was '{said}'", self.prompt))
        })
    }
}
