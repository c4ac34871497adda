//! The list of targets that must pass, and where each of them runs.

use std::fs;
use std::path::Path;

use xtask::{Doing, Result};

/// A target in the list.
#[derive(Clone)]
pub(crate) struct Target {
    /// The target's name.
    pub name: String,
    /// Where it runs.
    pub place: Place,
    /// Whether its Python is the one that has ansible-core, as it is for a target that runs on this machine.
    pub core_python: bool,
    /// Whether `cargo xtask test` leaves it out because it takes long.
    pub slow: bool,
}

/// Where a target runs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Place {
    /// On this machine.
    Here,
    /// In a separate Debian with its own network.
    Root,
    /// In a separate Debian with this machine's network, to download packages.
    Online,
}

impl Place {
    /// Parses a place's name.
    pub(crate) fn named(name: &str) -> Option<Place> {
        match name {
            "here" => Some(Place::Here),
            "root" => Some(Place::Root),
            "online" => Some(Place::Online),
            _ => None,
        }
    }
}

impl Target {
    /// Creates a target that is not slow.
    pub(crate) fn new(name: &str, place: Place) -> Target {
        Target { name: name.to_owned(), place, core_python: place == Place::Here, slow: false }
    }
}

/// Reads a list: one target per line, followed by its place and `slow`; `#` begins a comment.
pub(crate) fn read(path: &Path) -> Result<Vec<Target>> {
    let text = fs::read_to_string(path).doing(format!("reading {}", path.display()))?;
    let mut targets = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(name) = words.next() else { continue };
        let (mut place, mut slow) = (Place::Here, false);
        for word in words {
            match Place::named(word) {
                Some(named) => place = named,
                None if word == "slow" => slow = true,
                None => {
                    let at = format!("{}:{}", path.display(), number + 1);
                    return Err(format!("{at}: unknown word '{word}': expected here, root, online or slow"));
                }
            }
        }
        targets.push(Target { slow, ..Target::new(name, place) });
    }
    Ok(targets)
}
