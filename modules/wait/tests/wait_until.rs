//! wait_until with probes that play what the test wants.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use playbook_api::extension::BoxFuture;
use playbook_api::{
    Arguments, Context, Deserialize, Error, Failure, JsonSchema, Map, Outcome, Probe, ProbeState, Registry,
    Run, Spec, Value, map,
};

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Options {
    /// After how many looks it is so.
    looks: usize,
    /// What it says instead.
    says: Option<String>,
    /// Whether to wait until it exists.
    #[serde(default)]
    missing: bool,
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Probe for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn spec(&self) -> Spec {
        Spec::of::<Options>()
    }

    fn look<'a>(&'a self, options: &'a Map, _: &'a Context) -> BoxFuture<'a, Result<ProbeState, Error>> {
        Box::pin(async move {
            let seen = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let wanted = options.get("looks").and_then(Value::as_i64).unwrap_or(0);
            Ok(match options.get("says").and_then(Value::as_str) {
                Some("never") => ProbeState::Never("it is gone".into(), map! { "gone" => true }),
                Some("missing") if seen < 3 => ProbeState::Missing("the counter 'x' does not exist".into()),
                Some("error") => return Err(Error::new("no credentials").with_help("log in")),
                Some("hang") => {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    ProbeState::Met(map! {})
                }
                _ if seen as i64 >= wanted => ProbeState::Met(map! { "seen" => seen }),
                _ => ProbeState::Waiting(format!("{seen} of {wanted}"), map! { "seen" => seen }),
            })
        })
    }

    fn explain<'a>(&'a self, _: &'a Map, _: &'a Context) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async { vec!["the last event".to_owned()] })
    }
}

async fn run(arguments: Map, check: bool) -> Result<Outcome, Failure> {
    let mut registry = Registry::default();
    playbook_wait::register(&mut registry);
    registry.probes.push(Box::new(Counter::default()));
    let context = Context { check, registry: Arc::new(registry), ..Context::default() };
    let entry = context.registry.module("wait_until").unwrap().clone();
    match entry.run {
        Run::Controller(run) => run(entry.clone(), Arguments::from(arguments), context).await,
        Run::Host(_) => unreachable!("wait_until runs in the controller"),
    }
}

fn quick(more: Map) -> Map {
    let mut arguments = map! { "interval" => 0.02, "timeout" => 30 };
    arguments.extend(more);
    arguments
}

#[tokio::test]
async fn looks_until_it_is_so() {
    let outcome = run(quick(map! { "counter" => map! { "looks" => "3" } }), false).await.unwrap();
    assert!(!outcome.changed);
    assert_eq!(outcome.values.get("attempts"), Some(&3.into()));
    assert_eq!(outcome.values.get("counter").and_then(|c| c.get("seen")), Some(&3.into()));
    let outcome = run(quick(map! { "counter" => "2" }), false).await.unwrap();
    assert_eq!(outcome.values.get("attempts"), Some(&2.into()));
}

#[tokio::test]
async fn several_of_a_kind_are_a_list() {
    let several = vec![Value::from(map! { "looks" => 2 }), map! { "looks" => 4 }.into()];
    let outcome = run(quick(map! { "counter" => several }), false).await.unwrap();
    assert_eq!(outcome.values.get("counter").and_then(Value::as_list).map(<[Value]>::len), Some(2));
}

#[tokio::test]
async fn time_runs_out_with_the_last_state() {
    let failure =
        run(quick(map! { "counter" => map! { "looks" => 1000 }, "backoff" => 2, "timeout" => 0.5 }), false)
            .await
            .unwrap_err();
    let message = failure.error.to_string();
    assert!(message.starts_with("timed out after 0 seconds waiting for counter: "), "{message}");
    assert!(message.ends_with("of 1000\ncounter: the last event"), "{message}");
    let attempts = failure.outcome.values.get("attempts").and_then(Value::as_i64).unwrap();
    assert!((1..=6).contains(&attempts), "the interval doubles: {attempts}");
    let hangs =
        run(quick(map! { "counter" => map! { "looks" => 1, "says" => "hang" }, "timeout" => 0.5 }), false)
            .await
            .unwrap_err();
    assert!(hangs.error.to_string().contains("counter: no answer yet"));
}

#[tokio::test]
async fn what_can_never_be_fails_at_once() {
    let start = Instant::now();
    let arguments = map! { "timeout" => 30, "counter" => map! { "looks" => 9, "says" => "never" } };
    let failure = run(arguments, false).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(25));
    let message = failure.error.to_string();
    assert_eq!(
        message,
        "counter can no longer become what was waited for: it is gone\ncounter: the last event"
    );
    let failure =
        run(quick(map! { "counter" => map! { "looks" => 1, "says" => "error" } }), false).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "cannot look at counter: no credentials");
    assert_eq!(failure.error.help(), Some("log in"));
}

#[tokio::test]
async fn check_mode_looks_once_and_never_fails() {
    for says in ["waiting", "never", "error"] {
        let arguments = quick(map! { "counter" => map! { "looks" => 5, "says" => says } });
        let outcome = run(arguments, true).await.unwrap();
        assert!(!outcome.changed);
        let message = outcome.values.get("msg").unwrap().to_string();
        assert!(message.starts_with("would wait for counter: "), "{message}");
        assert_eq!(outcome.values.get("attempts"), Some(&1.into()));
    }
    let outcome = run(quick(map! { "counter" => map! { "looks" => 1 } }), true).await.unwrap();
    assert_eq!(outcome.values.get("msg"), Some(&"nothing to wait for".into()));
}

#[tokio::test]
async fn bad_input_is_named() {
    let cases = [
        (map! { "countr" => map! {} }, "wait_until cannot wait for 'countr'", "Did you mean 'counter'?"),
        (map! { "x" => map! {} }, "wait_until cannot wait for 'x'", "It can wait for: counter."),
        (map! {}, "there is nothing to wait for", "It can wait for: counter."),
        (
            map! { "counter" => true },
            "counter is a bool, not a dict",
            "Its options are: looks, says, missing.",
        ),
    ];
    for (arguments, message, help) in cases {
        let failure = run(arguments, false).await.unwrap_err();
        assert_eq!(failure.error.to_string(), message);
        assert_eq!(failure.error.help(), Some(help));
    }
    let failure = run(map! { "counter" => map! {} }, false).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "counter: missing required arguments: looks");
    let failure = run(map! { "backoff" => 0, "counter" => map! { "looks" => 1 } }, false).await.unwrap_err();
    assert!(failure.error.to_string().starts_with("backoff is 0"));
    let failure = run(map! { "timeout" => -1, "counter" => map! { "looks" => 1 } }, false).await.unwrap_err();
    assert!(failure.error.to_string().starts_with("timeout is -1"));
}

#[tokio::test]
async fn a_name_that_does_not_exist_fails_at_once_unless_it_may_be_missing() {
    let start = Instant::now();
    let missing = |more: Map| {
        let mut options = map! { "looks" => 1, "says" => "missing" };
        options.extend(more);
        map! { "timeout" => 30, "interval" => 0.02, "counter" => options }
    };
    let failure = run(missing(map! {}), false).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(25));
    assert_eq!(failure.error.to_string(), "counter: the counter 'x' does not exist");
    assert_eq!(failure.error.help(), Some("Correct the name, or set missing: true to wait until it exists."));
    let outcome = run(missing(map! { "missing" => true }), false).await.unwrap();
    assert_eq!(outcome.values.get("attempts"), Some(&3.into()));
    let outcome = run(missing(map! {}), true).await.unwrap();
    let message = outcome.values.get("msg").unwrap().to_string();
    assert_eq!(message, "would wait for counter: the counter 'x' does not exist");
}

#[tokio::test]
async fn a_timeout_is_one_although_details_are_slow() {
    let start = Instant::now();
    let hangs = run(map! { "timeout" => 1, "counter" => map! { "looks" => 1, "says" => "hang" } }, false)
        .await
        .unwrap_err();
    assert_eq!(hangs.error.to_string(), "timed out after 1 second waiting for counter: no answer yet");
    assert!(start.elapsed() < Duration::from_secs(30));
}
