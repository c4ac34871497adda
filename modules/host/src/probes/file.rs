//! `file`: a file that exists, is absent, or contains a text.

use playbook_api::{Context, Deserialize, Error, JsonSchema, Map, ProbeState, map};

use super::Look;
use crate::host::path::HostPath;
use crate::host::regex;

/// Waits until a file exists, is absent, or contains a text.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct File {
    /// The path of the file.
    path: HostPath,
    /// Whether the file is to exist: `present` or `absent`.
    #[serde(default)]
    state: State,
    /// A regular expression that must match somewhere in the content.
    search_regex: Option<String>,
}

#[derive(Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    #[default]
    Present,
    Absent,
}

impl Look for File {
    const NAME: &'static str = "file";

    fn look(self, context: &Context) -> Result<ProbeState, Error> {
        let path = self.path.resolve(context);
        let shown = path.display().to_string();
        let values: Map = map! { "path" => shown.as_str() };
        let waiting = |why: &str, values| Ok(ProbeState::Waiting(format!("{shown} {why}"), values));
        match (path.exists(), self.state) {
            (false, State::Absent) => return Ok(ProbeState::Met(values)),
            (true, State::Absent) => return waiting("is still there", values),
            (false, State::Present) => return waiting("is not there", values),
            (true, State::Present) => {}
        }
        let Some(pattern) = &self.search_regex else { return Ok(ProbeState::Met(values)) };
        let search = regex::compile(pattern, "m")?;
        let bytes = std::fs::read(&path).map_err(|e| Error::new(format!("cannot read {shown}: {e}")))?;
        match search.is_match(&*String::from_utf8_lossy(&bytes)).unwrap_or(false) {
            true => Ok(ProbeState::Met(values)),
            false => waiting(&format!("does not have '{pattern}' in it"), values),
        }
    }
}
