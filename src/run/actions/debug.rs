//! `debug`

use playbook_api::{Doc, Failure, JsonSchema, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::jinja::Expression;

/// Prints a message or the value of a variable.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["msg", "var"]]))]
pub(crate) struct Debug {
    /// The message: any value, which is printed as it is.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "msg")]
    _msg: Option<serde_json::Value>,
    /// An expression to evaluate and print, usually the name of a variable, without braces.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "var")]
    _var: Option<serde_json::Value>,
    /// The verbosity from which on to print: `verbosity: 2` needs `-vv`.
    #[serde(default)]
    verbosity: u8,
}

impl Action for Debug {
    const DOC: Doc = Doc {
        name: "debug",
        short: "Prints a message or a variable",
        returns: &[
            ("msg", "raw", "the message"),
            ("VARIABLE", "raw", "the value, under the expression given as `var`"),
        ],
        examples: "- debug:\n    msg: \"{{ inventory_hostname }} runs {{ image_tag }}\"\n- debug:\n    var: service_status.service.runningCount\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if self.verbosity > call.item.play.shared.options.verbosity {
            let mut outcome = Outcome::skip("");
            outcome.values.clear();
            return Ok(outcome.with("skipped_reason", "Verbosity threshold not met."));
        }
        call.verbose = true;
        if let Some(var) = call.args.get("var").cloned() {
            let place = call.written("var").map_or(&call.item.task.place, |n| n.place()).clone();
            return match &var {
                // What was computed is text, never an expression.
                Value::Str(name) if !name.is_trusted() => {
                    Err(Failure::new("Encountered untrusted template or expression."))
                }
                Value::Str(name) => {
                    let expression = Expression::new(name.as_str(), place);
                    let renderer = call.renderer();
                    let value = renderer.evaluate(&expression);
                    if let Ok(Value::Omit) = value {
                        let warning = format!("The value of '{}' could not be omitted here.", name.as_str());
                        return Ok(Outcome::default().with(name, "<<Omit>>").warn(warning));
                    }
                    let value = value.and_then(crate::template::Renderer::finalize);
                    match value {
                        Ok(value) => Ok(Outcome::default().with(name, value)),
                        // An undefined variable is worth seeing, not worth failing for.
                        Err(e) if e.is_undefined() => {
                            let shown = format!("<< error 1 - {e} >>");
                            let e = e.at(expression.place());
                            let shown_error = crate::report::format_error(&e);
                            let warning = format!(
                                "Encountered 1 template error.\nerror 1 - {}",
                                shown_error.trim_end()
                            );
                            Ok(Outcome::default().with(name, shown).warn(warning))
                        }
                        Err(e) => Err(e.into()),
                    }
                }
                Value::List(_) | Value::Map(_)
                    if call.written("var").is_some_and(|n| n.source().is_none()) =>
                {
                    let shown = playbook_api::python::repr(&var);
                    Err(Failure::new(format!("{shown} is not a string and conversion is not allowed")))
                }
                other => {
                    let name = other.to_text().into_owned();
                    Ok(Outcome::default().with(&name, other.clone()))
                }
            };
        }
        let message = call.args.get("msg").cloned().unwrap_or_else(|| "Hello world!".into());
        if message.is_null() && call.scope.release().debug_leaves_out_null() {
            return Ok(Outcome::default());
        }
        Ok(Outcome::default().with("msg", message))
    }
}
