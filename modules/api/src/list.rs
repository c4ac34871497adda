//! Lists whose clones, and lists that grow out of each other, share their items.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use indexmap::IndexSet;

use crate::Value;
use crate::notes::{Notes, Property, Seen, Weight};

/// A list of values, which is read as a slice. Clones share the items. So does a list that [`List::appended`] made with
/// the one that it was made from: a list that grows item by item costs the time and memory of its items once, even if
/// all of its earlier states are kept.
///
/// ```
/// use playbook_api::{List, Value};
/// let first = List::from(vec![Value::from(1)]);
/// let second = first.appended(&[Value::from(2)]);
/// assert_eq!(first, List::from(vec![Value::from(1)]));
/// assert_eq!(second, List::from(vec![Value::from(1), Value::from(2)]));
/// ```
#[derive(Clone)]
pub struct List {
    buffer: Arc<Buffer>,
    /// How many of the buffer's items are in this list.
    length: usize,
}

/// Memory for items, of which the first `used` exist. Items are only ever added, so that every list sees the same items
/// for as long as it lives.
struct Buffer {
    /// The allocation of a `Vec<Value>`.
    items: NonNull<Value>,
    capacity: usize,
    /// The number of items that exist or that one list is adding at this moment.
    used: AtomicUsize,
    notes: Notes,
}

/// The length from which it is remembered what searches found.
const LONG: usize = 32;

// SAFETY: a buffer owns its items, and `Value` is `Send` and `Sync`. Threads that share a buffer read only items below
// the length of a list that they hold, which never change. An item is written once, by the one thread that reserved its
// place in `used`, and only the lists that it makes afterwards include the item.
unsafe impl Send for Buffer {}
// SAFETY: see above.
unsafe impl Sync for Buffer {}

/// Fails to compile if values cannot be shared between threads.
const _: fn() = || {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Value>();
};

impl Buffer {
    fn new(items: Vec<Value>) -> Buffer {
        let mut items = ManuallyDrop::new(items);
        Buffer {
            // SAFETY: the pointer of a `Vec` is never null.
            items: unsafe { NonNull::new_unchecked(items.as_mut_ptr()) },
            capacity: items.capacity(),
            used: AtomicUsize::new(items.len()),
            notes: Notes::default(),
        }
    }

    /// Takes the items out of a buffer that nothing else uses, which must not be dropped afterwards.
    fn take(&mut self) -> Vec<Value> {
        self.notes = Notes::default();
        let used = *self.used.get_mut();
        // SAFETY: pointer and capacity are those of the `Vec` that the buffer was made of, and the first `used` items
        // exist: an item that was reserved is also written, since nothing in between can panic.
        unsafe { Vec::from_raw_parts(self.items.as_ptr(), used, self.capacity) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl List {
    /// Returns the items as a slice.
    pub fn as_slice(&self) -> &[Value] {
        // SAFETY: the first `length` items exist, do not change, and live as long as the buffer.
        unsafe { std::slice::from_raw_parts(self.buffer.items.as_ptr(), self.length) }
    }

    /// Returns a list of these items and more. Both lists share the items of this one, unless another list has been made
    /// by appending to this one, or the memory is used up.
    pub fn appended(&self, more: &[Value]) -> List {
        let length = self.length + more.len();
        let buffer = &self.buffer;
        if length <= buffer.capacity && buffer.used.load(Ordering::Relaxed) == self.length {
            // Clones are made first, so that nothing can panic between reserving the places and writing the items.
            let more = more.to_vec();
            if buffer.used.compare_exchange(self.length, length, Ordering::AcqRel, Ordering::Acquire).is_ok()
            {
                for (at, item) in (self.length..).zip(more) {
                    // SAFETY: the place is within the capacity, and only this thread writes it: it was reserved above.
                    unsafe { buffer.items.as_ptr().add(at).write(item) };
                }
                return List { buffer: buffer.clone(), length };
            }
        }
        // With room for as many items again, each item of a growing list is copied about twice.
        let mut items = Vec::with_capacity(length + self.length.min(length / 2));
        items.extend_from_slice(self);
        items.extend_from_slice(more);
        items.into()
    }

    /// Returns these items and those of `more` that are not among them, each once. Both lists share the items of this one
    /// if they are distinct. The items are not compared again with each other for a list that grows in this way.
    pub fn united(&self, more: &[Value]) -> List {
        let is_short = self.length < LONG || more.len() > self.length / 2;
        match if is_short { None } else { self.buffer.notes.new_among(self, more) } {
            Some(new) if new.is_empty() => self.clone(),
            Some(new) => self.appended(&new),
            None => self.iter().chain(more).collect::<IndexSet<_>>().into_iter().cloned().collect(),
        }
    }

    /// Changes the items. Other lists that share them keep what they have.
    pub fn modify<T>(&mut self, change: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        let mut items = std::mem::take(self).into_vec();
        let done = change(&mut items);
        *self = items.into();
        done
    }

    /// Returns the items, which are copied if another list shares them.
    pub fn into_vec(self) -> Vec<Value> {
        match Arc::try_unwrap(self.buffer) {
            Ok(buffer) => {
                let mut items = ManuallyDrop::new(buffer).take();
                items.truncate(self.length);
                items
            }
            Err(buffer) => List { buffer, length: self.length }.to_vec(),
        }
    }

    /// Returns an item to change. Other lists that share the items keep what they have.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Value> {
        match Arc::get_mut(&mut self.buffer) {
            Some(buffer) => buffer.notes = Notes::default(),
            None => *self = self.to_vec().into(),
        }
        // SAFETY: nothing else uses the buffer, whose first `length` items exist, while this list is borrowed.
        let items = unsafe { std::slice::from_raw_parts_mut(self.buffer.items.as_ptr(), self.length) };
        items.get_mut(index)
    }

    /// Returns whether all items have a property. What was found is remembered for longer lists that share the items.
    pub fn all(&self, property: Property, mut holds: impl FnMut(&Value) -> bool) -> bool {
        if self.length < LONG {
            return self.iter().all(holds);
        }
        let known = self.buffer.notes.seen(property, self.seen()).items;
        let all = self.iter().skip(known).all(&mut holds);
        if all && known < self.length {
            self.buffer.notes.add(property, self.seen());
        }
        all
    }

    /// Returns what earlier weighings found out about the first items, and the other items.
    pub fn unweighed(&self) -> (Weight, impl Iterator<Item = &Value>) {
        let (seen, weight) = match self.length < LONG {
            true => Default::default(),
            false => self.buffer.notes.weighed(self.seen()),
        };
        (weight, self.iter().skip(seen.items))
    }

    /// Remembers the weight of the items.
    pub fn weighs(&self, weight: Weight) {
        if self.length >= LONG {
            self.buffer.notes.weighs(self.seen(), weight);
        }
    }

    fn seen(&self) -> Seen {
        Seen { items: self.length, changes: 0 }
    }

    /// Whether two lists are the same items in the same memory.
    pub fn is_same(&self, other: &List) -> bool {
        Arc::ptr_eq(&self.buffer, &other.buffer) && self.length == other.length
    }

    /// Returns a number that tells the list apart from others as long as it lives, if others may share its items.
    pub fn shared_id(&self) -> Option<(usize, usize)> {
        (Arc::strong_count(&self.buffer) > 1).then_some((Arc::as_ptr(&self.buffer) as usize, self.length))
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.as_slice()
    }
}

impl Default for List {
    fn default() -> List {
        Vec::new().into()
    }
}

impl From<Vec<Value>> for List {
    fn from(items: Vec<Value>) -> List {
        let length = items.len();
        List { buffer: Arc::new(Buffer::new(items)), length }
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> List {
        items.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        self.is_same(other) || self.as_slice() == other.as_slice()
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(numbers: std::ops::Range<i64>) -> List {
        numbers.map(Value::from).collect()
    }

    #[test]
    fn a_growing_list_shares_its_items_with_its_earlier_states() {
        let mut states = vec![List::default()];
        for n in 0..1000 {
            let next = states[n].appended(&[Value::from(n as i64)]);
            states.push(next);
        }
        for (n, state) in states.iter().enumerate() {
            assert_eq!(*state, list(0..n as i64));
        }
        let mut buffers: Vec<_> = states.iter().map(|state| Arc::as_ptr(&state.buffer)).collect();
        buffers.dedup();
        assert!(buffers.len() < 20, "{} buffers", buffers.len());
    }

    #[test]
    fn two_lists_that_grow_out_of_one_differ() {
        let one = list(0..3).appended(&[3.into()]);
        let (left, right) = (one.appended(&[4.into()]), one.appended(&[5.into(), 6.into()]));
        assert_eq!(one, list(0..4));
        assert_eq!(left, list(0..5));
        assert_eq!(right[4..], [Value::from(5), Value::from(6)]);
    }

    #[test]
    fn searches_go_on_where_they_ended() {
        let mut states = vec![list(0..40)];
        let mut searched = 0;
        for n in 40..1000 {
            let next = states[n - 40].appended(&[(n as i64).into()]);
            assert!(next.all(Property::Final, |_| {
                searched += 1;
                true
            }));
            states.push(next);
        }
        assert!(searched < 4000, "{searched} items");
        // A list in between was made of the same items, and a change makes others of them.
        assert!(states[500].all(Property::Final, |_| false));
        let mut changed = list(0..40);
        assert!(changed.all(Property::Final, |_| true));
        *changed.get_mut(0).unwrap() = "x".into();
        assert!(!changed.all(Property::Final, |item| item.as_str().is_none()));
    }

    #[test]
    fn a_union_shares_the_items_of_its_first_list() {
        let one = list(0..40);
        let two = one.united(&[3.into(), 40.into(), 40.into(), 1.5.into()]);
        assert_eq!(two[..40], one[..]);
        assert_eq!(two[40..], [Value::from(40), Value::from(1.5)]);
        let three = two.united(&[true.into(), 41.into()]);
        assert_eq!(three[42..], [Value::from(41)]);
        assert!(Arc::ptr_eq(&two.buffer, &three.buffer) && three.united(&[41.into()]).is_same(&three));
        // What longer lists have is not in this one.
        assert_eq!(two.united(&[41.into()])[42..], [Value::from(41)]);
        let repeated: List = (0..40).map(|n| Value::from(n % 20)).collect();
        assert_eq!(repeated.united(&[20.into()]), list(0..21));
    }

    #[test]
    fn a_change_is_not_seen_by_others() {
        let one = list(0..3);
        let mut other = one.appended(&[3.into()]);
        other.modify(|items| items.push("x".into()));
        assert_eq!((one.len(), other.len()), (3, 5));
        let mut alone = list(0..3);
        alone.modify(|items| items.clear());
        assert!(alone.is_empty());
    }

    #[test]
    fn items_are_dropped_once() {
        let text: Arc<str> = "shared".into();
        let value = Value::from(text.clone());
        let before = Arc::strong_count(&text);
        let one = List::from(vec![value.clone()]);
        let two = one.appended(&[value.clone(), value.clone()]);
        drop(one);
        drop(two.clone().into_vec());
        drop(two);
        assert_eq!(Arc::strong_count(&text), before);
    }

    #[test]
    fn threads_append_to_the_same_list() {
        let start = list(0..8).appended(&[8.into()]);
        let grown: Vec<List> = std::thread::scope(|threads| {
            let grow = |n: i64| {
                let start = start.clone();
                threads
                    .spawn(move || (0..100).fold(start, |list, at| list.appended(&[(n * 1000 + at).into()])))
            };
            let all: Vec<_> = (0..8).map(grow).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (n, list) in (0i64..).zip(&grown) {
            assert_eq!(list[..9], start[..]);
            assert!(list[9..].iter().zip(0..).all(|(item, at)| *item == Value::from(n * 1000 + at)));
        }
    }
}
