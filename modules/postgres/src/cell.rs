//! Converts PostgreSQL's text form of a value, by the column's type.

use playbook_api::Value;
use tokio_postgres::types::{Kind, Type};

/// Numbers, booleans, JSON and arrays keep their type; everything else stays the text that psql would print,
/// times in ISO 8601.
pub(crate) fn value(text: Option<&str>, of: &Type) -> Value {
    let Some(text) = text else { return Value::Null };
    match *of {
        Type::BOOL => Value::Bool(text == "t"),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => {
            text.parse::<i64>().map_or(text.into(), Value::Int)
        }
        Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC => text.parse::<f64>().map_or(text.into(), Value::Float),
        Type::JSON | Type::JSONB => serde_json::from_str(text).map_or(text.into(), Value::from_json),
        Type::TIMESTAMP => text.replacen(' ', "T", 1).into(),
        Type::TIMESTAMPTZ => timestamp(text).into(),
        _ => match of.kind() {
            Kind::Array(element) => array(text, element).unwrap_or_else(|| text.into()),
            Kind::Domain(base) => value(Some(text), base),
            _ => text.into(),
        },
    }
}

/// Converts `2024-01-31 12:00:00+00` to `2024-01-31T12:00:00+00:00`.
fn timestamp(text: &str) -> String {
    let text = text.replacen(' ', "T", 1);
    let zone = text.rfind(['+', '-']).and_then(|i| text.get(i..)).map(str::len);
    if zone == Some(3) && text.contains('T') { text + ":00" } else { text }
}

/// Reads an array such as `{1,2,NULL}`, `{"a,b",c}` or `{{1,2},{3,4}}`. Returns `None` if it is malformed.
fn array(text: &str, element: &Type) -> Option<Value> {
    // Bounds other than the usual come first: `[0:1]={1,2}`.
    let text = text.get(text.find('{')?..)?;
    let mut rest = text.chars().peekable();
    let list = items(&mut rest, element)?;
    rest.next().is_none().then_some(list)
}

fn items(rest: &mut std::iter::Peekable<std::str::Chars>, element: &Type) -> Option<Value> {
    if rest.next()? != '{' {
        return None;
    }
    let mut list = Vec::new();
    if rest.next_if_eq(&'}').is_some() {
        return Some(list.into());
    }
    loop {
        match rest.peek()? {
            '{' => list.push(items(rest, element)?),
            '"' => {
                rest.next();
                let mut text = String::new();
                loop {
                    match rest.next()? {
                        '"' => break,
                        '\\' => text.push(rest.next()?),
                        c => text.push(c),
                    }
                }
                list.push(value(Some(&text), element));
            }
            _ => {
                let mut text = String::new();
                while let Some(c) = rest.next_if(|c| !matches!(c, ',' | '}')) {
                    text.push(c);
                }
                let null = text.eq_ignore_ascii_case("null");
                list.push(value((!null).then_some(text.as_str()), element));
            }
        }
        match rest.next()? {
            ',' => {}
            '}' => return Some(list.into()),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_keep_their_types() {
        let text = |text: &str, of: &Type| value(Some(text), of).to_string();
        assert_eq!(text("{1,NULL,3}", &Type::INT4_ARRAY), "[1, None, 3]");
        assert_eq!(text("[0:1]={1,2}", &Type::INT4_ARRAY), "[1, 2]");
        assert_eq!(
            text("{{a,\"b,c\"},{\"\\\"\",\"NULL\"}}", &Type::TEXT_ARRAY),
            "[['a', 'b,c'], ['\"', 'NULL']]"
        );
        assert_eq!(text("{}", &Type::TEXT_ARRAY), "[]");
        assert_eq!(text("{broken", &Type::TEXT_ARRAY), "{broken");
    }

    #[test]
    fn times_are_iso() {
        let text = |text: &str| value(Some(text), &Type::TIMESTAMPTZ).to_string();
        assert_eq!(text("2024-01-31 12:00:00.5+00"), "2024-01-31T12:00:00.5+00:00");
        assert_eq!(text("2024-01-31 12:00:00+05:30"), "2024-01-31T12:00:00+05:30");
        assert_eq!(text("infinity"), "infinity");
    }
}
