//! Recognizes the kind of a module from its file: the way in which it expects its arguments, and its interpreter.

use std::sync::LazyLock;

use fancy_regex::Regex;

/// The way in which a module expects its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Python on top of ansible-core's module_utils: arguments are put into a payload.
    Python,
    /// A placeholder in the file is replaced by the arguments as JSON.
    JsonArgs,
    /// A file with JSON.
    WantJson,
    /// A program; a file with JSON.
    Binary,
    /// A file with `name=value` words.
    Old,
    /// For Windows.
    PowerShell,
}

/// The placeholder of the arguments in a module of [`Style::JsonArgs`].
pub const JSON_ARGS: &str = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

static PYTHON: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let home = r"(?:ansible_collections\.[^.]+\.[^.]+\.plugins\.|ansible\.)";
    let import = format!(r"from +(?:\.{{2,}} *|{home})module_utils.* +import |import +{home}module_utils");
    Regex::new(&import).ok()
});

static POWERSHELL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let marks = r"(?i)#Requires\s+-(Module|Version)|#AnsibleRequires\s+-(OSVersion|PowerShell|CSharpUtil|Wrapper)|#\s*POWERSHELL_COMMON";
    Regex::new(marks).ok()
});

impl Style {
    /// Returns the style of a module by its content.
    pub fn of(content: &[u8]) -> Style {
        if is_binary(content) {
            return Style::Binary;
        }
        let text = String::from_utf8_lossy(content);
        let matches = |pattern: &Option<Regex>| {
            pattern.as_ref().is_some_and(|pattern| pattern.is_match(&*text).unwrap_or(false))
        };
        match () {
            () if text.contains("#<<INCLUDE_ANSIBLE_MODULE_COMMON>>") => Style::Python,
            () if matches(&PYTHON) => Style::Python,
            () if matches(&POWERSHELL) => Style::PowerShell,
            () if text.contains(JSON_ARGS) => Style::JsonArgs,
            () if text.contains("WANT_JSON") => Style::WantJson,
            () => Style::Old,
        }
    }
}

/// Whether the beginning contains bytes that do not occur in text.
fn is_binary(content: &[u8]) -> bool {
    let text = |byte: &u8| matches!(byte, 7..=10 | 12 | 13 | 27 | 0x20..=0x7e | 0x80..);
    !content.iter().take(1024).all(text)
}

/// Returns the program of a `#!` line and its arguments.
pub fn shebang(content: &[u8]) -> Option<(String, Vec<String>)> {
    let line = content.split(|b| *b == b'\n').next()?.strip_prefix(b"#!")?;
    let line = String::from_utf8_lossy(line);
    let mut words = shlex::split(line.trim())?.into_iter();
    Some((words.next()?, words.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_told_by_content() {
        let styles = [
            ("#!/usr/bin/python\nfrom ansible.module_utils.basic import AnsibleModule\n", Style::Python),
            ("import x\n    from ansible.module_utils import urls\n", Style::Python),
            ("from ansible_collections.a.b.plugins.module_utils.c import d\n", Style::Python),
            ("#!/usr/bin/python\n# WANT_JSON\nimport json\n", Style::WantJson),
            ("#!/bin/sh\nARGS='<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>'\n", Style::JsonArgs),
            ("#!/bin/sh\n. $1\n", Style::Old),
            ("\u{7f}ELF\u{2}\u{1}", Style::Binary),
            ("#!powershell\n#AnsibleRequires -CSharpUtil Ansible.Basic\n", Style::PowerShell),
        ];
        for (text, style) in styles {
            assert_eq!(Style::of(text.as_bytes()), style, "{text}");
        }
    }

    #[test]
    fn a_shebang_is_words() {
        assert_eq!(
            shebang(b"#!/usr/bin/env  python3 -u\nx"),
            Some(("/usr/bin/env".into(), vec!["python3".into(), "-u".into()]))
        );
        assert_eq!(shebang(b"import x"), None);
    }
}
