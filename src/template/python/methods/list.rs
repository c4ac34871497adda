//! Methods of lists and tuples.

use std::cmp::Ordering;

use playbook_api::{Error, Value};

use super::super::operators;
use super::super::sort::sort;
use super::Args;
use crate::template::lazy::force_deep;

pub(super) const NAMES: [&str; 11] =
    ["append", "extend", "insert", "pop", "remove", "reverse", "sort", "clear", "index", "count", "copy"];
pub(super) const TUPLE_NAMES: [&str; 2] = ["index", "count"];

pub(super) fn call(items: &[Value], args: &Args) -> Result<Value, Error> {
    match args.name {
        "copy" => Ok(Value::from(items.to_vec())),
        "count" => Ok(Value::from(items.iter().filter(|item| same(item, args)).count())),
        _ => {
            let wanted = args.required(0)?;
            let length = items.len();
            let bound = |position, default| {
                let bound = args.integer(position, "")?.map_or(default, |i| bounded(i, length));
                Ok::<usize, Error>(bound)
            };
            let (start, stop) = (bound(1, 0)?, bound(2, length)?);
            let range = items.iter().enumerate().take(stop).skip(start);
            match range.into_iter().find(|(_, item)| same(item, args)) {
                Some((i, _)) => Ok(Value::from(i)),
                None => Err(Error::new(format!("{} is not in list", playbook_api::python::repr(wanted)))),
            }
        }
    }
}

/// Returns an index within the bounds. A negative one counts from the end.
pub(super) fn bounded(index: i64, length: usize) -> usize {
    let index =
        if index < 0 { index.saturating_add(i64::try_from(length).unwrap_or(i64::MAX)) } else { index };
    usize::try_from(index).unwrap_or(0).min(length)
}

fn same(item: &Value, args: &Args) -> bool {
    let item = force_deep(item).unwrap_or_default();
    args.args.first().is_some_and(|wanted| *wanted == item)
}

pub(super) fn mutate(items: &mut Vec<Value>, args: &Args) -> Option<Result<Value, Error>> {
    if !NAMES[..8].contains(&args.name) {
        return None;
    }
    Some(change(items, args).map(Option::unwrap_or_default))
}

fn change(items: &mut Vec<Value>, args: &Args) -> Result<Option<Value>, Error> {
    match args.name {
        "append" => items.push(args.required(0)?.clone()),
        "extend" => items.extend(operators::iterate(args.required(0)?)?.iter().cloned()),
        "insert" => {
            let index = bounded(args.integer(0, "")?.unwrap_or(0), items.len());
            items.insert(index, args.required(1)?.clone());
        }
        "pop" => {
            let length = items.len();
            if length == 0 {
                return Err(Error::new("pop from empty list"));
            }
            let index = args.integer(0, "")?.unwrap_or(-1);
            let size = i64::try_from(length).unwrap_or(i64::MAX);
            let index = usize::try_from(if index < 0 { index + size } else { index });
            return match index.ok().filter(|i| *i < length) {
                Some(index) => Ok(Some(items.remove(index))),
                None => Err(Error::new("pop index out of range")),
            };
        }
        "remove" => match items.iter().position(|item| same(item, args)) {
            Some(index) => {
                items.remove(index);
            }
            None => return Err(Error::new("list.remove(x): x not in list")),
        },
        "reverse" => items.reverse(),
        "sort" => {
            let order =
                &mut |a: &Value, b: &Value| Ok(operators::order(a, b, "<")?.unwrap_or(Ordering::Equal));
            *items = sort(items.clone(), order)?;
            if args.get(1, "reverse").is_some_and(Value::is_true) {
                items.reverse();
            }
        }
        _ => items.clear(),
    }
    Ok(None)
}
