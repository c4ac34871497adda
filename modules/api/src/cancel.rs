//! Requests to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A request to end, which everything that waits checks.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    set: AtomicBool,
    /// The request that sets this one too.
    parent: Option<Cancel>,
    /// The number of operations elsewhere that have to be told of the request before the program may end.
    busy: AtomicUsize,
}

impl Cancel {
    /// Makes the request. It cannot be taken back.
    pub fn set(&self) {
        self.0.set.store(true, Ordering::Relaxed);
    }

    /// Returns whether the request was made, here or where this one comes from.
    pub fn is_set(&self) -> bool {
        self.0.set.load(Ordering::Relaxed) || self.0.parent.as_ref().is_some_and(Cancel::is_set)
    }

    /// Returns a request that is made when this one is, and can be made alone.
    pub fn child(&self) -> Cancel {
        Cancel(Arc::new(State { parent: Some(self.clone()), ..State::default() }))
    }

    /// Returns a guard for work that another process does, and that it is told to end when the request is made: the
    /// program waits a moment for that before it ends.
    ///
    /// ```
    /// use std::time::Duration;
    /// let cancel = playbook_api::cancel::Cancel::default();
    /// let busy = cancel.child().busy();
    /// assert!(!cancel.wait_until_idle(Duration::from_millis(1)));
    /// drop(busy);
    /// assert!(cancel.wait_until_idle(Duration::from_millis(1)));
    /// ```
    pub fn busy(&self) -> Busy {
        let root = self.root().clone();
        root.0.busy.fetch_add(1, Ordering::Relaxed);
        Busy(root)
    }

    /// Waits until no work is left that has to be told of the request, and returns whether that came before the limit.
    pub fn wait_until_idle(&self, limit: Duration) -> bool {
        let deadline = crate::time::deadline(limit);
        while self.root().0.busy.load(Ordering::Relaxed) > 0 {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    fn root(&self) -> &Cancel {
        self.0.parent.as_ref().map_or(self, Cancel::root)
    }
}

/// Work that another process does; see [`Cancel::busy`].
#[derive(Debug)]
pub struct Busy(Cancel);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
