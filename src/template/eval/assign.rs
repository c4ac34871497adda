//! Assignment, and methods that change the value of a name.

use std::sync::Arc;

use playbook_api::{Error, Map, Value};

use super::super::lazy::force;
use super::super::python::{access, methods, operators};
use super::super::{budget, object, undefined};
use super::Evaluator;
use crate::jinja::program::{Expr, Target};

impl<'p> Evaluator<'p> {
    pub(super) fn assign(&mut self, target: &Target, value: Value) -> Result<(), Error> {
        if !matches!(target, Target::Tuple(..)) {
            budget::measure(&value)?;
        }
        match target {
            Target::Name(name) => {
                self.frame().set(name, value);
                Ok(())
            }
            Target::Attribute(name, attribute, position) => {
                let holder = self.frame().get(name).unwrap_or_default();
                match object::behavior(&holder) {
                    Some(namespace) if namespace.set(attribute, value) => Ok(()),
                    _ => self.raise("cannot assign attribute on non-namespace object", *position),
                }
            }
            Target::Tuple(targets, position) => {
                let length = targets.len();
                let values = match operators::iterate(&value) {
                    Ok(values) => values,
                    Err(error) if error.is_undefined() => return Err(error),
                    Err(_) => {
                        let name = value.type_name();
                        return self.raise(format!("cannot unpack non-iterable {name} object"), *position);
                    }
                };
                if values.len() < length {
                    let got = values.len();
                    return self.raise(
                        format!("not enough values to unpack (expected {length}, got {got})"),
                        *position,
                    );
                }
                if values.len() > length {
                    return self.raise(format!("too many values to unpack (expected {length})"), *position);
                }
                for (target, value) in targets.iter().zip(values.iter()) {
                    self.assign(target, undefined::caught(force(value))?)?;
                }
                Ok(())
            }
        }
    }

    /// Calls a method that changes its object, if that object is the value of a name (`list.append(x)`,
    /// `ns.found.update(y)`). The name then has the changed value.
    pub(super) fn mutate(
        &mut self,
        holder: &'p Expr,
        method: &str,
        args: &[Value],
        kwargs: &Map,
    ) -> Result<Option<Value>, Error> {
        let mut result = None;
        self.change(holder, &mut |value| {
            result = methods::mutate(value, method, args, kwargs).transpose()?;
            Ok(())
        })?;
        Ok(result)
    }

    /// Passes the value of an expression to a function that changes it in place.
    fn change(
        &mut self,
        holder: &'p Expr,
        change: &mut dyn FnMut(&mut Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match holder {
            Expr::Name(name, _) => {
                let taken = self.frame.as_ref().and_then(|frame| frame.take(name));
                let mut value = match taken {
                    Some(value) => value,
                    None => self.eval(holder)?,
                };
                let result = change(&mut value);
                self.frame().put(name, value);
                result
            }
            Expr::Attribute(base, name, _) => {
                let key = Value::from(name.clone());
                self.change(base, &mut |base| change_member(base, &key, change))
            }
            Expr::Item(base, key, _) => {
                let key = self.eval(key)?;
                self.change(base, &mut |base| change_member(base, &key, change))
            }
            other => {
                let mut value = self.eval(other)?;
                change(&mut value)
            }
        }
    }
}

fn change_member(
    base: &mut Value,
    key: &Value,
    change: &mut dyn FnMut(&mut Value) -> Result<(), Error>,
) -> Result<(), Error> {
    if matches!(base, Value::Object(_)) {
        *base = force(base)?;
    }
    if let Some((behavior, name)) = object::behavior(base).zip(key.as_str())
        && let Some(mut value) = behavior.take(name)
    {
        let result = change(&mut value);
        behavior.set(name, value);
        return result;
    }
    let member = match base {
        Value::Map(map) => Arc::make_mut(map).get_mut(key),
        Value::List(items) => {
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let index = key.as_i64().map(|i| if i < 0 { i + length } else { i });
            index.and_then(|i| usize::try_from(i).ok()).and_then(|i| items.get_mut(i))
        }
        _ => None,
    };
    match member {
        Some(member) => {
            if matches!(member, Value::Object(_)) {
                *member = force(member)?;
            }
            change(member)
        }
        None => change(&mut access::get_item(base, key)?),
    }
}
