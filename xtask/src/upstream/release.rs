//! The releases of ansible-core whose targets run.

use std::path::PathBuf;

use xtask::{Result, build};

/// A release of ansible-core, and where its targets run.
#[derive(Debug)]
pub(crate) struct Release {
    /// The name that `--core` takes.
    pub series: &'static str,
    /// The version.
    pub version: &'static str,
    /// The name of the Debian that its targets run in.
    pub system: &'static str,
    /// The code name of that Debian; `None` is this machine's, whose own Python then runs the targets of the place
    /// `here`.
    pub debian: Option<&'static str>,
    /// The version of that Debian's Python.
    pub python: &'static str,
    /// The directory with its list of targets and its reference.
    directory: &'static str,
}

const RELEASES: [Release; 2] = [
    Release {
        series: "2.19",
        version: "2.19.14",
        system: "targets-2",
        debian: None,
        python: "3.11",
        directory: "tests/upstream",
    },
    // It needs Python 3.12, which Debian 12 lacks.
    Release {
        series: "2.21",
        version: "2.21.5",
        system: "targets-2.21",
        debian: Some("trixie"),
        python: "3.13",
        directory: "tests/upstream/2.21",
    },
];

impl Default for &'static Release {
    fn default() -> Self {
        Release::usual()
    }
}

impl Release {
    /// The release that the tests compare with.
    pub(crate) fn usual() -> &'static Release {
        &RELEASES[0]
    }

    /// Returns the release of a series.
    pub(crate) fn named(series: &str) -> Result<&'static Release> {
        let names = || RELEASES.each_ref().map(|release| release.series).join(" or ");
        RELEASES
            .iter()
            .find(|release| release.series == series)
            .ok_or_else(|| format!("--core must be {}", names()))
    }

    /// Returns the list of the targets that must pass.
    pub(crate) fn list(&self) -> PathBuf {
        build::root().join(self.directory).join("passing.txt")
    }

    /// Returns the file with what ansible-core's own run did.
    pub(crate) fn reference(&self) -> PathBuf {
        build::root().join(self.directory).join("reference.json")
    }
}
