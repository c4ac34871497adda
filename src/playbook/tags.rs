//! Which tasks `--tags` and `--skip-tags` select.

/// Whether a task with these tags runs. `only` empty means `all`.
///
/// ```
/// use playbook::playbook::tags::selected;
/// const NONE: [&str; 0] = [];
/// assert!(selected(&["web"], &["all"], &NONE));
/// assert!(!selected(&["never", "web"], &["all"], &NONE));
/// assert!(selected(&["never", "web"], &["web"], &NONE));
/// assert!(selected(&["always"], &["web"], &NONE));
/// assert!(!selected(&["always"], &["web"], &["always"]));
/// assert!(!selected(&["web"], &["untagged"], &NONE));
/// ```
pub fn selected<T: AsRef<str>, U: AsRef<str>, V: AsRef<str>>(tags: &[T], only: &[U], skip: &[V]) -> bool {
    let has = |name: &str| match tags {
        [] => name == "untagged",
        tags => tags.iter().any(|tag| tag.as_ref() == name),
    };
    let tagged = !tags.is_empty();
    let asked = |name: &str| match only {
        [] => name == "all",
        only => only.iter().any(|tag| tag.as_ref() == name),
    };
    let skipped = |name: &str| skip.iter().any(|tag| tag.as_ref() == name);
    let wanted = has("always")
        || (asked("all") && !has("never"))
        || only.iter().any(|tag| has(tag.as_ref()))
        || (asked("tagged") && tagged && !has("never"));
    let dropped = if skipped("all") {
        !has("always") || skipped("always")
    } else {
        skip.iter().any(|tag| has(tag.as_ref())) || (skipped("tagged") && tagged)
    };
    wanted && !dropped
}

/// Splits text with tags at its commas, as `--tags` and the `tags` keyword have it.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::selected;

    const NONE: [&str; 0] = [];

    #[test]
    fn skipping_all_leaves_always() {
        assert!(selected(&["always"], &["all"], &["all"]));
        assert!(!selected(&["always"], &["all"], &["all", "always"]));
        assert!(!selected(&NONE, &["all"], &["all"]));
    }

    #[test]
    fn tagged_and_untagged() {
        assert!(selected(&["a"], &["tagged"], &NONE));
        assert!(!selected(&NONE, &["tagged"], &NONE));
        assert!(selected(&NONE, &["untagged"], &NONE));
        assert!(!selected(&NONE, &["all"], &["untagged"]));
        assert!(!selected(&["a"], &["all"], &["tagged"]));
        assert!(!selected(&["never", "a"], &["tagged"], &NONE));
        assert!(selected(&["never"], &["never"], &NONE));
    }
}
