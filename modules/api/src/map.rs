//! Maps in the order in which they were written, and maps that grow out of each other and share their entries.

use std::cmp::Ordering;
use std::fmt;
use std::hash::Hash;
use std::ops::Range;
use std::sync::{Arc, OnceLock, RwLock};

use foldhash::fast::RandomState;
use indexmap::map::{self, Entry};
use indexmap::{Equivalent, IndexMap};

use crate::notes::{Notes, Property, Seen, Weight};
use crate::{Value, sync};

/// A map in the order in which it was written. Keys are values, since YAML and Python allow more than text; text keys are
/// looked up by `&str`: `map.get("name")`.
///
/// A map that [`Map::branch`] made shares its entries with the one that it was made from: a map that grows entry by entry
/// costs the time and memory of its entries once, even if all of its earlier states are kept.
///
/// ```
/// use playbook_api::{Map, Value, map};
/// let first: Map = map! { "a" => 1 };
/// let mut second = first.branch();
/// second.insert("b".into(), 2.into());
/// assert_eq!(first, map! { "a" => 1 });
/// assert_eq!(second, map! { "a" => 1, "b" => 2 });
/// ```
#[derive(Clone, Default)]
pub struct Map {
    /// The entries, unless they are shared.
    own: Own,
    shared: Option<Box<Shared>>,
}

/// A hash map whose hashes are computed faster than with the standard library's hasher: most of what the engine hashes
/// are names of a few bytes. They are seeded at random as well.
type Own = IndexMap<Value, Value, RandomState>;

/// One state of a buffer: its first `length` entries, of which some were replaced by the first `changes` changes.
#[derive(Clone)]
struct Shared {
    buffer: Arc<Buffer>,
    length: usize,
    changes: usize,
}

/// Memory for entries and for values that replace those of entries. Both are only ever added, so that every state sees
/// the same ones for as long as it lives.
struct Buffer {
    entries: Box<[OnceLock<(Value, Value)>]>,
    /// The values, each with the position of its entry.
    changed: Box<[OnceLock<(usize, Value)>]>,
    index: RwLock<Positions>,
    notes: Notes,
}

/// Where the entries and changes of a buffer are. They are added while this is locked.
#[derive(Default)]
struct Positions {
    /// The changes of each entry, in the order of the entries.
    changes_of: IndexMap<Value, Vec<usize>, RandomState>,
    changes: usize,
}

/// The size from which a map shares its entries. Smaller ones are faster to copy.
const LARGE: usize = 16;

impl Buffer {
    /// Makes a buffer with room for as many entries again, so that each entry of a growing map is copied about twice.
    fn new(entries: Own) -> Buffer {
        let capacity = entries.len() * 2;
        let keys = entries.keys().map(|key| (key.clone(), Vec::new()));
        let mut changes_of = IndexMap::with_capacity_and_hasher(capacity, RandomState::default());
        changes_of.extend(keys);
        let used = entries.into_iter().map(OnceLock::from);
        let free = std::iter::repeat_with(OnceLock::new);
        Buffer {
            entries: used.chain(free).take(capacity).collect(),
            changed: std::iter::repeat_with(OnceLock::new).take(capacity).collect(),
            index: RwLock::new(Positions { changes_of, changes: 0 }),
            notes: Notes::default(),
        }
    }
}

impl Shared {
    fn of(entries: Own) -> Shared {
        let length = entries.len();
        Shared { buffer: Arc::new(Buffer::new(entries)), length, changes: 0 }
    }

    /// Returns an entry, which exists if its position is below `length`.
    fn at(&self, position: usize) -> Option<(&Value, &Value)> {
        let (key, first) = self.buffer.entries.get(position)?.get()?;
        Some((key, self.change_of(position).and_then(|change| self.change(change)).unwrap_or(first)))
    }

    /// Returns the value of a change.
    fn change(&self, change: usize) -> Option<&Value> {
        self.buffer.changed.get(change)?.get().map(|(_, value)| value)
    }

    /// Returns the last change of an entry that belongs to this state.
    fn change_of(&self, position: usize) -> Option<usize> {
        if self.changes == 0 {
            return None;
        }
        let index = sync::read(&self.buffer.index);
        self.last_of(index.changes_of.get_index(position)?.1)
    }

    /// Returns the last of an entry's changes that belongs to this state.
    fn last_of(&self, changes: &[usize]) -> Option<usize> {
        let own = changes.partition_point(|change| *change < self.changes);
        changes.get(own.checked_sub(1)?).copied()
    }

    fn position<Q: ?Sized + Hash + Equivalent<Value>>(&self, key: &Q) -> Option<usize> {
        let position = sync::read(&self.buffer.index).changes_of.get_index_of(key)?;
        (position < self.length).then_some(position)
    }

    /// Adds or replaces an entry, if this is the last state of its buffer and there is room. Otherwise returns the entry.
    fn add(&mut self, key: Value, value: Value) -> Result<Option<Value>, (Value, Value)> {
        let buffer = &*self.buffer;
        let mut index = sync::write(&buffer.index);
        if self.length != index.changes_of.len() || self.changes != index.changes {
            return Err((key, value));
        }
        if let Some((position, _, changes)) = index.changes_of.get_full_mut(&key) {
            let first = || Some(&buffer.entries.get(position)?.get()?.1);
            let old = self.last_of(changes).and_then(|change| self.change(change)).or_else(first).cloned();
            let (Some(old), Some(place)) = (old, buffer.changed.get(self.changes)) else {
                return Err((key, value));
            };
            if let Err((_, value)) = place.set((position, value)) {
                return Err((key, value));
            }
            changes.push(self.changes);
            index.changes += 1;
            self.changes += 1;
            return Ok(Some(old));
        }
        let Some(place) = buffer.entries.get(self.length) else { return Err((key, value)) };
        place.set((key.clone(), value))?;
        index.changes_of.insert(key, Vec::new());
        self.length += 1;
        Ok(None)
    }

    fn copied(&self) -> Own {
        let mut copy = IndexMap::with_capacity_and_hasher(self.length, RandomState::default());
        copy.extend((0..self.length).filter_map(|at| self.at(at)).map(|(k, v)| (k.clone(), v.clone())));
        copy
    }

    /// The parts of the buffer that this state may show.
    fn seen(&self) -> Seen {
        Seen { items: self.length, changes: self.changes }
    }

    /// Returns the members of this state that an earlier one of the same buffer does not have.
    fn unseen(&self, seen: Seen) -> impl Iterator<Item = Member<'_>> {
        let entries = (seen.items..self.length).filter_map(|position| self.at(position));
        let entries = entries.map(|(key, value)| Member { key: Some(key), value, replaced: None });
        let changed = self.buffer.changed.get(seen.changes..self.changes).unwrap_or_default();
        let earlier = Shared { buffer: self.buffer.clone(), length: seen.items, changes: seen.changes };
        let changed = (seen.changes..).zip(changed).filter_map(move |(change, place)| {
            let (position, value) = place.get()?;
            let is_last = *position < earlier.length && self.change_of(*position) == Some(change);
            let replaced = || match earlier.change_of(*position) {
                Some(change) => self.change(change),
                None => self.buffer.entries.get(*position)?.get().map(|(_, first)| first),
            };
            is_last.then(|| Member { key: None, value, replaced: replaced() })
        });
        entries.chain(changed)
    }
}

/// A value of a map, with its key unless it replaced a value that was there.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The key of an entry that was added.
    pub key: Option<&'a Value>,
    /// The value.
    pub value: &'a Value,
    /// The value that this one replaced.
    pub replaced: Option<&'a Value>,
}

impl From<Own> for Map {
    fn from(own: Own) -> Map {
        Map { own, shared: None }
    }
}

impl Map {
    /// Makes an empty map.
    pub fn new() -> Map {
        Map::default()
    }

    /// Makes an empty map with room for a number of entries.
    pub fn with_capacity(capacity: usize) -> Map {
        IndexMap::with_capacity_and_hasher(capacity, RandomState::default()).into()
    }

    /// Returns a copy that is going to be changed. If the map is large, both share what they have in common.
    pub fn branch(&self) -> Map {
        match self.own.len() >= LARGE {
            true => Map::sharing(self.own.clone()),
            false => self.clone(),
        }
    }

    fn sharing(entries: Own) -> Map {
        Map { own: IndexMap::default(), shared: Some(Box::new(Shared::of(entries))) }
    }

    /// Returns the map's own entries, to change them. They are copied if another map shares them.
    fn own(&mut self) -> &mut Own {
        if let Some(shared) = self.shared.take() {
            self.own = shared.copied();
        }
        &mut self.own
    }

    fn into_own(mut self) -> Own {
        std::mem::take(self.own())
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.shared.as_ref().map_or(self.own.len(), |shared| shared.length)
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the value of a key.
    pub fn get<Q: ?Sized + Hash + Equivalent<Value>>(&self, key: &Q) -> Option<&Value> {
        match &self.shared {
            None => self.own.get(key),
            Some(shared) => shared.at(shared.position(key)?).map(|(_, value)| value),
        }
    }

    /// Returns a key as the map has it, and its value.
    pub fn get_key_value<Q: ?Sized + Hash + Equivalent<Value>>(&self, key: &Q) -> Option<(&Value, &Value)> {
        match &self.shared {
            None => self.own.get_key_value(key),
            Some(shared) => shared.at(shared.position(key)?),
        }
    }

    /// Returns the entry at a position.
    pub fn get_index(&self, position: usize) -> Option<(&Value, &Value)> {
        match &self.shared {
            None => self.own.get_index(position),
            Some(shared) => shared.at(position).filter(|_| position < shared.length),
        }
    }

    /// Returns the first entry.
    pub fn first(&self) -> Option<(&Value, &Value)> {
        self.get_index(0)
    }

    /// Returns the last entry.
    pub fn last(&self) -> Option<(&Value, &Value)> {
        self.get_index(self.len().checked_sub(1)?)
    }

    /// Returns whether a key has a value.
    pub fn contains_key<Q: ?Sized + Hash + Equivalent<Value>>(&self, key: &Q) -> bool {
        match &self.shared {
            None => self.own.contains_key(key),
            Some(shared) => shared.position(key).is_some(),
        }
    }

    /// Returns the value of a key, to change it.
    pub fn get_mut<Q: ?Sized + Hash + Equivalent<Value>>(&mut self, key: &Q) -> Option<&mut Value> {
        self.own().get_mut(key)
    }

    /// Sets the value of a key, and returns the one that it had. A new key comes last.
    pub fn insert(&mut self, key: Value, value: Value) -> Option<Value> {
        let Some(shared) = &mut self.shared else { return self.own.insert(key, value) };
        let (key, value) = match shared.add(key, value) {
            Ok(old) => return old,
            Err(entry) => entry,
        };
        let mut entries = shared.copied();
        let old = entries.insert(key, value);
        *self = Map::sharing(entries);
        old
    }

    /// Returns the place of a key.
    pub fn entry(&mut self, key: Value) -> Entry<'_, Value, Value> {
        self.own().entry(key)
    }

    /// Removes a key and returns its value. The others keep their order.
    pub fn shift_remove<Q: ?Sized + Hash + Equivalent<Value>>(&mut self, key: &Q) -> Option<Value> {
        self.own().shift_remove(key)
    }

    /// Removes the last entry.
    pub fn pop(&mut self) -> Option<(Value, Value)> {
        self.own().pop()
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        *self = Map::default();
    }

    /// Keeps the entries for which a function returns true.
    pub fn retain(&mut self, keep: impl FnMut(&Value, &mut Value) -> bool) {
        self.own().retain(keep);
    }

    /// Sorts the entries.
    pub fn sort_by(&mut self, compare: impl FnMut(&Value, &Value, &Value, &Value) -> Ordering) {
        self.own().sort_by(compare);
    }

    /// Sorts the entries, without keeping the order of equal ones.
    pub fn sort_unstable_by(&mut self, compare: impl FnMut(&Value, &Value, &Value, &Value) -> Ordering) {
        self.own().sort_unstable_by(compare);
    }

    /// Returns the entries.
    pub fn iter(&self) -> Iter<'_> {
        Iter(match &self.shared {
            None => Entries::Own(self.own.iter()),
            Some(shared) => Entries::Shared(shared, 0..shared.length),
        })
    }

    /// Returns the entries, with values to change.
    pub fn iter_mut(&mut self) -> map::IterMut<'_, Value, Value> {
        self.own().iter_mut()
    }

    /// Returns the keys.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.iter().map(|(key, _)| key)
    }

    /// Returns the values.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// Returns the values, to change them.
    pub fn values_mut(&mut self) -> map::ValuesMut<'_, Value, Value> {
        self.own().values_mut()
    }

    /// Returns the keys without their values.
    pub fn into_keys(self) -> map::IntoKeys<Value, Value> {
        self.into_own().into_keys()
    }

    /// Returns the values without their keys.
    pub fn into_values(self) -> map::IntoValues<Value, Value> {
        self.into_own().into_values()
    }

    /// Returns whether all values have a property. What was found is remembered for maps that share entries.
    pub fn all(&self, property: Property, mut holds: impl FnMut(&Value) -> bool) -> bool {
        let Some(shared) = &self.shared else { return self.own.values().all(holds) };
        let notes = &shared.buffer.notes;
        let all = shared.unseen(notes.seen(property, shared.seen())).all(|member| holds(member.value));
        if all {
            notes.add(property, shared.seen());
        }
        all
    }

    /// Returns what an earlier weighing found out about this map, and the members that it did not see.
    pub fn unweighed(&self) -> (Weight, impl Iterator<Item = Member<'_>>) {
        let weighed = self.shared.as_ref().map(|shared| shared.buffer.notes.weighed(shared.seen()));
        let (seen, weight) = weighed.unwrap_or_default();
        let own = self.own.iter().map(|(key, value)| Member { key: Some(key), value, replaced: None });
        (weight, own.chain(self.shared.iter().flat_map(move |shared| shared.unseen(seen))))
    }

    /// Remembers the weight of this map.
    pub fn weighs(&self, weight: Weight) {
        if let Some(shared) = &self.shared {
            shared.buffer.notes.weighs(shared.seen(), weight);
        }
    }
}

/// The entries of a map.
#[derive(Clone)]
pub struct Iter<'a>(Entries<'a>);

#[derive(Clone)]
enum Entries<'a> {
    Own(map::Iter<'a, Value, Value>),
    Shared(&'a Shared, Range<usize>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Value, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Entries::Own(own) => own.next(),
            Entries::Shared(shared, range) => shared.at(range.next()?),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Entries::Own(own) => own.size_hint(),
            Entries::Shared(_, range) => range.size_hint(),
        }
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Entries::Own(own) => own.next_back(),
            Entries::Shared(shared, range) => shared.at(range.next_back()?),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Value, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Map {
    type Item = (&'a Value, &'a mut Value);
    type IntoIter = map::IterMut<'a, Value, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = map::IntoIter<Value, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_own().into_iter()
    }
}

impl FromIterator<(Value, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(entries: I) -> Map {
        entries.into_iter().collect::<Own>().into()
    }
}

impl Extend<(Value, Value)> for Map {
    fn extend<I: IntoIterator<Item = (Value, Value)>>(&mut self, entries: I) {
        match &self.shared {
            None => self.own.extend(entries),
            Some(_) => entries.into_iter().for_each(|(key, value)| drop(self.insert(key, value))),
        }
    }
}

impl<const N: usize> From<[(Value, Value); N]> for Map {
    fn from(entries: [(Value, Value); N]) -> Map {
        entries.into_iter().collect()
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Map) -> bool {
        if let (Some(own), Some(other)) = (&self.shared, &other.shared)
            && Arc::ptr_eq(&own.buffer, &other.buffer)
            && own.seen() == other.seen()
        {
            return true;
        }
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl Eq for Map {}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(range: Range<i64>) -> Map {
        range.map(|n| (n.into(), n.into())).collect()
    }

    #[test]
    fn a_growing_map_shares_its_entries_with_its_earlier_states() {
        let mut states = vec![Map::default()];
        for n in 0..1000 {
            let mut next = states[n].branch();
            assert_eq!(next.insert((n as i64).into(), (n as i64).into()), None);
            states.push(next);
        }
        for (n, state) in states.iter().enumerate() {
            assert_eq!(*state, numbers(0..n as i64));
            assert_eq!(state.get(&Value::from(n as i64)), None);
            assert_eq!(state.last().map(|(key, _)| key.clone()), n.checked_sub(1).map(|n| (n as i64).into()));
        }
        let mut buffers: Vec<_> =
            states.iter().filter_map(|state| Some(Arc::as_ptr(&state.shared.as_ref()?.buffer))).collect();
        buffers.dedup();
        assert!(buffers.len() < 10, "{} buffers", buffers.len());
    }

    #[test]
    fn a_replaced_value_stays_in_earlier_states() {
        let mut states = vec![numbers(0..20)];
        for n in 0..200 {
            let mut next = states[n].branch();
            let key = Value::from((n % 20) as i64);
            assert_eq!(next.insert(key.clone(), format!("new {n}").into()).as_ref(), states[n].get(&key));
            states.push(next);
        }
        for (n, state) in states.iter().enumerate() {
            let expected = |at: usize| match (0..n).rev().find(|change| change % 20 == at) {
                Some(change) => Value::from(format!("new {change}")),
                None => Value::from(at as i64),
            };
            let values: Vec<Value> = state.values().cloned().collect();
            assert_eq!(values, (0..20).map(expected).collect::<Vec<_>>(), "{n}");
            assert_eq!(state.get(&Value::from(7)), Some(&expected(7)));
        }
        let buffers = states.iter().filter_map(|state| Some(Arc::as_ptr(&state.shared.as_ref()?.buffer)));
        assert!(buffers.collect::<std::collections::HashSet<_>>().len() <= 7);
    }

    #[test]
    fn two_maps_that_grow_out_of_one_differ() {
        let mut one = numbers(0..20).branch();
        one.insert(20.into(), 20.into());
        let (mut left, mut right) = (one.branch(), one.branch());
        left.insert("a".into(), 1.into());
        right.insert("b".into(), 2.into());
        right.insert(3.into(), "x".into());
        assert_eq!(one, numbers(0..21));
        assert_eq!(
            (left.get("a"), left.get("b"), left.get(&Value::from(3))),
            (Some(&1.into()), None, Some(&3.into()))
        );
        assert_eq!((right.get("a"), right.get("b")), (None, Some(&2.into())));
        assert_eq!(right.get(&Value::from(3)), Some(&"x".into()));
        assert_eq!((left.len(), right.len()), (22, 22));
    }

    #[test]
    fn a_change_is_not_seen_by_others() {
        let mut one = numbers(0..20).branch();
        one.insert(20.into(), 20.into());
        let mut other = one.clone();
        assert_eq!(other.shift_remove(&Value::from(0)), Some(0.into()));
        *other.get_mut(&Value::from(1)).unwrap() = "x".into();
        other.retain(|key, _| *key != Value::from(2));
        assert_eq!(one, numbers(0..21));
        assert_eq!((other.len(), other.first()), (19, Some((&1.into(), &"x".into()))));
        assert_eq!(other.into_iter().next_back(), Some((20.into(), 20.into())));
    }

    #[test]
    fn searches_go_on_where_they_ended() {
        let mut map = numbers(0..20).branch();
        map.insert("bad".into(), "bad".into());
        let good = |value: &Value| *value != Value::from("bad");
        assert!(!map.all(Property::Final, good));
        map.insert("bad".into(), 1.into());
        assert!(map.all(Property::Final, good));
        let mut good_ones = numbers(0..20).branch();
        good_ones.insert(20.into(), 20.into());
        assert!(good_ones.all(Property::Final, |_| true));
        good_ones.insert(21.into(), 21.into());
        let mut seen = Vec::new();
        good_ones.all(Property::Final, |value| {
            seen.push(value.clone());
            true
        });
        assert_eq!(seen, [Value::from(21)]);
    }

    #[test]
    fn threads_change_the_same_map() {
        let mut start = numbers(0..20).branch();
        start.insert(20.into(), 20.into());
        let grown: Vec<Map> = std::thread::scope(|threads| {
            let grow = |thread: i64| {
                let mut map = start.clone();
                threads.spawn(move || {
                    for n in 0..100 {
                        map.insert((thread * 1000 + n).into(), n.into());
                        map.insert(0.into(), thread.into());
                    }
                    map
                })
            };
            let all: Vec<_> = (1..8).map(grow).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(start, numbers(0..21));
        for (thread, map) in (1i64..).zip(&grown) {
            assert_eq!((map.len(), map.get(&Value::from(0))), (121, Some(&thread.into())));
            assert!(
                map.iter()
                    .skip(21)
                    .zip(0..)
                    .all(|((k, v), n)| *k == (thread * 1000 + n).into() && *v == n.into())
            );
        }
    }
}
