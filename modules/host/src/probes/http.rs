//! `http`: a web service that responds with the expected status and content.

use std::io::Read;
use std::time::Duration;

use playbook_api::{Context, Deserialize, Error, JsonSchema, Map, ProbeState, Value, map};

use super::Look;
use crate::host::http::{Ask, Connect, Redirects};
use crate::host::regex;

/// Waits until a web service responds with the expected status, and with the expected content if that is given.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Http {
    #[serde(flatten)]
    connect: Connect,
    /// The HTTP method of the request.
    #[serde(default = "get")]
    method: String,
    /// The HTTP headers to send.
    #[serde(default)]
    headers: serde_json::Map<String, serde_json::Value>,
    /// The status codes that mean success; any from 200 to 299 if it is missing.
    #[schemars(extend("aliases" = ["status_code"]))]
    status: Option<Vec<u16>>,
    /// A regular expression that must match somewhere in the content.
    #[schemars(extend("aliases" = ["body", "search_regex"]))]
    body_match: Option<String>,
    /// The number of seconds that one request may take.
    #[schemars(extend("aliases" = ["timeout"]))]
    #[serde(default = "playbook_api::defaults::number::<u64, 10>")]
    request_timeout: u64,
}

fn get() -> String {
    "GET".into()
}

/// The maximum size of the content that is searched.
const MOST: u64 = 1024 * 1024;

impl Look for Http {
    const NAME: &'static str = "http";

    fn look(self, context: &Context) -> Result<ProbeState, Error> {
        let pattern = self.body_match.as_deref().map(|p| regex::compile(p, "m")).transpose()?;
        let text = |v: &serde_json::Value| Value::from_json(v.clone()).to_text().into_owned();
        let ask = Ask {
            method: self.method.to_ascii_uppercase(),
            headers: self.headers.iter().map(|(n, v)| (n.clone(), text(v))).collect(),
            redirects: Redirects::Safe,
            timeout: Some(Duration::from_secs(self.request_timeout.max(1))),
            ..Ask::default()
        };
        let url = self.connect.url.clone();
        let mut answer = match self.connect.ask(ask, context) {
            Ok(answer) => answer,
            Err(failure) => {
                let values = map! { "url" => url.as_str(), "status" => -1 };
                return Ok(ProbeState::Waiting(format!("{url} does not respond: {}", failure.error), values));
            }
        };
        let mut values: Map = map! { "url" => answer.url.as_str(), "status" => u32::from(answer.status) };
        let good = self.status.as_ref().map_or(answer.is_success(), |all| all.contains(&answer.status));
        if !good {
            return Ok(ProbeState::Waiting(format!("{url} responds with status {}", answer.status), values));
        }
        let Some(pattern) = pattern else { return Ok(ProbeState::Met(values)) };
        let mut content = Vec::new();
        let read = answer.reader.by_ref().take(MOST).read_to_end(&mut content);
        let content = String::from_utf8_lossy(&content).into_owned();
        let met = read.is_ok() && pattern.is_match(&*content).unwrap_or(false);
        values.insert("content".into(), content.into());
        let wanted = self.body_match.unwrap_or_default();
        Ok(match met {
            true => ProbeState::Met(values),
            false => ProbeState::Waiting(format!("{url} responds, but without '{wanted}'"), values),
        })
    }
}
