//! Each module says what it is, what each of its options means and what it returns.

use playbook_api::Registry;
use playbook_api::spec::{ArgType, Spec};

fn registry() -> Registry {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    registry
}

/// Collects the options whose description is shorter than three words.
fn undescribed(spec: &Spec, path: &str, found: &mut Vec<String>) {
    for (name, option) in &spec.options {
        let path = format!("{path}.{name}");
        if option.description.split_whitespace().count() < 3 {
            found.push(path.clone());
        }
        match &option.kind {
            ArgType::Dict(Some(inner)) => undescribed(inner, &path, found),
            ArgType::List(item) => {
                if let ArgType::Dict(Some(inner)) = &**item {
                    undescribed(inner, &path, found);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn modules_and_options_are_described() {
    let registry = registry();
    let mut found = Vec::new();
    for name in registry.module_names() {
        let entry = registry.module(name).unwrap();
        undescribed(entry.spec(), name, &mut found);
        if entry.spec().description.is_empty() || entry.doc.short.is_empty() {
            found.push(name.to_owned());
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn probes_are_described() {
    let registry = registry();
    let mut found = Vec::new();
    for probe in &registry.probes {
        undescribed(&probe.spec(), probe.name(), &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
}
