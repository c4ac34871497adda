//! The limits of a render's work and of a value's size, so that a mistake in a template does not exhaust the machine.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use playbook_api::notes::Weight;
use playbook_api::{Error, Value};

/// The default limit of a render's work, in steps. A step is an item of a loop, a call, or 64 new bytes.
pub(super) const WORK: u64 = 50_000_000;

/// The number of steps that the rendering of a template counts for, in addition to its contents.
pub(super) const RENDER: usize = 32;

/// The maximum size of a text, in bytes.
pub(super) const LARGEST: usize = 1 << 28;

/// The maximum total size of a value's texts and members. Shared members count each time they would be printed.
const WHOLE: u64 = 1 << 30;

/// The maximum nesting depth of lists and maps.
const DEEPEST: usize = 500;

/// The maximum size of an integer, in bits.
pub(super) const LONGEST_NUMBER: u64 = 200_000;

thread_local!(static LEFT: Cell<Option<u64>> = const { Cell::new(None) });

/// Runs a render, within the budget of the surrounding render or else with a new budget.
pub(super) fn within<T>(work: u64, render: impl FnOnce() -> T) -> T {
    struct Outermost;
    impl Drop for Outermost {
        fn drop(&mut self) {
            LEFT.set(None);
        }
    }
    let _outermost = LEFT.get().is_none().then(|| {
        LEFT.set(Some(work));
        Outermost
    });
    render()
}

/// Charges work to the budget of the current render.
pub(super) fn spend(work: usize) -> Result<(), Error> {
    let Some(left) = LEFT.get() else { return Ok(()) };
    let left = left.checked_sub(work as u64).ok_or_else(|| {
        Error::new("the template does too much work")
            .with_help("Check whether a loop or a macro in it ever ends.")
    })?;
    LEFT.set(Some(left));
    Ok(())
}

/// Fails if a text of `bytes` bytes would be too large.
pub(super) fn room(bytes: usize) -> Result<(), Error> {
    if bytes > LARGEST {
        return Err(Error::new(format!("the text would be too large ({bytes} bytes)")));
    }
    spend(bytes / 64)
}

/// Charges the growth of a text from one length to another, and fails if it is too large.
pub(super) fn grown(from: usize, to: usize) -> Result<(), Error> {
    if to > LARGEST { room(to) } else { spend(to.saturating_sub(from) / 64) }
}

/// Python's `str.replace`: all occurrences, or the first `count`.
pub(super) fn replace(text: &str, old: &str, new: &str, count: Option<usize>) -> Result<String, Error> {
    let times = text.matches(old).count().min(count.unwrap_or(usize::MAX));
    room(text.len().saturating_add(times.saturating_mul(new.len())))?;
    Ok(text.replacen(old, new, times))
}

/// Charges the work of creating a value.
pub(super) fn made(value: &Value) -> Result<(), Error> {
    spend(
        1 + match value {
            Value::Str(text) => text.len() / 64,
            Value::Bytes(bytes) => bytes.len() / 64,
            Value::List(items) | Value::Tuple(items) => items.len(),
            Value::Map(map) => map.len(),
            _ => 0,
        },
    )
}

/// Fails if a value is too large to be traversed, copied and printed. Shared members count each time.
pub(super) fn measure(value: &Value) -> Result<(), Error> {
    match value {
        Value::List(_) | Value::Tuple(_) | Value::Map(_) => weigh(value, 0, &mut HashMap::new()).map(drop),
        Value::Str(text) => room(text.len()),
        _ => Ok(()),
    }
}

/// Lists and maps that were weighed, by where they are.
type Weighed = HashMap<(usize, usize), (u64, usize)>;

/// Returns the size of a value, and its nesting depth.
fn weigh(value: &Value, depth: usize, known: &mut Weighed) -> Result<(u64, usize), Error> {
    let key = match value {
        Value::Str(text) => return Ok((16 + text.len() as u64, 0)),
        Value::List(items) | Value::Tuple(items) => items.shared_id(),
        Value::Map(map) => (Arc::strong_count(map) > 1).then(|| (Arc::as_ptr(map) as usize, map.len())),
        _ => return Ok((16, 0)),
    };
    let deeper = |height: usize| match depth + height > DEEPEST {
        true => Err(Error::new(format!("lists and maps are nested more than {DEEPEST} times"))),
        false => Ok(()),
    };
    if let Some((size, height)) = key.and_then(|key| known.get(&key)).copied() {
        deeper(height)?;
        return Ok((size, height));
    }
    deeper(1)?;
    let mut all = Weight::default();
    let add = |all: &mut Weight, member: &Value, known: &mut Weighed| -> Result<(), Error> {
        let (weight, below) = weigh(member, depth + 1, known)?;
        all.size = all.size.saturating_add(weight);
        all.height = all.height.max(below);
        match all.size > WHOLE {
            true => Err(Error::new("the value would be too large")
                .with_help("It holds the same lists many times; store them once.")),
            false => Ok(()),
        }
    };
    match value {
        Value::List(items) | Value::Tuple(items) => {
            let (weight, rest) = items.unweighed();
            all = weight;
            rest.into_iter().try_for_each(|item| add(&mut all, item, known))?;
            items.weighs(all);
        }
        Value::Map(map) => {
            let (weight, rest) = map.unweighed();
            all = weight;
            for member in rest {
                member.key.into_iter().try_for_each(|key| add(&mut all, key, known))?;
                let (size, _) = member.replaced.map_or(Ok((0, 0)), |value| weigh(value, depth + 1, known))?;
                all.size = all.size.saturating_sub(size);
                add(&mut all, member.value, known)?;
            }
            map.weighs(all);
        }
        _ => {}
    }
    deeper(all.height + 1)?;
    let (size, height) = (all.size.saturating_add(32), all.height + 1);
    known.extend(key.map(|key| (key, (size, height))));
    Ok((size, height))
}

#[cfg(test)]
mod tests {
    use playbook_api::Map;

    use super::*;

    #[test]
    fn work_ends_with_the_budget() {
        assert!(spend(usize::MAX).is_ok(), "nothing is counted outside of a render");
        within(10, || {
            assert!(spend(6).is_ok());
            within(1000, || assert!(spend(6).is_err(), "an inner render has the outer one's budget"));
            assert!(spend(4).is_ok());
        });
        assert!(spend(11).is_ok());
    }

    #[test]
    fn shared_members_count_each_time() {
        let mut value: Value = vec![1].into();
        for _ in 0..40 {
            value = vec![value.clone(), value].into();
        }
        assert_eq!(measure(&value).unwrap_err().message(), "the value would be too large");
        let mut deep: Value = 1.into();
        for _ in 0..501 {
            deep = vec![deep].into();
        }
        assert!(measure(&deep).is_err());
        assert!(measure(deep.as_list().and_then(|items| items.first()).unwrap()).is_ok());
    }
    #[test]
    fn what_was_replaced_does_not_count() {
        let large = Value::from("x".repeat(100_000_000));
        let mut map: Map = (0..20).map(|n| (n.into(), n.into())).collect();
        for n in 0..30 {
            map = map.branch();
            map.insert((n % 4).into(), large.clone());
            measure(&map.clone().into()).unwrap();
        }
        let lists: Value = vec![map.clone(), map.clone(), map].into();
        assert_eq!(measure(&lists).unwrap_err().message(), "the value would be too large");
    }
}
