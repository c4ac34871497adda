//! Templates against what ansible-core 2.19 makes of them.

use std::sync::Arc;

use playbook_api::{Context, Error, Map, Place, Value, map, python};

use super::super::python::access;
use super::super::{Environment, Options, Renderer, Truth};
use crate::document::{Entry, Kind, Node, VaultText};
use crate::jinja::{Expression, Template};
use crate::settings::Release;
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
            options: Options { release: Release::V2_19, ..Options::default() },
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
            ("?", source) => shown(
                renderer.condition(&Expression::new(source, place.clone())).map(|truth| truth.holds().into()),
            ),
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
    let directory = tempfile::tempdir().expect("a directory");
    for part in include_str!("files.txt").split("=== ").skip(1) {
        let (name, text) = part.split_once('\n').expect("a name");
        std::fs::write(directory.path().join(name), text).expect("written");
    }
    let options = Options { base_dir: directory.path().to_owned(), ..Options::default() };
    let environment = Environment { context: Context::default(), keyring: Arc::default(), options };
    let renderer = Renderer { environment: Arc::new(environment), scope: Written::new(variables()) };
    let mut wrong = Vec::new();
    for line in include_str!("files.tsv").lines().filter(|line| !line.is_empty()) {
        let (source, expected) = line.split_once('\t').expect("a tab");
        let got = shown(renderer.render(&Template::new(source, Place::new("site.yml", 1, 1))));
        let got =
            got.replace(&*directory.path().display().to_string(), "").replace("/templates'", "templates'");
        if got != expected {
            wrong.push(format!("{line}\n    got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn vaults_are_opened_when_asked_for_and_are_data() {
    let keyring = crate::vault::Keyring::with_password("default", "secret");
    let seal = |text: &str| {
        let envelope: Arc<str> = keyring.encrypt(text.as_bytes(), None).expect("sealed").into();
        Node::new(Place::new("vars.yml", 3, 1), Kind::Vault(VaultText { envelope }))
    };
    let entry = |node| Entry { key: Place::new("vars.yml", 3, 1), node };
    let (plain, template) = (seal("hunter22"), seal("{{ user }}:hunter22"));
    let both = [("plain".into(), entry(plain)), ("template".into(), entry(template))];
    let node = Node::new(Place::new("vars.yml", 2, 1), Kind::Map(both.into_iter().collect()));
    let environment =
        Environment { context: Context::default(), keyring: Arc::new(keyring), options: Options::default() };
    let redactor = environment.context.redactor.clone();
    let scope = Arc::new(map! { "user" => "app" });
    let value = Renderer { environment: Arc::new(environment), scope }.value(&node).expect("opened");
    assert_eq!(value.get("plain"), Some(&"hunter22".into()));
    assert_eq!(value.get("template"), Some(&"{{ user }}:hunter22".into()));
    assert!(
        value.get("plain").is_some_and(Value::is_secret)
            && value.get("template").is_some_and(Value::is_secret)
    );
    assert!(!redactor.text("x: {{ user }}:hunter22").contains("hunter22"));
}

#[test]
fn written_values_are_rendered_when_asked_for() {
    let renderer = renderer(map! { "x" => 1 });
    let node = written(&map! { "broken" => "{{ nope }}", "fine" => "{{ x }}", "plain" => vec![1, 2] }.into());
    let value = renderer.resolve(&node).expect("nothing is rendered yet");
    assert_eq!(access::get_attribute(&value, "fine").expect("rendered"), Value::Int(1));
    assert!(access::get_attribute(&value, "broken").expect("a value").is_undefined());
    assert!(Renderer::finalize(value).expect_err("all of it").is_undefined());
    let list = node.get("plain").and_then(Node::plain).and_then(Value::as_list).map(<[Value]>::as_ptr);
    let again = node.get("plain").and_then(|node| renderer.resolve(node).ok());
    assert_eq!(again.as_ref().and_then(Value::as_list).map(<[Value]>::as_ptr), list, "shared, not copied");
}

#[test]
fn an_unset_variable_of_the_environment_is_undefined_to_default_alone() {
    let renderer = renderer(Map::default());
    let render = |text: &str| renderer.render(&Template::new(text, Place::new("x", 1, 1))).expect(text);
    assert_eq!(render("{{ lookup('env', 'SURELY_NOT_SET') }}"), "".into());
    assert_eq!(render("{{ lookup('env', 'SURELY_NOT_SET') is defined }}"), true.into());
    assert_eq!(render("{{ lookup('env', 'SURELY_NOT_SET') | default('d') }}"), "d".into());
    assert_eq!(render("{{ q('ansible.builtin.env', 'SURELY_NOT_SET') | d('d') }}"), "d".into());
    assert_eq!(render("{{ lookup('env', 'SURELY_NOT_SET') | upper | default('d') }}"), "".into());
    assert_eq!(render("{{ lookup('env', 'PATH') | default('d') != 'd' }}"), true.into());
}

#[test]
fn conditions_render_templates_in_their_constants_and_lookups_their_terms() {
    let renderer = renderer(map! { "x" => "PATH" });
    let condition = |text: &str| renderer.condition(&Expression::new(text, Place::new("x", 1, 1)));
    assert!(condition("'{{ x }}' == 'PATH'").expect("a boolean").holds());
    let text = "{{ lookup('env', '{{ x }}') == lookup('env', 'PATH') }}{{ '{{ x }}' }}";
    let value = renderer.render(&Template::new(text, Place::new("x", 1, 1))).expect("text");
    assert_eq!(value, "True{{ x }}".into());
}

#[test]
fn points_in_time_have_parts_and_differences() {
    let renderer = renderer(Map::default());
    let render = |text: &str| {
        renderer.render(&Template::new(text, Place::new("x", 1, 1))).and_then(Renderer::finalize).expect(text)
    };
    let time = "{% set t = '2024-02-29 12:30:00' | to_datetime %}";
    assert_eq!(
        render(&format!("{time}{{{{ t.year }}}}-{{{{ t.strftime('%d %b') }}}}")),
        "2024-29 Feb".into()
    );
    let span = "{{ (t - ('2024-02-28 12:00:00' | to_datetime)).days }}";
    assert_eq!(render(&format!("{time}{span}")), 1.into());
    let span = "{{ (t - ('2024-02-28 12:00:00' | to_datetime)).total_seconds() }}";
    assert_eq!(render(&format!("{time}{span}")), 88200.0.into());
    assert_eq!(
        render(&format!("{time}{{{{ t.isoformat() }}}} {{{{ t }}}}")),
        "2024-02-29T12:30:00 2024-02-29 12:30:00".into()
    );
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
    assert_eq!(renderer.condition(&condition).expect("no error"), Truth::Unknown("deploy".into()));
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
    assert_eq!(fault("{{ 1 + nope }}"), (7, 12));
    assert_eq!(fault("{{ nope.a.b | upper }}"), (7, 8));
}

#[test]
fn errors_name_the_variable_that_caused_them() {
    let renderer = renderer(map! { "a" => "{{ missing }}" });
    let template = Template::new("x {{ a | upper }}", Place::new("site.yml", 7, 5));
    let error = renderer.render(&template).expect_err("undefined");
    assert_eq!(error.place().map(|place| &*place.file), Some("vars.yml"));
    assert!(error.is_undefined());
}

#[test]
fn nothing_overflows_the_stack() {
    let renderer = renderer(map! { "x" => 1 });
    let render = |text: String| renderer.render(&Template::new(text, Place::new("x", 1, 1)));
    let long = |link: &str, count: usize| format!("{{{{ x{} }}}}", link.repeat(count));
    assert_eq!(render(long(" + 1", 1500)).expect("a sum"), Value::Int(1501));
    let nested = |count: usize| format!("{{{{ {}x{} }}}}", "(".repeat(count), ")".repeat(count));
    assert_eq!(render(nested(200)).expect("a number"), Value::Int(1));
    for text in [long(" + 1", 9999), long("|abs", 9999), long(".y", 9999), nested(9999), long(" if x", 9999)]
    {
        assert!(render(text).is_err());
    }
    let loops = format!("{}{}", "{% for i in [1] %}".repeat(400), "{% endfor %}".repeat(400));
    assert!(render(loops).is_ok());
    let recursive = "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}";
    assert!(render(recursive.into()).expect_err("endless").to_string().contains("Recursive loop"));
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
