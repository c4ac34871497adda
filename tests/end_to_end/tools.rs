//! The tools around Ansible, from PyPI, with this program under the names of Ansible's programs first on PATH and
//! ansible-core beside it: ansible-lint, molecule, ansible-runner and ARA.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use xtask::tested::{ANSIBLE_PROGRAMS, AS_THE_ORACLE, skip};

use crate::support::{Ended, Project};

/// A Python environment with a tool and ansible-core.
struct Tool {
    bin: PathBuf,
}

impl Tool {
    /// Returns the environment that `cargo xtask test` has made, or nothing after the test is reported as skipped.
    fn new(variable: &str, test: &str) -> Option<Tool> {
        let found = std::env::var_os(variable).map(|bin| Tool { bin: bin.into() });
        if found.is_none() {
            skip(test, "no environment with the tool: run the tests with `cargo xtask test`");
        }
        found
    }

    /// Returns a command of the environment, in a project. With `own`, Ansible's names are this program.
    fn command(&self, project: &Project, program: &str, arguments: &[&str], own: bool) -> Command {
        let base = project.command(&[]);
        let mut tool = Command::new(self.bin.join(program));
        tool.current_dir(project.path()).args(arguments);
        for (name, value) in base.get_envs() {
            match value {
                Some(value) => tool.env(name, value),
                None => tool.env_remove(name),
            };
        }
        let names = project.path().join(".names");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let rest = std::iter::once(self.bin.clone()).chain(std::env::split_paths(&path));
        let all: Vec<PathBuf> = own.then_some(names).into_iter().chain(rest).collect();
        tool.envs([AS_THE_ORACLE]).env("PATH", std::env::join_paths(all).expect("a PATH"));
        tool
    }

    fn run(&self, project: &Project, program: &str, arguments: &[&str], own: bool) -> Ended {
        Ended::of(&mut self.command(project, program, arguments, own))
    }
}

/// A project in which Ansible's names are this program.
fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::new(files);
    let names = project.path().join(".names");
    std::fs::create_dir_all(&names).expect("a directory");
    for name in ANSIBLE_PROGRAMS {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_playbook"), names.join(name)).expect("a link");
    }
    project
}

/// Removes escape sequences.
fn without_colors(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// Three roles that ansible-lint has something to say about.
const ROLES: &[(&str, &str)] = &[
    ("site.yml", "---\n- name: Site\n  hosts: all\n  roles:\n    - web\n    - db\n    - users\n"),
    (
        "roles/web/tasks/main.yml",
        "---\n- shell: systemctl restart nginx\n- name: lower case\n  ansible.builtin.template:\n    src: a.j2\n    dest: /etc/a\n    mode: 0644\n",
    ),
    ("roles/web/templates/a.j2", "{{ web_port }}\n"),
    (
        "roles/web/handlers/main.yml",
        "---\n- name: Restart nginx\n  ansible.builtin.service:\n    name: nginx\n    state: restarted\n",
    ),
    (
        "roles/db/tasks/main.yml",
        "---\n- name: Install\n  ansible.builtin.apt:\n    name: postgresql\n    state: latest\n- name: Ask\n  ansible.builtin.command: psql -c 'select 1'\n",
    ),
    (
        "roles/users/tasks/main.yml",
        "---\n- name: Users\n  ansible.builtin.user:\n    name: \"{{item}}\"\n  with_items: [a, b]\n  ignore_errors: true\n",
    ),
];

fn lint(project: &Project, tool: &Tool, own: bool) -> String {
    let arguments = ["--offline", "--nocolor", "-q", "-f", "pep8"];
    let mut command = tool.command(project, "ansible-lint", &arguments, own);
    Ended::of(command.env("ANSIBLE_LIBRARY", project.path().join("stubs"))).stdout
}

#[test]
fn ansible_lint_finds_the_same_as_beside_ansible_core() {
    let Some(tool) = Tool::new("PLAYBOOK_TEST_LINT", "ansible-lint") else { return };
    let roles = project(ROLES);
    let found = lint(&roles, &tool, true);
    assert_eq!(found, lint(&roles, &tool, false));
    for rule in ["no-changed-when", "yaml[octal-values]", "package-latest", "ignore-errors", "jinja[spacing]"]
    {
        assert!(found.contains(rule), "{rule} is not in\n{found}");
    }

    let deployment = project(&[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["ansible.cfg", "app", "group_vars", "inventory", "playbooks", "roles"] {
        deployment.copy(&root.join(part), part);
    }
    // ansible-core has none of these modules.
    for name in ["db_migrate", "ecs_service", "ecs_taskdefinition", "rds_instance", "wait_until"] {
        deployment.write(&format!("stubs/{name}.py"), "DOCUMENTATION = ''\n");
    }
    assert_eq!(lint(&deployment, &tool, true), lint(&deployment, &tool, false));
}

#[test]
fn the_version_is_that_of_the_installed_ansible_core() {
    let Some(tool) = Tool::new("PLAYBOOK_TEST_LINT", "the version") else { return };
    let project = project(&[("ansible.cfg", "[defaults]\nlibrary = modules\n")]);
    let lines = |own: bool| -> Vec<String> {
        let program = if own { project.path().join(".names/ansible") } else { tool.bin.join("ansible") };
        let program = program.display().to_string();
        let ended = tool.run(&project, &program, &["--version"], own).ok();
        let fixed = |line: &&str| !line.contains("executable location") && !line.contains("playbook version");
        ended.stdout.lines().filter(fixed).map(str::to_owned).collect()
    };
    assert_eq!(lines(true), lines(false));
}

#[test]
fn collections_are_listed_as_ansible_galaxy_lists_them() {
    let Some(tool) = Tool::new("PLAYBOOK_TEST_LINT", "lists of collections") else { return };
    let manifest = |name: &str| {
        format!(
            "{{\"collection_info\": \
            {{\"namespace\": \"my\", \"name\": \"{name}\", \"version\": \"1.2.0\", \"dependencies\": \
            {{}}}}, \"format\": 1}}"
        )
    };
    let project = project(&[
        ("ansible.cfg", "[defaults]\ncollections_path = here:there\nroles_path = roles\n"),
        ("here/ansible_collections/my/own/MANIFEST.json", &manifest("own")),
        ("there/ansible_collections/my/other/MANIFEST.json", &manifest("other")),
        ("roles/web/meta/main.yml", "galaxy_info: {}\n"),
        ("roles/web/meta/.galaxy_install_info", "install_date: now\nversion: v1\n"),
    ]);
    for arguments in [
        &["collection", "list", "my.own"][..],
        &["collection", "list", "my.own", "--format", "json"],
        &["collection", "list", "my.own", "--format=yaml"],
        &["collection", "list", "my.none"],
        &["role", "list"],
        &["role", "list", "web"],
    ] {
        let list = |own: bool| {
            let program = if own {
                project.path().join(".names/ansible-galaxy")
            } else {
                tool.bin.join("ansible-galaxy")
            };
            let ended = tool.run(&project, &program.display().to_string(), arguments, own);
            (ended.code, ended.stdout)
        };
        assert_eq!(list(true), list(false), "{arguments:?}");
    }
    let program = project.path().join(".names/ansible-galaxy").display().to_string();
    let all = tool.run(&project, &program, &["collection", "list", "--format", "json"], true).ok().stdout;
    let all: Value = serde_json::from_str(&all).expect("JSON");
    let root = |name: &str| project.path().join(name).join("ansible_collections").display().to_string();
    assert_eq!(all[root("here")]["my.own"]["version"], "1.2.0");
    assert_eq!(all[root("there")]["my.other"]["version"], "1.2.0");
}

#[test]
fn a_scenario_of_molecule_runs_to_its_end() {
    let Some(tool) = Tool::new("PLAYBOOK_TEST_MOLECULE", "molecule") else { return };
    let config = "\
dependency: {name: galaxy}
driver: {name: default}
platforms: [{name: instance}]
provisioner:
  name: ansible
  inventory:
    hosts:
      all:
        hosts:
          instance:
            ansible_connection: local
verifier: {name: ansible}
";
    let play = |name: &str, hosts: &str, tasks: &str| {
        format!("---\n- name: {name}\n  hosts: {hosts}\n  gather_facts: false\n  tasks:\n{tasks}")
    };
    let nothing = "    - name: Nothing\n      ansible.builtin.debug:\n        msg: nothing\n";
    let write = "    - name: Write\n      ansible.builtin.copy:\n        content: made\n        dest: \"{{ lookup('env', 'MOLECULE_EPHEMERAL_DIRECTORY') }}/made\"\n        mode: \"0644\"\n";
    let look = "    - name: Look\n      ansible.builtin.stat:\n        path: \"{{ lookup('env', 'MOLECULE_EPHEMERAL_DIRECTORY') }}/made\"\n      register: made\n    - name: Check\n      ansible.builtin.assert:\n        that: made.stat.exists\n";
    let project = project(&[
        ("molecule/default/molecule.yml", config),
        ("molecule/default/create.yml", &play("Create", "localhost", nothing)),
        ("molecule/default/destroy.yml", &play("Destroy", "localhost", nothing)),
        ("molecule/default/converge.yml", &play("Converge", "all", write)),
        ("molecule/default/verify.yml", &play("Verify", "all", look)),
    ]);
    let ended = tool.run(&project, "molecule", &["test"], true).ok();
    let text = without_colors(&ended.text());
    for step in ["syntax", "create", "converge", "idempotence", "verify", "destroy"] {
        assert!(text.contains(&format!("{step}: Executed: Successful")), "{step}\n{text}");
    }
}

const RUN: &str = "\
- name: One
  hosts: all
  gather_facts: false
  tasks:
    - name: fine
      ansible.builtin.command: echo hello
    - name: skipped
      ansible.builtin.debug: {msg: a}
      when: false
    - name: looped
      ansible.builtin.debug: {msg: \"{{ item }}\"}
      loop: [1, 2]
    - name: fails
      ansible.builtin.fail: {msg: meant}
      ignore_errors: true
";

/// An inventory of this machine, with the Python of a tool.
fn host(tool: &Tool) -> String {
    format!(
        "web ansible_connection=local ansible_python_interpreter={}\n",
        tool.bin.join("python3").display()
    )
}

/// The events that ansible-runner has recorded, without times and IDs.
fn events(directory: &Path) -> Vec<String> {
    let path = directory.join("artifacts/one/job_events");
    let mut events: Vec<(u64, String)> = Vec::new();
    for entry in std::fs::read_dir(path).expect("the events").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("an event");
        let event: Value = serde_json::from_str(&text).expect("an event");
        let data = &event["event_data"];
        let name = event["event"].as_str().unwrap_or_default();
        if name == "verbose" {
            continue;
        }
        let shown =
            ["play", "play_pattern", "task", "role", "resolved_role", "task_action", "host", "ignore_errors"]
                .map(|key| format!("{key}={}", data[key]))
                .join(" ");
        let result =
            ["changed", "msg", "stdout", "skip_reason"].map(|key| format!("{key}={}", data["res"][key]));
        let counter = event["counter"].as_u64().unwrap_or_default();
        events.push((counter, format!("{name} {shown} {}", result.join(" "))));
    }
    events.sort();
    events.into_iter().map(|(_, event)| event).collect()
}

#[test]
fn the_events_of_ansible_runner_are_those_of_ansible_core() {
    let Some(tool) = Tool::new("PLAYBOOK_TEST_RUNNER", "ansible-runner") else { return };
    let run = |own: bool| {
        let project =
            project(&[("private/project/site.yml", RUN), ("private/inventory/hosts", &host(&tool))]);
        let arguments = ["run", "private", "-p", "site.yml", "-i", "one"];
        let ended = tool.run(&project, "ansible-runner", &arguments, own).ok().hides(&["Callback dispatch"]);
        assert!(!ended.text().contains("TaskId"), "{}", ended.text());
        events(&project.path().join("private"))
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn the_events_of_a_role_that_fails_are_those_of_ansible_core() {
    let Some(tool) = Tool::new("PLAYBOOK_TEST_RUNNER", "the events of a role") else { return };
    let tasks = "- name: fine\n  ansible.builtin.command: echo hello\n- ansible.builtin.include_tasks: more.yml\n- ansible.builtin.fail: {msg: meant}\n";
    let more =
        "- ansible.builtin.debug: {msg: more}\n- name: included\n  ansible.builtin.debug: {msg: named}\n";
    let run = |own: bool| {
        let project = project(&[
            ("private/project/roles/parts/tasks/main.yml", tasks),
            ("private/project/roles/parts/tasks/more.yml", more),
            ("private/inventory/hosts", &host(&tool)),
        ]);
        let roles = project.path().join("private/project/roles").display().to_string();
        let mut arguments =
            vec!["run", "private", "--role", "parts", "--roles-path", &roles, "--hosts", "all", "-i", "one"];
        arguments.push("--role-skip-facts");
        let ended = tool.run(&project, "ansible-runner", &arguments, own).hides(&["Callback dispatch"]);
        let kept = |file: &str| {
            std::fs::read_to_string(project.path().join("private/artifacts/one").join(file))
                .unwrap_or_default()
        };
        (ended.code, kept("rc"), kept("status"), events(&project.path().join("private")))
    };
    let ours = run(true);
    assert_eq!((ours.0, &*ours.1, &*ours.2), (2, "2", "failed"));
    assert_eq!(ours, run(false));
}

#[test]
fn ara_records_plays_tasks_and_results() {
    let Some(tool) = Tool::new("PLAYBOOK_TEST_ARA", "ARA") else { return };
    let record = |own: bool| {
        let project = project(&[("site.yml", RUN), ("hosts", &host(&tool))]);
        let plugins = tool.run(&project, "python", &["-m", "ara.setup.callback_plugins"], own).ok().stdout;
        let program = if own {
            project.path().join(".names/ansible-playbook")
        } else {
            tool.bin.join("ansible-playbook")
        };
        let program = program.display().to_string();
        let mut command = tool.command(&project, &program, &["site.yml", "-i", "hosts"], own);
        Ended::of(command.env("ANSIBLE_CALLBACK_PLUGINS", plugins.trim()))
            .ok()
            .hides(&["Failed to load callback"]);
        let list = |what: &str| -> Vec<String> {
            let ended = tool.run(&project, "ara", &[what, "list", "-f", "json"], own).ok();
            let rows: Vec<Value> = serde_json::from_str(&ended.stdout).expect("rows");
            let shown = |row: &Value| {
                ["status", "name", "action", "results", "tasks"].map(|key| row[key].to_string()).join(" ")
            };
            rows.iter().map(shown).collect()
        };
        ["playbook", "play", "task", "result"].map(list)
    };
    let recorded = record(true);
    assert_eq!(recorded[2].len(), 4, "{recorded:?}");
    assert_eq!(recorded, record(false));
}
