//! Policy documents: tasks give them as a dictionary or as text, and IAM returns them encoded as for a URL.

use playbook_api::Failure;
use serde_json::{Map, Value as Json};

/// Returns a document that a task gave, as a dictionary.
pub(crate) fn parse(option: &str, given: &Json) -> Result<Json, Failure> {
    let parsed = match given {
        Json::String(text) => serde_json::from_str(text)
            .map_err(|error| Failure::new(format!("{option} is not valid JSON: {error}")))?,
        other => other.clone(),
    };
    match parsed {
        Json::Object(_) => Ok(parsed),
        _ => Err(Failure::new(format!("{option} is not a policy document: a document is a dictionary"))
            .with_help("Give a dictionary with `Version` and `Statement`, or its JSON.")),
    }
}

/// Returns a document of IAM as a dictionary; as text if it is not one.
pub(crate) fn decode(encoded: &str) -> Json {
    let text = match encoded.trim_start().starts_with('{') {
        true => encoded.to_owned(),
        false => unescape(encoded),
    };
    serde_json::from_str(&text).unwrap_or(Json::String(text))
}

/// Replaces `%7B` by the character that it stands for.
fn unescape(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code =
            after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns whether documents allow the same: the order of lists does not count, one value is the same as a list of it,
/// and an account is the same as the ARN of its root.
pub(crate) fn equal(a: &Json, b: &Json) -> bool {
    whole(a) == whole(b)
}

fn whole(document: &Json) -> Json {
    let mut document = normal(document, "");
    if let Some(members) = document.as_object_mut() {
        // The version of a document without one.
        members.entry("Version").or_insert_with(|| "2008-10-17".into());
        members.sort_keys();
    }
    document
}

fn normal(json: &Json, key: &str) -> Json {
    match json {
        Json::Object(members) => {
            let mut sorted: Map<String, Json> =
                members.iter().map(|(key, value)| (key.clone(), normal(value, key))).collect();
            sorted.sort_keys();
            sorted.into()
        }
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(|item| normal(item, key)).collect();
            items.sort_by_cached_key(Json::to_string);
            items.dedup();
            match items.len() {
                1 => items.swap_remove(0),
                _ => items.into(),
            }
        }
        Json::String(text)
            if key == "AWS" && text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("arn:aws:iam::{text}:root").into()
        }
        Json::Bool(value) => value.to_string().into(),
        Json::Number(number) => number.to_string().into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_that_allow_the_same_are_equal() {
        let one = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["b", "a"], "Principal": {"AWS": "123456789012"}},
        ]});
        let other = json!({"Statement": {
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["a", "b"],
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        }, "Version": "2012-10-17"});
        assert!(equal(&one, &other));
        let denied =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:GetObject"}]});
        assert!(!equal(&one, &denied));
        assert!(
            !equal(&one, &json!({"Statement": other["Statement"]})),
            "without a version it is an older one"
        );
    }

    #[test]
    fn a_document_is_decoded() {
        assert_eq!(decode("%7B%22Version%22%3A%20%222012-10-17%22%7D"), json!({"Version": "2012-10-17"}));
        assert_eq!(decode("{\"a\": \"100%25\"}"), json!({"a": "100%25"}));
        assert!(
            parse("policy", &json!("{")).unwrap_err().error.to_string().contains("policy is not valid JSON")
        );
        assert!(parse("policy", &json!([1])).is_err());
    }
}
