//! Conversion of a task's arguments into a module's argument struct, with errors that name the place.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::spec::{ArgType, CheckedBy, OptionSpec, Spec};
use crate::{Error, Map, Place, Redactor, Value, python};

/// A task's rendered arguments and where each was written.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// The rendered values, by the name that the task wrote.
    pub values: Map,
    /// Where each argument was written.
    pub places: HashMap<String, Place>,
    /// Where the name of each argument was written, if that is known.
    pub keys: HashMap<String, Place>,
    /// Where the task's action was written.
    pub place: Option<Place>,
}

impl From<Map> for Arguments {
    fn from(values: Map) -> Self {
        Arguments { values, ..Arguments::default() }
    }
}

impl Arguments {
    /// Returns an argument by the name that the task wrote.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    fn place_of(&self, name: &str) -> Option<&Place> {
        self.places.get(name).or(self.place.as_ref())
    }

    /// Checks the arguments against a spec, converts each to its type as Ansible would, and reads them into the
    /// module's struct. Secret arguments are registered with the redactor.
    pub fn parse<T: DeserializeOwned>(
        &self,
        module: &str,
        spec: &Spec,
        redactor: &Redactor,
    ) -> Result<T, Error> {
        let json = self.check(module, spec, redactor)?;
        serde_json::from_value(json).map_err(|e| {
            Error::new(format!("invalid arguments for {module}: {e}")).at_opt(self.place.as_ref())
        })
    }

    /// Validates and converts the arguments. The result uses the arguments' own names instead of aliases and leaves out
    /// defaults.
    pub fn check(&self, module: &str, spec: &Spec, redactor: &Redactor) -> Result<Json, Error> {
        let (json, faults) = self.examine(module, spec, redactor, true);
        match faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(Json::Object(json)),
        }
    }

    /// Returns every error in the arguments before they are rendered. A [`Value::Unknown`] is accepted for any type, and
    /// no argument counts as missing unless they are `complete`.
    pub fn faults(&self, module: &str, spec: &Spec, complete: bool) -> Vec<Error> {
        self.examine(module, spec, &Redactor::default(), complete).1
    }

    fn examine(
        &self,
        module: &str,
        spec: &Spec,
        redactor: &Redactor,
        complete: bool,
    ) -> (serde_json::Map<String, Json>, Vec<Error>) {
        let faults = RefCell::default();
        let at = Where { module, path: String::new(), arguments: self, redactor, complete, faults: &faults };
        let json = check_map(&self.values, spec, &at);
        (json, faults.into_inner())
    }
}

struct Where<'a> {
    module: &'a str,
    path: String,
    arguments: &'a Arguments,
    redactor: &'a Redactor,
    /// Whether these are all of the task's arguments.
    complete: bool,
    faults: &'a RefCell<Vec<Error>>,
}

impl Where<'_> {
    fn fault(&self, error: Error) {
        self.faults.borrow_mut().push(error);
    }

    fn error(&self, name: &str, message: String) -> Error {
        let top = self.path.split(['.', '[']).next().filter(|p| !p.is_empty()).unwrap_or(name);
        let message =
            if self.path.is_empty() { message } else { format!("{message} found in '{}'", self.path) };
        Error::new(message).at_opt(self.arguments.place_of(top))
    }

    fn within<'b>(&'b self, name: &str) -> Where<'b> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Where { path, ..*self }
    }
}

/// Converts the arguments to their types. Problems are pushed to `faults`, the most severe first.
fn check_map(values: &Map, spec: &Spec, at: &Where) -> serde_json::Map<String, Json> {
    let mut given: HashMap<&str, (&str, &Value)> = HashMap::new();
    let mut out = serde_json::Map::new();
    // What a misspelled name stands for is not missing, too.
    let mut misspelled: Vec<&str> = Vec::new();
    for (key, value) in values {
        let written = key.as_str().unwrap_or_default();
        if matches!(value, Value::Omit) {
            continue;
        }
        let Some((name, option)) = spec.find(written) else {
            if !spec.open {
                at.fault(unsupported(key, spec, at));
                misspelled
                    .extend(meant(written, spec).and_then(|name| spec.find(name)).map(|(name, _)| name));
                continue;
            }
            at.redactor.register_marked(value);
            out.insert(written.to_owned(), value.to_json());
            continue;
        };
        if value.is_null() && option.kind != ArgType::Raw {
            continue;
        }
        // An alias never wins over the name itself.
        if written == name || !given.contains_key(name) {
            given.insert(name, (written, value));
        }
    }
    let has = |name: &String| given.contains_key(name.as_str());
    // What is not known may yet be omitted.
    let surely = |name: &String| {
        given.get(name.as_str()).is_some_and(|(_, value)| !matches!(value, Value::Unknown(_)))
    };
    for group in &spec.mutually_exclusive {
        let found: Vec<&str> = group.iter().filter(|n| surely(n)).map(String::as_str).collect();
        if let [_, second, ..] = found.as_slice() {
            let written = given.get(second).map_or(*second, |(written, _)| written);
            at.fault(at.error(written, format!("parameters are mutually exclusive: {}", group.join("|"))));
        }
    }
    let mut missing: Vec<&str> =
        spec.options.iter().filter(|(n, o)| o.required && !has(n)).map(|(n, _)| n.as_str()).collect();
    missing.retain(|name| !misspelled.contains(name));
    if !missing.is_empty() && at.complete {
        missing.sort_unstable();
        at.fault(at.error("", format!("missing required arguments: {}", missing.join(", "))));
    }
    for (name, option) in &spec.options {
        let Some((written, value)) = given.get(name.as_str()) else { continue };
        match check_option(written, value, option, at) {
            _ if matches!(value, Value::Unknown(_)) => {}
            Ok(json) => {
                out.insert(name.clone(), json);
            }
            Err(error) => at.fault(error),
        }
    }
    if !at.complete {
        return out;
    }
    for group in &spec.required_together {
        if group.iter().any(has) && !group.iter().all(has) {
            at.fault(at.error("", format!("parameters are required together: {}", group.join(", "))));
        }
    }
    for group in &spec.required_one_of {
        if !group.iter().any(|name| has(name) || misspelled.contains(&name.as_str())) {
            let names = group.join(", ");
            at.fault(at.error("", format!("one of the following is required: {names}")));
        }
    }
    for (name, value, wants, any) in &spec.required_if {
        let unknown = has(name) && !surely(name);
        let default = || spec.options.get(name).filter(|_| !unknown).and_then(|o| o.default.as_ref());
        let actual = out.get(name).or_else(default);
        if actual != Some(value) {
            continue;
        }
        let missing: Vec<&str> = wants.iter().filter(|n| !has(n)).map(String::as_str).collect();
        if if *any { missing.len() == wants.len() } else { !missing.is_empty() } {
            let shown =
                value.as_str().map_or_else(|| python::repr(&Value::from_json(value.clone())), str::to_owned);
            let (all, missing) = (if *any { "any" } else { "all" }, missing.join(", "));
            at.fault(
                at.error(
                    name,
                    format!("{name} is {shown} but {all} of the following are missing: {missing}"),
                ),
            );
        }
    }
    for (name, wants) in &spec.required_by {
        let missing: Vec<&str> = wants.iter().filter(|n| !has(n)).map(String::as_str).collect();
        if has(name) && !missing.is_empty() {
            let missing = missing.join(", ");
            at.fault(at.error(name, format!("missing parameter(s) required by '{name}': {missing}")));
        }
    }
    out
}

fn unsupported(key: &Value, spec: &Spec, at: &Where) -> Error {
    let mut names: Vec<String> = spec
        .options
        .iter()
        .map(|(name, o)| match o.aliases.as_slice() {
            [] => name.clone(),
            aliases => format!("{name} ({})", aliases.join(", ")),
        })
        .collect();
    names.sort_unstable();
    let written = key.to_text().into_owned();
    let shown = if at.path.is_empty() { written.clone() } else { format!("{}.{written}", at.path) };
    if written == "_raw_params" {
        return Error::new(format!("Action '{}' does not support raw params.", at.module))
            .at_opt(at.arguments.place_of(&written))
            .at_opt(at.arguments.place.as_ref())
            .with_help("Give each argument by its name: `name=value`, or in YAML.");
    }
    let module = at.module;
    let by_name = |what: &str| {
        let names = names.join(", ");
        format!(
            "Unsupported parameters for ({module}) {what}: {shown}. Supported parameters include: {names}."
        )
    };
    let message = match spec.checked_by {
        CheckedBy::Module => by_name("module"),
        CheckedBy::Probe => by_name("probe"),
        CheckedBy::Action => format!("Invalid options for {module}: {shown}"),
        CheckedBy::ActionByOption => format!("{shown} is not a valid option in {module}"),
    };
    let key = at.arguments.keys.get(&written).or_else(|| at.arguments.place_of(&written));
    let error = Error::new(message).at_opt(key.filter(|_| at.path.is_empty()));
    let error = error.at_opt(at.arguments.place.as_ref());
    match meant(&written, spec) {
        Some(name) => error.with_help(format!("Did you mean '{name}'?")),
        None if spec.checked_by == CheckedBy::Probe => error,
        None => error.with_help(format!("`playbook doc {}` lists the parameters.", at.module)),
    }
}

/// Returns the name of an option that a misspelled name may stand for.
fn meant<'s>(written: &str, spec: &'s Spec) -> Option<&'s str> {
    let known = spec.options.iter().flat_map(|(n, o)| std::iter::once(n).chain(&o.aliases));
    crate::nearest(written, known.map(String::as_str))
}

fn check_option(written: &str, value: &Value, option: &OptionSpec, at: &Where) -> Result<Json, Error> {
    if option.no_log {
        at.redactor.register_value(value);
    } else {
        at.redactor.register_marked(value);
    }
    let inside = at.within(written);
    let json = convert(value, &option.kind, &inside).map_err(|e| {
        if e.place().is_some() {
            return e;
        }
        let kind = match &option.kind {
            ArgType::List(_) if e.message().starts_with("Elements") => {
                return at.error(written, e.message().into());
            }
            kind => kind.name(),
        };
        let message = format!(
            "argument '{written}' is of type {} and we were unable to convert to {kind}: {e}",
            value.type_name()
        );
        at.error(written, message)
    })?;
    let json = choice_of_bool(json, &option.choices);
    if !option.choices.is_empty() {
        let all: Vec<&Json> = json.as_array().map_or_else(|| vec![&json], |items| items.iter().collect());
        for item in all {
            let text = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            if item.is_null() {
                continue;
            }
            if !option.choices.contains(&text) {
                let which = if json.is_array() { "one or more of" } else { "one of" };
                let choices = option.choices.join(", ");
                return Err(
                    at.error(written, format!("value of {written} must be {which}: {choices}, got: {text}"))
                );
            }
        }
    }
    Ok(json)
}

/// YAML reads `yes` and `no` as booleans: where these are choices, the only one that means the same is taken.
fn choice_of_bool(json: Json, choices: &[String]) -> Json {
    let meaning = match json.as_str() {
        Some("True") => true,
        Some("False") => false,
        _ => return json,
    };
    if choices.iter().any(|choice| Some(choice.as_str()) == json.as_str()) {
        return json;
    }
    let mut same = choices.iter().filter(|choice| to_bool(&Value::str(choice.as_str())) == Some(meaning));
    match (same.next(), same.next()) {
        (Some(choice), None) => Json::String(choice.clone()),
        _ => json,
    }
}

/// Converts a value as Ansible's argument types do. An error without a place is only the reason.
fn convert(value: &Value, kind: &ArgType, at: &Where) -> Result<Json, Error> {
    let no = || {
        let shown = match kind {
            ArgType::Int => format!("\"{}\"", python::repr(value)),
            _ => format!("<class '{}'>", value.type_name()),
        };
        Error::new(format!("{shown} cannot be converted to {}", article(kind)))
    };
    match kind {
        _ if matches!(value, Value::Unknown(_)) => Ok(Json::Null),
        ArgType::Raw => Ok(value.to_json()),
        ArgType::Str | ArgType::Path => Ok(Json::String(match value {
            Value::List(_) | Value::Tuple(_) | Value::Map(_) => value.to_text().into_owned(),
            other => other.to_text().into_owned(),
        })),
        ArgType::Bool => to_bool(value).map(Json::Bool).ok_or_else(|| {
            Error::new(format!(
                "The value {} is not a valid boolean. Valid booleans include: 0, 1, 'f', 'false', 'n', \
                'no', 'off', 'on', 't', 'true', 'y', 'yes'",
                python::repr(value)
            ))
        }),
        ArgType::Int => match value {
            Value::Int(n) => Ok((*n).into()),
            Value::Bool(b) => Ok(i64::from(*b).into()),
            Value::Float(n) if n.fract() == 0.0 => Ok((*n as i64).into()),
            Value::Str(text) => text.trim().parse::<i64>().map(Json::from).map_err(|_| no()),
            _ => Err(no()),
        },
        ArgType::Float => {
            let number = match value {
                Value::Str(text) => text.trim().parse::<f64>().ok(),
                other => other.as_f64(),
            };
            // JSON has neither infinity nor NaN.
            number.filter(|number| number.is_finite()).map(Json::from).ok_or_else(no)
        }
        ArgType::List(element) => {
            let items: Vec<Value> = match value {
                Value::List(items) | Value::Tuple(items) => items.to_vec(),
                Value::Str(text) if text.contains(',') || text.is_empty() => text
                    .split(',')
                    .map(|t| keep_mark(t.trim(), text.is_secret()))
                    .filter(|v| !v.to_text().is_empty())
                    .collect(),
                Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => vec![value.clone()],
                Value::Map(_) if matches!(**element, ArgType::Dict(_)) => vec![value.clone()],
                _ => return Err(no()),
            };
            let convert_one = |(i, item): (usize, &Value)| {
                let at = Where { path: format!("{}[{i}]", at.path), ..at.within("") };
                convert(item, element, &at).map_err(|e| {
                    if e.place().is_some() {
                        e
                    } else {
                        Error::new(format!(
                            "Elements value for option '{}' is of type {} and we were unable \
                        to convert to {}: {e}",
                            at.path.split('[').next().unwrap_or(""),
                            item.type_name(),
                            element.name()
                        ))
                    }
                })
            };
            items.iter().enumerate().map(convert_one).collect::<Result<Vec<_>, _>>().map(Json::Array)
        }
        ArgType::Dict(spec) => {
            let parsed;
            let map = match value {
                Value::Map(map) => map,
                Value::Str(text) => {
                    parsed = text_to_dict(text).ok_or_else(no)?;
                    parsed.as_map().ok_or_else(no)?
                }
                _ => return Err(no()),
            };
            match spec {
                Some(spec) => Ok(Json::Object(check_map(map, spec, at))),
                None => Ok(Value::from(map.clone()).to_json()),
            }
        }
    }
}

fn keep_mark(text: &str, secret: bool) -> Value {
    if secret { Value::secret(text) } else { Value::str(text) }
}

fn article(kind: &ArgType) -> String {
    match kind {
        ArgType::Int => "an int".into(),
        kind => format!("a {}", kind.name()),
    }
}

/// Converts the texts and numbers that Ansible accepts as booleans.
pub fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        Value::Float(n) if *n == 1.0 => Some(true),
        Value::Float(n) if *n == 0.0 => Some(false),
        Value::Str(text) => match text.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Parses a dict that is written as JSON or as `k=v, k=v`.
fn text_to_dict(text: &str) -> Option<Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).ok().map(Value::from_json);
    }
    let mut map = Map::default();
    for pair in text.split([',', ' ']).map(str::trim).filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        map.insert(key.trim().into(), value.trim().trim_matches(['"', '\'']).into());
    }
    (!map.is_empty()).then(|| map.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;
    use schemars::JsonSchema;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum State {
        /// It is there.
        Present,
        /// It is not.
        Absent,
    }

    /// A sample.
    #[derive(Debug, Deserialize, JsonSchema)]
    #[schemars(extend("required_if" = [["state", "present", ["size"]]]))]
    struct Sample {
        /// Where.
        #[schemars(extend("aliases" = ["dest"], "format" = "path"))]
        path: String,
        state: Option<State>,
        #[serde(default)]
        force: bool,
        size: Option<i64>,
        tags: Option<Vec<String>>,
    }

    fn parse(values: Map) -> Result<Sample, Error> {
        let mut arguments = Arguments::from(values);
        arguments.place = Some(Place::new("site.yml", 4, 7));
        arguments.parse("sample", &Spec::of::<Sample>(), &Redactor::default())
    }

    #[test]
    fn converts_and_resolves_aliases() {
        let sample = parse(
            map! { "dest" => "/x", "force" => "yes", "state" => "present", "size" => "3", "tags" => "a, b" },
        )
        .unwrap();
        assert_eq!(sample.path, "/x");
        assert!(sample.force);
        assert_eq!((sample.size, sample.state), (Some(3), Some(State::Present)));
        assert_eq!(sample.tags.unwrap(), ["a", "b"]);
    }

    #[test]
    fn errors_name_the_place_and_the_nearest_name() {
        let error = parse(map! { "path" => "/x", "sizes" => 1 }).unwrap_err();
        assert_eq!(error.place().unwrap().to_string(), "site.yml:4:7");
        assert_eq!(error.help(), Some("Did you mean 'size'?"));
        assert!(error.message().starts_with("Unsupported parameters for (sample) module: sizes."));
        let error = parse(map! { "path" => "/x", "state" => "gone" }).unwrap_err();
        assert_eq!(error.message(), "value of state must be one of: present, absent, got: gone");
        assert_eq!(parse(Map::default()).unwrap_err().message(), "missing required arguments: path");
        let error = parse(map! { "path" => "/x", "state" => "present" }).unwrap_err();
        assert_eq!(error.message(), "state is present but all of the following are missing: size");
        let error = parse(map! { "path" => "/x", "size" => "many" }).unwrap_err();
        assert_eq!(
            error.message(),
            "argument 'size' is of type str and we were unable to convert to int: \"'many'\" cannot be \
            converted to an int"
        );
    }

    #[test]
    fn a_boolean_is_the_choice_that_means_the_same() {
        let choices = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let upgrade = choices(&["dist", "full", "no", "safe", "yes"]);
        assert_eq!(choice_of_bool("True".into(), &upgrade), Json::from("yes"));
        assert_eq!(choice_of_bool("False".into(), &upgrade), Json::from("no"));
        assert_eq!(choice_of_bool("dist".into(), &upgrade), Json::from("dist"));
        assert_eq!(choice_of_bool("True".into(), &choices(&["yes", "on"])), Json::from("True"));
        assert_eq!(choice_of_bool("True".into(), &choices(&["True", "yes"])), Json::from("True"));
    }
}
