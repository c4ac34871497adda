//! The bodies of requests: JSON, forms, and multipart forms.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use playbook_api::python::{JsonStyle, json};
use playbook_api::{Context, Failure, Value};

use crate::host::path::resolve;

/// A body and its content type.
pub(crate) struct Body {
    pub(crate) content: Vec<u8>,
    pub(crate) content_type: Option<String>,
}

/// Text, or JSON if the value is not text.
pub(crate) fn raw(body: &Value) -> Body {
    let text = match body {
        Value::Map(_) | Value::List(_) => to_json(body),
        other => other.to_text().into_owned(),
    };
    Body { content: text.into_bytes(), content_type: None }
}

fn to_json(body: &Value) -> String {
    json(body, JsonStyle { indent: None, sort_keys: false, ensure_ascii: true })
}

/// JSON. A text is expected to be JSON already.
pub(crate) fn as_json(body: &Value) -> Body {
    let text = body.as_str().map_or_else(|| to_json(body), str::to_owned);
    Body { content: text.into_bytes(), content_type: Some("application/json".into()) }
}

/// `a=1&b=x&b=y`, from a map, a list of pairs, or a text in this form.
pub(crate) fn form(body: &Value) -> Result<Body, Failure> {
    let bad = || Failure::new("failed to parse body as form_urlencoded: give a dict, or a list of pairs");
    let pairs: Vec<(Value, Value)> = match body {
        Value::Str(text) => {
            let content = text.as_bytes().to_vec();
            return Ok(Body { content, content_type: Some("application/x-www-form-urlencoded".into()) });
        }
        Value::Map(map) => map.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        Value::List(items) => {
            let pair = |item: &Value| match item.as_list() {
                Some([name, value]) => Ok((name.clone(), value.clone())),
                _ => Err(bad()),
            };
            items.iter().map(pair).collect::<Result<_, _>>()?
        }
        _ => return Err(bad()),
    };
    let mut words = Vec::new();
    for (name, value) in pairs {
        let values = value.as_list().map_or_else(|| vec![value.clone()], <[Value]>::to_vec);
        words.extend(values.iter().map(|v| format!("{}={}", quote(&name.to_text()), quote(&v.to_text()))));
    }
    Ok(Body {
        content: words.join("&").into_bytes(),
        content_type: Some("application/x-www-form-urlencoded".into()),
    })
}

/// A form with files.
pub(crate) fn multipart(body: &Value, context: &Context) -> Result<Body, Failure> {
    let fields = body.as_map().ok_or_else(|| {
        let message = format!(
            "failed to parse body as form-multipart: Mapping is required, cannot be type {}",
            body.type_name()
        );
        Failure::new(message)
    })?;
    let boundary = format!("===============playbook{:016x}==", fastboundary());
    let mut out = Vec::new();
    for (name, field) in fields {
        let part = Part::of(field, context)?;
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        if part.encoded {
            out.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n");
        }
        out.extend_from_slice(format!("Content-Type: {}\r\n", part.mime).as_bytes());
        let mut disposition = format!("Content-Disposition: form-data; name=\"{}\"", name.to_text());
        if let Some(filename) = part.filename {
            let _ = write!(disposition, "; filename=\"{filename}\"");
        }
        out.extend_from_slice(format!("{disposition}\r\n\r\n").as_bytes());
        out.extend_from_slice(&part.content);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(Body { content: out, content_type: Some(format!("multipart/form-data; boundary=\"{boundary}\"")) })
}

/// A random number that is unlikely to occur in a body.
fn fastboundary() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

struct Part {
    content: Vec<u8>,
    filename: Option<String>,
    mime: String,
    encoded: bool,
}

impl Part {
    fn of(field: &Value, context: &Context) -> Result<Part, Failure> {
        let plain = |text: &Value| Part {
            content: text.to_text().as_bytes().to_vec(),
            filename: None,
            mime: "text/plain".into(),
            encoded: false,
        };
        let Some(map) = field.as_map() else { return Ok(plain(field)) };
        let text = |name: &str| map.get(name).filter(|v| !v.is_null()).map(|v| v.to_text().into_owned());
        let (filename, content) = (text("filename"), text("content"));
        let base = filename.as_deref().map(|f| f.rsplit('/').next().unwrap_or(f).to_owned());
        let mime = text("mime_type")
            .or_else(|| base.as_deref().map(guess))
            .unwrap_or_else(|| "application/octet-stream".into());
        match (content, filename) {
            (Some(content), _) => {
                Ok(Part { content: content.into_bytes(), filename: base, mime, encoded: false })
            }
            (None, Some(filename)) => {
                let path = resolve(&filename, context);
                let bytes = std::fs::read(&path).map_err(|e| {
                    Failure::new(format!(
                        "cannot read '{}' for the body: {}",
                        path.display(),
                        crate::host::errno::describe(&e)
                    ))
                })?;
                let plain = text("multipart_encoding").is_some_and(|e| e != "base64");
                let content = if plain { bytes } else { wrapped(&bytes) };
                Ok(Part { content, filename: base, mime, encoded: !plain })
            }
            (None, None) => Err(Failure::new("at least one of filename or content must be provided")),
        }
    }
}

/// Encodes as base64, in lines of 76 characters.
fn wrapped(bytes: &[u8]) -> Vec<u8> {
    let encoded = BASE64_STANDARD.encode(bytes).into_bytes();
    let mut out = encoded.chunks(76).collect::<Vec<_>>().join(&b"\r\n"[..]);
    out.extend_from_slice(b"\r\n");
    out
}

/// Returns the type of a file by its extension.
fn guess(name: &str) -> String {
    let ending = name.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    match ending.as_str() {
        "txt" | "log" | "conf" => "text/plain",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "xml" => "text/xml",
        "json" => "application/json",
        "js" => "text/javascript",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "tar" => "application/x-tar",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "pem" | "crt" => "application/x-x509-ca-cert",
        _ => "application/octet-stream",
    }
    .into()
}

/// Percent-encodes text for a form, in which a space is `+`.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Undoes percent-encoding.
pub(crate) fn unquote(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(i) {
        let decoded =
            text.get(i + 1..i + 3).filter(|_| byte == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        out.push(decoded.unwrap_or(byte));
        i += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}
