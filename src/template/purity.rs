//! Tracks whether a computation would have the same result again.

use std::cell::Cell;

thread_local!(static IMPURE: Cell<u64> = const { Cell::new(0) });

/// Records a computation that may have another result the next time: a lookup, a random number, the time.
pub(super) fn taint() {
    IMPURE.set(IMPURE.get().wrapping_add(1));
}

/// Runs a function, and returns whether its result would be the same again.
pub fn observe<T>(run: impl FnOnce() -> T) -> (T, bool) {
    let before = IMPURE.get();
    let result = run();
    (result, IMPURE.get() == before)
}
