//! A stable sort whose comparison may fail or be inconsistent, both of which Python allows.

use std::cmp::Ordering;

use playbook_api::Error;

/// Sorts, or returns the error of two items without an order.
pub fn sort<T>(
    mut items: Vec<T>,
    compare: &mut dyn FnMut(&T, &T) -> Result<Ordering, Error>,
) -> Result<Vec<T>, Error> {
    if items.len() < 2 {
        return Ok(items);
    }
    let behind = items.split_off(items.len() / 2);
    let mut left = sort(items, compare)?.into_iter().peekable();
    let mut right = sort(behind, compare)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let from_right = compare(b, a)? == Ordering::Less;
        merged.extend(if from_right { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stable_and_may_fail() {
        let items = vec![(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')];
        let sorted = sort(items, &mut |a, b| Ok(a.0.cmp(&b.0))).unwrap();
        assert_eq!(sorted, [(1, 'b'), (1, 'd'), (2, 'a'), (2, 'c')]);
        assert!(sort(vec![1, 2], &mut |_, _| Err(Error::new("no order"))).is_err());
        assert_eq!(sort((0..100).collect(), &mut |_, _| Ok(Ordering::Less)).unwrap().len(), 100);
    }
}
