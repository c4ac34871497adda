//! `map`, `select`, `reject` and their attribute forms.

use playbook_api::{Error, Map, Value};

use super::arguments::{given, iterate};
use super::attributes::Path;
use super::lists::defined;
use crate::template::python::access;
use crate::template::{Call, Computed, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("map", map).needing(Computed::Members).taking_member_maps(),
    Function::new("select", select).needing(Computed::Members),
    Function::new("reject", reject).needing(Computed::Members),
    Function::new("selectattr", selectattr).needing(Computed::Members),
    Function::new("rejectattr", rejectattr).needing(Computed::Members),
    Function::new("attr", attr),
];

fn map(call: &mut Call) -> Result<Value, Error> {
    let input = call.input();
    let items = iterate(&input)?;
    let mut args = std::mem::take(&mut call.args);
    let mut kwargs = std::mem::take(&mut call.kwargs);
    if args.is_empty() && kwargs.contains_key("attribute") {
        let attribute = kwargs.shift_remove("attribute").unwrap_or_default();
        let default = given(kwargs.shift_remove("default"));
        if let Some(unknown) = kwargs.keys().next() {
            return Err(Error::new(format!("Unexpected keyword argument '{unknown}'")));
        }
        let path = Path::new(&attribute);
        let found = items.iter().map(|item| path.get(item, default.as_ref()));
        return found.collect::<Result<Vec<_>, _>>().map(Value::from);
    }
    if args.is_empty() {
        return Err(Error::new("map requires a filter argument"));
    }
    let name = args.remove(0).to_text().into_owned();
    items
        .iter()
        .map(|item| call.renderer.filter(&name, item.clone(), args.clone(), kwargs.clone()))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::from)
}

fn select(call: &mut Call) -> Result<Value, Error> {
    choose(call, true, false)
}

fn reject(call: &mut Call) -> Result<Value, Error> {
    choose(call, false, false)
}

fn selectattr(call: &mut Call) -> Result<Value, Error> {
    choose(call, true, true)
}

fn rejectattr(call: &mut Call) -> Result<Value, Error> {
    choose(call, false, true)
}

/// Keeps the items for which the test returns `wanted`. Without a test, their truth decides.
fn choose(call: &mut Call, wanted: bool, by_attribute: bool) -> Result<Value, Error> {
    let input = call.input();
    let items = iterate(&input)?;
    let mut args = std::mem::take(&mut call.args).into_iter();
    let path = if by_attribute {
        let attribute = args.next().ok_or_else(|| Error::new("Missing parameter for attribute name"))?;
        Some(Path::new(&attribute))
    } else {
        None
    };
    let name = args.next().map(|name| name.to_text().into_owned());
    let rest: Vec<Value> = args.collect();
    let kwargs: Map = std::mem::take(&mut call.kwargs);
    let mut kept = Vec::new();
    for item in items.iter() {
        let subject = path.as_ref().map_or_else(|| Ok(item.clone()), |path| path.get(item, None))?;
        let verdict = match &name {
            Some(name) => {
                defined(call.renderer.test(name, subject, rest.clone(), kwargs.clone())?)?.is_true()
            }
            None => defined(subject)?.is_true(),
        };
        if verdict == wanted {
            kept.push(item.clone());
        }
    }
    Ok(kept.into())
}

/// Jinja's `attr` finds attributes, never items of a map.
fn attr(call: &mut Call) -> Result<Value, Error> {
    let [name] = call.bind(["name"], 1)?;
    let name = name.unwrap_or_default();
    Ok(match &call.input {
        Value::Map(_) => Value::undefined(format!(
            "object of type 'dict' has no attribute {}",
            playbook_api::python::repr(&name)
        )),
        value => access::get_attribute(value, &name.to_text())?,
    })
}
