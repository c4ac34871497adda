//! Random choices, which are repeatable with a seed.

use playbook_api::{Error, Value};

use super::arguments::{given, integer, iterate};
use super::mersenne::Random;
use crate::template::{Call, Computed, Function};

pub(super) const FILTERS: &[Function] =
    &[Function::new("random", random).needing(Computed::Members), Function::new("shuffle", shuffle)];

/// Returns a member of a sequence, or a number below the input.
fn random(call: &mut Call) -> Result<Value, Error> {
    let [start, step, seed] = call.bind(["start", "step", "seed"], 0)?;
    let mut random = Random::new(seed.as_ref())?;
    let (start, step) = (given(start), given(step));
    match &call.input {
        Value::Int(_) | Value::Bool(_) => {
            let end = integer(&call.input)?;
            let start = start.map_or(Ok(0), |n| integer(&n))?;
            let step = step.map_or(Ok(1), |n| integer(&n))?;
            let width = i128::from(end) - i128::from(start);
            let count = match step {
                0 => return Err(Error::new("zero step for randrange()")),
                step if step > 0 => (width + i128::from(step) - 1) / i128::from(step),
                step => (width + i128::from(step) + 1) / i128::from(step),
            };
            let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) else {
                return Err(Error::new(format!("empty range in randrange({start}, {end}, {step})")));
            };
            Ok(Value::big((i128::from(start) + i128::from(step) * i128::from(random.below(count))).into()))
        }
        Value::List(_) | Value::Tuple(_) | Value::Str(_) | Value::Map(_) => {
            if start.is_some() || step.is_some() {
                return Err(Error::new("start and step can only be used with integer values"));
            }
            let items = iterate(&call.input)?;
            if items.is_empty() {
                return Err(Error::new("Cannot choose from an empty sequence"));
            }
            Ok(items[random.position(items.len())].clone())
        }
        _ => Err(Error::new("random can only be used on sequences and integers")),
    }
}

/// Returns a sequence in random order; anything else as it is.
fn shuffle(call: &mut Call) -> Result<Value, Error> {
    let [seed] = call.bind(["seed"], 0)?;
    let mut random = Random::new(seed.as_ref())?;
    let input = call.input();
    let Ok(items) = iterate(&input) else { return Ok(input) };
    let mut items = items.to_vec();
    random.shuffle(&mut items);
    Ok(items.into())
}
