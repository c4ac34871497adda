//! The argument specs of roles, in `meta/argument_specs.yml`.

use playbook_api::spec::{ArgType, OptionSpec, Spec};
use playbook_api::{Arguments, Map, Redactor, Value};

/// Validates values against the options of an argument spec. Returns the errors.
pub fn check(options: &Map, values: &Map) -> Vec<String> {
    let mut errors = Vec::new();
    level(&spec(options), values, &mut Vec::new(), &mut errors);
    errors
}

/// Validates one level of the spec; `path` leads to it.
fn level(spec: &Spec, values: &Map, path: &mut Vec<String>, errors: &mut Vec<String>) {
    let mut missing: Vec<&str> = spec
        .options
        .iter()
        .filter(|(name, o)| o.required && !values.contains_key(name.as_str()))
        .map(|(n, _)| n.as_str())
        .collect();
    if !missing.is_empty() {
        missing.sort_unstable();
        let found = if path.is_empty() { String::new() } else { format!(" found in {}", path.join(" -> ")) };
        errors.push(format!("missing required arguments: {}{found}", missing.join(", ")));
    }
    if !path.is_empty() {
        unsupported(spec, values, path, errors);
    }
    // Each option is validated separately, so that all errors are reported at once.
    for (name, option) in &spec.options {
        let Some((written, value)) =
            std::iter::once(name).chain(&option.aliases).find_map(|n| values.get(n.as_str()).map(|v| (n, v)))
        else {
            continue;
        };
        if value.is_null() && option.required && !matches!(option.kind, ArgType::Raw | ArgType::Str) {
            errors.push(null(written, &option.kind));
            continue;
        }
        if let (ArgType::Dict(Some(inner)), Value::Map(values)) = (&option.kind, value) {
            path.push(name.clone());
            level(inner, values, path, errors);
            path.pop();
            continue;
        }
        let one = Spec {
            options: [(name.clone(), OptionSpec { required: false, ..option.clone() })].into_iter().collect(),
            ..Spec::default()
        };
        let arguments = Arguments::from(Map::from_iter([(Value::from(written.as_str()), value.clone())]));
        if let Err(e) = arguments.check("argument spec", &one, &Redactor::default()) {
            errors.push(e.message().to_owned());
        }
    }
}

/// Reports suboptions that the spec does not have.
fn unsupported(spec: &Spec, values: &Map, path: &[String], errors: &mut Vec<String>) {
    let directory = path.join(".");
    let unknown = values.keys().map(Value::to_text).filter(|key| spec.find(key).is_none());
    let mut unknown: Vec<String> = unknown.map(|key| format!("{directory}.{key}")).collect();
    if unknown.is_empty() {
        return;
    }
    unknown.sort_unstable();
    let mut known: Vec<&str> = spec.options.keys().map(String::as_str).collect();
    known.sort_unstable();
    errors.push(format!("{}. Supported parameters include: {}.", unknown.join(", "), known.join(", ")));
}

/// Returns the error for a required option that is null.
fn null(name: &str, kind: &ArgType) -> String {
    let reason = match kind {
        ArgType::Int => "\"None\" cannot be converted to an int".to_owned(),
        kind => format!("<class 'NoneType'> cannot be converted to a {}", kind.name()),
    };
    let kind = kind.name();
    format!("argument '{name}' is of type NoneType and we were unable to convert to {kind}: {reason}")
}

fn spec(options: &Map) -> Spec {
    let mut spec = Spec::default();
    for (name, option) in options {
        spec.options.insert(name.to_text().into_owned(), self::option(option));
    }
    spec
}

fn option(written: &Value) -> OptionSpec {
    let text = |name: &str| written.get(name).map(|v| v.to_text().into_owned());
    let flag = |name: &str| written.get(name).and_then(playbook_api::arguments::to_bool).unwrap_or(false);
    let texts = |name: &str| -> Vec<String> {
        written
            .get(name)
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .map(|v| v.to_text().into_owned())
            .collect()
    };
    let nested = written.get("options").and_then(Value::as_map).map(|o| Box::new(spec(o)));
    OptionSpec {
        description: text("description").unwrap_or_default(),
        kind: kind(text("type").as_deref().unwrap_or("str"), text("elements").as_deref(), nested),
        aliases: texts("aliases"),
        required: flag("required"),
        default: written.get("default").filter(|v| !v.is_null()).map(Value::to_json),
        choices: texts("choices"),
        no_log: flag("no_log"),
    }
}

fn kind(name: &str, elements: Option<&str>, nested: Option<Box<Spec>>) -> ArgType {
    match name {
        "bool" => ArgType::Bool,
        "int" => ArgType::Int,
        "float" => ArgType::Float,
        "path" => ArgType::Path,
        "dict" => ArgType::Dict(nested),
        "list" => ArgType::List(Box::new(elements.map_or(ArgType::Raw, |e| kind(e, None, nested)))),
        "raw" => ArgType::Raw,
        _ => ArgType::Str,
    }
}
