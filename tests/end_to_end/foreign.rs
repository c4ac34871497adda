//! Modules in any language beside the playbook, and modules and plugins in Python through ansible-core.

use std::path::PathBuf;

use xtask::tested::skip;

use crate::support::{Ended, Project};

/// The releases of ansible-core whose behavior can be asked for.
const RELEASES: [&str; 2] = ["2.19", "2.21"];

const OLD: &str = "#!/bin/sh\n. \"$1\"\necho before\necho \"{\\\"changed\\\": true, \\\"got\\\": \\\"$name\\\", \
                   \\\"check\\\": \\\"$_ansible_check_mode\\\"}\"\necho after\n";
const WANT_JSON: &str = "#!/bin/sh\n# WANT_JSON\nprintf '{\"args\": %s}' \"$(cat \"$1\")\"\n";
const JSON_ARGS: &str =
    "#!/bin/sh\ncat <<'END'\n{\"ansible_facts\": {\"told\": <<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>}}\nEND\n";
const SILENT: &str = "#!/bin/sh\necho nothing; echo 'no good' >&2; exit 3\n";

fn project(tasks: &str, more: &[(&str, &str)]) -> Project {
    let book = format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}");
    let mut files = vec![("site.yml", book.as_str())];
    files.extend(more);
    Project::new(&files)
}

fn run(project: &Project, options: &[&str]) -> Ended {
    let mut command = project.command(&["run", "site.yml", "-i", "localhost,", "-c", "local"]);
    Ended::of(command.args(options).env("PLAYBOOK_PYTHON", "/no/python"))
}

#[test]
fn modules_in_any_language_get_their_arguments_as_they_want_them() {
    let tasks = "    - old: {name: two words}\n      register: old\n    - debug: {var: old}\n    \
                 - wants: {list: [1, {a: b}]}\n      register: json\n    - debug: {msg: \"{{ json.args.list }}\"}\n    \
                 - told: {x: 1}\n    - debug: {msg: \"x is {{ told.x }}\"}\n";
    let more = [
        ("library/old.sh", OLD),
        ("library/wants", WANT_JSON),
        ("roles/r/library/told", JSON_ARGS),
        ("roles/r/tasks/main.yml", "[]\n"),
    ];
    let tasks = format!("{tasks}  roles: [r]\n");
    let project = project(&tasks, &more);
    run(&project, &[]).ok().says(&[
        "\"got\": \"two words\"",
        "\"check\": \"False\"",
        "\"changed\": true",
        "Module invocation had junk after the JSON data: after",
        "\"a\": \"b\"",
        "x is 1",
    ]);
    run(&project, &["--check"]).ok().says(&["\"check\": \"True\""]);
    let left = std::fs::read_dir(project.path().join(".ansible/tmp")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the modules' files are removed");
}

#[test]
fn a_module_without_a_result_shows_what_it_printed() {
    run(&project("    - silent:\n", &[("library/silent", SILENT)]), &[]).fails(2).says(&[
        "\"module_stderr\": \"no good\\n\"",
        "\"rc\": 3",
        "Module result deserialization failed: No start of json char found",
    ]);
}

const PYTHON: &str = "#!/usr/bin/python\nfrom ansible.module_utils.basic import AnsibleModule\n\
    from ansible.module_utils.own import answer\n\
    m = AnsibleModule(dict(n=dict(type='int')), supports_check_mode=True)\n\
    m.warn('careful')\nm.exit_json(changed=not m.check_mode, n=answer(m.params['n']))\n";
const UTILS: &str = "def answer(n):\n    return n * 2\n";
const FILTER: &str =
    "class FilterModule:\n    def filters(self):\n        return {'twice': lambda x: (x, x)}\n";
const TEST: &str =
    "class TestModule:\n    def tests(self):\n        return {'odd_one': lambda x: x % 2 == 1}\n";
const LOOKUP: &str = "from ansible.plugins.lookup import LookupBase\n\
    class LookupModule(LookupBase):\n    def run(self, terms, variables=None, **kwargs):\n        \
    return [self._templar.template(variables[t]) for t in terms]\n";
const ACTION: &str = "from ansible.plugins.action import ActionBase\n\
    class ActionModule(ActionBase):\n    def run(self, tmp=None, task_vars=None):\n        \
    super().run(tmp, task_vars)\n        \
    done = self._execute_module('ansible.legacy.command', dict(_raw_params='echo from the host'))\n        \
    low = self._low_level_execute_command('echo low')\n        \
    return dict(said=done['stdout'], low=low['stdout'].strip(), host=task_vars['inventory_hostname'])\n";
const CALLBACK: &str = "from ansible.plugins.callback import CallbackBase\n\
    class CallbackModule(CallbackBase):\n    CALLBACK_TYPE = 'aggregate'\n    CALLBACK_NAME = 'counts'\n    \
    seen = 0\n    def v2_runner_on_ok(self, result):\n        self.seen += 1\n    \
    def v2_playbook_on_stats(self, stats):\n        self._display.display('seen %d of %s' % (self.seen, sorted(stats.processed)))\n";
const INVENTORY: &str = "from ansible.plugins.inventory import BaseInventoryPlugin\n\
    class InventoryModule(BaseInventoryPlugin):\n    NAME = 'made'\n    \
    def parse(self, inventory, loader, path, cache=True):\n        super().parse(inventory, loader, path, cache)\n        \
    inventory.add_group('g')\n        inventory.add_host('made_host', group='g')\n        \
    inventory.set_variable('made_host', 'ansible_connection', 'local')\n";

#[test]
fn without_ansible_core_the_error_names_what_needs_it() {
    let files = [("library/py.py", PYTHON), ("module_utils/own.py", UTILS), ("filter_plugins/f.py", FILTER)];
    run(&project("    - py: {n: 1}\n", &files), &[]).fails(2).says(&[
        "py.py",
        "is written in Python and needs ansible-core",
        "PLAYBOOK_PYTHON",
    ]);
    run(&project("    - debug: {msg: \"{{ 1 | twice }}\"}\n", &files), &[])
        .fails(2)
        .says(&["filter plugin 'twice' is written in Python and needs ansible-core"]);
}

#[test]
fn python_modules_and_plugins_run_through_ansible_core() {
    let Some(bin) = std::env::var_os("PLAYBOOK_TEST_ORACLE").map(PathBuf::from) else {
        return skip(
            "modules and plugins in Python",
            "no ansible-core: run the tests with `cargo xtask test`",
        );
    };
    let tasks = "    - py: {n: 21}\n      register: py\n    - debug: {msg: \"n is {{ py.n }}\"}\n    \
                 - debug: {msg: \"{{ 'x' | twice | length }} {{ 3 is odd_one }}\"}\n    \
                 - debug: {msg: \"{{ lookup('seen', 'other') }}\"}\n      vars: {other: \"{{ 1 + 1 }} from {{ hostvars[inventory_hostname].inventory_hostname }}\"}\n    \
                 - acts:\n      register: acts\n    - debug: {var: acts}\n";
    let book = format!("- hosts: g\n  gather_facts: false\n  tasks:\n{tasks}");
    let python = bin.join("python").display().to_string();
    let hosts = "plugin: made\n";
    let files = [
        ("site.yml", book.as_str()),
        ("library/py.py", PYTHON),
        ("module_utils/own.py", UTILS),
        ("filter_plugins/f.py", FILTER),
        ("test_plugins/t.py", TEST),
        ("lookup_plugins/seen.py", LOOKUP),
        ("action_plugins/acts.py", ACTION),
        ("callback_plugins/counts.py", CALLBACK),
        ("inventory_plugins/made.py", INVENTORY),
        ("hosts.yml", hosts),
    ];
    let project = Project::new(&files);
    let interpreter = format!("ansible_python_interpreter={python}");
    // The release whose behavior is asked for need not be the installed one.
    for release in RELEASES {
        let mut command = project.command(&["run", "site.yml", "-i", "hosts.yml", "-e", &interpreter]);
        command.env("PLAYBOOK_PYTHON", &python).env("PLAYBOOK_CORE", release);
        Ended::of(&mut command).ok().says(&[
            "n is 42",
            "[WARNING]: careful",
            "2 True",
            "2 from made_host",
            "\"said\": \"from the host\"",
            "\"low\": \"low\"",
            "\"host\": \"made_host\"",
            "seen 6 of ['made_host']",
        ]);
    }
}

const CONNECTION: &str = r#"import shutil, subprocess
from ansible.plugins.connection import ConnectionBase
DOCUMENTATION = """
name: mine
short_description: commands
description: x
author: me
options:
  mark:
    description: x
    vars: [{name: ansible_mine_mark}]
"""
class Connection(ConnectionBase):
    transport = 'mine'
    def _connect(self): return self
    def close(self): pass
    def put_file(self, a, b): shutil.copy(a, b)
    def fetch_file(self, a, b): shutil.copy(a, b)
    def exec_command(self, cmd, in_data=None, sudoable=True):
        assert not in_data
        command = 'MARK=%s; export MARK; %s' % (self.get_option('mark'), cmd)
        done = subprocess.run(command, shell=True, capture_output=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr
"#;

#[test]
fn modules_run_over_a_connection_plugin_in_python() {
    let Some(bin) = std::env::var_os("PLAYBOOK_TEST_ORACLE").map(PathBuf::from) else {
        return skip(
            "a connection plugin in Python",
            "no ansible-core: run the tests with `cargo xtask test`",
        );
    };
    let book = r#"
- hosts: all
  gather_facts: false
  tasks:
    - shell: echo over $MARK
      register: done
    - debug: {msg: "{{ done.stdout }}"}
    - raw: echo raw $MARK
      register: done
    - debug: {msg: "{{ done.stdout }}"}
    - copy: {src: big, dest: "{{ playbook_dir }}/copied"}
    - fetch: {src: "{{ playbook_dir }}/copied", dest: "{{ playbook_dir }}/fetched", flat: true}
"#;
    let big = "0123456789abcdef".repeat(20_000);
    let files = [("site.yml", book), ("connection_plugins/mine.py", CONNECTION), ("files/big", &big)];
    let project = Project::new(&files);
    for release in RELEASES {
        let mut command = project.command(&["run", "site.yml", "-i", "h1,h2", "-c", "mine"]);
        command.args(["-e", "ansible_mine_mark=there"]);
        command.env("PLAYBOOK_PYTHON", bin.join("python")).env("PLAYBOOK_CORE", release);
        Ended::of(&mut command).ok().says(&["over there", "raw there"]);
        let fetched = project.path().join("fetched");
        assert_eq!(std::fs::read_to_string(&fetched).expect("the fetched file").len(), big.len());
        std::fs::remove_file(fetched).expect("a removed file");
    }
}

/// A callback plugin that handles a signal and looks at the command line, as those for recording and for AWX do.
const RECORDER: &str = "import signal\n\
    from ansible import context\n\
    from ansible.plugins.callback import CallbackBase\n\
    class CallbackModule(CallbackBase):\n    CALLBACK_NAME = 'recorder'\n    \
    def __init__(self):\n        super().__init__()\n        signal.signal(signal.SIGUSR1, lambda *_: None)\n    \
    def v2_playbook_on_start(self, playbook):\n        \
    named = [context.CLIARGS[name] for name in ('check', 'subset', 'tags', 'forks', 'syntax')]\n        \
    self._display.display('started with %s' % named)\n    \
    def v2_playbook_on_play_start(self, play):\n        \
    found = play._variable_manager.get_vars(play=play)['vars']['x']\n        \
    self._display.display('x is %s, files %s' % (found, [p[-8:] for p in play._loader._FILE_CACHE]))\n    \
    def v2_runner_on_ok(self, result):\n        self._display.display('recorded %s' % result.task_name)\n";

#[test]
fn callback_plugins_run_in_the_main_thread_and_see_the_command_line() {
    let Some(bin) = std::env::var_os("PLAYBOOK_TEST_ORACLE").map(PathBuf::from) else {
        return skip(
            "a callback plugin with signals",
            "no ansible-core: run the tests with `cargo xtask test`",
        );
    };
    let project = project(
        "    - name: first\n      debug: {msg: seen}\n",
        &[("callback_plugins/recorder.py", RECORDER)],
    );
    for release in RELEASES {
        let mut command =
            project.command(&["run", "site.yml", "-i", "localhost,", "-c", "local", "-C", "-f", "3"]);
        command.args(["-l", "localhost", "-e", "x=1"]);
        command.env("PLAYBOOK_PYTHON", bin.join("python")).env("PLAYBOOK_CORE", release);
        Ended::of(&mut command).ok().says(&[
            "started with [True, 'localhost', ('all',), 3, False]",
            "x is 1, files ['site.yml']",
            "recorded first",
        ]);
    }
}
