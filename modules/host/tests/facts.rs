//! `setup`, `getent`, `hostname` and `ping`, on this machine.
#![expect(clippy::disallowed_methods, reason = "tests prepare real files")]

#[expect(dead_code, reason = "this file uses a part of it")]
mod support;

use std::os::unix::fs::PermissionsExt;

use playbook_api::{Value, map};
use support::Lab;

fn facts(arguments: playbook_api::Map) -> Value {
    Lab::new().run("setup", arguments).facts.into()
}

#[test]
fn facts_have_their_known_names() {
    let all = facts(map! {});
    for name in [
        "architecture",
        "kernel",
        "hostname",
        "fqdn",
        "nodename",
        "distribution",
        "distribution_version",
        "os_family",
        "date_time",
        "env",
        "user_id",
        "processor_vcpus",
        "memtotal_mb",
        "interfaces",
        "lo",
        "mounts",
        "devices",
        "default_ipv4",
        "pkg_mgr",
        "service_mgr",
        "local",
        "cmdline",
        "dns",
        "lsb",
        "selinux",
        "virtualization_type",
    ] {
        assert!(all.get(&format!("ansible_{name}")).is_some(), "{name}");
    }
    assert!(all.get("ansible_memtotal_mb").unwrap().as_i64().unwrap() > 100);
    assert_eq!(all.get("ansible_lo").unwrap().get("ipv4").unwrap().get("address"), Some(&"127.0.0.1".into()));
    let epoch = all.get("ansible_date_time").unwrap().get("epoch").unwrap().to_string();
    assert!(epoch.parse::<i64>().unwrap() > 1_700_000_000);
}

#[test]
fn subsets_and_filters_choose() {
    let least = facts(map! { "gather_subset" => vec!["!all"] });
    assert!(least.get("ansible_distribution").is_some() && least.get("ansible_memtotal_mb").is_none());
    let network = facts(map! { "gather_subset" => "!all,!min,network" });
    assert!(network.get("ansible_interfaces").is_some() && network.get("ansible_distribution").is_none());
    let without = facts(map! { "gather_subset" => "!hardware" });
    // Whoever only takes away is left with the least, as with ansible-core.
    assert!(without.get("ansible_memtotal_mb").is_none() && without.get("ansible_interfaces").is_none());
    assert!(without.get("ansible_distribution").is_some());
    let few = facts(map! { "filter" => "*_version" });
    assert!(few.get("ansible_kernel_version").is_some() && few.get("ansible_kernel").is_none());
    let message = Lab::new().fail("setup", map! { "gather_subset" => "nonsense" });
    assert!(
        message.starts_with("Bad subset 'nonsense' given to Ansible. gather_subset options allowed: all, ")
    );
}

#[test]
fn own_facts_are_read_and_run() {
    let lab = Lab::new();
    lab.write("a.fact", "{\"x\": 1}");
    lab.write("b.fact", "[section]\nName = value\n");
    lab.write("bad.fact", "no facts");
    let script = lab.write("c.fact", "#!/bin/sh\necho '[1, 2]'\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let done = lab.run("setup", map! { "fact_path" => lab.at(""), "filter" => "local" });
    let local = done.facts.get("ansible_local").unwrap();
    assert_eq!(local.get("a").unwrap().to_string(), "{'x': 1}");
    assert_eq!(local.get("b").unwrap().to_string(), "{'section': {'name': 'value'}}");
    assert_eq!(local.get("c").unwrap().to_string(), "[1, 2]");
    assert!(done.warnings[0].starts_with("error loading facts as JSON or ini - please check content: "));
}

#[test]
fn getent_knows_root() {
    let lab = Lab::new();
    let root = lab.run("getent", map! { "database" => "passwd", "key" => "root" });
    let entry = root.facts.get("getent_passwd").unwrap().get("root").unwrap();
    assert_eq!(entry.as_list().unwrap()[1], "0".into());
    let none = map! { "database" => "passwd", "key" => "no-such-user" };
    assert_eq!(
        lab.fail("getent", none.clone()),
        "One or more supplied key could not be found in the database."
    );
    let mut lenient = none;
    lenient.insert("fail_key".into(), false.into());
    assert_eq!(
        lab.run("getent", lenient).facts.get("getent_passwd").unwrap().to_string(),
        "{'no-such-user': None}"
    );
}

#[test]
fn ping_answers_and_hostname_checks() {
    let lab = Lab::new();
    assert_eq!(support::value(&lab.run("ping", map! {}), "ping"), "pong".into());
    assert_eq!(lab.fail("ping", map! { "data" => "crash" }), "boom");
    assert!(lab.check("hostname", map! { "name" => "some-other-name" }).changed);
    assert!(lab.fail("hostname", map! { "name" => "no name" }).contains("is not a valid host name"));
}
