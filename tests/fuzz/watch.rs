//! Runs one input after the other, and says which one panicked, took too long or took too much memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, Once, OnceLock};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::random::Random;

/// One input may take this long, in a build without optimizations and beside other tests.
const LONGEST: Duration = Duration::from_secs(20);
/// And this much memory.
const MOST: isize = 1 << 30;

thread_local! {
    /// The bytes that this thread holds.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static INPUT: Cell<(*const u8, usize)> = const { Cell::new((std::ptr::null(), 0)) };
}

/// The system's allocator, with a limit for each input.
pub(crate) struct Counting;

// SAFETY: the system's allocator does all the work; the counters are plain cells.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the allocator's contract, which is the same here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the allocator's contract, which is the same here.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = HELD.try_with(|held| held.set(held.get() - layout.size() as isize));
        // SAFETY: the caller keeps the allocator's contract, which is the same here.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller keeps the allocator's contract, which is the same here.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count(bytes: isize) {
    let held = HELD.try_with(|held| {
        held.set(held.get().saturating_add(bytes));
        held.get()
    });
    if held.is_ok_and(|held| held > MOST) {
        let _ = HELD.try_with(|held| held.set(isize::MIN / 2));
        let (start, length) = INPUT.try_with(Cell::get).unwrap_or((std::ptr::null(), 0));
        if start.is_null() {
            return;
        }
        // SAFETY: the input lives for as long as it is pointed to.
        let input = unsafe { std::slice::from_raw_parts(start, length) };
        fatal("takes too much memory", &String::from_utf8_lossy(input));
    }
}

fn fatal(what: &str, input: &str) -> ! {
    // Not `eprintln!`, which the test harness keeps to itself.
    let _ = writeln!(std::io::stderr(), "\nThis input {what}:\n{input}\n");
    std::process::abort();
}

static RUNNING: OnceLock<Mutex<HashMap<ThreadId, (Instant, String)>>> = OnceLock::new();

fn running() -> std::sync::MutexGuard<'static, HashMap<ThreadId, (Instant, String)>> {
    RUNNING.get_or_init(Mutex::default).lock().unwrap_or_else(|e| e.into_inner())
}

fn watch() {
    static START: Once = Once::new();
    START.call_once(|| {
        std::thread::spawn(|| {
            loop {
                std::thread::sleep(Duration::from_millis(200));
                for (start, input) in running().values() {
                    if start.elapsed() > LONGEST {
                        fatal("takes too long", input);
                    }
                }
            }
        });
    });
}

/// Runs inputs that must not do harm.
pub(crate) fn each(inputs: &[&str], run: impl Fn(&str)) {
    watch();
    let failed: Vec<&str> = inputs.iter().copied().filter(|input| !survives(input, &run)).collect();
    assert!(failed.is_empty(), "{} panicked:\n{}", failed.len(), failed.join("\n----\n"));
}

fn survives(input: &str, run: impl Fn(&str)) -> bool {
    let me = std::thread::current().id();
    running().insert(me, (Instant::now(), input.to_owned()));
    INPUT.set((input.as_ptr(), input.len()));
    HELD.set(0);
    let done = catch_unwind(AssertUnwindSafe(|| run(input)));
    INPUT.set((std::ptr::null(), 0));
    running().remove(&me);
    done.is_ok()
}

/// Runs what was found before, then makes and runs inputs until time is up.
pub(crate) fn run(name: &str, found: &[&str], make: impl Fn(&mut Random) -> String, run: impl Fn(&str)) {
    each(found, &run);
    let number = |variable: &str| std::env::var(variable).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("PLAYBOOK_FUZZ_SECONDS").unwrap_or(3);
    let mut random = Random::new(number("PLAYBOOK_FUZZ_SEED").unwrap_or(20_261_121));
    let (start, mut count, mut failed) = (Instant::now(), 0, Vec::new());
    while start.elapsed() < Duration::from_secs(seconds) && failed.len() < 10 {
        let input = make(&mut random);
        count += 1;
        if !survives(&input, &run) {
            failed.push(input);
        }
    }
    println!("{name}: {count} inputs");
    assert!(failed.is_empty(), "{} of {count} panicked:\n{}", failed.len(), failed.join("\n----\n"));
}
