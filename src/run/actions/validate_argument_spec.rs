//! `validate_argument_spec`

use playbook_api::{Doc, Failure, JsonSchema, Outcome, Value, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::playbook::argument_spec;

/// Validates variables against an argument spec such as the one in a role's `meta/argument_specs.yml`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ValidateArgumentSpec {
    /// The options by name.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "argument_spec")]
    _argument_spec: serde_json::Value,
    /// The values to validate; variables of the same names are used for options that are not listed.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "provided_arguments")]
    _provided_arguments: Option<serde_json::Value>,
    /// A description of what is validated, which is returned as it is.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "validate_args_context")]
    _validate_args_context: Option<serde_json::Value>,
}

impl Action for ValidateArgumentSpec {
    const DOC: Doc = Doc {
        name: "validate_argument_spec",
        short: "Validates variables against an argument spec",
        returns: &[
            ("argument_errors", "list", "the errors"),
            ("argument_spec_data", "dict", "the spec"),
            ("validate_args_context", "dict", "the description from the arguments"),
        ],
        examples: "- validate_argument_spec:\n    argument_spec:\n      image_tag:\n        type: str\n        required: true\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let argument = |name: &str| call.args.get(name).cloned().unwrap_or_else(Value::map);
        let (spec, context) = (argument("argument_spec"), argument("validate_args_context"));
        let Value::Map(options) = &spec else {
            return Err(Failure::new(format!(
                "Incorrect type for argument_spec, expected dict and got {}",
                spec.type_name()
            )));
        };
        let provided = argument("provided_arguments");
        let Value::Map(provided) = &provided else {
            return Err(Failure::new(format!(
                "Incorrect type for provided_arguments, expected dict and got {}",
                provided.type_name()
            )));
        };
        // Variables of the options' names, then what was given for the check.
        let mut values = map! {};
        for name in options.keys().filter_map(Value::as_str) {
            if let Some(value) = crate::template::Scope::get(&**call.scope, name) {
                match value.and_then(crate::template::Renderer::finalize) {
                    Ok(value) => drop(values.insert(name.into(), value)),
                    Err(e) => {
                        return Err(e.context(format!("Error while resolving value for '{name}'")).into());
                    }
                }
            }
        }
        values.extend(provided.iter().map(|(k, v)| (k.clone(), v.clone())));
        let errors = argument_spec::check(options, &values);
        if errors.is_empty() {
            let outcome = Outcome::default().with("validate_args_context", context);
            return Ok(outcome.msg("The arg spec validation passed"));
        }
        Err(Failure::new(format!("Validation of arguments failed:\n{}", errors.join("\n")))
            .with("argument_spec_data", spec.clone())
            .with("argument_errors", errors)
            .with("validate_args_context", context))
    }
}
