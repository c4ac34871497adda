//! Values as bytes: a tag and its content, integers with seven bits a byte. Python's types are kept, and so is the mark of a
//! secret. The mark of trusted text is not, since what a host returns is never trusted.

use num_bigint::BigInt;
use playbook_api::{Error, Map, Text, Value};

/// The deepest nesting of values: what a host sends must not overflow the stack.
pub(crate) const DEEPEST: usize = 256;

/// A type with a form on the wire.
pub trait Wire: Sized {
    /// Appends the value.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// Bytes that are not a value of this type.
    fn get(input: &mut Input) -> Result<Self, Error>;
}

/// Bytes to be read.
pub struct Input<'a> {
    rest: &'a [u8],
    pub(crate) depth: usize,
}

impl<'a> Input<'a> {
    /// Reads from bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Input { rest: bytes, depth: 0 }
    }

    /// Reads all bytes as one value.
    pub fn all<T: Wire>(bytes: &'a [u8]) -> Result<T, Error> {
        let mut input = Input::new(bytes);
        let thing = T::get(&mut input)?;
        if input.rest.is_empty() { Ok(thing) } else { Err(broken()) }
    }

    /// Takes a number of bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(broken)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes the bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
    }

    fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let count = self.count()?;
        self.take(count)
    }

    /// Reads the number of values that follow; each is at least one byte.
    fn count(&mut self) -> Result<usize, Error> {
        let count = usize::try_from(u64::get(self)?).map_err(|_| broken())?;
        if count > self.rest.len() { Err(broken()) } else { Ok(count) }
    }

    fn text(&mut self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.bytes()?).map_err(|_| broken())
    }
}

pub(crate) fn broken() -> Error {
    Error::new("the other side of the connection sent something that is not a message")
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    (bytes.len() as u64).put(out);
    out.extend_from_slice(bytes);
}

impl Wire for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest > 0x7f {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = input.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(broken())
    }
}

impl Wire for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((self << 1) ^ (self >> 63)) as u64).put(out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        let number = u64::get(input)?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok(input.byte()? != 0)
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_bytes(), out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok(input.text()?.to_owned())
    }
}

impl Wire for Vec<u8> {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self, out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok(input.bytes()?.to_vec())
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(thing) = self {
            thing.put(out);
        }
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        bool::get(input)?.then(|| T::get(input)).transpose()
    }
}

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_ok().put(out);
        match self {
            Ok(thing) => thing.put(out),
            Err(error) => error.put(out),
        }
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok(if bool::get(input)? { Ok(T::get(input)?) } else { Err(E::get(input)?) })
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok((A::get(input)?, B::get(input)?))
    }
}

/// Appends a list of anything but bytes.
pub fn put_all<T: Wire>(things: &[T], out: &mut Vec<u8>) {
    (things.len() as u64).put(out);
    things.iter().for_each(|thing| thing.put(out));
}

/// Reads a list; see [`put_all`].
pub fn get_all<T: Wire>(input: &mut Input) -> Result<Vec<T>, Error> {
    let count = input.count()?;
    (0..count).map(|_| T::get(input)).collect()
}

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const BIG: u8 = 4;
const FLOAT: u8 = 5;
const STR: u8 = 6;
const SECRET: u8 = 7;
const BYTES: u8 = 8;
const LIST: u8 = 9;
const TUPLE: u8 = 10;
const MAP: u8 = 11;
const UNDEFINED: u8 = 12;
const UNKNOWN: u8 = 13;
const OMIT: u8 = 14;

impl Wire for Value {
    fn put(&self, out: &mut Vec<u8>) {
        let mut tagged = |tag: u8, bytes: &[u8]| {
            out.push(tag);
            put_bytes(bytes, out);
        };
        match self {
            Value::Null => out.push(NULL),
            Value::Bool(false) => out.push(FALSE),
            Value::Bool(true) => out.push(TRUE),
            Value::Int(number) => {
                out.push(INT);
                number.put(out);
            }
            Value::BigInt(number) => tagged(BIG, &number.to_signed_bytes_le()),
            Value::Float(number) => {
                out.push(FLOAT);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::Str(text) => tagged(if text.is_secret() { SECRET } else { STR }, text.as_bytes()),
            Value::Bytes(bytes) => tagged(BYTES, bytes),
            Value::List(items) => {
                out.push(LIST);
                put_all(items, out);
            }
            Value::Tuple(items) => {
                out.push(TUPLE);
                put_all(items, out);
            }
            Value::Map(map) => {
                out.push(MAP);
                map.put(out);
            }
            Value::Undefined(reason) => tagged(UNDEFINED, reason.as_bytes()),
            Value::Unknown(reason) => tagged(UNKNOWN, reason.as_bytes()),
            Value::Omit => out.push(OMIT),
            // Only data is sent. An object here is a fault of this program, and harmless.
            Value::Object(_) => tagged(STR, self.to_text().as_bytes()),
        }
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        if input.depth > DEEPEST {
            return Err(broken());
        }
        input.depth += 1;
        let value = match input.byte()? {
            NULL => Value::Null,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            INT => Value::Int(i64::get(input)?),
            BIG => Value::big(BigInt::from_signed_bytes_le(input.bytes()?)),
            FLOAT => {
                let bytes = input.take(8)?.try_into().map_err(|_| broken())?;
                Value::Float(f64::from_le_bytes(bytes))
            }
            STR => Value::Str(Text::new(input.text()?)),
            SECRET => Value::secret(input.text()?),
            BYTES => Value::Bytes(input.bytes()?.into()),
            LIST => Value::List(get_all(input)?.into()),
            TUPLE => Value::Tuple(get_all(input)?.into()),
            MAP => <Map as Wire>::get(input)?.into(),
            UNDEFINED => Value::undefined(input.text()?),
            UNKNOWN => Value::Unknown(input.text()?.into()),
            OMIT => Value::Omit,
            _ => return Err(broken()),
        };
        input.depth -= 1;
        Ok(value)
    }
}

impl Wire for Map {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        let count = input.count()?;
        (0..count).map(|_| Ok((Wire::get(input)?, Wire::get(input)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use playbook_api::{map, python};

    use super::*;

    fn round<T: Wire>(thing: &T) -> T {
        let mut bytes = Vec::new();
        thing.put(&mut bytes);
        Input::all(&bytes).unwrap()
    }

    #[test]
    fn every_type_survives() {
        let big: BigInt = "-123456789012345678901234567890".parse().unwrap();
        let value = Value::from(map! {
            "null" => Value::Null, "yes" => true, "no" => false, "n" => -70000, "min" => i64::MIN, "max" => i64::MAX,
            "big" => Value::big(big), "float" => 0.1, "text" => "käse\n", "bytes" => Value::Bytes([0, 255].into()),
            "list" => vec![1, 2], "tuple" => Value::Tuple(vec![1.into(), "a".into()].into()),
            "unknown" => Value::Unknown("a change".into()), "omit" => Value::Omit, 7 => "a number's", "map" => Value::map(),
        });
        assert_eq!(python::repr(&round(&value)), python::repr(&value));
        assert!(matches!(round(&Value::Float(f64::NAN)), Value::Float(n) if n.is_nan()));
    }

    #[test]
    fn secrets_stay_secret_and_trust_is_lost() {
        let value = Value::from(vec![Value::secret("hunter22"), Text::trusted("{{ x }}").into()]);
        let items = round(&value);
        let marks: Vec<(bool, bool)> = items
            .as_list()
            .unwrap()
            .iter()
            .map(|v| matches!(v, Value::Str(t) if t.is_secret()).then_some(true).is_some())
            .zip(items.as_list().unwrap().iter().map(|v| matches!(v, Value::Str(t) if t.is_trusted())))
            .collect();
        assert_eq!(marks, [(true, false), (false, false)]);
    }

    #[test]
    fn nonsense_is_an_error() {
        let mut deep = [LIST, 1].repeat(100_000);
        deep.push(NULL);
        for bytes in [&deep[..], &[], &[99], &[LIST, 0xff, 0xff, 0xff, 0x7f], &[STR, 1, 0xff], &[NULL, NULL]]
        {
            assert!(Input::all::<Value>(bytes).is_err());
        }
    }
}
