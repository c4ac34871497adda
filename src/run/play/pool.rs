//! The threads that run tasks: at most `forks` at a time, started when they are first needed.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};

use playbook_api::sync;

use crate::run::call::state::STACK;

type Job = Box<dyn FnOnce() + Send>;

/// The threads that run tasks.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    limit: usize,
    threads: Vec<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(forks: usize) -> Self {
        Pool { shared: Arc::default(), limit: forks.max(1), threads: Vec::new() }
    }

    pub(crate) fn submit(&mut self, job: impl FnOnce() + Send + 'static) {
        let mut state = sync::lock(&self.shared.state);
        state.jobs.push_back(Box::new(job));
        let start = state.idle < state.jobs.len() && self.threads.len() < self.limit;
        drop(state);
        if start {
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new().name("task".into()).stack_size(STACK);
            if let Ok(handle) = thread.spawn(move || shared.work()) {
                self.threads.push(handle);
            }
        }
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn work(&self) {
        let mut state = sync::lock(&self.state);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = sync::lock(&self.state);
            } else if state.closed {
                return;
            } else {
                state.idle += 1;
                state = self.wake.wait(state).unwrap_or_else(|e| e.into_inner());
                state.idle -= 1;
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        sync::lock(&self.shared.state).closed = true;
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
