//! `ansible._protomatter.debug`, with which ansible-core's tests evaluate expressions.

use playbook_api::{Doc, Failure, JsonSchema, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::jinja::Expression;
use crate::template::Renderer;

/// Evaluates expressions and returns their values, or their errors.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ProtomatterDebug {
    /// The expressions to evaluate.
    expression: Vec<String>,
}

impl Action for ProtomatterDebug {
    const DOC: Doc = Doc {
        name: "ansible._protomatter.debug",
        collection: "ansible._protomatter",
        short: "Evaluates expressions",
        returns: &[("expression_result", "list", "what each came to")],
        ..BUILTIN
    };
    const RAW: &'static [&'static str] = &["expression"];

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        call.verbose = true;
        let renderer = call.renderer();
        let mut errors = Vec::new();
        let mut results: Vec<Value> = Vec::new();
        for source in self.expression {
            let expression = Expression::new(source, call.item.task.place.clone());
            match renderer.evaluate(&expression).and_then(Renderer::finalize) {
                Ok(value) => results.push(value),
                Err(e) => {
                    errors.push(format!("error {} - {e}", errors.len() + 1));
                    results.push(format!("<< error {} - {e} >>", errors.len()).into());
                }
            }
        }
        let outcome = Outcome::default().with("expression_result", results);
        Ok(match errors.len() {
            0 => outcome,
            n => outcome.warn(format!("Encountered {n} template errors.\n{}", errors.join("\n"))),
        })
    }
}
