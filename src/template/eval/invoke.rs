//! Evaluates calls in templates, and their arguments.

use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Map, Value};

use super::super::filters::{protomatter, short_name};
use super::super::lazy::{force, force_deep, reach};
use super::super::python::{access, methods, operators};
use super::super::{Renderer, budget, globals, object, secret, undefined};
use super::macros::{Loop, Macro};
use super::output::concat;
use super::{Evaluator, Position, plugins};
use crate::jinja::program::{Arguments, Expr, Plugin};

/// Calls a value: a macro, a function, a method.
pub(crate) fn call_value(
    renderer: &Renderer,
    callee: &Value,
    args: Vec<Value>,
    kwargs: Map,
) -> Result<Value, Error> {
    if undefined::is(callee) || matches!(callee, Value::Unknown(_)) {
        return Ok(callee.clone());
    }
    if object::downcast::<Macro>(callee).is_none()
        && let Some(undefined) = args.iter().chain(kwargs.values()).find(|v| undefined::is(v))
    {
        return Ok(undefined.clone());
    }
    let result = object::behavior(callee).and_then(|callee| callee.call(renderer, args, kwargs));
    let result = result
        .unwrap_or_else(|| Err(Error::new(format!("'{}' object is not callable", callee.type_name()))))?;
    budget::made(&result)?;
    Ok(result)
}

impl<'p> Evaluator<'p> {
    pub(super) fn arguments(&mut self, arguments: &'p Arguments) -> Result<(Vec<Value>, Map), Error> {
        self.arguments_with(&arguments.positional, arguments)
    }

    /// Calls it with other positional arguments.
    fn arguments_with(
        &mut self,
        positional: &'p [Expr],
        arguments: &'p Arguments,
    ) -> Result<(Vec<Value>, Map), Error> {
        let mut args = self.eval_all(positional)?;
        let mut kwargs = Map::with_capacity(arguments.named.len());
        for (name, value) in &arguments.named {
            kwargs.insert(Value::from(name.clone()), self.eval(value)?);
        }
        if let Some(splat) = &arguments.splat {
            let splat = self.eval(splat)?;
            args.extend(operators::iterate(&splat)?.iter().cloned());
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
            None => match self.eval(input) {
                Err(error) if protomatter::takes_errors(&plugin.name) => protomatter::captured(&error),
                input => input?,
            },
        };
        let (args, kwargs) = self.arguments(&plugin.arguments).map_err(|e| self.fault(e, plugin.position))?;
        plugins::filter(&self.unit.renderer, &plugin.name, input, args, kwargs)
            .map_err(|e| self.plugin_fault(e, plugin.position))
    }

    pub(super) fn test(&mut self, input: &'p Expr, plugin: &'p Plugin) -> Result<Value, Error> {
        let input = self.eval(input)?;
        let (args, kwargs) = self.arguments(&plugin.arguments).map_err(|e| self.fault(e, plugin.position))?;
        plugins::test(&self.unit.renderer, &plugin.name, input, args, kwargs)
            .map_err(|e| self.plugin_fault(e, plugin.position))
    }

    /// Adds the place to a plugin's error. In Ansible, a name that does not exist is a syntax error.
    fn plugin_fault(&self, error: Error, position: Position) -> Error {
        let place = self.place(position);
        if error.kind() != ErrorKind::Syntax || error.cause().is_some() {
            return error.at(&place);
        }
        let what = if self.unit.expression { "expression" } else { "template" };
        let help = error.help().map(str::to_owned);
        let error = error.context(format!("Syntax error in {what}")).at(&place);
        match help {
            Some(help) => error.with_help(help),
            None => error,
        }
    }

    /// Evaluates `lookup('env', X) | default(…)`: an unset variable is undefined for a `default` directly after the
    /// lookup, and the empty text everywhere else.
    fn unset_environment_variable(
        &mut self,
        input: &'p Expr,
        plugin: &Plugin,
    ) -> Result<Option<Value>, Error> {
        if !matches!(short_name(&plugin.name), "default" | "d") {
            return Ok(None);
        }
        let Expr::Call(callee, arguments, _) = input else { return Ok(None) };
        let Expr::Name(function, _) = &**callee else { return Ok(None) };
        let [Expr::Const(lookup), term] = arguments.positional.as_slice() else { return Ok(None) };
        let is_env = matches!(&**function, "lookup" | "query" | "q")
            && lookup.as_str().is_some_and(|name| short_name(name) == "env")
            && arguments.named.iter().all(|(name, _)| &**name != "default");
        if !is_env {
            return Ok(None);
        }
        let term = self.eval(term)?;
        let environment = &self.unit.renderer.environment;
        let unset = term.as_str().is_some_and(|name| environment.variable(name).is_none());
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

    /// Evaluates a call block: the callee gets the block as `caller`.
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
            Expr::Name(name, name_position) => match self.resolve(name) {
                Some(value) => undefined::caught(value)?,
                None => match &**name {
                    "lookup" | "query" | "q" => return self.lookup(name, arguments, position),
                    "super" => return self.super_block(),
                    _ => {
                        let (args, kwargs) = self.arguments(arguments)?;
                        return self.call_global(name, args, kwargs, *name_position);
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

    fn call_global(
        &mut self,
        name: &Arc<str>,
        args: Vec<Value>,
        kwargs: Map,
        position: Position,
    ) -> Result<Value, Error> {
        if let Some(undefined) = args.iter().chain(kwargs.values()).find(|v| undefined::is(v)) {
            return Ok(undefined.clone());
        }
        if let Some(unknown) = args.iter().chain(kwargs.values()).find(|v| matches!(v, Value::Unknown(_))) {
            return Ok(unknown.clone());
        }
        match globals::call(&self.unit.renderer, name, args, kwargs) {
            Some(result) => result.and_then(|value| budget::made(&value).map(|()| value)),
            None => {
                Ok(undefined::located(undefined::name(name), || self.place(position), || self.near(name)))
            }
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
            args.iter().chain(kwargs.values()).try_for_each(budget::measure)?;
            if let Some(result) = self.mutate(base, name, &args, &kwargs)? {
                return Ok(result);
            }
        }
        let object = reach(&self.eval(base)?)?;
        let (args, mut kwargs) = self.arguments(arguments)?;
        if undefined::is(&object) || matches!(object, Value::Unknown(_)) {
            return Ok(object);
        }
        let attribute = object::attribute_of(&object, name);
        if attribute.is_none() {
            let macro_like = caller.is_some();
            let mut values = args.iter().chain(kwargs.values());
            if !macro_like
                && let Some(value) = values.find(|v| undefined::is(v) || matches!(v, Value::Unknown(_)))
            {
                return Ok(value.clone());
            }
            let args = args.iter().map(force_deep).collect::<Result<Vec<_>, _>>()?;
            if let Some(result) = methods::call(&object, name, &args, &kwargs) {
                let inputs: Vec<&Value> = [&object].into_iter().chain(&args).collect();
                let result = result?;
                budget::made(&result)?;
                return Ok(secret::taint(result, &inputs));
            }
        }
        let value = match attribute {
            Some(value) => value,
            None => access::attribute(&object, name)?,
        };
        if let Some(caller) = caller {
            kwargs.insert("caller".into(), caller);
        }
        call_value(&self.unit.renderer, &value, args, kwargs)
    }

    /// Evaluates `lookup(…)` and `query(…)`, whose constant terms are rendered if they contain templates.
    fn lookup(
        &mut self,
        function: &str,
        arguments: &'p Arguments,
        position: Position,
    ) -> Result<Value, Error> {
        // The name of the plugin is not rendered.
        let outer = std::mem::replace(&mut self.embedded, false);
        let name = arguments.positional.first().map(|name| self.eval(name));
        self.embedded = true;
        let terms = arguments.positional.get(1..).unwrap_or_default();
        let evaluated = self.arguments_with(terms, arguments);
        self.embedded = outer;
        let name = name.transpose()?;
        let (args, mut kwargs) = evaluated?;
        let mut args = args.into_iter();
        let Some(name) = name.or_else(|| args.next()) else {
            return Err(Error::new(format!("{function}() needs the name of a lookup plugin")));
        };
        if undefined::is(&name) || matches!(name, Value::Unknown(_)) {
            return Ok(name);
        }
        if function != "lookup" {
            kwargs.insert("wantlist".into(), Value::Bool(true));
        }
        plugins::lookup(&self.unit.renderer, &name.to_text(), args.collect(), kwargs)
            .map_err(|e| e.at(&self.place(position)))
    }
}
