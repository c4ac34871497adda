//! Methods of numbers.

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use playbook_api::{Error, Value};

use super::Args;

pub(super) const INTEGER_NAMES: [&str; 9] = [
    "bit_length",
    "bit_count",
    "is_integer",
    "conjugate",
    "__and__",
    "__or__",
    "__xor__",
    "__lshift__",
    "__rshift__",
];
pub(super) const FLOAT_NAMES: [&str; 3] = ["is_integer", "conjugate", "hex"];

pub(super) fn property(value: &Value, name: &str) -> Option<Value> {
    let integer = match value {
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) => true,
        Value::Float(_) => false,
        _ => return None,
    };
    match name {
        "real" => Some(value.clone()),
        "imag" => Some(if integer { Value::Int(0) } else { Value::Float(0.0) }),
        "numerator" if integer => Some(value.clone()),
        "denominator" if integer => Some(Value::Int(1)),
        _ => None,
    }
}

pub(super) fn call(value: &Value, args: &Args) -> Result<Value, Error> {
    let Some(number) = value.integer() else {
        return match (args.name, value) {
            ("is_integer", Value::Float(n)) => Ok(Value::Bool(n.fract() == 0.0)),
            ("conjugate", _) => Ok(value.clone()),
            _ => Err(Error::new(format!("{}() is not supported", args.name))),
        };
    };
    let other = || -> Result<BigInt, Error> {
        let other = args.required(0)?;
        other.integer().map(|n| n.into_owned()).ok_or_else(|| args.wrong("int", other))
    };
    let shift = || -> Result<u32, Error> {
        let count = other()?;
        count
            .to_u32()
            .filter(|n| *n < 8_000_000)
            .ok_or_else(|| Error::new("negative or too large shift count"))
    };
    let number = number.into_owned();
    Ok(match args.name {
        "bit_length" => Value::from(number.bits()),
        "bit_count" => Value::from(number.magnitude().count_ones()),
        "is_integer" => Value::Bool(true),
        "__and__" => Value::big(number & other()?),
        "__or__" => Value::big(number | other()?),
        "__xor__" => Value::big(number ^ other()?),
        "__lshift__" => Value::big(number << shift()?),
        "__rshift__" => Value::big(number >> shift()?),
        _ => Value::big(number),
    })
}
