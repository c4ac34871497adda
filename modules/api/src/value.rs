//! The value model for variables, templates, arguments and returned values.

use std::any::Any;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as AtomicOrdering};

use indexmap::Equivalent;
use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive, Zero};

use crate::notes::Property;
use crate::{Error, List, Map, python};

static SECRETS: AtomicBool = AtomicBool::new(false);

/// Text with its marks: whether it is a secret, whether it is trusted to hold a template, and where it came from. A secret
/// is masked in every report.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text {
    text: Arc<str>,
    secret: bool,
    trusted: bool,
    /// Where the text came from, if its source said so.
    source: Option<Arc<Source>>,
}

/// Where a text came from.
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Source {
    /// A description for users.
    Named(String),
    /// The vault envelope that it was decrypted from.
    Envelope(String),
}

impl Text {
    /// Creates text without marks.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Text { text: text.into(), secret: false, trusted: false, source: None }
    }

    /// Creates text that every report masks.
    pub fn secret(text: impl Into<Arc<str>>) -> Self {
        SECRETS.store(true, AtomicOrdering::Relaxed);
        Text { text: text.into(), secret: true, trusted: false, source: None }
    }

    /// Returns whether this process created any secret text. If not, values need not be searched for marks.
    pub fn secrets_exist() -> bool {
        SECRETS.load(AtomicOrdering::Relaxed)
    }

    /// Returns whether the text is a secret.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Creates text of a trusted document, which may be an expression where one is expected. Computed text does not keep
    /// the mark.
    pub fn trusted(text: impl Into<Arc<str>>) -> Self {
        Text { trusted: true, ..Text::new(text) }
    }

    /// Adds where the text came from: `<environment variable 'HOME'>`.
    pub fn with_origin(self, origin: String) -> Self {
        Text { source: Some(Arc::new(Source::Named(origin))), ..self }
    }

    /// Returns where the text came from, if its source said so.
    pub fn origin(&self) -> Option<&str> {
        match self.source.as_deref() {
            Some(Source::Named(origin)) => Some(origin),
            _ => None,
        }
    }

    /// Adds the vault envelope that the text was decrypted from. Computed text does not keep it.
    pub fn with_envelope(self, envelope: String) -> Self {
        Text { source: Some(Arc::new(Source::Envelope(envelope))), ..self }
    }

    /// Returns the vault envelope that the text was decrypted from, if there is one.
    pub fn envelope(&self) -> Option<&str> {
        match self.source.as_deref() {
            Some(Source::Envelope(envelope)) => Some(envelope),
            _ => None,
        }
    }

    /// Returns whether the text came unchanged from a trusted document.
    pub fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Returns the text itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret { f.write_str(crate::redact::MASK) } else { fmt::Debug::fmt(&self.text, f) }
    }
}

/// A value. Equality, ordering and printing are Python's:
///
/// ```
/// use playbook_api::Value;
/// assert_eq!(Value::from(1), Value::from(1.0));
/// let list = Value::from(vec![Value::from("a"), true.into(), Value::Null]);
/// assert_eq!(list.to_string(), "['a', True, None]");
/// ```
#[derive(Clone, Default)]
pub enum Value {
    #[default]
    /// The absence of a value, `None` in Python.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// An integer that does not fit an [`Value::Int`].
    BigInt(Arc<BigInt>),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(Text),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list.
    List(List),
    /// A tuple, which prints differently and never equals a list.
    Tuple(List),
    /// A map, `dict` in Python.
    Map(Arc<Map>),
    /// A name or attribute that does not exist, with the message of the error that its use raises.
    Undefined(Arc<str>),
    /// A value that is known only after a change that check mode did not make. The text says which change.
    Unknown(Arc<str>),
    /// The `omit` placeholder, which removes the argument that it is given to.
    Omit,
    /// A value that only the template engine understands, such as a macro or a value that is not computed yet.
    Object(Arc<dyn Object>),
}

/// A value with behavior. Modules never receive one, since their arguments are finalized first.
pub trait Object: Any + Send + Sync + fmt::Debug {
    /// Returns the name of the type that messages use.
    fn type_name(&self) -> &'static str;

    /// Computes a lazy value once; `None` if the object is not one.
    fn force(&self) -> Option<Result<Value, Error>> {
        None
    }

    /// Returns Python's `str()` of the object, if it is more than the name of the type.
    fn text(&self) -> Option<String> {
        None
    }

    /// Returns a member of a map without computing the others, for maps that are too large to build for one access
    /// (`hostvars`). It is only called if [`Object::is_map`] returns true.
    fn member(&self, _key: &Value) -> Option<Result<Value, Error>> {
        None
    }

    /// Returns whether the object is a map, so that [`Object::member`] works.
    fn is_map(&self) -> bool {
        false
    }

    /// Returns the object for a downcast.
    fn as_any(&self) -> &dyn Any;
}

impl Value {
    /// Creates text.
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Value::Str(Text::new(text))
    }

    /// Creates text that every report masks.
    pub fn secret(text: impl Into<Arc<str>>) -> Self {
        Value::Str(Text::secret(text))
    }

    /// Creates an empty map.
    pub fn map() -> Self {
        Value::from(Map::default())
    }

    /// Creates an integer of the smallest variant that holds it.
    pub fn big(n: BigInt) -> Self {
        match n.to_i64() {
            Some(n) => Value::Int(n),
            None => Value::BigInt(Arc::new(n)),
        }
    }

    /// Creates an undefined value; `reason` is the message of an error that its use raises.
    pub fn undefined(reason: impl Into<Arc<str>>) -> Self {
        Value::Undefined(reason.into())
    }

    /// Returns whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Returns whether the value is undefined.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined(_))
    }

    /// Returns the text, if the value is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the lines of a text without their terminators. The only line of a text shares its memory.
    pub fn lines(&self) -> Value {
        let Value::Str(text) = self else { return Value::from(Vec::<Value>::new()) };
        let line = |line: &str| match line.len() == text.len() {
            true => self.clone(),
            false => Value::from(line),
        };
        text.as_str().lines().map(line).collect()
    }

    /// Returns the boolean, if the value is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// Returns the integer, if the value is one that fits 64 bits; a boolean counts as 0 or 1.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            Value::Bool(b) => Some(i64::from(*b)),
            _ => None,
        }
    }

    /// Returns any number, or a boolean as 0 or 1.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(*n as f64),
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Float(n) => Some(*n),
            Value::BigInt(n) => n.to_f64(),
            _ => None,
        }
    }

    /// Returns the items of a list or tuple.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) | Value::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the map, if the value is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns a member of a map by name; `None` if the value is not a map.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map()?.get(name)
    }

    /// Returns the truth value, as in Python: empty and zero are false.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Null | Value::Undefined(_) => false,
            Value::Bool(b) => *b,
            Value::Int(n) => *n != 0,
            Value::BigInt(n) => !n.is_zero(),
            Value::Float(n) => *n != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::Bytes(bytes) => !bytes.is_empty(),
            Value::List(items) | Value::Tuple(items) => !items.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Unknown(_) | Value::Omit | Value::Object(_) => true,
        }
    }

    /// Returns Python's name of the type, as messages use it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::BigInt(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Map(_) => "dict",
            Value::Undefined(_) => "undefined",
            Value::Unknown(_) => "unknown",
            Value::Omit => "omit",
            Value::Object(object) => object.type_name(),
        }
    }

    /// Returns whether the value contains a secret.
    pub fn is_secret(&self) -> bool {
        match self {
            Value::Str(text) => text.is_secret(),
            Value::List(items) | Value::Tuple(items) => !items.all(Property::Open, |item| !item.is_secret()),
            Value::Map(map) => !map.all(Property::Open, |value| !value.is_secret()),
            _ => false,
        }
    }

    /// Marks every text inside the value as a secret.
    pub fn into_secret(self) -> Value {
        match self {
            Value::Str(text) => Value::secret(text.text),
            Value::List(items) => items.iter().cloned().map(Value::into_secret).collect::<Vec<_>>().into(),
            Value::Tuple(items) => Value::Tuple(items.iter().cloned().map(Value::into_secret).collect()),
            Value::Map(map) => {
                Value::from(map.iter().map(|(k, v)| (k.clone(), v.clone().into_secret())).collect::<Map>())
            }
            other => other,
        }
    }

    /// Python's `str(value)`: text as it is, everything else as [`python::repr`] prints it.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Value::Str(text) => Cow::Borrowed(text),
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes),
            other => Cow::Owned(python::repr(other)),
        }
    }

    /// Returns the same as [`Value::to_text`]. That of a text shares its memory.
    pub fn shared_text(&self) -> Arc<str> {
        match self {
            Value::Str(text) => text.text.clone(),
            other => other.to_text().into(),
        }
    }

    /// JSON; texts lose their mark, so this never goes to a report.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Null | Value::Undefined(_) | Value::Omit => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(n) => Json::from(*n),
            Value::BigInt(n) => match n.to_u64() {
                Some(n) => Json::from(n),
                None => n.to_f64().and_then(serde_json::Number::from_f64).map_or(Json::Null, Json::Number),
            },
            Value::Float(n) => serde_json::Number::from_f64(*n).map_or(Json::Null, Json::Number),
            Value::Str(text) => Json::from(text.as_str()),
            Value::Bytes(bytes) => Json::from(String::from_utf8_lossy(bytes).into_owned()),
            Value::List(items) | Value::Tuple(items) => {
                Json::Array(items.iter().map(Value::to_json).collect())
            }
            Value::Map(map) => {
                Json::Object(map.iter().map(|(k, v)| (python::json_key(k), v.to_json())).collect())
            }
            Value::Unknown(reason) => Json::from(format!("(known after: {reason})")),
            Value::Object(object) => match object.force() {
                Some(Ok(value)) => value.to_json(),
                _ => object.text().map_or(Json::Null, Json::from),
            },
        }
    }

    /// Converts a JSON value.
    pub fn from_json(json: serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(b),
            Json::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(n), _) => Value::Int(n),
                (None, Some(n)) => Value::big(BigInt::from(n)),
                (None, None) => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => text.into(),
            Json::Array(items) => items.into_iter().map(Value::from_json).collect::<Vec<_>>().into(),
            Json::Object(map) => {
                map.into_iter().map(|(k, v)| (Value::from(k), Value::from_json(v))).collect::<Map>().into()
            }
        }
    }

    /// Reads any serializable thing as a value.
    pub fn serialize(thing: &impl serde::Serialize) -> Result<Value, Error> {
        serde_json::to_value(thing).map(Value::from_json).map_err(|e| Error::new(e.to_string()))
    }

    /// Python's order, where it has one: numbers among themselves, text, lists and tuples.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Str(a), Value::Str(b)) => Some(a.as_str().cmp(b.as_str())),
            (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
                for (a, b) in a.iter().zip(b.iter()) {
                    if a != b {
                        return a.compare(b);
                    }
                }
                Some(a.len().cmp(&b.len()))
            }
            (a, b) => match (a.integer(), b.integer()) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                (Some(a), None) => compare_exactly(&a, b.as_f64()?),
                (None, Some(b)) => compare_exactly(&b, a.as_f64()?).map(Ordering::reverse),
                (None, None) => a.as_f64()?.partial_cmp(&b.as_f64()?),
            },
        }
    }

    /// Any whole-number type (booleans too) as a big integer.
    pub fn integer(&self) -> Option<Cow<'_, BigInt>> {
        match self {
            Value::Bool(b) => Some(Cow::Owned(BigInt::from(u8::from(*b)))),
            Value::Int(n) => Some(Cow::Owned(BigInt::from(*n))),
            Value::BigInt(n) => Some(Cow::Borrowed(n)),
            _ => None,
        }
    }
}

/// Compares an integer with a float as Python does: without rounding the integer.
fn compare_exactly(integer: &BigInt, float: f64) -> Option<Ordering> {
    match BigInt::from_f64(float.trunc()) {
        Some(whole) => Some(integer.cmp(&whole).then(0.0_f64.partial_cmp(&float.fract())?)),
        None if float.is_nan() => None,
        None if float > 0.0 => Some(Ordering::Less),
        None => Some(Ordering::Greater),
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) | (Value::Omit, Value::Omit) => true,
            (Value::Str(a), Value::Str(b)) => a.text == b.text,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Undefined(_), Value::Undefined(_)) => true,
            (Value::Unknown(a), Value::Unknown(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
            (a, b) => match (a.integer(), b.integer()) {
                (Some(a), Some(b)) => a == b,
                (Some(a), None) => b.as_f64().and_then(|b| compare_exactly(&a, b)) == Some(Ordering::Equal),
                (None, Some(b)) => a.as_f64().and_then(|a| compare_exactly(&b, a)) == Some(Ordering::Equal),
                (None, None) => false,
            },
        }
    }
}

impl Eq for Value {}

/// Equal values hash alike, so `1`, `1.0` and `True` are one key, as in Python; text hashes as `str` does,
/// so that maps can be asked by `&str`.
impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Value::Str(text) => text.as_str().hash(state),
            Value::Bool(b) => i64::from(*b).hash(state),
            Value::Int(n) => n.hash(state),
            Value::BigInt(n) => hash_integer(n, state),
            Value::Float(n) => match BigInt::from_f64(*n).filter(|_| n.fract() == 0.0) {
                Some(whole) => hash_integer(&whole, state),
                None => n.to_bits().hash(state),
            },
            Value::Bytes(bytes) => bytes.hash(state),
            Value::List(items) | Value::Tuple(items) => items.iter().for_each(|v| v.hash(state)),
            // Equal maps may have another order.
            Value::Map(map) => {
                let entry = |entry: (&Value, &Value)| {
                    let mut state = DefaultHasher::new();
                    entry.hash(&mut state);
                    state.finish()
                };
                map.iter().map(entry).fold(map.len() as u64, u64::wrapping_add).hash(state);
            }
            Value::Null | Value::Undefined(_) | Value::Unknown(_) | Value::Omit | Value::Object(_) => {
                std::mem::discriminant(self).hash(state);
            }
        }
    }
}

fn hash_integer<H: Hasher>(integer: &BigInt, state: &mut H) {
    match integer.to_i64() {
        Some(small) => small.hash(state),
        None => integer.hash(state),
    }
}

impl Equivalent<Value> for str {
    fn equivalent(&self, key: &Value) -> bool {
        matches!(key, Value::Str(text) if text.as_str() == self)
    }
}

/// Returns Python's `str()`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

/// Writes Python's `repr()` with secrets masked, so that debug output does not leak them.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_secret() { f.write_str(crate::redact::MASK) } else { f.write_str(&python::repr(self)) }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::str(text)
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::str(text)
    }
}
impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::str(text.as_str())
    }
}
impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Value::str(text)
    }
}
impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Self {
        Value::str(text.into_owned())
    }
}
impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Value::Str(text)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}
impl From<f64> for Value {
    fn from(n: f64) -> Self {
        Value::Float(n)
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Value::Int(n)
    }
}
impl From<i32> for Value {
    fn from(n: i32) -> Self {
        Value::Int(n.into())
    }
}
impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Value::Int(n.into())
    }
}
impl From<u64> for Value {
    fn from(n: u64) -> Self {
        i64::try_from(n).map_or_else(|_| Value::big(n.into()), Value::Int)
    }
}
impl From<usize> for Value {
    fn from(n: usize) -> Self {
        i64::try_from(n).map_or_else(|_| Value::big(n.into()), Value::Int)
    }
}
impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Map(Arc::new(map))
    }
}
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Value::List(items.into_iter().collect())
    }
}

/// Builds a [`Map`]: `map! { "name" => "web", "count" => 2 }`.
#[macro_export]
macro_rules! map {
    () => { $crate::Map::default() };
    ($($name:expr => $value:expr),+ $(,)?) => {{
        let mut map = $crate::Map::default();
        $(map.insert($crate::Value::from($name), $crate::Value::from($value));)+
        map
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_hash_alike_and_large_ones_are_compared_exactly() {
        use std::hash::{BuildHasher, RandomState};
        let state = RandomState::new();
        let big = |text: &str| Value::big(text.parse().unwrap());
        let equal = [
            (big("100000000000000000000"), Value::Float(1e20)),
            (Value::Int(1 << 60), Value::Float((1_u64 << 60) as f64)),
            (Value::Int(0), Value::Float(-0.0)),
            (Value::Bool(true), Value::Float(1.0)),
            (Value::Unknown("x".into()), Value::Unknown("x".into())),
        ];
        for (a, b) in equal {
            assert_eq!(a, b);
            assert_eq!(state.hash_one(&a), state.hash_one(&b), "{a}");
        }
        let (exact, rounded) = (Value::Int((1 << 53) + 1), Value::Float((1_u64 << 53) as f64));
        assert_ne!(exact, rounded);
        assert_eq!(exact.compare(&rounded), Some(Ordering::Greater));
        assert_eq!(rounded.compare(&exact), Some(Ordering::Less));
        assert_eq!(exact.compare(&Value::Float(f64::INFINITY)), Some(Ordering::Less));
        assert_eq!(exact.compare(&Value::Float(f64::NAN)), None);
        assert_eq!(Value::Int(1).compare(&Value::Float(1.5)), Some(Ordering::Less));
        assert_eq!(Value::Int(-1).compare(&Value::Float(-1.5)), Some(Ordering::Greater));
    }

    #[test]
    fn text_keys_are_found_by_str() {
        let map = map! { "a" => 1, 2 => "b" };
        assert_eq!(map.get("a"), Some(&Value::Int(1)));
        assert_eq!(map.get(&Value::Float(2.0)), Some(&Value::from("b")));
    }

    #[test]
    fn secrets_stay_out_of_debug() {
        let value = Value::from(map! { "password" => Value::secret("hunter22") });
        assert!(!format!("{value:?}").contains("hunter22"));
        assert!(value.is_secret());
    }

    #[test]
    fn numbers_compare_as_in_python() {
        assert_eq!(Value::from(1), Value::from(true));
        assert_eq!(Value::from(2).compare(&Value::from(1.5)), Some(Ordering::Greater));
        assert_eq!(Value::from(2).compare(&Value::from("a")), None);
    }
}
