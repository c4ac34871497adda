//! Calls of the asynchronous SDK from synchronous lookups.

use std::sync::OnceLock;

use playbook_api::Error;
use tokio::runtime::{Builder, Handle, Runtime};

/// Waits for a future on the caller's runtime, or on a new one if there is none. The wait happens on a separate thread, so
/// that it is also allowed inside an asynchronous task.
pub(crate) fn wait<T: Send>(future: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
    let handle = match Handle::try_current() {
        Ok(handle) => handle,
        Err(_) => own_runtime()?,
    };
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| handle.block_on(future));
        waiting.join().unwrap_or_else(|_| Err(Error::new("the AWS client stopped unexpectedly")))
    })
}

fn own_runtime() -> Result<Handle, Error> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let runtime =
        RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().ok());
    match runtime {
        Some(runtime) => Ok(runtime.handle().clone()),
        None => Err(Error::new("cannot start the runtime that AWS calls need")),
    }
}
