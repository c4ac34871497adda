//! Documents, inventories, host patterns, vaults and Terraform states.

use std::path::Path;
use std::sync::Arc;

use playbook::document::{self, Trust};
use playbook::inventory::{Inventory, Vars};
use playbook::settings::Settings;
use playbook::vault::Keyring;
use playbook_api::Context;

use crate::watch::run;

const YAML: &[&str] = &[
    "- hosts: all\n  vars: {a: 1, b: [x, 'y']}\n  tasks:\n    - name: \"a {{ b }}\"\n      debug: msg=hello\n      when: x is defined\n",
    "a: &x {b: 1}\nc: *x\nd:\n  <<: [*x, {e: 2}]\nf: !!str 1\ng: !unsafe '{{ x }}'\n",
    "a: |\n  text\n  more\nb: >-\n  folded\n  text\nc: ? x\n: y\n",
    "key: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
    "{\"a\": [1, 2.5, null, true], \"b\": {\"__ansible_unsafe\": \"x\"}}",
    "n: 0o17\nm: 0x1f\nd: 2001-01-01\nt: 12:30:45\nf: .inf\nb: yes\n1: one\n? [a, b]\n: c\n",
    "%YAML 1.1\n---\n- a\n...\n---\n- b\n",
];

const YAML_WORDS: &[&str] = &[
    ":",
    "- ",
    "\n",
    "  ",
    "\t",
    "&a ",
    "*a",
    "<<: ",
    "!vault ",
    "!unsafe ",
    "!!binary ",
    "!!set ",
    "|",
    ">+2",
    "{",
    "}",
    "[",
    "]",
    "'",
    "\"",
    "#",
    "%",
    "@",
    "`",
    "? ",
    "{{ x }}",
    "{% if %}",
    "---\n",
    "...\n",
    "\u{feff}",
    "\r\n",
    "\0",
    "\\u0041",
    "99999999999999999999",
    "1e999",
    "0x",
    "-.inf",
    "~",
    "é",
    "😀",
    "[[[[[[[[[[[[[[[[",
    "{a: {a: {a: {a: ",
];

#[test]
fn documents() {
    let found = [&"[".repeat(100_000), &"- ".repeat(50_000), &"{a: ".repeat(20_000), &billion_laughs()];
    run(
        "documents",
        &found.map(String::as_str),
        |random| {
            let text = random.pick(YAML);
            random.mutate(text, YAML_WORDS)
        },
        |text| {
            for trust in [Trust::Templates, Trust::Text] {
                if let Ok(loaded) = document::parse(text, "fuzz.yml", trust) {
                    let _ = document::to_yaml(&loaded.node);
                    let _ = loaded.node.is_plain();
                }
                let _ = document::parse_all(text, "fuzz.yml", trust);
            }
            let _ = document::parse_json(text, "fuzz.json", Trust::Text);
            let _ = document::parse_kv(text, &playbook_api::Place::new("f", 1, 1), Trust::Templates, true);
            let _ = document::split_args(text);
            let _ = document::plain_scalar(text);
        },
    );
}

/// Each line holds the one above ten times.
fn billion_laughs() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let above = format!("*a{}", i - 1);
        text += &format!("a{i}: &a{i} [{}]\n", [above.as_str(); 10].join(", "));
    }
    text
}

fn load(text: &str, name: &str, directory: &Path) -> Option<Inventory> {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("an inventory file");
    let source = path.to_string_lossy().into_owned();
    let (keyring, context) = (Arc::new(Keyring::default()), Context::default());
    let loaded = Inventory::load(&[source], &Settings::default(), &keyring, &context, &Vars::default());
    loaded.ok().map(|(inventory, _)| inventory)
}

const INVENTORY_WORDS: &[&str] = &[
    "[",
    "]",
    ":",
    "=",
    "\n",
    "[web]\n",
    "[web:vars]\n",
    "[web:children]\n",
    "[0:9]",
    "[a:z]",
    "[00:99:3]",
    "[9:0]",
    "[0:99999999999]",
    "[:]",
    "[1:2:0]",
    "#",
    ";",
    "'",
    "\"",
    "{{ x }}",
    " ansible_port=",
    "::1",
    "[::1]:22",
    ",",
    "\\",
    "0x7f",
    "{'a': 1}",
    "[1, 2",
    "None",
    "\t",
    "é",
];

#[test]
fn ini_inventories() {
    const TEXTS: &[&str] = &[
        "web1 ansible_host=10.0.0.1 a='x y' b=[1,2]\n[web]\nweb[1:3].example.org:2222\n[web:vars]\nx=1\n\
        [all:children]\nweb\n",
        "localhost ansible_connection=local # here\n\n[db]\ndb-[a:c] weight={'a': {1: 2}}\n[prod:children]\ndb\n",
    ];
    let found = [
        "h[0:9999999999]\n",
        "h[a:zzzzzz]\n",
        "h[0:999][0:999][0:999]\n",
        "[a:children]\na\n",
        "h[0:9:0]\n",
        "h[0:18446744073709551616]\n",
        "h x=((((((((((((((((((((((((((((((((((((((((((((((((((((((\n",
    ];
    let deep = [
        format!("h x={}\n", "[".repeat(100_000)),
        format!("h{}\n", "[0:0]".repeat(20_000)),
        format!("h[{0}0:{0}9]\n", "0".repeat(70_000)),
    ];
    let found: Vec<&str> = found.into_iter().chain(deep.iter().map(String::as_str)).collect();
    let directory = tempfile::tempdir().expect("a directory");
    run(
        "INI inventories",
        &found,
        |random| {
            let text = random.pick(TEXTS);
            random.mutate(text, INVENTORY_WORDS)
        },
        |text| {
            load(text, "hosts.ini", directory.path());
        },
    );
}

#[test]
fn toml_and_json_inventories() {
    const TEXTS: &[&str] = &[
        "[web]\nhosts = {a = {x = 1}, b = {}}\n[web.vars]\ny = [1, 2]\n[all.children.db.hosts]\n\"db[1:3]\" = {}\n",
        "{\"all\": {\"hosts\": {\"a\": {\"x\": 1}}, \"children\": {\"web\": {\"hosts\": {\"b[0:2]\": null}}}}}",
        "all:\n  hosts:\n    a[1:3]: {x: 1}\n  children:\n    web: {hosts: {b: }, vars: {z: '{{ x }}'}}\n",
        "plugin: constructed\nkeyed_groups:\n  - {key: x, prefix: p}\ngroups: {g: x == 1}\ncompose: {y: x | int}\n",
        "plugin: generator\nhosts: {name: '{{ a }}-{{ b }}', parents: [{name: '{{ a }}'}]}\n\
        layers: {a: [x, y], b: [1, 2]}\n",
    ];
    let generator = |n: usize| {
        let layers: Vec<String> = (0..n).map(|i| format!("l{i}: [0,1,2,3,4,5,6,7,8,9]")).collect();
        format!("plugin: generator\nhosts: {{name: x}}\nlayers: {{{}}}\n", layers.join(", "))
    };
    let found = [
        generator(12),
        "{\"a\": {\"children\": {\"a\": {}}}}".into(),
        "a = ".to_owned() + &"[".repeat(50_000),
    ];
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    let directory = tempfile::tempdir().expect("a directory");
    run(
        "TOML and JSON inventories",
        &found,
        |random| {
            let text = random.pick(TEXTS);
            random.mutate(text, INVENTORY_WORDS)
        },
        |text| {
            let name = match text {
                text if text.starts_with("plugin") => "generator.yml",
                text if text.starts_with('[') || text.contains(" = ") => "hosts.toml",
                text if text.starts_with('{') => "hosts.json",
                _ => "hosts.yml",
            };
            load(text, name, directory.path());
        },
    );
}

#[test]
fn host_patterns() {
    const TEXTS: &[&str] =
        &["web:&prod:!web1", "~web[0-9]+\\.example", "www[0:2]", "*.org,[::1]:22", "web[-1]", "all"];
    const WORDS: &[&str] = &[
        "!",
        "&",
        ":",
        ",",
        "~",
        "[",
        "]",
        "*",
        "?",
        "(",
        ")",
        "(a+)+$",
        "[0:99999999999999999999]",
        "[-9:]",
        "[^a]",
        "(?P<a>",
        "\\",
        "{1000}",
        " ",
        "é",
        "::1",
        "a|",
        "@/nowhere",
    ];
    let directory = tempfile::tempdir().expect("a directory");
    let inventory = load(
        "web[1:20].example.org\n[prod]\nweb1.example.org\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
        "h",
        directory.path(),
    );
    let inventory = inventory.expect("an inventory");
    let found =
        ["~(a+)+$", "~(a|a)*b", "~((a*)*)*b", "web[0:99999999999999999999]", "all[-99999999999999999999]"];
    run(
        "host patterns",
        &found,
        |random| {
            let text = random.pick(TEXTS);
            random.mutate(text, WORDS)
        },
        |text| {
            let _ = inventory.select(text, &Settings::default());
        },
    );
}

#[test]
fn vaults() {
    const WORDS: &[&str] =
        &["$ANSIBLE_VAULT;", "1.1", "1.2", ";AES256", ";id", "\n", "61", "6g", "0a", "3631", " ", "é", "\r"];
    let keyring = Keyring::with_password("id", "secret");
    let sealed = keyring.encrypt(b"hello", Some("id")).expect("a vault");
    run(
        "vaults",
        &["$ANSIBLE_VAULT", "$ANSIBLE_VAULT;1.1;AES256", "$ANSIBLE_VAULT;1.1;AES256\n"],
        |random| random.mutate(&sealed, WORDS),
        |text| {
            let _ = playbook::vault::envelope::Envelope::parse(text);
            if text.len() < 300 {
                let _ = Keyring::default().open(text);
            }
        },
    );
}

#[test]
fn terraform_states() {
    const TEXT: &str = r#"{"version": 4, "terraform_version": "1.5", "outputs": {"a": {"value": [1], "type": ["list", "number"]},
        "b-c": {"value": "x", "type": "string", "sensitive": true}}, "resources": [{"mode": "managed", "type": "aws_instance",
        "name": "web", "instances": [{"index_key": 0, "attributes": {"id": "i-1", "private_ip": "10.0.0.1", "tags": {"Name": "w"}}}]}]}"#;
    const WORDS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "null",
        "1e400",
        "-0",
        "\"version\": 5,",
        "\"outputs\": [],",
        "\"value\"",
        ",",
        ":",
        "\"",
        "true",
        "\\ud800",
        "99999999999999999999",
    ];
    let directory = tempfile::tempdir().expect("a directory");
    run(
        "Terraform states",
        &[],
        |random| random.mutate(TEXT, WORDS),
        |text| {
            let state = directory.path().join("terraform.tfstate");
            std::fs::write(&state, text).expect("a state");
            let config = format!(
                "plugin: terraform_outputs\nstate: {}\ninstances:\n  aws_instance: {{group: web, host: id}}\n",
                state.display()
            );
            load(&config, "hosts.yml", directory.path());
        },
    );
}
