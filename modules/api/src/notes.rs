//! What searches found out about lists and maps that grow, so that they need not search the same members again.

use std::sync::{Mutex, OnceLock};

use indexmap::IndexSet;

use crate::{Value, sync};

/// A property of values that never changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Property {
    /// Finalizing changes nothing.
    Final,
    /// Everything inside is computed.
    Complete,
    /// Nothing inside is undefined.
    Defined,
    /// Nothing inside is a secret.
    Open,
}

/// The members that a search has seen: the first items or entries, and the first values that replaced others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) items: usize,
    pub(crate) changes: usize,
}

impl Seen {
    fn is_within(self, other: Seen) -> bool {
        self.items <= other.items && self.changes <= other.changes
    }
}

/// The size of members, and how deep they are nested.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weight {
    /// The total size. Members that are shared count each time.
    pub size: u64,
    /// The greatest nesting depth.
    pub height: usize,
}

/// What is known of the members of a buffer. Nothing is allocated before there is something to remember.
#[derive(Default)]
pub(crate) struct Notes(OnceLock<Box<Remembered>>);

#[derive(Default)]
struct Remembered {
    known: Mutex<Known>,
    distinct: Mutex<Distinct>,
}

/// The first items of a list, as long as no two of them are equal.
#[derive(Default)]
struct Distinct {
    items: IndexSet<Value>,
    /// Whether the next item is equal to one of these.
    ended: bool,
}

#[derive(Clone, Copy, Default)]
struct Known {
    /// The members that have each property.
    with: [Seen; 4],
    weighed: (Seen, Weight),
}

impl Known {
    fn with(&mut self, property: Property) -> &mut Seen {
        let [r#final, complete, defined, open] = &mut self.with;
        match property {
            Property::Final => r#final,
            Property::Complete => complete,
            Property::Defined => defined,
            Property::Open => open,
        }
    }
}

impl Notes {
    fn known(&self) -> Known {
        self.0.get().map(|all| *sync::lock(&all.known)).unwrap_or_default()
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut sync::lock(&self.0.get_or_init(Box::default).known));
    }

    /// Returns which of some members are known to have a property.
    pub(crate) fn seen(&self, property: Property, of: Seen) -> Seen {
        let seen = *self.known().with(property);
        match seen.changes <= of.changes {
            true => Seen { items: seen.items.min(of.items), changes: seen.changes },
            // A value that was replaced since then need not have it.
            false => Seen::default(),
        }
    }

    /// Remembers that members have a property.
    pub(crate) fn add(&self, property: Property, seen: Seen) {
        self.change(|known| {
            let all = known.with(property);
            if all.is_within(seen) {
                *all = seen;
            }
        });
    }

    /// Returns which of some members have been weighed, and their weight.
    pub(crate) fn weighed(&self, of: Seen) -> (Seen, Weight) {
        let (seen, weight) = self.known().weighed;
        if seen.is_within(of) { (seen, weight) } else { Default::default() }
    }

    /// Remembers the weight of members.
    pub(crate) fn weighs(&self, seen: Seen, weight: Weight) {
        self.change(|known| {
            if known.weighed.0.is_within(seen) {
                known.weighed = (seen, weight);
            }
        });
    }

    /// Returns the members of `more` that are not among some items, each once; `None` if two of the items are equal. The
    /// items are a buffer's first ones.
    pub(crate) fn new_among(&self, items: &[Value], more: &[Value]) -> Option<Vec<Value>> {
        let mut distinct = sync::lock(&self.0.get_or_init(Box::default).distinct);
        let Distinct { items: known, ended } = &mut *distinct;
        for item in items.iter().skip(known.len()) {
            *ended |= known.contains(item);
            if *ended {
                return None;
            }
            known.insert(item.clone());
        }
        let is_new = |item: &&Value| known.get_index_of(*item).is_none_or(|position| position >= items.len());
        let new: IndexSet<&Value> = more.iter().filter(is_new).collect();
        Some(new.into_iter().cloned().collect())
    }
}
