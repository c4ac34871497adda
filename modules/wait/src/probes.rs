//! The things a task wants to wait for: which probes, with which options.

use playbook_api::nearest;
use playbook_api::{Arguments, Context, Error, Map, Probe, Spec, Value};
use serde_json::Value as Json;

/// One thing to wait for.
pub(crate) struct Thing<'a> {
    /// The probe's name, with a number behind it where the task has several of the kind: `target_group[1]`.
    pub(crate) label: String,
    pub(crate) name: &'a str,
    pub(crate) probe: &'a dyn Probe,
    pub(crate) options: Map,
    /// Whether to wait until it exists.
    pub(crate) missing: bool,
}

/// Finds the probes and checks their options.
pub(crate) fn find<'a>(
    wanted: &'a serde_json::Map<String, Json>,
    context: &'a Context,
) -> Result<Vec<Thing<'a>>, Error> {
    let mut things = Vec::new();
    for (name, options) in wanted {
        let probe = context.registry.probe(name).ok_or_else(|| unknown(name, context))?;
        match options {
            Json::Array(several) => {
                for (i, options) in several.iter().enumerate() {
                    things.push(thing(format!("{name}[{i}]"), name, probe, options, context)?);
                }
            }
            options => things.push(thing(name.clone(), name, probe, options, context)?),
        }
    }
    if things.is_empty() {
        return Err(Error::new("there is nothing to wait for").with_help(known(context)));
    }
    Ok(things)
}

fn thing<'a>(
    label: String,
    name: &'a str,
    probe: &'a dyn Probe,
    options: &Json,
    context: &Context,
) -> Result<Thing<'a>, Error> {
    let given = match Value::from_json(options.clone()) {
        Value::Map(map) => (*map).clone(),
        Value::Null => Map::default(),
        text @ Value::Str(_) => {
            main_option(&probe.spec()).map(|name| (name.into(), text)).into_iter().collect()
        }
        other => {
            let names: Vec<String> = probe.spec().options.into_keys().collect();
            return Err(Error::new(format!("{label} is a {}, not a dict", other.type_name()))
                .with_help(format!("Its options are: {}.", names.join(", "))));
        }
    };
    let checked = Arguments::from(given).check(name, &probe.spec(), &context.redactor);
    let checked = Value::from_json(checked.map_err(|e| in_option(&label, e))?);
    let mut options = checked.as_map().cloned().unwrap_or_default();
    let missing = options.shift_remove(&Value::from("missing")).is_some_and(|value| value.is_true());
    Ok(Thing { label, name, probe, options, missing })
}

/// What a text alone stands for: the one option that is required, or the first.
fn main_option(spec: &Spec) -> Option<String> {
    let mut required = spec.options.iter().filter(|(_, option)| option.required).map(|(name, _)| name);
    match (required.next(), required.next()) {
        (Some(name), None) => Some(name.clone()),
        _ => spec.options.keys().next().cloned(),
    }
}

fn in_option(label: &str, error: Error) -> Error {
    let help = error.help().map(str::to_owned);
    let error = error.context(label);
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

fn unknown(name: &str, context: &Context) -> Error {
    let error = Error::new(format!("wait_until cannot wait for '{name}'"));
    let own = ["timeout", "interval", "backoff", "max_interval"];
    match nearest(name, context.registry.probes.iter().map(|p| p.name()).chain(own)) {
        Some(near) => error.with_help(format!("Did you mean '{near}'?")),
        None => error.with_help(known(context)),
    }
}

fn known(context: &Context) -> String {
    let mut names: Vec<&str> = context.registry.probes.iter().map(|p| p.name()).collect();
    names.sort_unstable();
    format!("It can wait for: {}.", names.join(", "))
}
