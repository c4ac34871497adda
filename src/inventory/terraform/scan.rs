//! Finds the parts of a large JSON text without building values of the rest: a state may hold 100 MB, of
//! which an inventory needs a few kilobytes.

use std::ops::Range;

use playbook_api::Place;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// A fault in a JSON text: what is wrong, and the byte where.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    at: usize,
    pub(super) message: String,
}

impl Fault {
    /// A place in the text that another message is about.
    pub(super) fn at(at: usize) -> Fault {
        Fault { at, message: String::new() }
    }

    /// The place of the fault in the text that was scanned.
    pub(super) fn place(&self, text: &str, file: &str) -> Place {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let lines = before.bytes().filter(|byte| *byte == b'\n').count();
        let number = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        Place::new(file, number(lines), number(line.chars().count()))
    }
}

/// The members of an object: their names, and where their values are.
pub(super) type Members = Vec<(String, Range<usize>)>;

/// Returns the members of the object that is in `text` at `within`.
pub(super) fn members(text: &str, within: Range<usize>) -> Result<Members, Fault> {
    members_and_items(text, within, None).map(|(members, _)| members)
}

/// Returns the members of an object, and in the same pass the items of the member `array`, if that is an
/// array.
pub(super) fn members_and_items(
    text: &str,
    within: Range<usize>,
    array: Option<&str>,
) -> Result<(Members, Vec<Range<usize>>), Fault> {
    let mut scanner = Scanner { text, at: within.start, end: within.end };
    let (mut members, mut items) = (Members::new(), Vec::new());
    scanner.expect(b'{', "expected an object")?;
    if scanner.take(b'}') {
        return scanner.finish((members, items));
    }
    loop {
        let name = scanner.member()?;
        let value = match array {
            Some(array) if name == array && scanner.next_is(b'[') => scanner.array(&mut items)?,
            _ => scanner.value()?,
        };
        members.push((name, value));
        if scanner.take(b'}') {
            return scanner.finish((members, items));
        }
        scanner.expect(b',', "expected ',' or '}'")?;
    }
}

/// Returns where the value of a member is. What follows it is not read.
pub(super) fn member(text: &str, within: Range<usize>, wanted: &str) -> Result<Option<Range<usize>>, Fault> {
    let mut scanner = Scanner { text, at: within.start, end: within.end };
    scanner.expect(b'{', "expected an object")?;
    if scanner.take(b'}') {
        return Ok(None);
    }
    loop {
        let name = scanner.member()?;
        let value = scanner.value()?;
        if name == wanted {
            return Ok(Some(value));
        }
        if scanner.take(b'}') {
            return Ok(None);
        }
        scanner.expect(b',', "expected ',' or '}'")?;
    }
}

/// Returns where the items of an array are.
pub(super) fn items(text: &str, within: Range<usize>) -> Result<Vec<Range<usize>>, Fault> {
    let mut scanner = Scanner { text, at: within.start, end: within.end };
    let mut items = Vec::new();
    scanner.array(&mut items)?;
    scanner.finish(items)
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn next_is(&mut self, byte: u8) -> bool {
        self.space();
        self.rest().as_bytes().first() == Some(&byte)
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.next_is(byte);
        self.at += usize::from(found);
        found
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { at: self.at, message: message.into() }
    }

    fn expect(&mut self, byte: u8, message: &str) -> Result<(), Fault> {
        if self.take(byte) {
            return Ok(());
        }
        let ended = self.rest().is_empty();
        Err(self.fault(if ended { "the text ends in the middle" } else { message }))
    }

    fn finish<T>(mut self, found: T) -> Result<T, Fault> {
        self.space();
        if self.rest().is_empty() { Ok(found) } else { Err(self.fault("there is text after the JSON value")) }
    }

    /// Reads the name of a member, up to its value.
    fn member(&mut self) -> Result<String, Fault> {
        self.space();
        let name = self.name()?;
        self.expect(b':', "expected ':'")?;
        Ok(name)
    }

    /// Checks an array, adds where its items are, and returns where it is itself.
    fn array(&mut self, items: &mut Vec<Range<usize>>) -> Result<Range<usize>, Fault> {
        self.space();
        let start = self.at;
        self.expect(b'[', "expected an array")?;
        if self.take(b']') {
            return Ok(start..self.at);
        }
        loop {
            items.push(self.value()?);
            if self.take(b']') {
                return Ok(start..self.at);
            }
            self.expect(b',', "expected ',' or ']'")?;
        }
    }

    fn name(&mut self) -> Result<String, Fault> {
        let mut stream = Deserializer::from_str(self.rest()).into_iter::<String>();
        let (found, length) = (stream.next(), stream.byte_offset());
        match found {
            Some(Ok(name)) => {
                self.at += length;
                Ok(name)
            }
            Some(Err(_)) => Err(self.fault("expected a name in double quotes")),
            None => Err(self.fault("the text ends in the middle")),
        }
    }

    /// Checks a value, and returns where it is.
    fn value(&mut self) -> Result<Range<usize>, Fault> {
        self.space();
        let mut stream = Deserializer::from_str(self.rest()).into_iter::<IgnoredAny>();
        let (found, length) = (stream.next(), stream.byte_offset());
        match found {
            Some(Ok(_)) => {
                let range = self.at..self.at + length;
                self.at = range.end;
                Ok(range)
            }
            Some(Err(error)) if error.is_eof() => {
                self.at = self.end;
                Err(self.fault("the text ends in the middle"))
            }
            Some(Err(error)) => {
                let lines = self.rest().split_inclusive('\n').take(error.line().saturating_sub(1));
                let start = lines.map(str::len).sum::<usize>();
                self.at = (self.at + start + error.column().saturating_sub(1)).min(self.end);
                let message = error.to_string();
                Err(self.fault(message.split(" at line ").next().unwrap_or(&message)))
            }
            None => Err(self.fault("the text ends in the middle")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_without_reading_the_rest() {
        let text = "{ \"a\" : [1, {\"x\": \"}\"} , \"é]\"],\n \"b\\u0041\": null, \"c\": -1.5e3 }\n";
        let found = members(text, 0..text.len()).unwrap();
        let shown: Vec<(&str, &str)> = found.iter().map(|(n, r)| (n.as_str(), &text[r.clone()])).collect();
        assert_eq!(shown, [("a", "[1, {\"x\": \"}\"} , \"é]\"]"), ("bA", "null"), ("c", "-1.5e3")]);
        let inside: Vec<&str> =
            items(text, found[0].1.clone()).unwrap().into_iter().map(|r| &text[r]).collect();
        assert_eq!(inside, ["1", "{\"x\": \"}\"}", "\"é]\""]);
        assert_eq!(members("{}", 0..2), Ok(Vec::new()));
        assert_eq!(items("[ ]", 0..3), Ok(Vec::new()));
        let (both, items) = members_and_items(text, 0..text.len(), Some("a")).unwrap();
        assert_eq!((both, items.len()), (found, 3));
        let null = member(text, 0..text.len(), "bA").unwrap().unwrap();
        assert_eq!(&text[null], "null");
        assert_eq!(member(text, 0..text.len(), "d"), Ok(None));
        // What follows the member may be broken.
        assert_eq!(member("{\"a\": 1, oops", 0..13, "a"), Ok(Some(6..7)));
    }

    #[test]
    fn faults_say_where() {
        for (text, message, place) in [
            ("", "the text ends in the middle", "x:1:1"),
            ("[1]", "expected an object", "x:1:1"),
            ("{\"a\": 1", "the text ends in the middle", "x:1:8"),
            ("{\"a\": [1, 2", "the text ends in the middle", "x:1:12"),
            ("{\n \"a\" 1}", "expected ':'", "x:2:6"),
            ("{\"a\": 1} {", "there is text after the JSON value", "x:1:10"),
            ("{a: 1}", "expected a name in double quotes", "x:1:2"),
            ("{\"a\": {\n\"b\": nope}}", "expected ident", "x:2:7"),
        ] {
            let fault = members(text, 0..text.len()).unwrap_err();
            assert_eq!(
                (fault.message.as_str(), fault.place(text, "x").to_string().as_str()),
                (message, place)
            );
        }
        assert_eq!(items("{}", 0..2).unwrap_err().message, "expected an array");
    }
}
