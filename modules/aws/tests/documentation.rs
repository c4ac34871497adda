//! Every module says what it is, what each argument means and what it returns.

#[expect(dead_code, reason = "this file uses a part of it")]
mod common;

use playbook_api::spec::{ArgType, Spec};

fn described(spec: &Spec, path: &str) {
    for (name, option) in &spec.options {
        assert!(!option.description.trim().is_empty(), "{path}.{name} has no description");
        match &option.kind {
            ArgType::Dict(Some(inner)) => described(inner, &format!("{path}.{name}")),
            ArgType::List(item) => {
                if let ArgType::Dict(Some(inner)) = &**item {
                    described(inner, &format!("{path}.{name}[]"));
                }
            }
            _ => {}
        }
    }
}

#[test]
fn modules_are_documented() {
    let registry = common::registry();
    for name in registry.module_names() {
        let entry = registry.module(name).expect("a registered module");
        described(entry.spec(), name);
        assert!(!entry.spec().description.is_empty(), "{name}");
        assert!(!entry.doc.short.is_empty() && !entry.doc.returns.is_empty(), "{name}");
        assert!(entry.doc.examples.matches("- name: ").count() >= 2, "{name} has too few examples");
        for shared in ["region", "profile", "endpoint_url", "aws_access_key", "aws_config"] {
            assert!(entry.spec().find(shared).is_some(), "{name} does not take {shared}");
        }
        assert!(entry.spec().options["secret_key"].no_log, "{name}");
    }
}

#[test]
fn extensions_are_there() {
    let registry = common::registry();
    for probe in ["ecs_service", "ecs_task", "rds_instance", "target_group"] {
        described(&registry.probe(probe).unwrap().spec(), probe);
    }
    assert!(registry.lookup("aws_secret").is_some());
    assert!(registry.task_runner("ecs").is_some());
}
