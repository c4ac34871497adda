//! Compares lookups with their recorded results in ansible-core 2.19.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use playbook_api::{Context, Map, Place, python};

use crate::jinja::Template;
use crate::settings::Release;
use crate::template::environment::Options;
use crate::template::{Environment, Renderer};

const FILES: &[(&str, &str)] = &[
    ("files/a.txt", "hi\n"),
    ("files/b.txt", "a\n\nb\n"),
    ("files/c.csv", "a,b\n1,2\n"),
    ("files/x.ini", "[global]\na=1\nB = two words\n; c\nlong = x\n  y\n[s2]\na=%(b)s!\nb=2\n"),
    ("files/x.properties", "p.q=1\nr: 2\n"),
    ("templates/t.j2", "Hi [% 1+1 %] {{ x | default(\"d\") }}\n"),
    ("templates/native.j2", "{{ [1,2] }}"),
    ("templates/none.j2", "{# nothing #}"),
    (
        "templates/head.j2",
        "#jinja2: variable_start_string:'<<', variable_end_string:'>>'\nv <<1+1>> {{ y }}\n",
    ),
];

pub(super) fn renderer(directory: &Path) -> Renderer {
    let options = Options { base_dir: directory.to_owned(), release: Release::V2_19, ..Options::default() };
    let environment = Environment { context: Context::default(), keyring: Arc::default(), options };
    Renderer { environment: Arc::new(environment), scope: Arc::new(Map::default()) }
}

/// Each line of the table is an expression and, after a tab, Ansible's result: Python's `repr`, or the error after
/// `!`. BASE is the directory of the files.
#[test]
fn lookups_find_what_ansibles_find() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, content) in FILES {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, content).expect("a file");
    }
    let renderer = renderer(directory.path());
    let base = directory.path().to_string_lossy().into_owned();
    let mut wrong = Vec::new();
    for line in include_str!("oracle.tsv").lines().filter(|line| !line.is_empty()) {
        let (source, expected) = line.split_once('\t').expect("a tab");
        let template = Template::new(format!("{{{{ {source} }}}}"), Place::new("site.yml", 1, 1));
        let got = match renderer.render(&template).and_then(Renderer::finalize) {
            Ok(value) => python::repr(&value),
            Err(error) => format!("! {}", error.to_string().replace('\n', " ")),
        };
        if got.replace(&base, "BASE") != expected {
            wrong.push(format!("{line}\n    got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
