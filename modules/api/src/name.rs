//! Fully qualified collection names.

/// Returns the short name of one of the engine's own plugins or modules: `copy` for `ansible.builtin.copy` and
/// `ansible.legacy.copy`. Any other name is returned as it is.
///
/// ```
/// use playbook_api::name::builtin;
/// assert_eq!(builtin("ansible.builtin.copy"), "copy");
/// assert_eq!(builtin("copy"), "copy");
/// assert_eq!(builtin("community.general.copy"), "community.general.copy");
/// ```
pub fn builtin(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

/// Returns the short name of a plugin that is in one of `collections` or built in.
///
/// ```
/// use playbook_api::name::within;
/// assert_eq!(within(&["ansible.posix"], "ansible.posix.timer"), "timer");
/// assert_eq!(within(&["ansible.posix"], "ansible.builtin.default"), "default");
/// assert_eq!(within(&["ansible.posix"], "my.own.timer"), "my.own.timer");
/// ```
pub fn within<'a>(collections: &[&str], name: &'a str) -> &'a str {
    match split(name) {
        Some((collection, short)) if collections.contains(&collection) => short,
        _ => builtin(name),
    }
}

/// Splits a fully qualified name into its collection and the name inside it. Names inside a collection may have dots
/// of their own; a name with fewer than three parts is not fully qualified.
///
/// ```
/// use playbook_api::name::split;
/// assert_eq!(split("amazon.aws.rds_instance"), Some(("amazon.aws", "rds_instance")));
/// assert_eq!(split("rds_instance"), None);
/// ```
pub fn split(name: &str) -> Option<(&str, &str)> {
    let namespace = name.find('.')?;
    let collection = namespace + 1 + name[namespace + 1..].find('.')?;
    let short = &name[collection + 1..];
    (namespace > 0 && !short.is_empty()).then_some((&name[..collection], short))
}
