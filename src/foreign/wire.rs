//! Serializes values for the Python helper: as JSON, and as an object with the member `$` for kinds that JSON lacks.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playbook_api::{Error, Map, Text, Value};
use serde_json::{Value as Json, json};

/// The member that names the kind of a value.
const KIND: &str = "$";

/// Returns a value in the form in which it is sent.
pub fn encode(value: &Value) -> Json {
    let items = |items: &[Value]| Json::Array(items.iter().map(encode).collect());
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => (*n).into(),
        Value::BigInt(n) => json!({ KIND: "int", "v": n.to_string() }),
        Value::Float(n) if n.is_finite() => (*n).into(),
        Value::Float(n) => json!({ KIND: "float", "v": n.to_string() }),
        Value::Str(text) if text.is_trusted() => json!({ KIND: "trusted", "v": text.as_str() }),
        Value::Str(text) => text.as_str().into(),
        Value::Bytes(bytes) => json!({ KIND: "bytes", "v": STANDARD.encode(bytes) }),
        Value::List(list) => items(list),
        Value::Tuple(list) => json!({ KIND: "tuple", "v": items(list) }),
        Value::Map(map) if map.keys().all(|k| k.as_str().is_some_and(|k| k != KIND)) => {
            Json::Object(map.iter().map(|(k, v)| (k.to_text().into_owned(), encode(v))).collect())
        }
        Value::Map(map) => {
            let pairs: Vec<Json> = map.iter().map(|(k, v)| json!([encode(k), encode(v)])).collect();
            json!({ KIND: "map", "v": pairs })
        }
        Value::Undefined(reason) => json!({ KIND: "undefined", "v": &**reason }),
        Value::Unknown(reason) => json!({ KIND: "undefined", "v": format!("known after {reason}") }),
        Value::Omit => json!({ KIND: "omit" }),
        Value::Object(object) => match object.force() {
            Some(Ok(value)) => encode(&value),
            Some(Err(e)) => json!({ KIND: "undefined", "v": e.to_string() }),
            None => object.text().unwrap_or_else(|| object.type_name().to_owned()).into(),
        },
    }
}

/// Returns a value that was received.
pub fn decode(json: Json) -> Result<Value, Error> {
    let list = |items: Vec<Json>| items.into_iter().map(decode).collect::<Result<Vec<_>, _>>();
    match json {
        Json::Array(items) => Ok(list(items)?.into()),
        Json::Object(map) if !map.contains_key(KIND) => {
            let map: Result<Map, Error> =
                map.into_iter().map(|(k, v)| Ok((Value::from(k), decode(v)?))).collect();
            Ok(map?.into())
        }
        Json::Object(mut map) => {
            let broken = || Error::new("the Python helper sent a value of an unknown kind");
            let value = map.remove("v").unwrap_or_default();
            let kind = map.remove(KIND).unwrap_or_default();
            let text = || value.as_str().ok_or_else(broken);
            match kind.as_str().unwrap_or_default() {
                "int" => text()?.parse().map(Value::big).map_err(|_| broken()),
                "float" => text()?.parse().map(Value::Float).map_err(|_| broken()),
                "trusted" => Ok(Value::Str(Text::trusted(text()?))),
                "bytes" => STANDARD.decode(text()?).map(|b| Value::Bytes(b.into())).map_err(|_| broken()),
                "undefined" => Ok(Value::undefined(text()?)),
                "omit" => Ok(Value::Omit),
                "tuple" => match value {
                    Json::Array(items) => Ok(Value::Tuple(list(items)?.into())),
                    _ => Err(broken()),
                },
                "map" => match value {
                    Json::Array(pairs) => {
                        let mut map = Map::default();
                        for pair in pairs {
                            let Json::Array(pair) = pair else { return Err(broken()) };
                            let [key, value] = <[Json; 2]>::try_from(pair).map_err(|_| broken())?;
                            map.insert(decode(key)?, decode(value)?);
                        }
                        Ok(map.into())
                    }
                    _ => Err(broken()),
                },
                _ => Err(broken()),
            }
        }
        other => Ok(Value::from_json(other)),
    }
}

/// Returns a map that was received. Anything else is an error.
pub fn decode_map(json: Json) -> Result<Map, Error> {
    match decode(json)? {
        Value::Map(map) => Ok(Arc::unwrap_or_clone(map)),
        Value::Null => Ok(Map::default()),
        other => {
            Err(Error::new(format!("a Python plugin returned a {} instead of a dict", other.type_name())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playbook_api::map;

    #[test]
    fn values_come_back_as_they_went() {
        let mut odd = Map::default();
        odd.insert(1.into(), "one".into());
        odd.insert("$".into(), Value::Null);
        let value: Value = map! {
            "text" => "x", "trusted" => Value::Str(Text::trusted("{{ x }}")), "odd" => odd,
            "bytes" => Value::Bytes(b"\xff\x00".as_slice().into()),
            "list" => vec![Value::Float(1.5), Value::Int(-3), Value::Bool(true)],
            "tuple" => Value::Tuple(vec![1.into()].into()), "big" => Value::big("123456789012345678901234567890".parse().unwrap()),
        }
        .into();
        let back = decode(encode(&value)).unwrap();
        assert_eq!(back, value);
        assert!(matches!(back.get("trusted"), Some(Value::Str(text)) if text.is_trusted()));
        assert!(matches!(back.get("tuple"), Some(Value::Tuple(_))));
        assert!(decode(encode(&Value::undefined("gone"))).unwrap().is_undefined());
    }
}
