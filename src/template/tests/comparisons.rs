//! Tests that compare values: order, membership, sets, divisibility.

use std::cmp::Ordering;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::Zero;
use playbook_api::{Error, List, Value};

use crate::template::filters::arguments::iterate;
use crate::template::python::operators;
use crate::template::{Call, Computed, Function};

/// The operators, with all of their names.
macro_rules! operator {
    ($name:literal, $call:expr) => {
        Function::new($name, $call)
    };
}

pub(super) const TESTS: &[Function] = &[
    operator!("eq", equal),
    operator!("==", equal),
    operator!("equalto", equal),
    operator!("ne", different),
    operator!("!=", different),
    operator!("gt", greater),
    operator!(">", greater),
    operator!("greaterthan", greater),
    operator!("ge", not_less),
    operator!(">=", not_less),
    operator!("lt", less),
    operator!("<", less),
    operator!("lessthan", less),
    operator!("le", not_greater),
    operator!("<=", not_greater),
    operator!("in", within),
    operator!("contains", contains),
    operator!("sameas", sameas).needing(Computed::Outside),
    operator!("odd", |call| remainder(call, 2, 1)),
    operator!("even", |call| remainder(call, 2, 0)),
    operator!("divisibleby", divisibleby),
    operator!("any", |call| Ok(items(call)?.iter().any(Value::is_true).into())),
    operator!("all", |call| Ok(items(call)?.iter().all(Value::is_true).into())),
    operator!("subset", subset),
    operator!("issubset", subset),
    operator!("superset", superset),
    operator!("issuperset", superset),
];

fn other(call: &mut Call, name: &str) -> Result<Value, Error> {
    let [other] = call.bind([name], 1)?;
    Ok(other.unwrap_or_default())
}

fn equal(call: &mut Call) -> Result<Value, Error> {
    Ok((other(call, "b")? == call.input).into())
}

fn different(call: &mut Call) -> Result<Value, Error> {
    Ok((other(call, "b")? != call.input).into())
}

fn ordered(call: &mut Call, sign: &str, accepted: fn(Ordering) -> bool) -> Result<Value, Error> {
    let other = other(call, "b")?;
    Ok(operators::order(&call.input, &other, sign)?.is_some_and(accepted).into())
}

fn greater(call: &mut Call) -> Result<Value, Error> {
    ordered(call, ">", Ordering::is_gt)
}

fn not_less(call: &mut Call) -> Result<Value, Error> {
    ordered(call, ">=", Ordering::is_ge)
}

fn less(call: &mut Call) -> Result<Value, Error> {
    ordered(call, "<", Ordering::is_lt)
}

fn not_greater(call: &mut Call) -> Result<Value, Error> {
    ordered(call, "<=", Ordering::is_le)
}

fn within(call: &mut Call) -> Result<Value, Error> {
    let container = other(call, "seq")?;
    operators::contains(&container, &call.input).map(Value::Bool)
}

fn contains(call: &mut Call) -> Result<Value, Error> {
    let item = other(call, "value")?;
    operators::contains(&call.input, &item).map(Value::Bool)
}

/// Python's `is`: the same collection, or an equal scalar of the same type.
fn sameas(call: &mut Call) -> Result<Value, Error> {
    let other = other(call, "other")?;
    Ok(match (&call.input, &other) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => a.is_same(b),
        (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b),
        (a, b) => a.type_name() == b.type_name() && a == b,
    }
    .into())
}

fn modulo(value: &Value, divisor: &BigInt) -> Result<Option<BigInt>, Error> {
    match value {
        Value::Str(_) => Err(Error::new("not all arguments converted during string formatting")),
        Value::Float(n) if n.fract() != 0.0 => Ok(None),
        Value::Float(n) => Ok(num_traits::FromPrimitive::from_f64(*n).map(|n: BigInt| n % divisor)),
        value => match value.integer() {
            Some(n) => Ok(Some(((n.as_ref() % divisor) + divisor) % divisor)),
            None => Err(Error::new(format!(
                "unsupported operand type(s) for %: '{}' and 'int'",
                value.type_name()
            ))),
        },
    }
}

fn remainder(call: &mut Call, divisor: i64, wanted: i64) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok((modulo(&call.input, &divisor.into())? == Some(wanted.into())).into())
}

fn divisibleby(call: &mut Call) -> Result<Value, Error> {
    let divisor = other(call, "num")?;
    let Some(divisor) = divisor.integer() else {
        return Err(Error::new(format!(
            "unsupported operand type(s) for %: '{}' and '{}'",
            call.input.type_name(),
            divisor.type_name()
        )));
    };
    if divisor.is_zero() {
        return Err(Error::new("integer modulo by zero"));
    }
    Ok(modulo(&call.input, &divisor)?.is_some_and(|rest| rest.is_zero()).into())
}

fn items(call: &mut Call) -> Result<List, Error> {
    let [] = call.bind([], 0)?;
    iterate(&call.input)
}

fn subset(call: &mut Call) -> Result<Value, Error> {
    let other = other(call, "b")?;
    let all = iterate(&other)?;
    Ok(iterate(&call.input)?.iter().all(|item| all.contains(item)).into())
}

fn superset(call: &mut Call) -> Result<Value, Error> {
    let other = other(call, "b")?;
    let all = iterate(&call.input)?;
    Ok(iterate(&other)?.iter().all(|item| all.contains(item)).into())
}
