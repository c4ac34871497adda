//! Reads the arguments of a call as Python does.

use std::borrow::Cow;
use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use playbook_api::{Error, List, Value};

use crate::template::Call;
use crate::template::python::operators;
use crate::template::python::sort::sort;

impl Call<'_> {
    /// Binds the arguments to parameters, the first `required` of which must be given. As in Python, too many, unknown
    /// and duplicate arguments are errors.
    pub fn bind<const N: usize>(
        &mut self,
        names: [&str; N],
        required: usize,
    ) -> Result<[Option<Value>; N], Error> {
        let function = self.name.rsplit('.').next().unwrap_or(self.name);
        if self.args.len() > N {
            let (most, given) = (N + 1, self.args.len() + 1);
            let takes =
                if required < N { format!("from {} to {most}", required + 1) } else { most.to_string() };
            let arguments = if most == 1 { "argument" } else { "arguments" };
            let were = if given == 1 { "was" } else { "were" };
            return Err(Error::new(format!(
                "{function}() takes {takes} positional {arguments} but {given} {were} given"
            )));
        }
        let mut bound = [const { None }; N];
        for (slot, value) in bound.iter_mut().zip(self.args.drain(..)) {
            *slot = Some(value);
        }
        for (key, value) in std::mem::take(&mut self.kwargs) {
            let slot = key.as_str().and_then(|key| names.iter().position(|name| *name == key));
            match slot.map(|at| &mut bound[at]) {
                Some(Some(_)) => {
                    return Err(Error::new(format!("{function}() got multiple values for argument '{key}'")));
                }
                Some(slot) => *slot = Some(value),
                None => {
                    return Err(Error::new(format!(
                        "{function}() got an unexpected keyword argument '{key}'"
                    )));
                }
            }
        }
        let missing: Vec<String> =
            (0..required).filter(|at| bound[*at].is_none()).map(|at| format!("'{}'", names[at])).collect();
        match missing.as_slice() {
            [] => Ok(bound),
            [one] => Err(Error::new(format!("{function}() missing 1 required positional argument: {one}"))),
            many => Err(Error::new(format!(
                "{function}() missing {} required positional arguments: {}",
                many.len(),
                many.join(" and ")
            ))),
        }
    }

    /// Removes a keyword argument from a call that passes the rest on.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.kwargs.shift_remove(name)
    }

    /// Takes the input out of the call.
    pub fn input(&mut self) -> Value {
        std::mem::take(&mut self.input)
    }
}

/// Returns the truth of a value as in Python, or the default.
pub fn flag(value: &Option<Value>, default: bool) -> bool {
    value.as_ref().map_or(default, Value::is_true)
}

/// Returns an integer, or the default. Text is not accepted.
pub fn number(value: &Option<Value>, default: i64) -> Result<i64, Error> {
    match value {
        None => Ok(default),
        Some(value) => integer(value),
    }
}

/// Reads an integer.
pub fn integer(value: &Value) -> Result<i64, Error> {
    value.as_i64().ok_or_else(|| {
        Error::new(format!("'{}' object cannot be interpreted as an integer", value.type_name()))
    })
}

/// Returns a number of columns, rows or repetitions: at least zero, and not so large that it would exhaust the memory.
pub fn size(value: &Option<Value>, default: i64) -> Result<usize, Error> {
    const MOST: usize = 10_000_000;
    let n = number(value, default)?;
    let size = usize::try_from(n).unwrap_or(0);
    if size > MOST { Err(Error::new(format!("{n} is too large"))) } else { Ok(size) }
}

/// Returns the value as text, or the default.
pub fn text<'a>(value: &'a Option<Value>, default: &'a str) -> Cow<'a, str> {
    value.as_ref().map_or(Cow::Borrowed(default), Value::to_text)
}

/// Returns the argument, where `none` has the same meaning as no argument.
pub fn given(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_null())
}

/// Returns the members in Python's iteration: items, keys or characters.
pub fn iterate(value: &Value) -> Result<List, Error> {
    operators::iterate(value)
}

/// Python's `len()`.
pub fn length(value: &Value) -> Result<usize, Error> {
    match value {
        Value::List(items) | Value::Tuple(items) => Ok(items.len()),
        Value::Map(map) => Ok(map.len()),
        Value::Str(text) => Ok(text.chars().count()),
        Value::Bytes(bytes) => Ok(bytes.len()),
        Value::Undefined(reason) => Err(Error::undefined(reason.to_string())),
        other => Err(Error::new(format!("object of type '{}' has no len()", other.type_name()))),
    }
}

/// Makes a tuple.
pub fn tuple(items: Vec<Value>) -> Value {
    Value::Tuple(items.into())
}

/// Truncates a float as Python's `int()` does.
pub fn truncate(n: f64) -> Result<Value, Error> {
    if n.is_nan() {
        return Err(Error::new("cannot convert float NaN to integer"));
    }
    if n.is_infinite() {
        return Err(Error::new("cannot convert float infinity to integer"));
    }
    let n = n.trunc();
    match n.to_i64() {
        Some(n) => Ok(Value::Int(n)),
        None => {
            use num_traits::FromPrimitive;
            BigInt::from_f64(n).map(Value::big).ok_or_else(|| Error::new("not a number"))
        }
    }
}

/// Sorts by a key as Python does: it is stable, and fails on values without an order.
pub fn sort_by_key(
    items: &[Value],
    reverse: bool,
    key: impl Fn(&Value) -> Result<Value, Error>,
) -> Result<Vec<Value>, Error> {
    let keyed = items.iter().map(|item| Ok((key(item)?, item))).collect::<Result<Vec<_>, Error>>()?;
    let sorted = sort(keyed, &mut |(a, _), (b, _)| if reverse { compare(b, a) } else { compare(a, b) })?;
    Ok(sorted.into_iter().map(|(_, item)| item.clone()).collect())
}

/// Returns Python's order of two values, or its error. Values without an order (`nan`) count as equal.
pub fn compare(a: &Value, b: &Value) -> Result<Ordering, Error> {
    operators::order(a, b, "<").map(|order| order.unwrap_or(Ordering::Equal))
}

/// Returns the key of case-insensitive filters: text in lower case, and everything else unchanged.
pub fn ignore_case(value: Value) -> Value {
    match &value {
        Value::Str(text) => Value::from(text.to_lowercase()),
        _ => value,
    }
}
