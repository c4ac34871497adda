//! A value as it was written.

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use playbook_api::{Error, Place, Value};

use crate::jinja::Template;

/// Whether the text of a document may hold templates.
///
/// Playbooks, roles, inventories, variable files and `-e` are trusted; what modules, hosts, facts, registered
/// results and the cloud return is plain text and can never become a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It may.
    Templates,
    /// It may not: all text is data.
    Text,
}

/// A value as it was written: where, and what. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Node(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    kind: Kind,
    /// Line and column of the key, for a member of a map.
    key: OnceLock<(u32, u32)>,
    /// The value of a plain node, made once.
    plain: OnceLock<Option<Value>>,
    /// The text of an opened vault.
    opened: OnceLock<Arc<str>>,
}

/// What was written.
#[derive(Debug)]
pub enum Kind {
    /// A scalar (or, where the node was made from a computed value, any value).
    Value(Value),
    /// Text that holds Jinja.
    Template(Template),
    /// An inline vault.
    Vault(VaultText),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(IndexMap<Value, Entry>),
}

/// A member of a written map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The place of the key.
    pub key: Place,
    /// The value.
    pub node: Node,
}

/// An inline `!vault` value, opened when it is first asked for.
#[derive(Debug)]
pub struct VaultText {
    /// The encrypted text.
    pub envelope: Arc<str>,
}

impl Node {
    /// Creates a node.
    pub fn new(place: Place, kind: Kind) -> Self {
        Node(Arc::new(Inner {
            place,
            kind,
            key: OnceLock::new(),
            plain: OnceLock::new(),
            opened: OnceLock::new(),
        }))
    }

    /// Creates a node from a value that holds no template.
    pub fn value(place: Place, value: impl Into<Value>) -> Self {
        Node::new(place, Kind::Value(value.into()))
    }

    /// Text of a document: a template where it holds Jinja and the document is trusted.
    pub fn text(place: Place, text: impl Into<Arc<str>>, trust: Trust) -> Self {
        let text = text.into();
        if trust == Trust::Templates && Template::is_template(&text) {
            return Node::new(place.clone(), Kind::Template(Template::new(text, place)));
        }
        let text = if trust == Trust::Templates {
            playbook_api::Text::trusted(text)
        } else {
            playbook_api::Text::new(text)
        };
        Node::value(place, text)
    }

    /// Text of which no expression may be made either (`!unsafe`).
    pub fn is_untrusted(&self) -> bool {
        matches!(self.kind(), Kind::Value(Value::Str(text)) if !text.is_trusted())
    }

    /// A computed value as a node. Text from a trusted source may hold templates; lists and maps are then taken
    /// apart to find them.
    pub fn from_value(place: &Place, value: Value, trust: Trust) -> Self {
        match value {
            Value::Str(text) if trust == Trust::Templates && !text.is_secret() => {
                Node::text(place.clone(), text.as_str(), trust)
            }
            Value::List(items) if trust == Trust::Templates => {
                let items = items.iter().map(|item| Node::from_value(place, item.clone(), trust)).collect();
                Node::new(place.clone(), Kind::List(items))
            }
            Value::Map(map) if trust == Trust::Templates => {
                let entry = |value: &Value| Entry {
                    key: place.clone(),
                    node: Node::from_value(place, value.clone(), trust),
                };
                let map = map.iter().map(|(k, v)| (k.clone(), entry(v))).collect();
                Node::new(place.clone(), Kind::Map(map))
            }
            value => Node::value(place.clone(), value),
        }
    }

    /// Tells one node from another that says the same.
    pub(super) fn identity(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// Returns where it was written.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// Returns the place of the key under which a member of a map was written; otherwise the node's own.
    pub fn key_place(&self) -> Place {
        match self.0.key.get() {
            Some((line, column)) => Place::new(self.place().file.clone(), *line, *column),
            None => self.place().clone(),
        }
    }

    /// Notes the key of a member of a map.
    pub(super) fn set_key(&self, key: &Place) {
        let _ = self.0.key.set((key.line, key.column));
    }

    /// Returns what was written.
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// Returns whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind(), Kind::Value(Value::Null))
    }

    /// Returns plain text; `None` for a template.
    pub fn as_str(&self) -> Option<&str> {
        match self.kind() {
            Kind::Value(value) => value.as_str(),
            _ => None,
        }
    }

    /// Text as it was written, template or not.
    pub fn source(&self) -> Option<&str> {
        match self.kind() {
            Kind::Value(value) => value.as_str(),
            Kind::Template(template) => Some(template.source()),
            _ => None,
        }
    }

    /// Returns the items of a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match self.kind() {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the members of a map.
    pub fn as_map(&self) -> Option<&IndexMap<Value, Entry>> {
        match self.kind() {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A member of a map by its name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.as_map()?.get(name).map(|entry| &entry.node)
    }

    /// Whether a template or vault is anywhere inside: if not, the node is its own value.
    pub fn is_plain(&self) -> bool {
        match self.kind() {
            Kind::Value(_) => true,
            Kind::Template(_) | Kind::Vault(_) => false,
            Kind::List(items) => items.iter().all(Node::is_plain),
            Kind::Map(map) => map.values().all(|entry| entry.node.is_plain()),
        }
    }

    /// The value of a plain node, made once and shared; nothing where something must be rendered.
    pub fn plain(&self) -> Option<&Value> {
        match self.kind() {
            Kind::Value(value) => Some(value),
            _ => self.0.plain.get_or_init(|| self.is_plain().then(|| self.raw())).as_ref(),
        }
    }

    /// Returns the text of a vault, which is opened at the first call.
    pub(crate) fn opened(
        &self,
        open: impl FnOnce(&str) -> Result<Arc<str>, Error>,
    ) -> Result<&Arc<str>, Error> {
        if let Some(text) = self.0.opened.get() {
            return Ok(text);
        }
        let Kind::Vault(vault) = self.kind() else {
            return Err(Error::new("not a vault").at(self.place()));
        };
        let text = open(&vault.envelope).map_err(|error| error.at(self.place()))?;
        Ok(self.0.opened.get_or_init(|| text))
    }

    /// The same, with text that is a template marked as trusted: what another template engine takes for one.
    pub fn marked(&self) -> Value {
        match self.kind() {
            Kind::Template(template) => Value::Str(playbook_api::Text::trusted(template.source().clone())),
            Kind::List(items) => items.iter().map(Node::marked).collect(),
            Kind::Map(map) => {
                let entries = map.iter().map(|(k, e)| (k.clone(), e.node.marked()));
                Value::from(entries.collect::<playbook_api::Map>())
            }
            _ => self.raw(),
        }
    }

    /// The written form as a value: templates as their source text, vaults as their envelope.
    pub fn raw(&self) -> Value {
        match self.kind() {
            Kind::Value(value) => value.clone(),
            Kind::Template(template) => Value::from(template.source().clone()),
            Kind::Vault(vault) => Value::from(vault.envelope.clone()),
            Kind::List(items) => items.iter().map(Node::raw).collect(),
            Kind::Map(map) => {
                Value::from(map.iter().map(|(k, e)| (k.clone(), e.node.raw())).collect::<playbook_api::Map>())
            }
        }
    }
}
