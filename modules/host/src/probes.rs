//! What `wait_until` can wait for on the network and in files, from where the engine runs.

mod file;
mod http;
mod tcp;

use playbook_api::extension::BoxFuture;
use playbook_api::{Arguments, Context, Error, JsonSchema, Map, Probe, ProbeState, Spec};

/// A probe whose options are a type, and whose look is a plain function that may block.
trait Look: serde::de::DeserializeOwned + JsonSchema + Send + 'static {
    const NAME: &'static str;
    fn look(self, context: &Context) -> Result<ProbeState, Error>;
}

/// Makes a [`Probe`] of a [`Look`].
struct Blocking<T>(std::marker::PhantomData<fn() -> T>);

impl<T: Look> Probe for Blocking<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn spec(&self) -> Spec {
        Spec::of::<T>()
    }

    fn look<'a>(
        &'a self,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<ProbeState, Error>> {
        Box::pin(async move {
            let options: T =
                Arguments::from(options.clone()).parse(T::NAME, &self.spec(), &context.redactor)?;
            let context = context.clone();
            let looked = tokio::task::spawn_blocking(move || options.look(&context)).await;
            looked.unwrap_or_else(|e| Err(Error::new(format!("the probe {} ended badly: {e}", T::NAME))))
        })
    }
}

/// Every probe of this crate.
pub(crate) fn all() -> Vec<Box<dyn Probe>> {
    vec![probe::<http::Http>(), probe::<tcp::Tcp>(), probe::<file::File>()]
}

fn probe<T: Look>() -> Box<dyn Probe> {
    Box::new(Blocking::<T>(std::marker::PhantomData))
}
