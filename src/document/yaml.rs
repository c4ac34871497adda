//! YAML events become nodes, with the tags, anchors and merge keys of YAML 1.1.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use indexmap::IndexMap;
use playbook_api::{Error, ErrorKind, Place, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{DEEPEST, Entry, Kind, Node, Trust, VaultText, fault, scalar};

/// Aliases may repeat this many values in all; more is an attack.
const MOST_REPEATED: usize = 4_000_000;
const YAML: &str = "tag:yaml.org,2002:";

/// Reads every document of a text.
pub fn parse(text: &str, file_name: &str, trust: Trust) -> Result<(Vec<Node>, Vec<Error>), Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        text,
        last_line: if text.ends_with('\n') { usize::MAX } else { text.lines().count() },
        file: file_name.into(),
        trust,
        open: Vec::new(),
        anchors: HashMap::new(),
        repeated: 0,
        documents: Vec::new(),
        warnings: Vec::new(),
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| fault::syntax(text, &builder.file, &e))?;
        builder.event(event, span).map_err(|e| fault::explain(text, e))?;
    }
    Ok((builder.documents, builder.warnings))
}

/// A node, and how much it would be if its aliases were written out.
#[derive(Clone)]
struct Built {
    node: Node,
    weight: usize,
    height: usize,
}

struct Builder<'a> {
    text: &'a str,
    /// The number of the last line, if nothing ends it.
    last_line: usize,
    file: Arc<str>,
    trust: Trust,
    open: Vec<Open>,
    anchors: HashMap<usize, Built>,
    repeated: usize,
    documents: Vec<Node>,
    warnings: Vec<Error>,
}

/// A list or map that is being read.
struct Open {
    place: Place,
    anchor: usize,
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

/// What a tag asks for.
#[derive(Clone, Copy, PartialEq)]
enum Tagged {
    None,
    Str,
    Int,
    Float,
    Bool,
    Null,
    Timestamp,
    Binary,
    Set,
    Pairs,
    Seq,
    Map,
    Unsafe,
    Vault,
}

impl Tagged {
    fn read(tag: Option<&Tag>) -> Result<Tagged, String> {
        let Some(tag) = tag else { return Ok(Tagged::None) };
        let full = format!("{}{}", tag.handle, tag.suffix);
        Ok(match full.strip_prefix(YAML).unwrap_or(&full) {
            "!" | "" => Tagged::Str,
            "!unsafe" => Tagged::Unsafe,
            "!vault" | "!vault-encrypted" => Tagged::Vault,
            _ if !full.starts_with(YAML) => return Err(full),
            "str" | "python/unicode" => Tagged::Str,
            "int" => Tagged::Int,
            "float" => Tagged::Float,
            "bool" => Tagged::Bool,
            "null" => Tagged::Null,
            "timestamp" => Tagged::Timestamp,
            "binary" => Tagged::Binary,
            "set" => Tagged::Set,
            "omap" | "pairs" => Tagged::Pairs,
            "seq" => Tagged::Seq,
            "map" | "python/dict" => Tagged::Map,
            _ => return Err(full),
        })
    }
}

impl Builder<'_> {
    fn event(&mut self, event: Event, span: Span) -> Result<(), Error> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Alias(anchor) => {
                let place = self.place(span, false);
                let Some(built) = self.anchors.get(&anchor).cloned() else {
                    return Err(syntax("an alias cannot stand inside the value it repeats").at(&place));
                };
                self.repeated += built.weight;
                if self.repeated > MOST_REPEATED || self.open.len() + built.height > DEEPEST {
                    return Err(syntax("the aliases repeat too many values").at(&place));
                }
                self.add(built)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let place = self.place(span, anchor > 0 || tag.is_some());
                let tag = self.tag(tag.as_deref(), &place)?;
                let plain = style == ScalarStyle::Plain;
                let in_key =
                    matches!(self.open.last(), Some(Open { content: Content::Map { key: None, .. }, .. }));
                if in_key && plain && tag == Tagged::None && text == "<<" {
                    if let Some(Open { content: Content::Map { key, .. }, .. }) = self.open.last_mut() {
                        *key = Some(Key::Merge);
                    }
                    return Ok(());
                }
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let text = match text.strip_suffix('\n') {
                    // A line break that is not there does not count, as in libyaml.
                    Some(cut) if block && span.end.line() >= self.last_line => cut,
                    _ => &text,
                };
                let node = self.scalar(text, plain, tag, place)?;
                self.finish(Built { node, weight: 1, height: 0 }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(span, anchor, tag.as_deref(), Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map { entries: IndexMap::new(), merges: Vec::new(), key: None };
                self.start(span, anchor, tag.as_deref(), content)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open),
                None => Ok(()),
            },
        }
    }

    /// Where a node starts: at its tag or anchor, if it has one.
    fn place(&self, span: Span, properties: bool) -> Place {
        let line = span.start.line();
        let mut column = span.start.col() + 1;
        if properties {
            let before: String = self
                .text
                .lines()
                .nth(line.saturating_sub(1))
                .unwrap_or("")
                .chars()
                .take(column - 1)
                .collect();
            let mut rest = before.trim_end();
            while let Some(word) = rest.rsplit([' ', '\t']).next().filter(|w| w.starts_with(['!', '&'])) {
                rest = &rest[..rest.len() - word.len()];
                column = rest.chars().count() + 1;
                rest = rest.trim_end();
            }
        }
        Place { file: self.file.clone(), line: line as u32, column: column as u32 }
    }

    fn tag(&self, tag: Option<&Tag>, place: &Place) -> Result<Tagged, Error> {
        Tagged::read(tag).map_err(|name| {
            syntax(format!("the tag '{name}' means nothing here"))
                .at(place)
                .help("Known tags are !vault, !unsafe and YAML's own (!!str, !!int, …); quote text that starts with '!'.")
        })
    }

    fn plain_text(&self) -> bool {
        self.trust == Trust::Text || self.open.last().is_some_and(|open| open.plain_text)
    }

    fn scalar(&self, text: &str, plain: bool, tag: Tagged, place: Place) -> Result<Node, Error> {
        let wrong = |what: &str| syntax(format!("'{text}' is no {what}")).at(&place);
        let trust = if self.plain_text() || tag == Tagged::Unsafe { Trust::Text } else { Trust::Templates };
        let value = match tag {
            Tagged::None | Tagged::Unsafe if plain => scalar::resolve(text),
            Tagged::Vault => {
                return Ok(Node::new(place, Kind::Vault(VaultText { envelope: text.into() })));
            }
            Tagged::None | Tagged::Unsafe | Tagged::Str => None,
            Tagged::Int => Some(scalar::int(text).ok_or_else(|| wrong("whole number"))?),
            Tagged::Float => {
                let int = || scalar::int(text).and_then(|n| n.as_f64()).map(Value::Float);
                let other = || text.parse().ok().map(Value::Float);
                Some(scalar::float(text).or_else(int).or_else(other).ok_or_else(|| wrong("number"))?)
            }
            Tagged::Bool => Some(scalar::bool(text).map(Value::Bool).ok_or_else(|| wrong("boolean"))?),
            Tagged::Null => Some(Value::Null),
            Tagged::Timestamp => Some(scalar::timestamp(text).ok_or_else(|| wrong("date or time"))?),
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

    fn start(&mut self, span: Span, anchor: usize, tag: Option<&Tag>, content: Content) -> Result<(), Error> {
        let place = self.place(span, anchor > 0 || tag.is_some());
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
            Content::Map { entries, merges, .. } => Kind::Map(merge(entries, &merges)?),
        };
        let node = Node::new(open.place, kind);
        self.finish(Built { node, weight: open.weight, height: open.height + 1 }, open.anchor)
    }

    fn finish(&mut self, built: Built, anchor: usize) -> Result<(), Error> {
        if anchor > 0 {
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
                        let name = playbook_api::python::repr(&name);
                        self.warnings.push(
                            Error::new(format!("Found duplicate mapping key {name}."))
                                .at(built.node.place())
                                .help("Using last defined value only."),
                        );
                    }
                    *key = Some(Key::Name(name, built.node.place().clone()));
                }
                Some(Key::Merge) => merges.push(built.node),
                Some(Key::Name(name, place)) => {
                    entries.insert(name, Entry { key: place, node: built.node });
                }
            },
        }
        Ok(())
    }
}

fn syntax(message: impl Into<String>) -> Error {
    let message = message.into();
    Error::new(format!("YAML parsing failed: {message}.")).kind(ErrorKind::Syntax)
}

/// `<<`: what is merged comes first, and gives way to what is written; of several maps the first wins.
fn merge(own: IndexMap<Value, Entry>, merges: &[Node]) -> Result<IndexMap<Value, Entry>, Error> {
    if merges.is_empty() {
        return Ok(own);
    }
    let wrong = |node: &Node| syntax("'<<' wants a map or a list of maps").at(node.place());
    let mut all = IndexMap::new();
    for node in merges {
        let maps = match node.kind() {
            Kind::List(items) => items.iter().rev().collect(),
            _ => vec![node],
        };
        for map in maps {
            let map = map.as_map().ok_or_else(|| wrong(map))?;
            all.extend(map.iter().map(|(k, e)| (k.clone(), e.clone())));
        }
    }
    all.extend(own);
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
        assert!(fails("a: !foo x").starts_with("x.yml:1:4: YAML parsing failed: the tag '!foo'"));
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
