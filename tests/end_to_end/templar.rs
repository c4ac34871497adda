//! The same templates rendered by ansible-core's own templar and here: the same value of the same type, or an error
//! in both.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use playbook::document::{self, Node, Trust};
use playbook::jinja::Template;
use playbook::settings::Release;
use playbook::template::{Environment, Options, Renderer, Scope};
use playbook_api::{Context, Error, Place, Value, python};
use serde_json::{Value as Json, json};

use xtask::tested::skip;

const VARIABLES: &str = include_str!("../../src/template/eval/variables.json");

/// What is recorded of templates and of filters, and what is asked beyond that.
fn templates() -> Vec<String> {
    let recorded = include_str!("../../src/template/eval/oracle.tsv").lines();
    let recorded = recorded.filter_map(|line| line.split_once('\t')).map(|(source, _)| source);
    let recorded = recorded.filter(|source| !source.starts_with(['=', '?']));
    let recorded = recorded.map(|source| source.replace("\\n", "\n").replace("\\\\", "\\"));
    let filters = include_str!("../../src/template/filters/oracle.tsv").lines();
    let filters =
        filters.filter_map(|line| line.split_once('\t')).map(|(source, _)| format!("{{{{ {source} }}}}"));
    let more = include_str!("../oracle/templates.txt").lines();
    let more = more.filter(|line| !line.is_empty() && !line.starts_with("## "));
    let more = more.map(|source| match source.contains("{{") || source.contains("{%") {
        true => source.replace("\\n", "\n"),
        false => format!("{{{{ {source} }}}}"),
    });
    // What another collection brings is not in ansible-core.
    let foreign =
        ["json_query", "community.", "ipaddr", "ansible.utils", "ansible.netcommon", "random_mac", "hash_id"];
    let all = recorded.chain(filters).chain(more);
    all.filter(|source| !foreign.iter().any(|name| source.contains(name))).collect()
}

/// Variables as a playbook has them.
struct Variables {
    node: Node,
    environment: Arc<Environment>,
    this: std::sync::Weak<Variables>,
}

impl Scope for Variables {
    fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        let node = self.node.get(name)?;
        let scope: Arc<dyn Scope> = self.this.upgrade()?;
        Some(Renderer { environment: self.environment.clone(), scope }.resolve(node))
    }

    fn names(&self) -> Vec<String> {
        self.node.as_map().into_iter().flat_map(|map| map.keys()).map(Value::to_string).collect()
    }
}

fn ours(templates: &[String]) -> Vec<Result<String, String>> {
    let options = Options { release: Release::V2_19, ..Options::default() };
    let environment = Environment { context: Context::default(), keyring: Arc::default(), options };
    let environment = Arc::new(environment);
    let node = document::parse(VARIABLES, "vars.json", Trust::Templates).expect("the variables").node;
    let scope: Arc<Variables> =
        Arc::new_cyclic(|this| Variables { node, environment: environment.clone(), this: this.clone() });
    let renderer = Renderer { environment, scope };
    let render = |source: &String| {
        let template = Template::new(source.as_str(), Place::new("site.yml", 1, 1));
        let value = match Template::is_template(source) {
            true => renderer.render(&template).and_then(Renderer::finalize),
            false => Ok(Value::from(source.as_str())),
        };
        value.map(|value| python::repr(&value)).map_err(|error| error.to_string())
    };
    templates.iter().map(render).collect()
}

fn theirs(bin: &Path, templates: &[String]) -> Vec<Result<String, String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/templar.py");
    let variables: Json = serde_json::from_str(VARIABLES).expect("the variables");
    let mut child = Command::new(bin.join("python"))
        .arg(script)
        .env("ANSIBLE_DEPRECATION_WARNINGS", "false")
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Python starts");
    let asked = json!({ "variables": variables, "templates": templates }).to_string();
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(asked.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = |line: &str| {
        let answer: Json = serde_json::from_str(line).expect("JSON");
        match answer["value"].as_str() {
            Some(value) => Ok(value.to_owned()),
            None => Err(answer["error"].as_str().unwrap_or_default().to_owned()),
        }
    };
    text.lines().map(answer).collect()
}

#[test]
fn templates_come_out_as_ansibles() {
    let Some(bin) = std::env::var_os("PLAYBOOK_TEST_ORACLE").map(PathBuf::from) else {
        return skip(
            "comparison with ansible-core's templar",
            "no oracle: run the tests with `cargo xtask test`",
        );
    };
    let templates = templates();
    assert!(templates.len() >= 500);
    let (theirs, ours) = (theirs(&bin, &templates), ours(&templates));
    assert_eq!(theirs.len(), templates.len(), "an answer for each");
    let mut differences = Vec::new();
    for ((source, theirs), ours) in templates.iter().zip(&theirs).zip(&ours) {
        let same = match (theirs, ours) {
            (Ok(theirs), Ok(ours)) => theirs == ours,
            (theirs, ours) => theirs.is_err() == ours.is_err(),
        };
        if !same {
            differences.push(format!("{source}\n  theirs {theirs:?}\n  ours   {ours:?}"));
        }
    }
    let (all, wrong) = (templates.len(), differences.len());
    println!("{all} templates, {wrong} differ\n{}", differences.join("\n"));
    assert!(wrong * 100 <= all, "{wrong} of {all} differ:\n{}", differences.join("\n"));
}
