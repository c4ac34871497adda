//! Filters, tests and lookups by name.

use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Map, PluginKind, Plugins, Value, Variables};

use super::super::filters::short_name;
use super::super::lazy::{as_asked_map, check_deep, force, force_deep, reach};
use super::super::{Call, Function, Renderer, budget, filters, lookups, secret, tests, undefined};

/// What only looks at the outside of its input: the inside is not computed for it.
const SHALLOW: [&str; 14] = [
    "length",
    "count",
    "type_debug",
    "mapping",
    "sequence",
    "iterable",
    "string",
    "number",
    "boolean",
    "none",
    "integer",
    "float",
    "callable",
    "sameas",
];

/// Filters that take undefined members of their input as they are.
const TOLERANT: [&str; 19] = [
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "map",
    "list",
    "first",
    "last",
    "length",
    "count",
    "unique",
    "batch",
    "slice",
    "reverse",
    "random",
    "mandatory",
    "ternary",
    "zip",
    "zip_longest",
];

/// What takes a vault that cannot be opened as it is.
const SEALED: [&str; 5] = ["type_debug", "vault_encrypted", "unvault", "to_yaml", "to_nice_yaml"];

fn full(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("ansible.builtin.{name}") }
}

/// Calls a filter by its short or full name. What is undefined comes back undefined, not as an error.
pub fn filter(
    renderer: &Renderer,
    name: &str,
    input: Value,
    args: Vec<Value>,
    kwargs: Map,
) -> Result<Value, Error> {
    let foreign = renderer.environment.context.plugins.as_deref();
    let overridden = foreign.filter(|plugins| plugins.overrides(PluginKind::Filter, name));
    if let Some(function) = filters::find(name).filter(|_| overridden.is_none()) {
        return function_call(renderer, "filter", function, name, input, args, kwargs);
    }
    if let Some(filter) = renderer.environment.context.registry.filter(name) {
        return plugin_call("filter", name, input, args, kwargs, |input, args, kwargs| {
            filter.run(&input, &args, &kwargs)
        });
    }
    if let Some(plugins) = foreign
        && plugins.has(PluginKind::Filter, name)?
    {
        return foreign_call(plugins, PluginKind::Filter, name, input, args, kwargs);
    }
    Err(not_found("filter", name, |name| filters::find(name).is_some()))
}

/// Calls a test by its short or full name: a boolean, or what is undefined or unknown.
pub fn test(
    renderer: &Renderer,
    name: &str,
    input: Value,
    args: Vec<Value>,
    kwargs: Map,
) -> Result<Value, Error> {
    let foreign = renderer.environment.context.plugins.as_deref();
    let overridden = foreign.filter(|plugins| plugins.overrides(PluginKind::Test, name));
    let result = match (tests::find(name).filter(|_| overridden.is_none()), foreign) {
        (Some(function), _) => function_call(renderer, "test", function, name, input, args, kwargs)?,
        (None, Some(plugins)) if plugins.has(PluginKind::Test, name)? => {
            foreign_call(plugins, PluginKind::Test, name, input, args, kwargs)?
        }
        _ => return Err(not_found("test", name, |name| tests::find(name).is_some())),
    };
    match result {
        value @ (Value::Bool(_) | Value::Unknown(_)) => Ok(value),
        value if undefined::is(&value) => Ok(value),
        other => Ok(Value::Bool(other.is_true())),
    }
}

/// Calls a filter or test in another language.
fn foreign_call(
    plugins: &dyn Plugins,
    kind: PluginKind,
    name: &str,
    input: Value,
    args: Vec<Value>,
    kwargs: Map,
) -> Result<Value, Error> {
    let what = if kind == PluginKind::Filter { "filter" } else { "test" };
    plugin_call(what, name, input, args, kwargs, |input, args, kwargs| {
        plugins.call(kind, name, &input, &args, &kwargs)
    })
}

/// The variables of a renderer's scope, for plugins in other languages.
pub struct ScopeVariables<'a>(pub &'a Renderer);

impl Variables for ScopeVariables<'_> {
    fn all(&self, host: Option<&str>) -> Option<Map> {
        self.0.scope.all_written(host)
    }
}

fn not_found(what: &str, name: &str, exists: impl Fn(&str) -> bool) -> Error {
    let error = Error::new(format!("No {what} named '{name}'.")).kind(ErrorKind::Syntax);
    match near(name, exists) {
        Some(near) => error.help(format!("did you mean '{near}'?")),
        None => error,
    }
}

/// A name that exists and is one slip of the keyboard away, or the last part of a dotted one.
fn near(name: &str, exists: impl Fn(&str) -> bool) -> Option<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    if last != name && exists(last) {
        return Some(last.to_owned());
    }
    let chars: Vec<char> = name.chars().collect();
    let letters = || ('a'..='z').chain(['_']);
    let spell = |chars: Vec<char>| Some(chars.into_iter().collect::<String>()).filter(|name| exists(name));
    (0..=chars.len()).find_map(|i| {
        let mut without = chars.clone();
        let mut swapped = chars.clone();
        if i < chars.len() {
            without.remove(i);
        }
        if i + 1 < chars.len() {
            swapped.swap(i, i + 1);
        }
        spell(without).or_else(|| spell(swapped)).or_else(|| {
            letters().find_map(|letter| {
                let mut inserted = chars.clone();
                inserted.insert(i, letter);
                let mut replaced = chars.clone();
                if let Some(c) = replaced.get_mut(i) {
                    *c = letter;
                }
                spell(inserted).or_else(|| spell(replaced))
            })
        })
    })
}

fn function_call(
    renderer: &Renderer,
    what: &str,
    function: &Function,
    name: &str,
    input: Value,
    args: Vec<Value>,
    kwargs: Map,
) -> Result<Value, Error> {
    let run = |input: Value, args: Vec<Value>, kwargs: Map| {
        (function.call)(&mut Call { name, input, args, kwargs, renderer })
    };
    if !function.undefined {
        return plugin_call(what, name, input, args, kwargs, run);
    }
    let input = undefined::plain(undefined::caught(reach(&input))?);
    let args = args.into_iter().map(undefined::plain).collect();
    let kwargs = kwargs.into_iter().map(|(key, value)| (key, undefined::plain(value))).collect();
    if matches!(input, Value::Unknown(_)) {
        return Ok(input);
    }
    if !SEALED.contains(&short_name(name)) && undefined::Sealed::of(&input).is_some() {
        undefined::check(&input)?;
    }
    finish(what, name, run(input, args, kwargs))
}

/// Calls something that wants complete values.
fn plugin_call(
    what: &str,
    name: &str,
    input: Value,
    args: Vec<Value>,
    kwargs: Map,
    run: impl FnOnce(Value, Vec<Value>, Map) -> Result<Value, Error>,
) -> Result<Value, Error> {
    let short = short_name(name);
    // As a test `string` looks at the outside, as a filter it writes out everything.
    let shallow = SHALLOW.contains(&short) && (what == "test" || short != "string");
    let tolerant = shallow || TOLERANT.contains(&short);
    let sealed = SEALED.contains(&short);
    let asks = matches!(short, "map" | "extract");
    let ready = |value: &Value| -> Result<Value, Error> {
        if asks && as_asked_map(value).is_some() {
            return Ok(value.clone());
        }
        if sealed && let Some(closed) = undefined::Sealed::find(value)? {
            return Ok(closed);
        }
        undefined::check_hard(value)?;
        let value = if shallow { force(value)? } else { force_deep(value)? };
        match &value {
            Value::Undefined(_) if undefined::is_blank(&value) => return Ok(Value::from("")),
            Value::List(_) | Value::Tuple(_) | Value::Map(_) if !tolerant && !sealed => {
                budget::measure(&value)?;
                check_deep(&value)?;
            }
            Value::List(_) | Value::Tuple(_) | Value::Map(_) => {}
            _ => undefined::check(&value)?,
        }
        Ok(value)
    };
    let prepare = || {
        let input = ready(&input)?;
        let args = args.iter().map(ready).collect::<Result<Vec<_>, _>>()?;
        let kwargs =
            kwargs.iter().map(|(k, v)| Ok((k.clone(), ready(v)?))).collect::<Result<Map, Error>>()?;
        Ok((input, args, kwargs))
    };
    let (input, args, kwargs) = match prepare() {
        Ok(ready) => ready,
        Err(error) => return undefined::caught(Err(error)),
    };
    let unknown = {
        let mut all = [&input].into_iter().chain(&args).chain(kwargs.values());
        all.find(|value| matches!(value, Value::Unknown(_))).cloned()
    };
    if let Some(unknown) = unknown {
        return Ok(unknown);
    }
    if !secret::exist() {
        return finish(what, name, run(input, args, kwargs));
    }
    let inputs: Vec<Value> = [&input].into_iter().chain(&args).chain(kwargs.values()).cloned().collect();
    let result = finish(what, name, run(input, args, kwargs))?;
    Ok(secret::taint(result, &inputs.iter().collect::<Vec<_>>()))
}

/// A plugin's result: what is undefined is a value, what went wrong says which plugin it was.
fn finish(what: &str, name: &str, result: Result<Value, Error>) -> Result<Value, Error> {
    let result = undefined::caught(result).and_then(|value| budget::made(&value).map(|()| value));
    result.map_err(|error| {
        let name = if what == "lookup" { name.to_owned() } else { full(name) };
        error.context(format!("The {what} plugin '{name}' failed"))
    })
}

/// Runs a lookup by its short or full name. With `wantlist` its list is the result as it is; otherwise a single
/// item stands for itself, and texts are joined by commas.
pub fn lookup(renderer: &Renderer, name: &str, terms: Vec<Value>, mut options: Map) -> Result<Value, Error> {
    let wantlist = options.shift_remove("wantlist").is_some_and(|value| value.is_true());
    let errors = options.shift_remove("errors").unwrap_or_else(|| "strict".into());
    let registry = renderer.environment.context.registry.clone();
    let plugins = renderer.environment.context.plugins.as_deref();
    let overridden = plugins.filter(|plugins| plugins.overrides(PluginKind::Lookup, name));
    let built_in = lookups::find(name).filter(|_| overridden.is_none());
    let from_crate = registry.lookup(name);
    let known = built_in.is_some() || from_crate.is_some();
    let foreign = match plugins.filter(|_| !known) {
        Some(plugins) => plugins.has(PluginKind::Lookup, name)?.then_some(plugins),
        None => None,
    };
    if !known && foreign.is_none() {
        let error = Error::new(format!("The lookup plugin '{name}' was not found."));
        return Err(match near(name, |name| lookups::find(name).is_some()) {
            Some(near) => error.help(format!("did you mean '{near}'?")),
            None => error,
        });
    }
    let tolerant =
        matches!(short_name(name), "first_found" | "env") || foreign.is_some_and(|p| p.takes_undefined(name));
    let ready = |value: &Value| {
        let value = force_deep(value);
        if tolerant && short_name(name) != "env" {
            return undefined::caught(value).map(undefined::plain);
        }
        let value = value?;
        if !tolerant {
            check_deep(&value)?;
        }
        Ok(value)
    };
    let prepare = || -> Result<(Vec<Value>, Map), Error> {
        let terms = terms.iter().map(ready).collect::<Result<Vec<_>, Error>>()?;
        let options =
            options.iter().map(|(k, v)| Ok((k.clone(), ready(v)?))).collect::<Result<Map, Error>>()?;
        // What `env` takes for a default may be undefined.
        if short_name(name) != "env" {
            options.values().try_for_each(check_deep)?;
        }
        Ok((terms, options))
    };
    let (terms, options) = match prepare() {
        Ok(ready) => ready,
        Err(error) => return undefined::caught(Err(error)),
    };
    if let Some(unknown) = terms.iter().chain(options.values()).find(|v| matches!(v, Value::Unknown(_))) {
        return Ok(unknown.clone());
    }
    let found = match (built_in, from_crate) {
        (Some(lookup), _) => (lookup.run)(&terms, &options, renderer),
        (None, Some(lookup)) => lookup.run(&terms, &options, &renderer.environment.context),
        (None, None) => match foreign {
            Some(plugins) => plugins.lookup(name, &terms, &options, &ScopeVariables(renderer)),
            None => Ok(Vec::new()),
        },
    };
    let mut found = match found {
        Ok(found) => found,
        Err(_) if matches!(errors.as_str(), Some("ignore" | "warn")) => {
            return Ok(if wantlist { Value::List(Arc::default()) } else { Value::Null });
        }
        Err(error) => return finish("lookup", name, Err(error)),
    };
    if from_crate.is_some_and(|lookup| built_in.is_none() && lookup.secret()) {
        found = found.into_iter().map(Value::into_secret).collect();
        found.iter().for_each(|value| renderer.environment.context.redactor.register_value(value));
    }
    let result = match found.as_slice() {
        _ if wantlist => Value::List(Arc::new(found)),
        [only] => only.clone(),
        many if !many.is_empty() && many.iter().all(|v| matches!(v, Value::Str(_))) => {
            let secret = many.iter().any(Value::is_secret);
            let joined = many.iter().map(Value::to_text).collect::<Vec<_>>().join(",");
            if secret { Value::secret(joined) } else { Value::from(joined) }
        }
        _ => Value::List(Arc::new(found)),
    };
    Ok(secret::taint(result, &terms.iter().chain(options.values()).collect::<Vec<_>>()))
}
