//! Python's operators on values.
//!
//! Operands are computed first. An undefined operand is an error; with an unknown one, the result is unknown too.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{Pow, Signed, ToPrimitive, Zero};
use playbook_api::{Error, List, Map, Value};

use super::{datetime, printf};
use crate::jinja::program::{Comparison, Operator};
use crate::template::lazy::{as_asked_map, check_deep, force, force_deep, is_complete, reach};
use crate::template::{budget, undefined};

/// Evaluates `left operator right`.
///
/// ```
/// use playbook::jinja::program::Operator;
/// use playbook::template::python::operators::binary;
/// assert_eq!(binary(Operator::FloorDivide, &(-7).into(), &2.into()).unwrap(), (-4).into());
/// ```
pub fn binary(operator: Operator, left: &Value, right: &Value) -> Result<Value, Error> {
    if let (Value::Int(a), Value::Int(b)) = (left, right)
        && let Some(value) = small(operator, *a, *b)
    {
        return Ok(value);
    }
    let left = &operand(left)?;
    let right = &operand(right)?;
    if let Some(unknown) = [left, right].into_iter().find(|v| matches!(v, Value::Unknown(_))) {
        return Ok(unknown.clone());
    }
    if let Some(result) = sequence(operator, left, right) {
        return result;
    }
    if let (Some(a), Some(b)) = (left.integer(), right.integer()) {
        return integers(operator, &a, &b);
    }
    if let (Some(a), Some(b)) = (left.as_f64(), right.as_f64()) {
        return floats(operator, a, b);
    }
    if let Some(result) = datetime::binary(operator, left, right) {
        return result;
    }
    let (a, b) = (left.type_name(), right.type_name());
    Err(Error::new(format!("unsupported operand type(s) for {}: '{a}' and '{b}'", operator.sign())))
}

/// Evaluates `left + right`, for filters that compute sums.
pub fn add(left: &Value, right: &Value) -> Result<Value, Error> {
    binary(Operator::Add, left, right)
}

/// Returns a value as an operand: computed, and not undefined.
fn operand(value: &Value) -> Result<Value, Error> {
    let value = force(value)?;
    undefined::check(&value)?;
    Ok(value)
}

/// Computes with small integers. Returns `None` for other operands, or if the result is too large.
fn small(operator: Operator, a: i64, b: i64) -> Option<Value> {
    match operator {
        Operator::Add => a.checked_add(b).map(Value::Int),
        Operator::Subtract => a.checked_sub(b).map(Value::Int),
        Operator::Multiply => a.checked_mul(b).map(Value::Int),
        _ => None,
    }
}

fn sequence(operator: Operator, left: &Value, right: &Value) -> Option<Result<Value, Error>> {
    match (operator, left, right) {
        (Operator::Remainder, Value::Str(format), arguments) => {
            Some(force_deep(arguments).and_then(|arguments| printf::format(format, &arguments)))
        }
        (Operator::Add, Value::Str(a), Value::Str(b)) => {
            let joined = || Value::from([a.as_str(), b.as_str()].concat());
            Some(budget::room(a.len() + b.len()).map(|()| joined()))
        }
        (Operator::Add, Value::Bytes(a), Value::Bytes(b)) => {
            Some(Ok(Value::Bytes([&**a, &**b].concat().into())))
        }
        (Operator::Add, Value::List(a), Value::List(b)) => {
            Some(budget::spend((a.len() + b.len()) / 8).map(|()| Value::List(a.appended(b))))
        }
        (Operator::Add, Value::Tuple(a), Value::Tuple(b)) => Some(Ok(Value::Tuple(a.appended(b)))),
        (Operator::Add, Value::Str(_) | Value::List(_) | Value::Tuple(_), other) => {
            let (name, other) = (left.type_name(), other.type_name());
            Some(Err(Error::new(format!("can only concatenate {name} (not \"{other}\") to {name}"))))
        }
        (Operator::Multiply, items @ (Value::Str(_) | Value::List(_) | Value::Tuple(_)), count)
        | (Operator::Multiply, count, items @ (Value::Str(_) | Value::List(_) | Value::Tuple(_))) => {
            Some(repeat(items, count))
        }
        _ => None,
    }
}

fn repeat(items: &Value, count: &Value) -> Result<Value, Error> {
    const LIMIT: usize = 100_000_000;
    let Some(count) = count.integer() else {
        let name = count.type_name();
        return Err(Error::new(format!("can't multiply sequence by non-int of type '{name}'")));
    };
    let count = if count.is_negative() { 0 } else { count.to_usize().unwrap_or(usize::MAX) };
    let length = match items {
        Value::Str(text) => text.len(),
        other => other.as_list().map_or(0, <[Value]>::len),
    };
    let count = if length == 0 { 0 } else { count };
    let size = length.saturating_mul(count);
    if size > if matches!(items, Value::Str(_)) { LIMIT } else { LIMIT / 10 } {
        return Err(Error::new("the repeated value would be too large"));
    }
    budget::spend(size / if matches!(items, Value::Str(_)) { 64 } else { 1 })?;
    let repeated = |items: &[Value]| std::iter::repeat_n(items, count).flatten().cloned().collect::<List>();
    Ok(match items {
        Value::Str(text) => Value::from(text.repeat(count)),
        Value::Tuple(items) => Value::Tuple(repeated(items)),
        other => Value::List(repeated(other.as_list().unwrap_or_default())),
    })
}

fn integers(operator: Operator, a: &BigInt, b: &BigInt) -> Result<Value, Error> {
    Ok(match operator {
        Operator::Add => Value::big(a + b),
        Operator::Subtract => Value::big(a - b),
        Operator::Multiply if a.bits() + b.bits() > budget::LONGEST_NUMBER => {
            return Err(Error::new("the product is too large"));
        }
        Operator::Multiply => Value::big(a * b),
        Operator::Divide if b.is_zero() => return Err(Error::new("division by zero")),
        Operator::Divide => {
            let quotient = a.to_f64().zip(b.to_f64()).map(|(a, b)| a / b).filter(|n| n.is_finite());
            Value::Float(quotient.ok_or_else(|| Error::new("integer division result too large for a float"))?)
        }
        Operator::FloorDivide if b.is_zero() => {
            return Err(Error::new("integer division or modulo by zero"));
        }
        Operator::Remainder if b.is_zero() => return Err(Error::new("integer modulo by zero")),
        Operator::FloorDivide => Value::big(num_integer_floor(a, b).0),
        Operator::Remainder => Value::big(num_integer_floor(a, b).1),
        Operator::Power if b.is_negative() => {
            return floats(operator, a.to_f64().unwrap_or(f64::NAN), b.to_f64().unwrap_or(f64::NAN));
        }
        Operator::Power => {
            let exponent =
                b.to_u32().filter(|e| a.bits().saturating_mul(u64::from(*e)) < budget::LONGEST_NUMBER);
            match exponent {
                Some(exponent) => Value::big(Pow::pow(a, exponent)),
                None if a.bits() <= 1 => {
                    let odd = (b % 2u32) != BigInt::zero();
                    Value::big(if a.is_negative() && !odd { -a } else { a.clone() })
                }
                None => return Err(Error::new("the power is too large")),
            }
        }
    })
}

/// Returns the quotient and the remainder, rounded down as in Python.
fn num_integer_floor(a: &BigInt, b: &BigInt) -> (BigInt, BigInt) {
    let (quotient, remainder) = (a / b, a % b);
    if !remainder.is_zero() && remainder.is_negative() != b.is_negative() {
        return (quotient - 1, remainder + b);
    }
    (quotient, remainder)
}

fn floats(operator: Operator, a: f64, b: f64) -> Result<Value, Error> {
    let remainder = || {
        let remainder = a % b;
        if remainder != 0.0 && (remainder < 0.0) != (b < 0.0) { remainder + b } else { remainder }
    };
    Ok(Value::Float(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide if b == 0.0 => return Err(Error::new("float division by zero")),
        Operator::FloorDivide if b == 0.0 => return Err(Error::new("float floor division by zero")),
        Operator::Remainder if b == 0.0 => return Err(Error::new("float modulo")),
        Operator::Divide => a / b,
        Operator::FloorDivide => ((a - remainder()) / b).round(),
        Operator::Remainder => remainder(),
        Operator::Power if a == 0.0 && b < 0.0 => {
            return Err(Error::new("0.0 cannot be raised to a negative power"));
        }
        Operator::Power if a < 0.0 && b.fract() != 0.0 => {
            return Err(Error::new("a negative number to a fractional power is a complex number"));
        }
        Operator::Power if a.is_finite() && b.is_finite() && a.powf(b).is_infinite() => {
            return Err(Error::new("(34, 'Numerical result out of range')"));
        }
        Operator::Power => a.powf(b),
    }))
}

/// Evaluates `-value` or `+value`.
pub fn sign(value: &Value, negative: bool) -> Result<Value, Error> {
    let value = operand(value)?;
    Ok(match &value {
        Value::Unknown(_) => value,
        Value::Float(n) => Value::Float(if negative { -n } else { *n }),
        other => match other.integer() {
            Some(n) => Value::big(if negative { -n.into_owned() } else { n.into_owned() }),
            None => {
                let (sign, name) = (if negative { '-' } else { '+' }, other.type_name());
                return Err(Error::new(format!("bad operand type for unary {sign}: '{name}'")));
            }
        },
    })
}

/// Evaluates `left comparison right`. The result is a boolean, or unknown.
pub fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<Value, Error> {
    let membership = matches!(comparison, Comparison::In | Comparison::NotIn);
    let left = &operand(left)?;
    let right = &if membership { reach(right)? } else { operand(right)? };
    if let Some(unknown) = [left, right].into_iter().find(|v| matches!(v, Value::Unknown(_))) {
        return Ok(unknown.clone());
    }
    let result = match comparison {
        Comparison::Equal => equal(left, right)?,
        Comparison::NotEqual => !equal(left, right)?,
        Comparison::In => contains(right, left)?,
        Comparison::NotIn => !contains(right, left)?,
        _ => {
            let order = order(left, right, comparison.sign())?;
            match comparison {
                Comparison::Less => order == Some(Ordering::Less),
                Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                Comparison::Greater => order == Some(Ordering::Greater),
                _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            }
        }
    };
    Ok(Value::Bool(result))
}

fn equal(left: &Value, right: &Value) -> Result<bool, Error> {
    if let (Value::Str(a), Value::Str(b)) = (left, right) {
        return Ok(a.as_str() == b.as_str());
    }
    if let Some(order) = datetime::compare(left, right) {
        return Ok(order == Ordering::Equal);
    }
    Ok(force_deep(left)? == force_deep(right)?)
}

/// Returns Python's order of two values, or its error if they have none, which names the comparison `sign`.
/// The result is `None` for numbers without an order (`nan`).
pub fn order(left: &Value, right: &Value, sign: &str) -> Result<Option<Ordering>, Error> {
    let left = force(left)?;
    let right = force(right)?;
    let complaint = |a: &Value, b: &Value| {
        let (a, b) = (a.type_name(), b.type_name());
        Err(Error::new(format!("'{sign}' not supported between instances of '{a}' and '{b}'")))
    };
    undefined::check(&left)?;
    undefined::check(&right)?;
    if let Some(order) = datetime::compare(&left, &right) {
        return Ok(Some(order));
    }
    match (&left, &right) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            for (a, b) in a.iter().zip(b.iter()) {
                let (a, b) = (force(a)?, force(b)?);
                if !equal(&a, &b)? {
                    return order(&a, &b, sign);
                }
            }
            Ok(Some(a.len().cmp(&b.len())))
        }
        (a, b) => match a.compare(b) {
            Some(order) => Ok(Some(order)),
            None if a.as_f64().is_some() && b.as_f64().is_some() => Ok(None),
            None => complaint(a, b),
        },
    }
}

/// The length from which a list is searched as a whole.
const LONG: usize = 32;

/// Evaluates `item in container`.
pub fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    if let Some(map) = as_asked_map(container) {
        return Ok(map.member(&operand(item)?).is_some());
    }
    let container = operand(container)?;
    let item = operand(item)?;
    match &container {
        Value::Str(text) => match &item {
            Value::Str(part) => Ok(text.contains(part.as_str())),
            other => Err(Error::new(format!(
                "'in <string>' requires string as left operand, not {}",
                other.type_name()
            ))),
        },
        Value::List(items) | Value::Tuple(items) => {
            let item = force_deep(&item)?;
            // What is known of a list that grows in a loop is not found out again for each member.
            if items.len() >= LONG && is_complete(&container) && check_deep(&container).is_ok() {
                return Ok(items.contains(&item));
            }
            for member in items.iter() {
                let same = match (member, &item) {
                    (Value::Str(a), Value::Str(b)) => a.as_str() == b.as_str(),
                    (member, item) => {
                        let member = force_deep(member)?;
                        undefined::check(&member)?;
                        member == *item
                    }
                };
                if same {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(map) => match unhashable(&item) {
            Some(name) => Err(Error::new(format!("unhashable type: '{name}'"))),
            None => Ok(map.contains_key(&item)),
        },
        other => Err(Error::new(format!("argument of type '{}' is not iterable", other.type_name()))),
    }
}

/// Returns the type of a value that cannot be a key.
pub fn unhashable(value: &Value) -> Option<&'static str> {
    match value {
        Value::List(_) | Value::Map(_) => Some(value.type_name()),
        Value::Tuple(items) => items.iter().find_map(unhashable),
        _ => None,
    }
}

/// Returns the items of a loop over a value: items, characters or keys.
pub fn iterate(value: &Value) -> Result<List, Error> {
    let value = operand(value)?;
    match &value {
        Value::List(items) | Value::Tuple(items) => Ok(items.clone()),
        Value::Str(text) => Ok(text.chars().map(|c| Value::from(c.to_string())).collect()),
        Value::Map(map) => Ok(keys(map).into()),
        Value::Bytes(bytes) => Ok(bytes.iter().map(|b| Value::Int((*b).into())).collect()),
        other => Err(Error::new(format!("'{}' object is not iterable", other.type_name()))),
    }
}

fn keys(map: &Map) -> Vec<Value> {
    map.keys().cloned().collect()
}
