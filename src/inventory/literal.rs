//! Python literals, as INI inventories write values.

use num_bigint::BigInt;
use num_traits::Num;
use playbook_api::{Map, Value};

/// Returns the value of a Python literal, as `ast.literal_eval` does, or nothing if the text is not one.
/// Bytes become text, tuples and sets become lists, as in Ansible.
pub(super) fn literal(text: &str) -> Option<Value> {
    let first = text.trim_start_matches([' ', '\t']).bytes().next()?;
    if !matches!(
        first,
        b'0'..=b'9'
            | b'.'
            | b'+'
            | b'-'
            | b'['
            | b'('
            | b'{'
            | b'"'
            | b'\''
            | b'T'
            | b'F'
            | b'N'
            | b'b'
            | b'B'
            | b'r'
            | b'R'
            | b'u'
            | b'U'
            | b's'
    ) {
        return None;
    }
    let mut reader = Reader { text, at: 0, depth: 0 };
    let mut value = reader.value()?;
    if reader.take(",") {
        // A tuple needs no parentheses.
        let mut items = vec![value];
        while !reader.is_at_end() {
            items.push(reader.value()?);
            if !reader.take(",") {
                break;
            }
        }
        value = Value::from(items);
    }
    reader.is_at_end().then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

const DEEPEST: usize = 100;

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space and comments. Inside brackets a line may end; outside, a value has only one.
    fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    fn take(&mut self, text: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self
            .rest()
            .strip_prefix(word)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        if found {
            self.at += word.len();
        }
        found
    }

    fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        self.space();
        let value = match self.peek()? {
            b'[' => {
                self.at += 1;
                Value::from(self.items("]")?.0)
            }
            b'(' => {
                self.at += 1;
                let (mut items, comma) = self.items(")")?;
                if items.len() == 1 && !comma { items.pop()? } else { Value::from(items) }
            }
            b'{' => {
                self.at += 1;
                self.braces()?
            }
            b's' if self.take("set()") => Value::from(Vec::<Value>::new()),
            // Python has more literals than inventories have types: they stay text.
            b'.' if self.take("...") => "...".into(),
            b'T' if self.word("True") => true.into(),
            b'F' if self.word("False") => false.into(),
            b'N' if self.word("None") => Value::Null,
            // Python reads one sign and no more.
            b'+' | b'-'
                if self.rest().get(1..).is_some_and(|rest| rest.trim_start().starts_with(['+', '-'])) =>
            {
                return None;
            }
            b'+' => {
                self.at += 1;
                self.value().filter(|value| value.as_f64().is_some() && value.as_bool().is_none())?
            }
            b'-' => {
                self.at += 1;
                match self.value()? {
                    Value::Int(n) => Value::big(-BigInt::from(n)),
                    Value::BigInt(n) => Value::big(-(*n).clone()),
                    Value::Float(n) => Value::Float(-n),
                    _ => return None,
                }
            }
            b'0'..=b'9' | b'.' => self.number()?,
            _ => {
                let mut text = self.string()?;
                self.space();
                while let Some(more) = self.string() {
                    text.push_str(&more);
                    self.space();
                }
                text.into()
            }
        };
        self.depth -= 1;
        Some(value)
    }

    /// Reads items up to a closing bracket. Returns them and whether the last one has a comma.
    fn items(&mut self, close: &str) -> Option<(Vec<Value>, bool)> {
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            if self.take(close) {
                return Some((items, comma));
            }
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.value()?);
            comma = self.take(",");
        }
    }

    fn braces(&mut self) -> Option<Value> {
        let mut map = Map::default();
        if self.take("}") {
            return Some(map.into());
        }
        let first = self.value()?;
        if !self.take(":") {
            let comma = self.take(",");
            let mut items = vec![first];
            if comma {
                items.extend(self.items("}")?.0);
            } else if !self.take("}") {
                return None;
            }
            return Some(Value::from(items));
        }
        let mut key = first;
        loop {
            if matches!(key, Value::List(_) | Value::Map(_)) {
                return None;
            }
            let value = self.value()?;
            map.insert(key, value);
            let comma = self.take(",");
            if self.take("}") {
                return Some(map.into());
            }
            if !comma {
                return None;
            }
            key = self.value()?;
            if !self.take(":") {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let mut end = 0;
        for (index, c) in rest.char_indices() {
            let sign =
                matches!(c, '+' | '-') && rest[..index].ends_with(['e', 'E']) && !rest.starts_with("0x");
            if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || sign) {
                break;
            }
            end = index + 1;
        }
        let text = rest.get(..end)?.to_lowercase();
        self.at += end;
        // An underscore stands between two digits (or behind the base).
        if text.ends_with('_') || text.contains("__") || text.contains("_.") || text.contains("._") {
            return None;
        }
        let digits = text.replace('_', "");
        if digits.strip_suffix('j').is_some_and(|n| n.parse::<f64>().is_ok()) {
            return Some(text.into());
        }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if let Some(digits) = digits.strip_prefix(prefix) {
                return BigInt::from_str_radix(digits, radix).ok().map(Value::big);
            }
        }
        if digits.bytes().all(|b| b.is_ascii_digit()) {
            let padded = digits.len() > 1 && digits.starts_with('0') && digits.bytes().any(|b| b != b'0');
            return (!padded).then(|| digits.parse::<BigInt>().ok().map(Value::big))?;
        }
        let float = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
        let float = float && digits.contains(|c: char| c.is_ascii_digit());
        float.then(|| digits.parse().ok().map(Value::Float))?
    }

    fn string(&mut self) -> Option<String> {
        let rest = self.rest();
        let prefix = rest.find(['"', '\'']).filter(|at| *at <= 2)?;
        let (raw, valid) = match rest[..prefix].to_lowercase().as_str() {
            "" | "b" | "u" => (false, true),
            "r" | "br" | "rb" => (true, true),
            _ => (false, false),
        };
        if !valid {
            return None;
        }
        let quoted = &rest[prefix..];
        let quote = &quoted[..1];
        let triple = quote.repeat(3);
        let close = if quoted.starts_with(&triple) { triple.as_str() } else { quote };
        let body = &quoted[close.len()..];
        let mut out = String::new();
        let mut chars = body.char_indices();
        while let Some((index, c)) = chars.next() {
            if body[index..].starts_with(close) {
                self.at += prefix + close.len() + index + close.len();
                return Some(out);
            }
            match c {
                '\\' => {
                    let (_, next) = chars.next()?;
                    if raw {
                        out.push('\\');
                        out.push(next);
                    } else {
                        escape(next, &mut chars, &mut out)?;
                    }
                }
                '\n' if close.len() == 1 => return None,
                c => out.push(c),
            }
        }
        None
    }
}

fn escape(c: char, chars: &mut std::str::CharIndices, out: &mut String) -> Option<()> {
    let mut hex = |length: usize| -> Option<char> {
        let digits: String = chars.by_ref().take(length).map(|(_, c)| c).collect();
        char::from_u32(u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == length)?)
    };
    match c {
        '\n' => {}
        'n' => out.push('\n'),
        't' => out.push('\t'),
        'r' => out.push('\r'),
        'a' => out.push('\u{7}'),
        'b' => out.push('\u{8}'),
        'f' => out.push('\u{c}'),
        'v' => out.push('\u{b}'),
        '\\' | '\'' | '"' => out.push(c),
        'x' => out.push(hex(2)?),
        'u' => out.push(hex(4)?),
        'U' => out.push(hex(8)?),
        '0'..='7' => {
            let mut code = c.to_digit(8)?;
            for _ in 0..2 {
                let Some(digit) = chars.as_str().chars().next().and_then(|c| c.to_digit(8)) else { break };
                chars.next();
                code = code * 8 + digit;
            }
            out.push(char::from_u32(code)?);
        }
        other => {
            out.push('\\');
            out.push(other);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python's `ast.literal_eval` answers.
    #[test]
    fn literals_are_pythons() {
        for (text, value) in [
            ("1", "1"),
            ("-1", "-1"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("00", "0"),
            ("1.5", "1.5"),
            ("1e3", "1000.0"),
            (".5", "0.5"),
            ("True", "True"),
            ("None", "None"),
            ("'a' \"b\"", "'ab'"),
            ("r'\\d'", "'\\\\d'"),
            ("'\\x41\\101\\u00e9'", "'AAé'"),
            ("[1, 'a', {'b': (1,)}]", "[1, 'a', {'b': [1]}]"),
            ("(1)", "1"),
            ("()", "[]"),
            ("{1, 2}", "[1, 2]"),
            ("{}", "{}"),
            ("[1,]", "[1]"),
            ("2,6", "[2, 6]"),
            ("1,", "[1]"),
            ("'x','y'", "['x', 'y']"),
            ("-1,2", "[-1, 2]"),
            ("2 , 6", "[2, 6]"),
            ("1,'a',None,True", "[1, 'a', None, True]"),
            ("0x10,0o7", "[16, 7]"),
            ("\"a\" \"b\", 'c'", "['ab', 'c']"),
            ("(1, 2),[3]", "[[1, 2], [3]]"),
            ("1 # one", "1"),
            ("1,  # only", "[1]"),
            ("'a#b' # c", "'a#b'"),
            ("[1, # one\n2]", "[1, 2]"),
            ("12345678901234567890", "12345678901234567890"),
        ] {
            assert_eq!(
                literal(text).map(|v| playbook_api::python::repr(&v)).as_deref(),
                Some(value),
                "{text}"
            );
        }
    }

    #[test]
    fn other_text_is_not_a_literal() {
        for text in [
            "",
            "abc",
            "0644",
            "true",
            "yes",
            "1.2.3",
            "10.0.0.1",
            "[a]",
            "[1",
            "'a",
            "1 2",
            "{{ x }}",
            "Trueish",
            "1__0",
            "[,]",
            "-",
            "f'x'",
            "b",
            "+True",
            "--1",
            "- +1",
            "2001-12-14",
            ", 1",
            "1,,2",
            "1,2,x",
            "[1, # x",
            "abc # two",
            "10.0.0.1,10.0.0.2",
            "# 1",
        ] {
            assert_eq!(literal(text), None, "{text}");
        }
        assert_eq!(literal(&"[".repeat(10_000)), None);
    }
}
