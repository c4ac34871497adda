//! `assert`

use playbook_api::{Doc, Error, Failure, JsonSchema, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, exception};
use crate::document::Node;
use crate::playbook::Condition;
use crate::run::call::keyword::{self, Verdict};
use crate::template::Lazy;

/// Asserts that conditions hold and fails at the first one that does not.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Assert {
    /// The conditions, written as in `when`.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "that")]
    _that: serde_json::Value,
    /// The message to fail with.
    #[schemars(extend("format" = "raw", "aliases" = ["msg"]))]
    fail_msg: Option<serde_json::Value>,
    /// The message to return if all conditions hold.
    #[schemars(extend("format" = "raw"))]
    success_msg: Option<serde_json::Value>,
    /// Whether to print only the message.
    #[serde(default)]
    quiet: bool,
}

impl Action for Assert {
    const DOC: Doc = Doc {
        name: "assert",
        short: "Asserts that conditions hold",
        returns: &[
            ("msg", "raw", "`success_msg` or `fail_msg`"),
            ("assertion", "str", "the condition that did not hold"),
            ("evaluated_to", "bool", "what the condition evaluated to"),
        ],
        examples: "- assert:\n    that:\n      - service.runningCount >= 1\n      - \"'prod' in ecs_cluster_name\"\n    fail_msg: The service is down\n",
        ..BUILTIN
    };
    const RAW: &'static [&'static str] = &["that"];

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let message =
            |given: Option<serde_json::Value>, name: &str, default: &str| -> Result<Value, Failure> {
                match given.map(Value::from_json) {
                    None => Ok(default.into()),
                    Some(Value::Str(text)) => Ok(Value::Str(text)),
                    Some(Value::List(items)) if items.iter().all(|i| i.as_str().is_some()) => {
                        Ok(Value::List(items))
                    }
                    Some(_) => Err(Failure::new(format!(
                        "Type mismatch: '{name}' must be a string or a list of strings"
                    ))),
                }
            };
        let failed = message(self.fail_msg, "fail_msg", "Assertion failed")?;
        let mut passed = message(self.success_msg, "success_msg", "All assertions passed")?;
        let renderer = call.renderer();
        // Conditions come as written; a single template, or that of all the arguments, may be a list of them.
        let written = call.written("that");
        let list = match written {
            Some(node) if node.is_plain() => None,
            Some(node) => renderer.resolve(node).ok().filter(|value| value.as_list().is_some()),
            None => call.args.get("that").cloned(),
        };
        let conditions = match (list, written) {
            (None, Some(node)) => Condition::list(node),
            (None, None) => Vec::new(),
            (Some(value), node) => {
                let place = node.map_or(&call.item.task.place, Node::place);
                let items = value.as_list().map_or_else(|| vec![value.clone()], <[Value]>::to_vec);
                if items.iter().any(Value::is_null) {
                    return Err(exception(Error::new("Empty conditional expressions are not allowed.")));
                }
                let condition = |item: &Value| match Lazy::written(item) {
                    Some(node) => Condition::list(node),
                    None => Condition::list(&Node::value(place.clone(), item.clone())),
                };
                items.iter().flat_map(condition).collect()
            }
        };
        for condition in &conditions {
            let verdict = keyword::conditions_of_no_keyword([condition], &renderer, |_, error| error);
            match verdict.map_err(exception)? {
                Verdict::True => {}
                Verdict::False(written) => {
                    call.verbose = !self.quiet;
                    let failure = Failure::new(failed.to_text().into_owned())
                        .with("evaluated_to", false)
                        .with("assertion", written);
                    return Err(failure.with("msg", failed));
                }
                Verdict::Unknown(reason) => {
                    passed = format!("not known yet: {} is known after {reason}", condition.written()).into();
                }
            }
        }
        call.verbose = !self.quiet;
        Ok(Outcome::default().with("msg", passed))
    }
}
