//! Finds the callback plugins to load.

use std::sync::atomic::Ordering;

use super::collections::full_name;
use super::{Foreign, Kind};

impl Foreign {
    /// Returns the names of callback plugins that are loaded without being chosen as the report: those that
    /// need not be enabled, and those that are.
    pub fn callbacks(&self, enabled: &[String]) -> Vec<String> {
        let mut names = Vec::new();
        for path in self.directories.all(Kind::Callback, &self.settings) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let says = |what: &str, value: &[&str]| {
                let lines = text.lines().filter_map(|line| line.trim().strip_prefix(what));
                lines.filter_map(|rest| rest.trim().strip_prefix('=')).any(|v| value.contains(&v.trim()))
            };
            let report = says("CALLBACK_TYPE", &["'stdout'", "\"stdout\""]);
            let asks =
                says("CALLBACK_NEEDS_ENABLED", &["True"]) || says("CALLBACK_NEEDS_WHITELIST", &["True"]);
            if !report && (!asks || enabled.contains(&name)) {
                names.push(name);
            }
        }
        let in_collections = enabled.iter().filter(|name| full_name(name).is_some());
        names.extend(
            in_collections.filter(|n| matches!(self.find(Kind::Callback, n, &[]), Ok(Some(_)))).cloned(),
        );
        names.sort();
        names
    }

    /// Records that callback plugins are loaded.
    pub fn set_callbacks(&self) {
        self.callbacks.store(true, Ordering::Relaxed);
    }

    /// Whether callback plugins are loaded: they receive more events than reports do.
    pub fn has_callbacks(&self) -> bool {
        self.callbacks.load(Ordering::Relaxed)
    }
}
