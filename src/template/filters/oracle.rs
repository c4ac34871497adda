//! Compares filters and tests with their recorded results in ansible-core 2.19.

use std::sync::Arc;

use playbook_api::{Context, Place, Value, map, python};

use crate::jinja::Template;
use crate::settings::Release;
use crate::template::{Call, Environment, Renderer, environment::Options};

pub(super) fn renderer() -> Renderer {
    let options = Options { release: Release::V2_19, ..Options::default() };
    let environment = Environment { context: Context::default(), keyring: Arc::default(), options };
    Renderer { environment: Arc::new(environment), scope: Arc::new(map! { "nl" => "\n", "tab" => "\t" }) }
}

/// Each line of the table is an expression and, after a tab, Ansible's result: Python's `repr`, or the error after
/// `!`.
#[test]
fn filters_and_tests_do_what_ansibles_do() {
    let renderer = renderer();
    let mut wrong = Vec::new();
    for line in include_str!("oracle.tsv").lines().filter(|line| !line.is_empty()) {
        let (source, expected) = line.split_once('\t').expect("a tab");
        let template = Template::new(format!("{{{{ {source} }}}}"), Place::new("site.yml", 1, 1));
        let got = match renderer.render(&template).and_then(Renderer::finalize) {
            Ok(value) => python::repr(&value),
            Err(error) => format!("! {}", error.to_string().replace('\n', " ")),
        };
        if got != expected {
            wrong.push(format!("{line}\n    got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// For any input, a filter or test returns a value or an error.
#[test]
fn nothing_panics() {
    let renderer = renderer();
    let slow = ["password_hash", "vault", "unvault", "permutations"];
    let values: Vec<Value> = vec![
        Value::Null,
        true.into(),
        0.into(),
        (-3).into(),
        i64::MAX.into(),
        i64::MIN.into(),
        Value::big("123456789012345678901234567890".parse().expect("a number")),
        Value::Float(f64::NAN),
        Value::Float(-1e308),
        "".into(),
        "é% {(\\".into(),
        "%d %(a)s [b".into(),
        "2001:db8::/0".into(),
        "-10.5".into(),
        Vec::<Value>::new().into(),
        vec![Value::from("b"), 1.into(), Value::Null].into(),
        vec![Value::from(vec![1, 2]), map! { "a" => 1 }.into()].into(),
        map! { "a" => vec![1, 2], 2 => "x" }.into(),
        Value::Bytes([0xff, 0].as_slice().into()),
    ];
    let mut panics = Vec::new();
    let families =
        super::FAMILIES.iter().flat_map(|family| family.iter()).chain(crate::template::tests::all());
    for function in families.filter(|function| !slow.contains(&function.name)) {
        for input in &values {
            for arguments in std::iter::once(Vec::new())
                .chain(values.iter().map(|value| vec![value.clone()]))
                .chain(values.iter().map(|value| vec![value.clone(), 2.into(), "a".into()]))
            {
                let shown = format!("{input:?} | {}({arguments:?})", function.name);
                let run = std::panic::AssertUnwindSafe(|| {
                    let (input, args) = (input.clone(), arguments.clone());
                    let kwargs = playbook_api::Map::default();
                    (function.call)(&mut Call {
                        name: function.name,
                        input,
                        args,
                        kwargs,
                        renderer: &renderer,
                    })
                    .map_err(|e| e.to_string())
                });
                if std::panic::catch_unwind(run).is_err() {
                    panics.push(shown);
                }
            }
        }
    }
    assert!(panics.is_empty(), "{} panics:\n{}", panics.len(), panics.join("\n"));
}
