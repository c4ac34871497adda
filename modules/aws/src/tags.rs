//! Tags, which are a dictionary in playbooks and a list of pairs in the API.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::compare::Changes;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The tags to set and the tags to remove.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct TagChanges {
    /// The tags to set.
    pub set: Tags,
    /// The keys of the tags to remove.
    pub remove: Vec<String>,
}

impl TagChanges {
    /// Returns the changes; there are none if `asked` is `None`. Tags of Amazon (`aws:…`) are never removed.
    pub(crate) fn between(current: &Tags, asked: Option<&Tags>, purge: bool) -> TagChanges {
        let Some(asked) = asked else { return TagChanges::default() };
        let set = asked.iter().filter(|(k, v)| current.get(*k) != Some(v));
        let gone = |k: &&String| purge && !asked.contains_key(*k) && !k.starts_with("aws:");
        TagChanges {
            set: set.map(|(k, v)| (k.clone(), v.clone())).collect(),
            remove: current.keys().filter(gone).cloned().collect(),
        }
    }

    /// Returns whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }

    /// Adds the changes of the `current` tags to those of their resource.
    pub(crate) fn note(&self, current: &Tags, changes: &mut Changes) {
        if !self.is_empty() {
            changes.note("tags", to_json(current), to_json(&self.apply(current)));
        }
    }

    /// Returns the tags after the changes.
    pub(crate) fn apply(&self, current: &Tags) -> Tags {
        let mut tags: Tags = current.clone();
        tags.retain(|k, _| !self.remove.contains(k));
        tags.extend(self.set.clone());
        tags
    }
}

/// Converts a list of pairs, `[{"key": …, "value": …}]` in either case, to tags.
pub(crate) fn from_pairs(pairs: &Json) -> Tags {
    let part = |pair: &Json, small: &str, large: &str| {
        pair[small].as_str().or_else(|| pair[large].as_str()).unwrap_or_default().to_owned()
    };
    pairs
        .as_array()
        .into_iter()
        .flatten()
        .map(|p| (part(p, "key", "Key"), part(p, "value", "Value")))
        .collect()
}

/// Returns tags as a JSON object.
pub(crate) fn to_json(tags: &Tags) -> Json {
    tags.iter().map(|(k, v)| (k.clone(), Json::from(v.as_str()))).collect::<Map<_, _>>().into()
}

/// Returns the tags of a new resource as a JSON object.
pub(crate) fn of_new(tags: Option<&Tags>) -> Json {
    tags.map_or_else(|| Map::new().into(), to_json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn tags_go_only_when_purged_and_never_amazons() {
        let current = tags(&[("a", "1"), ("b", "2"), ("aws:stack", "x")]);
        let asked = tags(&[("a", "1"), ("c", "3")]);
        let kept = TagChanges::between(&current, Some(&asked), false);
        assert_eq!((kept.set.len(), kept.remove.len()), (1, 0));
        let purged = TagChanges::between(&current, Some(&asked), true);
        assert_eq!(purged.remove, ["b"]);
        assert_eq!(purged.apply(&current), tags(&[("a", "1"), ("c", "3"), ("aws:stack", "x")]));
        assert!(TagChanges::between(&current, None, true).is_empty());
    }
}
