//! Calls filters, tests and lookups by name.

use playbook_api::context::Warnings;
use playbook_api::{Error, ErrorKind, List, Map, PluginKind, Plugins, Value, Variables, nearest};

use super::super::call::{Computed, Needs};
use super::super::lazy::{as_asked_map, check_deep, force, force_deep, reach};
use super::super::lookups::Undefined;
use super::super::{Call, Function, Renderer, budget, filters, lookups, purity, secret, tests, undefined};

fn full(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("ansible.builtin.{name}") }
}

/// Calls a filter by its short or full name. An undefined result is a value and not an error.
pub(crate) fn filter(
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
        purity::taint();
        return plugin_call("filter", name, Needs::WHOLE, input, args, kwargs, |input, args, kwargs| {
            filter.run(&input, &args, &kwargs)
        });
    }
    if let Some(plugins) = foreign
        && plugins.has(PluginKind::Filter, name)?
    {
        return foreign_call(plugins, PluginKind::Filter, name, input, args, kwargs);
    }
    Err(not_found(format!("No filter named '{name}'."), name, filters::names()).with_kind(ErrorKind::Syntax))
}

/// Calls a test by its short or full name. The result is a boolean, undefined or unknown.
pub(crate) fn test(
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
        _ => {
            return Err(not_found(format!("No test named '{name}'."), name, tests::names())
                .with_kind(ErrorKind::Syntax));
        }
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
    purity::taint();
    plugin_call(what, name, Needs::WHOLE, input, args, kwargs, |input, args, kwargs| {
        plugins.call(kind, name, &input, &args, &kwargs)
    })
}

/// The variables of a renderer's scope, for plugins in other languages.
pub(crate) struct ScopeVariables<'a>(pub &'a Renderer);

impl Variables for ScopeVariables<'_> {
    fn all(&self, host: Option<&str>) -> Option<Map> {
        self.0.scope.all_written(host)
    }
}

/// Returns the error for a plugin that does not exist. It suggests a similar name, or the last part of a fully
/// qualified one.
fn not_found(message: String, name: &str, names: impl Iterator<Item = &'static str>) -> Error {
    let error = Error::new(message);
    let last = name.rsplit('.').next().unwrap_or(name);
    let names: Vec<&str> = names.collect();
    let near = match names.contains(&last) {
        true => Some(last),
        false => nearest(last, names),
    };
    match near {
        Some(near) => error.with_help(format!("Did you mean '{near}'?")),
        None => error,
    }
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
    if function.needs.computed != Computed::Nothing {
        return plugin_call(what, name, function.needs, input, args, kwargs, run);
    }
    let input = undefined::plain(undefined::caught(reach(&input))?);
    let args = args.into_iter().map(undefined::plain).collect();
    let kwargs = kwargs.into_iter().map(|(key, value)| (key, undefined::plain(value))).collect();
    if matches!(input, Value::Unknown(_)) {
        return Ok(input);
    }
    if !function.needs.takes_vaults && undefined::Sealed::of(&input).is_some() {
        undefined::check(&input)?;
    }
    finish(what, name, run(input, args, kwargs))
}

/// Computes the input and the arguments of a plugin as far as it requires, and calls it.
fn plugin_call(
    what: &str,
    name: &str,
    needs: Needs,
    input: Value,
    args: Vec<Value>,
    kwargs: Map,
    run: impl FnOnce(Value, Vec<Value>, Map) -> Result<Value, Error>,
) -> Result<Value, Error> {
    let ready = |value: &Value| -> Result<Value, Error> {
        if needs.takes_member_maps && as_asked_map(value).is_some() {
            return Ok(value.clone());
        }
        if needs.takes_vaults
            && let Some(closed) = undefined::Sealed::find(value)?
        {
            return Ok(closed);
        }
        undefined::check_hard(value)?;
        let value = if needs.computed == Computed::Outside { force(value)? } else { force_deep(value)? };
        match &value {
            Value::Undefined(_) if undefined::is_blank(&value) => return Ok(Value::from("")),
            Value::List(_) | Value::Tuple(_) | Value::Map(_) => {
                if needs.computed == Computed::Whole && !needs.takes_vaults {
                    budget::measure(&value)?;
                    check_deep(&value)?;
                }
            }
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

/// Returns a plugin's result. An error about an undefined value becomes a value, and other errors name the plugin.
fn finish(what: &str, name: &str, result: Result<Value, Error>) -> Result<Value, Error> {
    let result = undefined::caught(result).and_then(|value| budget::made(&value).map(|()| value));
    result.map_err(|error| {
        let name = if what == "lookup" { name.to_owned() } else { full(name) };
        error.context(format!("The {what} plugin '{name}' failed"))
    })
}

/// Runs a lookup by its short or full name. With `wantlist` the result is its list. Otherwise a single item is the
/// result, and several texts are joined by commas.
pub(crate) fn lookup(
    renderer: &Renderer,
    name: &str,
    terms: Vec<Value>,
    mut options: Map,
) -> Result<Value, Error> {
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
        let message = format!("The lookup plugin '{name}' was not found.");
        return Err(not_found(message, name, lookups::names()));
    }
    let takes = match (built_in, foreign) {
        (Some(lookup), _) => lookup.undefined,
        (None, Some(plugins)) if plugins.takes_undefined(name) => Undefined::Terms,
        _ => Undefined::Nowhere,
    };
    let ready = |value: &Value| {
        let value = force_deep(value);
        if takes == Undefined::Terms {
            return undefined::caught(value).map(undefined::plain);
        }
        let value = value?;
        if takes == Undefined::Nowhere {
            check_deep(&value)?;
        }
        Ok(value)
    };
    let prepare = || -> Result<(Vec<Value>, Map), Error> {
        let terms = terms.iter().map(ready).collect::<Result<Vec<_>, Error>>()?;
        let options =
            options.iter().map(|(k, v)| Ok((k.clone(), ready(v)?))).collect::<Result<Map, Error>>()?;
        if takes != Undefined::Members {
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
    purity::taint();
    let found = match (built_in, from_crate) {
        (Some(lookup), _) => (lookup.run)(&terms, &options, renderer),
        (None, Some(lookup)) => {
            let mut context = renderer.environment.context.clone();
            context.warnings = Warnings::default();
            let found = lookup.run(&terms, &options, &context);
            context.warnings.take().into_iter().for_each(|warning| renderer.warn(warning));
            found
        }
        (None, None) => match foreign {
            Some(plugins) => plugins.lookup(name, &terms, &options, &ScopeVariables(renderer)),
            None => Ok(Vec::new()),
        },
    };
    let mut found = match found {
        Ok(found) => found,
        // As in ansible-core, `errors` is not about undefined variables.
        Err(error) if matches!(errors.as_str(), Some("ignore" | "warn")) && !error.is_undefined() => {
            if errors.as_str() == Some("warn") {
                let what = format!("An error occurred while running the lookup plugin '{name}'");
                renderer.warn(Error::new(format!("{what}: {error}")));
            }
            return Ok(if wantlist { Value::List(List::default()) } else { Value::Null });
        }
        Err(error) => return finish("lookup", name, Err(error)),
    };
    if from_crate.is_some_and(|lookup| built_in.is_none() && lookup.secret()) {
        found = found.into_iter().map(Value::into_secret).collect();
        found.iter().for_each(|value| renderer.environment.context.redactor.register_value(value));
    }
    let result = match found.as_slice() {
        _ if wantlist => Value::List(found.into()),
        [only] => only.clone(),
        many if !many.is_empty() && many.iter().all(|v| matches!(v, Value::Str(_))) => {
            let secret = many.iter().any(Value::is_secret);
            let joined = many.iter().map(Value::to_text).collect::<Vec<_>>().join(",");
            if secret { Value::secret(joined) } else { Value::from(joined) }
        }
        _ => Value::List(found.into()),
    };
    Ok(secret::taint(result, &terms.iter().chain(options.values()).collect::<Vec<_>>()))
}
