//! What bad input gets, word for word: what is wrong, where, the line itself and what to do; the exit status; no panic.
//!
//! Each case compares the whole output with a snapshot in `snapshots/`. After a deliberate change, run the tests with
//! `INSTA_UPDATE=always` and read the differences.

use insta::Settings;

use crate::support::{Ended, Project};

/// Files, by path.
type Files<'a> = &'a [(&'a str, &'a str)];

/// Compares what a command prints with a snapshot.
fn shows(name: &str, files: Files, arguments: &[&str]) {
    let project = Project::new(files);
    let ended = project.run(arguments);
    compare(name, &project, &ended);
}

/// Compares what `playbook run site.yml` prints on the local machine with a snapshot.
fn run(name: &str, files: Files) {
    shows(name, files, &["run", "site.yml", "-i", "localhost,", "-c", "local"]);
}

/// Compares what a playbook of these tasks prints with a snapshot.
fn run_tasks(name: &str, text: &str) {
    run(name, &[("site.yml", &tasks(text))]);
}

fn compare(name: &str, project: &Project, ended: &Ended) {
    let text =
        format!("exit status: {}\n--- stdout\n{}--- stderr\n{}", ended.code, ended.stdout, ended.stderr);
    assert!(!text.contains("panicked"), "{text}");
    let directory = project.path().display().to_string();
    let real = project.path().canonicalize().map(|path| path.display().to_string()).unwrap_or_default();
    let text = text.replace(&real, "[DIR]").replace(&directory, "[DIR]");
    let text =
        text.lines().map(|line| line.trim_end_matches('*').trim_end().to_owned() + "\n").collect::<String>();
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A playbook around these tasks, on localhost without facts; the tasks begin on line 4.
fn tasks(tasks: &str) -> String {
    let mut book = String::from("- hosts: localhost\n  gather_facts: false\n  tasks:\n");
    for line in tasks.lines() {
        book.push_str(&format!("    {line}\n"));
    }
    book
}

const FINE: &str = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - debug: {msg: hello}\n";

#[test]
fn playbooks() {
    run("playbook_tab", &[("site.yml", "- hosts: localhost\n\tgather_facts: false\n")]);
    let book = "- hosts: localhost\n  tasks:\n    - debug:\n        msg: a\n       var: b\n";
    run("playbook_indentation", &[("site.yml", book)]);
    run("playbook_not_a_list", &[("site.yml", "hosts: localhost\ntasks: []\n")]);
    run("playbook_empty", &[("site.yml", "")]);
    run("playbook_without_hosts", &[("site.yml", "- name: One\n  tasks: []\n")]);
    run(
        "playbook_unknown_keyword",
        &[("site.yml", "- hosts: localhost\n  gather_fact: false\n  tasks: []\n")],
    );
    run("playbook_tasks_not_a_list", &[("site.yml", "- hosts: localhost\n  tasks: {debug: {msg: a}}\n")]);
    run("playbook_missing_role", &[("site.yml", "- hosts: localhost\n  roles:\n    - nowhere\n")]);
    run("playbook_import_missing", &[("site.yml", "- import_playbook: nowhere.yml\n")]);
    let meta = |other: &str| format!("dependencies:\n  - {other}\n");
    run(
        "playbook_role_cycle",
        &[
            ("site.yml", "- hosts: localhost\n  gather_facts: false\n  roles:\n    - one\n"),
            ("roles/one/meta/main.yml", &meta("two")),
            ("roles/two/meta/main.yml", &meta("one")),
        ],
    );
    shows("playbook_missing", &[], &["run", "nowhere.yml"]);
    shows("playbook_misspelled", &[("playbooks/deploy-app.yml", FINE)], &["run", "deploy-ap.yml"]);
    shows("playbook_is_a_directory", &[("site.yml/a", "")], &["run", "site.yml"]);
}

#[test]
fn tasks_that_do_not_load() {
    run_tasks("task_unknown_keyword", "- name: One\n  debug: {msg: a}\n  wen: false\n");
    run_tasks("task_unknown_module", "- ecs_servce: {name: a}\n");
    run_tasks("task_two_actions", "- debug: {msg: a}\n  ping:\n");
    run_tasks("task_without_action", "- name: One\n");
    run_tasks("task_is_text", "- debug\n");
    run_tasks("task_bad_register", "- ping:\n  register: a-b\n");
    run_tasks("task_import_missing", "- import_tasks: nowhere.yml\n");
    run_tasks("task_removed_include", "- include: a.yml\n");
    run_tasks("task_empty_block", "- block: {debug: {msg: a}}\n");
}

#[test]
fn tasks_that_fail() {
    run_tasks("task_include_missing", "- include_tasks: nowhere.yml\n");
    run_tasks("task_unknown_handler", "- command: 'true'\n  notify: restart\n");
    run_tasks("task_loop_over_text", "- debug: {msg: a}\n  loop: abc\n");
    run_tasks("task_broken_condition", "- debug: {msg: a}\n  when: 1 +\n");
    run_tasks("task_fails", "- fail: {msg: This is meant}\n");
}

/// What the play keywords of a playbook get; its tasks begin after them.
fn run_play(name: &str, keyword: &str) {
    let book =
        format!("- hosts: localhost\n  {keyword}\n  tasks:\n    - debug: {{msg: this must not run}}\n");
    run(name, &[("site.yml", &book)]);
}

#[test]
fn keywords_of_plays() {
    run_play("play_bool", "gather_facts: ture");
    run_play("play_undefined", "gather_facts: \"{{ nope }}\"");
    run_play("play_int", "gather_timeout: [1]");
    run_play("play_percent", "max_fail_percentage: most");
    run_play("play_force_handlers", "force_handlers: 2");
    run_play("play_subset", "gather_subset: [min, 1]");
    run_play("play_serial", "serial: some");
    run_play("play_order", "order: backwards");
    run_play("play_strategy", "strategy: liner");
    run_play("play_strategy_list", "strategy: [free]");
    run_play("play_user", "user: {name: me}");
    run_play("play_tags", "tags:");
    run_play("play_collections", "collections: [1]");
    run_play("play_vars_files", "vars_files: [[1]]");
    run_play("play_roles", "roles: [1]");
}

#[test]
fn keywords_of_tasks() {
    run_tasks("keyword_bool", "- command: echo hi\n  become: ture\n");
    run_tasks("keyword_int", "- command: echo hi\n  timeout: soon\n");
    run_tasks("keyword_debugger", "- command: echo hi\n  debugger: sometimes\n");
    run_tasks("keyword_no_log", "- command: echo hi\n  no_log: \"{{ nope }}\"\n");
    run_tasks("keyword_throttle", "- command: echo hi\n  throttle: few\n");
    run_tasks("keyword_run_once", "- command: echo hi\n  run_once: \"{{ nope }}\"\n");
    run_tasks("keyword_loop_label", "- ping:\n  loop: [1]\n  loop_control:\n    label: [a]\n");
    run_tasks("keyword_meta_when", "- meta: end_play\n  when: nope\n");
    run(
        "keyword_listen",
        &[("site.yml", "- hosts: localhost\n  handlers:\n    - ping:\n      listen: [1]\n")],
    );
}

#[test]
fn module_arguments() {
    run_tasks("arguments_unknown", "- ecs_cluster:\n    nam: prod\n    state: present\n");
    run_tasks("arguments_missing", "- ecs_service:\n    cluster: prod\n");
    run_tasks("arguments_choice", "- file: {path: /x, state: gone}\n");
    run_tasks("arguments_type", "- file: {path: /x, state: directory, recurse: maybe}\n");
    run_tasks("arguments_exclusive", "- copy: {src: site.yml, content: a, dest: /tmp/never}\n");
    run_tasks("arguments_missing_source", "- copy:\n    src: nowhere.conf\n    dest: /tmp/never\n");
    run_tasks("arguments_missing_template", "- template: {src: nowhere.j2, dest: /tmp/never}\n");
    run_tasks("arguments_mode", "- file: {path: site.yml, mode: u=q}\n");
    run_tasks("arguments_none", "- command:\n");
    run_tasks("arguments_of_a_probe", "- wait_until: {http: {urll: 'http://127.0.0.1:1'}}\n");
    run_tasks("arguments_misspelled_and_required", "- lineinfile: {pth: site.yml, line: a}\n");
    assert!(!std::path::Path::new("/tmp/never").exists());
}

#[test]
fn templates() {
    run_tasks("template_syntax", "- debug:\n    msg: \"{{ 1 + }}\"\n");
    run_tasks("template_undefined", "- debug:\n    msg: \"{{ no_such_thing }}\"\n");
    run_tasks("template_undefined_member", "- debug:\n    msg: \"{{ a.c }}\"\n  vars: {a: {b: 1}}\n");
    let cycle = "- debug:\n    msg: \"{{ a }}\"\n  vars:\n    a: \"{{ b }}\"\n    b: \"{{ a }}\"\n";
    run_tasks("template_cycle", cycle);
    run_tasks("template_unknown_filter", "- debug:\n    msg: \"{{ 1 | defualt(2) }}\"\n");
    run_tasks("template_unknown_lookup", "- debug:\n    msg: \"{{ lookup('fiel', 'a') }}\"\n");
    run_tasks("template_division", "- debug:\n    msg: \"{{ 1 / 0 }}\"\n");
    run_tasks("template_types", "- debug:\n    msg: \"{{ 'a' + 1 }}\"\n");
    run_tasks("template_missing_file", "- debug:\n    msg: \"{{ lookup('file', 'nowhere') }}\"\n");
    let text = tasks("- template: {src: a.j2, dest: /tmp/never}\n");
    run("template_file_syntax", &[("site.yml", &text), ("a.j2", "one\n{% for x in %}\n")]);
    run("template_file_undefined", &[("site.yml", &text), ("a.j2", "one\ntwo {{ nothing }}\n")]);
}

#[test]
fn variables() {
    let with = |files: &str| {
        format!("- hosts: localhost\n  gather_facts: false\n  vars_files: {files}\n  tasks: []\n")
    };
    run("vars_file_missing", &[("site.yml", &with("[nowhere.yml]"))]);
    run("vars_file_is_a_list", &[("site.yml", &with("[vars.yml]")), ("vars.yml", "- a\n- b\n")]);
    run("vars_file_syntax", &[("site.yml", &with("[vars.yml]")), ("vars.yml", "a: [1\nb: 2\n")]);
    run("vars_bad_name", &[("site.yml", "- hosts: localhost\n  vars: {a-b: 1}\n  tasks: []\n")]);
    let files: Files = &[("site.yml", FINE)];
    shows("extra_vars_broken", files, &["run", "site.yml", "-e", "{broken"]);
    shows("extra_vars_json", files, &["run", "site.yml", "-e", "{\"a\": 1, \"b\" 2}"]);
    let json: Files = &[("site.yml", FINE), ("vars.json", "{\"a\": 1,\n  \"b\": [1, }\n")];
    shows("extra_vars_json_file", json, &["run", "site.yml", "-e", "@vars.json"]);
    shows("extra_vars_missing_file", files, &["run", "site.yml", "-e", "@nowhere.yml"]);
    run_tasks("set_fact_nothing", "- set_fact:\n");
    run_tasks("include_vars_missing", "- include_vars: nowhere.yml\n");
}

#[test]
fn inventories() {
    let files: Files = &[
        ("site.yml", FINE),
        ("production.yml", "all: {hosts: {web: {}}}\n"),
        ("broken.yml", "all:\n  hosts: [a, b\n"),
        ("broken.ini", "[web\none\n"),
        ("range.ini", "[web]\nweb[1:a]\n"),
        ("unknown.yml", "plugin: terraform_output\n"),
        ("hosts.ini", "[db]\none\n"),
        ("web.yml", "- hosts: web\n  tasks:\n    - debug: {msg: hello}\n"),
    ];
    shows("inventory_missing", files, &["run", "site.yml", "-i", "nowhere.ini"]);
    shows("inventory_misspelled", files, &["run", "site.yml", "-i", "prodution.yml"]);
    shows("inventory_yaml", files, &["run", "site.yml", "-i", "broken.yml"]);
    shows("inventory_ini", files, &["run", "site.yml", "-i", "broken.ini"]);
    shows("inventory_range", files, &["run", "site.yml", "-i", "range.ini"]);
    shows("inventory_unknown_plugin", files, &["run", "site.yml", "-i", "unknown.yml"]);
    shows("inventory_no_host_matches", files, &["run", "web.yml", "-i", "hosts.ini"]);
    shows("inventory_limit", files, &["run", "web.yml", "-i", "hosts.ini", "-l", "cache"]);
    shows("inventory_no_action", files, &["inventory", "-i", "hosts.ini"]);
    shows("inventory_unknown_host", files, &["inventory", "-i", "hosts.ini", "--host", "two"]);
    shows("inventory_unknown_group", files, &["inventory", "-i", "hosts.ini", "--graph", "web"]);
}

#[test]
fn terraform() {
    let state = |name: &str, text: &str| {
        let files = [("site.yml", FINE), ("terraform.tfstate", text)];
        shows(name, &files, &["run", "site.yml", "-i", "terraform:terraform.tfstate"]);
    };
    state("terraform_truncated", "{\"version\": 4, \"outputs\": ");
    state("terraform_list", "[]");
    state("terraform_newer", "{\"version\": 5, \"terraform_version\": \"9.0.0\", \"outputs\": {}}");
    shows(
        "terraform_missing",
        &[("site.yml", FINE)],
        &["run", "site.yml", "-i", "terraform:nowhere.tfstate"],
    );
    shows("terraform_import_missing", &[], &["inventory", "import-terraform", "nowhere.tfstate"]);
}

/// `token: s3cret` encrypted with the password `right`.
fn vaulted() -> String {
    let project = Project::new(&[("password", "right\n"), ("secret.yml", "token: s3cret\n")]);
    let options = ["vault", "encrypt", "secret.yml", "--vault-password-file", "password"];
    project.run(&options).ok();
    std::fs::read_to_string(project.path().join("secret.yml")).expect("the vault")
}

#[test]
fn vaults() {
    let vault = vaulted();
    let book = "- hosts: localhost\n  gather_facts: false\n  vars_files: [secret.yml]\n  tasks:\n    - debug: {var: token}\n";
    let files: Files = &[
        ("site.yml", book),
        ("secret.yml", &vault),
        ("wrong", "wrong\n"),
        ("right", "right\n"),
        ("empty", ""),
        ("plain.yml", "a: 1\n"),
        ("broken.yml", "$ANSIBLE_VAULT;1.1;AES256\n3132\n"),
    ];
    shows("vault_wrong_password", files, &["run", "site.yml", "--vault-password-file", "wrong"]);
    shows("vault_no_password", files, &["run", "site.yml"]);
    shows("vault_missing_password_file", files, &["run", "site.yml", "--vault-password-file", "nowhere"]);
    shows("vault_empty_password_file", files, &["run", "site.yml", "--vault-password-file", "empty"]);
    shows("vault_plain_file", files, &["vault", "view", "plain.yml", "--vault-password-file", "right"]);
    shows("vault_broken_file", files, &["vault", "view", "broken.yml", "--vault-password-file", "right"]);
    shows("vault_missing_file", files, &["vault", "view", "nowhere.yml", "--vault-password-file", "right"]);
    shows("vault_string_without_password", files, &["vault", "encrypt_string", "s3cret"]);
    Project::new(files).run(&["run", "site.yml", "--vault-password-file", "right"]).ok();
}

#[test]
fn command_lines() {
    let files: Files = &[("site.yml", FINE), ("ansible.txt", "")];
    shows("cli_unknown_option", files, &["run", "--no-such-option", "site.yml"]);
    shows("cli_no_playbook", files, &["run"]);
    shows("cli_unknown_command", files, &["runn", "site.yml"]);
    shows("cli_forks", files, &["run", "site.yml", "-f", "0"]);
    shows("cli_adhoc_without_arguments", files, &["adhoc", "localhost", "-m", "command"]);
    shows("cli_config_missing", files, &["config", "dump", "-c", "nowhere.cfg"]);
    shows("cli_config_extension", files, &["config", "dump", "-c", "ansible.txt"]);
    shows("cli_doc_unknown_module", files, &["doc", "copi"]);
    shows("cli_doc_unknown_filter", files, &["doc", "-t", "filter", "combin"]);
    shows("cli_doc_unknown_role", files, &["doc", "-t", "role", "nowhere"]);
    let configured: Files = &[("site.yml", FINE), ("ansible.cfg", "# Mine\n[defaults]\nforks = many\n")];
    shows("cli_forks_in_the_settings", configured, &["run", "site.yml"]);
    shows("cli_doc_unknown_type", files, &["doc", "-t", "lokup", "file"]);
    shows("cli_config_misspelled", files, &["config", "lst"]);
    shows("cli_config_unknown", files, &["config", "nosuch"]);
    shows("cli_adhoc_localhost", files, &["adhoc", "localhost", "-m", "debug", "-a", "msg=hello"]);
    shows("cli_adhoc_all", files, &["adhoc", "all", "-m", "debug", "-a", "msg=hello"]);
}

#[test]
fn callbacks() {
    let project = Project::new(&[("site.yml", FINE)]);
    for (name, variable, value) in [
        ("callback_unknown", "ANSIBLE_STDOUT_CALLBACK", "nosuch"),
        ("callback_misspelled", "ANSIBLE_STDOUT_CALLBACK", "ansible.builtin.defualt"),
        ("callback_beside_the_report", "ANSIBLE_STDOUT_CALLBACK", "timer"),
        ("callback_unknown_enabled", "ANSIBLE_CALLBACKS_ENABLED", "nosuch"),
        ("log_not_writable", "ANSIBLE_LOG_PATH", "/nowhere/at/all.log"),
    ] {
        let mut command = project.command(&["run", "site.yml", "-i", "localhost,"]);
        compare(name, &project, &Ended::of(command.env(variable, value)));
    }
}

#[test]
fn galaxy() {
    let files: Files =
        &[("broken.yml", "roles: [1\n"), ("number.yml", "- 1\n"), ("roles/web/meta/main.yml", "{}\n")];
    shows("galaxy_nothing_to_install", files, &["galaxy", "install"]);
    shows("galaxy_requirements_missing", files, &["galaxy", "install", "-r", "nowhere.yml"]);
    shows("galaxy_requirements_syntax", files, &["galaxy", "install", "-r", "broken.yml"]);
    shows("galaxy_requirements_number", files, &["galaxy", "install", "-r", "number.yml"]);
    shows("galaxy_bad_collection", files, &["galaxy", "collection", "install", "nodots"]);
    shows("galaxy_no_collection", files, &["galaxy", "collection", "install"]);
    shows("galaxy_build_without_galaxy_yml", files, &["galaxy", "collection", "build", "roles"]);
    shows("galaxy_remove_path", files, &["galaxy", "remove", "../web"]);
    shows("galaxy_list_missing", files, &["galaxy", "role", "list", "-p", "nowhere"]);
    shows("galaxy_list_bad_name", files, &["galaxy", "collection", "list", "nodots"]);
}

#[test]
fn wait_until() {
    run_tasks("wait_unknown", "- wait_until: {ecs_servce: {cluster: a, service: b}}\n");
    run_tasks("wait_unknown_option", "- wait_until: {tcp: {prot: 80}}\n");
    run_tasks("wait_nothing", "- wait_until: {timeout: 1}\n");
    run_tasks("wait_backoff", "- wait_until: {tcp: {host: localhost, port: 1}, backoff: 0.5}\n");
}

#[test]
fn aws() {
    run_tasks("aws_no_region", "- ecs_cluster: {name: a, state: present}\n");
    run_tasks(
        "aws_unknown_profile",
        "- ecs_cluster: {name: a, state: present, region: eu-west-1, profile: nope}\n",
    );
    run_tasks("aws_launch_type", "- ecs_service: {name: a, launch_type: MOON, region: eu-west-1}\n");
    run_tasks("aws_secret_without_name", "- debug: {msg: \"{{ lookup('aws_secret') }}\"}\n");
}

#[test]
fn postgres() {
    run_tasks("postgres_no_query", "- postgresql_query: {login_host: 127.0.0.1}\n");
    run_tasks("postgres_bad_url", "- db_migrate: {url: 'mysql://x/y', path: .}\n");
    run_tasks(
        "postgres_no_directory",
        "- db_migrate: {url: 'postgresql://a:b@127.0.0.1:1/c', path: nowhere}\n",
    );
    run_tasks(
        "postgres_no_server",
        "- postgresql_ping: {login_host: 127.0.0.1, login_port: 1, login_user: a, login_password: b}\n",
    );
}

/// The server that `module_defaults` names is not there, and the task says that it asked that one.
#[test]
fn defaults_of_a_short_name() {
    let book = "- hosts: localhost\n  gather_facts: false\n  module_defaults:\n    postgresql_ping: \
                {login_host: 127.0.0.1, login_port: 1, login_user: a, login_password: b}\n  tasks:\n";
    for name in ["postgresql_ping", "community.postgresql.postgresql_ping"] {
        let text = format!("{book}    - {name}:\n");
        let ended = Project::new(&[("site.yml", &text)]).run(&["run", "site.yml", "-i", "localhost,"]);
        ended.ok().says(&["127.0.0.1:1 as 'a'"]);
    }
}

#[test]
fn errors_as_json() {
    let project = Project::new(&[("site.yml", &tasks("- ecs_servce: {name: a}\n"))]);
    for (name, book) in [("json_load_error", "site.yml"), ("json_missing_playbook", "nowhere.yml")] {
        let mut ended = project.run(&["run", book, "-i", "localhost,", "--output", "json"]);
        for line in ended.stdout.clone().lines() {
            let event: serde_json::Value = serde_json::from_str(line).expect("one JSON event per line");
            let time = event["time"].as_str().expect("a time").to_owned();
            ended.stdout = ended.stdout.replace(&time, "[TIME]");
        }
        compare(name, &project, &ended);
    }
}

#[test]
fn a_duplicate_key_warns_and_the_last_one_counts() {
    run_tasks("duplicate_key", "- debug:\n    msg: first\n    msg: second\n");
}

#[test]
fn a_template_that_is_not_rendered_does_no_harm() {
    let text = tasks("- debug:\n    msg: \"{{ 1 + }}\"\n  when: false\n");
    Project::new(&[("site.yml", &text)]).run(&["run", "site.yml", "-i", "localhost,"]).ok();
}

#[test]
fn a_rescue_catches_what_shows_when_the_task_runs() {
    let text = tasks(
        "- block:\n    - debug: {msg: \"{{ no_such_thing }}\"}\n  rescue:\n    - debug: {msg: rescued}\n",
    );
    let ended = Project::new(&[("site.yml", &text)]).run(&["run", "site.yml", "-i", "localhost,"]);
    ended.ok().says(&["rescued=1"]);
}

#[test]
fn nothing_runs_before_a_fault_that_shows_at_load() {
    let text = tasks("- debug: {msg: this must not run}\n- name: One\n  debug: {msg: a}\n  wen: false\n");
    let ended = Project::new(&[("site.yml", &text)]).run(&["run", "site.yml", "-i", "localhost,"]);
    ended.fails(4).hides(&["this must not run\""]);
}
