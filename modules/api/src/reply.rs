//! Conversion of the output of modules in other languages into outcomes.

use crate::{Error, Failure, Map, Outcome, Value};
use serde_json::Value as Json;

/// The output and the exit status of a module.
pub struct Printed<'a> {
    /// The exit status.
    pub rc: i64,
    /// The standard output.
    pub stdout: &'a str,
    /// The standard error.
    pub stderr: &'a str,
    /// The interpreter that ran it, if there was one.
    pub interpreter: Option<&'a str>,
}

/// Reads a module's result from its output.
///
/// # Errors
///
/// The module failed, or its output holds no result.
pub fn read(printed: &Printed) -> Result<Outcome, Failure> {
    match result(printed.stdout) {
        Ok((Json::Object(result), junk)) => with_junk(result, junk),
        Ok((other, _)) => Err(unreadable(printed, &format!("the result is not a dictionary: {other}"))),
        Err(reason) => Err(unreadable(printed, &reason)),
    }
}

/// Returns the JSON in the output without the text around it, and a warning about text that follows it.
fn result(stdout: &str) -> Result<(Json, Option<String>), String> {
    let lines: Vec<&str> = stdout.lines().collect();
    let first = lines.iter().position(|line| line.trim_start().starts_with('{'));
    let first = first.ok_or("No start of json char found")?;
    let last = lines[first..].iter().rposition(|line| line.trim_end().ends_with('}'));
    let last = first + last.ok_or("No end of json char found")?;
    let behind = &lines[last + 1..];
    let junk = behind.iter().any(|line| !line.trim().is_empty());
    let junk = junk.then(|| format!("Module invocation had junk after the JSON data: {}", behind.join("\n")));
    let json = serde_json::from_str(&lines[first..=last].join("\n")).map_err(|e| e.to_string())?;
    Ok((json, junk))
}

fn unreadable(printed: &Printed, reason: &str) -> Failure {
    let said = |text: &str| {
        printed.interpreter.is_some_and(|name| {
            ["No such file or directory", "not found", "command not found"]
                .iter()
                .any(|end| text.contains(&format!("{name}: {end}")))
        })
    };
    let message = match printed.interpreter {
        Some(name) if said(printed.stderr) || said(printed.stdout) => {
            format!("The module interpreter '{name}' was not found.")
        }
        _ => format!("Module result deserialization failed: {reason}"),
    };
    let cause = Error::new(format!("{message} See stdout/stderr for the returned output."));
    let mut failure = Failure::from(cause)
        .with("msg", message)
        .with("module_stdout", printed.stdout)
        .with("module_stderr", printed.stderr)
        .with("rc", printed.rc);
    failure.outcome.changed = false;
    failure
}

/// Converts a result that is already parsed.
pub fn outcome(result: serde_json::Map<String, Json>) -> Result<Outcome, Failure> {
    with_junk(result, None)
}

fn with_junk(mut result: serde_json::Map<String, Json>, junk: Option<String>) -> Result<Outcome, Failure> {
    let flag = |result: &mut serde_json::Map<String, Json>, name: &str| {
        result.remove(name).map(Value::from_json).is_some_and(|value| value.is_true())
    };
    let exception = result.remove("exception").map(event_text);
    let given = result.contains_key("failed");
    let mut failed = flag(&mut result, "failed");
    if !given && let Some(rc) = result.get("rc") {
        failed = !matches!(rc, Json::Null) && rc.as_i64() != Some(0) && rc.as_str() != Some("0");
    }
    let changed = flag(&mut result, "changed");
    let skipped = flag(&mut result, "skipped");
    let unreachable = flag(&mut result, "unreachable");
    let mut warnings: Vec<String> = junk.into_iter().collect();
    warnings.extend(list(result.remove("warnings")).into_iter().map(event_text));
    let deprecations: Vec<Value> = list(result.remove("deprecations")).into_iter().map(deprecation).collect();
    // The engine uses lists of this name for the results of loops.
    if result.get("results").is_some_and(|results| !results.is_array() && !results.is_object())
        && let Some(results) = result.remove("results")
    {
        result.insert("ansible_module_results".into(), results);
        warnings.push(
            "Found internal 'results' key in module return, renamed to 'ansible_module_results'.".into(),
        );
    }
    result.retain(|name, _| !is_internal(name));
    let mut values: Map =
        result.into_iter().map(|(name, value)| (Value::from(name), Value::from_json(plain(value)))).collect();
    if !deprecations.is_empty() {
        values.insert("deprecations".into(), deprecations.into());
    }
    let mut outcome = Outcome { changed, skipped, warnings, values, ..Outcome::default() };
    if !failed && !unreachable {
        return Ok(outcome);
    }
    let said = outcome.values.get("msg").map(|msg| msg.to_text().into_owned());
    let message = exception.filter(|text| said.is_none() && !text.is_empty()).or(said);
    if !outcome.values.contains_key("msg")
        && let Some(message) = &message
    {
        outcome.values.insert("msg".into(), format!("Task failed: Module failed: {message}").into());
    }
    let error = Error::new(message.unwrap_or_else(|| "Module failed.".into()));
    Err(Failure { error, outcome, unreachable })
}

fn list(value: Option<Json>) -> Vec<Json> {
    match value {
        Some(Json::Array(items)) => items,
        None | Some(Json::Null) => Vec::new(),
        Some(one) => vec![one],
    }
}

/// The key with which ansible-core's module_utils mark the type of a value.
const TYPE: &str = "__ansible_type";

/// Returns the text of an error or a warning, including its causes.
fn event_text(value: Json) -> String {
    let Json::Object(summary) = &value else {
        return Value::from_json(value).to_text().into_owned();
    };
    match summary.get("event").or(Some(&value)) {
        Some(Json::Object(event)) => chained(event),
        _ => Value::from_json(plain(value)).to_text().into_owned(),
    }
}

fn chained(event: &serde_json::Map<String, Json>) -> String {
    let mut text = event.get("msg").and_then(Json::as_str).unwrap_or_default().to_owned();
    if let Some(Json::Object(chain)) = event.get("chain")
        && let Some(Json::Object(cause)) = chain.get("event")
    {
        let cause = chained(cause);
        if !cause.is_empty() && !text.contains(&cause) {
            text = format!("{}: {cause}", text.trim_end_matches('.'));
        }
    }
    match event.get("help_text").and_then(Json::as_str) {
        Some(help) => format!("{text} {help}"),
        None => text,
    }
}

/// Returns a deprecation in the form that results hold.
fn deprecation(value: Json) -> Value {
    let Json::Object(mut summary) = value else {
        return Value::from_json(value);
    };
    if summary.get(TYPE).is_none() {
        return Value::from_json(plain(summary.into()));
    }
    let mut map = Map::default();
    if let Some(event) = summary.remove("event") {
        map.insert("msg".into(), event_text(event).into());
    }
    if let Some(Json::Object(deprecator)) = summary.get("deprecator")
        && let Some(name) = deprecator.get("resolved_name").and_then(Json::as_str)
    {
        let parts: Vec<&str> = name.splitn(3, '.').take(2).collect();
        map.insert("collection_name".into(), parts.join(".").into());
    }
    for (name, value) in summary {
        if name != TYPE {
            map.insert(name.into(), Value::from_json(plain(value)));
        }
    }
    map.into()
}

/// Returns whether a key is internal to the engine.
fn is_internal(name: &str) -> bool {
    name.starts_with("_ansible_")
}

/// Removes the type marks of module_utils and internal keys.
fn plain(value: Json) -> Json {
    match value {
        Json::Array(items) => items.into_iter().map(plain).collect(),
        Json::Object(mut map) => {
            if map.remove(TYPE).is_some()
                && let Some(inner) = map.remove("value")
            {
                return plain(inner);
            }
            let kept = map.into_iter().filter(|(name, _)| !is_internal(name));
            kept.map(|(name, value)| (name, plain(value))).collect()
        }
        other => other,
    }
}

/// Returns the text of a deprecation warning.
pub fn deprecation_text(value: &Value) -> String {
    let text = |name: &str| value.get(name).filter(|v| !v.is_null()).map(|v| v.to_text().into_owned());
    let Some(message) = text("msg") else { return value.to_text().into_owned() };
    let plugin = value.get("deprecator").and_then(|by| {
        let (name, kind) = (by.get("resolved_name")?.as_str()?, by.get("type")?.as_str()?);
        let (_, name) = name.rsplit_once('.')?;
        let kind = if kind == "module" { kind.to_owned() } else { format!("{kind} plugin") };
        Some(format!(" {kind} '{name}' in"))
    });
    let plugin = plugin.unwrap_or_default();
    let by = match text("collection_name").as_deref() {
        None => String::new(),
        Some("ansible.builtin") => format!(" from{plugin} ansible-core"),
        Some(name) => format!(" from{plugin} collection '{name}'"),
    };
    let when = match (text("version"), text("date")) {
        (Some(version), _) => format!("version {version}"),
        (_, Some(date)) => format!("a release after {date}"),
        _ => "a future release".to_owned(),
    };
    let joint = if by.is_empty() || when.starts_with('a') { " in" } else { "" };
    format!("{}. This feature will be removed{by}{joint} {when}.", message.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stdout: &str) -> Result<Outcome, Failure> {
        super::read(&Printed { rc: 1, stdout, stderr: "oh", interpreter: Some("/usr/bin/x") })
    }

    #[test]
    fn junk_around_the_result_is_dropped() {
        let outcome = read("hello\n{\"changed\": true, \"n\": 1,\n\"m\": {}}\nbye\n").unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.values.get("n"), Some(&1.into()));
        assert_eq!(outcome.warnings, ["Module invocation had junk after the JSON data: bye"]);
    }

    #[test]
    fn no_result_is_a_failure_that_shows_the_output() {
        let failure = read("nothing\n").unwrap_err();
        let message = "Module result deserialization failed: No start of json char found";
        assert_eq!(failure.outcome.values.get("msg"), Some(&message.into()));
        assert_eq!(failure.outcome.values.get("module_stderr"), Some(&"oh".into()));
    }

    #[test]
    fn summaries_become_text() {
        let printed = r#"{"warnings": [{"event": {"msg": "careful", "__ansible_type": "Event"}, "__ansible_type": "WarningSummary"}],
            "deprecations": [{"event": {"msg": "old"}, "deprecator": {"resolved_name": "a.b.c", "type": null, "__ansible_type": "PluginInfo"}, "version": "9.9", "__ansible_type": "DeprecationSummary"}]}"#;
        let outcome = read(printed).unwrap();
        assert_eq!(outcome.warnings, ["careful"]);
        let told = &outcome.values.get("deprecations").unwrap().as_list().unwrap()[0];
        let text = "old. This feature will be removed from collection 'a.b' version 9.9.";
        assert_eq!(deprecation_text(told), text);
        let failure = read(
            r#"{"failed": true, "exception": {"event": {"msg": "boom"}, "__ansible_type": "ErrorSummary"}}"#,
        )
        .unwrap_err();
        assert_eq!(failure.error.message(), "boom");
        assert_eq!(read("{\"rc\": 2}").unwrap_err().outcome.values.get("rc"), Some(&2.into()));
    }
}
