//! Modules in other languages, on other hosts.

use crate::scene::{alone, oracle};

#[test]
fn a_python_module_is_sent_once() {
    alone("a module in Python", |scene| {
        let Some(ansible) = oracle() else {
            xtask::tested::skip(
                "a module in Python",
                "no ansible-core: run the tests with `cargo xtask test`",
            );
            return;
        };
        let python = ansible.join("python").display().to_string();
        scene.environment.borrow_mut().push(("PLAYBOOK_PYTHON", python));
        // With a Python, other than those that need none.
        let machine = scene.fleet.machine("web").expect("a machine");
        scene.inventory(&[(&machine, "ansible_python_interpreter=/usr/bin/python3")]);
        scene.write(
            "library/twice.py",
            "#!/usr/bin/python\nfrom ansible.module_utils.basic import AnsibleModule\n\
             module = AnsibleModule(argument_spec={'text': {'type': 'str'}})\n\
             module.exit_json(said=module.params['text'] * 2)\n",
        );
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - twice: {text: \"it's \\\"{{ item }}\\\" \"}
      loop: '{{ range(20) }}'
      register: said
    - assert:
        that: said.results[19].said == text * 2
      vars: {text: \"it's \\\"19\\\" \"}
    - twice: {text: ab}
      async: 30
      poll: 1
      register: job
    - assert: {that: job.said == 'abab'}
";
        // The first one brings the helper.
        scene.run(book, &[]).ok();
        let received = || {
            let count = machine.shell("cat /sys/class/net/eth0/statistics/rx_bytes").expect("a counter");
            count.trim().parse::<u64>().expect("a number")
        };
        let before = received();
        scene.run(book, &[]).ok();
        let sent = received() - before;
        assert!(sent < 1_000_000, "{sent} bytes were sent");
    });
}
