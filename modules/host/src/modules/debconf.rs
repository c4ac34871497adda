//! `debconf`: preset answers to the questions of packages.

use playbook_api::{Context, Deserialize, Diff, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value};
use serde_json::Value as Json;

use crate::host::process::Program;
use crate::host::{Host, ended_badly};

/// Sets and reads the answers of Debian's packages.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("required_together" = [["question", "vtype", "value"]]))]
pub(crate) struct Debconf {
    /// The package that asks the question.
    #[schemars(extend("aliases" = ["pkg"]))]
    name: String,
    /// The name of the question, such as `locales/default_environment_locale`.
    #[schemars(extend("aliases" = ["selection", "setting"]))]
    question: Option<String>,
    /// The type of the answer.
    vtype: Option<Kind>,
    /// The answer. For `multiselect` it may be a list.
    #[schemars(extend("aliases" = ["answer"], "format" = "raw"))]
    value: Option<Json>,
    /// Whether the question is asked nevertheless.
    #[serde(default)]
    unseen: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Kind {
    Boolean,
    Error,
    Multiselect,
    Note,
    Password,
    Seen,
    Select,
    String,
    Text,
    Title,
}

impl HostModule for Debconf {
    const DOC: Doc = Doc {
        name: "debconf",
        short: "Answers packages' questions beforehand",
        returns: &[
            ("current", "dict", "The answers now."),
            ("previous", "dict", "The answer before, where it changed."),
        ],
        examples: "- debconf:\n    name: locales\n    question: locales/default_environment_locale\n    value: fr_FR.UTF-8\n    vtype: select\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let before = self.answers(&host)?;
        let (Some(question), Some(kind), Some(value)) = (&self.question, self.vtype, &self.value) else {
            return Ok(Outcome::default().with("current", before).msg(""));
        };
        let wanted = written(kind, value)?;
        let now = before.get(question.as_str()).map(|answer| answer.to_text().into_owned());
        let same = match (&now, kind) {
            (None, _) => false,
            (Some(_), Kind::Password) => self.password(&host, question)? == wanted,
            (Some(now), Kind::Boolean) => now.to_lowercase() == wanted,
            (Some(now), Kind::Multiselect) if value.is_array() => sorted(now) == sorted(&wanted),
            (Some(now), _) => *now == wanted,
        };
        if same {
            return Ok(Outcome::default().with("current", before).msg(""));
        }
        let mut program = Program::new(["debconf-set-selections"]);
        if self.unseen {
            program = program.arg("-u");
        }
        let kind = format!("{kind:?}").to_lowercase();
        let line = format!("{} {question} {kind} {wanted}\n", self.name);
        let output = host.run_ok(&program.stdin(Some(line.into_bytes())))?;
        let one = |answer: &str| -> Map { [(question.as_str().into(), answer.into())].into_iter().collect() };
        let (current, previous) = (one(&wanted), one(now.as_deref().unwrap_or_default()));
        let mut outcome = Outcome::changed(true).msg(output.out());
        if context.diff {
            outcome.diff.push(Diff::values(previous.clone(), current.clone()));
        }
        Ok(outcome.with("current", current).with("previous", previous))
    }
}

/// The answer as debconf keeps it.
fn written(kind: Kind, value: &Json) -> Result<String, Failure> {
    let text = |value: &Json| Value::from_json(value.clone()).to_text().into_owned();
    match (kind, value) {
        (Kind::Boolean, _) => Ok(text(value).to_lowercase()),
        (Kind::Multiselect, Json::Array(items)) => match items.iter().find(|item| !item.is_string()) {
            Some(other) => {
                Err(Failure::new(format!("Invalid value provided for 'multiselect': {other} is not text")))
            }
            None => {
                let mut items: Vec<String> = items.iter().map(text).collect();
                items.sort_unstable();
                Ok(items.join(", "))
            }
        },
        _ => Ok(text(value)),
    }
}

fn sorted(answer: &str) -> Vec<&str> {
    let mut items: Vec<&str> = answer.split(',').map(str::trim).collect();
    items.sort_unstable();
    items
}

impl Debconf {
    fn answers(&self, host: &Host) -> Result<Map, Failure> {
        let program = Program::new(["debconf-show", &self.name]);
        let output = host.query(&program)?;
        if !output.success() {
            return Err(ended_badly(&program, &output));
        }
        let answer = |line: &str| {
            let (question, answer) = line.split_once(':')?;
            Some((question.trim_start_matches('*').trim().into(), answer.trim().into()))
        };
        Ok(output.out().lines().filter_map(|line| answer(line.trim_start())).collect())
    }

    /// A password is not shown with the rest.
    fn password(&self, host: &Host, question: &str) -> Result<String, Failure> {
        let program = Program::new(["debconf-get-selections"]);
        let output = host.query(&program)?;
        if !output.success() {
            let why = output.err();
            let message = format!("Failed to get the value '{question}' from '{}': {why}", self.name);
            return Err(Failure::new(message));
        }
        let answer = |line: &str| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [name, asked, "password", answer] = fields.as_slice() else { return None };
            (*name == self.name && *asked == question).then(|| (*answer).to_owned())
        };
        Ok(output.out().lines().find_map(answer).unwrap_or_default())
    }
}
