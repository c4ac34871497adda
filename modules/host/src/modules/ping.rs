//! `ping`: checks that modules run on the host.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

/// Answers `pong`: the host can be reached and modules run on it. It does not send ICMP packets.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Ping {
    /// The text to return; `crash` makes the module fail.
    #[serde(default = "pong")]
    data: String,
}

fn pong() -> String {
    "pong".into()
}

impl HostModule for Ping {
    const DOC: Doc = Doc {
        name: "ping",
        short: "Answers pong",
        check_mode: "Full: it changes nothing.",
        returns: &[("ping", "str", "The value of `data`.")],
        examples: "- ping:\n",
        ..Doc::BUILTIN
    };

    fn run(self, _context: &Context) -> Result<Outcome, Failure> {
        match self.data.as_str() {
            "crash" => Err(Failure::new("boom").with("msg", "Task failed: Module failed: boom")),
            data => Ok(Outcome::default().with("ping", data)),
        }
    }
}
