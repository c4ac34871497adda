//! The advice of an error about a playbook or inventory that does not exist.

use std::path::{Path, PathBuf};

use playbook_api::nearest;

/// Suggests a file with a similar name, or says where the name was searched: as it is given, and in `more`.
pub(super) fn advice(name: &Path, more: Option<PathBuf>) -> String {
    let given = crate::paths::absolute(name);
    let mut directories: Vec<PathBuf> = given.parent().map(Path::to_owned).into_iter().collect();
    let inside = |directory: PathBuf| match name.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => directory.join(parent),
        _ => directory,
    };
    if name.is_relative() {
        directories.extend(more.map(inside).filter(|directory| !directories.contains(directory)));
    }
    let file = name.file_name().unwrap_or_default().to_string_lossy();
    let names: Vec<String> = directories.iter().flat_map(|directory| entries(directory)).collect();
    match nearest(&file, names.iter().map(String::as_str)) {
        Some(near) => format!("Did you mean '{}'?", name.with_file_name(near).display()),
        None => {
            let shown: Vec<String> = directories.iter().map(|directory| shown(directory)).collect();
            format!("It was searched in {}.", shown.join(" and "))
        }
    }
}

/// The names in a directory.
fn entries(directory: &Path) -> Vec<String> {
    let read = std::fs::read_dir(directory).into_iter().flatten().flatten();
    read.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn shown(directory: &Path) -> String {
    if directory == crate::paths::here() {
        "the current directory".into()
    } else {
        directory.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similar_name_is_suggested_and_otherwise_the_directories_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir(root.join("playbooks")).unwrap();
        std::fs::write(root.join("deploy-app.yml"), "").unwrap();
        let near = root.join("deploy-ap.yml");
        assert_eq!(advice(&near, None), format!("Did you mean '{}'?", root.join("deploy-app.yml").display()));
        let other = root.join("nothing.yml");
        assert_eq!(advice(&other, None), format!("It was searched in {}.", root.display()));
        assert_eq!(
            advice(Path::new("nothing-like-it.yml"), Some(root.join("playbooks"))),
            format!("It was searched in the current directory and {}.", root.join("playbooks").display())
        );
    }
}
