//! Sequences: ends, order, sums, groups.

use playbook_api::{Error, Map, Value};

use super::arguments::{
    compare, flag, given, ignore_case, iterate, length as len, size, sort_by_key, text, tuple,
};
use super::attributes::Path;
use crate::template::python::operators::add;
use crate::template::{Call, Computed, Function, budget};

pub(super) const FILTERS: &[Function] = &[
    Function::new("length", length).needing(Computed::Outside),
    Function::new("count", length).needing(Computed::Outside),
    Function::new("first", first).needing(Computed::Members),
    Function::new("last", last).needing(Computed::Members),
    Function::new("list", list).needing(Computed::Members),
    Function::new("reverse", reverse).needing(Computed::Members),
    Function::new("sum", sum),
    Function::new("min", min),
    Function::new("max", max),
    Function::new("sort", sort),
    Function::new("join", join),
    Function::new("batch", batch).needing(Computed::Members),
    Function::new("slice", slice).needing(Computed::Members),
    Function::new("items", items).needing(Computed::Nothing),
    Function::new("dictsort", dictsort),
    Function::new("groupby", groupby),
];

fn length(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    len(&call.input).map(Value::from)
}

fn first(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let found = iterate(&call.input)?.first().cloned();
    Ok(found.unwrap_or_else(|| Value::undefined("No first item, sequence was empty.")))
}

fn last(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let items = iterate(&call.input)
        .map_err(|_| Error::new(format!("'{}' object is not reversible", call.input.type_name())))?;
    Ok(items.last().cloned().unwrap_or_else(|| Value::undefined("No last item, sequence was empty.")))
}

fn list(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    match call.input() {
        list @ Value::List(_) => Ok(list),
        other => Ok(iterate(&other)?.iter().cloned().collect()),
    }
}

fn reverse(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    if let Value::Str(text) = &call.input {
        return Ok(text.chars().rev().collect::<String>().into());
    }
    let items = iterate(&call.input)
        .map_err(|e| Error::new(format!("argument must be iterable: {}", e.message())))?;
    Ok(items.iter().rev().cloned().collect())
}

fn sum(call: &mut Call) -> Result<Value, Error> {
    let [attribute, start] = call.bind(["attribute", "start"], 0)?;
    let path = given(attribute).as_ref().map(Path::new);
    let start = start.unwrap_or(Value::Int(0));
    if start.as_str().is_some() {
        return Err(Error::new("sum() can't sum strings [use ''.join(seq) instead]"));
    }
    iterate(&call.input)?.iter().try_fold(start, |total, item| {
        add(&total, &defined(path.as_ref().map_or_else(|| Ok(item.clone()), |path| path.get(item, None))?)?)
    })
}

/// Returns the value, or the error of using an undefined value.
pub(super) fn defined(value: Value) -> Result<Value, Error> {
    match value {
        Value::Undefined(reason) => Err(Error::undefined(reason.to_string())),
        value => Ok(value),
    }
}

fn min(call: &mut Call) -> Result<Value, Error> {
    extreme(call, std::cmp::Ordering::Less)
}

fn max(call: &mut Call) -> Result<Value, Error> {
    extreme(call, std::cmp::Ordering::Greater)
}

fn extreme(call: &mut Call, wanted: std::cmp::Ordering) -> Result<Value, Error> {
    let [case_sensitive, attribute] = call.bind(["case_sensitive", "attribute"], 0)?;
    let key = Key::new(given(attribute), flag(&case_sensitive, false), None);
    let mut best: Option<(Value, Value)> = None;
    for item in iterate(&call.input)?.iter() {
        let of = key.of(item)?;
        let better = match &best {
            None => true,
            Some((key, _)) => compare(&of, key)? == wanted,
        };
        if better {
            best = Some((of, item.clone()));
        }
    }
    Ok(best.map_or_else(|| Value::undefined("No aggregated item, sequence was empty."), |(_, item)| item))
}

/// The key that a filter sorts or groups by: an attribute or the item itself, possibly regardless of case.
pub(super) struct Key {
    paths: Vec<Path>,
    case_sensitive: bool,
    default: Option<Value>,
}

impl Key {
    pub(super) fn new(attribute: Option<Value>, case_sensitive: bool, default: Option<Value>) -> Key {
        Key { paths: attribute.iter().map(Path::new).collect(), case_sensitive, default }
    }

    /// `sort` takes several attributes: `a,b.c`.
    fn several(attribute: Option<Value>, case_sensitive: bool) -> Key {
        let paths = match attribute.as_ref().and_then(Value::as_str) {
            Some(text) => text.split(',').map(|part| Path::new(&part.into())).collect(),
            None => attribute.iter().map(Path::new).collect(),
        };
        Key { paths, case_sensitive, default: None }
    }

    fn raw(&self, item: &Value) -> Result<Value, Error> {
        let at = |path: &Path| defined(path.get(item, self.default.as_ref())?);
        match self.paths.as_slice() {
            [] => defined(item.clone()),
            [path] => at(path),
            paths => Ok(paths.iter().map(at).collect::<Result<Vec<_>, _>>()?.into()),
        }
    }

    pub(super) fn of(&self, item: &Value) -> Result<Value, Error> {
        let raw = self.raw(item)?;
        Ok(match (&raw, self.case_sensitive) {
            (_, true) => raw,
            (Value::List(parts), _) if self.paths.len() > 1 => {
                parts.iter().cloned().map(ignore_case).collect()
            }
            _ => ignore_case(raw),
        })
    }
}

fn sort(call: &mut Call) -> Result<Value, Error> {
    let [reverse, case_sensitive, attribute] = call.bind(["reverse", "case_sensitive", "attribute"], 0)?;
    let key = Key::several(given(attribute), flag(&case_sensitive, false));
    let items = iterate(&call.input)?;
    Ok(sort_by_key(&items, flag(&reverse, false), |item| key.of(item))?.into())
}

fn join(call: &mut Call) -> Result<Value, Error> {
    let [separator, attribute] = call.bind(["d", "attribute"], 0)?;
    let path = given(attribute).as_ref().map(Path::new);
    let separator = text(&separator, "");
    let mut out = String::new();
    for (at, item) in iterate(&call.input)?.iter().enumerate() {
        let before = out.len();
        if at > 0 {
            out.push_str(&separator);
        }
        let item = path.as_ref().map_or_else(|| Ok(item.clone()), |path| path.get(item, None))?;
        out.push_str(&defined(item)?.to_text());
        budget::grown(before, out.len())?;
    }
    Ok(out.into())
}

/// Splits a list into rows of `linecount` items. The last row is padded.
fn batch(call: &mut Call) -> Result<Value, Error> {
    let [count, fill] = call.bind(["linecount", "fill_with"], 1)?;
    let count = size(&count, 1)?;
    let items = iterate(&call.input)?;
    let fill = given(fill);
    let mut rows: Vec<Value> = Vec::new();
    let width = if count == 0 { items.len().max(1) } else { count };
    for row in items.chunks(width) {
        let mut row = row.to_vec();
        if let Some(fill) = &fill {
            row.resize(width.max(row.len()), fill.clone());
        }
        rows.push(row.into());
    }
    Ok(rows.into())
}

/// Splits a list into the given number of columns, as evenly as possible. Shorter columns are padded.
fn slice(call: &mut Call) -> Result<Value, Error> {
    let [slices, fill] = call.bind(["slices", "fill_with"], 1)?;
    let slices = size(&slices, 1)?;
    let items = iterate(&call.input)?;
    let Some(per_slice) = items.len().checked_div(slices) else {
        return Err(Error::new("integer division or modulo by zero"));
    };
    let longer = items.len() % slices;
    let fill = given(fill);
    let mut rest = &items[..];
    let columns = (0..slices).map(|at| {
        let (column, after) = rest.split_at(per_slice + usize::from(at < longer));
        rest = after;
        let mut column = column.to_vec();
        if let Some(fill) = &fill
            && at >= longer
        {
            column.push(fill.clone());
        }
        Value::from(column)
    });
    Ok(columns.collect())
}

fn pairs(map: &Map) -> Vec<Value> {
    map.iter().map(|(key, value)| tuple(vec![key.clone(), value.clone()])).collect()
}

fn items(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    match &call.input {
        Value::Undefined(_) => Ok(Vec::<Value>::new().into()),
        Value::Map(map) => Ok(pairs(map).into()),
        _ => Err(Error::new("Can only get item pairs from a mapping.")),
    }
}

fn dictsort(call: &mut Call) -> Result<Value, Error> {
    let [case_sensitive, by, reverse] = call.bind(["case_sensitive", "by", "reverse"], 0)?;
    let column = match &*text(&by, "key") {
        "key" => 0,
        "value" => 1,
        _ => return Err(Error::new("You can only sort by either \"key\" or \"value\"")),
    };
    let Some(map) = call.input.as_map() else {
        return Err(Error::new(format!("'{}' object has no attribute 'items'", call.input.type_name())));
    };
    let key = Key::new(Some(Value::Int(column)), flag(&case_sensitive, false), None);
    Ok(sort_by_key(&pairs(map), flag(&reverse, false), |pair| key.of(pair))?.into())
}

/// Returns `(grouper, list)` pairs, sorted by the attribute.
fn groupby(call: &mut Call) -> Result<Value, Error> {
    let [attribute, default, case_sensitive] = call.bind(["attribute", "default", "case_sensitive"], 1)?;
    let key = Key::new(attribute, flag(&case_sensitive, false), given(default));
    let sorted = sort_by_key(&iterate(&call.input)?, false, |item| key.of(item))?;
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for item in sorted {
        let of = key.of(&item)?;
        match groups.last_mut() {
            Some((last, _, members)) if *last == of => members.push(item),
            _ => groups.push((of, key.raw(&item)?, vec![item])),
        }
    }
    Ok(groups.into_iter().map(|(_, grouper, members)| tuple(vec![grouper, members.into()])).collect())
}
