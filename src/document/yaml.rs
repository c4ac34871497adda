//! YAML events become nodes, with the tags, anchors and merge keys of YAML 1.1.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use indexmap::IndexMap;
use libyaml_safer::{Event, EventData, Mark, ScalarStyle};
use playbook_api::{Error, ErrorKind, Place, Value};

use super::events::events;
use super::layout::{self, Lines};
use super::tag::Tagged;
use super::{DEEPEST, Entry, Kind, Node, Trust, VaultText, fault, scalar};

/// Aliases may repeat this many values in all; more is an attack.
const MOST_REPEATED: usize = 4_000_000;

/// Reads every document of a text.
pub(super) fn parse(text: &str, file_name: &str, trust: Trust) -> Result<(Vec<Node>, Vec<Error>), Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The parser trips over a last line without end; where the text is `|` or `>`, the added end is cut off again.
    let whole = text.ends_with('\n') || text.is_empty();
    let blank = text.lines().next_back().is_none_or(|line| line.trim().is_empty());
    let text = if whole { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}\n")) };
    let mut builder = Builder {
        lines: Lines::new(&text),
        added_end: if whole || blank { u64::MAX } else { text.lines().count() as u64 },
        file: file_name.into(),
        trust,
        open: Vec::new(),
        anchors: HashMap::new(),
        repeated: 0,
        documents: Vec::new(),
        warnings: Vec::new(),
    };
    events(&text, |event| {
        let event = event.map_err(|e| fault::syntax(&builder.file, &e))?;
        builder.event(event)
    })
    .map_err(|e| fault::explain(&text, e.at(&Place::file_only(file_name))))?;
    Ok((builder.documents, builder.warnings))
}

/// A node, and how much it would be if its aliases were written out.
#[derive(Clone)]
struct Built {
    node: Node,
    weight: usize,
    height: usize,
}

struct Builder<'t> {
    lines: Lines<'t>,
    /// The line (from zero) that begins behind the end that was added to the text.
    added_end: u64,
    file: Arc<str>,
    trust: Trust,
    open: Vec<Open>,
    anchors: HashMap<String, Built>,
    repeated: usize,
    documents: Vec<Node>,
    warnings: Vec<Error>,
}

/// A list or map that is being read.
struct Open {
    place: Place,
    anchor: Option<String>,
    tag: Tagged,
    plain_text: bool,
    weight: usize,
    height: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: IndexMap<Value, Entry>, merges: Vec<Node>, key: Option<Key> },
}

enum Key {
    Name(Value, Place),
    Merge,
}

impl Builder<'_> {
    fn event(&mut self, event: Event) -> Result<(), Error> {
        let place = self.place(event.start_mark);
        match event.data {
            EventData::StreamStart { .. } | EventData::StreamEnd | EventData::DocumentEnd { .. } => Ok(()),
            EventData::DocumentStart { .. } => {
                self.anchors.clear();
                Ok(())
            }
            EventData::Alias { anchor } => {
                let Some(built) = self.anchors.get(&anchor).cloned() else {
                    let inside = self.open.iter().any(|open| open.anchor.as_ref() == Some(&anchor));
                    let fault = if inside {
                        "an alias cannot stand inside the value it repeats".to_owned()
                    } else {
                        format!("found undefined alias '*{anchor}'")
                    };
                    return Err(syntax(fault).at(&place));
                };
                self.repeated += built.weight;
                if self.repeated > MOST_REPEATED || self.open.len() + built.height > DEEPEST {
                    return Err(syntax("the aliases repeat too many values").at(&place));
                }
                self.add(built)
            }
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let (properties, tag) =
                    (tag.is_some() || anchor.is_some(), self.tag(tag.as_deref(), &place)?);
                let plain = style == ScalarStyle::Plain;
                if plain && tag == Tagged::None && value == "<<" && self.expects_merge() {
                    return Ok(());
                }
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let mut value = value;
                if block && event.end_mark.line >= self.added_end && value.ends_with('\n') {
                    value.pop();
                }
                let place = match self.trust {
                    Trust::Text => place,
                    Trust::Templates => {
                        let (start, end) = (event.start_mark, event.end_mark);
                        let lines = &mut self.lines;
                        match layout::of_scalar(lines, &value, style, start, end, properties) {
                            Some(layout) => place.with_layout(layout),
                            None => place,
                        }
                    }
                };
                let node = self.scalar(value, plain, tag, place)?;
                self.finish(Built { node, weight: 1, height: 0 }, anchor)
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                self.start(place, anchor, tag.as_deref(), Content::List(Vec::new()))
            }
            EventData::MappingStart { anchor, tag, .. } => {
                let content = Content::Map { entries: IndexMap::new(), merges: Vec::new(), key: None };
                self.start(place, anchor, tag.as_deref(), content)
            }
            EventData::SequenceEnd | EventData::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open),
                None => Ok(()),
            },
        }
    }

    /// Where a key is expected, makes it a merge.
    fn expects_merge(&mut self) -> bool {
        match self.open.last_mut() {
            Some(Open { content: Content::Map { key: key @ None, .. }, .. }) => {
                *key = Some(Key::Merge);
                true
            }
            _ => false,
        }
    }

    fn place(&self, mark: Mark) -> Place {
        Place::new(self.file.clone(), mark.line as u32 + 1, mark.column as u32 + 1)
    }

    fn tag(&mut self, tag: Option<&str>, place: &Place) -> Result<Tagged, Error> {
        if let Some((message, help)) = tag.and_then(super::tag::deprecation) {
            self.warnings.push(Error::deprecated(&message, "2.23").at(place).with_help(help));
        }
        Tagged::read(tag).map_err(|name| {
            syntax(format!("could not determine a constructor for the tag '{name}'")).at(place).with_help(
                "Known tags are !vault, !unsafe and YAML's own (!!str, !!int, …); quote text \
                    that starts with '!'.",
            )
        })
    }

    fn plain_text(&self) -> bool {
        self.trust == Trust::Text || self.open.last().is_some_and(|open| open.plain_text)
    }

    fn scalar(&self, text: String, plain: bool, tag: Tagged, place: Place) -> Result<Node, Error> {
        let wrong = |what: &str| syntax(format!("'{text}' is not a valid {what}")).at(&place);
        let trust = if self.plain_text() || tag == Tagged::Unsafe { Trust::Text } else { Trust::Templates };
        let value = match tag {
            Tagged::None | Tagged::Unsafe if plain => scalar::resolve(&text),
            Tagged::Vault => {
                return Ok(Node::new(place, Kind::Vault(VaultText { envelope: text.into() })));
            }
            Tagged::None | Tagged::Unsafe | Tagged::Str => None,
            Tagged::Int => Some(scalar::int(&text).ok_or_else(|| wrong("whole number"))?),
            Tagged::Float => {
                let int = || scalar::int(&text).and_then(|n| n.as_f64()).map(Value::Float);
                let other = || text.parse().ok().map(Value::Float);
                Some(scalar::float(&text).or_else(int).or_else(other).ok_or_else(|| wrong("number"))?)
            }
            Tagged::Bool => Some(scalar::bool(&text).map(Value::Bool).ok_or_else(|| wrong("boolean"))?),
            Tagged::Null => Some(Value::Null),
            Tagged::Timestamp => Some(scalar::timestamp(&text).ok_or_else(|| wrong("date or time"))?),
            Tagged::Binary => {
                let compact: String = text.split_whitespace().collect();
                let bytes = base64::engine::general_purpose::STANDARD.decode(compact);
                Some(Value::Bytes(bytes.map_err(|_| wrong("base64 text"))?.into()))
            }
            Tagged::Set | Tagged::Pairs | Tagged::Seq | Tagged::Map => {
                return Err(syntax("this tag wants a list or a map").at(&place));
            }
        };
        Ok(match value {
            Some(value) => Node::value(place, value),
            None => Node::text(place, text, trust),
        })
    }

    fn start(
        &mut self,
        place: Place,
        anchor: Option<String>,
        tag: Option<&str>,
        content: Content,
    ) -> Result<(), Error> {
        let tag = self.tag(tag, &place)?;
        let fits = match &content {
            Content::List(_) => matches!(tag, Tagged::None | Tagged::Seq | Tagged::Unsafe | Tagged::Pairs),
            Content::Map { .. } => matches!(tag, Tagged::None | Tagged::Map | Tagged::Unsafe | Tagged::Set),
        };
        if tag == Tagged::Vault {
            return Err(syntax("the '!vault' tag requires a string value").at(&place));
        }
        if !fits {
            return Err(syntax("the tag does not fit the value behind it").at(&place));
        }
        if self.open.len() >= DEEPEST {
            return Err(syntax("the document is nested too deeply").at(&place));
        }
        let plain_text = self.plain_text() || tag == Tagged::Unsafe;
        self.open.push(Open { place, anchor, tag, plain_text, weight: 1, height: 0, content });
        Ok(())
    }

    fn close(&mut self, open: Open) -> Result<(), Error> {
        let kind = match open.content {
            Content::List(items) if open.tag == Tagged::Pairs => Kind::List(pairs(&items)?),
            Content::List(items) => Kind::List(items),
            Content::Map { entries, .. } if open.tag == Tagged::Set => {
                Kind::List(entries.into_iter().map(|(key, entry)| Node::value(entry.key, key)).collect())
            }
            Content::Map { entries, merges, .. } => Kind::Map(merge(entries, &merges, &mut self.warnings)?),
        };
        let node = Node::new(open.place, kind);
        self.finish(Built { node, weight: open.weight, height: open.height + 1 }, open.anchor)
    }

    fn finish(&mut self, built: Built, anchor: Option<String>) -> Result<(), Error> {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, built.clone());
        }
        self.add(built)
    }

    fn add(&mut self, built: Built) -> Result<(), Error> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(built.node);
            return Ok(());
        };
        open.weight += built.weight;
        open.height = open.height.max(built.height);
        match &mut open.content {
            Content::List(items) => items.push(built.node),
            Content::Map { entries, merges, key } => match key.take() {
                None => {
                    let name = match built.node.kind() {
                        Kind::Value(value) => value.clone(),
                        Kind::Template(template) => template.source().clone().into(),
                        _ => {
                            return Err(
                                syntax("a list or map cannot be the name of a value").at(built.node.place())
                            );
                        }
                    };
                    if entries.contains_key(&name) {
                        self.warnings.push(duplicate(&name, built.node.place()));
                    }
                    *key = Some(Key::Name(name, built.node.place().clone()));
                }
                Some(Key::Merge) => merges.push(built.node),
                Some(Key::Name(name, place)) => {
                    built.node.set_key(&place);
                    entries.insert(name, Entry { key: place, node: built.node });
                }
            },
        }
        Ok(())
    }
}

fn syntax(message: impl Into<String>) -> Error {
    Error::new(fault::sentence(&message.into())).with_kind(ErrorKind::Syntax)
}

fn duplicate(name: &Value, place: &Place) -> Error {
    Error::new(format!("Found duplicate mapping key {}.", playbook_api::python::repr(name)))
        .at(place)
        .with_help("Using last defined value only.")
}

/// Returns the members of a map with `<<`: the merged ones come first, and the map's own replace them; of several
/// merged maps, the first one's values count.
///
/// That is YAML's rule and PyYAML's up to 6.0.3. ansible-core calls each replaced key a duplicate, and so does this.
fn merge(
    own: IndexMap<Value, Entry>,
    merges: &[Node],
    warnings: &mut Vec<Error>,
) -> Result<IndexMap<Value, Entry>, Error> {
    if merges.is_empty() {
        return Ok(own);
    }
    let wrong = |node: &Node| syntax("'<<' wants a map or a list of maps").at(node.place());
    let mut all: IndexMap<Value, Entry> = IndexMap::new();
    let mut insert = |key: Value, entry: Entry| {
        if all.contains_key(&key) {
            warnings.push(duplicate(&key, &entry.key));
        }
        all.insert(key, entry);
    };
    for node in merges {
        let maps = match node.kind() {
            Kind::List(items) => items.iter().rev().collect(),
            _ => vec![node],
        };
        for map in maps {
            let map = map.as_map().ok_or_else(|| wrong(map))?;
            for (key, entry) in map {
                insert(key.clone(), entry.clone());
            }
        }
    }
    for (key, entry) in own {
        insert(key, entry);
    }
    Ok(all)
}

/// `!!omap` and `!!pairs`: a list of maps with one member each becomes a list of pairs.
fn pairs(items: &[Node]) -> Result<Vec<Node>, Error> {
    let pair = |item: &Node| {
        let map = item.as_map().filter(|map| map.len() == 1)?;
        let (key, entry) = map.first()?;
        let key = Node::value(entry.key.clone(), key.clone());
        Some(Node::new(item.place().clone(), Kind::List(vec![key, entry.node.clone()])))
    };
    items
        .iter()
        .map(|item| pair(item).ok_or_else(|| syntax("expected a map of one member").at(item.place())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Node {
        parse(text, "x.yml", Trust::Templates).map(|(mut nodes, _)| nodes.remove(0)).unwrap()
    }

    fn repr(text: &str) -> String {
        node(text).raw().to_string()
    }

    fn fails(text: &str) -> String {
        let error = parse(text, "x.yml", Trust::Templates).map(|_| ()).unwrap_err();
        format!("{}: {}", error.place().unwrap(), error.message())
    }

    #[test]
    fn merges_give_way_to_what_is_written() {
        let text = "b: &b {a: 1, b: 2}\nc: &c {a: 9, d: 4}\no:\n  b: 3\n  <<: [*b, *c]\n  e: 5\n";
        assert_eq!(node(text).get("o").unwrap().raw().to_string(), "{'a': 1, 'd': 4, 'b': 3, 'e': 5}");
        assert_eq!(repr("'<<': 1"), "{'<<': 1}");
    }

    #[test]
    fn tags_say_what_a_value_is() {
        assert_eq!(repr("!!str 12"), "12");
        assert_eq!(
            repr("[!!int '12', !!float 1, !!set {a, b}, !!omap [a: 1], !!binary aGk=]"),
            "[12, 1.0, ['a', 'b'], [['a', 1]], b'hi']"
        );
        let list = node("[!unsafe '{{ a }}', '{{ a }}', !unsafe {k: '{{ a }}', n: 1}]");
        assert!(matches!(list.as_list().unwrap()[0].kind(), Kind::Value(_)));
        assert!(matches!(list.as_list().unwrap()[1].kind(), Kind::Template(_)));
        assert!(list.as_list().unwrap()[2].is_plain());
        assert!(matches!(node("!vault |\n  abc").kind(), Kind::Vault(v) if &*v.envelope == "abc"));
        assert!(fails("a: !foo x").starts_with(
            "x.yml:1:4: YAML parsing failed: Could not determine a constructor for the tag '!foo'"
        ));
    }

    #[test]
    fn places_are_those_of_the_values() {
        let map = node("a: 1\nb:\n  - &x  !unsafe two\n  -   c: 3\n");
        let entry = &map.as_map().unwrap()["b"];
        assert_eq!((entry.key.line, entry.key.column), (2, 1));
        let items = entry.node.as_list().unwrap();
        assert_eq!((items[0].place().line, items[0].place().column), (3, 5));
        assert_eq!((items[1].place().line, items[1].place().column), (4, 7));
    }

    #[test]
    fn duplicate_keys_warn() {
        let (nodes, warnings) = parse("a: 1\nb: 2\na: 3\n", "x", Trust::Text).unwrap();
        assert_eq!(nodes[0].raw().to_string(), "{'a': 3, 'b': 2}");
        assert_eq!(warnings[0].message(), "Found duplicate mapping key 'a'.");
        assert_eq!(warnings[0].place().unwrap().line, 3);
    }

    #[test]
    fn merged_keys_that_are_replaced_warn() {
        let text = "a: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 7}\nc: {<<: *b, y: 0}\nd: {<<: [*b, *a]}\n\
            e: {x: 9, <<: *a}\n";
        let (nodes, warnings) = parse(text, "x", Trust::Text).unwrap();
        assert_eq!(
            nodes[0].raw().to_string(),
            "{'a': {'x': 1, 'y': 2}, 'b': {'x': 7, 'y': 2}, 'c': {'x': 7, 'y': 0}, 'd': {'x': 7, 'y': 2}, \
             'e': {'x': 9, 'y': 2}}"
        );
        let places: Vec<_> =
            warnings.iter().map(|w| (w.message().to_owned(), w.place().unwrap().line)).collect();
        let key = |name: &str, line| (format!("Found duplicate mapping key '{name}'."), line);
        assert_eq!(places, [key("x", 2), key("y", 3), key("x", 2), key("y", 1), key("x", 5)]);
    }

    #[test]
    fn attacks_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            let alias = vec![format!("*a{}", i - 1); 10].join(", ");
            text += &format!("a{i}: &a{i} [{alias}]\n");
        }
        assert!(fails(&text).contains("repeat too many"));
        assert!(fails(&"- ".repeat(5000)).contains("too deeply"));
        assert!(parse(&"[".repeat(100_000), "x", Trust::Text).is_err());
        assert!(parse(&"{a: ".repeat(100_000), "x", Trust::Text).is_err());
        let mut deep = String::from("a0: &a0 [x]\n");
        for i in 1..1000 {
            deep += &format!("a{i}: &a{i} [*a{}]\n", i - 1);
        }
        assert!(fails(&deep).contains("repeat too many"));
        assert!(fails("a: &a [*a]").contains("inside the value"));
    }
}
