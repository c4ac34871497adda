//! The ansible-core that is installed beside this program: its release, its Python and where that finds collections.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::foreign::python;
use crate::settings::Settings;

/// Prints what [`Core`] holds as one JSON object.
const SCRIPT: &str = r#"
import json, os, sys
import ansible, ansible.release, jinja2, yaml
libyaml = "without libyaml"
if getattr(yaml, "__with_libyaml__", False):
    try:
        from yaml._yaml import get_version_string
        libyaml = "with libyaml v" + get_version_string()
    except Exception:
        libyaml = "with libyaml, version unknown"
print(json.dumps({
    "version": ansible.release.__version__,
    "location": ":".join(ansible.__path__),
    "python": "".join(sys.version.splitlines()),
    "executable": sys.executable,
    "jinja": jinja2.__version__,
    "yaml": "%s (%s)" % (yaml.__version__, libyaml),
    "paths": [path for path in sys.path if os.path.isdir(os.path.join(path, "ansible_collections"))],
}))
"#;

/// An installed ansible-core.
#[derive(Debug, Deserialize)]
pub(super) struct Core {
    /// Its release, such as `2.19.14`.
    pub version: String,
    /// The directories of the Python package `ansible`, separated by colons.
    pub location: String,
    /// The version of its Python, as `sys.version` gives it, on one line.
    pub python: String,
    /// The Python interpreter.
    pub executable: String,
    /// The release of Jinja.
    pub jinja: String,
    /// The release of PyYAML, and whether it has libyaml.
    pub yaml: String,
    /// The directories of Python packages that hold collections.
    pub paths: Vec<PathBuf>,
}

impl Core {
    /// Finds the ansible-core that Python plugins would run with.
    pub(super) fn find(settings: &Settings) -> Option<Core> {
        python::candidates(settings).iter().find_map(|executable| Core::of(executable))
    }

    fn of(executable: &Path) -> Option<Core> {
        let output = Command::new(executable)
            .args(["-c", SCRIPT])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }
}
