//! Conditions that `wait_until` can wait for.

use std::future::Future;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::future::BoxFuture;
use crate::spec::CheckedBy;
use crate::{Arguments, Context, Error, Map, Redactor, Spec, Value};

/// The state of a condition that `wait_until` waits for.
#[derive(Clone, Debug)]
pub enum ProbeState {
    /// The condition is met. Holds the values to return.
    Met(Map),
    /// The condition is not met yet. Holds the current state as text and as values.
    Waiting(String, Map),
    /// What the condition is about does not exist. Holds that as text. It fails the task at once, unless the option
    /// `missing` says that it may come to exist.
    Missing(String),
    /// The condition can no longer be met. Holds the reason and the current state.
    Never(String, Map),
}

/// A condition that `wait_until` can wait for: `wait_until: { target_group: {…} }`. A crate writes its own as an
/// [`Observation`], and [`probe`] makes a probe of it.
pub trait Probe: Send + Sync {
    /// The key that selects the probe in a `wait_until` task.
    fn name(&self) -> &'static str;
    /// Returns the documentation and types of the options.
    fn spec(&self) -> Spec;
    /// Checks the condition once. It is called repeatedly until the condition is met, can no longer be met, or the
    /// timeout expires.
    fn look<'a>(&'a self, options: &'a Map, context: &'a Context)
    -> BoxFuture<'a, Result<ProbeState, Error>>;
    /// Returns details for the error after a timeout, such as recent events and the reasons of stopped tasks.
    fn explain<'a>(&'a self, options: &'a Map, context: &'a Context) -> BoxFuture<'a, Vec<String>> {
        let _ = (options, context);
        Box::pin(async { Vec::new() })
    }
}

/// A condition as a type: its fields are the options, with their documentation.
pub trait Observation: DeserializeOwned + JsonSchema + Send + 'static {
    /// The key that selects the probe in a `wait_until` task.
    const NAME: &'static str;
    /// Whether the condition is about something that may not exist, which gives the probe the option `missing`.
    const MAY_BE_MISSING: bool = false;
    /// Checks the condition once.
    fn look(self, context: &Context) -> impl Future<Output = Result<ProbeState, Error>> + Send;
    /// Returns details for the error after a timeout.
    fn explain(self, context: &Context) -> impl Future<Output = Vec<String>> + Send {
        let _ = context;
        async { Vec::new() }
    }
}

/// The option of every probe whose subject may not exist.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Missing {
    /// Whether to wait until it exists. By default, something that does not exist fails the task at once, since its name
    /// is probably misspelled.
    #[serde(default)]
    missing: bool,
}

/// Makes a probe of an observation.
pub fn probe<T: Observation>() -> Box<dyn Probe> {
    Box::new(Observed::<T>(PhantomData))
}

struct Observed<T>(PhantomData<fn() -> T>);

impl<T: Observation> Observed<T> {
    fn parse(options: &Map, redactor: &Redactor) -> Result<T, Error> {
        let mut options = options.clone();
        options.shift_remove(&Value::from("missing"));
        Arguments::from(options).parse(T::NAME, &Spec::of::<T>(), redactor)
    }
}

impl<T: Observation> Probe for Observed<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn spec(&self) -> Spec {
        let mut spec = Spec { checked_by: CheckedBy::Probe, ..Spec::of::<T>() };
        if T::MAY_BE_MISSING {
            spec.options.extend(Spec::of::<Missing>().options);
        }
        spec
    }

    fn look<'a>(
        &'a self,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<ProbeState, Error>> {
        Box::pin(async move { Self::parse(options, &context.redactor)?.look(context).await })
    }

    fn explain<'a>(&'a self, options: &'a Map, context: &'a Context) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            match Self::parse(options, &context.redactor) {
                Ok(observation) => observation.explain(context).await,
                Err(_) => Vec::new(),
            }
        })
    }
}
