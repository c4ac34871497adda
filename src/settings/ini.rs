//! The format of ansible.cfg.

use std::collections::HashMap;
use std::path::Path;

use playbook_api::{Error, ErrorKind, Place};

/// Reads ansible.cfg text: values by `section.key`, keys in lower case, with the line each was written in.
///
/// A line that starts with `#` or `;` is a comment, and so is what follows white space and `;`. An indented
/// line continues the value above it.
pub fn parse(text: &str, path: &Path) -> Result<HashMap<String, String>, Error> {
    let mut values: HashMap<String, String> = HashMap::new();
    let mut section: Option<String> = None;
    let mut last: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let place = Place::new(path.to_string_lossy(), index as u32 + 1, 1);
        let fault = |message: &str| {
            Error::new(format!("Error reading config file ({}): {message}", path.display()))
                .with_kind(ErrorKind::Syntax)
                .at(&place)
        };
        let content = without_comment(line);
        if content.trim().is_empty() {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some(value) = last.as_ref().and_then(|key| values.get_mut(key))
        {
            value.push('\n');
            value.push_str(content.trim());
            continue;
        }
        let content = content.trim();
        if let Some(name) = content.strip_prefix('[') {
            let name = name.split(']').next().unwrap_or(name);
            section = Some(name.to_owned());
            last = None;
            continue;
        }
        let Some(section) = &section else {
            return Err(fault("a value stands before the first section")
                .with_help("Begin the file with '[defaults]'."));
        };
        let Some(at) = content.find(['=', ':']) else {
            return Err(fault("a line is neither a section nor 'key = value'"));
        };
        let key = format!("{section}.{}", content[..at].trim().to_lowercase());
        if values.insert(key.clone(), content[at + 1..].trim().to_owned()).is_some() {
            return Err(fault(&format!(
                "option '{}' in section '{section}' already exists",
                content[..at].trim()
            )));
        }
        last = Some(key);
    }
    Ok(values)
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) {
        return "";
    }
    let comment =
        line.char_indices().zip(line.chars().skip(1)).find(|((_, a), b)| a.is_whitespace() && *b == ';');
    comment.map_or(line, |((at, _), _)| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_configparser_reads() {
        let text = "# comment\n[defaults]\nForks = 7 ; seven\nroles_path: a:b\ninventory = a,\n  b\n; no\nempty =\n[tags]\nrun=x;y\n";
        let values = parse(text, Path::new("ansible.cfg")).unwrap();
        assert_eq!(values["defaults.forks"], "7");
        assert_eq!(values["defaults.roles_path"], "a:b");
        assert_eq!(values["defaults.inventory"], "a,\nb");
        assert_eq!(values["defaults.empty"], "");
        assert_eq!(values["tags.run"], "x;y");
    }

    #[test]
    fn says_where_it_is_broken() {
        for (text, line) in [("forks=1", 1), ("[a]\nb", 2), ("[a]\nb=1\nb=2", 3)] {
            assert_eq!(parse(text, Path::new("x")).unwrap_err().place().unwrap().line, line);
        }
    }
}
