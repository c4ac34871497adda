//! The probes of `wait_until` for the network and for files, which run on the controller.

mod file;
mod http;
mod tcp;

use playbook_api::probe::probe;
use playbook_api::{Context, Error, JsonSchema, Observation, Probe, ProbeState};

/// A probe whose options are a type, and whose attempt is a synchronous function.
trait Look: serde::de::DeserializeOwned + JsonSchema + Send + 'static {
    const NAME: &'static str;
    fn look(self, context: &Context) -> Result<ProbeState, Error>;
}

/// The options of a [`Look`], as a probe of `wait_until`.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(transparent)]
struct Blocking<T>(T);

impl<T: Look> Observation for Blocking<T> {
    const NAME: &'static str = T::NAME;

    async fn look(self, context: &Context) -> Result<ProbeState, Error> {
        let context = context.clone();
        let looked = tokio::task::spawn_blocking(move || self.0.look(&context)).await;
        looked.unwrap_or_else(|e| Err(Error::new(format!("the probe {} panicked: {e}", T::NAME))))
    }
}

/// Returns every probe of this crate.
pub(crate) fn all() -> Vec<Box<dyn Probe>> {
    vec![probe::<Blocking<http::Http>>(), probe::<Blocking<tcp::Tcp>>(), probe::<Blocking<file::File>>()]
}
