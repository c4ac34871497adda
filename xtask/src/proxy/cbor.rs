//! The protocol RPC v2 CBOR, which the SDK of CloudWatch speaks: its messages are translated from and to AWS JSON, which
//! the emulator understands.

use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Number, Value};

use crate::http::Message;

/// The tag of a time, in seconds since 1970.
const TIME: Tag = Tag::new(1);

/// Returns a request in AWS JSON if it is one in CBOR: `POST /service/SERVICE/operation/OPERATION`.
pub(super) fn to_json(request: &Message) -> Option<Message> {
    let path = request.start.split(' ').nth(1)?;
    let mut parts = path.strip_prefix("/service/")?.split('/');
    let (service, _, operation) = (parts.next()?, parts.next()?, parts.next()?);
    let body = match request.body.is_empty() {
        true => Value::Object(Map::new()),
        false => decode(&mut Decoder::new(&request.body)).ok()?,
    };
    let mut headers = request.headers.clone();
    headers.retain(|(name, _)| !matches!(name.as_str(), "content-type" | "smithy-protocol" | "accept"));
    headers.push(("content-type".into(), "application/x-amz-json-1.0".into()));
    headers.push(("x-amz-target".into(), format!("{service}.{operation}")));
    Some(Message { start: "POST / HTTP/1.1".into(), headers, body: body.to_string().into_bytes() })
}

/// Returns a response in CBOR.
pub(super) fn of_json(response: &Message) -> Message {
    let mut body = Vec::new();
    let json = match response.json() {
        Value::Null => Value::Object(Map::new()),
        json => json,
    };
    encode(&mut Encoder::new(&mut body), "", &json);
    let mut headers = response.headers.clone();
    headers.retain(|(name, _)| name != "content-type");
    headers.push(("content-type".into(), "application/cbor".into()));
    headers.push(("smithy-protocol".into(), "rpc-v2-cbor".into()));
    Message { start: response.start.clone(), headers, body }
}

fn decode(from: &mut Decoder<'_>) -> Result<Value, minicbor::decode::Error> {
    Ok(match from.datatype()? {
        Type::Map | Type::MapIndef => {
            let mut left = from.map()?;
            let mut members = Map::new();
            while has_more(from, &mut left)? {
                let name = from.str()?.to_owned();
                members.insert(name, decode(from)?);
            }
            members.into()
        }
        Type::Array | Type::ArrayIndef => {
            let mut left = from.array()?;
            let mut items = Vec::new();
            while has_more(from, &mut left)? {
                items.push(decode(from)?);
            }
            items.into()
        }
        Type::Tag => {
            from.tag()?;
            decode(from)?
        }
        Type::String => from.str()?.into(),
        Type::StringIndef => from.str_iter()?.collect::<Result<String, _>>()?.into(),
        Type::Bool => from.bool()?.into(),
        Type::F32 => f64::from(from.f32()?).into(),
        Type::F64 => from.f64()?.into(),
        Type::Null | Type::Undefined => {
            from.skip()?;
            Value::Null
        }
        _ => from.i64()?.into(),
    })
}

/// Whether a list or map has more items. One of unknown length ends with a break.
fn has_more(from: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, minicbor::decode::Error> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if from.datatype()? == Type::Break => {
            from.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

/// Writes a value. A `Vec` takes everything, so that writing cannot fail.
fn encode(to: &mut Encoder<&mut Vec<u8>>, name: &str, json: &Value) {
    let _ = match json {
        Value::Null => to.null().map(drop),
        Value::Bool(value) => to.bool(*value).map(drop),
        Value::String(text) => to.str(text).map(drop),
        Value::Number(number) if name.ends_with("Timestamp") => {
            to.tag(TIME).and_then(|to| to.f64(number.as_f64().unwrap_or_default())).map(drop)
        }
        Value::Number(number) => write_number(to, number),
        Value::Array(items) => {
            let _ = to.array(items.len() as u64);
            items.iter().for_each(|item| encode(to, name, item));
            Ok(())
        }
        Value::Object(members) => {
            let _ = to.map(members.len() as u64);
            for (name, value) in members {
                let _ = to.str(name);
                encode(to, name, value);
            }
            Ok(())
        }
    };
}

fn write_number(
    to: &mut Encoder<&mut Vec<u8>>,
    number: &Number,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    match number.as_i64() {
        Some(whole) => to.i64(whole).map(drop),
        None => to.f64(number.as_f64().unwrap_or_default()).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_are_translated_there_and_back() {
        let json = json!({"Name": "a", "Threshold": 0.5, "Period": 60, "On": true, "Items": [{"Timestamp": 1.5}, null]});
        let mut body = Vec::new();
        encode(&mut Encoder::new(&mut body), "", &json);
        let start = "POST /service/Granite/operation/PutMetricAlarm HTTP/1.1".to_owned();
        let request = Message { start, headers: Vec::new(), body };
        let translated = to_json(&request).expect("a request in CBOR");
        assert_eq!(translated.json(), json);
        assert_eq!(translated.header("x-amz-target"), Some("Granite.PutMetricAlarm"));
        // A map of unknown length, as the SDK writes it.
        let request = Message { body: vec![0xbf, 0x61, b'a', 0x01, 0xff], ..request };
        assert_eq!(to_json(&request).expect("a request").json(), json!({"a": 1}));
        assert!(to_json(&Message { start: "POST / HTTP/1.1".into(), ..request }).is_none());
    }
}
