//! Documentation as JSON.

use playbook_api::Spec;
use playbook_api::spec::ArgType;
use serde_json::{Value as Json, json};

use super::Subject;
use super::text::{inner, public};

/// Returns the documentation of a module.
pub(super) fn of_module(subject: &Subject) -> Json {
    let Subject { doc, spec, schema, probes } = subject;
    let returns: serde_json::Map<String, Json> = doc
        .returns
        .iter()
        .map(|(name, kind, meaning)| ((*name).to_owned(), json!({"type": kind, "description": meaning})))
        .collect();
    let mut out = json!({
        "doc": {
            "module": doc.name,
            "collection": doc.collection,
            "plugin_name": doc.full_name(),
            "aliases": doc.aliases,
            "short_description": doc.short,
            "description": spec.description,
            "options": options(spec),
            "check_mode": doc.check_mode,
        },
        "examples": doc.examples,
        "return": returns,
    });
    out["schema"] = schema.clone();
    if !probes.is_empty() {
        let probes = probes.iter().map(|(name, spec)| {
            let about = json!({ "description": spec.description, "options": options(spec) });
            ((*name).to_owned(), about)
        });
        out["probes"] = Json::Object(probes.collect());
    }
    out
}

/// Returns the options of a module, or of an option that is a dictionary.
fn options(spec: &Spec) -> Json {
    let options = public(spec).map(|(name, option)| {
        let mut json = json!({
            "type": option.kind.name(),
            "description": option.description,
            "required": option.required,
            "default": option.default,
        });
        if let Some(map) = json.as_object_mut() {
            if let ArgType::List(items) = &option.kind {
                map.insert("elements".into(), items.name().into());
            }
            if !option.choices.is_empty() {
                map.insert("choices".into(), json!(option.choices));
            }
            if !option.aliases.is_empty() {
                map.insert("aliases".into(), json!(option.aliases));
            }
            if let Some(inner) = inner(option) {
                map.insert("suboptions".into(), options(inner));
            }
        }
        (name.clone(), json)
    });
    Json::Object(options.collect())
}
