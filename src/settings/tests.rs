//! Every setting has an effect, or a reason in the documentation.

use std::collections::BTreeMap;
use std::path::Path;

use super::SETTINGS;
use super::accepted::ACCEPTED;

fn sources(directory: &Path, text: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let is_table = path.ends_with("src/settings/value.rs");
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_table {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_setting_is_read_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    sources(&root.join("src"), &mut text);
    let is_read = |field: &str| {
        let member = format!(".{field}");
        let mut found = text.match_indices(&member).map(|(at, part)| at + part.len());
        let word = |at: usize| text[at..].starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '(');
        found.any(|at| !word(at))
    };
    let dead: Vec<&str> =
        SETTINGS.iter().map(|setting| setting.field).filter(|field| !is_read(field)).collect();
    assert_eq!(dead, Vec::<&str>::new(), "read them, or move them to the settings without effect");
}

#[test]
fn every_setting_without_effect_is_documented_with_its_reason() {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for setting in ACCEPTED {
        let reason =
            setting.about.strip_prefix("Has no effect: ").and_then(|reason| reason.strip_suffix('.'));
        reasons.entry(reason.unwrap()).or_default().push(setting.name.to_owned());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/differences.md")).unwrap();
    for (reason, mut names) in reasons {
        names.sort();
        let row = format!("| `{}` | {reason} |", names.join("`, `"));
        assert!(text.lines().any(|line| line == row), "docs/differences.md lacks this row:\n{row}");
    }
}

#[test]
fn descriptions_are_sentences() {
    for setting in SETTINGS.iter().chain(ACCEPTED) {
        let about = setting.about;
        let sentence =
            about.starts_with(char::is_uppercase) && about.ends_with('.') && about.split(' ').count() > 2;
        assert!(sentence, "{}: {about}", setting.name);
    }
}
