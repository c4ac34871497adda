//! Nodes as YAML, the way `ansible-inventory --yaml` prints them.

use std::collections::HashMap;

use libyaml_safer::{Emitter, Event, MappingStyle, ScalarStyle, SequenceStyle};
use playbook_api::python::{float, json_key};
use playbook_api::{Error, Value};

use super::{Kind, Node, plain_scalar};

/// Writes a node as YAML: keys sorted, templates as their text, vaults as `!vault`. What stands in several places
/// is written once and repeated by an alias.
pub fn to_yaml(node: &Node) -> Result<String, Error> {
    let mut bytes = Vec::new();
    {
        let mut writer = Writer { emitter: Emitter::new(), anchors: HashMap::new(), next: 1 };
        writer.emitter.set_output(&mut bytes);
        writer.emitter.set_unicode(true);
        writer.count(node);
        writer.emit(Event::stream_start(libyaml_safer::Encoding::Utf8))?;
        writer.emit(Event::document_start(None, &[], true))?;
        writer.node(node)?;
        writer.emit(Event::document_end(true))?;
        writer.emit(Event::stream_end())?;
    }
    let text = String::from_utf8(bytes).map_err(|e| Error::new(e.to_string()))?;
    Ok(text.strip_suffix("...\n").map(str::to_owned).unwrap_or(text))
}

struct Writer<'w> {
    emitter: Emitter<'w>,
    /// How often a list or map was met; those met again have a number, which is set to zero once it is written.
    anchors: HashMap<usize, Anchor>,
    next: usize,
}

#[derive(Default)]
struct Anchor {
    number: usize,
    written: bool,
}

impl Writer<'_> {
    fn emit(&mut self, event: Event) -> Result<(), Error> {
        self.emitter.emit(event).map_err(|e| Error::new(format!("cannot write YAML: {e}")))
    }

    /// Numbers what stands in several places.
    fn count(&mut self, node: &Node) {
        if node.as_list().is_none() && node.as_map().is_none() {
            return;
        }
        if let Some(anchor) = self.anchors.get_mut(&node.identity()) {
            if anchor.number == 0 {
                anchor.number = self.next;
                self.next += 1;
            }
            return;
        }
        self.anchors.insert(node.identity(), Anchor::default());
        match node.kind() {
            Kind::List(items) => items.iter().for_each(|item| self.count(item)),
            Kind::Map(_) => sorted(node).into_iter().for_each(|(_, node)| self.count(node)),
            _ => {}
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), Error> {
        let mut name = None;
        if let Some(anchor) = self.anchors.get_mut(&node.identity()).filter(|anchor| anchor.number > 0) {
            name = Some(format!("id{:03}", anchor.number));
            if std::mem::replace(&mut anchor.written, true) {
                return self.emit(Event::alias(&name.unwrap_or_default()));
            }
        }
        match node.kind() {
            Kind::List(items) => {
                self.list_start(name.as_deref(), items.is_empty())?;
                items.iter().try_for_each(|item| self.node(item))?;
                self.emit(Event::sequence_end())
            }
            Kind::Map(map) => {
                self.map_start(name.as_deref(), map.is_empty())?;
                for (key, node) in sorted(node) {
                    self.scalar(key)?;
                    self.node(node)?;
                }
                self.emit(Event::mapping_end())
            }
            Kind::Vault(vault) => self.emit(Event::scalar(
                None,
                Some("!vault"),
                &vault.envelope,
                false,
                false,
                ScalarStyle::Literal,
            )),
            Kind::Template(template) => self.text(template.source()),
            Kind::Value(value) => self.value(value),
        }
    }

    fn list_start(&mut self, anchor: Option<&str>, empty: bool) -> Result<(), Error> {
        let style = if empty { SequenceStyle::Flow } else { SequenceStyle::Block };
        self.emit(Event::sequence_start(anchor, None, true, style))
    }

    fn map_start(&mut self, anchor: Option<&str>, empty: bool) -> Result<(), Error> {
        let style = if empty { MappingStyle::Flow } else { MappingStyle::Block };
        self.emit(Event::mapping_start(anchor, None, true, style))
    }

    fn value(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::List(items) | Value::Tuple(items) => {
                self.list_start(None, items.is_empty())?;
                items.iter().try_for_each(|item| self.value(item))?;
                self.emit(Event::sequence_end())
            }
            Value::Map(map) => {
                self.map_start(None, map.is_empty())?;
                let mut entries: Vec<(&Value, &Value)> = map.iter().collect();
                entries.sort_by_key(|(key, _)| json_key(key));
                for (key, value) in entries {
                    self.scalar(key)?;
                    self.value(value)?;
                }
                self.emit(Event::mapping_end())
            }
            scalar => self.scalar(scalar),
        }
    }

    fn scalar(&mut self, value: &Value) -> Result<(), Error> {
        let plain = match value {
            Value::Null | Value::Undefined(_) | Value::Omit => "null".to_owned(),
            Value::Bool(b) => b.to_string(),
            Value::Int(_) | Value::BigInt(_) => value.to_text().into_owned(),
            Value::Float(n) if n.is_nan() => ".nan".to_owned(),
            Value::Float(n) if n.is_infinite() => if *n > 0.0 { ".inf" } else { "-.inf" }.to_owned(),
            Value::Float(n) => {
                let text = float(*n);
                if text.contains('e') && !text.contains('.') { text.replacen('e', ".0e", 1) } else { text }
            }
            text => return self.text(&text.to_text()),
        };
        self.emit(Event::scalar(None, None, &plain, true, false, ScalarStyle::Any))
    }

    /// Text is plain where that reads back as text; the emitter sees to the rest.
    fn text(&mut self, text: &str) -> Result<(), Error> {
        let stays_text =
            plain_scalar(text).as_str() == Some(text) && super::scalar::timestamp(text).is_none();
        let stays_text = stays_text && !matches!(text, "=" | "<<");
        self.emit(Event::scalar(None, None, text, stays_text, true, ScalarStyle::Any))
    }
}

/// The members of a map by key; where Python knows no order of the keys, as they were written.
fn sorted(node: &Node) -> Vec<(&Value, &Node)> {
    let map = node.as_map().into_iter().flatten();
    let mut entries: Vec<(&Value, &Node)> = map.map(|(key, entry)| (key, &entry.node)).collect();
    let comparable = entries.windows(2).all(|pair| pair[0].0.compare(pair[1].0).is_some());
    if comparable {
        entries.sort_by(|a, b| a.0.compare(b.0).unwrap_or(std::cmp::Ordering::Equal));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Trust, parse};

    /// What PyYAML's dumper writes for these.
    #[test]
    fn yaml_is_written_as_pyyaml_does() {
        for (text, yaml) in [
            ("{b: 1, a: [1, {x: y}], e: [], m: {}}", "a:\n- 1\n- x: y\nb: 1\ne: []\nm: {}\n"),
            (
                "['{{ x }}', 'yes', '12', '', 'a: b', \"l1\\nl2\", 'é', \"\\x01\"]",
                "- '{{ x }}'\n- 'yes'\n- '12'\n- ''\n- 'a: b'\n- 'l1\n\n  l2'\n- é\n- \"\\x01\"\n",
            ),
            ("{a: &x [1], b: *x}", "a: &id001\n- 1\nb: *id001\n"),
            (
                "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
                "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
            ),
            ("[1.5, 1.0e+20, .inf, null, true]", "- 1.5\n- 1.0e+20\n- .inf\n- null\n- true\n"),
        ] {
            let node = parse(text, "x", Trust::Templates).unwrap().node;
            assert_eq!(to_yaml(&node).unwrap(), yaml, "{text}");
        }
    }
}
