//! The module itself.

use std::time::Duration;

use playbook_api::time;
use playbook_api::{
    Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Map, Outcome, Value,
};

use crate::probes::{self, Thing};
use crate::watch::{End, Pace, Status, Watch};

/// Waits until one or several conditions are met: a rollout is complete, a database answers, a file exists.
///
/// Every other argument is the name of a probe with its options as a dict, or a list of them: `ecs_service`, `ecs_task`,
/// `rds_instance`, `target_group`, `postgres`, `http`, `tcp`, `file`. A text alone is the probe's main option:
/// `http: https://example.com/health`. Several conditions are watched at the same time, and all have to be met. The task
/// fails at once when one of them can no longer be met, and when what it is about does not exist, unless the probe's
/// option `missing` is set.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct WaitUntil {
    /// The number of seconds to wait at most.
    #[serde(default = "ten_minutes")]
    timeout: f64,
    /// The number of seconds between two attempts.
    #[serde(default = "five_seconds")]
    interval: f64,
    /// The factor that the interval grows by after each attempt; 1 keeps it.
    #[serde(default = "one")]
    backoff: f64,
    /// The number of seconds that the interval grows to at most.
    #[serde(default = "one_minute")]
    max_interval: f64,
    #[serde(flatten)]
    things: serde_json::Map<String, serde_json::Value>,
}

fn ten_minutes() -> f64 {
    600.0
}

fn one_minute() -> f64 {
    60.0
}

fn five_seconds() -> f64 {
    5.0
}

fn one() -> f64 {
    1.0
}

impl WaitUntil {
    fn pace(&self) -> Result<Pace, Error> {
        let seconds = |name: &str, value: f64| {
            time::seconds(value)
                .map_err(|_| Error::new(format!("{name} is {value}, not a number of seconds")))
        };
        if !self.backoff.is_finite() || self.backoff < 1.0 {
            return Err(Error::new(format!("backoff is {}, but has to be at least 1", self.backoff)));
        }
        let interval = seconds("interval", self.interval)?.max(Duration::from_millis(10));
        Ok(Pace {
            timeout: seconds("timeout", self.timeout)?,
            interval,
            backoff: self.backoff,
            max_interval: seconds("max_interval", self.max_interval)?,
        })
    }
}

impl ControllerModule for WaitUntil {
    const DOC: Doc = Doc {
        name: "wait_until",
        collection: "playbook.wait",
        short: "Wait until conditions are met",
        probes: true,
        check_mode: "Full: makes one attempt and says what the run would wait for.",
        returns: &[
            ("elapsed", "int", "The number of seconds waited"),
            ("attempts", "int", "The number of attempts that the slowest condition took"),
            ("unmet", "list", "The conditions that are not met, in check mode and after a timeout"),
            ("states", "dict", "On failure: the last state of each condition"),
            ("explanation", "list", "On failure: the last events, the reasons of stopped tasks"),
            ("ecs_service, …", "dict", "What each probe found, under its name"),
        ],
        examples: "\
- name: Wait until the rollout is done and the application answers
  wait_until:
    ecs_service:
      cluster: production
      service: web
    http:
      url: https://www.example.com/health
    timeout: 900
    interval: 5
    backoff: 1.5

- name: Wait for the database
  wait_until:
    postgres:
      url: \"{{ database_url }}\"
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let pace = self.pace()?;
        let things = probes::find(&self.things, context)?;
        let watch = Watch::new(&things, context);
        if context.check {
            watch.look_once().await;
            let message = match watch.pending() {
                pending if pending.is_empty() => "nothing to wait for".to_owned(),
                pending => format!("would wait for {pending}"),
            };
            return Ok(found(&watch, &things).msg(message));
        }
        let end = watch.wait(pace).await;
        let seconds = watch.elapsed().as_secs();
        let message = match end {
            End::Met => return Ok(found(&watch, &things)),
            End::Interrupted => return Err(Failure::new("interrupted").outcome(found(&watch, &things))),
            End::Failed(i, error) => {
                let label = things.get(i).map(|t| t.label.clone()).unwrap_or_default();
                return Err(Failure::from(keep_help(error, &label)).outcome(found(&watch, &things)));
            }
            End::Never(i) => {
                let label = things.get(i).map(|t| t.label.as_str()).unwrap_or_default();
                let state = watch.statuses().get(i).map(|s| s.state.clone()).unwrap_or_default();
                format!("{label} can no longer become what was waited for: {state}")
            }
            End::Missing(i) => {
                let label = things.get(i).map(|t| t.label.as_str()).unwrap_or_default();
                let state = watch.statuses().get(i).map(|s| s.state.clone()).unwrap_or_default();
                return Err(Failure::new(context.redactor.text(&format!("{label}: {state}")))
                    .outcome(found(&watch, &things))
                    .with_help("Correct the name, or set missing: true to wait until it exists."));
            }
            End::TimedOut => {
                let after = playbook_api::time::in_words(seconds);
                format!("timed out after {after} waiting for {}", watch.pending())
            }
        };
        let explanation = explain(&things, &watch.statuses(), context).await;
        let mut outcome = found(&watch, &things);
        outcome.values.insert("states".into(), states(&things, &watch.statuses()));
        outcome.values.insert("explanation".into(), Value::from(explanation.clone()));
        let message = match explanation.is_empty() {
            true => message,
            false => format!("{message}\n{}", explanation.join("\n")),
        };
        Err(Failure::new(context.redactor.text(&message)).outcome(outcome))
    }
}

fn keep_help(error: Error, label: &str) -> Error {
    let help = error.help().map(str::to_owned);
    let error = error.context(format!("cannot look at {label}"));
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

/// What every watch returns, however it ends: each thing's values under its name, a list where there are several.
fn found(watch: &Watch, things: &[Thing]) -> Outcome {
    let statuses = watch.statuses();
    let unmet = things.iter().zip(&statuses).filter(|(_, s)| !s.met).map(|(t, _)| t.label.clone());
    let mut outcome = Outcome::changed(false)
        .with("elapsed", watch.elapsed().as_secs())
        .with("attempts", statuses.iter().map(|s| s.attempts).max().unwrap_or_default())
        .with("unmet", unmet.collect::<Vec<_>>());
    for (thing, status) in things.iter().zip(&statuses) {
        let value = Value::from(status.values.clone());
        if thing.label == thing.name {
            outcome.values.insert(thing.name.into(), value);
            continue;
        }
        let mut several: Vec<Value> =
            outcome.values.get(thing.name).and_then(Value::as_list).unwrap_or_default().to_vec();
        several.push(value);
        outcome.values.insert(thing.name.into(), several.into());
    }
    outcome
}

fn states(things: &[Thing], statuses: &[Status]) -> Value {
    let each = things.iter().zip(statuses);
    each.map(|(t, s)| (Value::from(t.label.as_str()), Value::from(s.state.as_str()))).collect::<Map>().into()
}

/// How long probes are asked for details when the task has failed, so that a timeout stays one.
const EXPLAINING: Duration = Duration::from_secs(2);

/// Returns what the probes of the unmet things can tell. One that never answered is not asked again.
async fn explain(things: &[Thing<'_>], statuses: &[Status], context: &Context) -> Vec<String> {
    let unmet = things.iter().zip(statuses).filter(|(_, status)| !status.met && status.attempts > 0);
    let asked = unmet.map(|(thing, _)| async move {
        let lines = thing.probe.explain(&thing.options, context);
        let lines = tokio::time::timeout(EXPLAINING, lines).await.unwrap_or_default();
        lines.into_iter().map(|line| format!("{}: {line}", thing.label)).collect::<Vec<_>>()
    });
    futures::future::join_all(asked).await.concat()
}
