//! `subelements`: each member of a list inside of each element.

use playbook_api::{Error, Map, Value};

use super::Lookup;
use crate::template::Renderer;
use crate::template::filters::arguments::tuple;

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("subelements", subelements)];

fn is_skipped(element: &Map) -> bool {
    element.get("skipped").is_some_and(|skipped| !matches!(skipped, Value::Bool(false)))
}

fn subelements(terms: &[Value], _: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    const EXPECTS: &str = "subelements lookup expects a list of two or three items,";
    let (elements, path, flags) = match terms {
        [elements, path] => (elements, path, None),
        [elements, path, flags] => (elements, path, Some(flags)),
        _ => return Err(Error::new(EXPECTS)),
    };
    let wrong =
        || Error::new(format!("{EXPECTS} first a dict or a list, second a string pointing to the subkey"));
    let path = path.as_str().ok_or_else(wrong)?;
    let elements = match elements {
        Value::List(elements) => elements.to_vec(),
        Value::Map(map) if is_skipped(map) => return Ok(Vec::new()),
        Value::Map(map) => map.values().cloned().collect(),
        _ => return Err(wrong()),
    };
    let skip_missing = match flags {
        None => false,
        Some(Value::Map(flags)) if flags.keys().all(|flag| flag.as_str() == Some("skip_missing")) => flags
            .get("skip_missing")
            .is_some_and(|skip| crate::template::filters::word_as_bool(skip) == Some(true)),
        Some(_) => {
            return Err(Error::new(
                "subelements lookup expects the optional third item to be a dict: \
                 the optional third item must be a dict with flags skip_missing",
            ));
        }
    };
    let mut rows = Vec::new();
    for element in elements {
        let Value::Map(map) = &element else {
            return Err(Error::new(format!("subelements lookup expects a dictionary, got '{element}'")));
        };
        if is_skipped(map) {
            continue;
        }
        let mut rest = (**map).clone();
        let keys: Vec<&str> = path.split('.').collect();
        if let Some(members) = take(&mut rest, &keys, skip_missing)? {
            let rest = Value::from(rest);
            rows.extend(members.into_iter().map(|member| tuple(vec![rest.clone(), member])));
        }
    }
    Ok(rows)
}

/// Takes the list at a path out of a map. Returns `None` if it is missing and that is allowed.
fn take(map: &mut Map, path: &[&str], skip_missing: bool) -> Result<Option<Vec<Value>>, Error> {
    let Some((key, deeper)) = path.split_first() else { return Ok(None) };
    let Some(value) = map.get(*key).cloned() else {
        return if skip_missing {
            Ok(None)
        } else {
            let item = Value::from(map.clone());
            Err(Error::new(format!("could not find '{key}' key in iterated item '{item}'")))
        };
    };
    if deeper.is_empty() {
        let Value::List(members) = &value else {
            return Err(Error::new(format!("the key {key} should point to a list, got '{value}'")));
        };
        map.shift_remove(*key);
        return Ok(Some(members.to_vec()));
    }
    let Value::Map(inner) = &value else {
        return if skip_missing {
            Ok(None)
        } else {
            Err(Error::new(format!("the key {key} should point to a dictionary, got '{value}'")))
        };
    };
    let mut inner = (**inner).clone();
    let found = take(&mut inner, deeper, skip_missing)?;
    map.insert((*key).into(), inner.into());
    Ok(found)
}
