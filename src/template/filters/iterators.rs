//! Combining sequences: pairs, products, permutations; and flattening them.

use playbook_api::{Error, Value};

use super::arguments::{flag, given, iterate, number, tuple};
use crate::template::{Call, Computed, Function, budget};

pub(super) const FILTERS: &[Function] = &[
    Function::new("zip", zip).needing(Computed::Members),
    Function::new("zip_longest", zip_longest).needing(Computed::Members),
    Function::new("product", product),
    Function::new("permutations", permutations),
    Function::new("combinations", combinations),
    Function::new("flatten", flatten),
];

/// The maximum number of results.
const MOST: usize = 1_000_000;

fn columns(call: &mut Call) -> Result<Vec<Vec<Value>>, Error> {
    let input = call.input();
    std::iter::once(input)
        .chain(std::mem::take(&mut call.args))
        .map(|column| iterate(&column).map(|items| items.to_vec()))
        .collect()
}

fn zip(call: &mut Call) -> Result<Value, Error> {
    let strict = call.take("strict").is_some_and(|strict| strict.is_true());
    let columns = columns(call)?;
    let [] = call.bind([], 0)?;
    let shortest = columns.iter().map(Vec::len).min().unwrap_or(0);
    if strict && columns.iter().any(|column| column.len() != shortest) {
        return Err(Error::new("zip() arguments have different lengths"));
    }
    Ok((0..shortest).map(|row| tuple(columns.iter().map(|column| column[row].clone()).collect())).collect())
}

fn zip_longest(call: &mut Call) -> Result<Value, Error> {
    let fill = call.take("fillvalue").unwrap_or_default();
    let columns = columns(call)?;
    let [] = call.bind([], 0)?;
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    budget::spend(longest.saturating_mul(columns.len()))?;
    let cell = |column: &Vec<Value>, row: usize| column.get(row).unwrap_or(&fill).clone();
    Ok((0..longest).map(|row| tuple(columns.iter().map(|column| cell(column, row)).collect())).collect())
}

fn product(call: &mut Call) -> Result<Value, Error> {
    let repeat = number(&call.take("repeat"), 1)?;
    let columns = columns(call)?;
    let [] = call.bind([], 0)?;
    let repeat = usize::try_from(repeat).map_err(|_| Error::new("repeat argument cannot be negative"))?;
    let columns: Vec<&Vec<Value>> = (0..repeat.min(MOST)).flat_map(|_| columns.iter()).take(MOST).collect();
    cartesian(&columns).map(|rows| rows.into_iter().map(tuple).collect())
}

/// Returns every choice of one item per column; the last column varies fastest.
pub(crate) fn cartesian(columns: &[&Vec<Value>]) -> Result<Vec<Vec<Value>>, Error> {
    let size = columns.iter().try_fold(1usize, |size, column| size.checked_mul(column.len()));
    if size.is_none_or(|size| size > MOST) {
        return Err(Error::new("the product has too many members"));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for column in columns {
        rows = rows
            .iter()
            .flat_map(|row| column.iter().map(|item| row.iter().chain([item]).cloned().collect()))
            .collect();
    }
    Ok(rows)
}

fn permutations(call: &mut Call) -> Result<Value, Error> {
    let [size] = call.bind(["r"], 0)?;
    let items = iterate(&call.input)?.to_vec();
    let size = given(size).map_or_else(|| Ok(items.len()), |size| natural(&size))?;
    let mut rows = Vec::new();
    if size <= items.len() {
        let count = (0..size).try_fold(1usize, |count, taken| count.checked_mul(items.len() - taken));
        if count.is_none_or(|count| count > MOST) {
            return Err(Error::new("there are too many choices"));
        }
        choose(items.len(), size, true, &mut Vec::new(), &mut rows)?;
    }
    Ok(pick(&items, rows))
}

fn combinations(call: &mut Call) -> Result<Value, Error> {
    let [size] = call.bind(["r"], 1)?;
    let items = iterate(&call.input)?.to_vec();
    let size = natural(&size.unwrap_or_default())?;
    let mut rows = Vec::new();
    if size <= items.len() {
        choose(items.len(), size, false, &mut Vec::new(), &mut rows)?;
    }
    Ok(pick(&items, rows))
}

fn natural(size: &Value) -> Result<usize, Error> {
    let size = size.as_i64().ok_or_else(|| Error::new("Expected int as r"))?;
    usize::try_from(size).map_err(|_| Error::new("r must be non-negative"))
}

fn pick(items: &[Value], rows: Vec<Vec<usize>>) -> Value {
    rows.into_iter().map(|row| tuple(row.into_iter().map(|at| items[at].clone()).collect())).collect()
}

/// All choices of `size` positions, in lexicographic order.
fn choose(
    count: usize,
    size: usize,
    any_order: bool,
    chosen: &mut Vec<usize>,
    rows: &mut Vec<Vec<usize>>,
) -> Result<(), Error> {
    if chosen.len() == size {
        rows.push(chosen.clone());
        return if rows.len() > MOST { Err(Error::new("there are too many choices")) } else { Ok(()) };
    }
    let start = if any_order { 0 } else { chosen.last().map_or(0, |last| last + 1) };
    for at in start..count {
        budget::spend(1)?;
        if !any_order || !chosen.contains(&at) {
            chosen.push(at);
            choose(count, size, any_order, chosen, rows)?;
            chosen.pop();
        }
    }
    Ok(())
}

fn flatten(call: &mut Call) -> Result<Value, Error> {
    let [levels, skip_nulls] = call.bind(["levels", "skip_nulls"], 0)?;
    let levels = given(levels).map(|levels| number(&Some(levels), 0)).transpose()?;
    let mut out = Vec::new();
    flatten_into(&mut out, &iterate(&call.input)?, levels, flag(&skip_nulls, true));
    Ok(out.into())
}

/// Flattens a number of levels, or all. Drops nulls and their textual forms.
pub(crate) fn flatten_into(out: &mut Vec<Value>, items: &[Value], levels: Option<i64>, skip_nulls: bool) {
    for item in items {
        if skip_nulls && (item.is_null() || matches!(item.as_str(), Some("None" | "null"))) {
            continue;
        }
        match (item.as_list(), levels) {
            (Some(inner), None) => flatten_into(out, inner, None, skip_nulls),
            (Some(inner), Some(levels)) if levels >= 1 => {
                flatten_into(out, inner, Some(levels - 1), skip_nulls);
            }
            _ => out.push(item.clone()),
        }
    }
}
