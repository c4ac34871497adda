//! Calls: of filters, tests, lookups, functions and methods.

use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Map, Value};

use super::super::lazy::{as_asked_map, check_deep, force, force_deep, reach};
use super::super::{Call, Function, Renderer};
use super::super::{access, filters, globals, lookups, methods, object, secret, tests, undefined};
use super::macros::{Loop, Macro};
use super::output::concat;
use super::{Evaluator, Position};
use crate::jinja::program::{Arguments, Expr, Plugin};

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
const TOLERANT: [&str; 17] = [
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
];

fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

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
    if let Some(function) = filters::find(name) {
        return function_call(renderer, "filter", function, name, input, args, kwargs);
    }
    if let Some(filter) = renderer.environment.context.registry.filter(name) {
        return plugin_call("filter", name, input, args, kwargs, |input, args, kwargs| {
            filter.run(&input, &args, &kwargs)
        });
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
    let Some(function) = tests::find(name) else {
        return Err(not_found("test", name, |name| tests::find(name).is_some()));
    };
    match function_call(renderer, "test", function, name, input, args, kwargs)? {
        value @ (Value::Bool(_) | Value::Undefined(_) | Value::Unknown(_)) => Ok(value),
        other => Ok(Value::Bool(other.is_true())),
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
    let input = undefined::caught(reach(&input))?;
    if matches!(input, Value::Unknown(_)) {
        return Ok(input);
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
    let short = short(name);
    let shallow = SHALLOW.contains(&short);
    let tolerant = shallow || TOLERANT.contains(&short);
    let asks = matches!(short, "map" | "extract");
    let ready = |value: &Value| {
        if asks && as_asked_map(value).is_some() {
            return Ok(value.clone());
        }
        let value = if shallow { force(value)? } else { force_deep(value)? };
        match &value {
            Value::Undefined(reason) if undefined::is_blank(reason) => return Ok(Value::from("")),
            Value::List(_) | Value::Tuple(_) | Value::Map(_) if !tolerant => check_deep(&value)?,
            Value::Undefined(reason) => return Err(undefined::error(reason)),
            _ => {}
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
    undefined::caught(result).map_err(|error| {
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
    let built_in = lookups::find(name);
    let from_crate = registry.lookup(name);
    if built_in.is_none() && from_crate.is_none() {
        let error = Error::new(format!("The lookup plugin '{name}' was not found."));
        return Err(match near(name, |name| lookups::find(name).is_some()) {
            Some(near) => error.help(format!("did you mean '{near}'?")),
            None => error,
        });
    }
    let tolerant = short(name) == "first_found";
    let ready = |value: &Value| {
        let value = force_deep(value)?;
        if !tolerant {
            check_deep(&value)?;
        }
        Ok(value)
    };
    let prepare = || -> Result<(Vec<Value>, Map), Error> {
        let terms = terms.iter().map(ready).collect::<Result<Vec<_>, Error>>()?;
        let options =
            options.iter().map(|(k, v)| Ok((k.clone(), ready(v)?))).collect::<Result<Map, Error>>()?;
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
        (None, None) => Ok(Vec::new()),
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

/// Calls a value: a macro, a function, a method.
pub fn call_value(
    renderer: &Renderer,
    callee: &Value,
    args: Vec<Value>,
    kwargs: Map,
) -> Result<Value, Error> {
    match callee {
        Value::Undefined(_) | Value::Unknown(_) => return Ok(callee.clone()),
        _ => {}
    }
    if object::downcast::<Macro>(callee).is_none()
        && let Some(undefined) = args.iter().chain(kwargs.values()).find(|v| v.is_undefined())
    {
        return Ok(undefined.clone());
    }
    let result = object::behaviour(callee).and_then(|callee| callee.call(renderer, args, kwargs));
    result.unwrap_or_else(|| Err(Error::new(format!("'{}' object is not callable", callee.type_name()))))
}

impl<'p> Evaluator<'p> {
    pub(super) fn arguments(&mut self, arguments: &'p Arguments) -> Result<(Vec<Value>, Map), Error> {
        let mut args = self.eval_all(&arguments.positional)?;
        let mut kwargs = Map::with_capacity(arguments.named.len());
        for (name, value) in &arguments.named {
            kwargs.insert(Value::from(name.clone()), self.eval(value)?);
        }
        if let Some(splat) = &arguments.splat {
            let splat = self.eval(splat)?;
            args.extend(super::super::operators::iterate(&splat)?.iter().cloned());
        }
        if let Some(splat) = &arguments.named_splat {
            let splat = force(&self.eval(splat)?)?;
            undefined::check(&splat)?;
            let Some(map) = splat.as_map() else {
                let name = splat.type_name();
                return Err(Error::new(format!("argument after ** must be a mapping, not {name}")));
            };
            kwargs.extend(map.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        Ok((args, kwargs))
    }

    pub(super) fn filter(&mut self, input: &'p Expr, plugin: &'p Plugin) -> Result<Value, Error> {
        let input = match self.unset_environment_variable(input, plugin)? {
            Some(undefined) => undefined,
            None => self.eval(input)?,
        };
        let (args, kwargs) = self.arguments(&plugin.arguments).map_err(|e| self.fault(e, plugin.position))?;
        filter(&self.unit.renderer, &plugin.name, input, args, kwargs)
            .map_err(|e| self.plugin_fault(e, plugin.position))
    }

    pub(super) fn test(&mut self, input: &'p Expr, plugin: &'p Plugin) -> Result<Value, Error> {
        let input = self.eval(input)?;
        let (args, kwargs) = self.arguments(&plugin.arguments).map_err(|e| self.fault(e, plugin.position))?;
        test(&self.unit.renderer, &plugin.name, input, args, kwargs)
            .map_err(|e| self.plugin_fault(e, plugin.position))
    }

    /// A plugin's error with its place; to Ansible a name that does not exist is a syntax error.
    fn plugin_fault(&self, error: Error, position: Position) -> Error {
        let place = self.place(position);
        if error.get_kind() != ErrorKind::Syntax || error.cause().is_some() {
            return error.at(&place);
        }
        let what = if self.unit.expression { "expression" } else { "template" };
        let help = error.get_help().map(str::to_owned);
        let error = error.context(format!("Syntax error in {what}")).at(&place);
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// `lookup('env', X) | default(…)`: an unset variable is empty text everywhere, and undefined only to a
    /// `default` right behind the lookup.
    fn unset_environment_variable(
        &mut self,
        input: &'p Expr,
        plugin: &Plugin,
    ) -> Result<Option<Value>, Error> {
        if !matches!(short(&plugin.name), "default" | "d") {
            return Ok(None);
        }
        let Expr::Call(callee, arguments, _) = input else { return Ok(None) };
        let Expr::Name(function, _) = &**callee else { return Ok(None) };
        let [Expr::Const(lookup), term] = arguments.positional.as_slice() else { return Ok(None) };
        let is_env = matches!(&**function, "lookup" | "query" | "q")
            && lookup.as_str().is_some_and(|name| short(name) == "env")
            && arguments.named.iter().all(|(name, _)| &**name != "default");
        if !is_env {
            return Ok(None);
        }
        let term = self.eval(term)?;
        let unset = term.as_str().is_some_and(|name| std::env::var_os(name).is_none());
        Ok(unset.then(|| undefined::name(&term.to_text())))
    }

    pub(super) fn call(
        &mut self,
        callee: &'p Expr,
        arguments: &'p Arguments,
        position: Position,
    ) -> Result<Value, Error> {
        let result = self.call_with(callee, arguments, None, position);
        result.map_err(|error| self.fault(error, position))
    }

    /// The call of a call block: the callee gets the block as `caller`.
    pub(super) fn call_with_caller(&mut self, call: &'p Expr, caller: Value) -> Result<Value, Error> {
        let Expr::Call(callee, arguments, position) = call else {
            return self.eval(call);
        };
        let result = self.call_with(callee, arguments, Some(caller), *position);
        result.map_err(|error| self.fault(error, *position))
    }

    fn call_with(
        &mut self,
        callee: &'p Expr,
        arguments: &'p Arguments,
        caller: Option<Value>,
        position: Position,
    ) -> Result<Value, Error> {
        let value = match callee {
            Expr::Name(name, _) => match self.resolve(name) {
                Some(value) => undefined::caught(value)?,
                None => match &**name {
                    "lookup" | "query" | "q" => return self.lookup(name, arguments, position),
                    "super" => return self.super_block(),
                    _ => {
                        let (args, kwargs) = self.arguments(arguments)?;
                        return self.call_global(name, args, kwargs);
                    }
                },
            },
            Expr::Attribute(base, name, _) => {
                if let Expr::Name(base, _) = &**base
                    && &**base == "self"
                    && self.resolve(base).is_none()
                {
                    return self.own_block(name);
                }
                return self.call_method(base, name, arguments, caller);
            }
            other => self.eval(other)?,
        };
        let (args, mut kwargs) = self.arguments(arguments)?;
        if let Some(depth) = Loop::inner_depth(&value)
            && let (Some(code), Some(items)) = (self.loops.last().copied(), args.first())
        {
            let mut out = Vec::new();
            let items = items.clone();
            let outer = self.frame.clone();
            self.run_loop(code, items, depth, &mut out)?;
            self.frame = outer;
            return concat(out);
        }
        if let Some(caller) = caller {
            kwargs.insert("caller".into(), caller);
        }
        call_value(&self.unit.renderer, &value, args, kwargs)
    }

    fn call_global(&mut self, name: &Arc<str>, args: Vec<Value>, kwargs: Map) -> Result<Value, Error> {
        if let Some(undefined) = args.iter().chain(kwargs.values()).find(|v| v.is_undefined()) {
            return Ok(undefined.clone());
        }
        if let Some(unknown) = args.iter().chain(kwargs.values()).find(|v| matches!(v, Value::Unknown(_))) {
            return Ok(unknown.clone());
        }
        match globals::call(&self.unit.renderer, name, args, kwargs) {
            Some(result) => result,
            None => Ok(undefined::name(name)),
        }
    }

    fn call_method(
        &mut self,
        base: &'p Expr,
        name: &Arc<str>,
        arguments: &'p Arguments,
        caller: Option<Value>,
    ) -> Result<Value, Error> {
        if methods::MUTATING.contains(&&**name) {
            let (args, kwargs) = self.arguments(arguments)?;
            if let Some(result) = self.mutate(base, name, &args, &kwargs)? {
                return Ok(result);
            }
        }
        let object = reach(&self.eval(base)?)?;
        let (args, mut kwargs) = self.arguments(arguments)?;
        if matches!(object, Value::Undefined(_) | Value::Unknown(_)) {
            return Ok(object);
        }
        let attribute = object::attribute_of(&object, name);
        if attribute.is_none() {
            let macro_like = caller.is_some();
            let mut values = args.iter().chain(kwargs.values());
            if !macro_like
                && let Some(value) = values.find(|v| matches!(v, Value::Undefined(_) | Value::Unknown(_)))
            {
                return Ok(value.clone());
            }
            let args = args.iter().map(force_deep).collect::<Result<Vec<_>, _>>()?;
            if let Some(result) = methods::call(&object, name, &args, &kwargs) {
                let inputs: Vec<&Value> = [&object].into_iter().chain(&args).collect();
                return Ok(secret::taint(result?, &inputs));
            }
        }
        let value = match attribute {
            Some(value) => value,
            None => access::get_attribute(&object, name)?,
        };
        if let Some(caller) = caller {
            kwargs.insert("caller".into(), caller);
        }
        call_value(&self.unit.renderer, &value, args, kwargs)
    }

    /// `lookup(…)`, `query(…)`: constant terms that hold templates are rendered.
    fn lookup(
        &mut self,
        function: &str,
        arguments: &'p Arguments,
        position: Position,
    ) -> Result<Value, Error> {
        let outer = std::mem::replace(&mut self.embedded, true);
        let arguments = self.arguments(arguments);
        self.embedded = outer;
        let (args, mut kwargs) = arguments?;
        let mut args = args.into_iter();
        let Some(name) = args.next() else {
            return Err(Error::new(format!("{function}() needs the name of a lookup plugin")));
        };
        if matches!(name, Value::Undefined(_) | Value::Unknown(_)) {
            return Ok(name);
        }
        if function != "lookup" {
            kwargs.insert("wantlist".into(), Value::Bool(true));
        }
        lookup(&self.unit.renderer, &name.to_text(), args.collect(), kwargs)
            .map_err(|e| e.at(&self.place(position)))
    }
}
