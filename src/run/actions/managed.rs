//! `ansible_managed`: the line that tells readers of a file how it was created.

use std::sync::Arc;

use playbook_api::{Error, Place, Value};

use super::ActionCall;
use crate::jinja::Template;

/// Returns the text of the setting with `{host}`, `{uid}` and `{file}` replaced, the template's modification time
/// inserted, and its templates rendered.
pub(crate) fn text(
    call: &ActionCall,
    changed: Option<&jiff::Zoned>,
    vars: &[(Arc<str>, Value)],
) -> Result<Value, Error> {
    let setting = &call.item.play.shared.settings.ansible_managed;
    let mut text = formatted(setting);
    if let Some(changed) = changed.filter(|_| text.contains('%')) {
        let time = jiff::fmt::strtime::format(&text, changed);
        text = time.map_err(|e| Error::new(format!("ansible_managed is not a valid time format: {e}")))?;
    }
    let scope = call.scope.with_local(vars.iter().cloned());
    scope.renderer().render(&Template::new(text, Place::file_only("<ansible_managed>")))
}

/// Formats as Python's `str.format`, with the names of variables that only templates see: their values are never
/// rendered as templates.
fn formatted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let names = [("host", "template_host"), ("uid", "template_uid"), ("file", "template_path")];
        let name = names.iter().find(|(name, _)| {
            rest.strip_prefix('{').and_then(|r| r.strip_prefix(name)).is_some_and(|r| r.starts_with('}'))
        });
        if let Some((name, variable)) = name {
            out.push_str(&format!("{{{{ {variable} }}}}"));
            rest = &rest[name.len() + 2..];
        } else {
            out.push_str(&rest[..1]);
            let doubled = rest.starts_with("{{") || rest.starts_with("}}");
            rest = &rest[if doubled { 2 } else { 1 }..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_templates_and_doubled_braces_single() {
        assert_eq!(
            formatted("{file} by {uid} on {host}"),
            "{{ template_path }} by {{ template_uid }} on {{ template_host }}"
        );
        assert_eq!(formatted("({{{{ 1 }}}}) {x"), "({{ 1 }}) {x");
    }
}
