//! Templates against what ansible-core 2.19 makes of them.

use std::sync::Arc;

use playbook_api::{Context, Error, Map, Place, Value, map, python};

use super::super::{Environment, Options, Renderer};
use crate::document::{Entry, Kind, Node};
use crate::jinja::{Expression, Template};
use crate::template::Scope;

/// Variables as a playbook writes them: text with templates in it is one.
struct Written {
    node: Node,
    environment: Arc<Environment>,
    this: std::sync::Weak<Written>,
}

impl Written {
    fn new(variables: Map) -> Arc<Written> {
        let environment = Arc::new(Environment {
            context: Context::default(),
            keyring: Arc::default(),
            options: Options::default(),
        });
        Arc::new_cyclic(|this| Written { node: written(&variables.into()), environment, this: this.clone() })
    }
}

impl Scope for Written {
    fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        let node = self.node.get(name)?;
        let scope: Arc<dyn Scope> = self.this.upgrade()?;
        Some(Renderer { environment: self.environment.clone(), scope }.resolve(node))
    }

    fn names(&self) -> Vec<String> {
        self.node.as_map().into_iter().flat_map(|map| map.keys()).map(Value::to_string).collect()
    }
}

fn written(value: &Value) -> Node {
    let place = Place::new("vars.yml", 1, 1);
    let kind = match value {
        Value::Str(text) if Template::is_template(text) => {
            Kind::Template(Template::new(text.as_str(), place.clone()))
        }
        Value::List(items) => Kind::List(items.iter().map(written).collect()),
        Value::Map(map) => Kind::Map(
            map.iter().map(|(k, v)| (k.clone(), Entry { key: place.clone(), node: written(v) })).collect(),
        ),
        other => Kind::Value(other.clone()),
    };
    Node::new(place, kind)
}

pub(crate) fn renderer(variables: Map) -> Renderer {
    let scope = Written::new(variables);
    Renderer { environment: scope.environment.clone(), scope }
}

fn variables() -> Map {
    let json = include_str!("variables.json");
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    Value::from_json(json).as_map().cloned().expect("a map")
}

fn shown(result: Result<Value, Error>) -> String {
    match result.and_then(Renderer::finalize) {
        Ok(value) => python::repr(&value),
        Err(error) => format!("! {error}"),
    }
}

/// Each line of the table is a template, or after `=` an expression, or after `?` a condition; then, after a tab,
/// what Ansible makes of it: Python's `repr`, or after `!` the error.
#[test]
fn templates_mean_what_ansible_means() {
    let renderer = renderer(variables());
    let place = Place::new("site.yml", 1, 1);
    let mut wrong = Vec::new();
    for line in include_str!("oracle.tsv").lines().filter(|line| !line.is_empty()) {
        let (source, expected) = line.split_once('\t').expect("a tab");
        let source = source.replace("\\n", "\n").replace("\\\\", "\\");
        let got = match source.split_at(1) {
            ("=", source) => shown(renderer.evaluate(&Expression::new(source, place.clone()))),
            ("?", source) => {
                shown(renderer.condition(&Expression::new(source, place.clone())).map(Value::from))
            }
            _ => shown(renderer.render(&Template::new(source.as_str(), place.clone()))),
        };
        if got != expected {
            wrong.push(format!("{line}\n    got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// As above, with the files of `files.txt` to include, import and extend.
#[test]
fn files_include_import_and_extend() {
    let folder = tempfile::tempdir().expect("a folder");
    for part in include_str!("files.txt").split("=== ").skip(1) {
        let (name, text) = part.split_once('\n').expect("a name");
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let options = Options { base_dir: folder.path().to_owned(), ..Options::default() };
    let environment = Environment { context: Context::default(), keyring: Arc::default(), options };
    let renderer = Renderer { environment: Arc::new(environment), scope: Written::new(variables()) };
    let mut wrong = Vec::new();
    for line in include_str!("files.tsv").lines().filter(|line| !line.is_empty()) {
        let (source, expected) = line.split_once('\t').expect("a tab");
        let got = shown(renderer.render(&Template::new(source, Place::new("site.yml", 1, 1))));
        let got = got.replace(&*folder.path().display().to_string(), "").replace("/templates'", "templates'");
        if got != expected {
            wrong.push(format!("{line}\n    got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_made_of_a_secret_is_one() {
    let renderer = renderer(map! { "plain" => "user" });
    let renderer = renderer.with(map! { "password" => Value::secret("hunter22") });
    let render = |text: &str| renderer.render(&Template::new(text, Place::new("x", 1, 1))).expect(text);
    for text in [
        "{{ password }}",
        "a {{ password }}",
        "{{ password ~ 1 }}",
        "{{ password[2:] }}",
        "{{ password.upper() }}",
    ] {
        assert!(render(text).is_secret(), "{text}");
    }
    for text in ["{{ plain }}", "{{ {'name': plain, 'password': password}.name }}", "{{ password == 'x' }}"] {
        assert!(!render(text).is_secret(), "{text}");
    }
}

#[test]
fn what_needs_something_unknown_is_unknown() {
    let renderer = renderer(Map::default()).with(map! { "id" => Value::Unknown("deploy".into()) });
    let render = |text: &str| renderer.render(&Template::new(text, Place::new("x", 1, 1))).expect(text);
    for text in [
        "{{ id }}",
        "arn:{{ id }}",
        "{{ id + 1 }}",
        "{{ id.name[0] }}",
        "{% if id %}a{% endif %}b",
        "{{ id == 1 and x }}",
    ] {
        assert!(matches!(render(text), Value::Unknown(_)), "{text}: {:?}", render(text));
    }
    let condition = Expression::new("id == 'x'", Place::new("x", 1, 1));
    assert!(!renderer.condition(&condition).expect("no error"));
}

#[test]
fn errors_say_where() {
    let renderer = renderer(Map::default());
    let fault = |text: &str| {
        let place = Place::new("site.yml", 7, 5);
        let error = renderer.render(&Template::new(text, place)).and_then(Renderer::finalize);
        error.expect_err(text).place().map(|place| (place.line, place.column)).expect("a place")
    };
    assert_eq!(fault("{{ 1 + 'a' }}"), (7, 10));
    assert_eq!(fault("a\nb {{ [] + 1 }}"), (8, 9));
    assert_eq!(fault("{% for %}"), (7, 12));
}

#[test]
fn variables_that_need_each_other_are_an_error() {
    let renderer = renderer(map! {
        "a" => "{{ b }}",
        "b" => "{{ a }}",
        "c" => map! { "d" => "{{ c.d }}" },
    });
    for text in ["{{ a }}", "{{ c.d }}", "{{ c }}"] {
        let result =
            renderer.render(&Template::new(text, Place::new("x", 1, 1))).and_then(Renderer::finalize);
        assert!(result.expect_err(text).to_string().contains("Recursive loop"), "{text}");
    }
}
