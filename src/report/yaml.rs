//! Writes YAML for `result_format = yaml`.

use playbook_api::python::json_key;
use playbook_api::{Map, Value};

use crate::document::{DumpOptions, ScalarStyle, dump as write};

/// Formats a value as YAML with sorted keys. `lossy` writes text of several lines as a block, even if that loses
/// spaces at the ends of lines.
pub fn dump(value: &Value, indent: usize, lossy: bool) -> String {
    let options = DumpOptions {
        flow: Some(false),
        style: ScalarStyle::Any,
        canonical: false,
        indent: i32::try_from(indent.max(2)).unwrap_or(2),
        width: 80,
        explicit_start: false,
        explicit_end: false,
        sort_keys: true,
        blocks: true,
        lossy,
        envelope: |_| None,
    };
    let value = with_text_keys(value);
    let text = write(&value, &options).unwrap_or_else(|_| value.to_text().into_owned());
    text.strip_suffix("...\n").map_or(text.clone(), str::to_owned)
}

/// Makes keys text as in JSON, and undefined values null.
fn with_text_keys(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| (json_key(key).into(), with_text_keys(value)));
            Value::from(entries.collect::<Map>())
        }
        Value::List(items) | Value::Tuple(items) => items.iter().map(with_text_keys).collect(),
        Value::Undefined(_) => Value::Null,
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use playbook_api::map;

    use super::*;

    #[test]
    fn writes_as_pyyaml_does() {
        let value = map! {
            "date" => "2026-11-21 11:43:19", "time" => "0:00:00.01", "yes" => "yes", "n" => "12", "colon" => "a: b",
            "quote" => "it's", "bell" => "a\u{7}b", "tab" => "a\tb", "lines" => "a  \nb\n", "lead" => " a\nb",
            "empty" => "", "none" => Value::Null, "big" => 1e20, "a\nb" => 4, "long" => "word ".repeat(18) + "end",
            "list" => vec![
                Value::from(1), vec![3, 4].into(), map! { "a" => 1, "b" => vec![1] }.into(), Value::from(Vec::<i64>::new()),
            ],
            "deep" => map! { "x" => map! { "y" => true }, "e" => map! {} },
        };
        let expected = "\
? |-
    a
    b
: 4
bell: \"a\\ab\"
big: 1.0e+20
colon: 'a: b'
date: '2026-11-21 11:43:19'
deep:
    e: {}
    x:
        y: true
empty: ''
lead: |4-
     a
    b
lines: |-
    a
    b
list:
- 1
-   - 3
    - 4
-   a: 1
    b:
    - 1
- []
long: word word word word word word word word word word word word word word word word
    word word end
n: '12'
none: null
quote: it's
tab: \"a\\tb\"
time: '0:00:00.01'
'yes': 'yes'
";
        assert_eq!(dump(&value.into(), 4, true), expected);
    }
}
