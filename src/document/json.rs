//! JSON with places, read the way Python's `json.loads` reads it.

use std::sync::Arc;

use indexmap::IndexMap;
use num_bigint::BigInt;
use playbook_api::{Error, ErrorKind, Place, Value};

use super::{DEEPEST, Entry, Kind, Node, Trust, VaultText, layout};

/// The value, where the whole text is JSON.
pub(super) fn parse(text: &str, file_name: &str, trust: Trust) -> Option<Node> {
    // Cheap: most documents are not JSON, and say so with their first character.
    let first = text.trim_start().bytes().next()?;
    if !matches!(first, b'{' | b'[' | b'"') {
        return None;
    }
    read(text, file_name, trust).ok()
}

/// Reads text that must be JSON.
pub(super) fn read(text: &str, file_name: &str, trust: Trust) -> Result<Node, Error> {
    let mut reader =
        Reader { text, at: 0, file: file_name.into(), trust, line: 1, column: 1, counted: 0, depth: 0 };
    let node = reader.value()?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.fault("there is text after the JSON value"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    file: Arc<str>,
    trust: Trust,
    line: u32,
    column: u32,
    /// How far line and column are counted.
    counted: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn place(&mut self) -> Place {
        for c in self.text.get(self.counted..self.at).unwrap_or("").chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.counted = self.counted.max(self.at);
        Place::new(self.file.clone(), self.line, self.column)
    }

    fn fault(&mut self, message: &str) -> Error {
        Error::new(format!("JSON parsing failed: {message}.")).with_kind(ErrorKind::Syntax).at(&self.place())
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn value(&mut self) -> Result<Node, Error> {
        self.space();
        let place = self.place();
        let value = match self.peek() {
            Some(b'{') => return self.nested(|reader| reader.object(place)),
            Some(b'[') => return self.nested(|reader| reader.array(place)),
            Some(b'"') => {
                return Ok(Node::text(place.with_layout(layout::quoted()), self.string()?, self.trust));
            }
            Some(b't') if self.take("true") => true.into(),
            Some(b'f') if self.take("false") => false.into(),
            Some(b'n') if self.take("null") => Value::Null,
            Some(b'N') if self.take("NaN") => f64::NAN.into(),
            Some(b'I') if self.take("Infinity") => f64::INFINITY.into(),
            Some(b'-') if self.take("-Infinity") => f64::NEG_INFINITY.into(),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return Err(self.fault("expected a value")),
        };
        Ok(Node::value(place, value))
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Node, Error>) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fault("it is nested too deeply"));
        }
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn array(&mut self, place: Place) -> Result<Node, Error> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take("]") {
            return Ok(Node::new(place, Kind::List(items)));
        }
        loop {
            items.push(self.value()?);
            self.space();
            if self.take("]") {
                return Ok(Node::new(place, Kind::List(items)));
            }
            if !self.take(",") {
                return Err(self.fault("expected ',' or ']'"));
            }
        }
    }

    fn object(&mut self, place: Place) -> Result<Node, Error> {
        self.at += 1;
        let mut map: IndexMap<Value, Entry> = IndexMap::new();
        self.space();
        if self.take("}") {
            return Ok(Node::new(place, Kind::Map(map)));
        }
        loop {
            self.space();
            let key_place = self.place();
            if self.peek() != Some(b'"') {
                return Err(self.fault("expected a name in double quotes"));
            }
            let key = self.string()?;
            self.space();
            if !self.take(":") {
                return Err(self.fault("expected ':'"));
            }
            let node = self.value()?;
            map.insert(key.into(), Entry { key: key_place, node });
            self.space();
            if self.take("}") {
                let marked = if self.trust == Trust::Templates { marked(&place, &map)? } else { None };
                return Ok(marked.unwrap_or_else(|| Node::new(place, Kind::Map(map))));
            }
            if !self.take(",") {
                return Err(self.fault("expected ',' or '}'"));
            }
        }
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while matches!(reader.peek(), Some(b'0'..=b'9')) {
                reader.at += 1;
            }
            reader.at > from
        };
        self.take("-");
        let whole = self.take("0") || digits(self);
        let fraction = !self.take(".") || digits(self);
        let exponent = !matches!(self.peek(), Some(b'e' | b'E')) || {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            digits(self)
        };
        if !(whole && fraction && exponent) {
            return Err(self.fault("a number ends too early"));
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        if text.contains(['.', 'e', 'E']) {
            return Ok(Value::Float(text.parse().unwrap_or(f64::NAN)));
        }
        Ok(text
            .parse::<i64>()
            .map(Value::Int)
            .unwrap_or_else(|_| Value::big(text.parse::<BigInt>().unwrap_or_default())))
    }

    fn string(&mut self) -> Result<String, Error> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let Some(stop) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                return Err(self.fault("text in quotes does not end"));
            };
            out.push_str(&rest[..stop]);
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(self.fault("text in quotes holds a control character")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        self.at += 1;
        let c = self.peek();
        self.at += 1;
        Ok(match c {
            Some(c @ (b'"' | b'\\' | b'/')) => c as char,
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => {
                let unit = self.hex4()?;
                if (0xd800..0xdc00).contains(&unit) && self.rest().starts_with("\\u") {
                    let back = self.at;
                    self.at += 2;
                    let low = self.hex4()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = back;
                }
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.fault("unknown escape in text")),
        })
    }

    fn hex4(&mut self) -> Result<u32, Error> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => Err(self.fault("\\u wants four hexadecimal digits")),
        }
    }
}

/// The two marks that Ansible writes into JSON: a vault, and text that is never a template.
fn marked(place: &Place, map: &IndexMap<Value, Entry>) -> Result<Option<Node>, Error> {
    let text = |mark: &str| {
        let Some(entry) = map.get(mark) else { return Ok(None) };
        entry.node.source().map(Some).ok_or_else(|| {
            let found = entry.node.raw().type_name();
            Error::new(format!("{mark} is '{found}' instead of 'str'")).with_kind(ErrorKind::Syntax).at(place)
        })
    };
    if let Some(envelope) = text("__ansible_vault")? {
        return Ok(Some(Node::new(place.clone(), Kind::Vault(VaultText { envelope: envelope.into() }))));
    }
    Ok(text("__ansible_unsafe")?.map(|text| Node::value(place.clone(), text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_json_with_places() {
        let node = read(
            "{\n  \"a\": [1, 2.0, 1e3, \"{{ x }}\"],\n \"\\ud83d\\ude00\": NaN}",
            "v.json",
            Trust::Templates,
        )
        .unwrap();
        let list = node.get("a").unwrap();
        assert_eq!(list.raw().to_string(), "[1, 2.0, 1000.0, '{{ x }}']");
        assert_eq!(list.place(), &Place::new("v.json", 2, 8));
        assert!(matches!(list.as_list().unwrap()[3].kind(), Kind::Template(_)));
        assert!(node.get("😀").is_some());
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in
            ["", "{a: 1}", "[1,]", "[01]", "\"a", "{\"a\": 1} x", "[1.]", "\"\\u12\"", "{\"a\"}", "\"\n\""]
        {
            assert!(read(text, "x", Trust::Text).is_err(), "{text}");
        }
        assert!(read(&"[".repeat(100_000), "x", Trust::Text).is_err());
    }
}
