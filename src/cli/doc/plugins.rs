//! The documentation of plugins and keywords that are built in.

use std::sync::LazyLock;

use serde_json::{Value as Json, json};

use super::text::paragraph;
use crate::report::callbacks;

/// The types that are documented here.
pub(super) const TYPES: &[&str] =
    &["lookup", "filter", "test", "inventory", "callback", "keyword", "connection", "become", "strategy"];

/// The columns: type, names, usage, description.
const TABLE: &str = include_str!("plugins.tsv");

/// A plugin or keyword.
#[derive(Debug)]
pub(super) struct Plugin {
    kind: &'static str,
    /// Its name, and others of the same meaning.
    pub names: Vec<&'static str>,
    usage: &'static str,
    /// A description in one or two sentences.
    pub about: &'static str,
    collection: &'static str,
}

static ALL: LazyLock<Vec<Plugin>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        let (kind, names) = (columns.next()?, columns.next()?);
        let (usage, about) = (columns.next()?, columns.next()?);
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        Some(Plugin { kind, names, usage, about, collection: collection(kind, usage) })
    });
    let callbacks = callbacks::NATIVE.iter().map(|native| Plugin {
        kind: "callback",
        names: vec![native.name],
        usage: if native.is_report { "stdout_callback" } else { "callbacks_enabled" },
        about: native.about,
        collection: native.collection,
    });
    rows.chain(callbacks).collect()
});

/// The collection that the usage names, or else that of the engine.
fn collection(kind: &str, usage: &'static str) -> &'static str {
    let own = [
        ("terraform_outputs", "playbook.terraform"),
        ("postgresql_url", "playbook.postgres"),
        ("aws_secret", "amazon.aws"),
        ("community.docker", "community.docker"),
    ];
    let named = ["community.general", "ansible.utils"].into_iter().find(|name| usage.contains(name));
    let own = own.into_iter().find(|(name, _)| usage.contains(name)).map(|(_, collection)| collection);
    if kind == "keyword" { "" } else { named.or(own).unwrap_or("ansible.builtin") }
}

/// Returns the plugins of a type.
pub(super) fn of(kind: &str) -> impl Iterator<Item = &'static Plugin> {
    ALL.iter().filter(move |plugin| plugin.kind == kind)
}

impl Plugin {
    /// Returns the plugin of a type and a short or fully qualified name.
    pub(super) fn find(kind: &str, name: &str) -> Option<&'static Plugin> {
        let short = playbook_api::name::split(name).map_or(name, |(_, short)| short);
        let is_loop = kind == "keyword" && name.starts_with("with_");
        of(kind).find(|plugin| {
            let own = plugin.names.contains(&short) || (is_loop && plugin.names.contains(&"with_*"));
            own && (short == name || playbook_api::name::builtin(name) == short || name == plugin.full_name())
        })
    }

    /// Returns the fully qualified name; of a keyword its name.
    pub(super) fn full_name(&self) -> String {
        let name = self.names.first().copied().unwrap_or_default();
        if self.collection.is_empty() { name.to_owned() } else { format!("{}.{name}", self.collection) }
    }

    /// Formats the documentation.
    pub(super) fn text(&self) -> String {
        let mut out = format!("# {} ({})\n\n", self.full_name(), self.kind);
        paragraph(&mut out, self.about, 0);
        if self.names.len() > 1 {
            out += &format!("\nAlso known as: {}\n", self.names[1..].join(", "));
        }
        let title = if self.kind == "callback" { "Setting" } else { "Usage" };
        out += &format!("\n## {title}\n\n    {}\n", self.usage);
        out
    }

    /// Returns the documentation for other programs.
    pub(super) fn json(&self) -> Json {
        json!({ "doc": {
            "name": self.names.first(), "plugin_name": self.full_name(), "type": self.kind,
            "aliases": self.names.get(1..).unwrap_or_default(), "collection": self.collection,
            "short_description": self.about, "description": [self.about], "usage": self.usage,
        } })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::playbook::all_keywords;
    use crate::template::{filters, lookups, tests};

    fn documented(kind: &str) -> BTreeSet<&'static str> {
        of(kind).flat_map(|plugin| plugin.names.iter().copied()).collect()
    }

    fn missing(kind: &str, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
        let documented = documented(kind);
        names.filter(|name| !documented.contains(name)).collect()
    }

    #[test]
    fn everything_that_is_built_in_is_documented() {
        let none: Vec<&str> = Vec::new();
        let public = |name: &&str| !name.starts_with("ansible._protomatter.");
        assert_eq!(missing("filter", filters::names().filter(public)), none);
        assert_eq!(missing("test", tests::names().filter(public)), none);
        assert_eq!(missing("lookup", lookups::names()), none);
        assert_eq!(missing("keyword", all_keywords()), none);
    }

    #[test]
    fn nothing_else_is_documented() {
        let brought = ["postgresql_url", "aws_secret", "secretsmanager_secret", "with_*"];
        let known: BTreeSet<&str> = filters::names()
            .chain(tests::names())
            .chain(lookups::names())
            .chain(all_keywords())
            .chain(brought)
            .collect();
        for kind in ["filter", "test", "lookup", "keyword"] {
            let unknown: Vec<&str> =
                documented(kind).into_iter().filter(|name| !known.contains(name)).collect();
            assert_eq!(unknown, Vec::<&str>::new(), "{kind}");
        }
    }

    #[test]
    fn plugins_are_found_by_short_and_full_names() {
        let name = |kind, name| Plugin::find(kind, name).map(Plugin::full_name);
        assert_eq!(name("filter", "combine"), Some("ansible.builtin.combine".into()));
        assert_eq!(name("filter", "ansible.builtin.combine"), Some("ansible.builtin.combine".into()));
        assert_eq!(
            name("filter", "community.general.json_query"),
            Some("community.general.json_query".into())
        );
        assert_eq!(name("filter", "my.own.combine"), None);
        assert_eq!(name("callback", "timer"), Some("ansible.posix.timer".into()));
        assert_eq!(name("keyword", "with_items"), Some("with_*".into()));
        assert_eq!(name("connection", "ssh"), Some("ansible.builtin.ssh".into()));
        assert_eq!(name("connection", "community.docker.docker"), Some("community.docker.docker".into()));
        assert_eq!(name("become", "doas"), Some("community.general.doas".into()));
    }
}
