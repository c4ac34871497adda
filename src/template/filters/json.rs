//! JSON, written as Python's `json` module writes it.

use playbook_api::{Error, Map, Text, Value, python};

use super::arguments::{flag, given, iterate, sort_by_key};
use crate::document::{self, Kind, Node, Trust};
use crate::template::{Call, Function, Renderer};

pub(super) const FILTERS: &[Function] = &[
    Function::new("to_json", to_json),
    Function::new("to_nice_json", to_nice_json),
    Function::new("from_json", from_json),
    Function::new("tojson", tojson),
];

/// Options of `json.dumps`.
struct Style {
    indent: Option<String>,
    sort_keys: bool,
    ensure_ascii: bool,
    item_separator: String,
    key_separator: String,
}

impl Style {
    /// Reads the options of a call.
    fn take(call: &mut Call, indent: Option<Value>, sort_keys: bool) -> Result<Style, Error> {
        let given_indent = match (call.take("indent"), call.args.first().cloned()) {
            (Some(indent), _) | (None, Some(indent)) => given(Some(indent)),
            (None, None) => indent,
        };
        let indent = given_indent.map(|indent| match indent {
            Value::Str(text) => text.to_string(),
            other => " ".repeat(other.as_i64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(1000)),
        });
        let item_separator = if indent.is_some() { "," } else { ", " };
        let (item_separator, key_separator) = match given(call.take("separators")) {
            None => (item_separator.to_owned(), ": ".to_owned()),
            Some(pair) => match iterate(&pair)?.as_slice() {
                [item, key] => (item.to_text().into_owned(), key.to_text().into_owned()),
                _ => return Err(Error::new("separators must be a pair of texts")),
            },
        };
        let style = Style {
            indent,
            sort_keys: flag(&call.take("sort_keys"), sort_keys),
            ensure_ascii: flag(&call.take("ensure_ascii"), true),
            item_separator,
            key_separator,
        };
        for ignored in ["vault_to_text", "preprocess_unsafe", "allow_nan", "check_circular", "skipkeys"] {
            call.take(ignored);
        }
        match call.kwargs.keys().next() {
            Some(unknown) => Err(Error::new(format!(
                "JSONEncoder.__init__() got an unexpected keyword argument '{unknown}'"
            ))),
            None => Ok(style),
        }
    }

    fn line(&self, out: &mut String, depth: usize) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    }

    fn scalar(&self, value: &Value) -> String {
        python::json(
            value,
            python::JsonStyle { indent: None, sort_keys: false, ensure_ascii: self.ensure_ascii },
        )
    }

    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        match value {
            Value::Undefined(reason) => return Err(Error::undefined(reason.to_string())),
            Value::List(items) | Value::Tuple(items) if items.is_empty() => out.push_str("[]"),
            Value::Map(map) if map.is_empty() => out.push_str("{}"),
            Value::List(items) | Value::Tuple(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push_str(&self.item_separator);
                    }
                    self.line(out, depth + 1);
                    self.write(out, item, depth + 1)?;
                }
                self.line(out, depth);
                out.push(']');
            }
            Value::Map(map) => {
                let mut keys: Vec<Value> = map.keys().cloned().collect();
                if self.sort_keys {
                    keys = sort_by_key(&keys, false, |key| Ok(key.clone()))?;
                }
                out.push('{');
                for (at, key) in keys.iter().enumerate() {
                    if at > 0 {
                        out.push_str(&self.item_separator);
                    }
                    self.line(out, depth + 1);
                    out.push_str(&self.scalar(&python::json_key(key).into()));
                    out.push_str(&self.key_separator);
                    if let Some(member) = map.get(key) {
                        self.write(out, member, depth + 1)?;
                    }
                }
                self.line(out, depth);
                out.push('}');
            }
            Value::Object(object) => match object.force() {
                Some(forced) => self.write(out, &forced?, depth)?,
                None => out.push_str(&self.scalar(&value.to_text().into())),
            },
            scalar => out.push_str(&self.scalar(scalar)),
        }
        Ok(())
    }
}

fn dump(call: &mut Call, style: &Style) -> Result<Value, Error> {
    let mut out = String::new();
    style.write(&mut out, &call.input, 0)?;
    Ok(out.into())
}

fn to_json(call: &mut Call) -> Result<Value, Error> {
    let style = Style::take(call, None, false)?;
    dump(call, &style)
}

fn to_nice_json(call: &mut Call) -> Result<Value, Error> {
    let style = Style::take(call, Some(Value::Int(4)), true)?;
    dump(call, &style)
}

/// Jinja's `tojson`, whose result is safe inside of HTML.
fn tojson(call: &mut Call) -> Result<Value, Error> {
    let style = Style::take(call, None, true)?;
    let mut out = String::new();
    style.write(&mut out, &call.input, 0)?;
    for (character, escape) in [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("'", "\\u0027")] {
        out = out.replace(character, escape);
    }
    Ok(out.into())
}

fn from_json(call: &mut Call) -> Result<Value, Error> {
    let positional = call.args.first().cloned();
    let profile = given(call.take("profile").or(positional)).map(|name| name.to_text().into_owned());
    let trusted = matches!(&call.input, Value::Str(text) if text.is_trusted());
    let text = match &call.input {
        Value::Str(_) | Value::Bytes(_) => call.input.to_text().into_owned(),
        other => {
            return Err(Error::new(format!(
                "the JSON object must be str, bytes or bytearray, not {}",
                other.type_name()
            )));
        }
    };
    let parse =
        |trust| document::parse_json(&text, "<unicode string>", trust).map_err(|e| in_python(e, &text));
    let Some(profile) = profile.filter(|name| name != "tagless") else {
        return parse(Trust::Text).map(|node| node.raw());
    };
    let trust: fn(&[Value]) -> bool = match profile.as_str() {
        _ if !trusted => |_| false,
        "legacy" => |_| true,
        "inventory_legacy" => |path| match path {
            [meta, hostvars, _, _, ..] if meta.as_str() == Some("_meta") => {
                hostvars.as_str() == Some("hostvars")
            }
            [_, vars, _, ..] => vars.as_str() == Some("vars"),
            _ => false,
        },
        other => return Err(Error::new(format!("Unknown profile name {}.", python::repr(&other.into())))),
    };
    let node = parse(Trust::Templates)?;
    marked(call.renderer, &node, trust, &mut Vec::new())
}

/// Reads a document with marks: its vaults are decrypted, and if it is trusted, so are its texts.
fn marked(
    renderer: &Renderer,
    node: &Node,
    trust: fn(&[Value]) -> bool,
    path: &mut Vec<Value>,
) -> Result<Value, Error> {
    let text = |text: &str| if trust(path) { Value::Str(Text::trusted(text)) } else { Value::from(text) };
    Ok(match node.kind() {
        Kind::Template(template) => text(template.source()),
        Kind::Value(Value::Str(found)) if found.is_trusted() => text(found.as_str()),
        Kind::Value(value) => value.clone(),
        Kind::Vault(_) => renderer.resolve(node)?,
        Kind::List(items) => {
            let mut values = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                path.push(at.into());
                values.push(marked(renderer, item, trust, path)?);
                path.pop();
            }
            Value::from(values)
        }
        Kind::Map(map) => {
            let mut values = Map::with_capacity(map.len());
            for (key, entry) in map {
                path.push(key.clone());
                values.insert(key.clone(), marked(renderer, &entry.node, trust, path)?);
                path.pop();
            }
            Value::from(values)
        }
    })
}

/// Returns the error in the words of `json.loads`, with line, column and character.
fn in_python(error: Error, text: &str) -> Error {
    const WORDS: &[(&str, &str)] = &[
        ("expected a value", "Expecting value"),
        ("expected ',' or", "Expecting ',' delimiter"),
        ("expected ':'", "Expecting ':' delimiter"),
        ("expected a name", "Expecting property name enclosed in double quotes"),
        ("does not end", "Unterminated string starting at"),
        ("text after", "Extra data"),
        ("control character", "Invalid control character at"),
        ("unknown escape", "Invalid \\escape"),
        ("hexadecimal", "Invalid \\uXXXX escape"),
    ];
    let words = WORDS.iter().find(|(ours, _)| error.message().contains(ours)).map(|(_, python)| *python);
    let (Some(words), Some(place)) = (words, error.place()) else { return error };
    let (line, column) = (place.line, place.column);
    let above: usize =
        text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(|l| l.chars().count()).sum();
    let character = above + column.saturating_sub(1) as usize;
    Error::new(format!("{words}: line {line} column {column} (char {character})"))
}
