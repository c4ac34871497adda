//! The pages in `docs/` that show code agree with the code.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// The page `docs/writing-modules.md` shows whole files: each code block follows a comment that names its file.
#[test]
fn the_examples_of_modules_are_the_files_that_are_tested() {
    let page = read("docs/writing-modules.md");
    let mut shown = 0;
    for part in page.split("<!-- ").skip(1) {
        let (path, rest) = part.split_once(" -->\n```rust\n").expect("a code block after the comment");
        let (code, _) = rest.split_once("\n```\n").expect("the end of the block");
        assert_eq!(code, read(path).trim_end(), "docs/writing-modules.md shows another text than {path}");
        shown += 1;
    }
    assert_eq!(shown, 6);
}

/// The page `docs/one-task.md` names functions as `file:function` and files by their path.
#[test]
fn the_steps_of_a_task_exist() {
    let page = read("docs/one-task.md");
    let mut named = 0;
    for word in page.split('`').filter(|word| word.contains(".rs")) {
        let (path, name) = word.split_once(':').unwrap_or((word, ""));
        let text = read(path);
        let defined = ["fn", "struct", "trait"].iter().any(|kind| {
            text.match_indices(&format!("{kind} {name}")).any(|(at, found)| {
                !text[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
            })
        });
        assert!(name.is_empty() || defined, "docs/one-task.md names {word}, which does not exist");
        named += 1;
    }
    assert!(named > 20, "the page names {named} places");
}

/// A default is documented, and rules between arguments see it, only if its type can be serialized.
#[test]
fn defaults_of_choices_are_documented() {
    let mut derives = 0;
    for source in sources(&root().join("modules")) {
        let text = fs::read_to_string(&source).expect("a source");
        let names = text.match_indices("#[derive(").map(|(at, _)| &text[at..]);
        for item in names {
            let (derive, rest) = item.split_once(")]").expect("the end of a derive");
            let head = rest.lines().find(|line| !line.is_empty() && !line.trim_start().starts_with("#["));
            if !head.is_some_and(|line| line.contains("enum ")) || !derive.contains("JsonSchema") {
                continue;
            }
            derives += 1;
            assert!(
                derive.contains("Serialize"),
                "{}: derive Serialize for {}",
                source.display(),
                head.unwrap_or_default().trim()
            );
        }
    }
    assert!(derives > 30, "{derives} enums");
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.components().any(|part| part.as_os_str() == "src")
        {
            found.push(path);
        }
    }
    found
}

/// Links between pages lead to files that exist.
#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages =
        vec![root().join("README.md"), root().join("CONTRIBUTING.md"), root().join("SECURITY.md")];
    let docs = fs::read_dir(root().join("docs")).expect("docs");
    pages.extend(docs.map(|entry| entry.expect("an entry").path()).filter(|p| p.extension().is_some()));
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path: PathBuf = page.parent().expect("a directory").join(target);
            assert!(path.exists(), "{} links to {target}, which does not exist", page.display());
        }
    }
}
