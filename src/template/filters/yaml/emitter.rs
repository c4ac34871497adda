//! The layout of a document: indentation, flow and block collections, simple keys.

use playbook_api::{Error, Map, Value, python};

use super::analysis::Analysis;
use crate::document::plain_scalar;
use crate::template::filters::arguments::sort_by_key;

/// Options of `yaml.dump`.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Flow or block; without a wish, collections of nothing but scalars flow.
    pub flow: Option<bool>,
    /// The style of all scalars: `'`, `"`, `|`, `>`.
    pub style: Option<char>,
    pub canonical: bool,
    pub indent: usize,
    /// Nothing means no folding.
    pub width: Option<usize>,
    pub explicit_start: bool,
    pub explicit_end: bool,
    pub sort_keys: bool,
}

/// A scalar with the tag that it has, and whether it would be read as such when written plainly or quoted.
struct Scalar {
    text: String,
    tag: &'static str,
    plain: bool,
    quoted: bool,
}

pub struct Emitter {
    pub(super) out: String,
    pub(super) options: Options,
    pub(super) column: usize,
    /// Whether the last thing written was white space.
    pub(super) whitespace: bool,
    /// Whether nothing but indentation is on the line.
    pub(super) indention: bool,
    /// The present indentation; nothing before the first collection.
    pub(super) indent: Option<usize>,
    flow_level: usize,
    /// Whether a text that keeps its last line breaks ended the document.
    pub(super) open_ended: bool,
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Root,
    Item,
    Key,
    Value,
}

impl Emitter {
    pub fn new(options: Options) -> Emitter {
        let indent = if (2..=9).contains(&options.indent) { options.indent } else { 2 };
        let width = match options.width {
            Some(width) if width <= indent * 2 => Some(80),
            width => width,
        };
        Emitter {
            out: String::new(),
            options: Options { indent, width, ..options },
            column: 0,
            whitespace: true,
            indention: true,
            indent: None,
            flow_level: 0,
            open_ended: false,
        }
    }

    pub fn document(mut self, value: &Value) -> Result<String, Error> {
        if self.options.explicit_start || self.options.canonical {
            self.indicator("---", true, false, false);
            if self.options.canonical {
                self.write_indent();
            }
        }
        self.node(value, Role::Root)?;
        self.write_indent();
        if self.options.explicit_end || self.open_ended {
            self.indicator("...", true, false, false);
            self.write_indent();
        }
        Ok(self.out)
    }

    pub(super) fn is_wide(&self) -> bool {
        self.options.width.is_some_and(|width| self.column > width)
    }

    pub(super) fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    pub(super) fn put_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
    }

    pub(super) fn indicator(&mut self, text: &str, space_before: bool, whitespace: bool, indention: bool) {
        if space_before && !self.whitespace {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        self.whitespace = whitespace;
        self.indention = self.indention && indention;
    }

    pub(super) fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    /// Indents what `inner` writes.
    fn indented(
        &mut self,
        flow: bool,
        indentless: bool,
        inner: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let outer = self.indent;
        self.indent = match outer {
            None => Some(if flow { self.options.indent } else { 0 }),
            Some(indent) if indentless => Some(indent),
            Some(indent) => Some(indent + self.options.indent),
        };
        let result = inner(self);
        self.indent = outer;
        result
    }

    fn node(&mut self, value: &Value, role: Role) -> Result<(), Error> {
        match value {
            Value::Undefined(reason) => Err(Error::undefined(reason.to_string())),
            Value::List(items) | Value::Tuple(items) => self.sequence(items, role),
            Value::Map(map) => self.mapping(map, role),
            Value::Object(object) if object.force().is_some() => match object.force() {
                Some(forced) => self.node(&forced?, role),
                None => Ok(()),
            },
            scalar => {
                let scalar = represent(scalar);
                self.indented(true, false, |emitter| {
                    emitter.scalar(&scalar, role == Role::Key);
                    Ok(())
                })
            }
        }
    }

    /// Whether a collection flows: as wished, or if all its members are plain scalars.
    fn flows<'a>(&self, members: impl Iterator<Item = &'a Value>) -> bool {
        let is_scalar = |value: &Value| !matches!(value, Value::List(_) | Value::Tuple(_) | Value::Map(_));
        self.options.flow.unwrap_or_else(|| {
            let mut members = members;
            members.all(|member| is_scalar(member) && self.options.style.is_none())
        })
    }

    fn tag(&mut self, tag: &str) {
        if self.options.canonical {
            self.indicator(tag, true, false, false);
        }
    }

    fn sequence(&mut self, items: &[Value], role: Role) -> Result<(), Error> {
        self.tag("!!seq");
        if self.flow_level > 0 || self.options.canonical || items.is_empty() || self.flows(items.iter()) {
            return self.flow("[", "]", items.len(), |emitter, at| emitter.node(&items[at], Role::Item));
        }
        let in_mapping = matches!(role, Role::Key | Role::Value);
        let indentless = in_mapping && !self.indention;
        self.indented(false, indentless, |emitter| {
            for item in items {
                emitter.write_indent();
                emitter.indicator("-", true, false, true);
                emitter.node(item, Role::Item)?;
            }
            Ok(())
        })
    }

    fn mapping(&mut self, map: &Map, _: Role) -> Result<(), Error> {
        self.tag("!!map");
        let keys: Vec<Value> = map.keys().cloned().collect();
        // Keys that have no order among themselves stay as they are.
        let sorted = if self.options.sort_keys {
            sort_by_key(&keys, false, |key| Ok(key.clone())).unwrap_or(keys)
        } else {
            keys
        };
        let flows = self.flow_level > 0
            || self.options.canonical
            || map.is_empty()
            || self.flows(map.iter().flat_map(|(key, value)| [key, value]));
        if flows {
            return self.flow("{", "}", sorted.len(), |emitter, at| emitter.flow_entry(&sorted[at], map));
        }
        self.indented(false, false, |emitter| {
            for key in &sorted {
                emitter.write_indent();
                let simple = emitter.is_simple_key(key);
                if simple {
                    emitter.node(key, Role::Key)?;
                    emitter.indicator(":", false, false, false);
                } else {
                    emitter.indicator("?", true, false, true);
                    emitter.node(key, Role::Value)?;
                    emitter.write_indent();
                    emitter.indicator(":", true, false, true);
                }
                emitter.node(&map[key], Role::Value)?;
            }
            Ok(())
        })
    }

    fn flow(
        &mut self,
        open: &str,
        close: &str,
        count: usize,
        member: impl Fn(&mut Self, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.indicator(open, true, true, false);
        self.flow_level += 1;
        let result = self.indented(true, false, |emitter| {
            for at in 0..count {
                if at > 0 {
                    emitter.indicator(",", false, false, false);
                }
                if emitter.options.canonical || emitter.is_wide() {
                    emitter.write_indent();
                }
                member(emitter, at)?;
            }
            Ok(())
        });
        self.flow_level -= 1;
        if self.options.canonical && count > 0 {
            self.indicator(",", false, false, false);
            self.write_indent();
        }
        self.indicator(close, false, false, false);
        result
    }

    fn flow_entry(&mut self, key: &Value, map: &Map) -> Result<(), Error> {
        if !self.options.canonical && self.is_simple_key(key) {
            self.node(key, Role::Key)?;
            self.indicator(":", false, false, false);
        } else {
            self.indicator("?", true, false, false);
            self.node(key, Role::Value)?;
            if self.options.canonical || self.is_wide() {
                self.write_indent();
            }
            self.indicator(":", true, false, false);
        }
        self.node(&map[key], Role::Value)
    }

    /// Whether a key can stand before its colon.
    fn is_simple_key(&self, key: &Value) -> bool {
        const LONGEST: usize = 128;
        match key {
            Value::List(items) | Value::Tuple(items) => items.is_empty(),
            Value::Map(map) => map.is_empty(),
            scalar => {
                let text = represent(scalar).text;
                text.len() <= LONGEST && !Analysis::of(&text).multiline
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar, is_key: bool) {
        let analysis = Analysis::of(&scalar.text);
        let style = self.style(scalar, &analysis, is_key);
        if self.options.canonical {
            self.indicator(scalar.tag, true, false, false);
        } else if style != None && !scalar.quoted {
            self.indicator("!", true, false, false);
        }
        let may_break = !is_key;
        match style {
            None => self.plain(&scalar.text, may_break, self.flow_level > 0),
            Some('\'') => self.single_quoted(&scalar.text, may_break),
            Some('|') => self.literal(&scalar.text),
            Some('>') => self.folded(&scalar.text),
            Some(_) => self.double_quoted(&scalar.text, may_break),
        }
    }

    /// The wished style, or the plainest that the text allows where it stands.
    fn style(&self, scalar: &Scalar, analysis: &Analysis, is_key: bool) -> Option<char> {
        if self.options.canonical || (is_key && analysis.multiline) {
            return Some('"');
        }
        let in_flow = self.flow_level > 0;
        let mut style = self.options.style;
        if style.is_none() {
            let allowed = if in_flow { analysis.flow_plain } else { analysis.block_plain };
            let needs_quotes = scalar.text.is_empty() && (in_flow || is_key);
            if !allowed || needs_quotes || !scalar.plain {
                style = Some('\'');
            }
        }
        match style {
            Some('\'') if !analysis.single_quoted => Some('"'),
            Some('|' | '>') if !analysis.block || in_flow || is_key => Some('"'),
            style => style,
        }
    }
}

/// A scalar as PyYAML represents it.
fn represent(value: &Value) -> Scalar {
    let (text, tag) = match value {
        Value::Null | Value::Omit => ("null".to_owned(), "!!null"),
        Value::Bool(b) => (b.to_string(), "!!bool"),
        Value::Int(_) | Value::BigInt(_) => (value.to_string(), "!!int"),
        Value::Float(n) => (float(*n), "!!float"),
        other => (other.to_text().into_owned(), "!!str"),
    };
    let is_text = tag == "!!str";
    let plain = !is_text || (matches!(plain_scalar(&text), Value::Str(_)) && !matches!(&*text, "<<" | "="));
    Scalar { text, tag, plain: plain && !(is_text && is_date(value)), quoted: is_text }
}

/// A text that YAML 1.1 would read as a point in time.
fn is_date(value: &Value) -> bool {
    let text = value.to_text();
    let (date, rest) = text.split_at(text.find(['T', 't', ' ', '\t']).unwrap_or(text.len()));
    let mut parts = date.split('-');
    let mut digits = |lengths: std::ops::RangeInclusive<usize>| {
        parts.next().is_some_and(|p| lengths.contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    };
    let short = rest.is_empty();
    let (month, day) = if short { (2..=2, 2..=2) } else { (1..=2, 1..=2) };
    let is_day = digits(4..=4) && digits(month) && digits(day) && parts.next().is_none();
    let clock = |rest: &str| {
        let rest = rest.trim_start_matches([' ', '\t', 'T', 't']);
        let hour = rest
            .split(':')
            .next()
            .is_some_and(|h| matches!(h.len(), 1 | 2) && h.bytes().all(|b| b.is_ascii_digit()));
        hour && rest.matches(':').count() >= 2
    };
    is_day && (short || clock(rest))
}

/// PyYAML gives every exponent a point before it: without one, YAML 1.1 reads text.
fn float(n: f64) -> String {
    if n.is_nan() {
        return ".nan".into();
    }
    if n.is_infinite() {
        return if n > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let text = python::float(n);
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}
