//! Each finding, word for word.

use std::path::Path;

use playbook_api::{Registry, Value};

use super::{Finding, Variables};
use crate::playbook::{Loader, Names};
use crate::run;
use crate::settings::Settings;
use crate::vault::Keyring;

/// The findings in `site.yml` of a project with these files, a line each: `PLACE SEVERITY CHECK: MESSAGE [HELP]`, the
/// project's directory left out.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    found(files, |_| Variables::default(), |finding| finding.check != "variables")
}

/// The undefined variables in `site.yml`, if nothing is known of an inventory.
fn undefined(files: &[(&str, &str)]) -> Vec<String> {
    found(files, |_| Variables::default(), |finding| finding.check == "variables")
}

/// The undefined variables of a playbook, with an inventory that has these variables.
fn undefined_with(inventory: &str, files: &[(&str, &str)]) -> Vec<String> {
    found(files, of_inventory(inventory), |finding| finding.check == "variables")
}

/// The hosts of plays that an inventory does not have.
fn hosts_with(inventory: &str, files: &[(&str, &str)]) -> Vec<String> {
    found(files, of_inventory(inventory), |finding| finding.check == "hosts")
}

/// What is known with an inventory.
fn of_inventory(inventory: &str) -> impl Fn(&Path) -> Variables {
    move |directory: &Path| {
        let path = directory.join("hosts.yml");
        std::fs::write(&path, inventory).unwrap();
        let (settings, keyring) = (Settings::default(), std::sync::Arc::new(Keyring::default()));
        let sources = [path.display().to_string()];
        let context = playbook_api::Context::default();
        let extra = crate::inventory::Vars::default();
        let (inventory, _) =
            crate::inventory::Inventory::load(&sources, &settings, &keyring, &context, &extra).unwrap();
        Variables::new(&inventory, true, &extra, &keyring)
    }
}

fn found(
    files: &[(&str, &str)],
    variables: impl Fn(&Path) -> Variables,
    wanted: impl Fn(&Finding) -> bool,
) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let root = format!("{}/", dir.path().display());
    let shown = |finding: &Finding| {
        let help = std::iter::successors(Some(&finding.error), |e| e.cause()).find_map(|e| e.help());
        let place = finding.place().map(|place| place.to_string()).unwrap_or_default();
        let help = help.map(|help| format!(" [{help}]")).unwrap_or_default();
        let (severity, check) = (finding.severity.name(), finding.check);
        format!("{place} {severity} {check}: {}{help}", finding.error)
            .replace(&root, "")
            .replace(root.trim_end_matches('/'), ".")
    };
    let found = check(&dir.path().join("site.yml"), variables(dir.path()));
    found.iter().filter(|finding| wanted(finding)).map(shown).collect()
}

fn check(path: &Path, variables: Variables) -> Vec<Finding> {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    let mut settings = Settings::default();
    settings.roles_path = Vec::new();
    let keyring = Keyring::default();
    let loader = Loader {
        settings: &settings,
        keyring: &keyring,
        foreign: &crate::foreign::Foreign::new(&settings, 0),
        directory: path.parent().unwrap().to_owned(),
        render: &|node, _| match node.source() {
            Some(source) if source.contains("{{") => {
                Err(playbook_api::Error::undefined(format!("{source} is undefined")))
            }
            _ => Ok::<Value, _>(node.raw()),
        },
        names: &Known(&registry),
        warn: &|_| {},
        fault: &Err,
        documents: Default::default(),
    };
    super::file(path, &loader, &registry, &variables)
}

/// The modules of a registry, and this program's own actions and lookups.
struct Known<'a>(&'a Registry);

impl Names for Known<'_> {
    fn is_action(&self, name: &str) -> bool {
        run::is_action(self.0, name)
    }

    fn actions(&self) -> Vec<String> {
        run::action_names(self.0)
    }

    fn is_lookup(&self, name: &str) -> bool {
        crate::template::lookups::find(name).is_some()
    }
}

/// The findings in one play's tasks, which begin in line 3.
fn tasks(tasks: &str) -> Vec<String> {
    let mut text = String::from("- hosts: all\n  tasks:\n");
    for line in tasks.lines() {
        text += &format!("    {line}\n");
    }
    findings(&[("site.yml", &text)])
}

#[track_caller]
fn assert_found(found: Vec<String>, expected: &[&str]) {
    assert_eq!(found, expected, "\n{}\n", found.join("\n"));
}

#[test]
fn all_faults_of_a_playbook_are_told_at_once() {
    let text = "\
- hosts: all
  gather_fact: no
  tasks:
    - debug: msg=1
      whenn: true
    - debugg: msg=1
    - copy: {dest: /x, content: a, modee: '0644'}
      registr: x
    - block:
        - shell: ls
          register: 'a b'
          becom: yes
      rescu: []
- tasks: []
";
    assert_found(
        findings(&[("site.yml", text)]),
        &[
            "site.yml:2:3 error load: 'gather_fact' is not a valid attribute for a Play [Did you mean 'gather_facts'?]",
            "site.yml:5:7 error load: conflicting action statements: debug, whenn [Did you mean 'when'?]",
            "site.yml:6:7 error load: couldn't resolve module/action 'debugg'. This often indicates a \
            misspelling, missing collection, or incorrect module path. [Did you mean 'debug'?]",
            "site.yml:7:36 error arguments: Unsupported parameters for (copy) module: modee. Supported \
            parameters include: attributes (attr), backup, checksum, content, decrypt, dest, \
            directory_mode, follow, force, group, local_follow, mode, owner, remote_src, selevel, serole, \
            setype, seuser, src, unsafe_writes, validate. [Did you mean 'mode'?]",
            "site.yml:8:7 error load: conflicting action statements: copy, registr [Did you mean 'register'?]",
            "site.yml:11:21 error load: Invalid 'register' specified: Invalid variable name 'a b'. \
            [Variable names must be strings starting with a letter or underscore character, and contain \
            only letters, numbers and underscores.]",
            "site.yml:12:11 error load: conflicting action statements: shell, becom [Did you mean 'become'?]",
            "site.yml:13:7 error load: 'rescu' is not a valid attribute for a Block [Did you mean 'rescue'?]",
            "site.yml:14:3 error load: The field 'hosts' is required but was not set. [Every play names \
            its hosts: 'hosts: all', 'hosts: localhost', a group or a pattern.]",
        ],
    );
}

#[test]
fn arguments() {
    let found = tasks(
        "\
- copy: {src: a, content: b, dest: /x, forc: yes}
- file: {path: /x, state: gone, recurse: maybe}
- ping: {data: x}
- lineinfile: {line: x}
- command: {}
- template: {dest: /x}
- set_fact: {anything: 1, cacheable: perhaps}
- debug: {msg: '{{ x }}', verbosity: '{{ y }}'}
- file: '{{ arguments }}'
- file: {path: '{{ p }}', state: '{{ s }}', mode: '{{ m }}'}
- copy: {src: '{{ a | default(omit) }}', content: '{{ b | default(omit) }}', dest: /x}
- copy: {dest: /x}
- ping:
  module_defaults: {ping: {dat: 1}}
- file: {state: directory}
  module_defaults: {file: {path: /x}}
",
    );
    assert_found(
        found,
        &[
            "site.yml:3:19 error files: Could not find or access 'a' on the Ansible Controller.",
            "site.yml:3:31 error arguments: parameters are mutually exclusive: src|content",
            "site.yml:3:44 error arguments: Unsupported parameters for (copy) module: forc. Supported \
            parameters include: attributes (attr), backup, checksum, content, decrypt, dest, \
            directory_mode, follow, force, group, local_follow, mode, owner, remote_src, selevel, serole, \
            setype, seuser, src, unsafe_writes, validate. [Did you mean 'force'?]",
            "site.yml:4:31 error arguments: value of state must be one of: absent, directory, file, hard, \
            link, touch, got: gone",
            "site.yml:4:46 error arguments: argument 'recurse' is of type str and we were unable to \
            convert to bool: The value 'maybe' is not a valid boolean. Valid booleans include: 0, 1, 'f', \
            'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'",
            "site.yml:6:7 error arguments: missing required arguments: path",
            "site.yml:7:7 error arguments: one of the following is required: _raw_params, cmd, argv",
            "site.yml:8:7 error arguments: missing required arguments: src",
            "site.yml:9:42 error arguments: argument 'cacheable' is of type str and we were unable to \
            convert to bool: The value 'perhaps' is not a valid boolean. Valid booleans include: 0, 1, \
            'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'",
            "site.yml:14:7 error arguments: src (or content) is required",
            "site.yml:16:32 error arguments: Unsupported parameters for (ping) module: dat. Supported \
            parameters include: data. [Did you mean 'data'?]",
        ],
    );
}

#[test]
fn templates() {
    let found = findings(&[
        ("templates/bad.j2", "fine\n{% if x %}\n{{ x | to_jsn }}\n{% endfor %}\n"),
        ("templates/odd.j2", "{{ not a template << x >> }\n"),
        ("vars/more.yml", "a: '{{ b | }}'\n"),
        (
            "site.yml",
            "\
- hosts: all
  vars_files: [more.yml]
  vars: {broken: '{{ x'}
  tasks:
    - debug: {msg: '{{ x | defualt(1) }}'}
      when: x is define
    - debug: {msg: '{{ lookup(\"flie\", \"x\") }}'}
      failed_when: [x ==, '{{ y }}']
    - template: {src: bad.j2, dest: /x}
    - template: {src: odd.j2, dest: /x, variable_start_string: '<<', variable_end_string: '>>'}
    - assert: {that: [a = b]}
      loop: '{{ [1, 2 }}'
",
        ),
    ]);
    assert_found(
        found,
        &[
            "site.yml:3:23 error templates: Syntax error in template: unexpected end of template, \
            expected 'end of print statement'.",
            "site.yml:5:28 error templates: No filter named 'defualt'. [Did you mean 'default'?]",
            "site.yml:6:18 error templates: No test named 'define'. [Did you mean 'defined'?]",
            "site.yml:7:30 error templates: No lookup named 'flie'. [Did you mean 'file'?]",
            "site.yml:8:25 error templates: Syntax error in expression: unexpected 'end of template'",
            "site.yml:11:25 error templates: Syntax error in expression: chunk after expression",
            "site.yml:12:23 error templates: Syntax error in template: unexpected '}', expected ']'",
            "vars/more.yml:1:12 error templates: Syntax error in template: expected token 'name', got \
            'end of print statement'",
            "templates/bad.j2:4:4 error templates: Syntax error in template: Encountered unknown tag \
            'endfor'. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The \
            innermost block that needs to be closed is 'if'.",
        ],
    );
}

#[test]
fn files() {
    let found = findings(&[
        (
            "roles/web/tasks/main.yml",
            "- copy: {src: there, dest: /x}\n- copy: {src: missing, dest: /x}\n- import_tasks: gone.yml\n\
            - include_tasks: more.yml\n",
        ),
        ("roles/web/tasks/more.yml", "- template: {src: missing.j2, dest: /x}\n- include_tasks: more.yml\n"),
        ("roles/web/files/there", ""),
        ("roles/needy/meta/main.yml", "dependencies: [nowhere]\n"),
        (
            "site.yml",
            "\
- hosts: all
  vars_files: [none.yml, [a.yml, b.yml], '{{ env }}.yml']
  roles: [web, needy, absent]
  tasks:
    - script: run.sh --fast
    - unarchive: {src: a.tgz, dest: /x}
    - unarchive: {src: /a.tgz, dest: /x, remote_src: yes}
    - copy: {src: /no/such/file, dest: /x}
    - copy: {src: '{{ f }}', dest: /x}
    - include_vars: none.yml
    - include_tasks: none.yml
    - include_tasks: '{{ f }}.yml'
    - include_role: {name: none}
    - include_role: {name: web, tasks_from: none}
    - import_tasks: '{{ f }}.yml'
- import_playbook: none.yml
",
        ),
    ]);
    assert_found(
        found,
        &[
            "roles/web/tasks/main.yml:2:15 error files: Could not find or access 'missing' on the Ansible Controller.",
            "roles/web/tasks/main.yml:3:17 error load: Unable to retrieve file contents.\n\
            Could not find or access 'roles/web/tasks/gone.yml' on the Ansible Controller.",
            "roles/needy/meta/main.yml:1:16 error load: The role 'nowhere' was not found in: roles:.",
            "site.yml:2:16 error files: Could not find or access 'none.yml' on the Ansible Controller.",
            "site.yml:2:26 error files: Could not find or access 'a.yml', 'b.yml' on the Ansible Controller.",
            "site.yml:3:23 error load: The role 'absent' was not found in: roles:.",
            "site.yml:5:15 error files: Could not find or access 'run.sh' on the Ansible Controller.",
            "site.yml:6:24 error files: Could not find or access 'a.tgz' on the Ansible Controller.",
            "site.yml:8:19 warning files: Could not find or access '/no/such/file' on the Ansible \
            Controller. [It must be there by the time the task runs.]",
            "site.yml:10:21 error files: Could not find or access 'none.yml' on the Ansible Controller.",
            "site.yml:11:22 error files: Could not find or access 'none.yml' on the Ansible Controller.",
            "site.yml:13:28 error load: The role 'none' was not found in: roles:.",
            "site.yml:14:28 error load: Could not find specified file in role: tasks/none [The role is in roles/web.]",
            "site.yml:15:7 error load: Error when evaluating variable in import path '{{ f }}.yml': {{ f \
            }}.yml is undefined [When using static imports, ensure that any variables used in their names \
            are defined in vars/vars_files or extra-vars passed in from the command line. Static imports \
            cannot use variables from facts or inventory sources like group or host vars.]",
            "site.yml:16:20 error load: Unable to retrieve file contents.\n\
            Could not find or access 'none.yml' on the Ansible Controller.",
            "roles/web/tasks/more.yml:1:19 error files: Could not find or access 'missing.j2' on the \
            Ansible Controller.",
        ],
    );
}

#[test]
fn handlers() {
    let role = ("roles/web/handlers/main.yml", "- name: restart web\n  ping:\n  notify: gone\n");
    let play = "\
- hosts: all
  roles: [web]
  tasks:
    - ping:
      notify: [restart web, 'web : restart web', told, restart wbe, '{{ x }}']
    - block:
        - ping:
      notify: nobody
  handlers:
    - name: listens
      listen: told
      ping:
";
    assert_found(
        findings(&[role, ("site.yml", play)]),
        &[
            "site.yml:5:56 error handlers: The requested handler 'restart wbe' was not found in either \
            the main handlers list nor in the listening handlers list [Did you mean 'restart web'?]",
            "site.yml:8:15 error handlers: The requested handler 'nobody' was not found in either the \
            main handlers list nor in the listening handlers list [Define it under 'handlers' of the play \
            or of one of its roles.]",
            "roles/web/handlers/main.yml:3:11 error handlers: The requested handler 'gone' was not found \
            in either the main handlers list nor in the listening handlers list [Define it under \
            'handlers' of the play or of one of its roles.]",
        ],
    );
    let open = play.to_owned()
        + "- hosts: all\n  tasks:\n    - include_role: {name: '{{ r }}'}\n    - ping:\n      notify: nobody\n";
    assert_found(
        findings(&[role, ("site.yml", &open)]),
        &[
            "site.yml:5:56 error handlers: The requested handler 'restart wbe' was not found in either \
            the main handlers list nor in the listening handlers list [Did you mean 'restart web'?]",
            "site.yml:8:15 error handlers: The requested handler 'nobody' was not found in either the \
            main handlers list nor in the listening handlers list [Define it under 'handlers' of the play \
            or of one of its roles.]",
            "site.yml:17:15 warning handlers: The requested handler 'nobody' was not found in either the \
            main handlers list nor in the listening handlers list [A file whose name is a template must define it.]",
            "roles/web/handlers/main.yml:3:11 error handlers: The requested handler 'gone' was not found \
            in either the main handlers list nor in the listening handlers list [Define it under \
            'handlers' of the play or of one of its roles.]",
        ],
    );
}

#[test]
fn what_is_right_is_not_found() {
    let found = findings(&[
        ("files/a", ""),
        ("templates/a.j2", "{% for x in y %}{{ x | upper }}{% endfor %}"),
        ("tasks.yml", "- ping:\n  notify: again\n"),
        (
            "site.yml",
            "\
- hosts: all
  vars: {a: '{{ b | default(1) }}'}
  tasks:
    - copy: {src: a, dest: /x, mode: '0644'}
    - copy: {src: x/y, dest: /z, remote_src: yes}
    - template: {src: a.j2, dest: /x}
      notify: again
      when: a is defined and '{{ b }}' is not x.y.z or c | bool
    - include_tasks: tasks.yml
    - shell: echo {{ x }}
      args: {chdir: /tmp, executable: /bin/bash}
    - command: {argv: [a, b]}
    - action: ping data=x
    - set_fact: a=b
    - meta: flush_handlers
    - file: path=/x state=directory mode=0755
      loop: [1]
  handlers:
    - name: again
      ping:
",
        ),
    ]);
    assert_found(
        found,
        &["site.yml:8:47 warning templates: No test named 'x.y.z'. [A test plugin of this name must be \
            there when the task runs.]"],
    );
}

/// A play with these tasks, which begin in line 5.
fn book(tasks: &str) -> String {
    let mut text = String::from("- hosts: all\n  vars:\n    known: 1\n  tasks:\n");
    for line in tasks.lines() {
        text += &format!("    {line}\n");
    }
    text
}

#[test]
fn undefined_variables() {
    let text = book(
        "- debug: {msg: \"{{ image_tga }} {{ known }}\"}\n\
         - debug: {msg: \"{{ itme }}\"}\n  with_items: [1]\n\
         - debug: {msg: \"{{ knwon }}\"}\n  when: known\n\
         - template: {src: a.j2, dest: /x}\n",
    );
    let files =
        [("site.yml", text.as_str()), ("templates/a.j2", "{% for x in list_of %}{{ x }}{% endfor %}")];
    assert_eq!(
        undefined_with("all: {hosts: {web: {image_tag: v1}}}", &files),
        [
            "site.yml:5:24 error variables: 'image_tga' is undefined [Did you mean 'image_tag'?]",
            "site.yml:6:24 error variables: 'itme' is undefined [Did you mean 'item'?]",
            "site.yml:8:24 warning variables: 'knwon' is undefined [Did you mean 'known'?]",
            "templates/a.j2:1:13 error variables: 'list_of' is undefined \
             [Define it in the inventory, in the play or with -e.]",
        ]
    );
    assert_eq!(
        undefined(&[("site.yml", &book("- debug: {msg: \"{{ region }}\"}\n"))]),
        ["site.yml:5:24 warning variables: 'region' is undefined \
             [Define it, or give the inventory that defines it with -i.]"]
    );
}

#[test]
fn a_variable_that_uses_an_undefined_one_leads_to_it() {
    let vars = "- hosts: all\n  vars:\n    image: \"{{ repository }}:{{ image_tag }}\"\n    unused: \"{{ nothing }}\"\n  \
                tasks:\n    - debug: {var: known}\n    - debug: {msg: \"{{ image }}\"}\n";
    assert_eq!(
        undefined_with("all: {vars: {repository: r}}", &[("site.yml", vars)]),
        ["site.yml:3:33 error variables: 'image_tag' is undefined [Define it in the inventory, in the \
            play or with -e.]"]
    );
}

#[test]
fn what_something_defines_is_not_undefined() {
    let none: [&str; 0] = [];
    let text = book(
        "- command: id\n  register: registered\n\
         - set_fact: {fact: 1}\n\
         - include_vars: more.yml\n\
         - include_vars: {file: more.yml, name: loaded}\n\
         - include_vars: \"{{ ansible_os_family }}.yml\"\n\
         - add_host: {name: h, added: 1}\n\
         - include_role: {name: web}\n  vars: {given: 1}\n\
         - debug: {msg: \"{{ registered.rc + fact + loaded.a + from_file + from_system + added + given }}\"}\n\
         - debug: {msg: \"{{ role_default + role_var + option + looped + position }}\"}\n  loop: [1]\n  \
           loop_control: {loop_var: looped, index_var: position}\n\
         - debug: {msg: \"{{ maybe | default(1) }}{{ perhaps is defined }}{{ 1 if perhaps else 2 }}{{ maybe }}\"}\n\
         - debug: {msg: \"{{ ansible_hostname + inventory_hostname + hostvars['x'].y + groups.all + omit }}\"}\n\
         - debug: {msg: \"{{ lookup('vars', 'any') + playbook_dir + role_path + vars.z }}\"}\n",
    );
    let files = [
        ("site.yml", text.as_str()),
        ("vars/more.yml", "from_file: 1\n"),
        ("vars/Debian.yml", "from_system: 1\n"),
        ("roles/web/defaults/main.yml", "role_default: 1\n"),
        ("roles/web/vars/main.yml", "role_var: 1\n"),
        ("roles/web/tasks/main.yml", "- debug: {msg: \"{{ given }}\"}\n"),
        ("roles/web/meta/argument_specs.yml", "argument_specs: {main: {options: {option: {type: int}}}}\n"),
    ];
    assert_eq!(undefined_with("all: {hosts: {h: {}}}", &files), none);
}

#[test]
fn what_only_a_run_can_name_may_define_anything() {
    let none: [&str; 0] = [];
    let text = book(
        "- include_tasks: \"{{ ansible_os_family }}.yml\"\n\
         - debug: {msg: \"{{ from_there }}\"}\n",
    );
    assert_eq!(undefined_with("all: {hosts: {h: {}}}", &[("site.yml", &text)]), none);
}

#[test]
fn keywords() {
    let found = findings(&[(
        "site.yml",
        "\
- hosts: all
  gather_facts: ture
  strategy: liner
  order: back
  max_fail_percentage: most
  become: 2
  tasks:
    - debug: {msg: a}
      ignore_errors: ture
      retries: many
      delay: '5'
      async: x
      run_once: 'yes'
      debugger: sometimes
    - debug: {msg: a}
      loop: 5
    - debug: {msg: a}
      loop: [1]
      loop_control: {extended: ture, loop_var: a-b, pause: '0.5'}
    - block:
        - ping:
      no_log: [true]
      check_mode: \"{{ known_later }}\"
      timeout:
",
    )]);
    assert_found(
        found,
        &[
            "site.yml:2:17 error keywords: Error processing keyword 'gather_facts': The value 'ture' \
            could not be converted to 'bool'.",
            "site.yml:3:13 error keywords: Invalid play strategy specified: liner [The strategies are \
            linear, free, host_pinned and debug.]",
            "site.yml:4:10 error keywords: Invalid 'order' specified for inventory hosts: back [The \
            orders are inventory, reverse_inventory, sorted, reverse_sorted and shuffle.]",
            "site.yml:5:24 error keywords: Error processing keyword 'max_fail_percentage': The value \
            'most' could not be converted to 'percent'.",
            "site.yml:6:11 error keywords: Error processing keyword 'become': The value 2 could not be \
            converted to 'bool'.",
            "site.yml:9:22 error keywords: Error processing keyword 'ignore_errors': The value 'ture' \
            could not be converted to 'bool'.",
            "site.yml:10:16 error keywords: Error processing keyword 'retries': The value 'many' could \
            not be converted to 'int'.",
            "site.yml:12:14 error keywords: Error processing keyword 'async_val': The value 'x' could not \
            be converted to 'int'.",
            "site.yml:14:17 error keywords: Error processing keyword 'debugger': 'sometimes' is not a \
            valid value for debugger. Must be one of always, never, on_skipped, on_failed, on_unreachable",
            "site.yml:16:13 error keywords: The `loop` value must resolve to a 'list', not 'int'. \
            [Provide a list of items/templates, or a template resolving to a list.]",
            "site.yml:19:32 error keywords: Error processing keyword 'extended': The value 'ture' could \
            not be converted to 'bool'.",
            "site.yml:19:48 error keywords: Invalid variable name 'a-b'. [Variable names must be strings \
            starting with a letter or underscore character, and contain only letters, numbers and underscores.]",
            "site.yml:22:15 error keywords: Error processing keyword 'no_log': The value [True] could not \
            be converted to 'bool'.",
        ],
    );
}

#[test]
fn what_a_task_can_never_do() {
    let found = tasks(
        "\
- copy: {content: a, dest: /x, mode: '0999'}
- file: {path: /x, mode: u+rwq}
- file: {path: /x, mode: 'u=rwX,g-w+x,o=g'}
- file: {path: /x, mode: 0o755}
- meta: flush_handler
- set_fact: {a-b: 1, \"{{ a }}-c\": 1}
- debug: {var: foo bar}
- debug: {var: foo.bar}
- debug: {msg: \"{{ [1] | map('nope') | list }} {{ [1] | map('upper') }} {{ [1] | map(attribute='nope') }}\"}
- debug: {msg: \"{{ [1] | select('nope') }} {{ [1] | selectattr('a', 'nope') }} {{ [1] | rejectattr('a') }}\"}
- debug: {msg: \"{{ 1 | nope }} {{ 1 is nope }} {{ 1 | not.here.nope }}\"}
- debug: {msg: \"{{ lookup('file', 'nope.txt') }} {{ lookup('file', '/nope') }} {{ lookup('file', 'a', \
errors='ignore') }}\"}
",
    );
    assert_found(
        found,
        &[
            "site.yml:3:42 error arguments: mode must be in octal or symbolic form: bad symbolic \
            permission for mode: 0999",
            "site.yml:4:30 error arguments: mode must be in octal or symbolic form: bad symbolic \
            permission for mode: u+rwq",
            "site.yml:7:7 error arguments: invalid meta action requested: flush_handler [Did you mean \
            'flush_handlers'?]",
            "site.yml:8:18 error arguments: Invalid variable name 'a-b'. [Variable names must be strings \
            starting with a letter or underscore character, and contain only letters, numbers and underscores.]",
            "site.yml:9:24 error templates: Syntax error in expression: chunk after expression",
            "site.yml:11:30 error templates: No filter named 'nope'. [A filter plugin of this name must \
            be there when the task runs.]",
            "site.yml:12:30 error templates: No test named 'nope'. [Did you mean 'none'?]",
            "site.yml:12:57 error templates: No test named 'nope'. [Did you mean 'none'?]",
            "site.yml:13:28 error templates: No filter named 'nope'. [A filter plugin of this name must \
            be there when the task runs.]",
            "site.yml:13:44 error templates: No test named 'nope'. [Did you mean 'none'?]",
            "site.yml:13:59 warning templates: No filter named 'not.here.nope'. [A filter plugin of this \
            name must be there when the task runs.]",
            "site.yml:14:30 warning files: Could not find or access 'nope.txt' on the Ansible Controller. \
            [It must be there by the time the task runs.]",
        ],
    );
}

#[test]
fn hosts_that_the_inventory_does_not_have() {
    let book = "\
- hosts: wbe
  tasks: []
- hosts: [web, one, 'all:!db', \"{{ some }}\", localhost]
  tasks:
    - group_by: {key: a}
- hosts: later
  tasks: []
";
    let found = hosts_with("web: {hosts: {one: {}}}\ndb:\n", &[("site.yml", book)]);
    assert_found(
        found,
        &[
            "site.yml:1:10 warning hosts: Could not match supplied host pattern, ignoring: wbe [Did you mean 'web'?]",
        ],
    );
}

#[test]
fn permissions_in_decimal() {
    assert_eq!(
        tasks(
            "- file: {path: /x, mode: 644}\n- file: {path: /x, mode: 0644}\n\
            - file: {path: /x, mode: '644'}\n- file: {path: /x, mode: u=rw}\n"
        ),
        ["site.yml:3:30 warning arguments: mode 644 is a decimal number, which means --w----r-T \
             [Write the permissions as text: 'mode: \"0644\"'.]"]
    );
}

#[test]
fn task_files_of_other_systems_are_not_looked_into_for_modules() {
    let book = "- hosts: all\n  tasks:\n    - include_tasks: other.yml\n      when: ansible_os_family == 'FreeBSD'\n    \
                - include_tasks: own.yml\n";
    let files = [
        ("site.yml", book),
        ("other.yml", "- pkgng: {name: a}\n- copyy: {dest: /x, content: a}\n"),
        ("own.yml", "- pacman: {name: a}\n"),
    ];
    let message = |name: &str| {
        format!(
            "couldn't resolve module/action '{name}'. This often indicates a misspelling, missing \
            collection, or incorrect module path."
        )
    };
    assert_eq!(
        findings(&files),
        [
            format!("other.yml:2:3 warning load: {} [Did you mean 'copy'?]", message("copyy")),
            format!(
                "own.yml:1:3 error load: {} [Install the collection that has it, and ansible-core for the \
                 controller's python3: `playbook galaxy collection install community.general`.]",
                message("pacman")
            ),
        ]
    );
}
