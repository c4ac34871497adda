//! Templates, variables and vaults as tasks meet them, beside what ansible-core 2.19 makes of the same playbooks.

use std::time::{Duration, Instant};

use crate::support::{Ended, Project};

/// `a{#b{% c`, sealed with the password `trapsecret`, and `{{ base }}-pw` likewise.
const VAULTS: [&str; 2] = [
    "$ANSIBLE_VAULT;1.1;AES256
61386661626137376262646265336165383239633463333738306337633532313337316165636435
6130313335633866653165373733653438326530383939310a373563623561366563623030626563
62376636373264616137626539303965653436396235333463396536333132383765646136343733
6239613863376262620a366434343962363861643861386534306638313739633164646330356437
3339",
    "$ANSIBLE_VAULT;1.1;AES256
36333531343237393362306439313936336235313365626137393239633939313031646634396230
6238336438663831633532336562303963646137616239650a306561643439363830323438396261
35396135656366373135623862373565623563323133396530666539396234613335343237623965
3465613566366430370a326231396431623830356132633034366565326631323966306237316532
6565",
];

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}

fn play(tasks: &str) -> String {
    format!(
        "- hosts: localhost\n  gather_facts: false\n  connection: local\n  tasks:\n{}",
        indented(tasks, 4)
    )
}

fn run(files: &[(&str, &str)]) -> Ended {
    Project::new(files).run(&["run", "site.yml", "-i", "localhost,"])
}

#[test]
fn a_vaulted_value_is_data_and_never_a_template() {
    let [hash, template] = VAULTS.map(|vault| indented(vault, 4));
    let vars = format!("base: plain\nhash: !vault |\n{hash}template: !vault |\n{template}");
    let tasks = "\
- debug: {msg: \"{{ hash | length }} {{ template | length }} {{ nested.p | length }}\"}
  vars: {nested: {p: '{{ template }}-x'}}
- command: printf %s {{ hash }}
  register: r
- debug: {msg: \"{{ r.stdout | length }}\"}
- debug: {msg: \"{{ hash is vault_encrypted }} {{ '$ANSIBLE_VAULT;1.1;AES256' is vault_encrypted }}\"}
";
    let files = [("site.yml", play(tasks)), ("group_vars/all.yml", vars), ("pw", "trapsecret\n".to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let project = Project::new(&files);
    let ended = project.run(&["run", "site.yml", "-i", "localhost,", "--vault-password-file", "pw"]).ok();
    ended.says(&["\"msg\": \"4 10 12\"", "\"msg\": 4", "\"msg\": \"True False\""]);
}

#[test]
fn template_vars_reach_the_templates_of_other_variables() {
    let tasks = "\
- debug: {msg: \"{{ lookup('template', './t.j2', template_vars=dict(who='given')) }}\"}
  vars: {who: play, t: '{{ who }} x'}
";
    run(&[("site.yml", &play(tasks)), ("t.j2", "{{ who }}: {{ t }}\n")]).ok().says(&["given: given x"]);
}

#[test]
fn first_found_searches_the_directory_of_its_actions_files() {
    let tasks = "\
- template: {src: \"{{ lookup('first_found', ['a.j2']) }}\", dest: '{{ playbook_dir }}/out'}
- debug: {msg: \"{{ query('first_found', ['f']) | map('basename') }} {{ query('first_found', ['a.j2'], skip=true) }}\"}
- include_vars: \"{{ lookup('first_found', ['v.yml']) }}\"
";
    run(&[("site.yml", &play(tasks)), ("templates/a.j2", "x"), ("files/f", ""), ("vars/v.yml", "v: 1")])
        .ok()
        .says(&["\"msg\": \"['f'] []\"", "changed=1"]);
}

#[test]
fn items_of_loops_have_lists_in_place_of_tuples() {
    let tasks = "\
- debug: {msg: '{{ item | type_debug }}'}
  with_indexed_items: [p]
- debug: {msg: x}
  with_subelements: [[{a: 1, k: [1]}], k]
- debug: {msg: \"{{ [[1, 2]] | items2dict(key_name=0, value_name=1) }} {{ ['ab'] | items2dict(key_name=0, \
value_name=1) }}\"}
";
    run(&[("site.yml", &play(tasks))]).ok().says(&[
        "(item=[0, 'p']) => {\n    \"msg\": \"list\"",
        "(item=[{'a': 1}, 1])",
        "{1: 2} {'a': 'b'}",
    ]);
}

#[test]
fn conditions_are_text() {
    for when in ["1", "1.5", "[[true]]", "{a: 1}", "[1, true]"] {
        let tasks = format!("- debug: {{msg: x}}\n  when: {when}\n");
        run(&[("site.yml", &play(&tasks))]).fails(2).says(&[
            "Conditional expressions must be strings.",
            "Broken conditionals can be temporarily allowed with the `ALLOW_BROKEN_CONDITIONALS` configuration option.",
        ]);
    }
}

#[test]
fn lookups_that_are_told_to_warn_do() {
    let tasks = "\
- debug: {msg: \"{{ lookup('file', '/missing', errors='warn') }}\"}
- debug: {msg: \"{{ lookup('pipe', 'exit 3', errors='warn') }}\"}
- debug: {msg: \"{{ lookup('template', 'no.j2', errors='warn') }}\"}
- assert: {that: \"lookup('file', '/other', errors='warn') is none\"}
- debug: {msg: \"{{ lookup('config', 'NOPE', on_missing='warn') }}\"}
- debug: {msg: \"{{ item }}\"}
  loop: \"{{ query('file', '/third', errors='warn') }}\"
";
    run(&[("site.yml", &play(tasks))]).ok().says(&[
        "[WARNING]: An error occurred while running the lookup plugin 'file': Unable to access the file \
        '/missing': File not found.",
        "[WARNING]: An error occurred while running the lookup plugin 'pipe': lookup_plugin.pipe(exit 3) returned 3",
        "[WARNING]: An error occurred while running the lookup plugin 'template': the template file no.j2 \
        could not be found for the lookup",
        "[WARNING]: An error occurred while running the lookup plugin 'file': Unable to access the file \
        '/other': File not found.",
        "[WARNING]: Skipping NOPE: No config definition exists for 'NOPE'.",
        "[WARNING]: An error occurred while running the lookup plugin 'file': Unable to access the file \
        '/third': File not found.",
    ]);
}

#[test]
fn deprecations_name_what_is_deprecated() {
    let book = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - debug:
        msg:
          - a: \"{{ play_hosts }}\"
    - debug: msg=x
      args: {verbosity: 0}
      when: \"{{ true }}\"
    - action: {module: debug, msg: !!omap [a: 1]}
    - debug:
        msg: \"{{ query('first_found', 'a;b', skip=true) }}\"
";
    let ended = run(&[("site.yml", book)]).ok();
    for (message, place) in [
        ("The `play_hosts` magic variable is deprecated.", "site.yml:6:16"),
        ("Merging legacy k=v args ('msg') into task args.", "site.yml:7:14"),
        ("Conditionals should not be surrounded by templating delimiters", "site.yml:9:13"),
        ("Using a mapping for `action` is deprecated.", "site.yml:10:15"),
        ("Use of the YAML `!!omap` tag is deprecated.", "site.yml:10:36"),
        ("removed from lookup plugin 'first_found' in ansible-core version 2.23", "site.yml:12:14"),
    ] {
        let said: Vec<&str> = ended.stderr.split("[DEPRECATION WARNING]: ").collect();
        let found = said.iter().find(|warning| warning.contains(message));
        let found = found.unwrap_or_else(|| panic!("{message}: {}", ended.stderr));
        assert!(found.contains(place), "{found}");
    }
}

#[test]
fn a_duplicate_key_is_told_at_every_door() {
    let book = "\
- hosts: localhost
  gather_facts: false
  connection: local
  vars_files: [v.yml]
  tasks:
    - include_tasks: t.yml
    - debug: {msg: \"{{ 'y: 1\\ny: 2' | from_yaml }}\"}
";
    let files = [
        ("site.yml", book),
        ("v.yml", "v: 1\nv: 2\n"),
        ("e.yml", "e: 1\ne: 2\n"),
        ("t.yml", "- debug:\n    msg: 1\n    msg: 2\n"),
        ("host_vars/localhost.yml", "h: 1\nh: 2\n"),
    ];
    let project = Project::new(&files);
    let arguments = ["run", "site.yml", "-i", "localhost,", "-e", "@e.yml"];
    let told =
        ["v", "e", "msg", "h", "y"].map(|key| format!("[WARNING]: Found duplicate mapping key '{key}'."));
    project.run(&arguments).ok().says(&told.each_ref().map(String::as_str));
    let with = |policy: &str| {
        let mut command = project.command(&arguments);
        Ended::of(command.env("ANSIBLE_DUPLICATE_YAML_DICT_KEY", policy))
    };
    let ended = with("ignore").ok();
    assert!(!ended.stderr.contains("duplicate"), "{}", ended.stderr);
    with("error").fails(4).says(&["Found duplicate mapping key 'e'."]);
}

#[test]
fn errors_in_texts_of_several_lines_name_the_line_in_the_file() {
    for (text, line, column) in [
        ("shell: |\n    echo one\n    echo {{ nope }}\n", 7, 17),
        ("shell: >-\n    echo one\n\n    two\n    {{ nope }}\n", 9, 12),
        ("shell: |2\n      echo {{ nope }}\n", 6, 19),
        ("debug:\n    msg: \"it's\n      \\\"{{ nope }}\\\"\"\n", 7, 16),
        ("debug: msg='x {{ nope }}'\n", 5, 24),
    ] {
        let place = format!("site.yml:{line}:{column}\n");
        let caret = format!("^ column {column}");
        run(&[("site.yml", &play(&format!("- {text}")))]).fails(2).says(&[&place, &caret]);
    }
    let tasks = "- ping:\n  when: >\n    1 == 1 and\n    nope == 2\n";
    run(&[("site.yml", &play(tasks))]).fails(2).says(&["site.yml:8:9\n"]);
}

#[test]
fn misspelled_names_come_with_what_was_meant() {
    for (template, near) in [
        ("{{ image_tga }}", "image_tag"),
        ("{{ mydict.alpah }}", "alpha"),
        ("{{ mydict['alpah'] }}", "alpha"),
        ("{{ outer.inner.naem }}", "name"),
        ("{% for element in [1] %}{{ elemnt }}{% endfor %}", "element"),
        ("{{ mydict.alpha | defualt(1) }}", "default"),
    ] {
        let tasks = format!(
            "- debug: {{msg: \"{template}\"}}\n  vars: {{image_tag: 1, mydict: {{alpha: 1}}, outer: {{inner: {{name: 1}}}}}}\n"
        );
        run(&[("site.yml", &play(&tasks))]).fails(2).says(&[&format!("\nDid you mean '{near}'?\n")]);
    }
}

#[test]
fn sources_without_end_are_errors() {
    for (lookup, why) in [
        ("lookup('pipe', 'yes')", "it printed more than 256 MiB"),
        ("lookup('lines', 'cat /dev/zero')", "it printed more than 256 MiB"),
        ("lookup('file', '/dev/zero')", "it is larger than 512 MiB"),
    ] {
        let tasks = format!("- debug: {{msg: \"{{{{ {lookup} }}}}\"}}\n");
        run(&[("site.yml", &play(&tasks))]).fails(2).says(&[why]);
    }
}

#[test]
fn variables_that_name_each_other_twice_are_rendered_once() {
    let vars: String = (1..=40).map(|i| format!("v{i}: '{{{{ v{0} }}}}{{{{ v{0} }}}}'\n", i - 1)).collect();
    let lists: String =
        (1..=40).map(|i| format!("l{i}: ['{{{{ l{0} }}}}', '{{{{ l{0} }}}}']\n", i - 1)).collect();
    let files = [
        ("site.yml", play("- debug: {msg: '<{{ v40 }}>'}\n- debug: {msg: '{{ l40 }}'}\n")),
        ("group_vars/all.yml", format!("v0: ''\nl0: 1\n{vars}{lists}")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let began = Instant::now();
    run(&files).fails(2).says(&["\"msg\": \"<>\"", "the template does too much work"]);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

/// As in ansible-core, the other items of the loop are included where a rescue catches the failure, and only there.
#[test]
fn an_item_that_cannot_be_included_fails_its_host() {
    let book = "\
- hosts: all
  gather_facts: false
  connection: local
  tasks:
    - block:
        - include_tasks: \"{{ file }}.yml\"
          loop: [some, \"{{ 'nope' if inventory_hostname == 'a' else 'some' }}\"]
          loop_control: {loop_var: file}
      rescue:
        - debug: {msg: rescued}
    - include_tasks: \"{{ file }}.yml\"
      loop: [some, \"{{ 'nope' if inventory_hostname == 'b' else 'some' }}\"]
      loop_control: {loop_var: file}
      ignore_errors: true
    - debug: {msg: end}
";
    let project = Project::new(&[("site.yml", book), ("some.yml", "- debug: {msg: \"{{ file }}\"}\n")]);
    let ended = project.run(&["run", "site.yml", "-i", "a,b,c"]);
    let recap: Vec<String> = ended
        .stdout
        .lines()
        .filter(|line| line.contains("ok="))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let counts = ["a : ok=8 changed=0 unreachable=0 failed=1", "b : ok=5 changed=0 unreachable=0 failed=1"];
    assert!(counts.iter().zip(&recap).all(|(count, line)| line.starts_with(count)), "{}", ended.stdout);
}
