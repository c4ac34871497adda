//! What loading makes of documents, and what it says of bad ones. Expected texts are ansible-core's.

use std::path::Path;
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Value};

use super::{
    Condition, Frame, FrameKind, Item, Keyword, LoadedTasks, Loader, Loop, Names, Play, Playbook, RoleSpec,
    Task,
};
use super::{include_frame, load, load_role, load_task_file};
use crate::document::Node;
use crate::inventory::Vars;
use crate::settings::Settings;
use crate::vault::Keyring;

/// Renders `{{ name }}` from the frames around; enough for what names of imports need.
fn render(node: &Node, frame: &Arc<Frame>) -> Result<Value, Error> {
    let Some(source) = node.source() else { return Ok(node.raw()) };
    let Some((before, rest)) = source.split_once("{{") else { return Ok(node.raw()) };
    let Some((name, after)) = rest.split_once("}}") else { return Ok(node.raw()) };
    let found = frame.chain().find_map(|f| f.keywords.vars.get(name.trim()).cloned());
    match found {
        Some(value) => Ok(format!("{before}{}{after}", value.raw()).into()),
        None => Err(Error::undefined(format!("'{}' is undefined", name.trim()))),
    }
}

/// A directory of files, loaded with a few modules known.
struct Files {
    directory: tempfile::TempDir,
    settings: Settings,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let files_of = Files { directory: tempfile::tempdir().unwrap(), settings: Settings::default() };
        for (name, text) in files {
            let path = files_of.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        files_of
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn with<T>(&self, f: impl FnOnce(&Loader) -> T) -> T {
        let loader = Loader {
            settings: &self.settings,
            keyring: &Keyring::default(),
            directory: self.path().to_owned(),
            render: &render,
            foreign: &crate::foreign::Foreign::new(&self.settings, 0),
            names: &Known,
            warn: &|_| {},
            fault: &Err,
            documents: Default::default(),
        };
        f(&loader)
    }

    fn load(&self) -> Result<Playbook, Error> {
        self.with(|loader| load(&self.path().join("site.yml"), loader))
    }
}

/// The modules and lookups of these tests.
struct Known;

impl Names for Known {
    fn is_action(&self, name: &str) -> bool {
        let short = name.rsplit('.').next().unwrap_or(name);
        matches!(short, "debug" | "command" | "shell" | "copy" | "set_fact" | "add_host")
    }

    fn actions(&self) -> Vec<String> {
        vec!["debug".into(), "command".into(), "copy".into()]
    }

    fn is_lookup(&self, name: &str) -> bool {
        matches!(name, "items" | "dict")
    }
}

/// The play of a playbook whose tasks are these.
fn play(tasks: &str) -> Arc<Play> {
    let text = format!("- hosts: all\n  tasks:\n{tasks}");
    Files::new(&[("site.yml", &text)]).load().unwrap().plays[0].clone()
}

fn tasks(play: &Play) -> Vec<Arc<Task>> {
    flat(&play.tasks)
}

fn flat(items: &[Item]) -> Vec<Arc<Task>> {
    let mut all = Vec::new();
    for item in items {
        match item {
            Item::Task(task) => all.push(task.clone()),
            Item::Block(block) => {
                all.extend(
                    [&block.block, &block.rescue, &block.always].into_iter().flat_map(|items| flat(items)),
                );
            }
        }
    }
    all
}

fn names(items: &[Item]) -> Vec<String> {
    let name = |task: &Arc<Task>| match &task.keywords.name {
        Some(name) => name.raw().to_string(),
        None => task.action.name.to_string(),
    };
    flat(items).iter().map(name).collect()
}

fn tags(task: &Task) -> Vec<String> {
    let frames = task.frame.chain().flat_map(|frame| &frame.keywords.tags);
    let mut tags: Vec<String> = frames.chain(&task.keywords.tags).map(|tag| tag.raw().to_string()).collect();
    tags.sort();
    tags
}

/// The message and place of the error that a playbook is refused with.
fn refused(text: &str) -> (String, u32, u32) {
    refused_with(&[("site.yml", text)])
}

fn refused_with(files: &[(&str, &str)]) -> (String, u32, u32) {
    let error = Files::new(files).load().expect_err("this must be refused");
    let (line, column) = error.place().map_or((0, 0), |place| (place.line, place.column));
    (error.message().to_owned(), line, column)
}

fn refused_task(task: &str) -> (String, u32, u32) {
    refused(&format!("- hosts: all\n  tasks:\n{task}"))
}

#[test]
fn actions_can_be_written_in_many_ways() {
    let play = play(
        "    - debug: msg=hello var=x\n    - command: ls -l creates=/tmp/x a=b\n    - action: copy src=a dest=b\n\
         \x20   - local_action: shell echo hi\n    - debug: '{{ arguments }}'\n    - command: pwd\n      args: {chdir: /}\n\
         \x20   - ansible.builtin.debug:\n        msg: [1]\n    - action: {module: copy, src: a}\n    - debug:\n",
    );
    let tasks = tasks(&play);
    let arg =
        |index: usize, name: &str| tasks[index].action.args.get(name).map(|node| node.raw().to_string());
    assert_eq!(arg(0, "msg").as_deref(), Some("hello"));
    assert_eq!(arg(1, "_raw_params").as_deref(), Some("ls -l a=b"));
    assert_eq!(arg(1, "creates").as_deref(), Some("/tmp/x"));
    assert_eq!((&*tasks[2].action.name, arg(2, "dest").as_deref()), ("copy", Some("b")));
    assert_eq!(tasks[3].keywords.values[&Keyword::DelegateTo].as_str(), Some("localhost"));
    assert_eq!(arg(3, "_raw_params").as_deref(), Some("echo hi"));
    assert!(tasks[4].action.variable_args.is_some() && tasks[4].action.args.is_empty());
    assert_eq!(arg(5, "chdir").as_deref(), Some("/"));
    assert_eq!((tasks[6].action_name(), arg(6, "msg").as_deref()), ("debug", Some("[1]")));
    assert_eq!((&*tasks[7].action.name, arg(7, "src").as_deref()), ("copy", Some("a")));
    assert!(tasks[8].action.args.is_empty());
}

#[test]
fn loops_conditions_and_tags() {
    let play = play(
        "    - debug:\n      with_items: [1]\n      when: [a, b == 1]\n      tags: x, y\n      register: r\n      until: r is done\n\
         \x20   - debug:\n      loop: '{{ all }}'\n      loop_control: {loop_var: it, label: '{{ it }}'}\n      when: false\n      tags: [a, 1]\n",
    );
    let tasks = tasks(&play);
    assert!(matches!(&tasks[0].loop_over, Some(Loop::With { lookup, .. }) if &**lookup == "items"));
    assert_eq!(tasks[0].keywords.when.len(), 2);
    assert!(matches!(&tasks[0].keywords.when[1], Condition::Expression(e) if &**e.source() == "b == 1"));
    assert_eq!(self::tags(&tasks[0]), ["x", "y"]);
    assert_eq!((&*tasks[0].register[0].name, tasks[0].until.len()), ("r", 1));
    assert!(matches!(tasks[1].loop_over, Some(Loop::Loop(_))));
    assert!(tasks[1].loop_control.label.is_some());
    assert!(matches!(&tasks[1].keywords.when[0], Condition::Node(node) if node.raw() == Value::from(false)));
    assert_eq!(self::tags(&tasks[1]), ["1", "a"]);
}

#[test]
fn keywords_come_from_the_nearest_frame() {
    let files = Files::new(&[(
        "site.yml",
        "- hosts: all\n  become_user: play\n  tags: [p]\n  tasks:\n    - become_user: block\n      tags: b\n      block:\n\
         \x20       - debug:\n        - debug:\n          become_user: task\n          tags: t\n      rescue: [debug: ]\n",
    )]);
    let play = files.load().unwrap().plays[0].clone();
    let tasks = tasks(&play);
    let user = |task: &Task| task.keyword(Keyword::BecomeUser).map(|node| node.raw().to_string());
    assert_eq!(user(&tasks[0]).as_deref(), Some("block"));
    assert_eq!(user(&tasks[1]).as_deref(), Some("task"));
    assert_eq!(self::tags(&tasks[1]), ["b", "p", "t"]);
    assert_eq!(tasks.len(), 3);
}

#[test]
fn imports_take_the_place_of_their_task() {
    let files = Files::new(&[
        (
            "site.yml",
            "- hosts: all\n  vars: {which: deep}\n  tasks:\n    - import_tasks: 'sub/{{ which }}.yml'\n      tags: imported\n      when: x\n      vars: {y: 1}\n",
        ),
        ("sub/deep.yml", "- name: one\n  debug:\n- import_tasks: beside.yml\n"),
        ("sub/beside.yml", "- name: two\n  debug:\n  tags: own\n"),
    ]);
    let play = files.load().unwrap().plays[0].clone();
    assert_eq!(names(&play.tasks), ["one", "two"]);
    let two = &tasks(&play)[1];
    assert_eq!(self::tags(two), ["imported", "own"]);
    assert!(two.frame.chain().any(|frame| !frame.keywords.when.is_empty()));
    assert!(two.frame.chain().any(|frame| frame.keywords.vars.contains_key("y")));
    assert!(two.place.file.ends_with("sub/beside.yml"));
}

#[test]
fn names_of_imports_know_vars_files_and_the_role() {
    let files = Files::new(&[
        (
            "site.yml",
            "- hosts: all\n  vars_files: [names.yml]\n  roles: [r]\n  tasks:\n    - import_tasks: '{{ file }}'\n    - vars: {file: x.yml}\n      block:\n        - import_tasks: '{{ file }}'\n",
        ),
        ("names.yml", "file: t.yml\n"),
        ("t.yml", "- name: t\n  debug:\n"),
        ("x.yml", "- name: x\n  debug:\n"),
        ("roles/r/tasks/main.yml", "- import_tasks: '{{ role_path }}/other/o.yml'\n"),
        ("roles/r/other/o.yml", "- name: o\n  debug:\n"),
    ]);
    let play = files.load().unwrap().plays[0].clone();
    assert_eq!(names(&play.tasks), ["t", "x"]);
    assert_eq!(names(&play.roles[0].1), ["o"]);
}

#[test]
fn playbooks_import_playbooks() {
    let files = Files::new(&[
        (
            "site.yml",
            "- import_playbook: other/more.yml\n  tags: t\n  when: cond\n  vars: {a: import, b: import}\n- hosts: last\n",
        ),
        ("other/more.yml", "- hosts: web\n  vars: {a: play}\n  tags: [own]\n"),
    ]);
    let plays = files.load().unwrap().plays;
    assert_eq!(plays.len(), 2);
    assert_eq!(plays[0].vars["a"].as_str(), Some("import"));
    assert_eq!(plays[0].frame.keywords.tags.len(), 2);
    assert_eq!(plays[0].frame.keywords.when.len(), 1);
    assert!(plays[0].directory.ends_with("other"));
}

/// A role that depends on another, with everything a role can have.
const ROLE: &[(&str, &str)] = &[
    (
        "roles/web/meta/main.yml",
        "allow_duplicates: true\ndependencies:\n  - {role: base, size: 1, tags: dep}\n",
    ),
    ("roles/web/defaults/main/a.yml", "x: 1\n"),
    ("roles/web/defaults/main/b.yml", "x: 2\ny: 3\n"),
    ("roles/web/vars/main.yaml", "z: 4\n"),
    ("roles/web/tasks/main.yml", "- name: web main\n  debug:\n- import_tasks: more.yml\n"),
    ("roles/web/tasks/more.yml", "- name: web more\n  debug:\n"),
    ("roles/web/tasks/other.yml", "- name: web other\n  debug:\n"),
    ("roles/web/handlers/main.yml", "- name: restart web\n  debug:\n  listen: web\n"),
    ("roles/base/tasks/main.yml", "- name: base main\n  debug:\n"),
    ("roles/base/handlers/main.yml", "- name: restart base\n  debug:\n"),
    (
        "roles/base/meta/argument_specs.yml",
        "argument_specs:\n  main:\n    short_description: The base\n    options:\n      size: {type: int}\n",
    ),
];

fn role_files(playbook: &'static str) -> Files {
    let mut all = vec![("site.yml", playbook)];
    all.extend(ROLE);
    Files::new(&all)
}

#[test]
fn roles_bring_their_dependencies_first() {
    let files = role_files(
        "- hosts: all\n  roles:\n    - {role: web, tags: r, a: 1, become: true}\n  handlers:\n    - name: own\n      debug:\n",
    );
    let play = files.load().unwrap().plays[0].clone();
    let (role, items) = &play.roles[0];
    assert_eq!(
        names(items),
        ["Validating arguments against arg spec 'main' - The base", "base main", "web main", "web more"]
    );
    assert_eq!((role.defaults["x"].raw(), role.defaults["y"].raw()), (2.into(), 3.into()));
    assert_eq!(role.vars["z"].raw(), 4.into());
    assert_eq!(role.params.keys().map(|k| &**k).collect::<Vec<_>>(), ["a"]);
    assert!(role.allow_duplicates && role.public);
    let base = &role.dependencies()[0];
    assert_eq!((base.params["size"].raw(), &*base.parents[0]), (1.into(), "web"));
    let tasks = flat(items);
    assert_eq!(self::tags(&tasks[0]), ["always", "dep", "r"]);
    assert!(tasks[1].keyword(Keyword::Become).is_some(), "a dependency inherits from the role that needs it");
    assert_eq!(tasks[1].frame.role().map(|r| r.name.to_string()).as_deref(), Some("base"));
    let handlers: Vec<String> =
        play.handlers.iter().map(|h| h.keywords.name.as_ref().unwrap().raw().to_string()).collect();
    assert_eq!(handlers, ["restart base", "restart web", "own"]);
    assert_eq!(play.handlers[1].listen.len(), 1);
}

#[test]
fn uses_of_a_role_are_told_apart() {
    let files = role_files(
        "- hosts: all\n  roles:\n    - base\n    - base\n    - {role: base, size: 2}\n    - {role: base, when: x}\n",
    );
    let play = files.load().unwrap().plays[0].clone();
    let identity: Vec<&str> = play.roles.iter().map(|(role, _)| &*role.identity).collect();
    assert_eq!(identity[0], identity[1]);
    assert!(identity[0] != identity[2] && identity[0] != identity[3] && identity[2] != identity[3]);
}

#[test]
fn imported_roles_are_the_plays_too() {
    let files = role_files(
        "- hosts: all\n  tasks:\n    - import_role: {name: web, tasks_from: other.yml}\n      vars: {v: 1}\n      tags: i\n",
    );
    let play = files.load().unwrap().plays[0].clone();
    assert_eq!(names(&play.tasks)[2..], ["web other"]);
    assert_eq!(&*play.roles[0].0.name, "web");
    assert!(play.roles[0].1.is_empty());
    assert_eq!(play.handlers.len(), 2);
    assert!(tasks(&play)[2].frame.chain().any(|frame| frame.keywords.vars.contains_key("v")));
}

#[test]
fn includes_are_loaded_when_the_run_asks() {
    let files = role_files(
        "- hosts: all\n  become_user: play\n  tasks:\n    - include_role:\n        name: web\n        apply: {tags: applied, vars: {b: 2}}\n      vars: {a: 1}\n      tags: mine\n\
         \x20   - include_tasks: roles/web/tasks/main.yml\n      tags: mine\n",
    );
    let play = files.load().unwrap().plays[0].clone();
    let includes = tasks(&play);
    files.with(|loader| {
        let more = Vars::from_iter([(Arc::from("item"), Node::value(play.place.clone(), 7))]);
        let frame = include_frame(&includes[0], loader.directory.clone(), more).unwrap();
        let spec = RoleSpec { name: "web".into(), ..RoleSpec::default() };
        let role = load_role(loader, &spec, &frame).unwrap();
        let task = flat(&role.tasks.items).pop().unwrap();
        assert_eq!(self::tags(&task), ["applied"]);
        assert!(
            ["a", "b", "item"].iter().all(|v| task.frame.chain().any(|f| f.keywords.vars.contains_key(*v)))
        );
        assert!(!role.role.public);
        assert_eq!(role.tasks.handlers.len(), 2);
        assert!(task.frame.chain().any(|f| matches!(f.kind, FrameKind::Include { dynamic: true, .. })));

        let frame =
            include_frame(&includes[1], loader.directory.join("roles/web/tasks"), Vars::default()).unwrap();
        let path = loader.directory.join("roles/web/tasks/main.yml");
        let LoadedTasks { items, .. } = load_task_file(loader, &path, &frame, false).unwrap();
        assert_eq!(names(&items), ["web main", "web more"]);
        assert!(tags(&flat(&items)[0]).is_empty());
    });
}

#[test]
fn collections_have_roles() {
    let files = Files::new(&[
        ("site.yml", "- hosts: all\n  roles: [acme.tools.web]\n"),
        ("collections/ansible_collections/acme/tools/roles/web/meta/main.yml", "dependencies: [base]\n"),
        ("collections/ansible_collections/acme/tools/roles/web/tasks/main.yml", "- debug:\n"),
        ("collections/ansible_collections/acme/tools/roles/base/tasks/main.yml", "- debug:\n"),
    ]);
    let play = files.load().unwrap().plays[0].clone();
    let (role, items) = &play.roles[0];
    assert_eq!((&*role.name, &*role.full_name), ("web", "acme.tools.web"));
    assert_eq!(&*role.dependencies()[0].full_name, "acme.tools.base");
    assert_eq!(flat(items).len(), 2);
}

#[test]
fn bad_plays_are_refused() {
    for (text, message, line, column) in [
        ("- hosts: all\n  foo: 1\n", "'foo' is not a valid attribute for a Play", 2, 3),
        ("- tasks: []\n", "The field 'hosts' is required but was not set.", 1, 3),
        ("- hosts: []\n", "Hosts list cannot be empty. Please check your playbook", 1, 10),
        ("- hosts: [1]\n", "Hosts list contains an invalid host value: '1'", 1, 11),
        ("- hello\n", "playbook entries must be either valid plays or 'import_playbook' statements", 1, 3),
        ("- hosts: all\n  vars: [1]\n", "Vars in a Play must be specified as a dictionary.", 2, 9),
        ("- hosts: all\n  vars: {a-b: 1}\n", "Invalid variable name 'a-b'.", 2, 10),
        ("- hosts: all\n  roles: [{a: 1}]\n", "role definitions must contain a role name", 2, 11),
        (
            "- hosts: all\n  vars_prompt: [{a: 1}]\n",
            "Invalid vars_prompt data structure, missing 'name' key",
            2,
            17,
        ),
    ] {
        assert_eq!(refused(text), (message.to_owned(), line, column));
    }
    assert!(refused("").0.starts_with("Empty playbook, nothing to do: "));
    assert!(refused("[]").0.starts_with("A playbook must contain at least one play: "));
    assert!(
        refused("hosts: all")
            .0
            .starts_with("A playbook must be a list of plays, got a <class 'dict'> instead: ")
    );
}

#[test]
fn bad_tasks_are_refused() {
    for (task, message, line, column) in [
        ("    - debug:\n      copy:\n", "conflicting action statements: debug, copy", 3, 7),
        ("    - name: x\n", "no module/action detected in task.", 3, 7),
        (
            "    - action: debug\n      local_action: debug\n",
            "action and local_action are mutually exclusive",
            3,
            7,
        ),
        ("    - debug:\n      with_items: [1]\n      loop: [1]\n", "duplicate loop in task: items", 3, 7),
        ("    - debug:\n      with_items:\n", "you must specify a value when using with_items", 3, 7),
        (
            "    - debug:\n      loop_control: {foo: 1}\n",
            "'foo' is not a valid attribute for a LoopControl",
            4,
            22,
        ),
        ("    - block: []\n      foo: 1\n", "'foo' is not a valid attribute for a Block", 4, 7),
        ("    - rescue: [debug: ]\n", "'rescue' keyword cannot be used without 'block'", 3, 7),
        (
            "    - include_tasks: x.yml\n      become: yes\n",
            "'become' is not a valid attribute for a TaskInclude",
            3,
            7,
        ),
        ("    - include_tasks: {file: x, foo: 1}\n", "Invalid options for include_tasks: foo", 3, 7),
        ("    - include_tasks:\n", "No file specified for include_tasks", 3, 7),
        ("    - include_role: {tasks_from: x}\n", "'name' is a required field for include_role.", 3, 7),
        ("    - include_role: {name: x, foo: 1}\n", "Invalid options for include_role: foo", 3, 7),
        ("    - import_role: {name: x, apply: {tags: x}}\n", "Invalid options for import_role: apply", 3, 7),
        ("    - meta: end_role\n", "Cannot execute 'end_role' from outside of a role", 3, 7),
        (
            "    - import_tasks: x.yml\n      loop: [1]\n",
            "You cannot use loops on 'import_tasks' statements. You should use 'include_tasks' instead.",
            3,
            7,
        ),
    ] {
        assert_eq!(refused_task(task), (message.to_owned(), line, column));
    }
    let (message, ..) = refused_task("    - debug:\n      with_foo: [1]\n");
    assert!(
        message.starts_with("'with_foo' is not a valid attribute for a Task\nThis error can be suppressed")
    );
    let (message, line, _) = refused_task("    - debug:\n      register: a-b\n");
    assert_eq!((message.as_str(), line), ("Invalid 'register' specified.", 4));
}

#[test]
fn errors_help() {
    let files = Files::new(&[("site.yml", "- hosts: all\n  tasks:\n    - debugg: msg=1\n")]);
    let error = files.load().unwrap_err();
    assert!(error.message().starts_with("couldn't resolve module/action 'debugg'."));
    assert_eq!((error.help(), error.kind()), (Some("Did you mean 'debug'?"), ErrorKind::Syntax));
    let files = Files::new(&[("site.yml", "- hosts: all\n  task: []\n")]);
    assert_eq!(files.load().unwrap_err().help(), Some("Did you mean 'tasks'?"));
}

#[test]
fn what_is_missing_is_named() {
    let (message, line, _) = refused("- hosts: all\n  roles: [nope]\n");
    assert!(message.starts_with("The role 'nope' was not found in: ") && line == 2, "{message}");
    let (message, line, _) = refused_task("    - import_tasks: nope.yml\n");
    assert!(message.starts_with("Unable to retrieve") && message.contains("/nope.yml'"), "{message}");
    assert_eq!(line, 3);
    let (message, ..) = refused_task("    - import_tasks: '{{ nope }}.yml'\n");
    assert_eq!(message, "Error when evaluating variable in import path '{{ nope }}.yml'.");
    let files = [
        ("site.yml", "- hosts: all\n  tasks:\n    - import_role: {name: r, tasks_from: nope}\n"),
        ("roles/r/tasks/main.yml", "- debug:\n"),
    ];
    assert_eq!(refused_with(&files).0, "Could not find specified file in role: tasks/nope");
}

#[test]
fn what_never_ends_is_refused() {
    let files = [
        ("site.yml", "- hosts: all\n  roles: [a]\n"),
        ("roles/a/meta/main.yml", "dependencies: [b]\n"),
        ("roles/b/meta/main.yml", "dependencies: [a]\n"),
    ];
    let (message, ..) = refused_with(&files);
    assert!(message.ends_with("do not have dependencies on parent roles: a -> b -> a"), "{message}");
    let files = [
        ("site.yml", "- hosts: all\n  tasks:\n    - import_tasks: x.yml\n"),
        ("x.yml", "- import_tasks: x.yml\n"),
    ];
    assert!(refused_with(&files).0.starts_with("Endless import: "));
    let (message, ..) = refused("- import_playbook: site.yml\n");
    assert!(message.starts_with("A playbook imports itself: "), "{message}");
}

#[test]
fn handlers_may_stand_in_a_block_but_no_deeper() {
    let text =
        "- hosts: all\n  handlers:\n    - block:\n        - name: h\n          debug:\n      tags: b\n";
    let play = Files::new(&[("site.yml", text)]).load().unwrap().plays[0].clone();
    assert_eq!(self::tags(&play.handlers[0]), ["b"]);
    let text = "- hosts: all\n  handlers:\n    - block:\n        - block: []\n";
    assert_eq!(refused(text).0, "Using a block as a handler is not supported.");
}
