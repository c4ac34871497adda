//! Whether what was computed would come out the same again.

use std::cell::Cell;

thread_local!(static IMPURE: Cell<u64> = const { Cell::new(0) });

/// Notes that something was computed that may come out differently the next time: a lookup, a random number, the time.
pub(super) fn taint() {
    IMPURE.set(IMPURE.get().wrapping_add(1));
}

/// Runs something, and answers whether it would come out the same again.
pub fn observe<T>(run: impl FnOnce() -> T) -> (T, bool) {
    let before = IMPURE.get();
    let result = run();
    (result, IMPURE.get() == before)
}
