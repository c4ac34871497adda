//! The list of targets that must keep passing, and where each of them runs.

use std::fs;
use std::path::Path;

use xtask::{Doing, Result};

/// A line of the list.
#[derive(Clone)]
pub struct Target {
    pub name: String,
    pub place: Place,
    /// Takes so long that not every test run has it.
    pub slow: bool,
}

/// Where a target runs.
#[derive(Clone, Copy, PartialEq)]
pub enum Place {
    /// On this machine.
    Here,
    /// In a Debian of its own, with a network of its own.
    Root,
    /// In a Debian of its own, from which packages can be fetched.
    Online,
}

impl Place {
    pub fn named(name: &str) -> Option<Place> {
        match name {
            "here" => Some(Place::Here),
            "root" => Some(Place::Root),
            "online" => Some(Place::Online),
            _ => None,
        }
    }
}

impl Target {
    pub fn new(name: &str, place: Place) -> Target {
        Target { name: name.to_owned(), place, slow: false }
    }
}

/// What a file names: a target a line, and behind it words about it; `#` begins a comment.
pub fn read(path: &Path) -> Result<Vec<Target>> {
    let text = fs::read_to_string(path).doing(format!("reading {}", path.display()))?;
    let mut targets = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(name) = words.next() else { continue };
        let mut target = Target::new(name, Place::Here);
        for word in words {
            match Place::named(word) {
                Some(place) => target.place = place,
                None if word == "slow" => target.slow = true,
                None => {
                    let place = format!("{}:{}", path.display(), number + 1);
                    return Err(format!("{place}: '{word}' is none of here, root, online and slow"));
                }
            }
        }
        targets.push(target);
    }
    Ok(targets)
}
