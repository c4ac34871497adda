//! Filters and tests against what ansible-core 2.19 makes of them.

use std::sync::Arc;

use playbook_api::{Context, Place, map, python};

use crate::jinja::Template;
use crate::template::{Environment, Renderer, environment::Options};

fn renderer() -> Renderer {
    let environment =
        Environment { context: Context::default(), keyring: Arc::default(), options: Options::default() };
    Renderer { environment: Arc::new(environment), scope: Arc::new(map! { "nl" => "\n", "tab" => "\t" }) }
}

/// Each line of the table is an expression and, after a tab, what Ansible makes of it: Python's `repr`, or after
/// `!` the error.
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
