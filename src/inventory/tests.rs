//! Whole inventories, with what ansible-inventory makes of them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use playbook_api::{Context, Error};

use super::*;
use crate::settings::Settings;
use crate::vault::Keyring;

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        if text.starts_with("#!") {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

fn load_with(
    files: &[(&str, &str)],
    source: &str,
    settings: &Settings,
) -> Result<(Inventory, Vec<String>), Error> {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), files);
    let source = match source.contains(',') {
        true => source.to_owned(),
        false => directory.path().join(source).to_string_lossy().into_owned(),
    };
    let keyring = Arc::new(Keyring::default());
    let (inventory, warnings) =
        Inventory::load(&[source], settings, &keyring, &Context::default(), &Vars::default())?;
    let hosts: Vec<Arc<str>> = inventory.hosts.keys().cloned().collect();
    inventory.check_files(&hosts)?;
    Ok((inventory, warnings.iter().map(ToString::to_string).collect()))
}

fn load(files: &[(&str, &str)], source: &str) -> Inventory {
    let (inventory, warnings) = load_with(files, source, &Settings::default()).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    inventory
}

fn select(inventory: &Inventory, pattern: &str) -> String {
    inventory.select(pattern, &Settings::default()).unwrap().0.join(" ")
}

/// A variable of a host, as text.
fn var(inventory: &Inventory, host: &str, name: &str) -> String {
    let vars = inventory.variables(&inventory.host(host).unwrap()).unwrap();
    vars.get(name).map(|node| node.raw().to_string()).unwrap_or_default()
}

const INI: &str = "lone v=\"a b\" l=\"[1, 2]\" o=0644 f=1.5 t=True tpl='{{ x }}'\n\
    [web]\nwww[01:02].example.com:2222 port=80\n[web:vars]\na=1\nb = hello world\n\
    [prod:children]\nweb\ndb\n[db]\ndb1\nlone\n[prod:vars]\na=2\n[all:vars]\nevery=yes\n";

#[test]
fn ini_says_what_ansible_reads() {
    let inventory = load(&[("hosts", INI)], "hosts");
    assert_eq!(select(&inventory, "prod"), "www01.example.com www02.example.com db1 lone");
    assert_eq!(select(&inventory, "ungrouped"), "");
    let www = |name| var(&inventory, "www02.example.com", name);
    assert_eq!(
        (www("ansible_port"), www("port"), www("a"), www("b")),
        ("2222".into(), "80".into(), "1".into(), "hello world".into())
    );
    let lone = |name| var(&inventory, "lone", name);
    assert_eq!(
        (lone("l"), lone("o"), lone("t"), lone("a")),
        ("[1, 2]".into(), "0644".into(), "True".into(), "2".into())
    );
    assert_eq!((lone("tpl"), lone("every")), ("{{ x }}".into(), "yes".into()));
}

#[test]
fn broken_ini_says_where() {
    for (text, words) in [
        ("[web]\na b\n", "Expected key=value host variable assignment, got: b"),
        ("[web:what]\n", "Section [web:what] has unknown type: what"),
        ("[a b]\n", "Invalid section entry: '[a b]'"),
        ("[a:children]\nmissing\n", "Section [a:children] includes undefined group 'missing'."),
        ("[a:vars]\nx=1\n", "Section [a:vars] not valid for undefined group 'a'."),
        ("[a:children]\nb\n[b:children]\na\n", "creates a recursive dependency loop"),
        ("a[2:1\n[web:vars]\nx\n", "Expected key=value, got: x"),
    ] {
        let (_, warnings) = load_with(&[("hosts", text)], "hosts", &Settings::default()).unwrap();
        assert!(
            warnings.iter().any(|w| w.contains("'ini' plugin") && w.contains(words)),
            "{text}: {warnings:?}"
        );
        assert!(warnings.iter().any(|w| w.contains("No inventory was parsed")), "{text}");
    }
}

const YAML: &str = "all:\n  hosts:\n    h1: {v: !unsafe '{{ a }}'}\n  vars: {g: 1}\n  children:\n    web:\n      hosts:\n        w[01:03]: {ansible_port: 22}\n        host:2222:\n      vars: {ansible_group_priority: 5, p: q}\n      children: {sub: {hosts: {w01: {x: yes}}}}\n    empty: {}\n";

#[test]
fn yaml_prints_as_the_oracle_does() {
    let inventory = load(&[("inv.yml", YAML)], "inv.yml");
    let extra = Vars::default();
    let printer =
        |format, export| Printer { inventory: &inventory, extra: &extra, format, export, limit: None };
    assert_eq!(
        printer(Format::Json, false).graph("all", false).unwrap(),
        "@all:\n  |--@ungrouped:\n  |  |--h1\n  |--@web:\n  |  |--@sub:\n  |  |  |--w01\n  |  |--w01\n  |  |--w02\n  |  |--w03\n  |  |--host\n  |--@empty:\n"
    );
    assert_eq!(
        printer(Format::Yaml, true).list().unwrap(),
        "all:\n  children:\n    ungrouped:\n      hosts:\n        h1:\n          v: '{{ a }}'\n    web:\n      children:\n        sub:\n          hosts:\n            w01:\n              ansible_port: 22\n              x: true\n      hosts:\n        host:\n          ansible_port: 2222\n        w01: {}\n        w02:\n          ansible_port: 22\n        w03:\n          ansible_port: 22\n      vars:\n        ansible_group_priority: 5\n        p: q\n  vars:\n    g: 1\n"
    );
    assert_eq!(
        printer(Format::Json, false).host("h1").unwrap(),
        "{\n    \"g\": 1,\n    \"v\": \"{{ a }}\"\n}\n"
    );
    let list = printer(Format::Json, false).list().unwrap();
    assert!(
        list.contains("\"profile\": \"inventory_legacy\"")
            && list.contains("\"children\": [\n            \"sub\"")
    );
}

#[test]
fn toml_is_read_and_written() {
    let text = "[all.vars]\nx = false\n\n[web]\nchildren = [\"sub\"]\n\n[web.hosts]\n\"w[1:2]\" = {}\n\n\
        [web.vars]\nport = 80\n\n[sub.hosts.s]\na = [1, \"b\"]\n";
    let inventory = load(&[("inv.toml", text)], "inv.toml");
    assert_eq!(select(&inventory, "web"), "w1 w2 s");
    assert_eq!((var(&inventory, "s", "a"), var(&inventory, "s", "port")), ("[1, 'b']".into(), "80".into()));
    let printer = Printer {
        inventory: &inventory,
        extra: &Vars::default(),
        format: Format::Toml,
        export: true,
        limit: None,
    };
    let again = load(&[("inv.toml", &printer.list().unwrap())], "inv.toml");
    assert_eq!((select(&again, "web"), var(&again, "s", "x")), ("w1 w2 s".into(), "False".into()));
    let (_, warnings) = load_with(&[("i.toml", "[a\n")], "i.toml", &Settings::default()).unwrap();
    assert!(warnings[0].contains("is invalid"), "{warnings:?}");
}

#[test]
fn patterns_select_what_ansible_selects() {
    let inventory = load(&[("inv.yml", YAML)], "inv.yml");
    for (pattern, hosts) in [
        ("all", "h1 w01 w02 w03 host"),
        ("*", "h1 w01 w02 w03 host"),
        ("web", "w01 w02 w03 host"),
        ("web:!sub", "w02 w03 host"),
        ("web,&sub", "w01"),
        ("!web", "h1"),
        ("w0*", "w01 w02 w03"),
        ("~w0[23]", "w02 w03"),
        ("web[0]", "w01"),
        ("web[-1]", "host"),
        ("web[1:2]", "w02 w03"),
        ("web[2:]", "w03 host"),
        ("w0[12]", ""),
        ("w0[!1]", "w02 w03"),
        ("h1,w02,h1", "h1 w02"),
        ("w02:h1", "w02 h1"),
        ("localhost", "localhost"),
        ("nothing", ""),
    ] {
        assert_eq!(select(&inventory, pattern), hosts, "{pattern}");
    }
    let (_, warnings) = inventory.select("nothing", &Settings::default()).unwrap();
    assert_eq!(warnings, ["Could not match supplied host pattern, ignoring: nothing"]);
    let mut strict = Settings::default();
    strict.set("host_pattern_mismatch", "error");
    assert!(inventory.select("nothing", &strict).is_err());
    assert!(
        inventory
            .select("web[9]", &strict)
            .unwrap_err()
            .to_string()
            .contains("No hosts matched the subscripted")
    );
    assert!(inventory.select("~[", &strict).is_err());
}

#[test]
fn directories_hold_sources_and_variables() {
    let files = [
        ("inv/hosts.ini", "[web]\nw1 a=inventory\nw2\n[prod:children]\nweb\n"),
        (
            "inv/script.sh",
            "#!/bin/sh\necho '{\"scr\": {\"hosts\": [\"s1\"], \"children\": [\"web\"]}, \"_meta\": {\"hostvars\": {\"s1\": {\"m\": 1}}}}'\n",
        ),
        ("inv/notes.txt", "no inventory"),
        ("inv/group_vars/all.yml", "from_all: 1\nk: {a: 1}\n"),
        ("inv/group_vars/web/b.yml", "x: second\n"),
        ("inv/group_vars/web/a", "x: first\ny: 2\n"),
        ("inv/group_vars/web/c.txt", "x: no\n"),
        ("inv/group_vars/prod.json", "{\"p\": true, \"y\": 1}"),
        ("inv/host_vars/w1.yaml", "a: file\nk: {b: 2}\n"),
    ];
    let inventory = load(&files, "inv");
    let w1 = |name| var(&inventory, "w1", name);
    assert_eq!([w1("a"), w1("x"), w1("y"), w1("p"), w1("k")], ["file", "second", "2", "True", "{'b': 2}"]);
    assert_eq!(var(&inventory, "s1", "m"), "1");
    assert_eq!(var(&inventory, "localhost", "from_all"), "1");
    assert_eq!(select(&inventory, "scr"), "s1 w1 w2");
    let mut merge = Settings::default();
    merge.set("hash_behaviour", "merge");
    let (inventory, _) = load_with(&files, "inv", &merge).unwrap();
    assert_eq!(var(&inventory, "w1", "k"), "{'a': 1, 'b': 2}");
}

#[test]
fn broken_variable_files_are_errors_with_a_place() {
    let files = [("inv/hosts", "web1\n"), ("inv/host_vars/web1.yml", "a: b: c\n")];
    let error = load_with(&files, "inv", &Settings::default()).map(drop).unwrap_err();
    assert_eq!(error.place().unwrap().line, 1);
}

#[test]
fn the_playbooks_variables_win_over_the_inventorys() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[("group_vars/all.yml", "from_all: play\n")]);
    let mut inventory =
        load(&[("inv/hosts", "w1\n"), ("inv/group_vars/all.yml", "from_all: inventory\n")], "inv");
    inventory.beside_playbook(vec![directory.path().to_owned()]);
    assert_eq!(var(&inventory, "w1", "from_all"), "play");
}

#[test]
fn hosts_and_groups_join_while_a_run_goes_on() {
    let mut inventory = load(&[], "w1,w2:2200,");
    assert_eq!(var(&inventory, "w2", "ansible_port"), "2200");
    let name = |name: &str| Arc::<str>::from(name);
    assert!(inventory.add_host(&name("new"), &[name("web")], Vars::default()).unwrap());
    assert!(!inventory.add_host(&name("new"), &[name("web")], Vars::default()).unwrap());
    assert!(inventory.group_host(&name("w1"), &name("os_debian"), &[name("linux")]).unwrap());
    assert_eq!(inventory.groups_of("w1").join(" "), "all linux os_debian");
    assert_eq!(select(&inventory, "linux:web"), "w1 new");
    assert_eq!(inventory.groups_value().get("ungrouped").unwrap().to_string(), "['w2']");
}

#[test]
fn constructed_groups_follow_from_variables() {
    let files = [
        ("inv/1.ini", "[web]\nw1 a=x\nw2\n"),
        (
            "inv/2.yml",
            "plugin: constructed\ncompose:\n  both: a | default('none') ~ '-y'\ngroups:\n  first: inventory_hostname == 'w1'\nkeyed_groups:\n  - {key: a | default('zz'), prefix: k, parent_group: keyed}\n",
        ),
    ];
    let inventory = load(&files, "inv");
    assert_eq!(
        (var(&inventory, "w1", "both"), var(&inventory, "w2", "both")),
        ("x-y".into(), "none-y".into())
    );
    assert_eq!((select(&inventory, "first"), select(&inventory, "keyed")), ("w1".into(), "w1 w2".into()));
    assert_eq!(inventory.groups_of("w2").join(" "), "all keyed web k_zz");
}

const STATE: &str = r#"{"version": 4, "outputs": {"url": {"value": "http://x"}, "ports": {"value": [80, 443]},
    "db-password": {"value": "hunter22", "sensitive": true}}, "resources": [{"mode": "managed", "type": "aws_instance",
    "name": "web", "instances": [{"attributes": {"id": "i-1", "private_ip": "10.0.0.1", "tags": {"Name": "web1"}}}]}]}"#;

#[test]
fn terraform_outputs_become_variables() {
    let config = "plugin: terraform_outputs\npath: ../tf/terraform.tfstate\ngroups: {web: {url: web_url}}\n\
        instances:\n  - {type: aws_instance, address: private_ip, groups: [web], vars: {instance_id: id}}\n";
    let inventory = load(&[("inv/tf.yml", config), ("tf/terraform.tfstate", STATE)], "inv/tf.yml");
    assert_eq!(var(&inventory, "localhost", "ports"), "[80, 443]");
    let web1 = inventory.variables(&inventory.host("web1").unwrap()).unwrap();
    let text = |name: &str| web1.get(name).unwrap().raw();
    assert!(text("db_password").is_secret());
    assert_eq!(
        (text("web_url"), text("ansible_host"), text("instance_id")),
        ("http://x".into(), "10.0.0.1".into(), "i-1".into())
    );
}

#[test]
fn wrong_terraform_configurations_are_errors() {
    for (config, words) in [
        ("path: no.tfstate\n", "no.tfstate"),
        ("path: t.tfstate\noutputs: [nope]\n", "Terraform has no output 'nope'"),
        ("path: t.tfstate\nworkspaces: x\n", "has no option 'workspaces'"),
        ("path: gopher://x\n", "nothing reads a Terraform state from 'gopher://'"),
        ("workspace: x\n", "needs 'path'"),
    ] {
        let config = format!("plugin: terraform_outputs\n{config}");
        let files = [("tf.yml", config.as_str()), ("t.tfstate", STATE)];
        let error = load_with(&files, "tf.yml", &Settings::default()).map(drop).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_state_is_imported_as_yaml() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[("terraform.tfstate", STATE)]);
    let location = directory.path().join("terraform.tfstate").to_string_lossy().into_owned();
    let import = |keyring: Keyring| {
        import_terraform(&location, None, &Arc::new(keyring), &Context::default()).unwrap()
    };
    let text = import(Keyring::default());
    assert!(text.contains("# db_password is sensitive") && !text.contains("hunter22"), "{text}");
    assert!(text.ends_with("all:\n  vars:\n    ports:\n    - 80\n    - 443\n    url: http://x\n"), "{text}");
    assert!(import(Keyring::with_password("default", "x")).contains("db_password: !vault |\n"));
}

#[test]
fn ten_thousand_hosts_load_without_quadratic_loops() {
    let inventory = load(&[("hosts", "[all]\nh[00001:10000] a=1\n[web]\nh[00001:10000]\n")], "hosts");
    let started = std::time::Instant::now();
    assert_eq!(select(&inventory, "all").split(' ').count(), 10_000);
    assert_eq!(select(&inventory, "web:&h0*:!h00001").split(' ').count(), 9_998);
    assert_eq!(inventory.groups_value().get("web").unwrap().as_list().unwrap().len(), 10_000);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn invalid_names_of_variables_are_told() {
    let text = "h none=1 a-b=2 if=3 _x=4\n[g]\nh\n[g:vars]\nTrue=1\nok=2\n";
    let (inventory, warnings) = load_with(&[("hosts", text)], "hosts", &Settings::default()).unwrap();
    let message = |name: &str| {
        format!(
            "Accepting inventory variable with invalid name '{name}'. This feature will be removed from ansible-core \
             version 2.23."
        )
    };
    assert_eq!(warnings, ["none", "a-b", "True"].map(message));
    assert_eq!(var(&inventory, "h", "a-b"), "2");
    let mut settings = Settings::default();
    settings.set("deprecation_warnings", false);
    assert_eq!(load_with(&[("hosts", text)], "hosts", &settings).unwrap().1, Vec::<String>::new());
    let yaml = "all:\n  hosts:\n    h: {1x: 1}\n  vars: {'not': 2}\n";
    let warnings = load_with(&[("i.yml", yaml)], "i.yml", &Settings::default()).unwrap().1;
    assert_eq!(warnings, ["1x", "not"].map(message));
}

#[test]
fn duplicate_keys_are_what_the_setting_says() {
    let files = [
        ("i.yml", "all:\n  hosts: {h: {a: 1, a: 2}}\n"),
        ("group_vars/all.yml", "b: 1\nb: 2\n"),
        ("host_vars/h.yml", "c: 1\nc: 2\n"),
    ];
    let load = |policy: &str| {
        let mut settings = Settings::default();
        settings.set("duplicate_dict_key", policy);
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &files);
        let source = directory.path().join("i.yml").to_string_lossy().into_owned();
        let keyring = Arc::new(Keyring::default());
        let (inventory, warnings) =
            Inventory::load(&[source], &settings, &keyring, &Context::default(), &Vars::default())?;
        let mut warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        let hosts: Vec<Arc<str>> = inventory.hosts.keys().cloned().collect();
        warnings.extend(inventory.check_files(&hosts)?.iter().map(ToString::to_string));
        Ok::<_, Error>(warnings)
    };
    let found = |name: &str| format!("Found duplicate mapping key '{name}'.");
    assert_eq!(load("warn").unwrap(), ["a", "b", "c"].map(found));
    assert_eq!(load("ignore").unwrap(), Vec::<String>::new());
    let warnings = load("error").unwrap();
    assert!(warnings[0].contains(&found("a")) && warnings[1].contains("Unable to parse"), "{warnings:?}");
}

#[test]
fn a_misspelled_plugin_is_an_error_under_the_programs_own_name() {
    let files = [("tf.yml", "plugin: terraform_output\npath: x\n")];
    let mut settings = Settings::default();
    let (_, warnings) = load_with(&files, "tf.yml", &settings).unwrap();
    assert!(warnings.iter().any(|warning| warning.contains("Unable to parse")), "{warnings:?}");
    settings.own_rules = true;
    let error = load_with(&files, "tf.yml", &settings).map(drop).unwrap_err();
    let cause = error.cause().unwrap();
    assert!(cause.message().ends_with("specifies unknown plugin 'terraform_output'"), "{cause}");
    assert_eq!(cause.help(), Some("Did you mean 'terraform_outputs'?"));
}
