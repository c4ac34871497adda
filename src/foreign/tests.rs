//! Modules of this program and of installed collections side by side.

use std::path::Path;
use std::sync::Arc;

use playbook_api::Registry;

use super::*;

fn put(root: &Path, name: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "").unwrap();
}

/// Settings with a Python in an environment below the root, and collections in `installed`.
fn settings(root: &Path) -> Settings {
    put(root, "venv/bin/python3");
    let packages = root.join("venv/lib/python3.12/site-packages");
    std::fs::write(root.join("venv/pyvenv.cfg"), "home = /nowhere\n").unwrap();
    std::fs::create_dir_all(packages.join("ansible/modules")).unwrap();
    std::fs::write(packages.join("ansible/release.py"), "__version__ = '2.19.14'\n").unwrap();
    let mut settings = Settings::default();
    settings.plugin_python = Some(root.join("venv/bin/python3"));
    settings.collections_path = vec![root.join("installed")];
    settings
}

fn registry() -> Arc<Registry> {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    Arc::new(registry)
}

/// What a name leads to: the name, and the file's place below the root.
fn found(
    foreign: &Foreign,
    root: &Path,
    kind: Kind,
    name: &str,
    search: &[&str],
) -> Option<(String, String)> {
    let search: Vec<Arc<str>> = search.iter().map(|name| Arc::from(*name)).collect();
    let found = foreign.find(kind, name, &search).unwrap()?;
    let file = found.path.map(|path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
    Some((found.name, file.unwrap_or_else(|| "native".into())))
}

#[test]
fn an_installed_collection_replaces_nothing_unless_it_is_preferred() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let mut settings = settings(root);
    let plugins = "installed/ansible_collections/ansible/posix/plugins";
    for name in ["modules/authorized_key.py", "action/authorized_key.py", "modules/other.py"] {
        put(root, &format!("{plugins}/{name}"));
    }
    let full = "ansible.posix.authorized_key";
    let native = Some((full.to_owned(), "native".to_owned()));
    let theirs = Some((full.to_owned(), format!("{plugins}/modules/authorized_key.py")));
    let foreign = Foreign::new(&settings, 0).with_registry(registry());
    let find = |kind, name, search: &[&str]| found(&foreign, root, kind, name, search);
    assert_eq!(find(Kind::Module, full, &[]), native);
    assert_eq!(find(Kind::Action, full, &[]), native);
    assert_eq!(find(Kind::Module, "authorized_key", &["ansible.posix"]), native);
    assert_eq!(find(Kind::Module, "authorized_key", &[]), None);
    let other = find(Kind::Module, "ansible.posix.other", &[]);
    assert_eq!(other, Some(("ansible.posix.other".into(), format!("{plugins}/modules/other.py"))));
    for chosen in ["ansible.posix", "all"] {
        settings.prefer_collections = vec![chosen.to_owned()];
        let foreign = Foreign::new(&settings, 0).with_registry(registry());
        let find = |name, search: &[&str]| found(&foreign, root, Kind::Module, name, search);
        assert_eq!(find(full, &[]), theirs, "{chosen}");
        assert_eq!(find("authorized_key", &["ansible.posix"]), theirs, "{chosen}");
        assert_eq!(find("authorized_key", &[]), theirs, "{chosen}");
    }
}

#[test]
fn collections_among_pythons_packages_are_found_without_starting_it() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let mut settings = settings(root);
    let packages = "venv/lib/python3.12/site-packages";
    put(root, &format!("{packages}/ansible_collections/a/b/plugins/modules/thing.py"));
    put(root, &format!("{packages}/ansible/modules/only_core.py"));
    let routing = "plugin_routing:\n  modules:\n    moved:\n      redirect: a.b.thing\n";
    std::fs::create_dir_all(root.join(packages).join("ansible/config")).unwrap();
    std::fs::write(root.join(packages).join("ansible/config/ansible_builtin_runtime.yml"), routing).unwrap();
    let thing =
        Some(("a.b.thing".into(), format!("{packages}/ansible_collections/a/b/plugins/modules/thing.py")));
    let foreign = Foreign::new(&settings, 0).with_registry(registry());
    assert_eq!(found(&foreign, root, Kind::Module, "a.b.thing", &[]), thing);
    assert_eq!(found(&foreign, root, Kind::Module, "thing", &["c.d", "a.b"]), thing);
    assert_eq!(found(&foreign, root, Kind::Module, "thing", &[]), None);
    let core = |name: &str| foreign.core_module(name).map(|found| found.name);
    assert_eq!(core("only_core").as_deref(), Some("ansible.builtin.only_core"));
    assert_eq!(core("ansible.builtin.only_core").as_deref(), Some("ansible.builtin.only_core"));
    assert_eq!(core("moved").as_deref(), Some("a.b.thing"));
    assert_eq!(core("nowhere"), None);
    settings.collections_scan_sys_path = false;
    let foreign = Foreign::new(&settings, 0).with_registry(registry());
    assert_eq!(found(&foreign, root, Kind::Module, "a.b.thing", &[]), None);
}
